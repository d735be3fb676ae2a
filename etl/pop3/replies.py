"""What POP3 replies mean: status lines, capabilities, listings (RFC 1939, 2449).

Text in, values out; a reply that cannot be read raises Untrusted.
"""

import re
from dataclasses import dataclass

from etl.errors import Untrusted

# RFC 1939 section 7 allows 70 characters; the wild is longer; the archive indexes them whole.
UIDL_BYTES_MAX = 1000

_CODE = re.compile(r"\[([A-Z]+(?:[/-][A-Z]+)*)\]", re.IGNORECASE)
_APOP_CHALLENGE = re.compile(rb"<[^<>\s]+@[^<>\s]+>|<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as one listing names it.

    number: its position, valid in this session only.
    uidl: its unique id, each byte as one character (latin-1), so that no id is ever altered.
    octets: the size that LIST claims; None where LIST did not name it.
    twin: 0, or how many lower numbers of the same listing carry the same uidl.
    """

    number: int
    uidl: str
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


def sizes(body: bytes) -> dict[int, int]:
    """LIST's body as {message number: octets}."""
    found = {}
    for line in body.split(b"\r\n"):
        if not line:
            continue
        fields = line.split()
        try:
            found[int(fields[0])] = int(fields[1])
        except (ValueError, IndexError):
            raise Untrusted(f"LIST gave a line that is no size: {readable(line[:80])!r}") from None
    return found


def unique_ids(body: bytes) -> dict[int, str]:
    """UIDL's body as {message number: unique id}; the id keeps inner blanks and high bytes."""
    found = {}
    for line in body.split(b"\r\n"):
        if not line:
            continue
        # QUIRK(comcast): several spaces stand between number and id.
        number, _, uidl = line.strip(b" ").partition(b" ")
        uidl = uidl.strip(b" ")
        if not number.isdigit() or not uidl or b"\0" in uidl or len(uidl) > UIDL_BYTES_MAX:
            raise Untrusted(f"UIDL gave a line that names no message: {readable(line[:80])!r}")
        found[int(number)] = uidl.decode("latin-1")
    return found


def join_listing(uidl_body: bytes, list_body: bytes) -> list[Listed]:
    """The listing of a session, in order of message numbers."""
    octets = sizes(list_body)
    seen: dict[str, int] = {}
    entries = []
    for number, uidl in sorted(unique_ids(uidl_body).items()):
        entries.append(Listed(number, uidl, octets.get(number), seen.get(uidl, 0)))
        seen[uidl] = seen.get(uidl, 0) + 1
    return entries


def readable(data: bytes) -> str:
    """Server text for a person and for Postgres: UTF-8 or latin-1, without control characters."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
