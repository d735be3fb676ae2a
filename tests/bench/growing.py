"""Whether it stays fast as it grows: load, size and search at several sizes. `python -m tests.bench.growing --help`.

Made mail (tests.bench.mail) goes through the intake, as what comes off a line does: hashed, parsed, loaded, indexed, in
an empty Postgres with fsync on. The last 10,000 messages before each size are timed, and right behind them as many in
an archive that was empty: after the quarter of an hour that a million take, a machine may be another one than at first.
Five times in turn, where there are so many: a checkpoint or a vacuum falls into one ten seconds and not into the next.
CPU time, of all processes together, tells the same on a machine that has other work.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.loader import Arrival
from etl.archive.migrations import migrate
from etl.archive.search import find
from etl.intake import Archive, Indexing, Intake
from etl.parsers import Parsers
from tests.archive.sizes import sizes
from tests.bench.archiving import database_cpu, tree_cpu
from tests.bench.mail import message, person, quotation, word

MIB = 1024 * 1024
TIMED = 10_000
TURNS = 5
AT_ONCE = 2_000
MATCHES = 20

SESSION = """
with mailbox as (insert into archive.mailbox (name) values ('all') returning mailbox_id),
epoch as (insert into archive.epoch (mailbox_id, host, username, reason)
    select mailbox_id, 'localhost', 'all', 'bench' from mailbox returning *),
run as (insert into ops.run (trigger, host, version) values ('bench', 'localhost', '0') returning run_id)
insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8)
select run_id, mailbox_id, epoch_id, 'localhost', 110, 'all', '+OK', 'USER', false from run, epoch
"""
LISTING = """
insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, listed_octets, session_id)
select 1, 1, n, 0, 0, 1 from generate_series(cast(:first as bigint), cast(:last as bigint)) n order by n
returning delivery_id
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of loading: seconds, and CPU seconds of all processes together."""

    seconds: float
    cpu: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.cpu + other.cpu)


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", default="10000,100000,1000000", help="the sizes, in ascending order")
    sizes = [int(size) for size in parser.parse_args().messages.split(",")]
    if any(size - before < TIMED for before, size in pairwise([0, *sizes])):
        parser.error(f"each size must be {TIMED:,} messages above the one before")
    with tempfile.TemporaryDirectory(prefix="popvault-bench-") as root:
        Path(root).chmod(0o755)
        postgres = EmbeddedPostgres(Path(root) / "postgres")
        try:
            engine = engine_for(postgres.start())
            migrate(engine)
            asyncio.run(grow(engine, Path(root), sizes))
        finally:
            postgres.stop()
            shutil.rmtree((Path(root) / "postgres" / "postgres").resolve())


async def grow(engine: Engine, root: Path, sizes: Sequence[int]) -> None:
    """Load up to each size, and measure there. root: of the Postgres."""
    begin_session(engine)
    done = 0
    for size in sizes:
        turns = range(size - TIMED * min(TURNS, (size - done) // TIMED), size, TIMED)
        await load(engine, done, turns[0])
        grown = empty = Cost(0, 0)
        for first in turns:
            grown += await timed_load(engine, root, first, first + TIMED)
            beside = another(engine, first)
            empty += await timed_load(beside, root, 0, TIMED)
            beside.dispose()
        done = size
        messages = TIMED * len(turns)
        print(
            f"{size:>9,} messages: {messages / grown.seconds:.0f}/s, {empty.seconds / grown.seconds:.2f} of an empty"
            f" archive's; CPU {grown.cpu / messages * 1000:.2f} ms each, {grown.cpu / empty.cpu:.2f} of an empty one's;"
            f" {measured(engine)}",
            flush=True,
        )


def begin_session(engine: Engine) -> None:
    """A mailbox with a session, which holds all messages."""
    with engine.begin() as connection:
        connection.execute(text(SESSION))


def another(engine: Engine, size: int) -> Engine:
    """An empty archive in the same Postgres."""
    name = f"empty_beside_{size}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
    empty = engine_for(engine.url.set(database=name).render_as_string(hide_password=False))
    migrate(empty)
    begin_session(empty)
    return empty


async def timed_load(engine: Engine, root: Path, begin: int, end: int) -> Cost:
    """Load the messages of these numbers: what it took."""
    start, busy = time.perf_counter(), cpu(root)
    await load(engine, begin, end)
    return Cost(time.perf_counter() - start, cpu(root) - busy)


def cpu(root: Path) -> float:
    """CPU seconds so far of this process with its parsers, and of the Postgres in root."""
    return tree_cpu(os.getpid()) + database_cpu(root)


async def load(engine: Engine, begin: int, end: int) -> None:
    """Load the messages of these numbers, words included."""
    async with (
        Archive(engine) as archive,
        Indexing(engine) as indexing,
        Parsers() as parsers,
        Intake(archive, parsers, indexing) as intake,
    ):
        for first in range(begin, end, AT_ONCE):
            last = min(first + AT_ONCE, end)
            deliveries = await archive.do(listed, first, last - 1)
            arrivals = (Arrival.of(d, 1, message(n)) for d, n in zip(deliveries, range(first, last), strict=True))
            outcomes = [await intake.put(arrival) for arrival in arrivals]
            intake.flush()
            await asyncio.gather(*outcomes)


def listed(connection: Connection, first: int, last: int) -> list[int]:
    """Deliveries for the messages of these numbers."""
    with connection.begin():
        return list(connection.scalars(text(LISTING), {"first": first, "last": last}))


def measured(engine: Engine) -> str:
    """The size beside the mail, and how long questions take."""
    with engine.connect() as connection:
        size, mail = sizes(connection)
        connection.commit()
        seconds = sorted(timed(connection, words) for words in questions())
    p50, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    return (
        f"{size / MIB:.0f} MiB for {mail / MIB:.0f} of mail ({size / mail:.2f});"
        f" search p50 {p50 * 1000:.1f}, p95 {p95 * 1000:.1f} ms"
    )


def timed(connection: Connection, words: str) -> float:
    """Seconds that a question takes, asked for the second time."""
    find(connection, words, MATCHES)
    start = time.perf_counter()
    find(connection, words, MATCHES)
    return time.perf_counter() - start


def questions() -> list[str]:
    """What people ask: common and rare words, several, what they quote, without, from somebody, in Chinese."""
    asked = []
    for n in range(20):
        common, rare = word(n), word(5_000 + 991 * n)
        asked += [common, rare, f"{common} {word(n + 40)}", f"{rare} -{common}", f'"{quotation(n)}"']
        asked += [f"from:{person(7 * n)[1]}", "民得" if n % 2 else "我以要"]
    return asked


if __name__ == "__main__":
    main()
