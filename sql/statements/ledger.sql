-- What the ledger does, a statement a name.

-- name: begin_run
insert into ops.run (trigger, external_id, host, version)
values (:trigger, :external_id, :host, :version) returning run_id;

-- name: end_run
-- Once: a run that ended is record.
update ops.run set ended_at = now() where run_id = :run_id and ended_at is null;

-- name: mailbox
-- The number of a mailbox, made where the name is new.
with made as (
    insert into archive.mailbox (name) values (:name) on conflict (name) do nothing returning mailbox_id
)
select mailbox_id from made union all select mailbox_id from archive.mailbox where name = :name limit 1;

-- name: take_lease
-- A lock that lives and dies with this connection: a killed run frees it by its death.
select pg_try_advisory_lock(7368560, cast(:mailbox_id as integer));

-- name: free_lease
select pg_advisory_unlock(7368560, cast(:mailbox_id as integer));

-- name: take_slot
-- One of the :sessions_max slots of a host that nobody has; :mine are those that this connection has already.
select slot from generate_series(1, :sessions_max) as slot
where slot <> all(cast(:mine as integer[])) and pg_try_advisory_lock(hashtext(:host), slot)
limit 1;

-- name: free_slot
select pg_advisory_unlock(hashtext(:host), :slot);

-- name: login_wait
-- Seconds until a mailbox may be logged in to: the pause it asked for, or its LOGIN-DELAY since the last login.
select greatest(extract(epoch from greatest(
        (select until from ops.pause where mailbox_id = :mailbox_id),
        (select began_at + make_interval(secs => login_delay_seconds) from ops.session
         where mailbox_id = :mailbox_id order by session_id desc limit 1)) - now()), 0);

-- name: is_lively
-- Whether new mail is likely: the last listing of a mailbox was another than the one before, or there are not two yet.
select count(distinct listing_sha256) <> 1 or count(*) < 2 from (
    select listing_sha256 from ops.session where mailbox_id = :mailbox_id and listed_at is not null
    order by session_id desc limit 2) as last;

-- name: pause
insert into ops.pause (mailbox_id, until, reason)
values (:mailbox_id, now() + make_interval(secs => :seconds), :reason)
on conflict (mailbox_id) do update set until = excluded.until, reason = excluded.reason;

-- name: present_epoch
select epoch_id, host, username from archive.epoch
where mailbox_id = :mailbox_id order by epoch_id desc limit 1;

-- name: begin_epoch
insert into archive.epoch (mailbox_id, host, username, reason)
values (:mailbox_id, :host, :username, :reason) returning epoch_id;

-- name: begin_session
insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, tls_version, tls_cipher,
    certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds)
values (:run_id, :mailbox_id, :epoch_id, :host, :port, :username, :tls_version, :tls_cipher,
    :certificate_sha256, :greeting, :capabilities_before, :capabilities_after, :mechanism, :utf8, :login_delay_seconds)
returning session_id;

-- name: end_session
update ops.session set ended_at = now(), quit_accepted = :quit_accepted, quit_reply = :quit_reply, failure = :failure
where session_id = :session_id;

-- name: make_listing
-- The listings of the sessions that this connection has open, and where each entry stands in the archive.
create temporary table if not exists listing (
    session_id bigint, number integer, uidl text, twin integer, octets bigint,
    delivery_id bigint, outcome text, outcome_octets bigint, present boolean
);

-- name: count_listing
-- Nobody else counts a temporary table, and uncounted it is taken for four rows: each is then joined to each.
analyze listing;

-- name: forget_listing
delete from listing where session_id = :session_id;

-- name: doubtful
-- Entries whose UIDL may mean other mail by now: what it meant was archived, and then had left the mailbox or was deleted.
select l.number, m.head_sha256
from listing l
join archive.delivery d on d.epoch_id = :epoch_id and d.uidl = l.uidl and d.twin = l.twin
join archive.ledger a on a.delivery_id = d.delivery_id and a.step in ('archived', 'duplicate')
join archive.message m on m.message_id = a.message_id
where l.session_id = :session_id and exists (
    select from archive.ledger g join ops.session s using (session_id)
    where g.delivery_id = d.delivery_id and (g.step = 'gone' or g.step = 'delete sent' and s.quit_accepted)
      and not exists (
        select from archive.ledger r
        where r.delivery_id = d.delivery_id and r.step = 'relisted' and r.entry_id > g.entry_id));

-- name: all_unknown
-- Whether no UIDL of the listing is known in the present epoch, though mail that nobody deleted was there.
select exists (select from listing where session_id = :session_id)
   and not exists (
    select from listing l join archive.delivery d on d.epoch_id = :epoch_id and d.uidl = l.uidl and d.twin = l.twin
    where l.session_id = :session_id)
   and exists (
    select from archive.delivery_state d where d.epoch_id = :epoch_id and d.present and not exists (
        select from archive.ledger g where g.delivery_id = d.delivery_id and g.step = 'delete sent'));

-- name: is_new_epoch
-- Whether nothing was listed in an epoch yet, though the mailbox has older ones.
select not exists (select from archive.delivery where epoch_id = :epoch_id)
   and exists (select from archive.delivery where mailbox_id = :mailbox_id);

-- name: old_mail
-- Archived mail of a mailbox whose size is that of some entry of the listing.
select distinct m.octets, m.head_sha256, m.message_id
from archive.delivery d
join archive.ledger a on a.delivery_id = d.delivery_id and a.step in ('archived', 'duplicate')
join archive.message m on m.message_id = a.message_id
where d.mailbox_id = :mailbox_id
  and m.octets in (select octets from listing where session_id = :session_id);

-- name: move_session
-- The session listed UIDLs of another epoch than was thought at its login.
update ops.session set epoch_id = :epoch_id where session_id = :session_id;

-- name: close_epoch
-- What was not retrieved under the UIDLs of an epoch that is over never will be under them.
insert into archive.ledger (delivery_id, step, session_id, reason)
select delivery_id, 'vanished', :session_id, :reason from archive.delivery_state
where epoch_id = :epoch_id and outcome in ('pending', 'quarantined', 'excluded');

-- name: recognise
-- Old mail under new UIDLs, by number: the archive has it.
with recognised as (
    insert into archive.ledger (delivery_id, step, session_id, message_id, reason)
    select l.delivery_id, 'duplicate', :session_id, r.message_id,
           'not fetched again: the same size and header block as before the UIDLs changed'
    from unnest(cast(:numbers as integer[]), cast(:message_ids as bigint[])) as r (number, message_id)
    join listing l on l.session_id = :session_id and l.number = r.number
    where l.outcome = 'pending' returning delivery_id
)
update listing set outcome = 'duplicate'
where session_id = :session_id and delivery_id in (select delivery_id from recognised);

-- name: exclude
-- Not retrieved, for it has :octets at least; once for each reason. Of what was disposed of no header block is kept.
with excluded as (
    insert into archive.ledger (delivery_id, step, session_id, reason, octets)
    select :delivery_id, 'excluded', :session_id, :reason, :octets
    where not exists (
        select from archive.delivery_state where delivery_id = :delivery_id and outcome = 'excluded' and reason = :reason)
    returning delivery_id
)
insert into archive.excerpt (delivery_id, session_id, head)
select delivery_id, :session_id, :head from excluded
where cast(:head as bytea) is not null and not exists (
    select from archive.message m join archive.disposition t using (message_id)
    where m.head_sha256 = archive.head_sha256(cast(:head as bytea)) and t.approved_at is not null);

-- name: may_delete
-- Whether this is the database that was last allowed to delete mail on servers.
select (select place from ops.enrolment order by enrolment_id desc limit 1) = ops.place();

-- name: enrol
insert into ops.enrolment (place) values (ops.place()) returning place;

-- name: drop_pieces_of_lost
-- Pieces of downloads that will not go on.
delete from ops.download_piece p
where exists (
    select from archive.delivery_state s
    where s.delivery_id = p.delivery_id and s.mailbox_id = :mailbox_id and s.outcome in ('vanished', 'excluded'));

-- name: note_listing
-- An empty listing after one that held more than we deleted proves nothing until the next one says the same.
update ops.session s set
    listed_at = now(),
    listed = (select count(*) from listing where session_id = :session_id),
    listed_octets = (select coalesce(sum(octets), 0) from listing where session_id = :session_id),
    listing_sha256 = :listing_sha256,
    listing_doubted = not exists (select from listing where session_id = :session_id) and coalesce((
        select p.listed > 0 from ops.session p
        where p.mailbox_id = s.mailbox_id and p.epoch_id = s.epoch_id
          and p.session_id < s.session_id and p.listed_at is not null
        order by p.session_id desc limit 1), false) and exists (
        select from archive.delivery_state d where d.epoch_id = s.epoch_id and d.present and not exists (
            select from archive.ledger l where l.delivery_id = d.delivery_id and l.step = 'delete sent'))
where s.session_id = :session_id
returning s.listing_doubted;

-- name: add_deliveries
insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, listed_octets, session_id)
select :mailbox_id, :epoch_id, uidl, twin, octets, :session_id
from listing where session_id = :session_id order by number
on conflict (epoch_id, uidl, twin) do nothing;

-- name: note_standing
-- Where each entry of the listing stands.
update listing l set delivery_id = s.delivery_id, outcome = s.outcome, outcome_octets = s.outcome_octets,
    present = s.present
from archive.delivery_state s
where l.session_id = :session_id and s.epoch_id = :epoch_id and s.uidl = l.uidl and s.twin = l.twin;

-- name: note_returned
-- Deliveries that had left the listing and are back.
insert into archive.ledger (delivery_id, step, session_id)
select delivery_id, 'relisted', :session_id from listing where session_id = :session_id and not present;

-- name: note_missing
-- Deliveries that are no longer listed: gone once they were archived, vanished if they never were.
insert into archive.ledger (delivery_id, step, session_id)
select s.delivery_id,
       cast(case when s.outcome in ('archived', 'duplicate') then 'gone' else 'vanished' end as archive.step),
       :session_id
from archive.delivery_state s
where s.epoch_id = :epoch_id and s.present
  and not exists (
    select from listing l where l.session_id = :session_id and l.uidl = s.uidl and l.twin = s.twin);

-- name: work
-- What the listing holds and the archive lacks, in the order of the listing. What was excluded is tried again if it is
-- within the limit now; what is in quarantine only where it is asked for.
select number, delivery_id from listing
where session_id = :session_id
  and (outcome in ('pending', 'vanished') or outcome = 'quarantined' and :quarantined
       or outcome = 'excluded' and (cast(:octets_max as bigint) is null or outcome_octets <= :octets_max))
order by number;

-- name: deletable
-- What the listing holds, the archive has, and the policy lets go; never before :seconds have passed. A size that is
-- neither the one listed first nor the one retrieved may be another message under a UIDL that was given away again;
-- what was only recognised, and never retrieved under this UIDL, has no octets in the ledger and stays. What was disposed
-- of may go: it was here, and two logins ordered that it be nowhere.
select l.number, l.delivery_id
from listing l
join archive.delivery_state s using (delivery_id)
join archive.ledger a on a.delivery_id = l.delivery_id and a.step in ('archived', 'duplicate')
where l.session_id = :session_id and s.outcome in ('archived', 'duplicate')
  and (l.octets is not distinct from s.listed_octets or l.octets = a.octets)
  and a.octets is not null
  and s.outcome_at <= now() - make_interval(secs => :seconds)
order by l.number limit :messages_max;

-- name: add_steps
insert into archive.ledger (delivery_id, step, session_id, reason)
select unnest(cast(:delivery_ids as bigint[])), cast(:step as archive.step), :session_id, :reason;

-- name: note_failure
-- One more failed try of a delivery; it is put in quarantine once it failed in so many runs, however often in each.
with failed as (
    insert into archive.ledger (delivery_id, step, session_id, reason)
    values (:delivery_id, 'failed', :session_id, :reason) returning delivery_id
)
insert into archive.ledger (delivery_id, step, session_id, reason)
select delivery_id, 'quarantined', :session_id, :reason from failed
where :tries <= (
    select count(distinct s.run_id) from ops.session s
    where s.session_id = :session_id or s.session_id in (
        select l.session_id from archive.ledger l where l.delivery_id = :delivery_id and l.step = 'failed'))
returning entry_id;

-- name: balance
select mailbox as name, listed, archived, duplicate, quarantined, excluded, vanished, pending, balanced
from mart.balance order by mailbox;
