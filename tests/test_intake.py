"""Batches: how large they are, and when the index of words is made."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl import intake
from etl.archive import loader, search
from etl.archive.loader import Arrival
from etl.archive.rows import Blocks
from etl.intake import Archive, Indexing, Intake
from etl.parsers import Parsers
from etl.parsing import Job, answer
from tests.test_pipeline import letter


class SlowParsers(Parsers):
    """Two that are up, and read nothing before they are let."""

    def __init__(self) -> None:
        super().__init__(2)
        self.up, self.let = 2, asyncio.Event()

    async def parse(self, jobs: Sequence[Job]) -> list[Blocks]:
        """The rows of each message."""
        await self.let.wait()
        return [answer(job) for job in jobs]


@pytest.fixture
def done(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], list[str]]:
    """Takes in so many messages, then as many more as were let pass; what was done, in order."""
    happened: list[str] = []

    def load(connection: Any, arrivals: Sequence[Arrival], *rest: Any) -> dict[int, str]:
        happened.append(f"load {len(arrivals)}")
        return original(connection, arrivals, *rest)

    def index(connection: Any) -> int:
        happened.append("index")
        return 0

    original = loader.load
    monkeypatch.setattr(intake.loader, "load", load)
    monkeypatch.setattr(search, "fold", index)
    with engine.begin() as connection:
        connection.execute(text(DELIVERIES))

    def take(held: int, then: int) -> list[str]:
        asyncio.run(_take(engine, held, then))
        return happened

    return take


DELIVERIES = """
insert into archive.mailbox (name) values ('box');
insert into archive.epoch (mailbox_id, host, username, reason) values (1, 'host', 'ann', 'first session');
insert into ops.run (trigger, host, version) values ('command', 'here', 'test');
insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8)
values (1, 1, 1, 'host', 110, 'ann', '', 'USER', false);
insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)
select 1, 1, n, 0, 1 from generate_series(1, 500) as n;
"""


async def _take(engine: Engine, held: int, then: int) -> None:
    parsers = SlowParsers()
    async with (
        Archive(engine) as archive,
        Indexing(engine) as indexing,
        Intake(archive, parsers, indexing) as into,
    ):
        numbers = iter(range(1, held + then + 1))

        async def put(messages: int) -> list[asyncio.Future[str]]:
            taken = [(n, letter(f"m{n}").replace(b"\n", b"\r\n")) for n in itertools.islice(numbers, messages)]
            return [await into.put(Arrival.of(number, 1, raw)) for number, raw in taken]

        futures = await put(held)
        parsers.let.set()
        into.flush()
        assert set(await asyncio.gather(*futures)) == {"archived"}
        for future in await put(then):
            into.flush()
            assert await future == "archived"


def test_batches_are_small_while_somebody_idles_and_large_when_all_are_busy(done: Callable[[int, int], list[str]]):
    """One for each parser that is up and one to be loaded, then as many messages as a batch may hold, then the rest."""
    loads = [what for what in done(300, 0) if what != "index"]
    assert loads == ["load 32", "load 32", "load 32", "load 128", "load 76"]


def test_words_wait_until_nothing_else_is_under_way(done: Callable[[int, int], list[str]]):
    """Then they are indexed at once, however little it was."""
    assert done(100, 1) == ["load 32", "load 32", "load 32", "load 4", "index", "load 1", "index"]


def test_words_do_not_wait_for_ever(done: Callable[[int, int], list[str]], monkeypatch: pytest.MonkeyPatch):
    """Once many wait they are indexed beside the load."""
    monkeypatch.setattr(intake, "UNINDEXED_MESSAGES_MAX", 64)
    happened = done(300, 0)
    assert happened.index("index") < happened.index("load 76")
