-- Who may do and see what, a statement a name.

-- name: may_take
-- Whether this login may act as a role. A loader that row-level security binds cannot load: Postgres has no COPY for it.
select pg_has_role(session_user, rolname,
                   case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)
   and (rolbypassrls or rolname <> 'popvault_loader')
from pg_roles where rolname = :role;

-- name: role_number
select cast(oid as regrole) from pg_roles where rolname = :role;

-- name: grant
select ops.grant_mailbox(cast(:role as regrole), :mailbox);

-- name: revoke
select ops.revoke_mailbox(cast(:role as regrole), :mailbox);

-- name: granted
select cast(r.role as text) as role, coalesce(m.name, '(all)') as mailbox, r.granted_by, r.granted_at
from ops.mailbox_right r left join archive.mailbox m using (mailbox_id)
order by role, mailbox;
