"""A message's bytes as a Reading: the one door to the parser.

mail-parser reads what headers mean; `detours` says where we go round it, and why. What nothing can
read is a defect of the message, never an error.
"""

import logging
import re
from collections.abc import Mapping

from etl.mime import charsets, contents, headers, parts, text, tree
from etl.mime.rows import Defect, Leaf, Reading, unread

# mail-parser logs what it cannot decode; we keep it as defects instead.
logging.getLogger("mailparser").setLevel(logging.CRITICAL)

_LABEL = re.compile(
    rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_-]{2,40})|=\?([A-Za-z0-9_-]{2,40})(?:\*[A-Za-z-]{0,20})?\?[bq]\?", re.I
)
_LABELS_OCTETS = 64 * 1024
_SAYING_NOTHING = {None, "ascii", "utf-8", "iso8859-1", "cp1252"}


_NOTHING_CUT: Mapping[str, Leaf] = {}


def read(raw: bytes, cut: Mapping[str, Leaf] = _NOTHING_CUT) -> Reading:
    """Read a message: the bytes off the wire. Never raises.

    cut: of a skeleton (`large`), the measures of the leaves that are not whole in it, by path.
    """
    try:
        return _read(raw, [], cut)
    except Exception as error:  # the contract: whatever the bytes are, there is a reading
        return unread(f"{type(error).__name__}: {error}")


def _read(raw: bytes, defects: list[Defect], cut: Mapping[str, Leaf]) -> Reading:
    fallback = None if raw.isascii() else _spoken(raw)
    message = tree.parse(raw)
    raw_headers = headers.raw_headers(message)
    decoded = headers.decoded(message, fallback, defects)
    firsts = headers.firsts(decoded)
    date_written, date_at, offset = headers.date(raw_headers, defects)
    walked = parts.read(message, fallback, defects, cut)
    opened = contents.read(walked, fallback, defects, cut)
    hops = headers.hops(raw_headers, fallback, defects)
    hop_at = next((hop.at for hop in hops if hop.at), None)
    return Reading(
        subject=firsts.get("subject"),
        message_id=firsts.get("message-id"),
        in_reply_to=next(iter(headers.message_ids(firsts.get("in-reply-to"))), None),
        references=headers.message_ids(firsts.get("references")),
        headers=decoded,
        date_written=date_written,
        date_at=date_at,
        date_offset_minutes=offset,
        sent_at=date_at or hop_at,
        sent_at_source="date" if date_at else "received" if hop_at else None,
        participants=headers.participants(raw_headers, fallback, defects),
        parts=opened.parts,
        nested=opened.nested,
        reports=opened.reports,
        events=opened.events,
        hops=hops,
        text=text.of_bodies(opened.bodies, fallback, defects),
        defects=defects,
    )


def _spoken(raw: bytes) -> str | None:
    """The charset that a message names anywhere, for what it leaves unnamed."""
    for found in _LABEL.finditer(raw, 0, _LABELS_OCTETS):
        label = (found[1] or found[2]).decode("ascii")
        if charsets.codec(label) not in _SAYING_NOTHING:
            return label
    return None
