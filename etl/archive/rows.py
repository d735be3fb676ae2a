"""Readings as rows in Postgres's COPY text format: made by the parser processes, only passed on by the loader.

Imports nothing heavy: every parser process pays for it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import zstandard

from etl.mime import terms
from etl.mime.rows import Reading

# Small enough to compress and send in one go, and what a checkpoint of a large download may lose.
CHUNK_OCTETS = 1024 * 1024

Rows = Iterable[Sequence[Any]]

_json = msgspec.json.Encoder()


def blocks(message_id: int, raw: bytes | None, reading: Reading, parser: str) -> list[bytes]:
    """The rows of one message: for each of TABLES, in order, its lines of COPY text.

    raw: the bytes to store as segments; None where they are stored already.
    """
    made = [_segments(raw) if raw is not None else (), *(rows(reading, parser) for _, _, rows in _READ)]
    return [copy_text(message_id, rows) for rows in made]


def copy_text(message_id: int, rows: Rows) -> bytes:
    """Rows as lines of COPY text, each begun by the message's number (PostgreSQL manual, COPY, "Text Format")."""
    return b"".join(b"%d\t%s\n" % (message_id, b"\t".join(map(_field, row))) for row in rows)


def compressed(piece: bytes) -> tuple[bool, bytes]:
    """Whether zstd makes the piece smaller, and the smaller form."""
    small = zstandard.ZstdCompressor(level=3).compress(piece)
    return (True, small) if len(small) < len(piece) else (False, piece)


def _segments(raw: bytes) -> Rows:
    for position, start in enumerate(range(0, len(raw), CHUNK_OCTETS)):
        piece = raw[start : start + CHUNK_OCTETS]
        yield position, len(piece), *compressed(piece)


def _readings(r: Reading, parser: str) -> Rows:
    yield (
        parser, r.subject, r.message_id, r.in_reply_to, r.references, _json.encode(r.headers).decode(),
        r.date_written, r.date_at, r.date_offset_minutes, r.sent_at, r.sent_at_source, r.text,
    )  # fmt: skip


def _participants(reading: Reading, parser: str) -> Rows:
    for i, p in enumerate(reading.participants):
        address = p.address.lower()
        yield i, p.role, p.name, p.address, address, address.rpartition("@")[2]


def _parts(reading: Reading, parser: str) -> Rows:
    for p in reading.parts:
        yield (
            p.path, p.content_type, p.charset, p.transfer_encoding, p.disposition, p.filename,
            p.content_id, p.octets, p.sha256, p.attachment,
        )  # fmt: skip


def _hops(reading: Reading, parser: str) -> Rows:
    for h in reading.hops:
        yield h.position, h.from_host, h.by_host, h.protocol, h.trace_id, h.recipient, h.written, h.at


def _defects(reading: Reading, parser: str) -> Rows:
    for i, d in enumerate(reading.defects):
        yield i, d.kind, d.place, d.detail


def _terms(reading: Reading, parser: str) -> Rows:
    yield reading.sent_at, terms.of(reading)


# (table, columns after message_id, the rows of a reading)
_READ: list[tuple[str, str, Callable[[Reading, str], Rows]]] = [
    (
        "archive.reading",
        'parser, subject, message_id_header, in_reply_to, "references", headers, date_written, date_at,'
        " date_offset_minutes, sent_at, sent_at_source, body",
        _readings,
    ),
    ("archive.participant", "position, role, name, written, address, domain", _participants),
    (
        "archive.part",
        "path, content_type, charset, transfer_encoding, disposition, filename, content_id, octets, sha256, attachment",
        _parts,
    ),
    ("archive.hop", "position, from_host, by_host, protocol, trace_id, recipient, written, at", _hops),
    ("archive.defect", "position, kind, place, detail", _defects),
    ("search.fresh", "sent_at, terms", _terms),
]

# (table, its columns), in the order of what `blocks` gives.
TABLES: list[tuple[str, str]] = [
    ("archive.segment", "message_id, position, octets, zstd, content"),
    *((table, f"message_id, {columns}") for table, columns, _ in _READ),
]


def _field(value: Any) -> bytes:
    if value is None:
        return rb"\N"
    if isinstance(value, str):
        return _escaped(value).encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytes):
        return rb"\\x" + value.hex().encode()
    if isinstance(value, datetime):
        return value.isoformat().encode()
    assert isinstance(value, list)
    return _escaped("{" + ",".join(map(_array_element, value)) + "}").encode()


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array_element(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
