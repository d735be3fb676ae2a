"""A message's bytes as a Reading: the one door to the parser.

mail-parser reads what headers mean; `detours` says where we go round it, and why. What nothing can
read is a defect of the message, never an error.
"""

import logging
import re
from collections.abc import Mapping

from etl.mime import charsets, contents, headers, manner, parts, text, tree
from etl.mime.canonical import canonical_sha256
from etl.mime.offsets import Offsets
from etl.mime.rows import Defect, Leaf, Reading, unread

# mail-parser logs what it cannot decode; we keep it as defects instead.
logging.getLogger("mailparser").setLevel(logging.CRITICAL)

# Two expressions that each begin with what stands there literally, over lower case: ten times as fast as one.
_PARAMETER = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([a-z0-9_-]{2,40})")
_WORD = re.compile(rb"=\?([a-z0-9_-]{2,40})(?:\*[a-z-]{0,20})?\?[bq]\?")
_LABELS_OCTETS = 64 * 1024
_SAYING_NOTHING = {None, "ascii", "utf-8", "iso8859-1", "cp1252"}


_NOTHING_CUT: Mapping[str, Leaf] = {}


def read(raw: bytes, cut: Mapping[str, Leaf] = _NOTHING_CUT) -> Reading:
    """Read a message: the bytes off the wire. Never raises.

    cut: of a skeleton (`large`), the measures of the leaves that are not whole in it, by path.
    """
    identity = canonical_sha256(raw)
    try:
        return _read(raw, identity, [], cut)
    except Exception as error:  # the contract: whatever the bytes are, there is a reading
        return unread(identity, f"{type(error).__name__}: {error}")


def _read(raw: bytes, identity: bytes, defects: list[Defect], cut: Mapping[str, Leaf]) -> Reading:
    fallback = None if raw.isascii() else _spoken(raw)
    message = tree.parse(raw)
    offsets = Offsets(raw, message)
    raw_headers = headers.raw_headers(message)
    decoded = headers.decoded(message, fallback, defects, offsets)
    firsts = headers.firsts(decoded)
    headers.repeated(raw_headers, defects, offsets)
    date_written, date_at, offset = headers.date(raw_headers, defects, offsets)
    walked = parts.read(message, fallback, defects, cut)
    opened = contents.read(walked, fallback, defects, cut)
    hops = headers.hops(raw_headers, fallback, defects, offsets)
    sent_at, sent_at_source = headers.sent(raw_headers, date_at, hops, defects, offsets)
    participants = headers.participants(raw_headers, fallback, defects, offsets)
    shown = text.of_bodies(opened.bodies, fallback, defects)
    return Reading(
        canonical_sha256=identity,
        subject=firsts.get("subject"),
        message_id=firsts.get("message-id"),
        in_reply_to=headers.answered(firsts.get("in-reply-to"), participants),
        references=headers.message_ids(firsts.get("references")),
        headers=decoded,
        date_written=date_written,
        date_at=date_at,
        date_offset_minutes=offset,
        sent_at=sent_at,
        sent_at_source=sent_at_source,
        participants=participants,
        parts=opened.parts,
        nested=opened.nested,
        reports=opened.reports,
        events=opened.events,
        hops=hops,
        text=shown,
        manner=manner.read(raw_headers),
        defects=offsets.placed(defects),
    )


def _spoken(raw: bytes) -> str | None:
    """The charset that a message names anywhere, for what it leaves unnamed."""
    lower = raw[:_LABELS_OCTETS].lower()
    found = [*_PARAMETER.finditer(lower), *_WORD.finditer(lower)]
    for label in (each[1].decode("ascii") for each in sorted(found, key=re.Match.start)):
        if charsets.codec(label) not in _SAYING_NOTHING:
            return label
    return None
