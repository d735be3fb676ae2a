-- Groups of addresses are kept, and defects say where they lie. What was read before gets both from `popvault rebuild`.

alter table archive.participant add group_name text;
comment on column archive.participant.group_name is
    'Name of the group that it stands in (RFC 5322 section 3.4); null where it stands in none.';
comment on column archive.participant.address is
    'Address to compare by: lower case, its domain as DNS has it (A-labels); empty for a name, or a group of nobody, alone.';
comment on column archive.participant.written is 'Address as written; null where that is the same.';

alter table archive.defect add offset_octets bigint;
comment on column archive.defect.offset_octets is
    'Where in the message the header or part begins, in octets; null where it is not known.';
comment on column archive.defect.place is 'Path of the part, or name of the header in lower case.';
