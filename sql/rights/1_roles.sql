-- The roles. They are the cluster's: another archive in it may have made them, and a login may not be let to.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['popvault_loader', 'popvault_analyst', 'popvault_reader', 'popvault_auditor'] loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception when duplicate_object or unique_violation then
            null;  -- another archive was faster
        end;
    end loop;
exception when insufficient_privilege then
    raise exception 'popvault needs roles that % may not create; let an administrator say: create role popvault_loader bypassrls; create role popvault_analyst; create role popvault_reader; create role popvault_auditor; grant popvault_loader, popvault_auditor to %',
        current_user, quote_ident(current_user) using errcode = 'insufficient_privilege';
end $$;

-- Postgres has no COPY into a table with row-level security but for roles that it does not bind. Where this login may not
-- make such a role, popvault goes on as the login itself.
do $$ begin
    if not (select rolbypassrls from pg_roles where rolname = 'popvault_loader') then
        alter role popvault_loader bypassrls;
    end if;
exception when insufficient_privilege then
    null;
end $$;

-- Whoever made the archive archives as the loader and verifies as the auditor.
do $$ begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant popvault_loader, popvault_auditor to %I', current_user);
    end if;
exception when insufficient_privilege then
    null;
end $$;
