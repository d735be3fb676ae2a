-- What each role may do with each table and view. A table or view that is not listed is the owner's alone, and a test fails.

-- One row for each table and view.
create temporary table decided (
    relation text, record boolean, loader text, analyst text, reader text, auditor text
) on commit drop;
insert into decided (relation, record, loader, analyst, reader, auditor) values
    -- The record.
    ('archive.mailbox',     true,  'select, insert', 'select', 'select', 'select'),
    ('archive.epoch',       true,  'select, insert', 'select', 'select', 'select'),
    ('archive.delivery',    true,  'select, insert', 'select', 'select', 'select'),
    ('archive.ledger',      true,  'select, insert', 'select', 'select', 'select'),
    ('archive.message',     true,  'select, insert', 'select', 'select', 'select'),
    ('archive.excerpt',     true,  'select, insert', null,     'select', 'select'),
    ('archive.head',        true,  'select, insert', 'select', 'select', 'select'),
    ('archive.segment',     true,  'select, insert', null,     'select', 'select'),
    ('archive.blob',        true,  'select, insert', null,     'select', 'select'),
    ('archive.blob_piece',  true,  'select, insert', null,     'select', 'select'),
    ('archive.disposition', true,  'select',         'select', 'select', 'select'),
    ('archive.erasure',     true,  null,             null,     null,     'select'),
    ('archive.seal',        true,  null,             null,     null,     'select'),
    ('ops.run',             true,  'select, insert, update (ended_at)', null, null, 'select'),
    ('ops.session',         true,  'select, insert, update (epoch_id, listed_at, listed, listed_octets, listing_sha256, listing_doubted, quit_accepted, quit_reply, ended_at, failure)',
                                                     'select', 'select', 'select'),
    ('ops.enrolment',       true,  'select',         null,     null,     'select'),
    ('ops.verification',    true,  null,             'select', 'select', 'select, insert, update (ended_at, messages, octets, faults)'),
    ('ops.fault',           true,  null,             null,     null,     'select, insert'),
    -- What can be read from the record again.
    ('archive.reading',     false, 'select, insert', 'select (message_id, parser, subject, message_id_header, in_reply_to, "references", headers, decoded, hops, canonical_sha256, date_written, date_at, date_offset_minutes, sent_at, sent_at_source)',
                                                               'select', 'select'),
    ('archive.participant', false, 'select, insert', 'select', 'select', 'select'),
    ('archive.part',        false, 'select, insert', 'select', 'select', 'select'),
    ('archive.nested_message', false, 'select, insert', 'select', 'select', 'select'),
    ('archive.report',      false, 'select, insert', 'select', 'select', 'select'),
    ('archive.event',       false, 'select, insert', 'select', 'select', 'select'),
    ('archive.defect',      false, 'select, insert', 'select', 'select', 'select'),
    ('archive.manner',      false, 'select, insert', 'select', 'select', 'select'),
    ('threads.key',         false, 'select, insert, update', null, null, 'select'),
    ('threads.member',      false, 'select, insert, update', 'select', 'select', 'select'),
    ('search.fresh',        false, 'select, insert, delete', null, null, 'select'),
    ('search.segment',      false, 'select, insert, delete', null, null, 'select'),
    ('search.stretch',      false, 'select, insert, update, delete', null, null, 'select'),
    ('search.common',       false, 'select, insert, delete', null, null, 'select'),
    ('search.posting',      false, 'select, insert, delete', null, null, 'select'),
    -- Folders that people make.
    ('search.label',        false, null, 'select, insert, delete', 'select, insert, delete', 'select'),
    ('search.labelled',     false, null, 'select, insert, delete', 'select, insert, delete', 'select'),
    ('search.saved',        false, null, 'select, insert, update, delete', 'select, insert, update, delete', 'select'),
    -- What work is under way.
    ('threads.pending',     false, 'select, delete', null, null, 'select'),
    ('ops.pause',           false, 'select, insert, update', null, null, 'select'),
    ('ops.download_piece',  false, 'select, insert, delete', null, null, 'select'),
    ('ops.rebuild',         false, null,             null,     null,     'select'),
    ('ops.mailbox_right',   false, null,             null,     null,     'select'),
    ('ops.view',            false, null,             null,     null,     'select'),
    ('ops.guard',           false, null,             null,     null,     'select'),
    ('ops.migration',       false, 'select',         'select', 'select', 'select'),
    -- Views; they show each caller what the tables would.
    ('archive.recipe',      false, 'select',         null,     'select', 'select'),
    ('archive.delivery_state', false, 'select', 'select', 'select', 'select'),
    ('mart.balance',        false, 'select',         'select', 'select', 'select'),
    ('mart.message',        false, null,             'select', 'select', 'select'),
    ('mart.body',           false, 'select',         null,     'select', 'select'),
    ('mart.delivery',       false, null,             'select', 'select', 'select'),
    ('mart.participant',    false, null,             'select', 'select', 'select'),
    ('mart.edge',           false, null,             'select', 'select', 'select'),
    ('mart.address',        false, null,             'select', 'select', 'select'),
    ('mart.domain',         false, null,             'select', 'select', 'select'),
    ('mart.reply',          false, null,             'select', 'select', 'select'),
    ('mart.thread',         false, null,             'select', 'select', 'select'),
    ('mart.mailbox',        false, null,             'select', 'select', 'select'),
    ('mart.step',           false, null,             'select', 'select', 'select'),
    ('mart.volume',         false, null,             'select', 'select', 'select'),
    ('mart.attachment',     false, null,             'select', 'select', 'select'),
    ('mart.part',           false, null,             'select', 'select', 'select'),
    ('mart.nested_message', false, null,             'select', 'select', 'select'),
    ('mart.nested_header',  false, null,             'select', 'select', 'select'),
    ('mart.report',         false, null,             'select', 'select', 'select'),
    ('mart.event',          false, null,             'select', 'select', 'select'),
    ('mart.header',         false, null,             'select', 'select', 'select'),
    ('mart.hop',            false, null,             'select', 'select', 'select'),
    ('mart.defect',         false, null,             'select', 'select', 'select'),
    ('mart.date_candidate', false, null,             'select', 'select', 'select'),
    -- Why two messages are the same mail is found in their texts.
    ('mart.same_as',        false, null,             null,     'select', 'select'),
    ('mart.session',        false, null,             'select', 'select', 'select'),
    ('mart.label',          false, null,             'select', 'select', 'select'),
    ('mart.saved_search',   false, null,             'select', 'select', 'select'),
    ('mart.verification',   false, null,             'select', 'select', 'select');

do $$
declare
    relation text;
    rights text;
    holder text;
begin
    foreach holder in array array['popvault_loader', 'popvault_analyst', 'popvault_reader', 'popvault_auditor'] loop
        execute format('grant usage on schema archive, ops, search, threads, mart to %I', holder);
        execute format('revoke all on all tables in schema archive, ops, search, threads, mart from %I', holder);
        for relation, rights in
            select d.relation, to_jsonb(d) ->> replace(holder, 'popvault_', '') from decided d
        loop
            if rights is not null then
                execute format('grant %s on %s to %I', rights, relation, holder);
            end if;
        end loop;
    end loop;
    -- A message's number is drawn before it is read; a listing, and what is read again, lies in a temporary table.
    grant usage on sequence archive.message_message_id_seq to popvault_loader;
    execute format('grant temporary on database %I to popvault_loader, popvault_auditor', current_database());
end $$;

-- The index of words is one for all mailboxes. What reads it does so with the owner's rights, called by search.window only,
-- which gives each login what it sees; and who may not read text may not ask what words it has.
revoke execute on function
    search.places, search.spread, search.among, search.places_asked, search.rarest, search.has_asked, search.scores, search.score,
    search.sees_all, search.purge, search.forget, search.window, mart.search from public;
grant execute on function search.window, mart.search to popvault_reader, popvault_auditor;
