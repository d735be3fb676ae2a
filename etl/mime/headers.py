"""Headers, addresses, dates and hops of a parsed message as rows.

`detours` reads the values; what nobody can read is kept as written, with a defect.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import Message

from etl.mime import detours, words
from etl.mime.offsets import Offsets
from etl.mime.rows import DateSource, Defect, Hop, Participant, Role, clean

ADDRESS_ROLES: dict[str, Role] = {
    "from": "from",
    "sender": "sender",
    "reply-to": "reply-to",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "delivered-to": "delivered-to",
}

# RFC 5322 section 3.6 and RFC 2045 section 3 allow each once; delivery leaves no trace in them.
_ONCE = {
    *("date", "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id"),
}

# A mail passes some tens of servers, or it is in a loop; what is beyond is still among the headers.
HOPS_MAX = 500

_CLAUSES = ("from", "by", "with", "id", "for")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BARE_ID = re.compile(r"[^\s<>,;\"()]+@[^\s<>,;\"()]+")

# A Date is doubted that no hop agrees to. A hop may come a month later (an outbox, a queue, a moderator's list) and,
# because clocks are wrong and zones left out, two days earlier. Of 7,083 messages with both, 112 lie outside.
_HOP_EARLIER_MAX = timedelta(days=2)
_HOP_LATER_MAX = timedelta(days=30)

# Name in lower case and value as the parser split it, 8-bit octets escaped.
RawHeaders = list[tuple[str, str]]


def raw_headers(message: Message) -> RawHeaders:
    """Every header in order, repeated as it came."""
    return [(name.lower(), str(value)) for name, value in message.raw_items()]


def decoded(message: Message, fallback: str | None, offsets: Offsets, defects: list[Defect]) -> list[tuple[str, str]]:
    """Every header in order with its value unfolded, RFC 2047 words decoded, and clean."""
    found = []
    for number, (name, value) in enumerate(message.raw_items()):
        wrong: list[Defect] = []
        found.append((clean(name), decode(name, str(value), fallback, wrong)))
        if wrong:
            defects += [replace(defect, offset=offsets.header(number)) for defect in wrong]
    return found


def repeated(headers: RawHeaders, offsets: Offsets, defects: list[Defect]) -> None:
    """A defect for each header that is there twice and may not be."""
    names = [name for name, _ in headers if name in _ONCE]
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    told: set[str] = set()
    for number, (name, _) in enumerate(headers):
        if name in seen and name not in told:
            told.add(name)
            times = names.count(name)
            defects.append(Defect("repeated_header", name, f"{times} of them; one is allowed", offsets.header(number)))
        seen.update({name} & _ONCE)


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
    place = clean(name.lower())
    defects += [_problem(place, problem) for problem in problems[:1]]
    if "\0" in value:
        defects.append(Defect("nul", place, "NUL in a header; shown as U+FFFD"))
    return clean(value.strip(" \t\r\n"))


def _problem(place: str, problem: str) -> Defect:
    return Defect("eight_bit_header" if problem.startswith("8-bit") else "encoded_word", place, clean(problem))


def message_ids(value: str | None) -> list[str]:
    """The ids in a References or In-Reply-To value, in order; in brackets, also where they are written without."""
    if not value:
        return []
    return _MESSAGE_ID.findall(value) or [f"<{bare}>" for bare in _BARE_ID.findall(value)]


def participants(
    headers: RawHeaders, fallback: str | None, offsets: Offsets, defects: list[Defect]
) -> list[Participant]:
    """Every address of every address header, in order, with its role."""
    found: list[Participant] = []
    for number, (name, value) in enumerate(headers):
        if role := ADDRESS_ROLES.get(name):
            members, complaints = detours.addresses(words.plain(value, fallback, []))
            found += [_participant(role, member, fallback) for member in members]
            if complaints:
                # Enough of the text to recognise it; what is long is in the raw message.
                told = "; ".join(f"{reason}: {text[:200]}" for reason, text in complaints[:5])
                defects.append(Defect("address", role, clean(told), offsets.header(number)))
    return found


def _participant(role: Role, member: tuple[str, str, str], fallback: str | None) -> Participant:
    name, address, group = member
    return Participant(
        role, clean(_name(name, address, fallback)), clean(address), clean(_decoded_name(group, fallback))
    )


def _name(name: str, address: str, fallback: str | None) -> str:
    """A display name; "" for one that only repeats the address.

    Encoded words left over are broken or in quotes: not of the RFC, but of much mail, and no name.
    """
    name = _decoded_name(name, fallback)
    return "" if name in (address, f"'{address}'") else name


def _decoded_name(name: str, fallback: str | None) -> str:
    return " ".join(words.decode(_FOLD.sub("", name), fallback, []).split()) if "=?" in name else name


def date(
    headers: RawHeaders, offsets: Offsets, defects: list[Defect]
) -> tuple[str | None, datetime | None, int | None]:
    """The Date header, of several the first that is a date: as written, in UTC, and its offset from UTC in minutes."""
    first: str | None = None
    for number, (name, written) in enumerate(headers):
        if name != "date":
            continue
        result = detours.date(written)
        if result.reasons:
            defects.append(Defect("date", "date", clean(", ".join(result.reasons)), offsets.header(number)))
        shown = clean(_FOLD.sub("", written).strip())
        if result.at:
            return shown, result.at, result.offset_minutes
        first = first if first is not None else shown
    if first is None:
        defects.append(Defect("date", "date", "no Date header"))
    return first, None, None


def sent(
    headers: RawHeaders, date_at: datetime | None, hops: list[Hop], offsets: Offsets, defects: list[Defect]
) -> tuple[datetime | None, DateSource | None]:
    """When the message was sent, as far as known, and where that comes from.

    The Date header, unless all hops that say when lie far from it; else the hop nearest the sender that says when.
    Any hop may vouch for the Date, as the one nearest the sender is the easiest to forge, and the last may be years
    later, when a mailbox moved. Never the time of reading: without any of both there is none.
    """
    times = [hop.at for hop in hops if hop.at]
    if not times:
        return date_at, "date" if date_at else None
    if not date_at:
        return times[0], "received"
    if any(-_HOP_EARLIER_MAX <= at - date_at <= _HOP_LATER_MAX for at in times):
        return date_at, "date"
    number = next(number for number, (name, _) in enumerate(headers) if name == "date")
    far = abs(times[0] - date_at).days
    detail = (
        f"{far} days {'before' if date_at < times[0] else 'behind'} the first hop, and no hop agrees; the hop counts"
    )
    defects.append(Defect("date", "date", detail, offsets.header(number)))
    return times[0], "received"


def hops(headers: RawHeaders, fallback: str | None, offsets: Offsets, defects: list[Defect]) -> list[Hop]:
    """The Received headers as rows, the hop nearest the sender first."""
    values = [(number, value) for number, (name, value) in enumerate(headers) if name == "received"]
    if len(values) > HOPS_MAX:
        detail = f"{len(values)} Received headers; read: the first {HOPS_MAX}"
        defects.append(Defect("received", "received", detail, offsets.header(values[HOPS_MAX][0])))
    found = []
    for position, (number, value) in enumerate(reversed(values[:HOPS_MAX])):
        wrong: list[Defect] = []
        found.append(_hop(position, words.plain(value, fallback, []), wrong))
        if wrong:
            defects += [replace(defect, offset=offsets.header(number)) for defect in wrong]
    return found


def _hop(position: int, value: str, defects: list[Defect]) -> Hop:
    trace, reason = detours.trace(value)
    reasons = [reason] if reason else []
    at = None
    if stamp := trace.get("date"):
        result = detours.date(stamp)
        at = result.at
        reasons += result.reasons
    defects += [Defect("received", "received", clean(f"{reason}: {value[:200]}")) for reason in reasons]

    from_host, by_host, protocol, trace_id, recipient = (trace.get(clause) or None for clause in _CLAUSES)
    written = trace.get("date") or trace.get("raw") or None
    return Hop(position, from_host, by_host, protocol, trace_id, recipient, written, at)
