-- Two identities more, beside the SHA-256 of the bytes: a canonical hash, and Message-ID. They relate, they never merge.

alter table archive.reading add canonical_sha256 bytea check (octet_length(canonical_sha256) = 32);
comment on column archive.reading.canonical_sha256 is
    'The same for copies of one mail that differ only by the way they came: line ends, folds, trace and delivery headers. Null until `popvault rebuild` has read the message again.';
create index on archive.reading using hash (canonical_sha256);
