"""Processes that parse beside the download, one pipe each.

A worker ends when its pipe does, so a killed run leaves none behind. One that crashes or hangs is
replaced, and the message that did it is archived as unreadable.
"""

import asyncio
import os
import struct
import sys
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from etl.mime.rows import Reading, unread

# The slowest message of the corpus takes under half a second.
MESSAGE_SECONDS_MAX = 60.0

# What is larger is not parsed whole: the parser needs several times a message's size.
PARSE_OCTETS_MAX = 64 * 1024 * 1024

_LENGTH = struct.Struct(">Q")
_pack = msgspec.msgpack.Encoder().encode
_raws = msgspec.msgpack.Decoder(list[bytes]).decode
_readings = msgspec.msgpack.Decoder(list[Reading]).decode


class Parsers:
    """A pool of parser processes. Use it as an async context manager."""

    def __init__(self, count: int | None = None):
        self._count = count or min(os.cpu_count() or 1, 4)
        self._idle: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()

    async def __aenter__(self) -> "Parsers":
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._idle.empty():
            await _end(self._idle.get_nowait())

    async def parse(self, raws: Sequence[bytes]) -> list[Reading]:
        """A reading for each message, in order."""
        if not raws:
            return []
        worker = await self._idle.get()
        try:
            worker = worker or await _start()
            return await _ask(worker, raws)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.DecodeError) as error:
            await _end(worker)
            worker, failure = None, error
        except BaseException:
            await _end(worker)
            worker = None
            raise
        finally:
            self._idle.put_nowait(worker)
        if len(raws) == 1:
            return [unread(f"the parser gave up: {type(failure).__name__}")]
        return [(await self.parse([raw]))[0] for raw in raws]


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "etl.parsers", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def _ask(worker: asyncio.subprocess.Process, raws: Sequence[bytes]) -> list[Reading]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    frame = _pack(raws)
    async with asyncio.timeout(MESSAGE_SECONDS_MAX):
        worker.stdin.write(_LENGTH.pack(len(frame)) + frame)
        await worker.stdin.drain()
        (length,) = _LENGTH.unpack(await worker.stdout.readexactly(_LENGTH.size))
        return _readings(await worker.stdout.readexactly(length))


async def _end(worker: asyncio.subprocess.Process | None) -> None:
    if worker is None:
        return
    if worker.returncode is None:
        worker.kill()
    await worker.communicate()


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while len(header := requests.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(header)
        request = requests.read(length)
        if len(request) < length:  # the run was killed in the middle of a frame
            return
        frame = _pack([_read(raw) for raw in _raws(request)])
        answers.write(_LENGTH.pack(len(frame)) + frame)
        answers.flush()


def _read(raw: bytes) -> Reading:
    from etl.mime.reading import read  # only the workers pay for loading the parser

    if len(raw) <= PARSE_OCTETS_MAX:
        return read(raw)
    return read(raw[: raw.find(b"\r\n\r\n", 0, PARSE_OCTETS_MAX) + 4], whole=False)


if __name__ == "__main__":
    import contextlib

    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
