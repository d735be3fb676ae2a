"""The bytes again: stream what is stored, check it, write it out. Memory is bounded by pieces, not by messages."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection, CursorResult, Row, text

from etl.archive.rows import Kept
from etl.archive.statements import statement
from etl.archive.steps import wire
from etl.errors import Misconfigured, Stop
from etl.mime.transfer import Base64Shape, encode

# A fetch takes so many rows, each with at most 1 MiB.
STEPS_AT_ONCE = 16

_zstd = zstandard.ZstdDecompressor()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of the stored messages. None for no such limit; what was disposed of is in none of them.

    mailbox: those that it held. since: those archived since that day began (UTC). sample, percent: so many of these, or
    that share, taken at random.
    """

    mailbox: str | None = None
    since: date | None = None
    sample: int | None = None
    percent: float | None = None

    def __str__(self) -> str:
        what = "all messages"
        if self.sample is not None:
            what = f"a sample of {self.sample} messages"
        elif self.percent is not None:
            what = f"a sample of {self.percent:g} % of the messages"
        return what if self.since is None else f"{what} archived since {self.since}"


ALL = Chosen()


class Stored:
    """One stored message as it comes back. Drain `pieces`, then ask for its `fault`; None: all is as recorded.

    kept: what of it is stored as text, known then too.
    """

    def __init__(self, connection: Connection, message_id: int, sha256: bytes, octets: int, steps: Iterable[Row[Any]]):
        self.message_id, self.sha256, self.octets = message_id, sha256, octets
        self.fault: str | None = "it was not read to its end"
        self.kept = Kept()
        self._connection, self._steps = connection, steps
        self._flaw: str | None = None

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the message, in pieces of about a MiB."""
        digest, octets = hashlib.sha256(), 0
        try:
            for step in self._steps:
                given = 0
                for piece in self._bytes(step):
                    digest.update(piece)
                    given += len(piece)
                    yield piece
                octets += given
                if given != (step.segment_octets or 0):
                    self.fault = f"a step of its recipe gives {given} bytes, not {step.segment_octets}"
                    return
        except zstandard.ZstdError as error:
            self.fault = f"its stored bytes cannot be decompressed ({error})"
            return
        right = (digest.digest(), octets) == (self.sha256, self.octets)
        self.fault = self._flaw if right else f"its {octets} bytes of {self.octets} hash to {digest.hexdigest()}"

    def _bytes(self, step: Row[Any]) -> Iterator[bytes]:
        """The bytes that one step of a recipe gives; none for the empty recipe of a message without bytes."""
        if step.text is not None:
            before, is_head = self.kept, step.position < 0
            self.kept = Kept(step.text) if is_head else Kept(before.head, (before.text or "") + step.text)
            yield wire(step.text)
        elif step.content is not None:
            yield _content(step)
        elif step.blob_id is not None:
            shape = Base64Shape(step.line_octets, bytes(step.line_end), step.final_line_end)
            yield from encode(self._blob(step.blob_id), shape)

    def _blob(self, blob_id: int) -> Iterator[bytes]:
        """The pieces of a blob. Where they are not what the blob's own SHA-256 says, that is a flaw of the message."""
        digest, octets, named = hashlib.sha256(), 0, None
        with closing(_stream(self._connection, "blob", blob_id=blob_id)) as rows:
            for row in rows:
                content = _content(row)
                digest.update(content)
                octets += len(content)
                named = (bytes(row.sha256), row.octets)
                yield content
        if named != (digest.digest(), octets):
            self._flaw = f"the {octets} bytes of blob {blob_id} hash to {digest.hexdigest()}, which is not its name"


def _content(row: Row[Any]) -> bytes:
    # Nothing may lie behind what was compressed: it would be neither read nor missed.
    return _zstd.decompress(row.content, allow_extra_data=False) if row.zstd else bytes(row.content)


def _stream(connection: Connection, name: str, **named: Any) -> CursorResult[Any]:
    return connection.execute(statement("stored", name), named, execution_options={"yield_per": STEPS_AT_ONCE})


def messages(connection: Connection, chosen: Chosen = ALL) -> Iterator[Stored]:
    """The chosen messages in order. Drain each before the next."""
    return _grouped(connection, _stream(connection, "messages", **asdict(chosen)))


def message(connection: Connection, message_id: int) -> Stored:
    """One stored message, which must be there."""
    return next(_grouped(connection, _stream(connection, "message", message_id=message_id)))


def _grouped(connection: Connection, rows: Iterable[Row[Any]]) -> Iterator[Stored]:
    for (message_id, sha256, octets), steps in itertools.groupby(rows, lambda r: (r.message_id, r.sha256, r.octets)):
        yield Stored(connection, message_id, bytes(sha256), octets, steps)


def export(connection: Connection, folder: Path, mailbox: str | None) -> Iterator[Stored]:
    """Write each message to `<sha256>.eml`, whole or not at all. Raises Stop where the disk refuses."""
    if mailbox and not connection.scalar(text("select 1 from archive.mailbox where name = :n"), {"n": mailbox}):
        raise Misconfigured(f"there is no mailbox {mailbox!r} in the archive; `popvault status` lists them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages(connection, Chosen(mailbox)):
            _write(message, folder / f"{message.sha256.hex()}.eml")
            yield message
    except OSError as error:
        raise Stop(f"cannot write to {folder}: {error.strerror}; make room or choose another folder") from error


def _write(message: Stored, path: Path) -> None:
    scratch = path.with_suffix(".part")
    with scratch.open("wb") as file:
        file.writelines(message.pieces())
    if message.fault is None:
        scratch.replace(path)
    else:
        scratch.unlink()
