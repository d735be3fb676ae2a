"""Messages inside messages: found by their inner subject and sender, with all their headers."""

import base64
from datetime import UTC, datetime

from etl.mime.reading import read
from etl.mime.rows import Nested
from tests.mime.mail import file, mail, multipart

INNER = mail(
    "Received: by mx.example.net; Mon, 2 Mar 2026 09:00:00 +0000",
    "From: =?utf-8?q?Zo=C3=AB?= <Zoe@Example.net>",
    "X-Same: 1",
    "x-same: 2",
    "Subject: =?utf-8?q?caf=C3=A9?=",
    "Date: Mon, 2 Mar 2026 10:00:00 +0100",
    "Message-ID: <inner@example.net>",
    body=b"the inner text\r\n",
)
TEXT = mail("Content-Type: text/plain", body=b"see below\r\n")


def test_a_forwarded_message_is_a_row():
    """Its sender, subject, date and id; every header in order, repeated as it came; its text in the text."""
    reading = read(multipart("mixed", TEXT, mail("Content-Type: message/rfc822", body=INNER)))
    assert reading.nested == [
        Nested(
            path="1.2.1",
            kind="message",
            subject="café",
            from_name="Zoë",
            from_address="Zoe@Example.net",
            sent_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
            message_id="<inner@example.net>",
            headers=[
                ("Received", "by mx.example.net; Mon, 2 Mar 2026 09:00:00 +0000"),
                ("From", "Zoë <Zoe@Example.net>"),
                ("X-Same", "1"),
                ("x-same", "2"),
                ("Subject", "café"),
                ("Date", "Mon, 2 Mar 2026 10:00:00 +0100"),
                ("Message-ID", "<inner@example.net>"),
            ],
        )
    ]
    assert "the inner text" in reading.text
    assert [p.path for p in reading.parts] == ["1", "1.1", "1.2", "1.2.1"]


def test_messages_in_messages_in_messages():
    """Each has its own path; a digest's parts are messages without saying so (RFC 2046 section 5.1.5)."""
    forwarded = multipart("mixed", TEXT, mail("Content-Type: message/rfc822", body=INNER), headers=("Subject: outer",))
    reading = read(multipart("digest", mail(body=forwarded), mail(body=INNER)))
    assert [(n.path, n.subject) for n in reading.nested] == [
        ("1.1.1", "outer"),
        ("1.1.1.2.1", "café"),
        ("1.2.1", "café"),
    ]


def test_headers_sent_along_alone():
    """A bounce without the mail's content (RFC 6522); they stand in a text, which may be encoded."""
    headers = INNER.partition(b"\r\n\r\n")[0] + b"\r\n"
    for part in (mail("Content-Type: text/rfc822-headers", body=headers), file("text/rfc822-headers", headers)):
        (nested,) = read(multipart("report", TEXT, part)).nested
        assert (nested.path, nested.kind, nested.subject, len(nested.headers)) == ("1.2", "headers", "café", 7)


def test_a_message_that_was_encoded_though_it_must_not_be():
    """RFC 2046 section 5.2.1 allows no base64 there; some gateways do it."""
    encoded = base64.encodebytes(INNER).replace(b"\n", b"\r\n")
    part = mail("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", body=encoded)
    (nested,) = read(multipart("mixed", TEXT, part)).nested
    assert (nested.subject, nested.message_id) == ("café", "<inner@example.net>")


def test_what_is_wrong_inside_is_told_with_its_place():
    """A defect of an inner header names the inner message, not the outer one's header."""
    reading = read(multipart("mixed", TEXT, b"Content-Type: message/rfc822\r\n\r\nSubject: caf\xe9\r\n\r\nx\r\n"))
    assert reading.nested[0].subject == "café"
    assert ("eight_bit_header", "1.2.1") in {(d.kind, d.place) for d in reading.defects}


def test_a_message_of_nothing_is_none():
    """An empty attachment has no headers to show."""
    assert read(multipart("mixed", TEXT, mail("Content-Type: message/rfc822", body=b""))).nested == []
