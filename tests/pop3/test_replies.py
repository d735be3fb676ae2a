"""What replies mean, the strange ones too."""

import pytest

from etl.errors import Untrusted
from etl.pop3 import replies
from etl.pop3.replies import Listed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"+OK", (True, "")),
        (b"+ok hello", (True, "hello")),
        (b"-ERR [AUTH] no", (False, "[AUTH] no")),
        (b"-ERR: no", (False, "no")),
    ],
)
def test_status(line: bytes, expected: tuple[bool, str]):
    """The first word decides."""
    assert replies.status(line) == expected


@pytest.mark.parametrize("line", [b"", b"+", b"OK", b"From: x", b"\xff\xfe"])
def test_anything_else_is_no_status(line: bytes):
    """A line of a message where a reply belongs means lost framing."""
    with pytest.raises(Untrusted, match="neither"):
        replies.status(line)


def test_response_code():
    """RFC 2449 section 8: a code stands first, in brackets."""
    assert replies.response_code("[sys/temp] later") == "SYS/TEMP"
    assert replies.response_code("mailbox [IN-USE]") is None


def test_listing_joins_uidl_and_list():
    """Blanks, high bytes and twins of unique ids are kept; a size may be missing."""
    uidl = b"2  b c\xe9\r\n1 a\r\n3 a\r\n"
    assert replies.join_listing(uidl, b"1 10\r\n2 20\r\n") == [
        Listed(1, "a", 10, 0),
        Listed(2, "b c\xe9", 20, 0),
        Listed(3, "a", None, 1),
    ]


@pytest.mark.parametrize("body", [b"1\r\n", b"x a\r\n", b"1 \r\n", b"1 a\0\r\n", b"1 " + b"u" * 1001 + b"\r\n"])
def test_a_uidl_line_without_an_id_is_refused(body: bytes):
    """What does not name a message must not be taken for one."""
    with pytest.raises(Untrusted, match="UIDL"):
        replies.unique_ids(body)


def test_apop_challenge():
    """RFC 1939 section 7: the greeting's msg-id, angles included."""
    assert replies.apop_challenge(b"+OK ready <1896.697170952@dbc.example>") == b"<1896.697170952@dbc.example>"
    assert replies.apop_challenge(b"+OK ready") is None
