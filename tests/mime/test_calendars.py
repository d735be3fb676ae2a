"""Calendars: a row for each event, its times in UTC."""

from datetime import UTC, datetime

import pytest

from etl.mime.bounds import CALENDAR_OCTETS_MAX, EVENTS_MAX
from etl.mime.reading import read
from etl.mime.rows import Event, Reading
from tests.mime.mail import file, mail, multipart

ZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
RRULE:{rule};BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
RRULE:{rule};BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*lines: str, zone: str = "", method: str = "METHOD:REQUEST\n") -> bytes:
    """A calendar with one event of these lines."""
    event = "".join(f"{line}\n" for line in lines)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{method}{zone}BEGIN:VEVENT\n{event}END:VEVENT\nEND:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def invitation(content: bytes) -> Reading:
    """The reading of a mail that is this calendar."""
    return read(mail("Content-Type: text/calendar; charset=utf-8", "Content-Transfer-Encoding: 8bit", body=content))


def test_an_invitation():
    """Who invites whom to what, when and where; folded lines and escapes as RFC 5545 has them."""
    reading = invitation(
        calendar(
            "UID:1@example.org",
            "SEQUENCE:2",
            "SUMMARY:Café\\, then",
            "  a walk",
            "DTSTART;TZID=Europe/Berlin:20260703T100000",
            "DURATION:PT1H30M",
            "RRULE:FREQ=WEEKLY;COUNT=3",
            "ORGANIZER;CN=Ann:mailto:Ann@Example.org",
            "ATTENDEE;RSVP=TRUE:MAILTO:bob@example.net",
            "ATTENDEE:mailto:carla@example.net",
            "LOCATION:Mill",
        )
    )
    assert reading.events == [
        Event(
            path="1",
            method="REQUEST",
            uid="1@example.org",
            sequence=2,
            recurrence_id=None,
            summary="Café, then a walk",
            starts_at=datetime(2026, 7, 3, 8, 0, tzinfo=UTC),
            ends_at=datetime(2026, 7, 3, 9, 30, tzinfo=UTC),
            all_day=False,
            zone="Europe/Berlin",
            recurrence="FREQ=WEEKLY;COUNT=3",
            organizer="ann@example.org",
            attendees=["bob@example.net", "carla@example.net"],
            answer=None,
            location="Mill",
        )
    ]
    assert reading.defects[1:] == []  # the first one is that the mail has no date


def test_an_answer():
    """What the one attendee of a reply says."""
    (event,) = invitation(
        calendar("UID:1", "ATTENDEE;PARTSTAT=DECLINED:mailto:b@example.net", method="METHOD:REPLY\n")
    ).events
    assert (event.method, event.answer, event.starts_at) == ("REPLY", "DECLINED", None)


@pytest.mark.parametrize(
    ("start", "at", "all_day", "zone"),
    [
        ("DTSTART:20260303T093000Z", datetime(2026, 3, 3, 9, 30, tzinfo=UTC), False, "UTC"),
        ("DTSTART:20260303T093000", datetime(2026, 3, 3, 9, 30, tzinfo=UTC), False, None),
        ("DTSTART;VALUE=DATE:20260303", datetime(2026, 3, 3, tzinfo=UTC), True, None),
        ("DTSTART;TZID=W. Europe Standard Time:20260303T093000", datetime(2026, 3, 3, 8, 30, tzinfo=UTC), False,
         "W. Europe Standard Time"),
        ("DTSTART;TZID=Our own:20260303T093000", datetime(2026, 3, 3, 7, 30, tzinfo=UTC), False, "Our own"),
        ("DTSTART;TZID=Our own:20260703T093000", datetime(2026, 7, 3, 6, 30, tzinfo=UTC), False, "Our own"),
        ("DTSTART;TZID=Nobody's:20260303T093000", datetime(2026, 3, 3, 9, 30, tzinfo=UTC), False, None),
        ("DTSTART:00010101T000000Z", None, False, None),
    ],
)  # fmt: skip
def test_times(start: str, at: datetime | None, all_day: bool, zone: str | None):
    """In UTC where the zone is known: by its name, by Windows's name, by what the calendar says of it."""
    (event,) = invitation(calendar("UID:1", start, zone=ZONE.format(name="Our own", rule="FREQ=YEARLY"))).events
    assert (event.starts_at, event.all_day, event.zone) == (at, all_day, zone)


def test_a_zone_is_its_own_calendars():
    """icalendar would keep what one message says of a zone for all that are read after it."""
    invitation(
        calendar("UID:1", "DTSTART;TZID=Mine:20260303T093000", zone=ZONE.format(name="Mine", rule="FREQ=YEARLY"))
    )
    (event,) = invitation(calendar("UID:1", "DTSTART;TZID=Mine:20260303T093000")).events
    assert (event.starts_at, event.zone) == (datetime(2026, 3, 3, 9, 30, tzinfo=UTC), None)


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=DAI\n LY", "FREQ=YEARLY;BYSECOND=1,2,3", "X=1:FREQ=SECONDLY"])
def test_a_zone_that_changes_ever_again_is_left_out(rule: str):
    """Counting each second since 1601 would take for ever."""
    zone = ZONE.format(name="Bomb", rule=rule)
    reading = invitation(calendar("UID:1", "DTSTART;TZID=Bomb:20260303T093000", "SUMMARY:kept", zone=zone))
    assert [event.summary for event in reading.events] == ["kept"]
    assert "calendar" in {d.kind for d in reading.defects}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("TZOFFSETTO:+0200\n", ""),
        ("TZOFFSETTO:+0200", "TZOFFSETTO:+9999"),
        ("DTSTART:1601", "DTSTART:x"),
        ("TZID:Mine\n", "TZID:Mine\nTZID:Mine\n"),
        ("BEGIN:VTIMEZONE", "BEGIN:VTIMEZONE  "),
        ("END:VTIMEZONE\n", ""),
    ],
)
def test_a_damaged_zone_does_not_cost_the_event(good: str, bad: str):
    """Its times stay as written, and a defect says so."""
    zone = ZONE.format(name="Mine", rule="FREQ=YEARLY").replace(good, bad)
    reading = invitation(calendar("UID:1", "DTSTART;TZID=Mine:20260303T093000", "SUMMARY:kept", zone=zone))
    (event,) = reading.events
    assert (event.summary, event.starts_at) == ("kept", datetime(2026, 3, 3, 9, 30, tzinfo=UTC))
    assert [d.kind for d in reading.defects if d.kind != "date"] == ["calendar"]


def test_the_same_event_twice_is_one():
    """Outlook and Google send an invitation as a choice of text and as a file."""
    content = calendar("UID:1", "SUMMARY:once")
    part = mail("Content-Type: text/calendar; method=REQUEST", body=content)
    reading = read(multipart("mixed", part, file("application/ics; name=invite.ics", content)))
    assert [(event.path, event.summary) for event in reading.events] == [("1.1", "once")]


def test_a_file_by_its_name():
    """A calendar that is called application/octet-stream."""
    part = file("application/octet-stream; name=Invite.ICS", calendar("UID:1"))
    assert [event.uid for event in read(multipart("mixed", part)).events] == ["1"]


def test_what_is_no_calendar_is_a_defect():
    """It stays a part like others."""
    reading = invitation(b"no calendar\r\n")
    assert (reading.events, len(reading.parts)) == ([], 1)
    assert "calendar" in {d.kind for d in reading.defects}


def test_what_is_wrong_in_an_event_leaves_the_rest():
    """Each property that cannot be read is a defect."""
    reading = invitation(calendar("UID:1", "DTSTART:yesterday", "SEQUENCE:two", "DURATION:long", "SUMMARY:kept"))
    (event,) = reading.events
    assert (event.summary, event.starts_at, event.ends_at, event.sequence) == ("kept", None, None, None)
    assert [d.detail.partition(":")[0] for d in reading.defects if d.kind == "calendar"] == [
        "DTSTART", "SEQUENCE", "DURATION",
    ]  # fmt: skip


def test_large_calendars_are_bounded():
    """Of many events the first ones are read; one that is too large is not looked into."""
    many = calendar("UID:1").replace(b"END:VCAL", b"BEGIN:VEVENT\r\nUID:2\r\nEND:VEVENT\r\n" * EVENTS_MAX + b"END:VCAL")
    reading = invitation(many)
    assert len(reading.events) == EVENTS_MAX
    assert "calendar" in {d.kind for d in reading.defects}
    assert invitation(calendar("UID:1", "SUMMARY:" + "x" * CALENDAR_OCTETS_MAX)).events == []
