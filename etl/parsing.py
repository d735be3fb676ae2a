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
from etl.archive.rows import Blocks, Kept, blocks, projection
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
    return _rows(job, unread(_identity(job), reason))


def _identity(job: Job) -> bytes:
    return job.skeleton.canonical_sha256 if job.skeleton else canonical_sha256(job.raw or b"")


def _rows(job: Job, reading: Reading) -> Blocks:
    if job.kept is not None or job.raw is None:
        return Blocks(projection(job.message_id, reading, PARSER, job.kept or Kept()), [])
    return blocks(job.message_id, job.raw, reading, PARSER)


def answer(job: Job) -> Blocks:
    """Read a message, and make its rows."""
    # Only the workers pay for loading the parser.
    from etl.mime.large import LargeReader, read_large
    from etl.mime.reading import read

    if job.raw is not None and len(job.raw) > CHUNK_OCTETS:  # LIST lied; read again, it will be read as large ones are
        reader = LargeReader()
        reader.feed(job.raw)
        return _rows(job, read_large(reader.close()))
    return _rows(job, read_large(job.skeleton) if job.skeleton else read(job.raw or b""))


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
        answers.write(framed([answer(job) for job in _jobs_of(request)]))
        answers.flush()
