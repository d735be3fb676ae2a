-- What guards the record, remembered as it is made here: verification compares (sql/checks/guarded.sql).

create or replace function ops.guards() returns table (guard text, made_as text) language sql stable
set search_path = pg_catalog as $$
    with schemas as (
        select oid from pg_namespace where nspname in ('archive', 'ops', 'threads', 'search', 'mart')
    ), relations as (
        select c.*, c.oid::regclass::text as name from pg_class c where c.relnamespace in (select oid from schemas)
    )
    select format('trigger %s of %s', t.tgname, c.name),
           pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' when 'A' then ' always' else ' off' end
    from pg_trigger t join relations c on c.oid = t.tgrelid
    where not t.tgisinternal
    union all
    select format('row-level security of %s', c.name), case when c.relforcerowsecurity then 'forced' else 'on' end
    from relations c
    where c.relrowsecurity
    union all
    -- Who sees everything comes and goes with popvault grant.
    select format('policy %s of %s', p.polname, c.name),
           concat_ws(' ', p.polcmd, p.polpermissive,
               (select string_agg(r::regrole::text, ', ' order by r::regrole::text) from unnest(p.polroles) as r
                where p.polname <> 'everything'),
               'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p join relations c on c.oid = p.polrelid
    union all
    select format('function %s', p.oid::regprocedure), encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex')
    from pg_proc p
    where p.prokind = 'f' and p.pronamespace in (select oid from schemas)
    union all
    select format('view %s', c.name),
           encode(sha256(convert_to(concat_ws(' ', c.reloptions, pg_get_viewdef(c.oid)), 'UTF8')), 'hex')
    from relations c
    where c.relkind = 'v'
    union all
    -- Rights to change the record, whole tables or columns; those of our own roles are made here, others have none.
    select format('right to %s %s for %s', g.privilege_type, held.place,
               case g.grantee when 0 then 'public' else g.grantee::regrole::text end),
           'granted'
    from (
        select c.oid, c.relowner, c.name as place, c.relacl as acl from relations c
        union all
        select c.oid, c.relowner, format('%s of %s', a.attname, c.name), a.attacl
        from relations c join pg_attribute a on a.attrelid = c.oid
    ) as held, aclexplode(held.acl) as g
    where g.grantee <> held.relowner and g.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
      and exists (select from pg_trigger t where t.tgrelid = held.oid and starts_with(t.tgname, 'record_'))
$$;
comment on function ops.guards is
    'What guards the record: triggers, row-level security, functions, views, and the rights to change it.';

delete from ops.guard;
insert into ops.guard (guard, made_as)
select guard, made_as from ops.guards() where guard !~ '^right to ' or guard ~ ' for popvault_(loader|auditor)$';
