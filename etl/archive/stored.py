"""The bytes again: stream what is stored, check it, write it out. Memory is bounded by pieces, not by messages."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection, CursorResult, Row, text

from etl.archive.rows import Kept
from etl.archive.statements import statement, titled, titles
from etl.archive.steps import wire
from etl.errors import Misconfigured, Stop
from etl.mime.transfer import Base64Shape, encode

# A fetch takes so many rows, each with at most 1 MiB.
STEPS_AT_ONCE = 16


class Stored:
    """One stored message as it comes back. Drain `pieces`, then ask for its `fault`; None: all is as recorded.

    kept: what of it is stored as text, known then too.
    """

    def __init__(self, connection: Connection, message_id: int, sha256: bytes, octets: int, steps: Iterable[Row[Any]]):
        self.message_id, self.sha256, self.octets = message_id, sha256, octets
        self.fault: str | None = "it was not read to its end"
        self.kept = Kept()
        self._connection, self._steps = connection, steps

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
        self.fault = None if right else f"its {octets} bytes of {self.octets} hash to {digest.hexdigest()}"

    def _bytes(self, step: Row[Any]) -> Iterator[bytes]:
        """The bytes that one step of a recipe gives; none for the empty recipe of a message without bytes."""
        if step.text is not None:
            before, is_head = self.kept, step.position < 0
            self.kept = Kept(step.text) if is_head else Kept(before.head, (before.text or "") + step.text)
            yield wire(step.text)
        elif step.content is not None:
            yield _content(step)
        elif step.blob_id is not None:
            blob = _stream(self._connection, "blob", blob_id=step.blob_id)
            yield from encode(
                map(_content, blob), Base64Shape(step.line_octets, bytes(step.line_end), step.final_line_end)
            )


def _content(row: Row[Any]) -> bytes:
    return zstandard.decompress(row.content) if row.zstd else bytes(row.content)


def _stream(connection: Connection, name: str, **named: Any) -> CursorResult[Any]:
    return connection.execute(statement("stored", name), named, execution_options={"yield_per": STEPS_AT_ONCE})


def messages(connection: Connection, mailbox: str | None = None) -> Iterator[Stored]:
    """Every stored message in order; of one mailbox where it is named. Drain each before the next."""
    return _grouped(connection, _stream(connection, "messages", mailbox=mailbox))


def message(connection: Connection, message_id: int) -> Stored:
    """One stored message, which must be there."""
    return next(_grouped(connection, _stream(connection, "message", message_id=message_id)))


def _grouped(connection: Connection, rows: Iterable[Row[Any]]) -> Iterator[Stored]:
    for (message_id, sha256, octets), steps in itertools.groupby(rows, lambda r: (r.message_id, r.sha256, r.octets)):
        yield Stored(connection, message_id, bytes(sha256), octets, steps)


def checked(connection: Connection) -> Iterator[Stored]:
    """Every stored message, re-hashed."""
    for message in messages(connection):
        for _ in message.pieces():
            pass
        yield message


def books(connection: Connection) -> dict[str, list[str]]:
    """Each check of the books (sql/checks), by what it says, with what it finds wrong: an empty list where it holds."""
    return {says: list(connection.scalars(titled("checks", name))) for name, says in titles("checks").items()}


def export(connection: Connection, folder: Path, mailbox: str | None) -> Iterator[Stored]:
    """Write each message to `<sha256>.eml`, whole or not at all. Raises Stop where the disk refuses."""
    if mailbox and not connection.scalar(text("select 1 from archive.mailbox where name = :n"), {"n": mailbox}):
        raise Misconfigured(f"there is no mailbox {mailbox!r} in the archive; `popvault status` lists them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages(connection, mailbox):
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
