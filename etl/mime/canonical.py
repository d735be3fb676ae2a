"""The canonical hash: the same for two copies of one mail that differ only by the way they came.

Left out are the kind of line ends, blank lines at the end, how fields are folded, and the fields that servers and
mail stores add on the way: trace (RFC 5321 section 4.4, RFC 7208, 8601, 8617), delivery, and the marks of a store.
No I/O; constant memory but for the head.
"""

import hashlib
import re

# A head beyond this is hashed as it stands, so that memory is bounded.
HEAD_OCTETS_MAX = 1024 * 1024
_ENDS_AT_ONCE = 64 * 1024

_ADDED = [
    b"Received", b"Return-Path", b"X-Received", b"Received-SPF", b"Authentication-Results", b"X-Spam-[A-Za-z0-9-]+",
    b"ARC-(?:Seal|Message-Signature|Authentication-Results)",
    b"(?:X-)?Delivered-To", b"X-Original-To", b"(?:X-)?Envelope-To", b"Delivery-Date",
    b"X-UIDL", b"X-UID", b"X-IMAPbase", b"(?:X-)?Status", b"X-Keywords", b"X-Mozilla-[A-Za-z0-9-]+",
    b"Content-Length", b"Lines",
]  # fmt: skip
# Behind a line end, and without its own: what begins with one character is found many times as fast.
_FIELDS = re.compile(rb"\n(?:From |(?:" + b"|".join(_ADDED) + rb")[ \t]*:)[^\n]*+(?:\n[ \t][^\n]*+)*+", re.I)
_FOLD = re.compile(rb"\n[ \t]+")


class Canonical:
    """Takes a message piece by piece and gives its canonical hash."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._head: bytearray | None = bytearray()
        self._half = b""  # a CR that may be half a line end
        self._ends = 0  # line ends held back: those at the very end do not count

    def feed(self, data: bytes) -> None:
        """The next octets of the message."""
        data = self._half + data
        self._half = b"\r" if data.endswith(b"\r") else b""
        if self._half:
            data = data[:-1]
        self._take(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))

    def close(self) -> bytes:
        """The hash, 32 octets. Nothing may be fed afterwards."""
        if self._half:
            self._take(b"\n")
        if self._head is not None:
            self._end_head(bytes(self._head), b"")
        return self._digest.digest()

    def _take(self, data: bytes) -> None:
        if self._head is None:
            self._body(data)
            return
        start = max(0, len(self._head) - 1)
        self._head += data
        blank = 0 if self._head.startswith(b"\n") else self._head.find(b"\n\n", start) + 1 or -1
        cut = blank + 1 or len(self._head)
        if blank >= 0 or cut > HEAD_OCTETS_MAX:
            cut = min(cut, HEAD_OCTETS_MAX)  # wherever the pieces end
            self._end_head(bytes(self._head[:cut]), bytes(self._head[cut:]))

    def _end_head(self, head: bytes, rest: bytes) -> None:
        self._head = None
        head = head.rstrip(b"\n") + b"\n"
        self._digest.update(_FOLD.sub(b" ", _FIELDS.sub(b"", b"\n" + head)[1:]) + b"\n")
        self._body(rest)

    def _body(self, data: bytes) -> None:
        text = data.rstrip(b"\n")
        if text:
            while self._ends:
                ends = min(self._ends, _ENDS_AT_ONCE)
                self._digest.update(b"\n" * ends)
                self._ends -= ends
            self._digest.update(text)
        self._ends += len(data) - len(text)


def canonical_sha256(raw: bytes) -> bytes:
    """The canonical hash of a message, 32 octets."""
    canonical = Canonical()
    canonical.feed(raw)
    return canonical.close()
