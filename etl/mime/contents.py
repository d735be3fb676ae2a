"""What parts hold beside text and files: messages, reports, calendars, and files packed in them.

Most mail has none of it, and pays one look. What cannot be opened is a defect, and stays what it is: a part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from etl.mime import calendars, nested, packed, reports, uuencode
from etl.mime.bounds import Room
from etl.mime.parts import Body, Held, Walked
from etl.mime.rows import Defect, Event, Leaf, Nested, Part, Report, clean

# What makes an event the same as another.
_Event = tuple[str | None, str | None, int | None, str | None]


@dataclass(slots=True)
class Opened:
    """What was found. parts: those of the message, each followed by what it held packed; bodies: without that.

    files: what parts held packed. room: for more. known: the events.
    """

    parts: list[Part]
    bodies: list[Body]
    nested: list[Nested] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    room: Room = field(default_factory=Room)
    known: set[_Event] = field(default_factory=set)


def read(walked: Walked, fallback: str | None, defects: list[Defect], cut: Mapping[str, Leaf]) -> Opened:
    """Open all that can be opened.

    fallback: the charset that the message speaks where it does not say. cut: what is not whole, by path.
    """
    opened = Opened(walked.rows, walked.bodies)
    in_text = any(uuencode.may_hold(body.content) for body in walked.bodies)
    if not (walked.held or in_text):
        return opened
    for held in walked.held:
        try:
            _OPENERS[held.what](opened, held, fallback, defects)
        except Exception as error:  # the contract: a part that cannot be opened is still a part
            defects.append(Defect("unopened", held.path, clean(f"{type(error).__name__}: {error}")[:500]))
    if in_text:
        opened.bodies = [_without_files(opened, body, defects, cut) for body in opened.bodies]
    if opened.reports:
        opened.reports = reports.with_originals(opened.reports, opened.nested)
    if opened.files:
        opened.parts = _placed(opened.parts, opened.files)
    return opened


def _message(opened: Opened, held: Held, fallback: str | None, defects: list[Defect]) -> None:
    opened.nested += nested.read(held, fallback, defects)


def _report(opened: Opened, held: Held, fallback: str | None, defects: list[Defect]) -> None:
    opened.reports += reports.read(held, opened.room, fallback, defects)


def _calendar(opened: Opened, held: Held, fallback: str | None, defects: list[Defect]) -> None:
    # The same invitation often comes twice, as a choice of text and as a file.
    events = calendars.read(held, opened.room, fallback, defects)
    opened.events += [event for event in events if _key(event) not in opened.known]
    opened.known.update(_key(event) for event in events if event.uid)


def _key(event: Event) -> _Event:
    return event.method, event.uid, event.sequence, event.recurrence_id


def _tnef(opened: Opened, held: Held, fallback: str | None, defects: list[Defect]) -> None:
    alone = not any(body.content.strip() and not body.named for body in opened.bodies)
    files, bodies = packed.tnef(held, opened.room, alone, fallback, defects)
    opened.files += files
    opened.bodies = [*opened.bodies, *bodies]


_OPENERS: dict[str, Callable[[Opened, Held, str | None, list[Defect]], None]] = {
    "message": _message,
    "headers": _message,
    "delivery": _report,
    "disposition": _report,
    "feedback": _report,
    "calendar": _calendar,
    "tnef": _tnef,
}


def _without_files(opened: Opened, body: Body, defects: list[Defect], cut: Mapping[str, Leaf]) -> Body:
    """The body without the files that stand uuencoded in it."""
    if body.html:
        return body
    content, found = uuencode.split(body.content)
    if found and body.path in cut:
        defects.append(Defect("unopened", body.path, "files in a text that is too long to be looked into whole"))
        return body
    opened.files += packed.uuencoded_files(body.path, found, opened.room, defects)
    return replace(body, content=content)


def _placed(parts: list[Part], files: list[Part]) -> list[Part]:
    """Each file behind the part that held it."""
    by_holder: dict[str, list[Part]] = {}
    for file in files:
        by_holder.setdefault(file.path.partition("/")[0], []).append(file)
    return [row for part in parts for row in (part, *by_holder.get(part.path, ()))]
