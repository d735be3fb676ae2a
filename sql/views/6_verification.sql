-- Who looked whether all is as recorded.

create view mart.verification with (security_invoker) as
select verification_id, asked, verified_by, began_at, ended_at, messages, octets, faults, faults = 0 as verified
from ops.verification;
comment on view mart.verification is 'One row for each verification of the archive: who, when, how much, and how many faults.';
comment on column mart.verification.verification_id is 'Number of the verification.';
comment on column mart.verification.asked is 'Which messages were re-hashed; the books are always checked as a whole.';
comment on column mart.verification.verified_by is 'Who logged in for it.';
comment on column mart.verification.began_at is 'When it began.';
comment on column mart.verification.ended_at is 'When it ended; null while it runs or if it was killed.';
comment on column mart.verification.messages is 'Messages re-hashed.';
comment on column mart.verification.octets is 'Bytes of these messages.';
comment on column mart.verification.faults is 'Number of faults found.';
comment on column mart.verification.verified is 'Whether all was as recorded; null where it did not end.';
