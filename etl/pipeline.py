"""The story: extract from POP3, transform to rows, load into Postgres, mailbox by mailbox.

`archive_shard` runs many mailboxes at once over one database connection, whose end frees all
leases; `archive_mailbox` is one mailbox from login to QUIT. DAGs and command line call the same.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine

from etl import config
from etl.archive import ledger
from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.loader import Arrival, head_sha256
from etl.archive.migrations import migrate
from etl.archive.rows import CHUNK_OCTETS
from etl.config import Mailbox
from etl.errors import Busy, DatabaseAway, Failure, Retry, Skip, Stop
from etl.hosts import Hosts
from etl.intake import Archive, Indexing, Intake
from etl.large import LargeDownload
from etl.parsers import Parsers
from etl.pop3 import refusals
from etl.pop3.connection import OnWire
from etl.pop3.login import Account, Greeted
from etl.pop3.replies import Listed, twins
from etl.pop3.session import WINDOW_OCTETS, InStep, Refused, Session

log = logging.getLogger(__name__)

MAILBOXES_AT_ONCE = 16
# A mailbox whose line is cut is opened anew so often in one run, without anything gained.
SESSIONS_MAX = 3
# And so often at all: a server that always has something new and never lets us finish is left to the next run.
BROKEN_SESSIONS_MAX = 100
BACKOFF_SECONDS = 1.0
# A pause that a server asks for is waited out in the run up to this; a longer one is left to a later run.
PAUSE_SECONDS_MAX = 60.0
# Below this the window of what is asked for ahead does not shrink, however often the line is cut.
WINDOW_OCTETS_MIN = 64 * 1024

UIDLS_CHANGED = "the UIDLs changed"
NEW_EPOCH = "an epoch began"
# QUIRK(popa3d): a UIDL is made of some headers, so new mail may come under that of a deleted one.
UIDL_REUSED = "a UIDL came back with other mail"

COPY = (
    "this database is a copy of the archive that may delete mail on servers, so nothing was deleted;"
    " if this one shall delete from now on, run: popvault enrol"
)


@dataclass(frozen=True)
class Done:
    """What one run did with one mailbox, in messages.

    failed: refused by the server, or broke off a session. left: over a limit of the session, so for the next run.
    deletable: what a dry run would have deleted.
    failure: why something was left undone; None where nothing was.
    """

    mailbox: str
    retrieved: int = 0
    archived: int = 0
    duplicate: int = 0
    failed: int = 0
    excluded: int = 0
    left: int = 0
    deleted: int = 0
    deletable: int = 0
    failure: Failure | None = None

    @property
    def stop(self) -> bool:
        """Whether a person must act first."""
        return isinstance(self.failure, Stop)


@dataclass(frozen=True)
class Options:
    """What one run does otherwise than the mailboxes file says.

    delete: false sends no DELE and says what would have been deleted.
    quarantined: true tries again what is in quarantine.
    """

    delete: bool = True
    quarantined: bool = False


OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Shard:
    """What the mailboxes of one shard share.

    on_progress: called with (mailbox name, messages more to do, messages more done).
    """

    run_id: int
    archive: Archive
    hosts: Hosts
    intake: Intake
    on_progress: OnProgress
    options: "Options"


def archive_shard(
    engine: Engine,
    mailboxes: Sequence[Mailbox],
    run_id: int,
    on_progress: OnProgress = lambda *_: None,
    options: Options = Options(),
) -> list[Done]:
    """Archive many mailboxes; what befell each, in order. A bad mailbox never fails the others."""

    async def work() -> list[Done]:
        slots = asyncio.Semaphore(MAILBOXES_AT_ONCE)
        async with (
            Archive(engine) as archive,
            Indexing(engine) as indexing,
            Parsers() as parsers,
            Intake(archive, parsers, indexing) as intake,
        ):
            shard = Shard(run_id, archive, Hosts(archive), intake, on_progress, options)

            async def one(mailbox: Mailbox) -> Done:
                async with slots:
                    return await archive_mailbox(mailbox, shard)

            return list(await asyncio.gather(*(one(mailbox) for mailbox in mailboxes)))

    return asyncio.run(work())


async def archive_mailbox(mailbox: Mailbox, shard: Shard) -> Done:
    """One mailbox until nothing is left to do, in as many sessions as it takes. Never raises Failure."""
    try:
        mailbox_id = await shard.archive.do(ledger.take_lease, mailbox.name)
        if mailbox_id is None:
            raise Retry(f"mailbox {mailbox.name!r} is being archived by another run; try later")
        try:
            return await _Visit(mailbox, mailbox_id, shard).sessions()
        finally:
            await shard.archive.do(ledger.free_lease, mailbox_id)
    except Failure as failure:
        return Done(mailbox.name, failure=failure)
    except Exception as error:  # our own mistake, or what nobody foresaw: it must not fail the other mailboxes
        log.exception("run=%s mailbox=%s", shard.run_id, mailbox.name)
        return Done(mailbox.name, failure=Stop(f"popvault itself failed ({type(error).__name__}: {error}); report it"))


class _Visit:
    """One mailbox in one run. The methods stand in the order in which they happen."""

    def __init__(self, mailbox: Mailbox, mailbox_id: int, shard: Shard):
        self._mailbox, self._mailbox_id, self._shard = mailbox, mailbox_id, shard
        self._archive = shard.archive
        self._window_octets = WINDOW_OCTETS
        # After a session that ended in doubt: one message at a time, to learn which one it is about.
        self._wary = False
        # False once TOP broke off a session: it is of use, and not needed.
        self._asks_top = True
        # Messages without a UIDL of their own that broke off a session when they were read for a name.
        self._unreadable: set[Listed] = set()
        # Deliveries that broke off a session of this run: the rest matters more.
        self._passed_by: set[int] = set()
        self._done = Done(mailbox.name)
        # Anew for each session:
        self._session_id = 0
        self._outcomes: list[asyncio.Future[str]] = []
        self._unbelieved: list[tuple[int, Arrival | Refused]] = []
        self._unread: set[int] = set()
        self._retrieving: int | None = None
        self._large: LargeDownload | None = None
        self._gained = False
        self._complaint: Failure | None = None

    async def sessions(self) -> Done:
        """As many sessions as it takes; of those cut short no more than SESSIONS_MAX in a row that gain nothing."""
        in_vain = broken = 0
        while True:
            failure = await self._session_in_turn()
            if failure is None and not (self._gained and self._mailbox.quirks.messages_per_session):
                return self._done
            in_vain, broken = 0 if self._gained else in_vain + 1, broken + (failure is not None)
            if failure and (not _passes(failure) or in_vain >= SESSIONS_MAX or broken >= BROKEN_SESSIONS_MAX):
                return replace(self._done, failure=failure)
            if failure:
                self._window_octets = max(self._window_octets // 2, WINDOW_OCTETS_MIN)
                await asyncio.sleep(BACKOFF_SECONDS * (in_vain + 1))

    async def _session_in_turn(self) -> Failure | None:
        """A session when the server wants one: after the pause that it asked for, and in a slot of its host."""
        wait = await self._archive.do(ledger.login_wait, self._mailbox_id)
        if wait > PAUSE_SECONDS_MAX:
            return Busy(f"the server asked to be left alone for another {wait:.0f} seconds; a later run goes on", wait)
        await asyncio.sleep(wait)
        async with self._shard.hosts.slot(self._mailbox.host, self._mailbox.sessions_per_host):
            failure = await self._one_session()
        if isinstance(failure, Busy) and failure.wait_seconds:
            await self._archive.do(ledger.pause, self._mailbox_id, failure.wait_seconds, str(failure))
        return failure

    async def _one_session(self) -> Failure | None:
        """From login to QUIT. What cut it short is given; what came whole before that is committed."""
        self._gained, self._complaint, self._unread, self._session_id = False, None, set(), 0
        try:
            # The secret is read anew for each session: tokens age within the hour that a session may last.
            account = await _account(self._mailbox)
            session = await Session.open(account)
        except Failure as failure:
            log.warning("run=%s mailbox=%s: %s", self._shard.run_id, self._mailbox.name, failure)
            return failure
        quit_reply = cut_short = None
        try:
            facts = _facts(session, account)
            named = (self._shard.run_id, self._mailbox_id, facts)
            self._session_id, epoch_id = await self._archive.do(ledger.begin_session, *named)
            mechanism = session.greeted.mechanism
            log.info("session=%s mailbox=%s logged in by %s", self._session_id, self._mailbox.name, mechanism)
            quit_reply = await self._talk(session, epoch_id)
        except Failure as failure:
            cut_short = failure
        finally:
            await session.close()
        return await self._end_session(quit_reply, cut_short)

    async def _end_session(self, quit_reply: tuple[bool, str] | None, cut_short: Failure | None) -> Failure | None:
        try:
            await self._settle()
        except Failure as failure:
            cut_short = cut_short or failure
        if not self._session_id:  # the database would not have it
            return cut_short
        if cut_short:
            log.warning("run=%s mailbox=%s: %s", self._shard.run_id, self._mailbox.name, cut_short)
            await self._blame(cut_short)
        words = str(cut_short) if cut_short else None
        await self._archive.do(ledger.end_session, self._session_id, quit_reply, words)
        return cut_short or self._complaint

    async def _talk(self, session: Session, epoch_id: int) -> tuple[bool, str]:
        """List, retrieve, commit; then delete what the policy lets go, and QUIT."""
        entries = await self._list(session, epoch_id)
        work = await self._work(session, entries)
        self._shard.on_progress(self._mailbox.name, len(work), 0)
        await self._retrieve(session, entries, work)
        await self._settle()
        deleted = await self._delete(session, entries)
        accepted, words = await session.quit()
        if not accepted and deleted:
            self._complaint = Retry(f"the server refused QUIT ({words}): it may have kept what was deleted")
        return accepted, words

    async def _list(self, session: Session, epoch_id: int) -> dict[int, Listed]:
        """What the mailbox holds, recorded; old mail under new UIDLs is recognised and begins an epoch."""
        listing = await session.listing()
        if any(entry.uidl is None for entry in listing):
            listing = await self._named(session, listing)
        entries = {entry.number: entry for entry in listing}
        rows = [(e.number, str(e.uidl), e.twin, e.octets) for e in listing]
        await self._archive.do(ledger.note_entries, self._session_id, rows)
        changed = await self._what_changed(session, entries, epoch_id)
        old = await self._old_mail(session, entries) if changed else {}
        if changed == UIDL_REUSED or (changed == UIDLS_CHANGED and old):
            named = (self._mailbox_id, self._session_id, epoch_id, changed)
            epoch_id = await self._archive.do(ledger.change_epoch, *named)
        await self._archive.do(ledger.record_listing, self._mailbox_id, epoch_id, self._session_id, rows)
        log.info("session=%s mailbox=%s listed=%d", self._session_id, self._mailbox.name, len(entries))
        if old:
            await self._archive.do(ledger.recognise, self._session_id, old)
        return entries

    async def _what_changed(self, session: Session, entries: Mapping[int, Listed], epoch_id: int) -> str | None:
        """Why UIDLs may not mean what they meant before; None where nothing speaks for it."""
        known = await self._archive.do(ledger.doubtful, self._session_id, epoch_id)
        async for entry, head in self._heads(session, [entries[number] for number in known]):
            if head is None or head_sha256(head) != known[entry.number]:
                return UIDL_REUSED
        if await self._archive.do(ledger.all_unknown, self._session_id, epoch_id):
            return UIDLS_CHANGED
        return NEW_EPOCH if await self._archive.do(ledger.is_new_epoch, self._mailbox_id, epoch_id) else None

    async def _old_mail(self, session: Session, entries: Mapping[int, Listed]) -> dict[int, int]:
        """What the archive has under another UIDL, by size and header block: {message number: message id}.

        Where two messages, of the archive or of the listing, have both in common, neither is recognised.
        """
        known = await self._archive.do(ledger.old_mail, self._mailbox_id, self._session_id)
        sizes = {octets for octets, _ in known}
        found: dict[int, list[int]] = {}
        async for entry, head in self._heads(session, [e for e in entries.values() if e.octets in sizes]):
            message_id = known.get((entry.octets or 0, head_sha256(head))) if head else None
            if message_id is not None:
                found.setdefault(message_id, []).append(entry.number)
        return {numbers[0]: message_id for message_id, numbers in found.items() if len(numbers) == 1}

    async def _named(self, session: Session, listing: list[Listed]) -> list[Listed]:
        """The listing, each message without a UIDL of its own named by the SHA-256 of its bytes.

        What cannot be read is named by its size: it gets an outcome too, which is never that it was archived, for
        that name may be another message's the next time.
        """
        nameless = [entry for entry in listing if entry.uidl is None]
        cost = "each is downloaded in every run, and new ones twice"
        log.warning("mailbox=%s: %d messages have no UIDL of their own: %s", self._mailbox.name, len(nameless), cost)
        names = {entry.number: f"octets:{entry.octets}" for entry in nameless}
        left = [entry for entry in nameless if entry not in self._unreadable]
        try:
            async for entry, sha256 in session.digests(left.copy()):
                left.remove(entry)
                if sha256:
                    names[entry.number] = f"sha256:{sha256}"
        except Failure:
            # The next session does without it: one message must not keep the whole listing away.
            self._unreadable.update(left[:1])
            self._gained = True
            raise
        self._unread = {number for number, name in names.items() if name.startswith("octets:")}
        return twins(replace(entry, uidl=names.get(entry.number, entry.uidl)) for entry in listing)

    async def _heads(self, session: Session, entries: Sequence[Listed]) -> AsyncIterator[tuple[Listed, bytes | None]]:
        """The header block of each entry, or None; none at all once a session broke off over TOP."""
        if not self._asks_top:
            for entry in entries:
                yield entry, None
            return
        self._asks_top = False
        async for entry, head in session.heads(entries):
            yield entry, head
        self._asks_top = True

    async def _work(self, session: Session, entries: Mapping[int, Listed]) -> dict[int, int]:
        """What is to be retrieved, {message number: delivery id}; of what is too large, the header block is kept."""
        octets_max, quarantined = self._mailbox.message_bytes_max, self._shard.options.quarantined
        work = await self._archive.do(ledger.work, self._session_id, octets_max=octets_max, quarantined=quarantined)
        for number in work.keys() & self._unread:
            await self._failed(work.pop(number), entries[number], "without a UIDL of its own, and not to be read")
        for number in [number for number, delivery_id in work.items() if delivery_id in self._passed_by]:
            del work[number]
        if octets_max is None:
            return work
        too_large = [entries[number] for number in work if (entries[number].octets or 0) > octets_max]
        async for entry, head in self._heads(session, too_large):
            await self._exclude(work.pop(entry.number), entry.octets or 0, octets_max, head)
        return work

    async def _exclude(self, delivery_id: int, octets: int, octets_max: int, head: bytes | None) -> None:
        await self._archive.do(ledger.exclude, delivery_id, self._session_id, octets, octets_max, head)
        self._done = replace(self._done, excluded=self._done.excluded + 1)

    def _within_limits(self, wanted: Iterable[Listed]) -> Iterator[Listed]:
        """As many as one session may take; the rest is left for the next run."""
        octets, octets_max = 0, self._mailbox.session_bytes_max or math.inf
        until = time.monotonic() + 60 * (self._mailbox.session_minutes_max or math.inf)
        for place, entry in enumerate(wanted):
            octets += entry.octets or 0
            if place and (octets > octets_max or time.monotonic() > until):
                self._done = replace(self._done, left=self._done.left + 1)
            else:
                yield entry

    async def _retrieve(self, session: Session, entries: Mapping[int, Listed], work: Mapping[int, int]) -> None:
        """Take what the archive lacks: small messages whole to the intake, large ones piece by piece."""
        pieces: list[bytes] = []
        octets = 0
        following = iter([*work.values(), None])
        self._retrieving = next(following)
        wanted = self._within_limits(entries[number] for number in work)
        async for got in session.retrieve(wanted, self._window_octets, self._wary):
            if isinstance(got, InStep):
                await self._believe()
                continue
            delivery_id = work[got.entry.number]
            if isinstance(got, Refused):
                self._unbelieved.append((delivery_id, got))
            else:
                pieces.append(got.data)
                octets += len(got.data)
                await self._refuse_too_large(delivery_id, octets, b"".join(pieces[:1]))
                if octets > CHUNK_OCTETS:
                    await self._feed_large(delivery_id, b"".join(pieces))
                    pieces = []
                if not got.last:
                    continue
                await self._came_whole(delivery_id, b"".join(pieces))
                pieces, octets = [], 0
            self._shard.on_progress(self._mailbox.name, 0, 1)
            self._retrieving = next(following)
        self._retrieving = None

    async def _refuse_too_large(self, delivery_id: int, octets: int, head: bytes) -> None:
        """Break off when a message is larger than it may be, whatever LIST said. Raises Retry: the rest goes on."""
        octets_max = self._mailbox.message_bytes_max
        if octets_max is None or octets <= octets_max:
            return
        end = head.find(b"\r\n\r\n")
        await self._exclude(delivery_id, octets, octets_max, head[: end + 4] if end >= 0 and not self._large else None)
        self._passed_by.add(delivery_id)
        # Nobody else is to blame; what came before and is not believed yet comes again.
        self._retrieving, self._unbelieved, self._gained = None, [], True
        raise Retry(f"a message goes on beyond message_bytes_max = {octets_max}, though LIST called it smaller")

    async def _feed_large(self, delivery_id: int, data: bytes) -> None:
        if self._large is None:
            self._large = await LargeDownload.resume(self._archive, delivery_id, self._session_id)
        await self._large.feed(data)

    async def _came_whole(self, delivery_id: int, raw: bytes) -> None:
        if self._large:
            arrival, self._large = await self._large.finish(), None
        else:
            arrival = Arrival.of(delivery_id, self._session_id, raw)
        self._unbelieved.append((delivery_id, arrival))
        log.debug("session=%s delivery=%s octets=%d retrieved", self._session_id, delivery_id, arrival.octets)

    async def _believe(self) -> None:
        """What came is what was asked for: messages go to the intake, refusals into the ledger."""
        believed, self._unbelieved = self._unbelieved, []
        for delivery_id, got in believed:
            if isinstance(got, Refused):
                if refusals.passes(got.text):
                    raise refusals.failure(f"RETR of UIDL {got.entry.uidl} refused", got.text)
                await self._failed(delivery_id, got.entry, f"RETR refused: {got.text}")
            else:
                self._outcomes.append(await self._shard.intake.put(got))
                self._done = replace(self._done, retrieved=self._done.retrieved + 1)

    async def _failed(self, delivery_id: int, entry: Listed, reason: str) -> None:
        gave_up = await self._archive.do(ledger.note_failure, delivery_id, self._session_id, reason)
        what = "put in quarantine" if gave_up else "left for the next run"
        log.warning("mailbox=%s UIDL %s: %s; %s", self._mailbox.name, entry.uidl, reason, what)
        self._done = replace(self._done, failed=self._done.failed + 1)

    async def _settle(self) -> None:
        """Wait until all that was retrieved is committed, and count it."""
        self._shard.intake.flush()
        futures, self._outcomes = self._outcomes, []
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        archived, duplicate = outcomes.count("archived"), outcomes.count("duplicate")
        self._gained |= bool(archived or duplicate)
        self._done = replace(
            self._done, archived=self._done.archived + archived, duplicate=self._done.duplicate + duplicate
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome if isinstance(outcome, Failure) else Stop(f"cannot load: {outcome}") from outcome

    async def _blame(self, failure: Failure) -> None:
        """The message that was under way when the line was cut: tried once more in vain, unless it gained pieces."""
        large, self._large = self._large, None
        delivery_id = self._suspect()
        if large:
            await large.close()
            self._gained |= large.gained
        ours = isinstance(failure, DatabaseAway | Busy) or not isinstance(failure, Retry | Skip)
        if delivery_id is None or ours or (large and large.gained):
            return
        # For the rest of this run it is passed by; in quarantine it stops nobody, so that is a gain too.
        self._passed_by.add(delivery_id)
        self._done = replace(self._done, failed=self._done.failed + 1)
        self._gained |= await self._archive.do(ledger.note_failure, delivery_id, self._session_id, str(failure))

    def _suspect(self) -> int | None:
        """The delivery that ended the session: the one not believed, or the one under way; None where nobody knows."""
        retrieving, self._retrieving = self._retrieving, None
        unbelieved, self._unbelieved = self._unbelieved, []
        if not unbelieved:
            self._wary = False
            return retrieving
        if len(unbelieved) > 1 and not self._wary:
            self._gained = self._wary = True  # the next session learns more
            return None
        self._wary = True
        return unbelieved[0][0]

    async def _delete(self, session: Session, entries: Mapping[int, Listed]) -> int:
        """DELE what may go, and say how many. The ledger says so first: a kill in between leaves a trace, no riddle."""
        seconds = self._mailbox.delete_after_seconds
        if seconds is None:
            return 0
        room = self._mailbox.delete_messages_max - self._done.deleted
        deletable = await self._archive.do(ledger.deletable, self._session_id, seconds, room)
        if not self._shard.options.delete:
            self._done = replace(self._done, deletable=len(deletable))
        if not deletable or not self._shard.options.delete:
            return 0
        if not await self._archive.do(ledger.may_delete):
            self._complaint = Stop(COPY)
            return 0
        await self._archive.do(ledger.add_steps, "delete sent", list(deletable.values()), self._session_id)
        refused = await session.delete(entries[number] for number in deletable)
        for refusal in refused:
            ids = [deletable[refusal.entry.number]]
            await self._archive.do(ledger.add_steps, "delete refused", ids, self._session_id, refusal.text)
        self._done = replace(self._done, deleted=self._done.deleted + len(deletable) - len(refused))
        return len(deletable)


def _passes(failure: Failure) -> bool:
    """Whether another session in the same run may do better."""
    if isinstance(failure, DatabaseAway) or (
        isinstance(failure, Busy) and (failure.wait_seconds or 0) > PAUSE_SECONDS_MAX
    ):
        return False
    return isinstance(failure, Retry)


@contextmanager
def open_archive() -> Iterator[Engine]:
    """The archive, its schema at the newest version."""
    engine = engine_for(config.database_url() or EmbeddedPostgres(config.home()).start())
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


async def look(mailbox: Mailbox, on_wire: OnWire | None = None) -> tuple[Greeted, int]:
    """Log in and list, and leave without QUIT: what the server says of itself, and its message count."""
    session = await Session.open(await _account(mailbox), on_wire)
    try:
        return session.greeted, len(await session.listing())
    finally:
        await session.close()


async def _account(mailbox: Mailbox) -> Account:
    """The account of a mailbox, its secret read now: a command or a token server may take seconds, and tokens age."""
    password, token = await asyncio.to_thread(mailbox.secret)
    return Account(
        host=mailbox.host,
        port=mailbox.port,
        tls=mailbox.tls,
        username=mailbox.username,
        password=password,
        token=token,
        auth=mailbox.way,
        utf8=mailbox.utf8,
        quirks=mailbox.quirks,
        ca_file=config.expanded(mailbox.ca_file) if mailbox.ca_file else None,
        idle_seconds_max=mailbox.idle_seconds_max,
    )


def _facts(session: Session, account: Account) -> dict[str, Any]:
    """What is recorded of a login."""
    greeted, tls = session.greeted, session.greeted.tls
    before, after = greeted.capabilities_before, greeted.capabilities_after
    return {
        "host": account.host,
        "port": account.port,
        "username": account.username,
        "tls_version": tls.version if tls else None,
        "tls_cipher": tls.cipher if tls else None,
        "certificate_sha256": tls.certificate_sha256 if tls else None,
        "greeting": greeted.greeting,
        "capabilities_before": None if before is None else list(before),
        "capabilities_after": None if after is None else list(after),
        "mechanism": greeted.mechanism,
        "utf8": greeted.utf8,
        "login_delay_seconds": greeted.login_delay_seconds,
    }
