-- What a question is told, a statement a name.

-- name: integer
-- This and those below, by the types that questions cast to: fails for a value that is none.
select cast(:value as integer);

-- name: bigint
select cast(:value as bigint);

-- name: numeric
select cast(:value as numeric);

-- name: time
select cast(:value as time);

-- name: timestamptz
select cast(:value as timestamptz);

-- name: mailbox
select exists (select from mart.mailbox where mailbox = :mailbox);

-- name: sha256
select exists (select from mart.attachment where sha256 = lower(:sha256));

-- name: message
select exists (select from mart.message where message_id = cast(:message as bigint));

-- name: house
-- The domains that questions take for the house: those told, or those of the mailboxes.
select unnest(string_to_array(:house, ',')) as domain
union select domain from mart.mailbox where :house = '' and domain is not null
order by domain;
