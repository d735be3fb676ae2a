"""Search: terms folded into segments beside the load, messages found, and one shown whole."""

import re
import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.archive import loader
from etl.archive.database import driver
from etl.archive.rows import TERMS
from etl.archive.statements import statement
from etl.errors import Misconfigured

# What a segment holds. A query looks into each segment and goes through all messages that are in none yet; at 8,192
# a million messages are 122 segments, and those in none take some milliseconds. Places have 15 bits.
SEGMENT_MESSAGES = 8192
# So many messages of a segment are a row, as migration 0015 and search.window have it.
_STRETCH_MESSAGES = 64
# A term that more than a sixteenth of a segment has takes two octets for each of them, or a bit for each message.
COMMON_FRACTION = 16
# The bits of a term that do not tell its bucket: 2,048 buckets, of some 50 terms each.
_BUCKET_SHIFT = 21
# Anything constant: two that fold at once would fold the same messages.
_FOLDING_LOCK = 0x706F71

_Fresh = tuple[int, datetime | None, bytes]


def fold(connection: Connection) -> int:
    """Make a segment of the oldest messages that are in none; how many. Call until it gives 0."""
    with connection.begin():
        # Terms are made again at will, and what a power cut takes is in search.fresh as before.
        connection.execute(text("set local synchronous_commit = off"))
        if not connection.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": _FOLDING_LOCK}):
            return 0
        named = {"messages": SEGMENT_MESSAGES}
        # Asked after each batch, and mostly in vain: to fetch them for it takes as long as half of the loading.
        if connection.scalar(statement("search", "count_fresh"), named) < SEGMENT_MESSAGES:
            return 0
        fresh: list[Any] = list(connection.execute(statement("search", "fresh"), named))
        _add_segment(connection, fresh)
    _vacuum(connection)
    return len(fresh)


def _add_segment(connection: Connection, fresh: Sequence[_Fresh]) -> None:
    message_ids = [message_id for message_id, _, _ in fresh]
    span = {"message_ids": message_ids, "first": min(message_ids), "last": max(message_ids)}
    connection.execute(statement("search", "supersede"), span)
    connection.execute(statement("search", "drop_fresh"), span)
    connection.execute(statement("search", "drop_superseded"), span)
    ordered = sorted(fresh, key=lambda row: (row[1] is not None, row[1], row[0]))
    dates = [sent_at for _, sent_at, _ in ordered if sent_at]
    segment = {**span, "oldest": dates[0] if dates else None, "newest": dates[-1] if dates else None}
    segment_id = connection.scalar(statement("search", "add_segment"), segment)
    places = _places(terms for _, _, terms in ordered)
    common = {term for term, listed in places.items() if len(listed) * COMMON_FRACTION > len(ordered)}
    for table, lines in (
        ("search.stretch (segment_id, number, message_ids, sent_ats)", _stretches(ordered)),
        ("search.common (segment_id, term, holders)", _bits(places, common, len(ordered))),
        ("search.posting (segment_id, bucket, terms, ends, places)", _postings(places, places.keys() - common)),
    ):
        with driver(connection).cursor().copy(f"copy {table} from stdin") as copy:
            for line in lines:
                copy.write(f"{segment_id}\t{line}\n")


def _places(messages: Iterable[bytes]) -> Mapping[int, "array[int]"]:
    """For each term the places of the messages that have it, from 1; messages: of each its terms, place by place."""
    places: defaultdict[int, array[int]] = defaultdict(lambda: array("h"))
    for place, terms in enumerate(messages, start=1):
        for term in set(struct.unpack(f">{len(terms) // 4}i", terms)):
            places[term].append(place)
    return places


def _stretches(ordered: Sequence[_Fresh]) -> Iterator[str]:
    """Columns of COPY text, of each stretch of messages: its number, the messages, their dates."""
    for number, first in enumerate(range(0, len(ordered), _STRETCH_MESSAGES)):
        stretch = ordered[first : first + _STRETCH_MESSAGES]
        dates = [f'"{sent_at.isoformat()}"' if sent_at else "-infinity" for _, sent_at, _ in stretch]
        yield f"{number}\t{_array(message_id for message_id, _, _ in stretch)}\t{_array(dates)}"


def _bits(places: Mapping[int, "array[int]"], terms: Iterable[int], messages: int) -> Iterator[str]:
    """Columns of COPY text: each of these terms, a bit for each of so many places."""
    for term in terms:
        bits = bytearray(b"0" * messages)
        for place in places[term]:
            bits[place - 1] = ord("1")
        yield f"{term}\t{bits.decode()}"


def _postings(places: Mapping[int, "array[int]"], terms: Iterable[int]) -> Iterator[str]:
    """Columns of COPY text, for each bucket: its number, its terms, where the list of each ends, and the lists."""
    buckets: defaultdict[int, list[int]] = defaultdict(list)
    for term in terms:
        buckets[term >> _BUCKET_SHIFT].append(term)
    for bucket, terms_of_bucket in sorted(buckets.items()):
        listed = array("h")
        ends: list[int] = []
        for term in terms_of_bucket:
            listed += places[term]
            ends.append(len(listed))
        yield f"{bucket}\t{_array(terms_of_bucket)}\t{_array(ends)}\t{_array(listed)}"


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def add_again(connection: Connection, read: Sequence[tuple[int, Sequence[bytes]]], changed: Iterable[int]) -> None:
    """Lay in anew the terms of messages that may be read otherwise now, and of those that have none yet.

    read: of each message the rows, `Blocks.read`.
    """
    ids = [message_id for message_id, _ in read]
    wanted = {*changed, *connection.scalars(statement("search", "unindexed"), {"message_ids": ids})}
    connection.execute(statement("search", "drop_fresh"), {"message_ids": list(wanted)})
    loader.copy_rows(connection, [TERMS], [rows[-1:] for message_id, rows in read if message_id in wanted])


def _vacuum(connection: Connection) -> None:
    """Give the place of folded rows to the next ones, now: the server's own vacuum may come a minute late."""
    raw = driver(connection)
    raw.autocommit = True
    try:
        raw.execute("vacuum (skip_locked) search.fresh")
    finally:
        raw.autocommit = False


def find(connection: Connection, query: str, matches: int, after_key: str | None = None) -> list[dict[str, Any]]:
    """A page of the messages that a query finds, behind the row with that key; Misconfigured for what is no query."""
    named = {"query": query.replace("\0", " "), "matches": matches, "after_key": after_key}
    with connection.begin(), asking():
        return [dict(row) for row in connection.execute(statement("search", "find"), named).mappings()]


@contextmanager
def asking() -> Iterator[None]:
    """What a person asked wrongly is Misconfigured, in the sentence that the database has for it."""
    try:
        yield
    except DBAPIError as error:
        cause: Any = error.orig
        if getattr(cause, "sqlstate", None) != "22023":  # invalid_parameter_value
            raise
        raise Misconfigured(cause.diag.message_primary) from error


def show(connection: Connection, message: str) -> dict[str, Any]:
    """All that is known of a message, by its number or the first 8 or more digits of its SHA-256."""
    digits = message.lower() if re.fullmatch(r"[0-9A-Fa-f]{8,64}", message) else None
    named = {
        "number": int(message) if re.fullmatch(r"[0-9]{1,18}", message) else None,
        "least": bytes.fromhex(digits.ljust(64, "0")) if digits else None,
        "greatest": bytes.fromhex(digits.ljust(64, "f")) if digits else None,
    }
    with connection.begin():
        rows = connection.execute(statement("search", "show"), named).mappings().all()
    if len(rows) != 1:
        problem = "there is no message" if not rows else "more than one message is called"
        raise Misconfigured(f"{problem} {message}; give its number, as search shows it, or 8 digits of its SHA-256")
    return dict(rows[0])
