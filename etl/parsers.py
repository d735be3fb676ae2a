"""Processes that parse beside the download, one pipe each: bytes in, rows out.

A worker ends when its pipe does, so a killed run leaves none behind. One that crashes or hangs is
replaced, and the message that did it is archived as unreadable.
"""

import asyncio
import logging
import os
import struct
import sys
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from etl.archive.recipe import CHUNK_OCTETS
from etl.archive.rows import Blocks, Kept, blocks, projection
from etl.errors import Retry
from etl.mime.canonical import canonical_sha256
from etl.mime.rows import Reading, Skeleton, unread
from etl.mime.version import PARSER

log = logging.getLogger(__name__)

# The slowest message of the corpus takes under half a second.
MESSAGE_SECONDS_MAX = 60.0

# What asyncio holds of an answer that is not complete yet; answers are some 100 kB to some MB.
PIPE_BYTES = 1024 * 1024

_LENGTH = struct.Struct(">Q")


class Job(msgspec.Struct, array_like=True, frozen=True):
    """One message to read: the number it has or will have, and its bytes.

    skeleton: of a message too large to be held, what is to be read instead.
    kept: of a message whose bytes are stored already, what of it is text; None where they are to be stored.
    """

    message_id: int
    raw: bytes | None = None
    skeleton: Skeleton | None = None
    kept: Kept | None = None


_pack = msgspec.msgpack.Encoder().encode
_jobs = msgspec.msgpack.Decoder(list[Job]).decode
_answers = msgspec.msgpack.Decoder(list[Blocks]).decode


class Parsers:
    """A pool of parser processes, each started when it is first needed. An async context manager."""

    def __init__(self, count: int | None = None):
        self._count = count or min(os.cpu_count() or 1, 4)
        # Last in, first out: a second worker is started only when the first is busy.
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        self._starting: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Parsers":
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._starting, return_exceptions=True)
        while not self._idle.empty():
            await _end(self._idle.get_nowait())

    def start(self, calls: int) -> None:
        """Start processes for so many calls of `parse` that will come; one that idles already is enough."""
        for _ in range(min(calls, self._idle.qsize())):
            self._starting.append(asyncio.create_task(self._start_one()))

    async def _start_one(self) -> None:
        worker = await self._idle.get()
        try:
            worker = worker or await _start()
        finally:  # what could not be started now is tried again by `parse`, which says why
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
        worker = await self._idle.get()
        try:
            worker = worker or await _start()
            return await _ask(worker, jobs)
        except BaseException as error:
            await _end(worker)
            worker = None
            if isinstance(error, OSError | TimeoutError | asyncio.IncompleteReadError | msgspec.DecodeError):
                raise _GaveUp(type(error).__name__) from error
            raise
        finally:
            self._idle.put_nowait(worker)


class _GaveUp(Exception):
    """A worker died, hung or answered nonsense."""


def bare(job: Job, reason: str) -> Blocks:
    """The rows of a message that nothing could read: its bytes, and why."""
    return _rows(job, unread(_identity(job), reason))


def _identity(job: Job) -> bytes:
    return job.skeleton.canonical_sha256 if job.skeleton else canonical_sha256(job.raw or b"")


def _rows(job: Job, reading: Reading) -> Blocks:
    if job.kept is not None or job.raw is None:
        return Blocks(projection(job.message_id, reading, PARSER, job.kept or Kept()), [])
    return blocks(job.message_id, job.raw, reading, PARSER)


async def _start() -> asyncio.subprocess.Process:
    try:
        return await _spawn()
    except OSError as error:
        raise Retry(f"cannot start a parser process: {error.strerror}; is the machine short of memory?") from error


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # -P: nothing is imported from the folder that we happen to be in. A session of its own: Ctrl-C is for us, and
        # the worker ends with its pipe.
        sys.executable, "-P", "-m", "etl.parsers",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=PIPE_BYTES, start_new_session=True,
    )  # fmt: skip


async def _ask(worker: asyncio.subprocess.Process, jobs: Sequence[Job]) -> list[Blocks]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    frame = _pack(jobs)
    async with asyncio.timeout(MESSAGE_SECONDS_MAX):
        worker.stdin.write(_LENGTH.pack(len(frame)) + frame)
        await worker.stdin.drain()
        (length,) = _LENGTH.unpack(await worker.stdout.readexactly(_LENGTH.size))
        return _answers(await worker.stdout.readexactly(length))


async def _end(worker: asyncio.subprocess.Process | None) -> None:
    if worker is None:
        return
    if worker.returncode is None:
        worker.kill()
    await worker.communicate()


def answer(job: Job) -> Blocks:
    """What a worker does: read a message, and make its rows."""
    # Only the workers pay for loading the parser.
    from etl.mime.large import LargeReader, read_large
    from etl.mime.reading import read

    if job.raw is not None and len(job.raw) > CHUNK_OCTETS:  # LIST lied; read again, it will be read as large ones are
        reader = LargeReader()
        reader.feed(job.raw)
        return _rows(job, read_large(reader.close()))
    return _rows(job, read_large(job.skeleton) if job.skeleton else read(job.raw or b""))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while len(header := requests.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(header)
        request = requests.read(length)
        if len(request) < length:  # the run was killed in the middle of a frame
            return
        frame = _pack([answer(job) for job in _jobs(request)])
        answers.write(_LENGTH.pack(len(frame)) + frame)
        answers.flush()


if __name__ == "__main__":
    import contextlib

    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
