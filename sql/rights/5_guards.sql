-- What guards the record, remembered as it is made here: verification compares (sql/checks/guarded.sql).

create or replace function ops.guards() returns table (guard text, made_as text) language sql stable
set search_path = pg_catalog as $$
    select format('trigger %s of %s', t.tgname, t.tgrelid::regclass),
           pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' when 'A' then ' always' else ' off' end
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and c.relnamespace::regnamespace::text in ('archive', 'ops', 'threads', 'search')
    union all
    select format('row-level security of %s', c.oid::regclass), case when c.relforcerowsecurity then 'forced' else 'on' end
    from pg_class c
    where c.relrowsecurity and c.relnamespace::regnamespace::text in ('archive', 'ops', 'threads', 'search')
    union all
    -- Who sees everything comes and goes with popvault grant.
    select format('policy %s of %s', p.polname, p.polrelid::regclass),
           concat_ws(' ', p.polcmd, p.polpermissive,
               (select string_agg(r::regrole::text, ', ' order by r::regrole::text) from unnest(p.polroles) as r
                where p.polname <> 'everything'),
               'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace::regnamespace::text in ('archive', 'ops', 'threads', 'search')
    union all
    select format('function %s', p.oid::regprocedure), encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex')
    from pg_proc p
    where p.prokind = 'f' and p.pronamespace::regnamespace::text in ('archive', 'ops', 'threads', 'search', 'mart')
    union all
    select format('view %s', c.oid::regclass),
           encode(sha256(convert_to(concat_ws(' ', c.reloptions, pg_get_viewdef(c.oid)), 'UTF8')), 'hex')
    from pg_class c
    where c.relkind = 'v' and c.relnamespace::regnamespace::text in ('archive', 'ops', 'threads', 'search', 'mart')
    union all
    -- Rights to change the record; those of our own roles are made here, others have none.
    select format('right to %s %s for %s', a.privilege_type, a.place, a.grantee), 'granted'
    from (
        select c.oid, c.oid::regclass::text as place, g.privilege_type,
               case g.grantee when 0 then 'public' else g.grantee::regrole::text end as grantee
        from pg_class c, aclexplode(c.relacl) as g
        where g.grantee <> c.relowner
        union all
        select c.oid, format('%s of %s', t.attname, c.oid::regclass), g.privilege_type,
               case g.grantee when 0 then 'public' else g.grantee::regrole::text end
        from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) as g
        where g.grantee <> c.relowner
    ) as a
    where a.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
      and exists (select from pg_trigger t where t.tgrelid = a.oid and starts_with(t.tgname, 'record_'))
$$;
comment on function ops.guards is
    'What guards the record: triggers, row-level security, functions, views, and the rights to change it.';

delete from ops.guard;
insert into ops.guard (guard, made_as)
select guard, made_as from ops.guards() where guard !~ '^right to ' or guard ~ ' for popvault_(loader|auditor)$';
