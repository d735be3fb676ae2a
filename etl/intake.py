"""Between the sockets and the database: what arrives is batched, read and loaded, bounded in bytes.

Reading from servers, parsing and loading run at the same time; `Intake.put` waits while too much is
in flight, and so does the server.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from etl.archive import loader, search, threads
from etl.archive.loader import Arrival
from etl.archive.recipe import CHUNK_OCTETS
from etl.archive.rows import Blocks
from etl.errors import DatabaseAway, Failure, Retry, Skip, Stop
from etl.parsers import Parsers
from etl.parsing import Job, bare

log = logging.getLogger(__name__)

# A batch is what one transaction commits and one parser takes: the cost of both is shared.
BATCH_MESSAGES = 128
BATCH_OCTETS = 2 * CHUNK_OCTETS
# So many are enough where a parser or the database would idle: the loading begins sooner, and so it ends. A transaction
# costs what some ten messages do.
EARLY_MESSAGES = 32
# Bytes that may be between the sockets and the database: what bounds the memory.
IN_FLIGHT_OCTETS = 12 * CHUNK_OCTETS

# SQLSTATE classes (PostgreSQL manual, appendix A): 53 is a lack of disk, memory or connections.
LACKING = "53"
# 54: a limit of Postgres itself; the data is too much for it, however often it is tried.
LIMITS = "54"

Result = TypeVar("Result")


class Archive:
    """The database as asyncio sees it: one connection, in a thread of its own."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "archive")
        self._away: DatabaseAway | None = None

    async def __aenter__(self) -> "Archive":
        self._connection = await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.connect)
        return self

    async def __aexit__(self, *_: object) -> None:
        # Closed for good, not pooled: leases are the connection's.
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def do(self, function: Callable[..., Result], *args: object, **named: object) -> Result:
        """Call `function(connection, *args, **named)`.

        Raises DatabaseAway where the connection is gone, then and ever after: a new one would not have the leases.
        Raises Retry where another call may do better, Stop where the database lacks something, Skip where it refuses
        the data.
        """

        def call(connection: Connection) -> Result:
            if self._away:
                raise self._away
            try:
                return function(connection, *args, **named)
            except (DBAPIError, psycopg.Error) as error:
                gone = connection.invalidated or getattr(error, "connection_invalidated", False)
                if gone or connection.connection.driver_connection.closed:  # type: ignore[union-attr]
                    self._away = DatabaseAway(f"the database went away: {_words(error)}; what was committed is safe")
                    raise self._away from error
                raise _failure(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, call, self._connection)

    def _close(self) -> None:
        self._connection.invalidate()
        self._connection.close()


def _failure(error: DBAPIError | psycopg.Error) -> Retry | Skip | Stop:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or "")
    if state.startswith(LACKING):
        return Stop(f"the database is short of something: {_words(error)}; make room, then run again")
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return Stop(f"this login may not do that: {_words(error)}; see Rights in the README")
    if isinstance(cause, psycopg.OperationalError) and not state.startswith(LIMITS):
        return Retry(f"the database broke off: {_words(error)}; what was committed is safe, run again")
    return Skip(f"the database refused: {_words(error)}")


def _words(error: DBAPIError | psycopg.Error) -> str:
    """The first line of what Postgres said. What COPY raises comes from psycopg itself; all else is wrapped."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).strip().splitlines() or ["no reason given"])[0]


class Indexing:
    """Joins threads and folds terms into segments beside the load, on a connection of its own.

    Mail is found without it, slower the more there is: what it cannot do is left for the next run, and never fails the
    load.
    """

    def __init__(self, engine: Engine):
        self._archive = Archive(engine)
        self._more = asyncio.Event()
        self._last = False

    async def __aenter__(self) -> "Indexing":
        await self._archive.__aenter__()
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._last = True
        self._more.set()
        try:
            await self._task
        except Failure as failure:
            log.warning("threads or terms are not all joined, the next run goes on: %s", failure)
        finally:
            await self._archive.__aexit__()

    def wake(self) -> None:
        """There are more messages."""
        self._more.set()

    async def _work(self) -> None:
        while not self._last:
            await self._more.wait()
            self._more.clear()
            while await self._archive.do(threads.join_pending) or await self._archive.do(search.fold):
                pass


class Intake:
    """Takes messages, and gives each its outcome once it is committed."""

    def __init__(self, archive: Archive, parsers: Parsers, indexing: Indexing):
        self._archive, self._parsers, self._indexing = archive, parsers, indexing
        self._waiting: list[tuple[Arrival, asyncio.Future[str]]] = []
        self._waiting_octets = 0
        self._octets = 0
        self._room = asyncio.Condition()
        self._batches: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Intake":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._batches, return_exceptions=True)

    def expect(self, messages: int) -> None:
        """So many messages will come, or may: their parsers are started while they are on the way."""
        self._parsers.start(math.ceil(messages / BATCH_MESSAGES))

    async def put(self, arrival: Arrival) -> asyncio.Future[str]:
        """Take a message; the future is its outcome, once it is committed. Waits while too much is in flight."""
        size = arrival.held_octets
        if not self._has_room(size):
            self.flush()
            async with self._room:
                await self._room.wait_for(lambda: self._has_room(size))
        self._octets += size
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, future))
        self._waiting_octets += size
        if len(self._waiting) >= BATCH_MESSAGES or self._waiting_octets >= BATCH_OCTETS:
            self.flush()
        else:
            self._flush_early()
        return future

    def _has_room(self, size: int) -> bool:
        return not self._octets or self._octets + size <= IN_FLIGHT_OCTETS

    def _flush_early(self) -> None:
        """Send off what waits if somebody idles: each parser that is up may read a batch while one is loaded."""
        if len(self._waiting) >= EARLY_MESSAGES and len(self._batches) <= self._parsers.up:
            self.flush()

    def flush(self) -> None:
        """Send off what waits, however little."""
        if self._waiting:
            batch, self._waiting, self._waiting_octets = self._waiting, [], 0
            task = asyncio.create_task(self._deliver(batch))
            self._batches.add(task)
            task.add_done_callback(self._over)

    def _over(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._flush_early()

    async def _deliver(self, batch: list[tuple[Arrival, asyncio.Future[str]]]) -> None:
        arrivals = [arrival for arrival, _ in batch]
        try:
            outcomes = await self._load(arrivals)
            for arrival, future in batch:
                future.set_result(outcomes[arrival.delivery_id])
        except BaseException as error:
            for _, future in batch:
                future.set_exception(error if isinstance(error, Exception) else Stop("the run was ended"))
            if not isinstance(error, Exception):
                raise
        finally:
            self._indexing.wake()
            async with self._room:
                self._octets -= sum(arrival.held_octets for arrival in arrivals)
                self._room.notify_all()

    async def _load(self, arrivals: Sequence[Arrival]) -> dict[int, str]:
        """Number, read and commit a batch; where Postgres refuses it, one by one, and the one refused without rows."""
        numbers = await self._archive.do(loader.number, arrivals)
        new = {a.sha256: a for a in arrivals if not numbers[a.sha256].known}
        jobs = [Job(numbers[sha256].message_id, a.raw, a.skeleton) for sha256, a in new.items()]
        blocks = dict(zip(new, await self._parsers.parse(jobs), strict=True))
        try:
            return await self._archive.do(loader.load, arrivals, numbers, blocks)
        except Skip as refusal:
            if len(arrivals) == 1:
                reason = f"its rows were refused: {refusal}"
                alone: dict[bytes, Blocks] = {s: bare(job, reason) for s, job in zip(new, jobs, strict=True)}
                return await self._archive.do(loader.load, arrivals, numbers, alone)
            return {key: value for a in arrivals for key, value in (await self._load([a])).items()}
