"""Readings as rows in Postgres's COPY text format: made by the parser processes, only passed on by the loader.

Imports nothing heavy: every parser process pays for it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from types import NoneType
from typing import Any

import msgspec
import zstandard

from etl.archive.fields import told
from etl.archive.steps import BlobStep, Steps
from etl.mime import terms
from etl.mime.addresses import normalised
from etl.mime.rows import Hop, Participant, Reading

Rows = Iterable[Sequence[Any]]


class Written(str):
    """Columns that are COPY text already, with tabs between."""


_of_thread = threading.local()
_json = msgspec.json.Encoder()


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """What of a message is stored as text, and is not stored again as read: its head, its body; None for none."""

    head: str | None = None
    text: str | None = None


class Blocks(msgspec.Struct, array_like=True, frozen=True):
    """The rows of one message, and what gives its bytes again.

    read: for each of PROJECTIONS, in order, and of TERMS its lines of COPY text.
    stored: the lines of each of STORED; none where the bytes are stored already.
    blobs: no lines, since another message may have brought the same.
    """

    read: list[bytes]
    blobs: list[BlobStep]
    stored: list[bytes] = []


def blocks(
    message_ids: Sequence[int], readings: Sequence[Reading], parser: str, made: Sequence[Steps], kept: Sequence[Kept]
) -> list[Blocks]:
    """The rows of messages, of each in order.

    made: what gives their bytes again, and is still to be stored. kept: what those bytes say.
    """
    # Table by table, for the same reason as in `reading.read_all`.
    stored = [list(map(copy_text, message_ids, map(rows, made))) for rows in (_heads, _segments)]
    read = [
        list(map(copy_text, message_ids, map(_readings, readings, repeat(parser), kept))),
        *(list(map(copy_text, message_ids, map(rows, readings))) for _, _, rows in _READ),
        list(map(copy_text, message_ids, map(_terms, readings))),
    ]
    of_each = zip(zip(*read, strict=True), made, zip(*stored, strict=True), strict=True)
    return [Blocks(list(lines), steps.blobs, list(storing)) for lines, steps, storing in of_each]


def copy_text(message_id: int, rows: Rows) -> bytes:
    """Rows as lines of COPY text, each begun by the message's number (PostgreSQL manual, COPY, "Text Format")."""
    lines = [f"{message_id}\t{_line(row)}\n" for row in rows]
    return "".join(lines).encode() if lines else b""


def _line(row: Sequence[Any]) -> str:
    return "\t".join([_WRITTEN[type(value)](value) for value in row])


def _compressor() -> zstandard.ZstdCompressor:
    """One for each thread, for to make one takes as long as to compress a letter."""
    if not hasattr(_of_thread, "compressor"):
        _of_thread.compressor = zstandard.ZstdCompressor(level=3)
    made: zstandard.ZstdCompressor = _of_thread.compressor
    return made


def compressed(piece: bytes) -> tuple[bool, bytes]:
    """Whether zstd makes the piece smaller, and the smaller form."""
    small = _compressor().compress(piece)
    return (True, small) if len(small) < len(piece) else (False, piece)


def _heads(made: Steps) -> Rows:
    return [] if made.head is None else [(made.head_octets, made.head)]


def _segments(made: Steps) -> Rows:
    for s in made.segments:
        yield s.position, s.octets, s.text, *(compressed(s.content) if s.content is not None else (None, None))


def _readings(r: Reading, parser: str, kept: Kept) -> Rows:
    headers, decoded = told(r, kept.head)
    yield (
        parser, r.canonical_sha256, r.subject, r.message_id, r.in_reply_to, r.references,
        _jsonb(headers), _jsonb(decoded),
        r.date_written, r.date_at, r.date_offset_minutes, r.sent_at, r.sent_at_source,
        _hops(r.hops), None if r.text == kept.text else r.text,
    )  # fmt: skip


def _jsonb(value: Any) -> str | None:
    return None if value is None else _json.encode(value).decode()


def _hops(hops: list[Hop]) -> Written:
    """An array of composites, each with its commas and quotes (PostgreSQL manual, "Array Input" and "Composite")."""
    elements = []
    for hop in hops:
        clauses = (hop.from_host, hop.by_host, hop.protocol)
        written = _clauses_again if sum([len(c) for c in clauses if c]) < 500 else _clauses
        at = rf'\\"{hop.at.isoformat()}\\"' if hop.at else ""
        elements.append(f'{written(*clauses)}{at})"')
    return Written("{" + ",".join(elements) + "}")


def _clauses(from_host: str | None, by_host: str | None, protocol: str | None) -> str:
    """How a hop begins in an array: all but its time."""
    fields = ",".join(map(_composite_field, (from_host, by_host, protocol)))
    return _escaped(_quoted(f"({fields},")[:-1])


# The same few servers and people come again and again.
_clauses_again = lru_cache(maxsize=4096)(_clauses)


def _participants(reading: Reading) -> Rows:
    for i, p in enumerate(reading.participants):
        columns = _person_again if len(p.name) + len(p.address) < 200 else _person
        yield i, columns(p)


def _person(p: Participant) -> Written:
    address = normalised(p.address)
    written = None if p.address == address else p.address
    return Written(_line((p.role, p.name, written, address, p.group or None)))


_person_again = lru_cache(maxsize=4096)(_person)


def _parts(reading: Reading) -> Rows:
    for p in reading.parts:
        yield (
            p.path, p.content_type, p.charset, p.transfer_encoding, p.disposition, p.filename,
            p.content_id, p.octets, p.sha256, p.attachment, p.safe_name, p.sniffed_type, p.protection, p.protected_by,
            p.packing,
        )  # fmt: skip


def _nested(reading: Reading) -> Rows:
    for n in reading.nested:
        yield n.path, n.kind, n.subject, n.from_name, _lower(n.from_address), n.sent_at, n.message_id, _jsonb(n.headers)


def _reports(reading: Reading) -> Rows:
    for i, r in enumerate(reading.reports):
        yield (
            i, r.path, r.kind, _lower(r.final_recipient), _lower(r.original_recipient), r.action, r.status,
            r.diagnostic, r.reporter, r.remote_host, r.original_message_id,
        )  # fmt: skip


def _events(reading: Reading) -> Rows:
    for i, e in enumerate(reading.events):
        yield (
            i, e.path, e.method, e.uid, e.sequence, e.recurrence_id, e.summary, e.starts_at, e.ends_at, e.all_day,
            e.zone, e.recurrence, e.organizer, e.attendees, e.answer, e.location,
        )  # fmt: skip


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _defects(reading: Reading) -> Rows:
    for i, d in enumerate(reading.defects):
        yield i, d.kind, d.place, d.detail, d.offset


def _manner(reading: Reading) -> Rows:
    for m in reading.manner:
        yield m.automatic, m.thread_index


def _terms(reading: Reading) -> Rows:
    yield reading.sent_at, terms.of(reading)


# (table, its columns after message_id, the rows of a reading)
_READ: list[tuple[str, str, Callable[[Reading], Rows]]] = [
    ("archive.participant", "position, role, name, written, address, group_name", _participants),
    (
        "archive.part",
        "path, content_type, charset, transfer_encoding, disposition, filename, content_id, octets, sha256, attachment,"
        " safe_name, sniffed_type, protection, protected_by, packing",
        _parts,
    ),
    (
        "archive.nested_message",
        "path, kind, subject, from_name, from_address, sent_at, message_id_header, headers",
        _nested,
    ),
    (
        "archive.report",
        "position, path, kind, final_recipient, original_recipient, action, status, diagnostic, reporter, remote_host,"
        " original_message_id",
        _reports,
    ),
    (
        "archive.event",
        "position, path, method, uid, sequence, recurrence_id, summary, starts_at, ends_at, all_day, zone, recurrence,"
        " organizer, attendees, answer, location",
        _events,
    ),
    ("archive.defect", "position, kind, place, detail, offset_octets", _defects),
    ("archive.manner", "automatic, thread_index", _manner),
]

# (table, its columns), in the order of `Blocks.read`: all that can be read again from the bytes.
PROJECTIONS: list[tuple[str, str]] = [
    (
        "archive.reading",
        'message_id, parser, canonical_sha256, subject, message_id_header, in_reply_to, "references", headers, decoded,'
        " date_written, date_at, date_offset_minutes, sent_at, sent_at_source, hops, body",
    ),
    *((table, f"message_id, {columns}") for table, columns, _ in _READ),
]

# (table, its columns) of what is last in `Blocks.read`: what a message is found by. Soon gone, and so not compared.
TERMS = ("search.fresh", "message_id, sent_at, terms")

# (table, its columns), in the order of `Blocks.stored`.
STORED: list[tuple[str, str]] = [
    ("archive.head", "message_id, octets, content"),
    ("archive.segment", "message_id, position, octets, text, zstd, content"),
]


def _escaped(text: str) -> str:
    if "\\" not in text:
        if text.isprintable():  # nearly all: none of the others is in it
            return text
    else:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array(values: list[str]) -> str:
    return _escaped("{" + ",".join(map(_quoted, values)) + "}")


def _composite_field(value: str | None) -> str:
    return "" if value is None else _quoted(value)


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return f'"{text}"' if '"' not in text else '"' + text.replace('"', '\\"') + '"'


_WRITTEN: dict[type, Callable[[Any], str]] = {
    NoneType: lambda _: r"\N",
    str: _escaped,
    Written: lambda value: value,
    bool: lambda value: "t" if value else "f",
    int: str,
    bytes: lambda value: r"\\x" + value.hex(),
    datetime: datetime.isoformat,
    list: _array,
}
