"""What POP3 replies mean: status lines, capabilities, listings (RFC 1939, 2449).

Text in, values out; a reply that cannot be read raises Untrusted.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from etl.errors import Untrusted

# RFC 1939 section 7 allows 70 characters; the wild is longer; the archive indexes them whole.
UIDL_BYTES_MAX = 1000
# What a Postgres bigint holds; a size beyond it is a slip of the server and counts as untold.
OCTETS_MAX = 2**63 - 1
# RFC 1939 sets no limit; ten digits are more messages than any server lists.
NUMBER_DIGITS_MAX = 10

_CODE = re.compile(r"\[([A-Z]+(?:[/-][A-Z]+)*)\]", re.IGNORECASE)
# Printable ASCII only: a false server needs other bytes to learn the password from MD5 (CVE-2007-1558).
_APOP_CHALLENGE = re.compile(rb"<[!-;=?-~]+>")


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as one listing names it.

    number: its position, valid in this session only.
    uidl: its unique id, each byte as one character (latin-1), so that no id is ever altered;
    None where the server gives it none, one that cannot be kept, or one that others have too.
    octets: the size that LIST claims; None where LIST did not name it.
    twin: 0, or how many lower numbers of the same listing have the same bytes, where these had to name it.
    """

    number: int
    uidl: str | None
    octets: int | None
    twin: int = 0


def status(line: bytes) -> tuple[bool, str]:
    """Whether a first line accepts or refuses, and its text.

    Raises Untrusted for anything else: what follows such a line has no known framing.
    """
    word, _, text = line.partition(b" ")
    # Some servers answer "-ERR:" or "+ok"; the first characters decide (RFC 1939 section 3).
    upper = word.upper()
    if upper.startswith(b"+OK"):
        return True, readable(text)
    if upper.startswith(b"-ERR"):
        return False, readable(text)
    raise Untrusted(f"the server answered neither +OK nor -ERR: {readable(line[:80])!r}")


def response_code(text: str) -> str | None:
    """The extended response code of a reply's text, such as IN-USE (RFC 2449 section 8)."""
    match = _CODE.match(text)
    return match[1].upper() if match else None


def apop_challenge(greeting: bytes) -> bytes | None:
    """The timestamp that a greeting offers for APOP, or None (RFC 1939 section 7)."""
    match = _APOP_CHALLENGE.search(greeting)
    return match[0] if match else None


def capabilities(body: bytes) -> tuple[str, ...]:
    """The lines of a CAPA reply, as sent but for outer blanks (RFC 2449 section 5)."""
    return tuple(text for line in body.splitlines() if (text := readable(line).strip()))


def offers(capabilities: Sequence[str] | None, name: str) -> bool:
    """Whether CAPA named a capability; None is a server without CAPA."""
    return any(line.upper().split()[:1] == [name] for line in capabilities or ())


def parameters(capabilities: Sequence[str] | None, name: str) -> tuple[str, ...]:
    """The words behind a capability's name in upper case, from each line that has it."""
    lines = (line.upper().split() for line in capabilities or ())
    return tuple(word for words in lines if words[:1] == [name] for word in words[1:])


def login_delay_seconds(capabilities: Sequence[str] | None) -> float | None:
    """The pause between two logins that CAPA asks for, or None (RFC 2449 section 6.5)."""
    word = (*parameters(capabilities, "LOGIN-DELAY"), "")[0]
    return float(word) if _is_number(word.encode()) else None


def expire_days(capabilities: Sequence[str] | None) -> float | None:
    """How long the server keeps mail: days, infinity for NEVER, None for untold (RFC 2449 section 6.7).

    0 means that a message may be gone at the end of the session that retrieved it.
    """
    word = (*parameters(capabilities, "EXPIRE"), "")[0]
    if word == "NEVER":
        return math.inf
    return float(word) if _is_number(word.encode()) else None


def sizes(body: bytes) -> dict[int, int | None]:
    """LIST's body as {message number: octets}, None for a size that is none."""
    found = {}
    for number, rest in _numbered(body, "LIST"):
        size = (rest.split() or [b""])[0]
        found[number] = int(size) if size.isdigit() and len(size) < 20 and int(size) <= OCTETS_MAX else None
    return found


def unique_ids(body: bytes) -> dict[int, str | None]:
    """UIDL's body as {message number: unique id}; the id keeps inner blanks and high bytes.

    None for an id that is blank or cannot be kept, and for a number that is given two ids.
    """
    found: dict[int, str | None] = {}
    for number, rest in _numbered(body, "UIDL"):
        # QUIRK(gmail): a message now and then has a blank id; the others are as good as ever.
        keeps = rest and b"\0" not in rest and len(rest) <= UIDL_BYTES_MAX
        uidl = rest.decode("latin-1") if keeps else None
        found[number] = uidl if found.get(number, uidl) == uidl else None
    return found


def _numbered(body: bytes, verb: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a listing as (message number, what follows it)."""
    for line in body.split(b"\r\n"):
        if not line.strip():
            continue
        # QUIRK(comcast): several spaces stand between number and id; others send a tab, or blanks at the end.
        number, rest = (*line.split(None, 1), b"")[:2]
        if not _is_number(number):
            raise Untrusted(f"{verb} gave a line that names no message: {readable(line[:80])!r}")
        yield int(number), rest.strip(b" \t")


def _is_number(word: bytes) -> bool:
    return word.isdigit() and len(word) <= NUMBER_DIGITS_MAX


def join_listing(uidl_body: bytes, list_body: bytes) -> list[Listed]:
    """The listing of a session, in order of message numbers.

    What either of the two commands names is there: without a size where LIST leaves it out, without a unique id
    where UIDL does. An id that two messages have names neither: which is which may be otherwise the next time, and
    what is taken for an archived message is deleted.
    """
    uidls, octets = unique_ids(uidl_body), sizes(list_body)
    held_by = Counter(uidls.values())
    unique = {number: uidl for number, uidl in uidls.items() if held_by[uidl] == 1}
    numbers = sorted(uidls.keys() | octets.keys())
    return [Listed(number, unique.get(number), octets.get(number)) for number in numbers]


def twins(entries: Iterable[Listed]) -> list[Listed]:
    """The entries, each told how many before it have its unique id."""
    seen: Counter[str | None] = Counter()
    told = []
    for entry in entries:
        told.append(replace(entry, twin=seen[entry.uidl] if entry.uidl else 0))
        seen[entry.uidl] += 1
    return told


def readable(data: bytes) -> str:
    """Server text for a person and for Postgres: UTF-8 or latin-1, without control characters."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
