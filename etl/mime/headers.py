"""Headers, addresses, dates and hops of a parsed message as rows.

`detours` reads the values; what nobody can read is kept as written, with a defect.
"""

import re
from datetime import datetime
from email.message import Message

from etl.mime import detours, words
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

# A mail passes some tens of servers, or it is in a loop; what is beyond is still among the headers.
HOPS_MAX = 500

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")

# Name in lower case and value as the parser split it, 8-bit octets escaped.
RawHeaders = list[tuple[str, str]]


def raw_headers(message: Message) -> RawHeaders:
    """Every header in order, repeated as it came."""
    return [(name.lower(), str(value)) for name, value in message.raw_items()]


def decoded(message: Message, fallback: str | None, defects: list[Defect]) -> list[tuple[str, str]]:
    """Every header in order with its value unfolded, RFC 2047 words decoded, and clean."""
    return [(clean(name), decode(name, str(value), fallback, defects)) for name, value in message.raw_items()]


def firsts(headers: list[tuple[str, str]]) -> dict[str, str]:
    """The first value of each header, by its name in lower case."""
    return {name.lower(): value for name, value in reversed(headers)}


def decode(name: str, value: str, fallback: str | None, defects: list[Defect]) -> str:
    """One header value as a person reads it."""
    if "\n" in value:
        value = _FOLD.sub("", value)
    if value.isascii() and not ("=?" in value or "\x1b" in value or "\0" in value):
        return value.strip(" \t\r\n")  # nearly all
    problems: list[str] = []
    value = words.decode(value, fallback, problems)
    defects += [_problem(name, problem) for problem in problems[:1]]
    if "\0" in value:
        defects.append(Defect("nul", clean(name), "NUL in a header; shown as U+FFFD"))
    return clean(value.strip(" \t\r\n"))


def _problem(name: str, problem: str) -> Defect:
    return Defect("eight_bit_header" if problem.startswith("8-bit") else "encoded_word", clean(name), clean(problem))


def message_ids(value: str | None) -> list[str]:
    """The ids in a References or In-Reply-To value, in order."""
    return _MESSAGE_ID.findall(value) if value else []


def participants(headers: RawHeaders, fallback: str | None, defects: list[Defect]) -> list[Participant]:
    """Every address of every address header, in order, with its role."""
    found: list[Participant] = []
    for name, value in headers:
        if role := ADDRESS_ROLES.get(name):
            found += _participants(role, value, fallback, defects)
    return found


def _participants(role: Role, value: str, fallback: str | None, defects: list[Defect]) -> list[Participant]:
    problems: list[str] = []
    pairs, complaints = detours.addresses(words.plain(value, fallback, problems))
    # A reason, and enough of the text to recognise it; what is long is in the raw message.
    defects += [Defect("address", role, clean(f"{reason}: {text[:200]}")) for reason, text in complaints]
    defects += [_problem(role, problem) for problem in problems]
    return [
        Participant(role, clean(_name(name, address, fallback)), clean(address)) for name, address in pairs if address
    ]


def _name(name: str, address: str, fallback: str | None) -> str:
    """A display name; "" for one that only repeats the address.

    Encoded words left over are broken or in quotes: not of the RFC, but of much mail, and no name.
    """
    if "=?" in name:
        name = " ".join(words.decode(_FOLD.sub("", name), fallback, []).split())
    return "" if name == address else name


def date(headers: RawHeaders, defects: list[Defect]) -> tuple[str | None, datetime | None, int | None]:
    """The first Date header: as written, in UTC, and its offset from UTC in minutes."""
    written = next((value for name, value in headers if name == "date"), None)
    if written is None:
        defects.append(Defect("date", "date", "no Date header"))
        return None, None, None
    result = detours.date(written)
    defects += [Defect("date", "date", reason) for reason in result.reasons]
    return clean(_FOLD.sub("", written).strip()), result.at, result.offset_minutes


def hops(headers: RawHeaders, fallback: str | None, defects: list[Defect]) -> list[Hop]:
    """The Received headers as rows, the hop nearest the sender first."""
    values = [value for name, value in headers if name == "received"]
    if len(values) > HOPS_MAX:
        defects.append(Defect("received", "received", f"{len(values)} Received headers; read: the first {HOPS_MAX}"))
    plain = [words.plain(value, fallback, []) for value in reversed(values[:HOPS_MAX])]
    return [_hop(position, value, defects) for position, value in enumerate(plain)]


def _hop(position: int, value: str, defects: list[Defect]) -> Hop:
    trace, reason = detours.trace(value)
    reasons = [reason] if reason else []
    at = None
    if stamp := trace.get("date"):
        result = detours.date(stamp)
        at = result.at
        reasons += result.reasons
    defects += [Defect("received", "received", clean(f"{reason}: {value[:200]}")) for reason in reasons]

    # Written out: mail has some five hops, and it is a hundredth of all reading.
    said = trace.get
    return Hop(
        position, said("from") or None, said("by") or None, said("with") or None, said("id") or None,
        said("for") or None, said("date") or said("raw") or None, at,
    )  # fmt: skip
