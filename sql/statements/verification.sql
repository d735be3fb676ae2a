-- The record of verifications, a statement a name.

-- name: begin
insert into ops.verification (asked, version) values (:asked, :version) returning verification_id;

-- name: note
insert into ops.fault (verification_id, place, fault) values (:verification_id, :place, :fault);

-- name: end
update ops.verification set ended_at = clock_timestamp(), messages = :messages, octets = :octets, faults = :faults
where verification_id = :verification_id;
