"""POP3 framing, cut in every way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import Untrusted
from etl.pop3.framing import LINE_BYTES_MAX, Framer


def stuff(message: bytes) -> bytes:
    """What a correct server sends for a message that ends in CRLF (RFC 1939 section 3)."""
    lines = message.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


def receive(wire: bytes, cut: int) -> bytes:
    """Feed a status line and a body, `cut` bytes at a time, and take the body."""
    framer, body, line, done = Framer(), b"", None, False
    for start in range(0, len(wire), cut):
        framer.feed(wire[start : start + cut])
        if line is None:
            line = framer.line()
            if line is None:
                continue
            framer.open_body()
        chunk, done = framer.body()
        body += chunk
    assert done
    assert framer.held == 0
    return body


MESSAGES = [
    b"",
    b"Subject: hi\r\n\r\nbody\r\n",
    b".\r\n",
    b"..\r\n.x\r\n.\r\n",
    b"a\r\n\r\n.\r\n\r\nb\r\n",
    b"bare\r.\rcr and bare\n.\nlf\r\n",
    b"nul \0 and \xff\r\n",
    b"x" * 200_000 + b"\r\n",
]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 7, 1_000_000])
def test_a_body_is_the_same_however_it_is_cut(message: bytes, cut: int):
    """Unstuffing gives the message back, whatever the size of the reads."""
    assert receive(b"+OK\r\n" + stuff(message), cut) == message


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"\0", b"+OK"])), st.integers(1, 9))
def test_any_message_survives_stuffing(pieces: list[bytes], cut: int):
    """Dots, bare CR and bare LF in any order come back byte for byte."""
    message = b"".join(pieces)
    message = message if not message or message.endswith(b"\r\n") else message + b"\r\n"
    assert receive(b"+OK\r\n" + stuff(message), cut) == message


def test_a_single_dot_that_the_server_forgot_to_double_is_kept():
    """Dovecot 2.3 sends a dot that is a message's first byte as it is; we do not eat it."""
    assert receive(b"+OK\r\n.hidden\r\n.\r\n", 4) == b".hidden\r\n"


def test_an_endless_line_is_refused():
    """A reply line without an end cannot fill the memory."""
    framer = Framer()
    framer.feed(b"+OK " + b"x" * LINE_BYTES_MAX)
    with pytest.raises(Untrusted, match="reply line of over"):
        framer.line()
