-- Every table of the record refuses to be changed: its triggers are on, and nobody but its owner has the right to try.
select 'trigger ' || tgname || ' of ' || tgrelid::regclass
from pg_trigger where tgname in ('seal', 'seal_at_end') and tgenabled = 'D'
   or starts_with(tgname, 'record_') and tgenabled <> 'A'
union all
select a.privilege_type || ' on ' || c.oid::regclass || ' for ' || a.grantee::regrole
from pg_class c, aclexplode(c.relacl) a
where a.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and a.grantee <> c.relowner
  and exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'record_is_kept');
