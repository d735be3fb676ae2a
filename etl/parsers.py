"""Processes that parse beside the download, one pipe each: bytes in, rows out. `parsing` is what each of them does.

A worker ends when its pipe does, so a killed run leaves none behind. One that crashes or hangs is
replaced, and the message that did it is archived as unreadable.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

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
        self._free = asyncio.Semaphore(self._count)
        # The last one that was busy is taken first: another is started only when all that are up are busy.
        self._idle: list[asyncio.subprocess.Process] = []
        self._starting: set[asyncio.Task[None]] = set()
        # Processes that are up or being started.
        self.up = 0

    async def __aenter__(self) -> "Parsers":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._starting)
        while self._idle:
            await _end(self._idle.pop())

    def start(self, calls: int) -> None:
        """Have a process up for each of so many calls of `parse` that will come, as far as the pool goes."""
        while self.up < min(calls, self._count):
            self.up += 1
            task = asyncio.create_task(self._start_one())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start_one(self) -> None:
        try:
            async with self._free:
                self._idle.append(await _start())
        except Retry:  # `parse` tries again, and says why
            self.up -= 1

    async def _take(self) -> asyncio.subprocess.Process:
        if self._idle:
            return self._idle.pop()
        self.up += 1
        try:
            return await _start()
        except BaseException:
            self.up -= 1
            raise

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
        async with self._free:
            worker = await self._take()
            try:
                answers = await _ask(worker, jobs)
            except BaseException as error:
                self.up -= 1
                await _end(worker)
                if isinstance(error, OSError | TimeoutError | asyncio.IncompleteReadError | msgspec.DecodeError):
                    raise _GaveUp(type(error).__name__) from error
                raise
            self._idle.append(worker)
            return answers


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


async def _end(worker: asyncio.subprocess.Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.communicate()
