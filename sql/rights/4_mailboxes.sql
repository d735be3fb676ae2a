-- Which rows analysts and readers see: those of the mailboxes that were granted to whom they logged in as.
-- A policy may use the others: who sees a mailbox sees its deliveries, who sees a delivery its ledger, who sees an entry
-- of the ledger its message, with all that belongs to it, whatever other mailboxes held it too.
-- Not forced on the owner, who could drop them, and whose COPY and pg_dump they would stop.

do $$
declare
    relation text;
    condition text;
begin
    for relation, condition in select * from (values
        ('archive.mailbox',     'mailbox_id = any ((select ops.mailboxes_seen())::bigint[])'),
        ('archive.epoch',       'mailbox_id = any ((select ops.mailboxes_seen())::bigint[])'),
        ('archive.delivery',    'mailbox_id = any ((select ops.mailboxes_seen())::bigint[])'),
        ('ops.session',         'mailbox_id = any ((select ops.mailboxes_seen())::bigint[])'),
        ('archive.ledger',      'exists (select from archive.delivery d where d.delivery_id = ledger.delivery_id)'),
        ('archive.excerpt',     'exists (select from archive.delivery d where d.delivery_id = excerpt.delivery_id)'),
        ('archive.message',     'exists (select from archive.ledger l where l.message_id = message.message_id)'),
        ('archive.disposition', 'exists (select from archive.ledger l where l.message_id = disposition.message_id)'),
        ('archive.head',        'exists (select from archive.ledger l where l.message_id = head.message_id)'),
        ('archive.segment',     'exists (select from archive.ledger l where l.message_id = segment.message_id)'),
        ('archive.blob',        'exists (select from archive.segment s where s.blob_id = blob.blob_id)'),
        ('archive.blob_piece',  'exists (select from archive.segment s where s.blob_id = blob_piece.blob_id)'),
        ('archive.reading',     'exists (select from archive.ledger l where l.message_id = reading.message_id)'),
        ('archive.participant', 'exists (select from archive.ledger l where l.message_id = participant.message_id)'),
        ('archive.part',        'exists (select from archive.ledger l where l.message_id = part.message_id)'),
        ('archive.nested_message', 'exists (select from archive.ledger l where l.message_id = nested_message.message_id)'),
        ('archive.report',      'exists (select from archive.ledger l where l.message_id = report.message_id)'),
        ('archive.event',       'exists (select from archive.ledger l where l.message_id = event.message_id)'),
        ('archive.defect',      'exists (select from archive.ledger l where l.message_id = defect.message_id)'),
        ('archive.manner',      'exists (select from archive.ledger l where l.message_id = manner.message_id)'),
        ('threads.member',      'exists (select from archive.ledger l where l.message_id = member.message_id)'),
        ('search.labelled',     'exists (select from archive.ledger l where l.message_id = labelled.message_id)')
    ) as policies loop
        execute format('alter table %s enable row level security', relation);
        execute format('drop policy if exists by_mailbox on %s', relation);
        execute format(
            'create policy by_mailbox on %s for select to popvault_analyst, popvault_reader using (%s)',
            relation, condition);
    end loop;
    -- Folders are for all to see, and for who made them to take away.
    foreach relation in array array['search.label', 'search.saved'] loop
        condition := case relation when 'search.label' then 'made_by' else 'saved_by' end || ' = session_user';
        execute format('alter table %s enable row level security', relation);
        execute format('drop policy if exists shown on %s', relation);
        execute format('drop policy if exists own on %s', relation);
        execute format('create policy shown on %s for select using (true)', relation);
        execute format('create policy own on %s for all using (%s) with check (%2$s)', relation, condition);
    end loop;
    -- What one sees, one may put under labels.
    drop policy if exists labelling on search.labelled;
    create policy labelling on search.labelled for all to popvault_analyst, popvault_reader
        using (exists (select from archive.ledger l where l.message_id = labelled.message_id))
        with check (labelled_by = session_user
                    and exists (select from archive.ledger l where l.message_id = labelled.message_id));
end $$;

-- Who sees all mailboxes is named in a policy that is true: the planner then leaves the other out, so that it costs nothing.
create or replace function ops.name_who_sees_all() returns void language plpgsql set lock_timeout = '10s' as $$
declare
    relation text;
    holders text;
begin
    select string_agg(quote_ident(r.rolname), ', ') into holders from pg_roles r
    where r.rolname = 'popvault_auditor' or r.oid in (select role from ops.mailbox_right where mailbox_id is null);
    for relation in
        select polrelid::regclass from pg_policy where polname = 'by_mailbox'
    loop
        execute format('drop policy if exists everything on %s', relation);
        execute format('create policy everything on %s for select to %s using (true)', relation, holders);
    end loop;
end $$;
comment on function ops.name_who_sees_all is 'Renew the policies that let some roles see all mailboxes, after ops.mailbox_right.';
select ops.name_who_sees_all();

create or replace function ops.mailbox_named(wanted text) returns bigint language plpgsql stable as $$
begin
    if wanted is null or exists (select from archive.mailbox where name = wanted) then
        return (select mailbox_id from archive.mailbox where name = wanted);
    end if;
    raise exception 'there is no mailbox % in the archive', wanted using errcode = 'no_data_found';
end $$;
comment on function ops.mailbox_named is 'The number of a mailbox, null for null; raises where there is none of that name.';

create or replace function ops.grant_mailbox(role regrole, mailbox text) returns void language plpgsql as $$
begin
    insert into ops.mailbox_right (role, mailbox_id) values (grant_mailbox.role, ops.mailbox_named(mailbox))
    on conflict do nothing;
    perform ops.name_who_sees_all() where mailbox is null;
end $$;
comment on function ops.grant_mailbox is 'Let a role see a mailbox, by its name; all of them for null.';

create or replace function ops.revoke_mailbox(role regrole, mailbox text) returns void language plpgsql as $$
begin
    delete from ops.mailbox_right r
    where r.role = revoke_mailbox.role and r.mailbox_id is not distinct from ops.mailbox_named(mailbox);
    perform ops.name_who_sees_all() where mailbox is null;
end $$;
comment on function ops.revoke_mailbox is 'Take back what ops.grant_mailbox gave: a mailbox, or for null the right to see all.';
