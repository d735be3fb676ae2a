-- A disposition takes no blob that a loader is about to use, leaves nothing in a download that was cut, and does not come
-- between what a verification reads and what it notes. What guards the record is itself recorded. And every message is in
-- the index of words.

-- One row for each thing that guards the record, as the last upgrade made it.
create table ops.guard (
    guard text primary key,
    made_as text not null
);
comment on column ops.guard.guard is 'What it is.';
comment on column ops.guard.made_as is 'What it was made as.';

create or replace function archive.approve_disposition(disposition_id bigint) returns void language plpgsql as $$
declare
    gone bigint;
    thread bigint;
    blobs bigint[];
    held record;
begin
    if not pg_try_advisory_xact_lock(7497060) then
        raise exception 'a rebuild is under way, which reads what is to go: approve again when it has ended'
            using errcode = 'object_in_use';
    end if;
    if not pg_try_advisory_xact_lock(7497062) then
        raise exception 'a verification is under way, which would note what is to go: approve again when it has ended'
            using errcode = 'object_in_use';
    end if;
    -- Which message a download that was cut is of, nobody knows: all are dropped, and begin anew. Not under a session.
    for held in
        select distinct b.mailbox_id, b.name
        from ops.download_piece join archive.delivery using (delivery_id) join archive.mailbox b using (mailbox_id)
    loop
        if not pg_try_advisory_xact_lock(7368560, held.mailbox_id::integer) then
            raise exception 'mailbox % is being read, and has a large message half: approve again when that has ended',
                held.name using errcode = 'object_in_use';
        end if;
    end loop;
    delete from ops.download_piece;
    -- Terms that are being folded, and threads that are being joined, would come back.
    perform pg_advisory_xact_lock(7368561), pg_advisory_xact_lock(7628914);
    -- A loader that has found a blob here makes a step of it; what it has written is not seen before it commits.
    perform pg_advisory_xact_lock(7497061);
    update archive.disposition d set approved_by = session_user, approved_at = now()
    where d.disposition_id = approve_disposition.disposition_id returning d.message_id into strict gone;
    select array_agg(s.blob_id) into blobs from archive.segment s where s.message_id = gone and s.blob_id is not null;
    -- Keys are hashes of ids: those that others name come again with them, when their thread is joined anew.
    select m.thread_id into thread from threads.member m where m.message_id = gone;
    with others as (delete from threads.member m where m.thread_id = thread returning m.message_id)
    insert into threads.pending (message_ids)
    select array_agg(o.message_id) from others o where o.message_id <> gone having count(*) > 0;
    delete from threads.key k where k.thread_id = thread;
    perform archive.erase_traces(disposition_id, gone);
    -- Whatever hangs on a message, in tables of later migrations too.
    for held in
        select c.conrelid::regclass as relation, a.attname as key
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.confrelid = 'archive.message'::regclass
          and c.conrelid not in ('archive.ledger'::regclass, 'archive.disposition'::regclass)
    loop
        execute format('delete from %s where %I = $1', held.relation, held.key) using gone;
    end loop;
    -- Content that no other message has.
    delete from archive.blob_piece p
    where p.blob_id = any (blobs) and not exists (select from archive.segment s where s.blob_id = p.blob_id);
    delete from archive.blob b
    where b.blob_id = any (blobs) and not exists (select from archive.segment s where s.blob_id = b.blob_id);
end $$;

-- What came before there was an index of words is in it from now on, without words until a rebuild reads them.
insert into search.fresh (message_id, sent_at, terms)
select r.message_id, r.sent_at, '' from archive.reading r
where r.message_id not in (select message_id from search.fresh)
  and r.message_id not in (select unnest(array_remove(message_ids, null)) from search.segment);
