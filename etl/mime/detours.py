"""Where popvault goes round mail-parser, and why.

mail-parser decides what a header means. The detours here are of two kinds:

- Shapes that nearly all mail has are read by one expression, to the same result; anything else goes to
  mail-parser's own scanner, which steps through a value character by character. Over the 6,040 messages of
  SpamAssassin its `receiveds_parsing` took 40 % of the time, its addresses 20 %, its dates 7 %.
- What it reads wrongly or refuses is read here, with a defect.

Beside them stand `words` and `charsets` (RFC 2047 and mislabelled text), `tree` (the standard library's
feed parser, which mail-parser calls) and `parts` (its walk, which encodes attachments anew).
`python -m tests.bench.equality` compares all of it with mail-parser over a corpus.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache
from typing import NamedTuple

from mailparser.dates import parse_mail_date
from mailparser.exceptions import MailParserReceivedParsingError
from mailparser.received import split_received
from mailparser.utils import get_addresses

from etl.mime.addresses import Member, salvaged
from etl.mime.rows import clean

# --- dates ---------------------------------------------------------------------------------------

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = {name.title(): number for number, name in enumerate(_MONTHS, start=1)}
_DAY = {name.title(): number for number, name in enumerate(_DAYS)}

_DATE = re.compile(
    r"_*+((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),_*+)?+\d{1,2}_++(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)_++"
    r"(?:\d\d){1,2}+)_++([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?+_++([+-]\d\d[0-5]\d|GMT|UT)"
    r"(?:_*+\([^()\\]*+\))*+_*+".replace("_", "[ \\t\\r\\n]"),
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)\b")


# "+01:00", "GMT+1": the standard library takes the first for UTC and does not know the second.
_ODD_ZONE = re.compile(r" *(?:(?<=[\d ])|(?:GMT|UTC?))([+-])(\d{1,2})(?::?([0-5]\d))?(?![\d-])", re.ASCII)
_NOON = re.compile(r"(?<=\d) ?([ap])m\b", re.I)
_UTC = re.compile(r"\+0000\b|\b(?:GMT|UTC?|Z)\b", re.I)
# +1400 is the farthest on earth. Spam writes -1600 and -1900: taken literally it was sent hours after it was received;
# of 332 such messages, 282 lie nearer to a hop when the zone is passed over.
_OFFSET_MINUTES_MAX = 15 * 60

# What mail was never dated by: before mail had dates, or so far ahead that it is no date.
_YEARS = range(1970, 2100)


class Date(NamedTuple):
    """A date in UTC, or None; the sender's offset in minutes, None when it is not said; what was wrong."""

    at: datetime | None
    offset_minutes: int | None
    reasons: tuple[str, ...] = ()


def date(written: str) -> Date:
    """A date-time (RFC 5322 section 3.3) as mail-parser reads it, or as one can still be read."""
    return _plain_date(written) or _odd_date(written)


def _plain_date(written: str) -> Date | None:
    found = _DATE.fullmatch(written)
    if not found:
        return None
    day, hour, minute, second, zone = found.groups()
    midnight, offset = _midnight(day, zone)
    if midnight is None:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + (int(second) if second else 0)
    return Date(midnight + timedelta(0, seconds), offset)


# All hops of a message, and all of a day's mail, have few days and zones among them.
@lru_cache(maxsize=1024)
def _midnight(day: str, zone: str) -> tuple[datetime | None, int | None]:
    """When a day begins in that zone, in UTC, and the zone's offset in minutes; None for what is no plain date."""
    weekday, day_of_month, month, year = ["", *day.replace(",", " ").split()][-4:]
    offset = 0 if zone.isalpha() else (int(zone[1:3]) * 60 + int(zone[3:])) * (-1 if zone[0] == "-" else 1)
    try:
        # RFC 5322 section 4.3, of years of two digits.
        century = 0 if len(year) == 4 else 2000 if year < "50" else 1900
        local = datetime(century + int(year), _MONTH[month], int(day_of_month), tzinfo=UTC)
        midnight = local - timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None, None
    wrong = local.year < 1900 or (weekday and _DAY[weekday] != local.weekday())
    if wrong or abs(offset) > _OFFSET_MINUTES_MAX:
        return None, None
    # RFC 5322 section 3.3: -0000 says nothing of where the sender is.
    return midnight, None if zone == "-0000" else offset


def _odd_date(written: str) -> Date:
    result = parse_mail_date(written)
    # mail-parser takes "PM" for a military zone.
    if result.value is None or _NOON.search(written):
        return _lenient_date(written, result.reasons)
    # mail-parser tells the offset in tenths of an hour: +0545 is not 5.8 hours.
    digits = _OFFSET.search(written)
    offset = round(float(result.timezone) * 60)
    if digits and abs(abs(offset) - (exact := int(digits[2]) * 60 + int(digits[3]))) <= 3:
        offset = -exact if digits[1] == "-" else exact
    if abs(offset) > _OFFSET_MINUTES_MAX:
        return Date(result.value + timedelta(minutes=offset), None, (*result.reasons, "zone-out-of-range"))
    return Date(result.value, offset if offset or _UTC.search(written) else None, result.reasons)


def _lenient_date(written: str, reasons: tuple[str, ...]) -> Date:
    """What mail-parser refuses: zones missing or odd, one-digit hours, ctime and ISO 8601."""
    if reasons and reasons[0] not in ("invalid-date-syntax", "invalid-zone"):
        return Date(None, None, reasons)
    for reader in (_iso_date, _loose_date):
        try:
            found = reader(written.strip()[:200])
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        if found and found.at and found.at.year in _YEARS:
            return Date(found.at, found.offset_minutes, (*reasons, "read leniently"))
    return Date(None, None, reasons)


def _iso_date(written: str) -> Date | None:
    at = datetime.fromisoformat(written)
    offset = at.utcoffset()
    if offset is None:
        return Date(at.replace(tzinfo=UTC), None)
    return Date(at.astimezone(UTC), round(offset.total_seconds() / 60))


def _loose_date(written: str) -> Date | None:
    plain = _ODD_ZONE.sub(lambda zone: f" {zone[1]}{zone[2]:0>2}{zone[3] or '00'}", _NOON.sub("", written))
    fields = parsedate_tz(plain)
    if not fields:
        return None
    hour = fields[3]
    if half := _NOON.search(written):
        hour = hour % 12 + (12 if half[1] in "pP" else 0)
    # The standard library says 0 for a zone that is missing or unknown.
    seconds = fields[9] or (0 if _UTC.search(plain) else None)
    if seconds is None or abs(seconds) > 60 * _OFFSET_MINUTES_MAX:
        return Date(datetime(*fields[:3], hour, *fields[4:6], tzinfo=UTC), None)
    at = datetime(*fields[:3], hour, *fields[4:6], tzinfo=UTC) - timedelta(seconds=seconds)
    return Date(at, round(seconds / 60))


# --- addresses -----------------------------------------------------------------------------------

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_SPEC = rf"{_ATOM}(?:\.{_ATOM})*+@{_ATOM}(?:\.{_ATOM})*+"
_WS = r"(?:[ \t]|\r?\n(?=[ \t]))*+"

# name <a@b> · "name" <a@b> · a@b · a@b (name): no escapes, no comments elsewhere, no encoded words.
_ADDRESS = re.compile(
    rf"{_WS}(?:(?:(?P<words>[A-Za-z0-9!#$%&'*+/^_`{{|}}~. \t-]*+)|\"(?P<quoted>[^\"\\\r\n=]*+)\"{_WS})"
    rf"<(?P<angle>{_SPEC})>"
    rf"|(?P<bare>{_SPEC})(?:{_WS}\((?P<comment>[^()\\\"\r\n=<>@,;:]*+)\))?+){_WS}(?:,|\Z)"
)

# One member of a list, whatever it says, that certainly ends at the comma.
_MEMBER = re.compile(r"[^\"(),:;<>\[\]\\]*+(?:<[^\"(),:;<>\[\]\\]*+>[^\"(),:;<>\[\]\\]*+)?+(?:,|\Z)")

# A group (RFC 5322 section 3.4) that is well made; mail-parser tells its members and not its name.
_MEMBERS = r"(?:\"[^\"\\]*+\"|\([^()\\\"]*+\)|[^:;\"\\()])*+"
_NAMED_GROUP = re.compile(
    rf"{_WS}(?P<name>\"[^\"\\\r\n]*+\"|[^\"(),:;<>@\[\]\\]*+):(?P<members>{_MEMBERS});{_WS}(?:,|\Z)"
)

# A last resort for lists too long for mail-parser's scanner, which takes 2 microseconds a character.
_HARVEST = re.compile(rf"(?<![A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]){_SPEC}")
SCANNED_CHARACTERS_MAX = 100_000

# A number for a domain, ann@[192.0.2.1], is right (RFC 5322 section 3.4.1); newer releases of Python refuse it
# (3.13.0 does, 3.12.1 does not), and mail-parser then calls it recovered.
_LITERAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+@\[[A-Za-z0-9.:]{{1,60}}+\]")


def addresses(value: str) -> tuple[list[Member], list[tuple[str, str]]]:
    """Names, addresses and groups of an address header, in order; and what was wrong, as reason and place in the text.

    A name without an address has "", a group of nobody neither.
    """
    pairs: list[Member] = []
    problems: list[tuple[str, str]] = []
    scanned = at = 0
    while at < len(value):
        if found := _ADDRESS.match(value, at):
            at = found.end()
            pairs.append(_pair(found))
            continue
        if group := _NAMED_GROUP.match(value, at):
            at = group.end()
            _read_group(group, pairs, problems)
            continue
        member = _MEMBER.match(value, at)
        end = member.end() if member else len(value)
        if scanned + end - at > SCANNED_CHARACTERS_MAX:
            problems.append(("too-long", value[at : at + 200]))
            pairs += [("", spec, "") for spec in _HARVEST.findall(value, at)]
            break
        scanned += end - at
        _scan(value[at:end].removesuffix(",") if member else value[at:], pairs, problems)
        at = end
    return pairs, problems


def _pair(found: re.Match[str]) -> Member:
    words, quoted, angle, bare, comment = found.groups()
    if bare:
        return (comment or "").strip(" \t"), bare, ""
    return (" ".join(words.split()) if words is not None else quoted), angle, ""


def _read_group(found: re.Match[str], pairs: list[Member], problems: list[tuple[str, str]]) -> None:
    name = " ".join(found["name"].strip(' \t\r\n"').split())
    members, complaints = addresses(found["members"])
    pairs += [(who, address, name) for who, address, _ in members] or [("", "", name)]
    problems += complaints


def _scan(text: str, pairs: list[Member], problems: list[tuple[str, str]]) -> None:
    diagnostics: list[dict[str, object]] = []
    theirs: list[tuple[str, str]] = []
    complaints: list[tuple[str, str]] = []
    try:
        theirs = [pair for pair in get_addresses(text, defects=diagnostics, decode_names=True) if pair[1]]
    except Exception as error:  # it raises on some real lists
        complaints.append((type(error).__name__, text))
    told = [(str(found["reason"]), str(found["raw"])) for found in diagnostics]
    complaints += [complaint for complaint in told if not _is_of_a_literal(*complaint)]
    # What mail-parser refuses it leaves out; a reader sees who is meant.
    ours = salvaged(text) if complaints else []
    if complaints and {address for _, address in theirs} <= {address for _, address, _ in ours}:
        pairs += ours
    else:
        pairs += [(name, address, "") for name, address in theirs]
    problems += complaints


def _is_of_a_literal(reason: str, text: str) -> bool:
    return reason == "structural-recovery" and _LITERAL.fullmatch(text.strip()) is not None


# --- Received ------------------------------------------------------------------------------------

_SPECIALS = r"()\[\]<>;\"\\\x00\x0b\x0c\x1c-\x1f"
_GROUP = (
    r"(?:\((?:[^()\\\"\x00\x0b\x0c\x1c-\x1f]++|\([^()\\\"\x00\x0b\x0c\x1c-\x1f]*+\))*+\)"
    rf"|\[[^{_SPECIALS}]*+\]|<[^{_SPECIALS}]*+>)"
)
_KEYWORDS = ["from", "by", "via", "with", "id", "for", "envelope-from", "envelope-sender"]
_KEYWORD = "(?:" + "|".join("".join(f"[{c}{c.upper()}]" for c in k) for k in _KEYWORDS) + r")(?=[ \t\r\n])"
_WORD = rf"(?!{_KEYWORD})(?:[^{_SPECIALS} \t\r\n]++|{_GROUP}(?!{_KEYWORD}))++"
_WORDS = rf"(?:[ \t\r\n]++{_WORD})*+(?:{_GROUP})?+[ \t\r\n]*+"


def _clause(keyword: str, words: str) -> str:
    return rf"(?:{keyword}(?=[ \t\r\n]){words})?+"


# Each clause at most once and in the order of RFC 5321 section 4.4, behind whatever words; one match, as all else of
# this takes longer than the matching.
_TRACE = re.compile(
    rf"(?:{_WORD})?+{_WORDS}{_clause('from', f'({_WORDS})')}{_clause('by', f'({_WORDS})')}{_clause('via', _WORDS)}"
    rf"{_clause('with', f'({_WORDS})')}{_clause('id', _WORDS)}{_clause('for', _WORDS)}"
    rf";((?:[^{_SPECIALS}]++|{_GROUP})*+)"
)

# A Received header is some hundred characters long.
TRACE_CHARACTERS_MAX = 20_000


class Trace(NamedTuple):
    """The clauses of a Received header that say how mail went, and its date; None for what it does not say."""

    from_host: str | None = None
    by_host: str | None = None
    protocol: str | None = None
    date: str | None = None


def trace(value: str) -> tuple[Trace, str | None]:
    """A Received header, clean, and what was wrong.

    Its clauses alone, and not the envelope addresses, delays and hop counts that mail-parser's `receiveds_parsing`
    derives: nobody reads them, and one of its expressions takes quadratic time.
    """
    if value.isascii() and (found := _TRACE.fullmatch(value)):
        from_words, by_words, with_words, stamp = found.groups()
        protocol = " ".join(with_words.split()) if with_words else None
        # mail-parser takes "with cipher" for a note and no protocol.
        if not protocol or protocol[:6].lower() != "cipher":
            return Trace(
                " ".join(from_words.split()) or None if from_words else None,
                " ".join(by_words.split()) or None if by_words else None,
                protocol or None,
                stamp.strip() or None,
            ), None
    return _odd_trace(value)


def _odd_trace(value: str) -> tuple[Trace, str | None]:
    if len(value) > TRACE_CHARACTERS_MAX:
        return Trace(), "too-long"
    problems: list[dict[str, object]] = []
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    try:
        clauses, stamp = split_received(text, defects=problems)
    except MailParserReceivedParsingError as error:
        return Trace(), str(error)
    # The first "from" and the last of all others, as mail-parser has it.
    found = dict(reversed([clause for clause in clauses if clause[0] == "from"])) | dict(
        clause for clause in clauses if clause[0] != "from"
    )
    told = (found.get("from"), found.get("by"), found.get("with"), stamp)
    return Trace(*(clean(text.strip()) or None if text else None for text in told)), (
        str(problems[0]["reason"]) if problems else None
    )
