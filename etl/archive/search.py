"""Search: terms folded into segments beside the load, messages found, and one shown whole."""

import re
import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
    ordered = sorted(fresh, key=lambda row: (row[1] is not None, row[1], row[0]))
    dates = [sent_at for _, sent_at, _ in ordered if sent_at]
    segment = {
        **span,
        "message_ids": [message_id for message_id, _, _ in ordered],
        "sent_ats": ["-infinity"] * (len(ordered) - len(dates)) + [date.isoformat() for date in dates],
        "oldest": dates[0] if dates else None,
        "newest": dates[-1] if dates else None,
    }
    connection.execute(statement("search", "drop_superseded"), span)
    segment_id = connection.scalar(statement("search", "add_segment"), segment)
    copy = "copy search.posting (segment_id, bucket, terms, ends, places) from stdin"
    with driver(connection).cursor().copy(copy) as lines:
        for line in _postings(terms for _, _, terms in ordered):
            lines.write(f"{segment_id}\t{line}")


def _postings(messages: Iterable[bytes]) -> Iterable[str]:
    """Lines of COPY text, one for each bucket: its number, terms, where the list of each ends, and the lists."""
    places: defaultdict[int, array[int]] = defaultdict(lambda: array("h"))
    for place, terms in enumerate(messages, start=1):
        for term in set(struct.unpack(f">{len(terms) // 4}i", terms)):
            places[term].append(place)
    buckets: defaultdict[int, list[int]] = defaultdict(list)
    for term in places:
        buckets[term >> _BUCKET_SHIFT].append(term)
    for bucket, terms_of_bucket in sorted(buckets.items()):
        listed = array("h")
        ends: list[int] = []
        for term in terms_of_bucket:
            listed += places[term]
            ends.append(len(listed))
        yield f"{bucket}\t{_array(terms_of_bucket)}\t{_array(ends)}\t{_array(listed)}\n"


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


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
