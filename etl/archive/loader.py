"""Messages into the archive: a batch is one transaction, bytes, rows and ledger together.

New messages are numbered by one set-based insert; all that hangs on them follows by COPY straight
into the tables, for nothing there can conflict.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
import zstandard
from sqlalchemy import Connection

from etl.archive.database import driver
from etl.archive.statements import statement
from etl.mime.rows import Reading

SEGMENT_OCTETS = 1024 * 1024

_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Arrival:
    """One retrieved message: which delivery it is, and its bytes off the wire."""

    delivery_id: int
    session_id: int
    raw: bytes
    sha256: bytes

    @classmethod
    def of(cls, delivery_id: int, session_id: int, raw: bytes) -> "Arrival":
        """An arrival with its identity."""
        return cls(delivery_id, session_id, raw, hashlib.sha256(raw).digest())


def known(connection: Connection, arrivals: Sequence[Arrival]) -> set[bytes]:
    """Which of the arrivals' SHA-256s the archive has already."""
    with connection.begin():
        return set(_messages(connection, "known", sha256s=[a.sha256 for a in arrivals]))


def load(
    connection: Connection, arrivals: Sequence[Arrival], readings: Mapping[bytes, Reading], parser: str
) -> dict[int, str]:
    """Commit a batch; {delivery id: "archived" or "duplicate"}.

    readings: by SHA-256, for each arrival that was not known.
    """
    with connection.begin():
        first = {a.sha256: a for a in reversed(arrivals)}
        have = _messages(connection, "known", sha256s=list(first))
        new = sorted((a for s, a in first.items() if s not in have), key=lambda a: a.sha256)
        added = _messages(
            connection, "add_messages",
            sha256s=[a.sha256 for a in new], octets=[len(a.raw) for a in new], session_ids=[a.session_id for a in new],
        )  # fmt: skip
        # Another loader may have committed some of them while we waited.
        have |= _messages(connection, "known", sha256s=[a.sha256 for a in new if a.sha256 not in added])
        cursor = driver(connection).cursor()
        fresh = [(added[a.sha256], a, readings[a.sha256]) for a in new if a.sha256 in added]
        for table, columns, rows in _TABLES:
            _copy(cursor, f"copy archive.{table} ({columns}) from stdin", rows(fresh, parser))
        _copy(cursor, "copy search.pending (message_id) from stdin", ((m,) for m, _, _ in fresh))
        outcomes = {
            a.delivery_id: "archived" if a.sha256 in added and first[a.sha256] is a else "duplicate" for a in arrivals
        }
        message_ids = have | added
        _copy(
            cursor,
            "copy archive.ledger (delivery_id, step, session_id, message_id, octets) from stdin",
            (
                (a.delivery_id, outcomes[a.delivery_id], a.session_id, message_ids[a.sha256], len(a.raw))
                for a in arrivals
            ),
        )
    return outcomes


Fresh = Sequence[tuple[int, Arrival, Reading]]
Rows = Iterable[Sequence[Any]]


def _segments(fresh: Fresh, parser: str) -> Rows:
    compressor = zstandard.ZstdCompressor(level=3)
    for message_id, arrival, _ in fresh:
        for position, start in enumerate(range(0, len(arrival.raw), SEGMENT_OCTETS)):
            piece = arrival.raw[start : start + SEGMENT_OCTETS]
            small = compressor.compress(piece)
            zstd = len(small) < len(piece)
            yield message_id, position, len(piece), zstd, small if zstd else piece


def _readings(fresh: Fresh, parser: str) -> Rows:
    for m, _, r in fresh:
        yield (
            m, parser, r.subject, r.message_id, r.in_reply_to, r.references, _json.encode(r.headers).decode(),
            r.date_written, r.date_at, r.date_offset_minutes, r.sent_at, r.sent_at_source, r.text,
        )  # fmt: skip


def _participants(fresh: Fresh, parser: str) -> Rows:
    for m, _, reading in fresh:
        for i, p in enumerate(reading.participants):
            address = p.address.lower()
            yield m, i, p.role, p.name, p.address, address, address.rpartition("@")[2]


def _parts(fresh: Fresh, parser: str) -> Rows:
    for m, _, reading in fresh:
        for p in reading.parts:
            yield (
                m, p.path, p.content_type, p.charset, p.transfer_encoding, p.disposition, p.filename,
                p.content_id, p.octets, p.sha256, p.attachment,
            )  # fmt: skip


def _hops(fresh: Fresh, parser: str) -> Rows:
    for m, _, reading in fresh:
        for h in reading.hops:
            yield m, h.position, h.from_host, h.by_host, h.protocol, h.trace_id, h.recipient, h.written, h.at


def _defects(fresh: Fresh, parser: str) -> Rows:
    for m, _, reading in fresh:
        for i, d in enumerate(reading.defects):
            yield m, i, d.kind, d.place, d.detail


# (table, columns, the rows of a batch)
_TABLES: list[tuple[str, str, Callable[[Fresh, str], Rows]]] = [
    ("segment", "message_id, position, octets, zstd, content", _segments),
    (
        "reading",
        'message_id, parser, subject, message_id_header, in_reply_to, "references", headers, date_written,'
        " date_at, date_offset_minutes, sent_at, sent_at_source, body",
        _readings,
    ),
    ("participant", "message_id, position, role, name, written, address, domain", _participants),
    (
        "part",
        "message_id, path, content_type, charset, transfer_encoding, disposition, filename, content_id,"
        " octets, sha256, attachment",
        _parts,
    ),
    ("hop", "message_id, position, from_host, by_host, protocol, trace_id, recipient, written, at", _hops),
    ("defect", "message_id, position, kind, place, detail", _defects),
]


def _copy(cursor: psycopg.Cursor[Any], sql: str, rows: Rows) -> None:
    with cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def _messages(connection: Connection, name: str, **named: Any) -> dict[bytes, int]:
    return {bytes(s): m for s, m in connection.execute(statement("load", name), named)}
