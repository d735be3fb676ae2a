"""A message's bytes as a Reading: the one door to the parser.

mail-parser is the parser. Where it raises, the standard library's tree serves, and where that
raises too, the header block alone; each fall is a defect of the message, never an error.
"""

import email
import email.parser
import logging
from email.message import Message
from importlib.metadata import version

from mailparser import MailParser

from etl.mime import headers, parts, text
from etl.mime.rows import Defect, Reading, clean

# Rows carry the version of what made them; raise the last number when a reading changes.
PARSER = f"mail-parser {version('mail-parser')}, popvault 1"

OWN = {"CharsetDecodeDefect": "charset", "MimeHeaderDefect": "mime_header"}

# mail-parser logs what it cannot decode; we keep it as defects instead.
logging.getLogger("mailparser").setLevel(logging.CRITICAL)


class _Parser(MailParser):  # type: ignore[misc]  # mail-parser has no types
    """mail-parser without what popvault never reads.

    Two detours, measured by `python -m tests.bench.parsing`: its summary dictionary, which it builds
    twice, and its pass over the addresses, which `headers.participants` makes for every occurrence of
    a header and not only the first.
    """

    def _make_mail(self, complete: bool = True) -> dict[str, object]:
        return {}

    def _build_header_index(self) -> dict[str, list[str]]:
        return {}


def read(raw: bytes, whole: bool = True) -> Reading:
    """Read a message. Never raises.

    raw: the bytes off the wire; with whole=False only the header block, the body being too large.
    """
    defects: list[Defect] = []
    if not whole:
        defects.append(Defect("body_not_parsed", "1", "too large to parse; headers only"))
    try:
        return _read(raw, defects)
    except Exception as error:  # the contract: whatever the bytes are, there is a reading
        return unread(f"{type(error).__name__}: {error}")


def unread(reason: str) -> Reading:
    """The reading of a message that nothing could read."""
    return Reading(defects=[Defect("unreadable", "1", clean(reason))])


def _read(raw: bytes, defects: list[Defect]) -> Reading:
    mail = _mail_parser(raw, defects)
    message = mail.message if mail else _standard_library(raw, defects)
    raw_headers = headers.raw_headers(message)
    decoded = headers.decoded(raw_headers, defects)
    date_written, date_at, offset = headers.date(raw_headers, defects)
    if mail:
        trace_dates = [d for d in mail.date_header_defects if d["header"] == "received"]
        hops = headers.hops(mail.received, mail.received_header_defects + trace_dates, defects)
        body = text.of_bodies(mail.text_plain, mail.text_html)
    else:
        hops = headers.hops(*headers.received(raw_headers), defects)
        body = text.of_message(message)
    hop_at = next((hop.at for hop in hops if hop.at), None)
    return Reading(
        subject=headers.first(decoded, "subject"),
        message_id=headers.first(decoded, "message-id"),
        in_reply_to=next(iter(headers.message_ids(headers.first(decoded, "in-reply-to"))), None),
        references=headers.message_ids(headers.first(decoded, "references")),
        headers=decoded,
        date_written=date_written,
        date_at=date_at,
        date_offset_minutes=offset,
        sent_at=date_at or hop_at,
        sent_at_source="date" if date_at else "received" if hop_at else None,
        participants=headers.participants(raw_headers, defects),
        parts=parts.read(message, defects),
        hops=hops,
        text=body,
        defects=defects,
    )


def _mail_parser(raw: bytes, defects: list[Defect]) -> MailParser | None:
    """The message as mail-parser sees it, or None where it raises."""
    try:
        mail = _Parser.from_bytes(raw)
    except Exception as error:  # it raises on some real mail
        defects.append(Defect("parser", "1", clean(f"mail-parser raised {type(error).__name__}: {error}")))
        return None
    # What the standard library found, `parts` names with its place; these two are mail-parser's own.
    for kind, detail in ((k, d) for found in mail.defects for details in found.values() for d in details for k in OWN):
        if detail.startswith(kind):
            defects.append(Defect(OWN[kind], "1", clean(detail)))
    return mail


def _standard_library(raw: bytes, defects: list[Defect]) -> Message:
    """The message as the standard library sees it: its tree, or its header block alone."""
    try:
        return email.message_from_bytes(raw)
    except Exception as error:  # RecursionError on hostile nesting
        defects.append(Defect("parser", "1", clean(f"email raised {type(error).__name__}: {error}")))
    return email.parser.BytesHeaderParser().parsebytes(raw)
