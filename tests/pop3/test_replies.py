"""What replies mean, the strange ones too."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    """Blanks and high bytes of unique ids are kept; a size may be missing."""
    uidl = b"2  b c\xe9\r\n1 a\r\n3 d\r\n"
    assert replies.join_listing(uidl, b"1 10\r\n2 20\r\n") == [
        Listed(1, "a", 10, 0),
        Listed(2, "b c\xe9", 20, 0),
        Listed(3, "d", None, 0),
    ]


def test_an_id_that_two_messages_have_names_neither():
    """Which is which nobody could tell, once one of them is gone and another one there; their bytes must name them."""
    entries = replies.join_listing(b"1 a\r\n2 b\r\n3 a\r\n", b"")
    assert [(entry.number, entry.uidl) for entry in entries] == [(1, None), (2, "b"), (3, None)]
    named = replies.twins(replace(entry, uidl="same") for entry in entries)
    assert [entry.twin for entry in named] == [0, 1, 2]


@pytest.mark.parametrize("line", [b"3", b"3 ", b"3   ", b"3 a\0", b"3 " + b"u" * 1001])
def test_a_message_without_a_unique_id_is_listed_without_one(line: bytes):
    """A blank id, none, or one that cannot be kept: the message is there, and so are the others."""
    assert replies.join_listing(b"1 101\r\n2 102\r\n" + line + b"\r\n", b"1 10\r\n2 20\r\n3 30\r\n") == [
        Listed(1, "101", 10),
        Listed(2, "102", 20),
        Listed(3, None, 30),
    ]


def test_what_only_one_of_the_two_lists_is_listed():
    """LIST has a message that UIDL leaves out, and the other way round."""
    assert replies.join_listing(b"2 b\r\n3 c\r\n", b"1 10\r\n2 20\r\n") == [
        Listed(1, None, 10),
        Listed(2, "b", 20),
        Listed(3, "c", None),
    ]


def test_a_number_with_two_ids_has_none():
    """Which of the two it is nobody knows; said twice in the same words it counts."""
    assert replies.unique_ids(b"1 a\r\n1 b\r\n2 c\r\n2 c\r\n1 a\r\n") == {1: None, 2: "c"}


def test_tabs_and_blanks_around_the_id_are_not_part_of_it():
    """Blanks inside are."""
    assert replies.unique_ids(b" 1\t a b \r\n") == {1: "a b"}


@pytest.mark.parametrize("size", [b"", b" ", b" many", b" -5", b" 99999999999999999999", b" 9223372036854775808"])
def test_a_size_that_is_none_is_untold(size: bytes):
    """What Postgres could not hold is no size; the message is listed all the same."""
    assert replies.sizes(b"1" + size + b"\r\n2 9223372036854775807 x\r\n") == {1: None, 2: 2**63 - 1}


@pytest.mark.parametrize("line", [b"x a", b"-1 a", b"1.5 a", b"9" * 11 + b" a", b"9" * 5000 + b" a", b"\xb2 a"])
def test_a_line_without_a_number_is_refused(line: bytes):
    """What names no message must not be taken for one."""
    with pytest.raises(Untrusted, match="UIDL"):
        replies.unique_ids(line + b"\r\n")
    with pytest.raises(Untrusted, match="LIST"):
        replies.sizes(line + b"\r\n")


@given(st.binary() | st.lists(st.sampled_from([b"1", b"2 a", b" ", b"\0", b"\r\n", b"\x0b", b"\xff"])).map(b"".join))
def test_any_listing_is_read_or_untrusted(body: bytes):
    """Never another error, and never an id that Postgres cannot hold."""
    try:
        entries = replies.join_listing(body, body)
    except Untrusted:
        return
    assert all(e.uidl is None or (e.uidl and "\0" not in e.uidl) for e in entries)


def test_parameters_of_a_capability():
    """Names and words in any case; a capability may stand on two lines."""
    capabilities = ("sasl plain Login", "TOP", "SASL CRAM-MD5", "SASLX A")
    assert replies.parameters(capabilities, "SASL") == ("PLAIN", "LOGIN", "CRAM-MD5")
    assert replies.offers(capabilities, "TOP")
    assert not replies.offers(None, "TOP")


def test_apop_challenge():
    """RFC 1939 section 7: the greeting's msg-id, angles included."""
    assert replies.apop_challenge(b"+OK ready <1896.697170952@dbc.example>") == b"<1896.697170952@dbc.example>"
    assert replies.apop_challenge(b"+OK ready") is None


def test_apop_takes_no_challenge_that_helps_to_guess():
    """CVE-2007-1558: a false server needs bytes beyond printable ASCII to make MD5 collide."""
    assert replies.apop_challenge(b"+OK <\x80\xff@host>") is None
