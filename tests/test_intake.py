"""Batches: how large they are."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl import intake
from etl.archive import loader
from etl.archive.loader import Arrival
from etl.archive.rows import Blocks
from etl.intake import Archive, Indexing, Intake
from etl.parsers import Parsers
from etl.parsing import Job, answer
from tests.archivist import letter


class SlowParsers(Parsers):
    """Two that are up, and read nothing before they are let."""

    def __init__(self) -> None:
        super().__init__(2)
        self.up, self.let = 2, asyncio.Event()

    async def parse(self, jobs: Sequence[Job]) -> list[Blocks]:
        """The rows of each message."""
        await self.let.wait()
        return answer(jobs)


@pytest.fixture
def loads(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Takes in so many messages; how many were loaded at once each time."""
    loaded: list[int] = []

    def load(connection: Any, arrivals: Sequence[Arrival], *rest: Any) -> dict[int, str]:
        loaded.append(len(arrivals))
        return original(connection, arrivals, *rest)

    original = loader.load
    monkeypatch.setattr(intake.loader, "load", load)
    with engine.begin() as connection:
        connection.execute(text(DELIVERIES))

    def take(messages: int) -> list[int]:
        asyncio.run(_take(engine, messages))
        return loaded

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


async def _take(engine: Engine, messages: int) -> None:
    parsers = SlowParsers()
    async with (
        Archive(engine) as archive,
        Indexing(engine) as indexing,
        Intake(archive, parsers, indexing) as into,
    ):
        raws = [letter(f"m{number}").replace(b"\n", b"\r\n") for number in range(messages)]
        futures = [await into.put(Arrival.of(number, 1, raw)) for number, raw in enumerate(raws, start=1)]
        parsers.let.set()
        into.flush()
        assert set(await asyncio.gather(*futures)) == {"archived"}


def test_batches_are_small_while_somebody_idles_and_large_when_all_are_busy(loads: Callable[[int], list[int]]):
    """One for each parser that is up and one to be loaded, then as many messages as a batch may hold, then the rest."""
    assert loads(300) == [32, 32, 32, 128, 76]
