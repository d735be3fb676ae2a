"""The pool of parser processes."""

import asyncio
from asyncio.subprocess import Process

import pytest

from etl import parsers
from etl.errors import Retry
from etl.parsers import Parsers
from etl.parsing import Job

LETTER = Job(1, b"Subject: hello\r\n\r\nhello\r\n")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that were started."""
    processes: list[Process] = []
    start = parsers._start

    async def remembered() -> Process:
        processes.append(await start())
        return processes[-1]

    monkeypatch.setattr("etl.parsers._start", remembered)
    return processes


def test_a_process_that_was_started_ahead_is_the_one_that_parses(started: list[Process]):
    """No second one is started for the call it was started for; in the end it is gone, used or not."""

    async def run() -> int:
        async with Parsers(2) as pool:
            pool.start(1)
            await asyncio.wait_for(asyncio.gather(*pool._starting), 20)
            assert len(await pool.parse([LETTER])) == 1
            used = len(started)
            pool.start(5)
        return used

    assert (asyncio.run(run()), len(started)) == (1, 2)
    assert all(process.returncode is not None for process in started)


def test_a_call_waits_for_the_process_that_is_being_started_for_it(started: list[Process]):
    """The mail came before the process was up: a second one would be up no sooner."""

    async def run() -> tuple[int, int]:
        async with Parsers(2) as pool:
            pool.start(1)
            await asyncio.sleep(0)  # it begins
            return len(await pool.parse([LETTER])), pool.up

    assert (asyncio.run(run()), len(started)) == ((1, 1), 1)


def test_a_start_ahead_that_fails_is_tried_again_by_the_call(monkeypatch: pytest.MonkeyPatch, started: list[Process]):
    """The machine was short of memory for a moment; no message pays for it."""
    start, failures = parsers._start, [Retry("cannot start a parser process")]

    async def failing_once() -> Process:
        if failures:
            raise failures.pop()
        return await start()

    monkeypatch.setattr("etl.parsers._start", failing_once)

    async def run() -> int:
        async with Parsers(1) as pool:
            pool.start(1)
            await asyncio.sleep(0)  # it begins
            return len(await pool.parse([LETTER]))

    assert (asyncio.run(run()), len(started)) == (1, 1)
