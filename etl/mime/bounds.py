"""How much of one message is opened and told: of the message, not of a part, for it may have ten thousand parts."""

from collections import Counter
from dataclasses import dataclass

from etl.mime.rows import Defect

# Packed in parts. Each costs a row; people attach some tens.
FILES_MAX = 1000
# icalendar takes a second for some 800 kB; invitations have some kB, a team's whole calendar some hundred.
CALENDAR_OCTETS_MAX = 256 * 1024
EVENTS_MAX = 1000
# Blocks of fields in reports, most of them a recipient. A mailing list's bounce names some hundreds.
REPORT_BLOCKS_MAX = 10_000
# Of each kind. Real mail has some tens at most; a megabyte of broken addresses had 150,000.
DEFECTS_MAX = 100


@dataclass(slots=True)
class Room:
    """What may still be opened of a message; each opener takes from it."""

    files: int = FILES_MAX
    calendar_octets: int = CALENDAR_OCTETS_MAX
    events: int = EVENTS_MAX
    report_blocks: int = REPORT_BLOCKS_MAX


def told(defects: list[Defect]) -> list[Defect]:
    """The defects; of a kind with more than DEFECTS_MAX, a row behind so many says how many there are."""
    if len(defects) <= DEFECTS_MAX:
        return defects
    times = Counter(defect.kind for defect in defects)
    seen: Counter[str] = Counter()
    found = []
    for defect in defects:
        seen[defect.kind] += 1
        if seen[defect.kind] <= DEFECTS_MAX:
            found.append(defect)
        elif seen[defect.kind] == DEFECTS_MAX + 1:
            detail = f"{times[defect.kind]} of this kind; told one by one: the first {DEFECTS_MAX}"
            found.append(Defect(defect.kind, defect.place, detail, defect.offset))
    return found
