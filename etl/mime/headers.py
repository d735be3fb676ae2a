"""Headers, addresses, dates and hops of a parsed message as rows.

`detours` reads the values; what nobody can read is kept as written, with a defect.
"""

import re
from datetime import datetime, timedelta
from email.message import Message
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from etl.mime import detours, words
from etl.mime.addresses import Member
from etl.mime.offsets import NOWHERE, Offsets
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

# A path has 256 octets (RFC 5321 section 4.5.3.1.3). What is twice as long is no address, and no key of an index.
ADDRESS_CHARACTERS_MAX = 500

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BARE = re.compile(r"[^\s<>,;\"()]++")

# A Date is doubted that no hop agrees to. A hop may come a month later (an outbox, a queue, a moderator's list) and,
# because clocks are wrong and zones left out, two days earlier. Of 7,083 messages with both, 112 lie outside.
_HOP_EARLIER_MAX = timedelta(days=2)
_HOP_LATER_MAX = timedelta(days=30)

# Name in lower case and value as the parser split it, 8-bit octets escaped.
RawHeaders = list[tuple[str, str]]


def decoded(
    message: Message, fallback: str | None, defects: list[Defect], offsets: Offsets = NOWHERE
) -> list[tuple[str, str]]:
    """Every header in order with its value unfolded, RFC 2047 words decoded, and clean."""
    found = []
    for number, (name, value) in enumerate(message.raw_items()):
        value = unfolded(str(value))
        if value.isascii() and not ("=?" in value or "\x1b" in value or "\0" in value):  # nearly all
            found.append((name, value.strip(" \t\r\n")))
            continue
        wrong: list[Defect] = []
        found.append((clean(name), _decode(name, value, fallback, wrong)))
        defects += [replace(defect, offset=offsets.header(number)) for defect in wrong]
    return found


def unfolded(value: str) -> str:
    """The value on one line (RFC 5322 section 2.2.3)."""
    if "\n" not in value:
        return value
    value = value.replace("\r\n ", " ").replace("\r\n\t", "\t")
    return _FOLD.sub("", value) if "\n" in value else value


def repeated(headers: RawHeaders, defects: list[Defect], offsets: Offsets = NOWHERE) -> None:
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
    return _decode(name, unfolded(value), fallback, defects)


def _decode(name: str, value: str, fallback: str | None, defects: list[Defect]) -> str:
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
    return _MESSAGE_ID.findall(value) or [f"<{bare}>" for bare in _BARE.findall(value) if "@" in bare[1:-1]]


def answered(in_reply_to: str | None, participants: list[Participant]) -> str | None:
    """The first id of In-Reply-To that is nobody's address.

    Old mailers write "Message from Ann <ann@example.org> of Monday <1@example.org>", or leave the id away.
    """
    ids = message_ids(in_reply_to)
    if not ids:
        return None
    addresses = {f"<{participant.address}>".lower() for participant in participants}
    return next((each for each in ids if each.lower() not in addresses), None)


def participants(
    headers: RawHeaders, fallback: str | None, defects: list[Defect], offsets: Offsets = NOWHERE
) -> list[Participant]:
    """Every address of every address header, in order, with its role."""
    found: list[Participant] = []
    for number, (name, value) in enumerate(headers):
        if role := ADDRESS_ROLES.get(name):
            read = _people_again if len(value) < 500 else _people
            people, wrong = read(role, value, None if value.isascii() and "=?" not in value else fallback)
            found += people
            if wrong:
                defects.append(Defect("address", role, wrong, offsets.header(number)))
    return found


def _people(role: Role, value: str, fallback: str | None) -> tuple[list[Participant], str]:
    """Who stands in an address header, and what was wrong with it."""
    members, complaints = detours.addresses(words.plain(value, fallback, []))
    if len(value) > ADDRESS_CHARACTERS_MAX:
        complaints += [("too-long", address) for _, address, _ in members if len(address) > ADDRESS_CHARACTERS_MAX]
        members = [_named(*member) for member in members]
    people = [
        Participant(role, clean(_name(name, address, fallback)), clean(address), clean(_plain_name(group, fallback)))
        for name, address, group in members
    ]
    # Enough of the text to recognise it; what is long is in the raw message.
    return people, clean("; ".join(f"{reason}: {text[:200]}" for reason, text in complaints[:5]))


def _named(name: str, address: str, group: str) -> Member:
    """A member; an address longer than any becomes a part of the name."""
    return (
        (name, address, group) if len(address) <= ADDRESS_CHARACTERS_MAX else (f"{name} <{address}>".strip(), "", group)
    )


# Lists, colleagues and oneself: the same few values come again and again.
_people_again = lru_cache(maxsize=1024)(_people)


def _name(name: str, address: str, fallback: str | None) -> str:
    """A display name; "" for one that only repeats the address.

    Encoded words left over are broken or in quotes: not of the RFC, but of much mail, and no name.
    """
    name = _plain_name(name, fallback)
    return "" if name in (address, f"'{address}'") else name


def _plain_name(name: str, fallback: str | None) -> str:
    return " ".join(words.decode(unfolded(name), fallback, []).split()) if "=?" in name else name


class WrittenDate(NamedTuple):
    """A Date header: as written, in UTC, and its offset from UTC in minutes; None for what is not known."""

    written: str | None = None
    at: datetime | None = None
    offset_minutes: int | None = None


def date(headers: RawHeaders, defects: list[Defect], offsets: Offsets = NOWHERE) -> WrittenDate:
    """The Date header, of several the first that is a date."""
    first: str | None = None
    for number, (name, written) in enumerate(headers):
        if name != "date":
            continue
        result = detours.date(written)
        if result.reasons:
            defects.append(Defect("date", "date", clean(", ".join(result.reasons)), offsets.header(number)))
        shown = clean(unfolded(written).strip())
        if result.at:
            return WrittenDate(shown, result.at, result.offset_minutes)
        first = first if first is not None else shown
    if first is None:
        defects.append(Defect("date", "date", "no Date header"))
    return WrittenDate(first)


def sent(
    headers: RawHeaders, date: WrittenDate, hops: list[Hop], defects: list[Defect], offsets: Offsets = NOWHERE
) -> tuple[datetime | None, DateSource | None]:
    """When the message was sent, as far as known, and where that comes from.

    The Date header, unless all hops that say when lie far from it; else the hop nearest the sender that says when.
    Any hop may vouch for the Date, as the one nearest the sender is the easiest to forge, and the last may be years
    later, when a mailbox moved. Never the time of reading: without any of both there is none.
    """
    times = [hop.at for hop in hops if hop.at]
    if not times:
        return date.at, "date" if date.at else None
    if not date.at:
        return times[0], "received"
    if any(-_HOP_EARLIER_MAX <= at - date.at <= _HOP_LATER_MAX for at in times):
        return date.at, "date"
    number = next(number for number, (name, _) in enumerate(headers) if name == "date")
    far = abs(times[0] - date.at).days
    detail = (
        f"{far} days {'before' if date.at < times[0] else 'behind'} the first hop, and no hop agrees; the hop counts"
    )
    defects.append(Defect("date", "date", detail, offsets.header(number)))
    return times[0], "received"


def hops(headers: RawHeaders, fallback: str | None, defects: list[Defect], offsets: Offsets = NOWHERE) -> list[Hop]:
    """The Received headers as rows, the hop nearest the sender first."""
    values = [(number, value) for number, (name, value) in enumerate(headers) if name == "received"]
    if len(values) > HOPS_MAX:
        detail = f"{len(values)} Received headers; read: the first {HOPS_MAX}"
        defects.append(Defect("received", "received", detail, offsets.header(values[HOPS_MAX][0])))
    found = []
    for number, value in reversed(values[:HOPS_MAX]):
        (from_host, by_host, protocol, stamp), reason = detours.trace(words.plain(value, fallback, []))
        at, _, reasons = detours.date(stamp) if stamp else detours.Date(None, None)
        found.append(Hop(from_host, by_host, protocol, at))
        if reason or reasons:
            told = [f"{each}: {value[:200]}" for each in ((reason, *reasons) if reason else reasons)]
            defects += [Defect("received", "received", clean(each), offsets.header(number)) for each in told]
    return found
