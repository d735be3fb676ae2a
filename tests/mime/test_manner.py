"""How a message was sent, as its headers tell."""

import base64

import pytest

from etl.mime.reading import read

CONVERSATION = b"\x01" + bytes(range(21))


def manner_of(headers: bytes) -> tuple[str | None, bytes | None] | None:
    """What is read of a message with these headers."""
    found = [(m.automatic, m.thread_index) for m in read(headers + b"\r\n\r\nHello.\r\n").manner]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("header", "tells"),
    [
        (b"Auto-Submitted: auto-replied (vacation)", "auto-submitted"),
        (b"Auto-Submitted: auto-generated; owner-email=a@example.org", "auto-submitted"),
        (b"X-Autoreply: yes", "x-autoreply"),
        (b"Precedence: auto_reply", "precedence"),
        (b"Return-Path: <>", "return-path"),
        (b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "content-type"),
    ],
)
def test_a_machine_is_told_by_its_headers(header: bytes, tells: str):
    """By which one, is kept."""
    assert manner_of(header) == (tells, None)


@pytest.mark.parametrize(
    "header",
    [
        b"Auto-Submitted: no",
        b"Precedence: bulk",
        b"Precedence: list",
        b"Return-Path: <ann@example.org>",
        b"X-Autoreply:",
    ],
)
def test_people_are_not_taken_for_machines(header: bytes):
    """Lists that people write to call their mail bulk."""
    assert manner_of(header) is None


def test_an_outlook_conversation():
    """22 bytes for it, 5 more for each answer, folded wherever."""
    for index in (CONVERSATION, CONVERSATION + bytes(10)):
        written = base64.b64encode(index)
        assert manner_of(b"Thread-Index: " + written[:8] + b"\r\n " + written[8:]) == (None, index)


@pytest.mark.parametrize(
    "written",
    [
        b"XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",  # made unknowable by somebody: its first byte is not 1
        base64.b64encode(CONVERSATION[:-1]),
        base64.b64encode(CONVERSATION + b"1234"),
        base64.b64encode(CONVERSATION + bytes(5000)),
        b"no base64",
        b"\xe9\xe9\xe9\xe9",
    ],
)
def test_what_cannot_be_a_thread_index_is_none(written: bytes):
    """It would join what has nothing to do with each other."""
    assert manner_of(b"Thread-Index: " + written) is None


@pytest.mark.parametrize(
    ("in_reply_to", "expected"),
    [
        (b"<1@example.net>", "<1@example.net>"),
        (b"Message from Bob <bob@example.net> of Monday <1@example.net>", "<1@example.net>"),
        (b"Your message of Monday <Bob@Example.net>", None),
        (b"Bob's message of Monday", None),
    ],
)
def test_an_address_is_not_what_is_answered(in_reply_to: bytes, expected: str | None):
    """All answers to somebody would be one thread."""
    headers = b"From: ann@example.org\r\nTo: bob@example.net\r\nIn-Reply-To: " + in_reply_to
    assert read(headers + b"\r\n\r\n").in_reply_to == expected
