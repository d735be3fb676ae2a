"""Files in plain text: uuencoded (POSIX), between `begin <mode> <name>` and `end`."""

import re
from dataclasses import dataclass

from etl.mime.transfer import uu_line

_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,300})\r?\n", re.M)
_ALPHABET = bytes(range(32, 97))
_LINE = re.compile(rb"([^\r\n]*)(?:\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class File:
    """One file. name: as written. whole: whether its end was there."""

    name: bytes
    content: bytes
    whole: bool


def may_hold(text: bytes) -> bool:
    """Whether it is worth looking; nearly no text is."""
    return text.startswith(b"begin ") or b"\nbegin " in text


def split(text: bytes) -> tuple[bytes, list[File]]:
    """The text without its files, and the files. Linear in the text's size."""
    kept, files, at = [], [], 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < at:
            continue  # inside a file
        content, end, whole = _content(text, begin.end())
        if content is None:
            continue  # prose that begins so
        kept.append(text[at : begin.start()])
        files.append(File(begin[1].strip(), content, whole))
        at = end
    kept.append(text[at:])
    return b"".join(kept), files


def _content(text: bytes, at: int) -> tuple[bytes | None, int, bool]:
    """What stands there decoded, None if its first line is no code; where it ends, and whether with its end."""
    decoded = bytearray()
    lines = 0
    while at < len(text):
        line = _LINE.match(text, at)
        assert line  # it matches everything
        if line[1].rstrip() == b"end" and lines:
            return bytes(decoded), line.end(), True
        octets = _octets(line[1], first=not lines)
        if octets is None:
            break
        decoded += octets
        lines += 1
        at = line.end()
    return (bytes(decoded) if decoded else None), at, False


def _octets(line: bytes, first: bool) -> bytes | None:
    """A line of code decoded; None for what is none: other characters, or another number than its first one says."""
    if not line.strip():
        return b""  # mailers drop the blank that is a line without octets
    if line.translate(None, _ALPHABET):
        return None
    characters = (((line[0] - 32) & 63) + 2) // 3 * 4
    # Some encoders leave the last group unfilled, some add a character to check by. Mailers drop the blanks that some
    # write for zeros; a first line like that is more likely prose.
    if len(line.rstrip()) - 1 > characters + 2 or (first and len(line) - 1 < characters - 3):
        return None
    return uu_line(line.rstrip())
