"""Transfer encodings undone in a stream (RFC 2045 section 6), and base64 that can be made again exactly.

No I/O; constant memory. The results are those of the standard library's `get_payload(decode=True)`, which
decodes a body at once. They differ where it first reads to the end, and then gives up:
- base64 with one character too many is returned encoded there, and decoded without that character here;
- uuencoded text that is broken, or without its `begin`, is returned encoded there; here it ends where it broke.
"""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from enum import Enum
from typing import Protocol

UU_LINE_BYTES_MAX = 256  # a line's first character counts up to 63 octets: 85 characters; the rest is padding
LINE_OCTETS_MAX = 64 * 1024  # RFC 2045 says 76; beyond this, lines are not worth being kept apart

# An encoding with something beside it: quotes, a comment (RFC 5322 section 3.2.2), a semicolon, a blank within.
_NAMED = re.compile(r"[\s\"']*(base64|quoted[\s-]printable|(?:x-)?uu(?:encode|e))(?![\w-])")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_CHARACTERS = re.compile(rb"[A-Za-z0-9+/]*")
# A last group that encodes its octets and nothing else: no bits are set that are not theirs (RFC 4648 section 3.5).
_PADDED = re.compile(rb"[A-Za-z0-9+/](?:[AQgw]==|[A-Za-z0-9+/][AEIMQUYcgkosw048]=)")
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a CR at the end may be half of one
_HALF_ESCAPE = re.compile(rb"=[0-9A-Fa-f]?\Z")
_CUT_SOFT_BREAK = re.compile(rb"(?<!=)(?:==)*=\r")


class Decoder(Protocol):
    """A transfer encoding being undone."""

    def feed(self, data: bytes) -> bytes:
        """The content that these octets make certain."""

    def close(self) -> bytes:
        """The content of what was held back."""


def decoder(encoding: str) -> Decoder:
    """The decoder for a Content-Transfer-Encoding, in lower case; as it stands for one that is unknown."""
    return _DECODERS.get(encoding, Identity)()


def encoding_of(head: Message) -> str:
    """The encoding that these fields mean, in lower case; as written where they name none that is undone."""
    encoding = str(head.get("content-transfer-encoding", "")).lower()
    if encoding in _DECODERS:
        return encoding
    named = _NAMED.match(encoding)
    return re.sub(r"[\s-]+", "-", named[1]) if named else encoding


class Identity:
    """7bit, 8bit, binary, and what nobody knows: content as it stands."""

    def feed(self, data: bytes) -> bytes:
        """The same octets."""
        return data

    def close(self) -> bytes:
        """Nothing is held back."""
        return b""


class Base64:
    """RFC 2045 section 6.8: octets outside the alphabet are ignored, the first whole padding ends the content."""

    def __init__(self) -> None:
        self._held = b""
        self._aligned = True  # whole groups end where lines do, so far
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Decode all whole groups."""
        if self._ended:
            return b""
        data = self._held + data if self._held else data
        if self._aligned and b"=" not in data:
            lines = data.rfind(b"\n") + 1
            try:
                # One pass, and the usual case. It skips what is not in the alphabet, and raises at half a group.
                decoded = binascii.a2b_base64(data[:lines])
                if len(data) - lines <= LINE_OCTETS_MAX:
                    self._held = data[lines:]
                    return decoded
            except binascii.Error:
                pass
            self._aligned = False
        return self._groups(data.translate(None, _NOT_BASE64))

    def _groups(self, data: bytes) -> bytes:
        """Decode whole groups of characters. Padding inside a group's first two is ignored, as binascii has it."""
        characters = data.replace(b"=", b"")
        groups, odd = divmod(len(characters), 4)
        try:
            decoded = binascii.a2b_base64(data)
        except binascii.Error:  # half a group at the end, without its padding yet
            self._held = characters[4 * groups :] + (b"=" if odd == 2 and data.endswith(b"=") else b"")
            return binascii.a2b_base64(characters[: 4 * groups])
        # Padding ended the content where half a group was decoded, or less than all groups.
        self._held, self._ended = b"", odd != 0 or len(decoded) < 3 * groups
        return decoded

    def close(self) -> bytes:
        """Decode what lacks its padding."""
        decoded = b"" if self._ended else self._groups(self._held.translate(None, _NOT_BASE64))
        odd = self._held.rstrip(b"=")
        return decoded + (binascii.a2b_base64(odd + b"==") if len(odd) > 1 else b"")


class QuotedPrintable:
    """RFC 2045 section 6.7 as `binascii.a2b_qp` reads it: wrong escapes stand as they are."""

    def __init__(self) -> None:
        self._held = b""
        self._in_soft_break = False

    def feed(self, data: bytes) -> bytes:
        """Decode all but an escape whose end is not here yet."""
        data = self._held + data if self._held else data
        if self._in_soft_break:
            # "=" and CR: all up to the next LF is dropped, however far it is.
            _, found, data = data.partition(b"\n")
            self._in_soft_break = not found
        whole = self._whole(data)
        self._held = data[whole:]
        last_line = data.rfind(b"\n") + 1
        if data.find(b"=\r", last_line) >= 0:
            self._in_soft_break = bool(_CUT_SOFT_BREAK.search(data, last_line, whole))
        return binascii.a2b_qp(data[:whole])

    @staticmethod
    def _whole(data: bytes) -> int:
        """Where an escape begins that the data cut off; "==" is one, so of many only an odd last one begins one."""
        half = _HALF_ESCAPE.search(data, max(0, len(data) - 2))
        if not half:
            return len(data)
        before = data[: half.start() + 1]
        return half.start() if (len(before) - len(before.rstrip(b"="))) % 2 else len(data)

    def close(self) -> bytes:
        """What looked like an escape is text."""
        return b"" if self._in_soft_break else binascii.a2b_qp(self._held)


class UUEncoded:
    """Lines between `begin <mode> <name>` and `end` (POSIX uuencode)."""

    def __init__(self) -> None:
        self._held = b""
        self._begun = False
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Decode all whole lines."""
        if self._ended:
            return b""
        data = self._held + data
        decoded, at = bytearray(), 0
        for end in _LINE_END.finditer(data):
            decoded += self._line(data[at : end.start()])
            at = end.end()
        # Only a line's start means anything, so a long one does not add up.
        self._held = data[at : at + UU_LINE_BYTES_MAX] + data[max(at + UU_LINE_BYTES_MAX, len(data) - 1) :]
        return bytes(decoded)

    def _line(self, line: bytes) -> bytes:
        line = line[:UU_LINE_BYTES_MAX]
        if not self._begun:
            self._begun = _is_begin(line)
            return b""
        decoded = None if self._ended or line.strip(b" \t\f") in (b"", b"end") else uu_line(line)
        self._ended |= decoded is None
        return decoded or b""

    def close(self) -> bytes:
        """Decode a last line without its end."""
        return self._line(self._held.removesuffix(b"\r")) if self._held else b""


def _is_begin(line: bytes) -> bool:
    if not line.startswith(b"begin "):
        return False
    try:
        int(line.split(b" ", 2)[1], base=8)
    except ValueError:
        return False
    return True


def uu_line(line: bytes) -> bytes | None:
    """A line decoded; None when it cannot be."""
    octets = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
    for attempt in (line, line[:octets]):  # some encoders pad the last line wrongly; the standard library forgives it
        try:
            return binascii.a2b_uu(attempt)
        except binascii.Error:
            pass
    return None


_DECODERS: dict[str, type[Base64] | type[QuotedPrintable] | type[UUEncoded]] = {
    "base64": Base64,
    "quoted-printable": QuotedPrintable,
    **dict.fromkeys(("x-uuencode", "uuencode", "uue", "x-uue"), UUEncoded),
}


@dataclass(frozen=True, slots=True)
class Base64Shape:
    """How content was written in base64, to write it so again.

    line_octets: characters in each line but the last; 0 when all is one line without an end.
    line_end: CR LF or LF, empty when there is none.
    closed: whether a line end stands behind the last line.
    """

    line_octets: int = 0
    line_end: bytes = b""
    closed: bool = False


class CanonicalBase64:
    """Base64 decoded as far as `encode` gives back the very octets that were fed.

    That is: lines of one length, a multiple of 4 and at most LINE_OCTETS_MAX, but for the last; one kind of line end;
    right padding, no stray bits or octets. What was fed is, at any time, `encode(all decoded so far, shape)`, then all
    of `literal` so far, then up to 3 octets held back (or half a line end) until the next call.

    literal: what the last call, feed or close, found not to be canonical; from the first such octet on, all is.
    octets: how many octets fed are canonical, so where in the input the literal begins.
    """

    def __init__(self) -> None:
        self.literal = b""
        self.octets = 0
        self._held = b""
        self._line_octets = 0
        self._line_end = b""
        self._column = 0
        self._place = _Place.LINES

    @property
    def shape(self) -> Base64Shape:
        """How what was decoded so far was written."""
        return Base64Shape(self._line_octets, self._line_end, bool(self._line_end) and self._column == 0)

    def feed(self, data: bytes) -> bytes:
        """The content of what is certainly canonical; what is certainly not is `literal`."""
        data = self._held + data if self._held else data
        decoded, at = [], 0
        while at < len(data) and self._place is not _Place.LITERAL:
            piece, size = self._take(data, at)
            if not size:
                break
            decoded.append(piece)
            at += size
        self.octets += at
        rest = data[at:]
        self._held, self.literal = (b"", rest) if self._place is _Place.LITERAL else (rest, b"")
        return b"".join(decoded)

    def close(self) -> Base64Shape:
        """The shape of all that was decoded; what was held back is `literal`. Nothing may be fed afterwards."""
        self._held, self.literal, self._place = b"", self._held, _Place.LITERAL
        return self.shape

    def _take(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Content, and how many octets it took: none when more input is needed, or when the literal begins."""
        for take in _TAKES[self._place]:
            piece, size = take(self, data, at)
            if size:
                return piece, size
        if not self._may_go_on(data[at : at + 4]):
            self._place = _Place.LITERAL
        return b"", 0

    def _may_go_on(self, rest: bytes) -> bool:
        """Whether these octets may become a group or a line end with what follows them."""
        if self._place is _Place.LINES and (self._column < self._line_octets or not self._line_octets):
            return len(rest) < 4
        return self._place is not _Place.DONE and rest == b"\r" and self._line_end != b"\n"

    def _whole_lines(self, data: bytes, at: int) -> tuple[bytes, int]:
        """As many whole lines as are right; where one is wrong, found by halving."""
        if self._column or not self._line_octets:
            return b"", 0
        stride = self._line_octets + len(self._line_end)
        decoded, start, lines, wrong = [], at, (len(data) - at) // stride, False
        while lines:
            piece = self._lines(data[at : at + lines * stride])
            if piece is not None:
                decoded.append(piece)
                at += lines * stride
            wrong |= piece is None
            lines = lines // 2 if wrong else 0
        return b"".join(decoded), at - start

    def _lines(self, block: bytes) -> bytes | None:
        """Whole lines decoded, or None where one is wrong."""
        stride = self._line_octets + len(self._line_end)
        lines = len(block) // stride
        for i, octet in enumerate(self._line_end, self._line_octets):
            if block[i::stride] != bytes([octet]) * lines:
                return None
        try:
            # binascii skips what is not in the alphabet; then less comes out than so many lines must give.
            decoded = binascii.a2b_base64(block)
        except binascii.Error:
            return None
        return decoded if len(decoded) == lines * self._line_octets // 4 * 3 else None

    def _groups(self, data: bytes, at: int) -> tuple[bytes, int]:
        """The whole groups of a line, up to its end."""
        limit = at + self._line_octets - self._column if self._line_octets else len(data)
        run = _CHARACTERS.match(data, at, limit)
        assert run  # it matches everything
        size = (run.end() - at) // 4 * 4
        self._column += size
        return binascii.a2b_base64(data[at : at + size]), size

    def _padding(self, data: bytes, at: int) -> tuple[bytes, int]:
        """A last group with its padding."""
        if not _PADDED.match(data, at) or self._column == self._line_octets != 0:
            return b"", 0
        self._column += 4
        self._place = _Place.PADDED
        return binascii.a2b_base64(data[at : at + 4]), 4

    def _end_of_line(self, data: bytes, at: int) -> tuple[bytes, int]:
        """A line end; the first one tells which kind all others are of, and how long lines are."""
        end = next((e for e in (b"\r\n", b"\n") if data.startswith(e, at) and self._line_end in (b"", e)), b"")
        if not end or not self._column or self._column > LINE_OCTETS_MAX:
            return b"", 0
        if not self._line_octets:
            self._line_octets, self._line_end = self._column, end
        short = self._column < self._line_octets or self._place is _Place.PADDED
        self._place = _Place.DONE if short else _Place.LINES
        self._column = 0
        return b"", len(end)


class _Place(Enum):
    """Where in canonical base64 we are."""

    LINES = "lines"
    PADDED = "padded"  # a line end may follow, and nothing else
    DONE = "done"  # nothing may follow
    LITERAL = "literal"


_TAKES: dict[_Place, tuple[Callable[[CanonicalBase64, bytes, int], tuple[bytes, int]], ...]] = {
    _Place.LINES: (
        CanonicalBase64._whole_lines,
        CanonicalBase64._groups,
        CanonicalBase64._padding,
        CanonicalBase64._end_of_line,
    ),
    _Place.PADDED: (CanonicalBase64._end_of_line,),
    _Place.DONE: (),
}


def encode(chunks: Iterable[bytes], shape: Base64Shape) -> Iterator[bytes]:
    """Content in base64 of that shape, piece by piece; the pieces hold no more than the chunks and one line do."""
    line = shape.line_octets // 4 * 3
    unit = line or 3
    held, begun = b"", False
    for chunk in chunks:
        held += chunk
        whole = len(held) // unit * unit
        if whole:
            yield (shape.line_end if begun else b"") + _written(held[:whole], shape)
            held, begun = held[whole:], True
    if held:
        yield (shape.line_end if begun else b"") + _written(held, shape)
    if shape.closed and (begun or held):
        yield shape.line_end


def _written(content: bytes, shape: Base64Shape) -> bytes:
    """Base64 with line ends between its lines."""
    text = binascii.b2a_base64(content, newline=False)
    octets = shape.line_octets
    if not octets:
        return text
    return shape.line_end.join([text[start : start + octets] for start in range(0, len(text), octets)])
