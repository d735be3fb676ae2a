"""Messages into the archive: a batch is one transaction, bytes, rows and ledger together.

Messages are numbered before they are read, so that the rows that hang on them come ready for COPY
from the parser processes; they go straight into the tables, for nothing there can conflict.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from etl.archive import blobs, downloads
from etl.archive.database import driver
from etl.archive.recipe import Blob
from etl.archive.rows import PROJECTIONS, STORED, TERMS, Blocks
from etl.archive.statements import statement
from etl.mime.rows import Skeleton


@dataclass(frozen=True, slots=True)
class Arrival:
    """One retrieved message: which delivery it is, its identity, and what to read of it.

    raw: the bytes off the wire. Of a large message, whose bytes are in the database already as pieces of a download,
    there is only the skeleton, for the parser, and `blobs`, its base64 parts.
    """

    delivery_id: int
    session_id: int
    sha256: bytes
    head_sha256: bytes
    octets: int
    raw: bytes | None
    skeleton: Skeleton | None = None
    blobs: tuple[Blob, ...] = ()

    @classmethod
    def of(cls, delivery_id: int, session_id: int, raw: bytes) -> "Arrival":
        """A message that came whole."""
        return cls(delivery_id, session_id, hashlib.sha256(raw).digest(), head_sha256(raw), len(raw), raw)

    @property
    def held_octets(self) -> int:
        """What it takes up in memory, more or less."""
        return len(self.raw or b"") + (len(self.skeleton.raw) if self.skeleton else 0)


@dataclass(frozen=True, slots=True)
class Number:
    """A message's number, and whether the archive has the message already.

    disposed_on: the day on which its bytes were disposed of: they are not stored again.
    """

    message_id: int
    known: bool
    disposed_on: str | None


def head_sha256(raw: bytes) -> bytes:
    """The hash of a message's header block, the same whether the message or TOP's answer is given."""
    end = raw.find(b"\r\n\r\n")
    return hashlib.sha256(raw[:end] if end >= 0 else raw.rstrip(b"\r\n")).digest()


def number(connection: Connection, arrivals: Sequence[Arrival]) -> dict[bytes, Number]:
    """By SHA-256: the number each message has, or will have if it is new."""
    with connection.begin():
        named = {"sha256s": list(dict.fromkeys(a.sha256 for a in arrivals))}
        rows = connection.execute(statement("load", "number"), named)
        return {bytes(row.sha256): Number(row.message_id, row.known, row.disposed_on) for row in rows}


def load(
    connection: Connection,
    arrivals: Sequence[Arrival],
    numbers: Mapping[bytes, Number],
    blocks: Mapping[bytes, Blocks],
) -> dict[int, str]:
    """Commit a batch; {delivery id: "archived" or "duplicate"}.

    blocks: by SHA-256, the rows of each message that is not known (`rows.blocks`).
    """
    with connection.begin():
        first = {a.sha256: a for a in reversed(arrivals)}
        new = _add_messages(connection, [a for s, a in first.items() if not numbers[s].known], numbers)
        copy_rows(connection, STORED, [blocks[sha256].stored for sha256 in new])
        copy_rows(connection, [*PROJECTIONS, TERMS], [blocks[sha256].read for sha256 in new])
        steps = [step for sha256 in new for step in blocks[sha256].blobs]
        octets = {blob.sha256: blob.octets for arrival in new.values() for blob in arrival.blobs}
        added = blobs.add(connection, octets | {step.sha256: len(step.content) for step in steps})
        blobs.add_steps(connection, steps, added)
        found = {**numbers, **_raced(connection, first, numbers, new)}
        _take_over_pieces(connection, arrivals, {a.delivery_id: numbers[s].message_id for s, a in new.items()}, added)
        outcomes = {a.delivery_id: "archived" if new.get(a.sha256) is a else "duplicate" for a in arrivals}
        _enter(connection, [(a, outcomes[a.delivery_id], found[a.sha256]) for a in arrivals])
    return outcomes


def _enter(connection: Connection, entries: Sequence[tuple[Arrival, str, Number]]) -> None:
    """Enter into the ledger what became of each delivery, and which message it turned out to be."""
    columns = "delivery_id, step, session_id, message_id, octets, reason"
    with driver(connection).cursor().copy(f"copy archive.ledger ({columns}) from stdin") as copy:
        for a, step, found in entries:
            reason = found.disposed_on and f"disposed of on {found.disposed_on}, not stored again"
            copy.write_row((a.delivery_id, step, a.session_id, found.message_id, a.octets, reason))


def copy_rows(connection: Connection, tables: Sequence[tuple[str, str]], messages: Sequence[Sequence[bytes]]) -> None:
    """Copy rows into tables ((name, columns) each); messages: of each, its lines of COPY text for each table."""
    cursor = driver(connection).cursor()
    for place, (table, columns) in enumerate(tables):
        if lines := b"".join(message[place] for message in messages if message):
            with cursor.copy(f"copy {table} ({columns}) from stdin") as copy:
                copy.write(lines)


def _add_messages(
    connection: Connection, new: Sequence[Arrival], numbers: Mapping[bytes, Number]
) -> dict[bytes, Arrival]:
    """Insert messages; those that nobody else put there meanwhile."""
    columns: dict[str, list[Any]] = {
        "message_ids": [numbers[a.sha256].message_id for a in new],
        "sha256s": [a.sha256 for a in new],
        "octets": [a.octets for a in new],
        "head_sha256s": [a.head_sha256 for a in new],
        "session_ids": [a.session_id for a in new],
    }
    added = {bytes(s) for s in connection.scalars(statement("load", "add_messages"), columns)} if new else set()
    return {a.sha256: a for a in new if a.sha256 in added}


def _raced(
    connection: Connection,
    first: Mapping[bytes, Arrival],
    numbers: Mapping[bytes, Number],
    new: Mapping[bytes, Arrival],
) -> dict[bytes, Number]:
    """The numbers of messages that another loader committed after we had numbered them."""
    lost = [sha256 for sha256 in first if not numbers[sha256].known and sha256 not in new]
    if not lost:
        return {}
    rows = connection.execute(statement("load", "number"), {"sha256s": lost})
    return {bytes(row.sha256): Number(row.message_id, row.known, row.disposed_on) for row in rows}


def _take_over_pieces(
    connection: Connection, arrivals: Sequence[Arrival], new: Mapping[int, int], added: blobs.Added
) -> None:
    """The pieces of downloads become recipes of new messages ({delivery id: message id}); the rest is dropped."""
    for arrival in arrivals:
        if arrival.skeleton:
            if arrival.delivery_id in new:
                downloads.take_over(connection, arrival.delivery_id, new[arrival.delivery_id], arrival.blobs, added)
            downloads.drop(connection, arrival.delivery_id)
