"""Processes that parse beside the download, one pipe each: bytes in, rows out. `parsing` is what each of them does.

A worker ends when its pipe does, so a killed run leaves none behind. One that crashes or hangs is
replaced, and the message that did it is archived as unreadable.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from etl.archive.rows import Blocks
from etl.errors import Retry
from etl.parsing import LENGTH, Job, answers_of, bare, framed

log = logging.getLogger(__name__)

# The slowest message of the corpus takes under half a second.
MESSAGE_SECONDS_MAX = 60.0

# What asyncio holds of an answer that is not complete yet; answers are some 100 kB to some MB.
PIPE_BYTES = 1024 * 1024

START = "import gc; gc.disable(); from etl.parsing import serve; serve()"


class Parsers:
    """A pool of parser processes, each started when it is first needed. An async context manager."""

    def __init__(self, count: int | None = None):
        self._count = count or min(os.cpu_count() or 1, 4)
        # Processes that are up or being started.
        self.up = 0
        # Last in, first out: a second worker is started only when the first is busy.
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        self._starting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Parsers":
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._starting)
        while not self._idle.empty():
            await _end(self._idle.get_nowait())

    def start(self, calls: int) -> None:
        """Start processes for so many calls of `parse` that will come; one that idles already is enough."""
        for _ in range(min(calls, self._idle.qsize())):
            task = asyncio.create_task(self._start_one())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start_one(self) -> None:
        # All may be busy by now. What cannot be started is tried again by `parse`, which says why.
        with suppress(asyncio.QueueEmpty, Retry):
            self._put_back(await self._running(self._idle.get_nowait()))

    async def _running(self, worker: asyncio.subprocess.Process | None) -> asyncio.subprocess.Process:
        if worker is None:
            self.up += 1
            try:
                worker = await _start()
            except BaseException:
                self._put_back(None)
                raise
        return worker

    def _put_back(self, worker: asyncio.subprocess.Process | None) -> None:
        self.up -= worker is None
        self._idle.put_nowait(worker)

    async def parse(self, jobs: Sequence[Job]) -> list[Blocks]:
        """The rows of each message, in order. Raises Retry where no process can be started."""
        if not jobs:
            return []
        try:
            return await self._parse(jobs)
        except _GaveUp as failure:
            if len(jobs) > 1:
                return [(await self.parse([job]))[0] for job in jobs]
            log.warning("a parser process gave up at one message, and is asked once more: %s", failure)
        try:
            return await self._parse(jobs)
        except _GaveUp as failure:
            return [bare(jobs[0], f"the parser gave up: {failure}")]

    async def _parse(self, jobs: Sequence[Job]) -> list[Blocks]:
        await asyncio.gather(*self._starting)  # else one more would be started than is wanted
        worker = await self._running(await self._idle.get())
        left: asyncio.subprocess.Process | None = None
        try:
            answers = await _ask(worker, jobs)
            left = worker
            return answers
        except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.DecodeError) as error:
            raise _GaveUp(type(error).__name__) from error
        finally:
            if left is None:
                await _end(worker)
            self._put_back(left)


class _GaveUp(Exception):
    """A worker died, hung or answered nonsense."""


async def _start() -> asyncio.subprocess.Process:
    try:
        return await _spawn()
    except OSError as error:
        raise Retry(f"cannot start a parser process: {error.strerror}; is the machine short of memory?") from error


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # -P: nothing is imported from the folder that we happen to be in. A session of its own: Ctrl-C is for us, and
        # the worker ends with its pipe.
        sys.executable, "-P", "-c", START,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=PIPE_BYTES, start_new_session=True,
    )  # fmt: skip


async def _ask(worker: asyncio.subprocess.Process, jobs: Sequence[Job]) -> list[Blocks]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    async with asyncio.timeout(MESSAGE_SECONDS_MAX):
        worker.stdin.write(framed(jobs))
        await worker.stdin.drain()
        (length,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
        return answers_of(await worker.stdout.readexactly(length))


async def _end(worker: asyncio.subprocess.Process | None) -> None:
    if worker is None:
        return
    if worker.returncode is None:
        worker.kill()
    await worker.communicate()
