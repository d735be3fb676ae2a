-- Who wrote what is found by a tree. In an index of hashes each row of an address stands in one chain, which is walked
-- from its beginning for each row more: in an archive of a million messages 250 pages for one message.
-- A tree takes no key beyond 2,700 octets; what was that long is a name now, as the parser reads it since.

update archive.participant
set name = ltrim(name || ' <' || coalesce(written, address) || '>'), address = '', written = null
where length(address) > 500;

drop index archive.participant_nullif_idx;
create index on archive.participant (nullif(address, ''));
