"""What one parser process does: a frame of jobs in, a frame of their rows out. `parsers` is the pool of them.

Each process loads all that is imported here before it reads its first message, so it is no more than that takes.
"""

import contextlib
import gc
import struct
import sys
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from etl.archive.recipe import CHUNK_OCTETS
from etl.archive.rows import Blocks, Kept, blocks
from etl.archive.steps import Steps, steps
from etl.mime.canonical import canonical_sha256
from etl.mime.rows import Reading, Skeleton, unread
from etl.mime.version import PARSER

# A frame is its length and that many bytes.
LENGTH = struct.Struct(">Q")


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
_jobs_of = msgspec.msgpack.Decoder(list[Job]).decode
answers_of = msgspec.msgpack.Decoder(list[Blocks]).decode


def framed(values: Sequence[Job] | Sequence[Blocks]) -> bytes:
    """A frame."""
    packed = _pack(values)
    return LENGTH.pack(len(packed)) + packed


def bare(job: Job, reason: str) -> Blocks:
    """The rows of a message that nothing could read: its bytes, and why."""
    return _rows([job], [unread(_identity(job), reason)])[0]


def _identity(job: Job) -> bytes:
    return job.skeleton.canonical_sha256 if job.skeleton else canonical_sha256(job.raw or b"")


def answer(jobs: Sequence[Job]) -> list[Blocks]:
    """Read messages, and make their rows; of each, in order."""
    return _rows(jobs, _readings(jobs))


def _readings(jobs: Sequence[Job]) -> list[Reading]:
    # Only the workers pay for loading the parser.
    from etl.mime.reading import read_all

    small = iter(read_all([job.raw or b"" for job in jobs if _is_small(job)]))
    return [next(small) if _is_small(job) else _read_large(job) for job in jobs]


def _is_small(job: Job) -> bool:
    return not job.skeleton and len(job.raw or b"") <= CHUNK_OCTETS


def _read_large(job: Job) -> Reading:
    from etl.mime.large import LargeReader, read_large

    if job.skeleton:
        return read_large(job.skeleton)
    reader = LargeReader()  # LIST lied; read again, it will be read as large ones are
    reader.feed(job.raw or b"")
    return read_large(reader.close())


def _rows(jobs: Sequence[Job], readings: Sequence[Reading]) -> list[Blocks]:
    made = list(map(_steps, jobs, readings))
    kept = [job.kept or Kept(steps.head, steps.text) for job, steps in zip(jobs, made, strict=True)]
    return blocks([job.message_id for job in jobs], readings, PARSER, made, kept)


def _steps(job: Job, reading: Reading) -> Steps:
    """What is still to be stored; nothing where the bytes are stored already."""
    stored = job.kept is not None or job.raw is None
    return Steps() if stored else steps(job.message_id, job.raw or b"", reading)


def serve() -> None:
    """Answer frames of jobs on standard input until it ends. Begun with Python's collector off, as in `__main__`."""
    # Now, and not when the first message has come and waits.
    import etl.mime.large
    import etl.mime.reading  # noqa: F401

    gc.freeze()
    gc.enable()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while len(header := requests.read(LENGTH.size)) == LENGTH.size:
        (length,) = LENGTH.unpack(header)
        request = requests.read(length)
        if len(request) < length:  # the run was killed in the middle of a frame
            return
        answers.write(framed(answer(_jobs_of(request))))
        answers.flush()
