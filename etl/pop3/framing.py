"""POP3 framing: bytes in, lines and message chunks out (RFC 1939 section 3).

No socket, clock or log here; the caller feeds bytes and takes lines or body chunks.
"""

from etl.errors import Untrusted

# RFC 2449 section 4 allows 512 octets for a first line; the wild is longer, this bounds our memory.
LINE_BYTES_MAX = 64 * 1024

CRLF = b"\r\n"
TERMINATOR = b"\r\n.\r\n"
STUFFED = b"\r\n.."
UNSTUFFED = b"\r\n."


class Framer:
    """Cuts what a server sends into reply lines and multi-line bodies.

    Feed it with `feed`, then ask for a `line` or, once a reply announced one, for a `body`.
    Asking never blocks: None means "feed me more".
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0
        self._borrowed = 0

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire, in any cut."""
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    @property
    def held(self) -> int:
        """How many fed bytes nobody has taken yet."""
        return len(self._buffer) - self._start

    def line(self) -> bytes | None:
        """The next line without its CRLF, or None.

        Raises Untrusted when a line outgrows LINE_BYTES_MAX: it is no reply then.
        """
        end = self._buffer.find(CRLF, self._start)
        length = (end if end >= 0 else len(self._buffer)) - self._start
        if length > LINE_BYTES_MAX:
            raise Untrusted(f"the server sent a reply line of over {LINE_BYTES_MAX} bytes")
        if end < 0:
            return None
        line = bytes(self._buffer[self._start : end])
        self._start = end + len(CRLF)
        return line

    def open_body(self) -> None:
        """Begin a multi-line body: the line just taken announced it.

        The CRLF of that line is taken back, so that a body's first line begins like any other.
        """
        self._start -= len(CRLF)
        self._borrowed = len(CRLF)

    def body(self) -> tuple[bytes, bool]:
        """What has come of the body since the last call, unstuffed, and whether it is complete.

        A line that begins with a single dot is kept as it came: a server that stuffs never
        sends one, so this one does not stuff (Dovecot 2.3 at the first byte of a message).
        """
        begin = self._start
        end = self._buffer.find(TERMINATOR, begin)
        done = end >= 0
        # The CRLF before the final dot belongs to the message; short of the end, what may
        # be the beginning of a terminator or of a stuffed dot waits for the next bytes.
        cut = end + len(CRLF) if done else len(self._buffer) - _tail(self._buffer, begin)
        chunk = bytes(self._buffer[begin:cut]).replace(STUFFED, UNSTUFFED)
        self._start = end + len(TERMINATOR) if done else cut
        skip = min(self._borrowed, len(chunk))
        self._borrowed -= skip
        return chunk[skip:], done


def _tail(buffer: bytearray, begin: int) -> int:
    """How many last bytes of the buffer could begin a terminator or a stuffed dot."""
    for size in range(min(len(TERMINATOR) - 1, len(buffer) - begin), 0, -1):
        if buffer.endswith(TERMINATOR[:size]):
            return size
    return 0
