"""Encoded words in headers (RFC 2047), and raw 8-bit octets beside them.

Equal to mail-parser's `decode_header_part` where that reads well. Not equal, and so not called:
it drops what the named charset does not take (GBK called GB2312), gives the whole header up for one
word of broken base64, decodes no language suffix (RFC 2231 section 5), and takes quadratic time
in the number of words.
"""

import binascii
import re
from collections.abc import Iterator

from etl.mime import charsets
from etl.mime.composed import composed

# Where another word begins, one that has not ended is none.
_BEGIN = r"=\?[^?\s]*\?[qQbB]\?"
_WORD = re.compile(rf"=\?([^?]*)\?([qQbB])\?((?:(?!{_BEGIN}).)*?)\?=", re.DOTALL)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_GARBAGE = re.compile(rb"[^A-Za-z0-9+/\s]")


def decode(value: str, fallback: str | None, problems: list[str]) -> str:
    """A header value as a person reads it; the value unfolded, its 8-bit octets escaped.

    fallback: the charset of octets without a label. problems: takes what was wrong.
    """
    # Behind the last "?=" no word can end; looking for one there is what takes quadratic time.
    end = value.rfind("?=") + 2 if "=?" in value else 0
    text = "".join(_decoded(run, fallback, problems) for run in _runs(value[:end], problems))
    if end < len(value):
        text += plain(value[end:], fallback, problems)
    return composed(text)


def _runs(value: str, problems: list[str]) -> Iterator[tuple[str | None, bytes]]:
    """Octets with their charset, None for what is no word; words of one charset are joined first.

    Mailers split a character's octets between words, though they must not.
    """
    charset: str | None = None
    joined = b""
    at = 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        at = word.end()
        if between and not (between.isspace() and joined):
            yield charset, joined
            yield None, between.encode("utf-8", "surrogateescape")
            joined = b""
        if joined and word[1].lower() != charset:
            yield charset, joined
            joined = b""
        charset = word[1].lower()
        joined += _octets(word[2], word[3], problems)
    yield charset, joined
    yield None, value[at:].encode("utf-8", "surrogateescape")


def _octets(encoding: str, encoded: str, problems: list[str]) -> bytes:
    octets = encoded.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(octets, header=True)
    # Padding missing, doubled or in the middle; spaces inside: every run of digits decodes on its own.
    return b"".join(_base64(run, problems) for run in octets.split(b"="))


def _base64(run: bytes, problems: list[str]) -> bytes:
    digits = _NOT_BASE64.sub(b"", run)
    if len(digits) % 4 == 1 or (len(digits) != len(run) and _GARBAGE.search(run)):
        problems.append("damaged base64")
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _decoded(run: tuple[str | None, bytes], fallback: str | None, problems: list[str]) -> str:
    charset, octets = run
    if charset is None:
        return plain(octets.decode("utf-8", "surrogateescape"), fallback, problems)
    text, problem = charsets.decode(octets, charset, fallback)
    if problem:
        problems.append(problem)
    return text


def plain(value: str, fallback: str | None, problems: list[str]) -> str:
    """A header value without encoded words: its raw octets as text."""
    if value.isascii() and "\x1b$" not in value:
        return value
    octets = value.encode("utf-8", "surrogateescape")
    if value.isascii():
        text, guessed = charsets.decode(octets, "iso-2022-jp")[0], "iso-2022-jp"
    else:
        text, guessed = charsets.guess(octets, fallback)
    if guessed != "utf-8":  # which RFC 6532 allows
        problems.append(f"8-bit octets without a charset, read as {guessed}")
    return text
