"""The tree: equal to the standard library's, and bounded where that is not."""

import email
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime import tree

PIECES = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"x", b"\xe9", b"--", b"--a", b"--a--", b"--b", b"--b--"),
    *(b"Subject: s", b": nameless", b"Content-Type: multipart/mixed; boundary=a", b"Content-Type: text/plain"),
    *(b"Content-Type: multipart/digest; boundary=b", b"Content-Type: message/rfc822", b"Content-Type: multipart/x"),
    *(b"Content-Type: message/delivery-status", b"Content-Transfer-Encoding: base64", b"folded:\r\n value"),
]


def shape(message: Message) -> Any:
    """All that a tree is: headers, defects, default types, payloads."""
    payload = message._payload  # type: ignore[attr-defined]
    # Python before 3.13 kept the newline of a value that begins on its second line.
    headers = [(name, str(value).lstrip()) for name, value in message.raw_items()]
    defects = [type(defect).__name__ for defect in message.defects]
    children = [shape(child) for child in payload] if isinstance(payload, list) else payload
    return headers, defects, message.get_default_type(), message.get_unixfrom(), children


@given(
    st.sampled_from([b"", b"From a\r\n", b"From a\nFrom b\n"]),
    st.lists(st.sampled_from([*PIECES, *([b"\r\n"] * 8)]), max_size=40).map(b"".join),
)
def test_any_message_gives_the_tree_of_the_standard_library(start: bytes, rest: bytes):
    """Broken line ends, missing and repeated boundaries, headers out of place: the same tree and defects."""
    raw = start + b"A: b\r\n" * (len(start) > 0) + rest
    assert shape(tree.parse(raw)) == shape(email.message_from_bytes(raw))


@given(st.lists(st.sampled_from([b"--a", b"--a--", b"--b", b"--b--", b"x", b"", b"A: b"]), max_size=25))
def test_any_order_of_boundaries_gives_the_tree_of_the_standard_library(lines: list[bytes]):
    """Two levels, whose boundaries come in any order."""
    head = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw = head + b"\r\n".join(lines)
    assert shape(tree.parse(raw)) == shape(email.message_from_bytes(raw))


def test_a_report_has_its_blocks():
    """The blocks of a delivery report (RFC 3464) are messages of their own."""
    report = tree.parse(b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: a\r\n\r\nAction: failed\r\n\r\n")
    assert [block.keys() for block in report.get_payload()] == [["Reporting-MTA"], ["Action"]]


@pytest.mark.parametrize("inner", [b"multipart/mixed; boundary=%d", b"message/rfc822;%d"])
def test_nesting_ends_somewhere(inner: bytes):
    """Below the limit of depth a part stays whole, and says so."""
    head = b"Content-Type: multipart/mixed; boundary=0\r\n\r\n"
    body = b"".join(b"--%d\r\nContent-Type: %b\r\n\r\n" % (i, inner % (i + 1)) for i in range(5_000))
    nodes = list(tree.parse(head + body).walk())
    assert len(nodes) <= tree.DEPTH_MAX + 1
    assert "NestingTooDeepDefect" in {type(d).__name__ for d in nodes[-1].defects} or inner.startswith(b"message")


def test_the_number_of_parts_ends_somewhere():
    """A megabyte of bare boundaries is not 150,000 rows."""
    raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 140_000
    assert len(tree.parse(raw).get_payload()) <= tree.PARTS_MAX
