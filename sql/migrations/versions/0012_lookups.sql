-- What people look mail up by, and had to read all of it for. Hashes: a fifth of what a tree of texts takes.

-- The name of an exported file.
create index on archive.message using hash (encode(sha256, 'hex'));

-- As written: a part of a name still reads all attachments.
create index on archive.part using hash (filename) where attachment;
