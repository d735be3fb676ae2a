-- Every row of the record is as it was sealed when it was added; none is missing, and none was added otherwise.
select broken from archive.broken_seals() as broken;
