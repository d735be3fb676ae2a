"""Bounds hold for a message and not for each of its parts, and what they cut is told."""

import base64

from etl.mime import bounds
from etl.mime.reading import read
from etl.mime.rows import Reading
from tests.mime.mail import multipart
from tests.mime.test_packed import BEGIN, CONTENT, stream

EVENT = b"BEGIN:VEVENT\r\nUID:%d-%d\r\nEND:VEVENT\r\n"


def of_parts(content_type: str, *contents: bytes) -> Reading:
    """The reading of a message with these contents, each in base64."""
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
    return read(multipart("mixed", *(head + base64.encodebytes(content) for content in contents)))


def cut(reading: Reading) -> list[tuple[str, str]]:
    """Kind and place of what was cut."""
    return [(defect.kind, defect.place) for defect in reading.defects if defect.kind != "date"]


def test_packed_files():
    """Two streams of 600 give a thousand; the parts and their hashes are all there."""
    reading = of_parts("application/ms-tnef", *[stream(*[BEGIN, CONTENT] * 600)] * 2)
    assert len([part for part in reading.parts if part.packing]) == bounds.FILES_MAX
    assert len([part for part in reading.parts if not part.packing]) == 3
    assert cut(reading) == [("tnef", "1.2")]


def test_events():
    """Two calendars of 600 events give a thousand."""
    calendars = [
        b"BEGIN:VCALENDAR\r\n" + b"".join(EVENT % (n, i) for i in range(600)) + b"END:VCALENDAR\r\n" for n in range(2)
    ]
    reading = of_parts("text/calendar", *calendars)
    assert len(reading.events) == bounds.EVENTS_MAX
    assert cut(reading) == [("calendar", "1.2")]


def test_octets_of_calendars():
    """What would be over them together stays closed; a smaller one behind it is read."""
    calendars = [
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:%d\r\nX-A:%b\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n" % (n, b"x" * octets)
        for n, octets in enumerate((200_000, 200_000, 10))
    ]
    reading = of_parts("text/calendar", *calendars)
    assert [event.uid for event in reading.events] == ["0", "2"]
    assert cut(reading) == [("calendar", "1.2")]


def test_blocks_of_reports():
    """Two reports of 6,000 recipients give ten thousand."""
    status = b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\n\r\n" * 6000
    reading = of_parts("message/global-delivery-status", status, status)
    assert len(reading.reports) == bounds.REPORT_BLOCKS_MAX
    assert ("report", "1.2") in cut(reading)


def test_the_same_defect_ever_again():
    """The first hundred are told one by one, with their places, and how many there are in all; others stay."""
    raw = b"X-A: \xff\r\n" + b"To: a b <\r\n" * 40_000 + b"\r\n"
    reading = read(raw)
    told = [defect for defect in reading.defects if defect.kind == "address"]
    assert len(told) == bounds.DEFECTS_MAX + 1
    assert told[99].detail != told[100].detail == "40000 of this kind; told one by one: the first 100"
    assert told[100].offset == raw.index(b"To:") + 100 * len(b"To: a b <\r\n")
    assert "eight_bit_header" in {defect.kind for defect in reading.defects}
