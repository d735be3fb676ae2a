-- What is record refuses UPDATE, DELETE and TRUNCATE, from whomever. Always: also where session_replication_role is set.

do $$
declare
    relation regclass;
    guard text;
begin
    for relation, guard in
        select d.relation::regclass, guards.statement
        from decided d, lateral (values
            (d.relation not in (
                'ops.run', 'ops.session', 'ops.verification', 'archive.disposition', 'archive.excerpt', 'ops.fault'),
             'trigger record_stays before update on %s for each statement execute function archive.refuse()'),
            (d.relation not in ('archive.head', 'archive.segment', 'archive.blob', 'archive.blob_piece'),
             'trigger record_is_kept before delete on %s for each statement execute function archive.refuse()'),
            (true, 'trigger record_is_not_emptied before truncate on %s for each statement execute function archive.refuse()'),
            -- Open until they end; then record.
            (d.relation = 'ops.run',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_open(''ended_at'', ''run_id'')'),
            (d.relation = 'ops.session',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_open(''ended_at'', ''session_id'')'),
            (d.relation = 'ops.verification',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_open(''ended_at'', ''verification_id'')'),
            (d.relation = 'archive.disposition',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_open(''approved_at'', ''disposition_id'')'),
            -- What they tell of a message that was disposed of is erased.
            (d.relation = 'archive.excerpt',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_erased(6, ''excerpt_id'')'),
            (d.relation = 'ops.fault',
             'trigger record_stays before update on %s for each row execute function archive.refuse_unless_erased(16, ''fault_id'')'),
            -- Bytes: they go with a message that was disposed of.
            (d.relation in ('archive.head', 'archive.segment'),
             'trigger record_is_kept before delete on %s for each row execute function archive.refuse_unless_disposed()'),
            (d.relation in ('archive.blob', 'archive.blob_piece'),
             'trigger record_is_kept before delete on %s for each row execute function archive.refuse_while_used()')
        ) as guards (here, statement)
        where d.record and guards.here
    loop
        execute format('create or replace ' || guard, relation);
        execute format('alter table %s enable always trigger %I', relation, split_part(guard, ' ', 2));
    end loop;
end $$;

-- What no hash covers is sealed as it comes, and what stays open for a while again when it ends. A function for each form,
-- for a query that is planned once takes a sixth of the time; with the owner's rights, so that nobody else adds seals.
do $$
declare
    sealed record;
begin
    -- The newest form of each.
    for sealed in
        select distinct on (f.relation, f.condition) f.relation, f.form,
               case when f.condition = 'true' then 'seal' else 'seal_at_end' end as name,
               case when f.condition = 'true' then 'insert' else 'update' end as event,
               archive.seal_query(f.key, f.columns, 'fresh where ' || f.condition) as query
        from archive.seal_forms() f order by f.relation, f.condition, f.form desc
    loop
        execute format(
            'create or replace function archive.seal_by_form_%s() returns trigger language plpgsql security definer'
            ' set search_path = pg_catalog set timezone = ''UTC'' set datestyle = ''ISO, YMD'''
            ' set bytea_output = ''hex'' set extra_float_digits = 1 as %L',
            sealed.form, format(
                'begin
                    insert into archive.seal (form, rows, keys, digest)
                    select %s, made.* from (%s) made where made.rows > 0;
                    return null;
                end', sealed.form, sealed.query));
        execute format(
            'create or replace trigger %I after %s on %s referencing new table as fresh'
            ' for each statement execute function archive.seal_by_form_%s()',
            sealed.name, sealed.event, sealed.relation, sealed.form);
    end loop;
end $$;
