"""The story: extract from POP3, transform to rows, load into Postgres, mailbox by mailbox.

`archive_shard` runs many mailboxes at once over one database connection, whose end frees all
leases; `archive_mailbox` is one mailbox from login to QUIT. DAGs and command line call the same.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from etl import config
from etl.archive import ledger, loader, search
from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.loader import Arrival
from etl.archive.migrations import migrate
from etl.config import Mailbox
from etl.errors import Failure, Retry, Stop
from etl.mime.version import PARSER
from etl.parsers import Parsers
from etl.pop3.replies import Listed
from etl.pop3.session import Account, Greeted, Refused, Session

log = logging.getLogger(__name__)

MAILBOXES_AT_ONCE = 16
# A batch is what one transaction commits and one parser takes: the cost of both is shared.
BATCH_MESSAGES = 128
BATCH_OCTETS = 4 * 1024 * 1024
# Bytes that may be between the sockets and the database: what bounds the memory.
IN_FLIGHT_OCTETS = 24 * 1024 * 1024
# A mailbox whose line is cut is opened anew so often in one run, without a message gained.
SESSIONS_MAX = 3
BACKOFF_SECONDS = 1.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Done:
    """What one run did with one mailbox. failure: why something was left undone; None: nothing was."""

    mailbox: str
    retrieved: int = 0
    archived: int = 0
    duplicate: int = 0
    failed: int = 0
    deleted: int = 0
    failure: str | None = None
    stop: bool = False


OnProgress = Callable[[str, int, int], None]


def archive_shard(
    engine: Engine, mailboxes: Sequence[Mailbox], run_id: int, on_progress: OnProgress | None = None
) -> list[Done]:
    """Archive many mailboxes; what befell each, in order. A bad mailbox never fails the others.

    on_progress: called with (mailbox name, messages more to do, messages more done).
    """
    return asyncio.run(_archive_shard(engine, mailboxes, run_id, on_progress or (lambda *_: None)))


async def _archive_shard(
    engine: Engine, mailboxes: Sequence[Mailbox], run_id: int, on_progress: OnProgress
) -> list[Done]:
    slots = asyncio.Semaphore(MAILBOXES_AT_ONCE)
    async with Archive(engine) as archive, Parsers() as parsers, Intake(archive, parsers) as intake:

        async def one(mailbox: Mailbox) -> Done:
            async with slots:
                return await archive_mailbox(mailbox, run_id, archive, intake, on_progress)

        results = list(await asyncio.gather(*(one(mailbox) for mailbox in mailboxes)))
        # After the mail is safe: words cost more than all the rest of the load.
        while await archive.do(search.index_pending):
            pass
        return results


class Archive:
    """The database as the pipeline sees it: one connection, in a thread of its own."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "archive")

    async def __aenter__(self) -> "Archive":
        self._connection = await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.connect)
        return self

    async def __aexit__(self, *_: object) -> None:
        # Closed for good, not pooled: leases are the connection's.
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def do(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call `function(connection, *args)`. Raises Stop where the database is away."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, self._connection, *args)
        except OperationalError as error:
            raise Stop(f"the database refused: {str(error.orig).strip().splitlines()[0]}") from error

    def _close(self) -> None:
        self._connection.invalidate()
        self._connection.close()


class Intake:
    """Between sockets and database: batches what arrives, has it parsed, loads it, bounded in bytes."""

    def __init__(self, archive: Archive, parsers: Parsers):
        self._archive, self._parsers = archive, parsers
        self._waiting: list[tuple[Arrival, asyncio.Future[str]]] = []
        self._octets = 0
        self._room = asyncio.Condition()
        self._batches: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Intake":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._batches, return_exceptions=True)

    async def put(self, arrival: Arrival) -> asyncio.Future[str]:
        """Take a message; the future is its outcome, once it is committed. Waits while too much is in flight."""
        async with self._room:
            if not self._has_room(arrival):
                self.flush()
            await self._room.wait_for(lambda: self._has_room(arrival))
            self._octets += len(arrival.raw)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, future))
        if len(self._waiting) >= BATCH_MESSAGES or sum(len(a.raw) for a, _ in self._waiting) >= BATCH_OCTETS:
            self.flush()
        return future

    def _has_room(self, arrival: Arrival) -> bool:
        """Whether a message may come in; one that is larger than all the room comes in alone."""
        return not self._octets or self._octets + len(arrival.raw) <= IN_FLIGHT_OCTETS

    def flush(self) -> None:
        """Send off what waits, however little."""
        if self._waiting:
            batch, self._waiting = self._waiting, []
            task = asyncio.create_task(self._load(batch))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    async def _load(self, batch: list[tuple[Arrival, asyncio.Future[str]]]) -> None:
        arrivals = [arrival for arrival, _ in batch]
        try:
            known = await self._archive.do(loader.known, arrivals)
            new = list({a.sha256: a.raw for a in arrivals if a.sha256 not in known}.items())
            readings = await self._parsers.parse([raw for _, raw in new])
            by_hash = {sha256: reading for (sha256, _), reading in zip(new, readings, strict=True)}
            outcomes = await self._archive.do(loader.load, arrivals, by_hash, PARSER)
            for arrival, future in batch:
                future.set_result(outcomes[arrival.delivery_id])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else Stop("the run was ended"))
            if not isinstance(error, Exception):
                raise
        finally:
            async with self._room:
                self._octets -= sum(len(arrival.raw) for arrival in arrivals)
                self._room.notify_all()


async def archive_mailbox(
    mailbox: Mailbox, run_id: int, archive: Archive, intake: Intake, on_progress: OnProgress
) -> Done:
    """One mailbox until nothing is left to do, in as many sessions as it takes. Never raises Failure."""
    done = Done(mailbox.name)
    try:
        account = _account(mailbox)
        mailbox_id = await archive.do(ledger.take_lease, mailbox.name)
        if mailbox_id is None:
            return replace(done, failure=f"mailbox {mailbox.name!r} is being archived by another run; try later")
    except Failure as failure:
        return replace(done, failure=str(failure), stop=isinstance(failure, Stop))
    try:
        attempts = 0
        while True:
            before = done.archived + done.duplicate
            done = await _attempt(mailbox, account, mailbox_id, run_id, archive, intake, on_progress, done)
            attempts = 1 if done.archived + done.duplicate > before else attempts + 1
            if not done.failure or done.stop or attempts >= SESSIONS_MAX:
                return done
            await asyncio.sleep(BACKOFF_SECONDS * attempts)
    finally:
        await archive.do(ledger.free_lease, mailbox_id)


@dataclass
class _Progress:
    """What one session has done so far."""

    done: Done
    futures: dict[int, asyncio.Future[str]] = field(default_factory=dict)
    quit_reply: tuple[bool, str] | None = None
    retrieving: int | None = None


async def _attempt(
    mailbox: Mailbox, account: Account, mailbox_id: int, run_id: int,
    archive: Archive, intake: Intake, on_progress: OnProgress, done: Done,
) -> Done:  # fmt: skip
    """One session. Whatever cuts it short, what came whole before is committed and the session's end recorded."""
    progress = _Progress(replace(done, failure=None))
    session: Session | None = None
    session_id: int | None = None
    failure: Failure | None = None
    try:
        session = await Session.open(account)
        begun, epoch_id = await archive.do(ledger.begin_session, run_id, mailbox_id, _facts(session, account))
        session_id = begun
        await _session(mailbox, mailbox_id, epoch_id, begun, session, archive, intake, on_progress, progress)
    except Failure as error:
        failure = error
    finally:
        if session:
            await session.close()
    try:
        intake.flush()
        await _settle(progress)
    except Failure as error:
        failure = failure or error
    if session_id is not None:
        if isinstance(failure, Retry) and progress.retrieving is not None:
            await archive.do(ledger.note_failure, progress.retrieving, session_id, str(failure))
        await archive.do(ledger.end_session, session_id, progress.quit_reply, str(failure) if failure else None)
    if failure:
        log.warning("run=%s mailbox=%s: %s", run_id, mailbox.name, failure)
        return replace(progress.done, failure=str(failure), stop=isinstance(failure, Stop))
    return progress.done


async def _session(
    mailbox: Mailbox, mailbox_id: int, epoch_id: int, session_id: int, session: Session,
    archive: Archive, intake: Intake, on_progress: OnProgress, progress: _Progress,
) -> None:  # fmt: skip
    """List, retrieve, commit; then delete what the policy lets go, and QUIT."""
    entries = {entry.number: entry for entry in await session.listing()}
    rows = [(e.number, e.uidl, e.twin, e.octets) for e in entries.values()]
    record = (mailbox_id, epoch_id, session_id, rows)
    listed = await archive.do(ledger.record_listing, *record, None)
    on_progress(mailbox.name, len(listed.work), 0)
    await _retrieve(mailbox, listed, entries, session, archive, intake, on_progress, progress)
    intake.flush()
    await _settle(progress)
    if mailbox.delete_after_seconds is not None:
        # Asked anew: what was committed just now may go at once.
        listed = await archive.do(ledger.record_listing, *record, mailbox.delete_after_seconds)
        await _delete(listed, entries, session, session_id, archive, progress)
    progress.quit_reply = await session.quit()
    if not progress.quit_reply[0]:
        raise Retry(f"{mailbox.name}: the server refused QUIT: {progress.quit_reply[1]}; it may have kept deleted mail")


async def _retrieve(
    mailbox: Mailbox, listed: ledger.Listed, entries: dict[int, Listed], session: Session,
    archive: Archive, intake: Intake, on_progress: OnProgress, progress: _Progress,
) -> None:  # fmt: skip
    pieces: list[bytes] = []
    work = list(listed.work)
    remaining = iter([*work[1:], None])
    progress.retrieving = listed.work[work[0]] if work else None
    async for got in session.retrieve([entries[number] for number in work]):
        delivery_id = listed.work[got.entry.number]
        if isinstance(got, Refused):
            gave_up = await archive.do(ledger.note_failure, delivery_id, listed.session_id, f"RETR refused: {got.text}")
            what = "put in quarantine" if gave_up else "left for the next run"
            failure = f"UIDL {got.entry.uidl}: the server refuses it ({got.text}); {what}"
            log.warning("session=%s mailbox=%s %s", listed.session_id, mailbox.name, failure)
            progress.done = replace(progress.done, failed=progress.done.failed + 1)
        else:
            pieces.append(got.data)
            if not got.last:
                continue
            arrival = Arrival.of(delivery_id, listed.session_id, b"".join(pieces))
            pieces = []
            progress.futures[delivery_id] = await intake.put(arrival)
            progress.done = replace(progress.done, retrieved=progress.done.retrieved + 1)
        on_progress(mailbox.name, 0, 1)
        number = next(remaining)
        progress.retrieving = listed.work[number] if number is not None else None


async def _settle(progress: _Progress) -> None:
    """Wait until all that was retrieved is committed, and count it."""
    futures, progress.futures = progress.futures, {}
    outcomes = await asyncio.gather(*futures.values(), return_exceptions=True)
    for outcome in outcomes:
        if outcome == "archived":
            progress.done = replace(progress.done, archived=progress.done.archived + 1)
        elif outcome == "duplicate":
            progress.done = replace(progress.done, duplicate=progress.done.duplicate + 1)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome if isinstance(outcome, Failure) else Stop(f"cannot load: {outcome}") from outcome


async def _delete(
    listed: ledger.Listed, entries: dict[int, Listed], session: Session, session_id: int,
    archive: Archive, progress: _Progress,
) -> None:  # fmt: skip
    """DELE what may go. The ledger says so first: a kill in between leaves a trace, not a riddle."""
    if not listed.deletable:
        return
    await archive.do(ledger.add_steps, "delete sent", list(listed.deletable.values()), session_id)
    refused = await session.delete(entries[number] for number in listed.deletable)
    for refusal in refused:
        ids = [listed.deletable[refusal.entry.number]]
        await archive.do(ledger.add_steps, "delete refused", ids, session_id, refusal.text)
    progress.done = replace(progress.done, deleted=len(listed.deletable) - len(refused))


@contextmanager
def open_archive() -> Iterator[Engine]:
    """The archive, its schema at the newest version."""
    engine = engine_for(config.database_url() or EmbeddedPostgres(config.home()).start())
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


async def look(mailbox: Mailbox) -> tuple[Greeted, int]:
    """Log in and list, and leave without QUIT: what the server says of itself, and its message count."""
    session = await Session.open(_account(mailbox))
    try:
        return session.greeted, len(await session.listing())
    finally:
        await session.close()


def _account(mailbox: Mailbox) -> Account:
    return Account(
        host=mailbox.host,
        port=mailbox.port,
        tls=mailbox.tls,
        username=mailbox.username,
        password=mailbox.password.read(mailbox.name),
        ca_file=Path(mailbox.ca_file).expanduser() if mailbox.ca_file else None,
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
    }
