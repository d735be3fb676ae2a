"""The story: extract from POP3, transform to rows, load into Postgres, mailbox by mailbox.

`archive_shard` runs many mailboxes at once over one database connection, whose end frees all
leases; `archive_mailbox` is one mailbox from login to QUIT. DAGs and command line call the same.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from etl import config
from etl.archive import ledger
from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.migrations import migrate
from etl.archive.rights import may_take
from etl.config import Mailbox
from etl.errors import Busy, DatabaseAway, Failure, Misconfigured, Retry, Stop
from etl.hosts import Hosts
from etl.intake import Archive, Indexing, Intake
from etl.listing import Listing
from etl.parsers import Parsers
from etl.pop3.connection import OnWire
from etl.pop3.login import Account, Greeted
from etl.pop3.replies import Listed
from etl.pop3.session import Session
from etl.retrieval import Retrieval
from etl.visit import AS_CONFIGURED, Done, OnProgress, Options, Shard, Visit

log = logging.getLogger(__name__)

MAILBOXES_AT_ONCE = 16
# A mailbox whose line is cut is opened anew so often in one run, without anything gained.
SESSIONS_MAX = 3
# And so often at all: a server that always has something new and never lets us finish is left to the next run.
BROKEN_SESSIONS_MAX = 100
BACKOFF_SECONDS = 1.0
# A pause that a server asks for is waited out in the run up to this; a longer one is left to a later run.
PAUSE_SECONDS_MAX = 60.0


COPY = (
    "this database is a copy of the archive that may delete mail on servers, so nothing was deleted;"
    " if this one shall delete from now on, run: popvault enrol"
)


def archive_shard(
    engine: Engine,
    mailboxes: Sequence[Mailbox],
    run_id: int,
    on_progress: OnProgress = lambda *_: None,
    options: Options = AS_CONFIGURED,
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
            return await _Sessions(Visit(mailbox, mailbox_id, shard)).all()
        finally:
            await shard.archive.do(ledger.free_lease, mailbox_id)
    except Failure as failure:
        return Done(mailbox.name, failure=failure)
    except Exception as error:  # our own mistake, or what nobody foresaw: it must not fail the other mailboxes
        log.exception("run=%s mailbox=%s", shard.run_id, mailbox.name)
        return Done(mailbox.name, failure=Stop(f"popvault itself failed ({type(error).__name__}: {error}); report it"))


class _Sessions:
    """The sessions of one visit. The methods stand in the order in which things happen."""

    def __init__(self, visit: Visit):
        self._visit = visit
        self._listing, self._retrieval = Listing(visit), Retrieval(visit)
        self._complaint: Failure | None = None
        # Whether a server that offers PIPELINING is believed: not after a session that did not come to its listing.
        self._at_once = True

    async def all(self) -> Done:
        """As many sessions as it takes; of those cut short no more than SESSIONS_MAX in a row that gain nothing."""
        in_vain = broken = 0
        while True:
            failure = await self._session_in_turn()
            if failure is None and not (self._visit.gained and self._visit.mailbox.quirks.messages_per_session):
                return self._visit.done
            in_vain, broken = 0 if self._visit.gained else in_vain + 1, broken + (failure is not None)
            if failure and (not _passes(failure) or in_vain >= SESSIONS_MAX or broken >= BROKEN_SESSIONS_MAX):
                return replace(self._visit.done, failure=failure)
            if failure:
                self._retrieval.ask_for_less()
                await asyncio.sleep(BACKOFF_SECONDS * (in_vain + 1))

    async def _session_in_turn(self) -> Failure | None:
        """A session when the server wants one: after the pause that it asked for, and in a slot of its host."""
        wait = await self._visit.archive.do(ledger.login_wait, self._visit.mailbox_id)
        if wait > PAUSE_SECONDS_MAX:
            return Busy(f"the server asked to be left alone for another {wait:.0f} seconds; a later run goes on", wait)
        await asyncio.sleep(wait)
        if await self._visit.archive.do(ledger.is_lively, self._visit.mailbox_id):
            # A parser takes 0.1 s to start, as much as a login on a fast line, and that of another core.
            self._visit.shard.intake.expect(1)
        async with self._visit.shard.hosts.slot(self._visit.mailbox.host, self._visit.mailbox.sessions_per_host):
            failure = await self._one_session()
        if isinstance(failure, Busy) and failure.wait_seconds:
            await self._visit.archive.do(ledger.pause, self._visit.mailbox_id, failure.wait_seconds, str(failure))
        return failure

    async def _one_session(self) -> Failure | None:
        """From login to QUIT. What cut it short is given; what came whole before that is committed."""
        self._visit.gained, self._visit.session_id, self._complaint = False, 0, None
        at_once, self._at_once = self._at_once, False
        try:
            # The secret is read anew for each session: tokens age within the hour that a session may last.
            account = await _account(self._visit.mailbox)
            session = await Session.open(account, at_once=at_once)
        except Failure as failure:
            log.warning("run=%s mailbox=%s: %s", self._visit.shard.run_id, self._visit.mailbox.name, failure)
            return failure
        quit_reply = cut_short = None
        try:
            facts = _facts(session, account)
            named = (self._visit.shard.run_id, self._visit.mailbox_id, facts)
            self._visit.session_id, epoch_id = await self._visit.archive.do(ledger.begin_session, *named)
            mechanism = session.greeted.mechanism
            log.info(
                "session=%s mailbox=%s logged in by %s", self._visit.session_id, self._visit.mailbox.name, mechanism
            )
            quit_reply = await self._talk(session, epoch_id)
        except Failure as failure:
            cut_short = failure
        finally:
            await session.close()
        return await self._end_session(quit_reply, cut_short)

    async def _end_session(self, quit_reply: tuple[bool, str] | None, cut_short: Failure | None) -> Failure | None:
        try:
            await self._retrieval.settle()
        except Failure as failure:
            cut_short = cut_short or failure
        if not self._visit.session_id:  # the database would not have it
            return cut_short
        if cut_short:
            log.warning("run=%s mailbox=%s: %s", self._visit.shard.run_id, self._visit.mailbox.name, cut_short)
            await self._retrieval.blame(cut_short)
        words = str(cut_short) if cut_short else None
        await self._visit.archive.do(ledger.end_session, self._visit.session_id, quit_reply, words)
        return cut_short or self._complaint

    async def _talk(self, session: Session, epoch_id: int) -> tuple[bool, str]:
        """List, retrieve, commit; then delete what the policy lets go, and QUIT."""
        entries = await self._listing.record(session, epoch_id)
        self._at_once = True
        work = await self._listing.work(session, entries)
        self._visit.shard.intake.expect(len(work))
        self._visit.shard.on_progress(self._visit.mailbox.name, len(work), 0)
        await self._retrieval.take(session, entries, work)
        await self._retrieval.settle()
        deleted = await self._delete(session, entries)
        accepted, words = await session.quit()
        if not accepted and deleted:
            self._complaint = Retry(f"the server refused QUIT ({words}): it may have kept what was deleted")
        return accepted, words

    async def _delete(self, session: Session, entries: Mapping[int, Listed]) -> int:
        """DELE what may go, and say how many. The ledger says so first: a kill in between leaves a trace, no riddle."""
        seconds = self._visit.mailbox.delete_after_seconds
        if seconds is None:
            return 0
        room = self._visit.mailbox.delete_messages_max - self._visit.done.deleted
        deletable = await self._visit.archive.do(ledger.deletable, self._visit.session_id, seconds, room)
        if not self._visit.shard.options.delete:
            self._visit.count(deletable=len(deletable))
        if not deletable or not self._visit.shard.options.delete:
            return 0
        if not await self._visit.archive.do(ledger.may_delete):
            self._complaint = Stop(COPY)
            return 0
        await self._visit.archive.do(ledger.add_steps, "delete sent", list(deletable.values()), self._visit.session_id)
        refused = await session.delete(entries[number] for number in deletable)
        for refusal in refused:
            ids = [deletable[refusal.entry.number]]
            await self._visit.archive.do(ledger.add_steps, "delete refused", ids, self._visit.session_id, refusal.text)
        self._visit.count(deleted=len(deletable) - len(refused))
        return len(deletable)


def _passes(failure: Failure) -> bool:
    """Whether another session in the same run may do better."""
    if isinstance(failure, DatabaseAway) or (
        isinstance(failure, Busy) and (failure.wait_seconds or 0) > PAUSE_SECONDS_MAX
    ):
        return False
    return isinstance(failure, Retry)


@contextmanager
def open_archive(role: str | None = None, *, new: bool = False) -> Iterator[Engine]:
    """The archive, its schema at the newest version.

    new: whether to make an embedded one where there is none. A command that only reads would find it empty.
    role: as what to act (`etl.archive.rights`); where the login may not be that, it acts as itself.
    """
    url = config.database_url() or _embedded(new).start()
    engine = engine_for(url)
    try:
        migrate(engine)
        if role:
            with engine.connect() as connection:
                taken = may_take(connection, role)
            engine.dispose()
            engine = engine_for(url, role if taken else None)
        yield engine
    finally:
        engine.dispose()


def _embedded(new: bool) -> EmbeddedPostgres:
    server = EmbeddedPostgres(config.home())
    if not new and not server.is_made():
        raise Misconfigured(
            f"there is no archive in {server.home}; popvault run makes one, POPVAULT_HOME or POPVAULT_DATABASE_URL"
            " says where another is"
        )
    return server


async def look(mailbox: Mailbox, on_wire: OnWire | None = None) -> tuple[Greeted, int]:
    """Log in and list, and leave without QUIT: what the server says of itself, and its message count."""
    # There is no hurry, and the wire log then reads as a dialogue.
    session = await Session.open(await _account(mailbox), on_wire, at_once=False)
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
