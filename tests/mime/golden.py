"""Goldens: nasty messages, each a readable file beside the rows that it must give.

A golden is a TOML file below `goldens/`:

    nasty     what is nasty about it, in one line
    decides   the section of an RFC, or what mail readers do, that decides what is right
    mail      the message; its lines end in CRLF
    [rows]    what the rows say, as far as it is not what the usual letter's say (see USUAL and EXPECTED)

In `mail` other characters than ASCII stand for their UTF-8 octets, and these stand for what is hard to see:

    \\xE9 \\r \\n \\t \\\\   an octet; bare CR, LF; a tab; a backslash
    «gbk:发票»          the text in that charset, raw
    «b64 gbk:发票»      the same in base64
    «16000*a»           so many of them
    «usual From To»     these lines of the usual letter
"""

import base64
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.mime.addresses import normalised
from etl.mime.reading import read
from etl.mime.rows import Part, Reading

FOLDER = Path(__file__).parent / "goldens"

USUAL = {
    "From": "Ann <ann@example.org>",
    "To": "bob@example.org",
    "Subject": "Soup",
    "Date": "Tue, 03 Mar 2026 09:30:00 +0100",
    "Message-ID": "<soup@example.org>",
}

Rows = dict[str, Any]

EXPECTED: Rows = {
    "subject": "Soup",
    "message_id": "<soup@example.org>",
    "in_reply_to": "",
    "references": [],
    # Of each role: [name, address as written], and where it is another the address normalised, and the group.
    "from": [["Ann", "ann@example.org"]],
    "to": [["", "bob@example.org"]],
    # When it was sent, the sender's offset in minutes, and which date was chosen; "" and "unknown" for none.
    "sent": ["2026-03-03 08:30:00", 60, "date"],
    "parts": [{"octets": 7}],
    "text": "hello\n",
    # [kind, place], and the text in the message at which it lies where that is told, or how many there are.
    "defects": [],
}

# Of each part what is not so; a container has no octets.
EXPECTED_PART: Rows = {
    "path": "1",
    "type": "text/plain",
    "charset": "",
    "disposition": "",
    "name": "",
    "octets": "",
    "attachment": False,
}

_NOTATION = re.compile(r"\\(x[0-9A-F]{2}|[rnt\\])|«(usual|b64)? ?([^»]*)»")
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


@dataclass(frozen=True)
class Golden:
    """One file: its name, the message and the rows that it must give."""

    name: str
    nasty: str
    decides: str
    raw: bytes
    rows: Rows


def goldens() -> Iterator[Golden]:
    """All of them, in order."""
    for path in sorted(FOLDER.glob("*/*.toml")):
        told = tomllib.loads(path.read_text())
        name = f"{path.parent.name}/{path.stem}"
        yield Golden(name, told["nasty"], told["decides"], octets(told["mail"]), told.get("rows", {}))


def octets(mail: str) -> bytes:
    """The message that the notation stands for."""
    return b"".join(_octets(mail))


def _octets(mail: str) -> Iterator[bytes]:
    at = 0
    for found in _NOTATION.finditer(mail):
        yield _plain(mail[at : found.start()])
        at = found.end()
        escaped, what, text = found.groups()
        if escaped:
            yield _ESCAPED.get(escaped) or bytes.fromhex(escaped[1:])
        elif what == "usual":
            yield "\r\n".join(f"{name}: {USUAL[name]}" for name in text.split()).encode()
        elif "*" in text:
            times, _, repeated = text.partition("*")
            yield _plain(repeated * int(times))
        else:
            charset, _, content = text.partition(":")
            encoded = content.encode(charset)
            yield base64.b64encode(encoded) if what else encoded
    yield _plain(mail[at:])


def _plain(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def expected(golden: Golden) -> Rows:
    """The rows that the golden asks for, the usual letter's where it does not say."""
    assert golden.rows.keys() <= EXPECTED.keys() | {"sender", "reply-to", "cc", "bcc", "delivered-to"}
    rows = EXPECTED | golden.rows
    rows["message_id"] = octets(rows["message_id"]).decode()
    rows["parts"] = [EXPECTED_PART | part for part in rows["parts"]]
    rows["defects"] = sorted([kind, place] for kind, place, *more in rows["defects"] for _ in range(_times(more)))
    return rows


def _times(more: list[Any]) -> int:
    return more[0] if more and isinstance(more[0], int) else 1


def found(golden: Golden) -> Rows:
    """The rows that the message gives, in the same form."""
    reading = read(golden.raw)
    at = str(reading.sent_at or "").removesuffix("+00:00")
    offset = reading.date_offset_minutes if reading.date_offset_minutes is not None else "unknown"
    return {
        "subject": reading.subject or "",
        "message_id": reading.message_id or "",
        "in_reply_to": reading.in_reply_to or "",
        "references": reading.references,
        "from": [],
        "to": [],
        **participants(reading),
        "sent": [at, offset, reading.sent_at_source or ""],
        "parts": [part(row) for row in reading.parts],
        "text": reading.text,
        "defects": sorted([defect.kind, defect.place] for defect in reading.defects),
    }


def participants(reading: Reading) -> dict[str, list[list[str]]]:
    """By role; the normalised address where it is another, the group where there is one."""
    people: dict[str, list[list[str]]] = {}
    for p in reading.participants:
        address = normalised(p.address)
        more = [address, p.group] if p.group else [address] if address != p.address else []
        people.setdefault(p.role, []).append([p.name, p.address, *more])
    return people


def part(row: Part) -> Rows:
    """A part as goldens tell it."""
    return {
        "path": row.path,
        "type": row.content_type,
        "charset": row.charset or "",
        "disposition": row.disposition or "",
        "name": row.filename or "",
        "octets": "" if row.octets is None else row.octets,
        "attachment": row.attachment,
    }
