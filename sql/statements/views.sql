-- Views and functions dropped and made anew, a statement a name.

-- name: existing
select distinct name from unnest(cast(:names as text[])) as n (name) where to_regclass(name) is not null;

-- name: existing_functions
-- All of these names, whatever their arguments.
select cast(cast(oid as regprocedure) as text) from pg_proc
where cast(pronamespace as regnamespace) || '.' || proname = any (cast(:names as text[]));

-- name: grants
-- What roles other than the owner may do with these views, as the commands that grant it.
select cast(cast(v.oid as regclass) as text) as view, g.attname as column,
       format('grant %s%s on %s to %s%s', a.privilege_type, ' (' || quote_ident(g.attname) || ')', cast(v.oid as regclass),
              case when a.grantee = 0 then 'public' else cast(cast(a.grantee as regrole) as text) end,
              case when a.is_grantable then ' with grant option' end) as command
from pg_class v
cross join lateral (
    select cast(null as name) as attname, v.relacl as acl
    union all select attname, attacl from pg_attribute where attrelid = v.oid
) as g
cross join lateral aclexplode(g.acl) as a
where v.oid = any (cast(cast(:names as text[]) as regclass[])) and a.grantee <> v.relowner;

-- name: is_there
select to_regclass(:view) is not null and (cast(:column as text) is null or exists (
    select from pg_attribute where attrelid = to_regclass(:view) and attname = :column and not attisdropped));

-- name: remember
insert into ops.view (name) select unnest(cast(:names as text[]));
