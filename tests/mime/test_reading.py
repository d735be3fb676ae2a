"""Reading: what broken mail gives, and that nothing is ever raised."""

import base64
import hashlib
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime import text
from etl.mime.headers import ADDRESS_CHARACTERS_MAX
from etl.mime.parts import Body
from etl.mime.reading import read, read_all
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
    assert "CloseBoundaryNotFoundDefect" in {defect.kind for defect in reading.defects}
    assert (reading.subject, reading.text) == ("kept", "no boundary here\n")


def test_hostile_nesting():
    """Ten thousand levels of multipart do not end the process."""
    body = b"".join(b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (i, i + 1) for i in range(10_000))
    assert read(mail("Subject: deep", "Content-Type: multipart/mixed; boundary=0", body=body)).subject == "deep"


def multipart(subtype: str, *parts: bytes) -> bytes:
    """A message of these parts, each with its headers."""
    body = b"".join(b"--b\r\n%b\r\n" % part for part in parts) + b"--b--\r\n"
    return mail(f"Content-Type: multipart/{subtype}; boundary=b", body=body)


PLAIN = b"Content-Type: text/plain\r\n\r\nplain"
HTML = b'Content-Type: text/html\r\n\r\n<p>rich</p><img src="cid:1@x">'


def test_of_a_choice_the_plain_text_is_read_and_of_a_sequence_all():
    """A footer that a mailing list adds does not hide the HTML before it."""
    assert read(multipart("alternative", PLAIN, HTML)).text == "plain"
    assert read(multipart("mixed", HTML, PLAIN)).text == "rich\nplain"
    assert read(multipart("alternative", b"Content-Type: text/plain\r\n\r\n \r\n", HTML)).text == "rich"


def test_text_that_has_a_name_is_a_file_unless_there_is_no_other_text():
    """Some mailers name the only text there is."""
    named = b"Content-Type: text/plain; name=a.txt\r\n\r\nnamed"
    assert read(multipart("mixed", PLAIN, named)).text == "plain"
    assert read(multipart("mixed", named)).text == "named"
    assert read(multipart("mixed", named.replace(b"; name", b"\r\nContent-Disposition: attachment; name"))).text == ""


def test_an_image_of_the_page_is_no_attachment():
    """An image that the HTML shows is none, though it has a name; one that it does not show is."""
    image = b"Content-Type: image/png; name=a.png\r\nContent-ID: <%b@x>\r\n\r\n-"
    parts = read(multipart("related", HTML, image % b"1", image % b"2")).parts
    assert [part.attachment for part in parts[2:]] == [False, True]


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (
            b"Content-Disposition: attachment; filename*0*=utf-8''b%C3%BC; filename*1*=cher; filename*2=.pdf",
            "bücher.pdf",
        ),
        (b"Content-Disposition: attachment; filename*=gb2312''%E9F.doc", "镕.doc"),
        (
            b'Content-Disposition: attachment; filename="=?utf-8?b?YsO8Y2hlcg==?=\r\n =?utf-8?b?LnBkZg==?="',
            "bücher.pdf",
        ),
        (b'Content-Type: text/plain; charset=gbk; name="\xe9F.txt"', "镕.txt"),
        (b'Content-Disposition: attachment; filename="b\xc3\xbccher.pdf"', "bücher.pdf"),
    ],
)
def test_names_of_files(header: bytes, filename: str):
    """By RFC 2231, by RFC 2047, which the RFC forbids and all mailers do, and in raw octets."""
    assert read(header + b"\r\n\r\nx").parts[0].filename == filename


def test_an_address_longer_than_any_is_a_name():
    """It is kept whole, and a defect says so; the others of the header are what they were."""
    endless = "x" * ADDRESS_CHARACTERS_MAX + "@example.org"
    reading = read(mail(f"From: Ann <{endless}>, bob@example.org, {endless}"))
    assert [(p.name, p.address) for p in reading.participants] == [
        (f"Ann <{endless}>", ""),
        ("", "bob@example.org"),
        (f"<{endless}>", ""),
    ]
    assert [d.place for d in reading.defects if d.kind == "address" and "too-long" in d.detail] == ["from"]


def test_names_of_people_as_mailers_write_them():
    """Encoded words in quotes, and raw octets in the charset of the message."""
    reading = read(
        b'From: "=?utf-8?b?Wm/Dqw==?=" <zoe@example.org>\r\nTo: \xb1\xb3\xc0\xb0 <to@example.org>\r\n'
        b"Content-Type: text/plain; charset=euc-kr\r\n\r\n"
    )
    assert [p.name for p in reading.participants] == ["Zoë", "교육"]


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ("text/plain; charset=iso-2022-jp", b"\x1b$BF|K\\\x1b(B", "日本"),
        ("text/plain", b"caf\xe9", "café"),
        ("text/html", b"<meta charset=windows-1251><p>\xef\xf0\xe8", "при"),
        ("text/plain; charset=iso-8859-1", b"\x93a\x94", "“a”"),
        ("multipart/mixed", b"no boundary", "no boundary"),
        ("text/enriched", b"<bold>a</bold>", "<bold>a</bold>"),
        ("text/plain\r\nContent-Transfer-Encoding: base64", b"SGVsbG8gV29ybGQhA", "Hello World!"),
        (
            "text/plain\r\nContent-Transfer-Encoding: base64",
            b"not base64 but texts, sent",
            "not base64 but texts, sent",
        ),
    ],
)
def test_text_is_read_in_its_charset(headers: str, body: bytes, text: str):
    """Seven-bit charsets are decoded too; what has no label is read as what it seems to be."""
    assert read(mail(f"Content-Type: {headers}", body=body)).text.rstrip("\N{REPLACEMENT CHARACTER}") == text


def test_a_file_sent_as_text_is_no_text():
    """A zip called text/plain would fill the search with noise."""
    assert read(mail("Content-Type: text/plain", body=b"PK\3\4\0\0\0\0\xff")).text == ""


def test_defects_say_where():
    """A defect's place is the path of a part or the name of a header."""
    bad = b"Content-Type: text/plain; charset=x-nobody\r\n\r\n\xff"
    reading = read(b"Subject: \xff\r\nReceived: (\r\nFrom: <a\r\n" + multipart("mixed", PLAIN, bad))
    places = {defect.kind: defect.place for defect in reading.defects}
    assert places == {
        "eight_bit_header": "subject",
        "received": "received",
        "address": "from",
        "date": "date",
        "charset": "1.2",
    }


def encoded_messages(levels: int) -> bytes:
    """A message that is in base64 inside a message, and so on."""
    raw = b"Subject: x\r\n\r\n" + b"y" * 1000
    for _ in range(levels):
        raw = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(raw)
    return raw


def test_messages_in_base64_are_opened_level_by_level():
    """Twenty of them give a part each, and the innermost its subject's letter."""
    reading = read(encoded_messages(20))
    assert [part.path for part in reading.parts] == [".".join(["1"] * level) for level in range(1, 22)]
    assert reading.text == "y" * 1000


BOMBS = {
    "messages in base64": encoded_messages(22),
    "words": b"Subject: " + b"=?utf-8?q?a=C3=A9?= " * 40_000,
    "words without end": b"Subject: " + b"=?a?q?" * 160_000,
    "words in quotes": b'From: "' + b"=?a?q?" * 160_000 + b'" <a@b>',
    "header lines": b"".join(b"X-%d: %d\r\n" % (i, i) for i in range(60_000)),
    "one header": b"X: " + b"a\r\n " * 250_000,
    "hops": b"Received: from a (b [1.2.3.4]) by c; Tue, 3 Mar 2026 09:30:00 +0100\r\n" * 14_000,
    "a hop of envelopes": b"Received: by a " + b"(envelope-from <" * 60_000,
    "a hop of keywords": b"Received: " + b"by " * 330_000,
    "date": b"Date: " + b"1 Jan " * 160_000,
    "addresses": b"To: " + b", ".join(b"User %d <u%d@example.org>" % (i, i) for i in range(35_000)),
    "odd addresses": b"To: " + b", ".join(b"User\\ %d <u%d@example.org>" % (i, i) for i in range(35_000)),
    "no address": b"To: " + b"a" * 1_000_000,
    "broken quotes": b"To: " + b'"\\"' * 330_000,
    "broken angles": b"To: " + b"<" * 1_000_000,
    "broken lists": b"".join(b'To: "a <b@c>; d:' + b"<@" * 100 + b"\r\n" for _ in range(4_000)),
    "groups": b"To: " + b"a:;," * 250_000,
    "surrogates": b"Subject: " + b"\xed\xa0\xbd\xed\xb8\x80\xed" * 140_000,
    "octets in headers": b"".join(b"X-%d: \xff\r\n" % i for i in range(70_000)),
    "repeated headers": b"Subject: a\r\nTo: b\r\n" * 50_000,
    "parameters": b"Content-Type: a/b; " + b"a=b;" * 250_000,
    "parts": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * 90_000,
    "same boundary": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 20_000,
    "deep, then long": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (i, i) for i in range(200)
    )
    + b"--\r\n" * 200_000,
    "reports": b"Content-Type: message/delivery-status\r\n\r\n" + b"\r\n" * 500_000,
    "html": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000,
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AAAAAAAA\r\n" * 100_000 + b"A",
    "digest": b"Content-Type: multipart/digest; boundary=a\r\n\r\n" + b"--a\r\n\r\nSubject: x\r\n\r\n" * 45_000,
    "recipients": b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 55_000,
    "a report of blanks": b"Content-Type: message/disposition-notification\r\n\r\nx" + b"\r\n " * 250_000,
    "calendar": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 18_000,
    "attendees": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"
    + b"ATTENDEE:x\r\n" * 20_000
    + b"END:VEVENT\r\nEND:VCALENDAR\r\n",
    "zones": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
    + b"".join(
        b"BEGIN:VTIMEZONE\r\nTZID:%d\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0200\r\n"
        b"TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
        b"DTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
        b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
        b"BEGIN:VEVENT\r\nDTSTART;TZID=%d:21990101T000000\r\nEND:VEVENT\r\n" % (i, i)
        for i in range(8)
    )
    + b"END:VCALENDAR\r\n",
    "ids": b"References: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "calendars": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"".join(
        b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:%d\r\nEND:VEVENT\r\n"
        b"END:VCALENDAR\r\n" % i
        for i in range(9000)
    ),
    "report blocks": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\nContent-Type: message/xdelivery-status\r\n\r\n" + b"A:b\n\n" * 200) * 800,
    "flowed": b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> x \r\n" * 140_000,
    "charset": b"Content-Type: text/plain; charset=idna\r\n\r\n" + b"\xe9" * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_megabyte_takes_long(name: str):
    """A hostile message costs about what its size does; each of these took from seconds to hours somewhere."""
    whole = BOMBS[name]
    started = time.process_time()
    read(whole[: len(whole) // 4])
    quarter = time.process_time() - started
    reading = read(whole)
    seconds = time.process_time() - started - quarter
    # Half a second on an idle machine, twice that on a busy one, and some cost the same whatever their size; quadratic
    # time would be minutes, and sixteen times that of a quarter.
    assert seconds < 5
    assert seconds < 12 * quarter + 2
    assert "unreadable" not in {defect.kind for defect in reading.defects}


PIECES = [
    *(b"Subject: =?utf-8?b?w6k?= =?x?q?=ff?=\r\n", b'From: "=?a?q?b?=" <a@b>, c\r\n', b"To: \xff <x@y>; g: a@b,\r\n"),
    *(
        b"Subject: \xed\xa0\xbd\xed\xb8\x80\xed\xa0\r\n",
        b'Cc: "a <b@\xc3\xbc.c>; d: <e@f@g\r\n',
        b"cc: h:;, i: j@k\r\n",
    ),
    *(
        b"From x\r\n",
        b"Date: Tue, 3 Mar 2026 09:30 +0100\r\n",
        b"References: <a> b@c\r\n",
        b"Date: 1 Jan 99 0:0 -0000\r\n",
    ),
    *(
        b"Date: 1 Jan 2026 1:00 PM\r\n",
        b"Received: from a (b) by c; \xe9\r\n",
        b"Content-Type: multipart/related; boundary=a\r\n",
    ),
    *(b"Content-Type: multipart/alternative; boundary=b\r\n", b"Content-Type: text/html; charset=utf-7\r\n"),
    *(
        b"Content-Type: text/plain; charset=iso-2022-jp; name*0*=x'y'%ff; name*2=z\r\n",
        b"Content-Type: message/rfc822\r\n",
    ),
    *(b"Content-Disposition: inline; filename*=\xff''%\r\n", b"Content-ID: <\xff>\r\n", b"Content-Type: x\0\r\n"),
    *(
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"Content-Type: ;;=;\r\n",
    ),
    *(
        b"Content-Type: message/delivery-status\r\n",
        b"Content-Type: multipart/digest; boundary=b\r\n",
        b"\r\n",
        b"\r\n\r\n",
    ),
    *(
        b"--a\r\n",
        b"--b\r\n",
        b"--a--\r\n",
        b"--b--\r\n",
        b"text \x1b$B\xe9\0\r\n",
        b"<p>cid:\xff",
        b"begin 644 x\r\nM\r\n",
        b"Content-Type: text/calendar\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        b"DTSTART;TZID=\xff:2026\r\n",
        b"END:VEVENT\r\nEND:VCALENDAR\r\n",
        b"Content-Type: application/ms-tnef; name=..\r\n",
        b"\x78\x9f\x3e\x22\0\0\2\2\x90\6\0\0\0\0\0\0\0",
        b"Content-Type: message/disposition-notification\r\n",
        b"Final-Recipient: \xff; \0\r\n",
    ),
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=30).map(b"".join))
def test_reading_never_raises_and_gives_clean_text(raw: bytes):
    """Any bytes give a reading that Postgres can store, of as many rows as there are parts."""
    reading = read(raw)
    assert "unreadable" not in {defect.kind for defect in reading.defects}
    assert read(raw) == reading
    assert reading.parts[0].path == "1"
    assert (reading.sent_at is None) == (reading.sent_at_source is None)
    rows = [*reading.participants, *reading.parts, *reading.hops, *reading.defects]
    rows += [*reading.nested, *reading.reports, *reading.events]
    values = [v for row in rows for v in (getattr(row, name) for name in row.__slots__) if isinstance(v, str)]
    for shown in (reading.subject or "", reading.text, *values, *(v for pair in reading.headers for v in pair)):
        assert "\0" not in shown
        shown.encode()


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=30).map(b"".join))
def test_a_defect_lies_where_it_says(raw: bytes):
    """At its offset the header of its name begins, or its part."""
    for defect in read(raw).defects:
        if defect.offset is not None and not defect.place.startswith("1"):
            assert raw[defect.offset :].lower().startswith(defect.place.encode() + b":")
        elif defect.place == "1":
            assert defect.offset == 0
        else:
            assert defect.offset is None or raw[: defect.offset].endswith((b"\n", b"\r"))


@given(st.binary(max_size=300))
def test_any_bytes_are_read(raw: bytes):
    """Octets straight from the wire: a reading, and the same again."""
    assert "unreadable" not in {defect.kind for defect in read(raw).defects}
    assert read(raw) == read(raw)


@given(st.binary(max_size=300))
def test_a_subject_of_any_bytes_is_text(raw: bytes):
    """Octets straight from the wire."""
    assert "\0" not in (read(b"Subject: " + raw).subject or "")


def test_read_together_as_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """Also where our own code fails at one of them: that one is unreadable, and no other."""
    raws = [b"Subject: %d\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n\r\n%d\r\n" % (n, n) for n in range(3)]
    one_by_one = [read(raw) for raw in raws]
    assert read_all(raws) == one_by_one
    whole = text.of_bodies

    def broken(bodies: list[Body], *others: Any) -> str:
        if bodies[0].content.startswith(b"1"):
            raise ZeroDivisionError
        return whole(bodies, *others)

    monkeypatch.setattr(text, "of_bodies", broken)
    first, second, third = read_all(raws)
    assert [first, third] == [one_by_one[0], one_by_one[2]]
    assert [(d.kind, d.detail) for d in second.defects] == [("unreadable", "ZeroDivisionError: ")]
    assert second.canonical_sha256 == one_by_one[1].canonical_sha256
