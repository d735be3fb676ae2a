"""Reading: what broken mail gives, and that nothing is ever raised."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.reading import read
from etl.mime.rows import Participant


def mail(*headers: str, body: bytes = b"hello\r\n") -> bytes:
    """A message of these header lines."""
    return "".join(f"{h}\r\n" for h in headers).encode("utf-8", "surrogateescape") + b"\r\n" + body


def test_a_plain_message():
    """Subject, addresses, date with its offset, text."""
    reading = read(
        mail(
            "From: =?utf-8?q?Zo=C3=AB?= <Zoe@Example.org>",
            "To: a@example.org, B <b@example.org>",
            "Subject: =?iso-8859-1?q?caf=E9?=\r\n au lait",
            "Date: Tue, 03 Mar 2026 09:30:00 -0330",
            "Message-ID: <1@example.org>",
        )
    )
    assert reading.subject == "café au lait"
    assert reading.participants == [
        Participant("from", "Zoë", "Zoe@Example.org"),
        Participant("to", "", "a@example.org"),
        Participant("to", "B", "b@example.org"),
    ]
    assert reading.date_at == reading.sent_at == datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
    assert (reading.date_offset_minutes, reading.sent_at_source) == (-210, "date")
    assert reading.text == "hello\n"
    assert reading.defects == []


def test_headers_keep_their_order_and_repetitions():
    """A repeated header is two headers."""
    reading = read(mail("X-A: 1", "x-b: 2", "X-A: 3", "Date: Tue, 3 Mar 2026 09:30:00 +0000"))
    assert reading.headers[:3] == [("X-A", "1"), ("x-b", "2"), ("X-A", "3")]


def test_every_occurrence_of_an_address_header_counts():
    """mail-parser reads the first To only; the second is somebody too."""
    reading = read(mail("To: a@example.org", "To: b@example.org"))
    assert [p.address for p in reading.participants] == ["a@example.org", "b@example.org"]


def test_without_a_date_the_first_hop_is_chosen_and_now_never():
    """A missing Date is a defect; the date chosen says where it comes from."""
    hop = "Received: from a by b with SMTP; Tue, 3 Mar 2026 09:30:00 +0100"
    assert read(mail(hop)).sent_at == datetime(2026, 3, 3, 8, 30, tzinfo=UTC)
    assert read(mail(hop)).sent_at_source == "received"
    assert read(mail("Subject: x")).sent_at is None
    assert [d.kind for d in read(mail("Subject: x")).defects] == ["date"]


def test_parts_are_hashed_decoded():
    """An attachment's row names its file and hashes its content, not its encoding."""
    content = b"%PDF-1.4"
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nsee file\r\n"
        b"--b\r\nContent-Type: application/pdf; name*=utf-8''b%C3%BCcher.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n--b--\r\n"
    )
    parts = read(mail("Content-Type: multipart/mixed; boundary=b", body=body)).parts
    assert [(p.path, p.content_type, p.attachment) for p in parts] == [
        ("1", "multipart/mixed", False),
        ("1.1", "text/plain", False),
        ("1.2", "application/pdf", True),
    ]
    assert (parts[2].filename, parts[2].octets) == ("bücher.pdf", len(content))
    assert parts[2].sha256 == hashlib.sha256(content).digest()


def test_html_is_made_text():
    """An HTML-only message is found by its words, not by its scripts."""
    html = b"<html><head><style>p{}</style></head><p>caf&eacute;</p><script>x()</script><p>noir</p>"
    assert read(mail("Content-Type: text/html", body=html)).text == "café\nnoir"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (mail("Subject: a\0b"), "nul"),
        (b"Subject: caf\xe9\r\n\r\n", "eight_bit_header"),
        (mail("From: <<a@b>"), "address"),
        (mail("Date: yesterday"), "date"),
        (mail("Content-Type: text/plain; charset=x-nobody", body=b"\xff\xfe"), "charset"),
        (
            mail("Content-Type: multipart/mixed; boundary=b", body=b"no part\r\n"),
            "StartBoundaryNotFoundDefect",
        ),
    ],
)
def test_what_is_wrong_is_a_defect(raw: bytes, kind: str):
    """Broken mail is a message with defects."""
    assert kind in {defect.kind for defect in read(raw).defects}


def test_where_mail_parser_raises_the_message_is_read_all_the_same():
    """mail-parser 4.8.0 raises when an inner boundary is missing and the outer one is never closed."""
    part = b"Content-Type: multipart/mixed; boundary=c\r\n\r\nno boundary here\r\n"
    raw = mail("Subject: kept", "Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n" + part)
    reading = read(raw)
    assert "parser" in {defect.kind for defect in reading.defects}
    assert reading.subject == "kept"


def test_hostile_nesting():
    """Ten thousand levels of multipart do not end the process."""
    body = b"".join(b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (i, i + 1) for i in range(10_000))
    assert read(mail("Subject: deep", "Content-Type: multipart/mixed; boundary=0", body=body)).subject == "deep"


def test_a_message_too_large_keeps_its_headers():
    """The header block alone gives a reading, and says that it is all."""
    reading = read(mail("Subject: large"), whole=False)
    assert reading.subject == "large"
    assert reading.defects[0].kind == "body_not_parsed"


@given(st.binary(max_size=300))
def test_reading_never_raises_and_gives_clean_text(raw: bytes):
    """Any bytes give a reading that Postgres can store."""
    reading = read(b"Subject: " + raw)
    for text in (reading.subject or "", reading.text, *(v for pair in reading.headers for v in pair)):
        assert "\0" not in text
        text.encode()
