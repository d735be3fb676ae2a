"""Headers, addresses, dates and hops of a parsed message.

mail-parser's functions decide; what they refuse or mangle is kept as written, with a defect.
"""

import re
from datetime import datetime
from email.message import Message
from typing import Any

from mailparser.dates import parse_mail_date
from mailparser.utils import decode_header_part, get_addresses, receiveds_parsing

from etl.mime.rows import Defect, Hop, Participant, Role, clean

ADDRESS_ROLES: dict[str, Role] = {
    "from": "from",
    "sender": "sender",
    "reply-to": "reply-to",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "delivered-to": "delivered-to",
}

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")

RawHeaders = list[tuple[str, str]]


def raw_headers(message: Message) -> RawHeaders:
    """Every header in order, repeated as it came; values as the parser split them, 8-bit escaped."""
    return [(name, str(value)) for name, value in message.raw_items()]


def decoded(headers: RawHeaders, defects: list[Defect]) -> list[tuple[str, str]]:
    """Every header in order with its value unfolded, RFC 2047 words decoded, and clean."""
    return [(clean(name), decode(name, value, defects)) for name, value in headers]


def decode(name: str, value: str, defects: list[Defect]) -> str:
    """One header value as a person reads it."""
    value = _FOLD.sub("", value) if "\n" in value else value
    if not value.isascii():
        value = _eight_bit(name, value, defects)
    if "=?" in value:
        try:
            value = decode_header_part(value)
        except Exception as error:  # mail-parser lets some charset errors through
            defects.append(Defect("encoded_word", clean(name), clean(f"{type(error).__name__}: {error}")))
    if "\0" in value:
        defects.append(Defect("nul", clean(name), "NUL in a header; shown as U+FFFD"))
    return clean(value.strip(" \t\r\n"))


def _eight_bit(name: str, value: str, defects: list[Defect]) -> str:
    """Raw 8-bit octets as text: UTF-8 where they are (RFC 6532), windows-1252 or latin-1 else."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        defects.append(Defect("eight_bit_header", clean(name), "8-bit octets without a charset"))
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def message_ids(value: str | None) -> list[str]:
    """The ids in a References or In-Reply-To value, in order."""
    return _MESSAGE_ID.findall(value) if value else []


def participants(headers: RawHeaders, defects: list[Defect]) -> list[Participant]:
    """Every address of every address header, in order, with its role."""
    found = []
    for name, value in headers:
        role = ADDRESS_ROLES.get(name.lower())
        if role is None:
            continue
        problems: list[dict[str, Any]] = []
        try:
            pairs = get_addresses(_utf8(value), defects=problems, decode_names=True)
        except Exception as error:  # mail-parser raises on some real lists
            problems.append({"reason": type(error).__name__, "raw": value})
            pairs = []
        found += [
            Participant(role, clean("" if display == address else display), clean(address))
            for display, address in pairs
            if address
        ]
        defects += [_defect("address", role, problem) for problem in problems]
    return found


def date(headers: RawHeaders, defects: list[Defect]) -> tuple[str | None, datetime | None, int | None]:
    """The first Date header: as written, in UTC, and its offset from UTC in minutes."""
    written = first(headers, "date")
    if written is None:
        defects.append(Defect("date", "date", "no Date header"))
        return None, None, None
    result = parse_mail_date(written)
    defects += [Defect("date", "date", reason) for reason in result.reasons]
    offset = round(float(result.timezone) * 60) if result.value else None
    return clean(_FOLD.sub("", written).strip()), result.value, offset


def received(headers: RawHeaders) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """mail-parser's view of the Received headers and its complaints, for when its whole parse failed."""
    values = [value for name, value in headers if name.lower() == "received"]
    problems: list[dict[str, Any]] = []
    try:
        return receiveds_parsing(values, defects=problems, date_defects=problems), problems
    except Exception as error:  # one broken hop must not cost the message
        return [], [{"reason": type(error).__name__, "raw": str(error), "occurrence": "?"}]


def hops(parsed: list[dict[str, Any]], problems: list[dict[str, Any]], defects: list[Defect]) -> list[Hop]:
    """mail-parser's Received hops as rows, the hop nearest the sender first."""
    defects += [_defect("received", f"received {p.get('occurrence')}", p) for p in problems]
    return [_hop(position, hop) for position, hop in enumerate(parsed)]


def _hop(position: int, hop: dict[str, Any]) -> Hop:
    def value(key: str) -> str | None:
        return clean(str(hop[key])) if hop.get(key) else None

    at = hop.get("date_utc")
    return Hop(
        position,
        value("from"),
        value("by"),
        value("with"),
        value("id"),
        value("for"),
        value("date") or value("raw"),
        datetime.fromisoformat(at) if at else None,
    )


def first(headers: RawHeaders, name: str) -> str | None:
    """The first header of that name, or None."""
    return next((value for key, value in headers if key.lower() == name), None)


def _utf8(value: str) -> str:
    """Escaped octets as the UTF-8 that they are; other octets stay escaped, to be seen as a defect."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _defect(kind: str, place: str, problem: dict[str, Any]) -> Defect:
    # What is long is in the raw message; a row needs enough to recognise it.
    raw = str(problem.get("raw", ""))[:200]
    return Defect(kind, clean(place), clean(f"{problem.get('reason')}: {raw}"))
