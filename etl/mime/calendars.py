"""Events of calendars, as rows (RFC 5545, RFC 5546): read by icalendar, with bounds of our own."""

import re
import warnings
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from etl.mime import charsets
from etl.mime.bounds import Room
from etl.mime.parts import Held
from etl.mime.rows import Defect, Event, clean

ATTENDEES_MAX = 1000
ERRORS_MAX = 5  # of an event; more of them say no more
_CHARACTERS_MAX = 2000

# dateutil counts a zone's changes one by one from the first on: each second since 1601 where the rule says so.
ZONE_RULES_MAX = 16
_YEARS = range(1900, 2200)
_FOLD = re.compile(r"\n[ \t]")
_OTHERS = ("BEGIN:VEVENT", "BEGIN:VTODO", "BEGIN:VJOURNAL", "BEGIN:VFREEBUSY", "BEGIN:VCALENDAR", "END:VCALENDAR")
_YEARLY = re.compile(
    r"RRULE:(?:FREQ=YEARLY|INTERVAL=\d{1,2}|BYDAY=[+-]?\d{0,2}[A-Z]{2}|BYMONTH=(?:[1-9]|1[0-2])"
    r"|BYMONTHDAY=-?(?:[1-9]|[12]\d)|WKST=[A-Z]{2}|UNTIL=\w{8,16}|COUNT=\d{1,4}|;)+",
    re.I,
)
_EARLY = re.compile(r"DTSTART[^:]*:(?:0|1[0-5])\d\d", re.I)


def read(held: Held, room: Room, fallback: str | None, defects: list[Defect]) -> list[Event]:
    """A row for each event. What cannot be read is a defect."""
    content = held.content or b""
    if not content.strip():
        return []
    if len(content) > room.calendar_octets or not room.events:
        beside = "" if room == Room() else " beside those before"
        defects.append(Defect("calendar", held.path, f"{len(content)} octets are too many to be looked into{beside}"))
        return []
    room.calendar_octets -= len(content)
    text, problem = charsets.decode(content, held.charset or "utf-8", fallback)
    if problem:
        defects.append(Defect("charset", held.path, clean(problem)))
    try:
        events = _all_events(held.path, clean(text), defects)
    except ValueError as error:
        defects.append(Defect("calendar", held.path, clean(str(error))[:500]))
        return []
    if len(events) > room.events:
        defects.append(Defect("calendar", held.path, f"{len(events)} events; read: the first {room.events}"))
        events = events[: room.events]
    room.events -= len(events)
    return events


def _without_zones(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of its time zones, and the rest."""
    zones: list[str] = []
    others: list[str] = []
    within = False
    for line in lines:
        mark = line.strip().upper()
        # One that is never closed ends where something else begins.
        within = mark == "BEGIN:VTIMEZONE" or (within and not mark.startswith(_OTHERS))
        (zones if within else others).append(line)
        within = within and mark != "END:VTIMEZONE"
    return zones, others


def _problem(zones: list[str]) -> str | None:
    """Why time zones are not to be read; None where they may be."""
    marks = [line.strip().upper() for line in zones]
    if marks.count("BEGIN:VTIMEZONE") != marks.count("END:VTIMEZONE"):
        return "a time zone that does not end"
    rules = [mark for mark in marks if mark.startswith(("RRULE", "EXRUL"))]
    early = any(map(_EARLY.match, marks))
    harmless = not early and len(rules) <= ZONE_RULES_MAX and all(map(_YEARLY.fullmatch, rules))
    return None if harmless else "time zones of odd rules"


def _all_events(path: str, text: str, defects: list[Defect]) -> list[Event]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it guessed what zone a name means
        return [
            _event(path, _text(calendar.get("method")), event, defects)
            for calendar in _calendars(path, text, defects)
            for event in calendar.walk("VEVENT")
        ]


def _calendars(path: str, text: str, defects: list[Defect]) -> list[Any]:
    """What icalendar makes of it; without its time zones where they could keep us, or where it refuses them."""
    # Unfolded here, and so read by icalendar as it was looked at here.
    lines = _FOLD.sub("", text.replace("\r\n", "\n")).split("\n")
    zones, others = _without_zones(lines)
    problem = _problem(zones)
    if not problem:
        try:
            return _parsed(lines)
        except Exception as error:  # a zone without an offset is a ValueError, one of two names an AttributeError
            if not zones:
                raise
            problem = f"{clean(str(error))[:300]} in a time zone"
    calendars = _parsed(others)
    defects.append(Defect("calendar", path, f"{problem}; times in zones not known elsewhere stay as written"))
    return calendars


def _parsed(lines: list[str]) -> list[Any]:
    from icalendar import Calendar  # 0.1 s, and few messages have one
    from icalendar.timezone import tzp

    # It keeps every zone that a calendar defined, for all that come after it: another message's definitions.
    tzp.use(_provider())
    return Calendar.from_ical("\n".join(lines), multiple=True)


@cache
def _provider() -> Any:
    """The system's zones; kept, for it lists their files when it is made."""
    from icalendar.timezone.zoneinfo import ZONEINFO

    return ZONEINFO()


def _event(path: str, method: str | None, event: Any, defects: list[Defect]) -> Event:
    for name, reason in event.errors[:ERRORS_MAX]:
        defects.append(Defect("calendar", path, clean(f"{name}: {reason}")[:500]))
    start, zone = _moment(event.get("dtstart"))
    end, _ = _moment(event.get("dtend"))
    length = getattr(_first(event.get("duration")), "dt", None)
    if end is None and start and isinstance(length, timedelta):
        end = _later(start, length)
    attendees = _listed(event.get("attendee"))
    return Event(
        path=path,
        method=method.upper() if method else None,
        uid=_text(event.get("uid")),
        sequence=_number(event.get("sequence")),
        recurrence_id=_written(event.get("recurrence-id")),
        summary=_text(event.get("summary")),
        starts_at=start,
        ends_at=end,
        all_day=type(getattr(_first(event.get("dtstart")), "dt", None)) is date,
        zone=zone,
        recurrence=_written(event.get("rrule")),
        organizer=_address(event.get("organizer")),
        attendees=[address for attendee in attendees if (address := _address(attendee))],
        answer=_text(attendees[0].params.get("PARTSTAT")) if method == "REPLY" and len(attendees) == 1 else None,
        location=_text(event.get("location")),
    )


def _listed(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [v for v in values if _first(v) is not None and hasattr(v, "params")][:ATTENDEES_MAX]


def _first(value: Any) -> Any:
    """The first of a property's values; None where it is not what it should be: asked for more, it raises."""
    from icalendar.prop import vBroken

    value = value[0] if isinstance(value, list) and value else value
    return None if isinstance(value, vBroken) else value


def _text(value: Any) -> str | None:
    value = _first(value)
    return clean(str(value))[:_CHARACTERS_MAX].strip() or None if value is not None else None


def _written(value: Any) -> str | None:
    value = _first(value)
    if value is None or not hasattr(value, "to_ical"):
        return None
    return clean(value.to_ical().decode("utf-8", "replace"))[:_CHARACTERS_MAX] or None


def _number(value: Any) -> int | None:
    value = _first(value)
    return int(value) if isinstance(value, int) and abs(value) < 2**31 else None


def _address(value: Any) -> str | None:
    """The address in a mailto:, in lower case; what else it may be as it stands."""
    text = _text(value)
    if text is None:
        return None
    return text[7:].strip().lower() or None if text.lower().startswith("mailto:") else text


def _moment(value: Any) -> tuple[datetime | None, str | None]:
    """A date or time in UTC, and its zone as written; without one it stays what it says."""
    value = _first(value)
    at = getattr(value, "dt", None)
    if not isinstance(at, date) or at.year not in _YEARS:
        return None, None
    if not isinstance(at, datetime):
        return datetime.combine(at, time(), UTC), None
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC), None
    written = _text(value.params.get("TZID")) if hasattr(value, "params") else None
    return at.astimezone(UTC), written or "UTC"


def _later(start: datetime, length: timedelta) -> datetime | None:
    try:
        return start + length
    except OverflowError:
        return None
