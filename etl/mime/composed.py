"""Text in Unicode's composed form (NFC), in linear time.

Normalization puts the marks on a letter in their order, one by one: for a letter with half a million marks that takes
hours. Nobody writes more than some ten; Unicode's own Stream-Safe Text Format (UAX 15, section 13) has 30.
"""

import re
import sys
from functools import cache
from unicodedata import combining, normalize

MARKS_MAX = 64


def composed(text: str) -> str:
    """The text in NFC; as it is where a letter bears more marks than anybody writes."""
    return text if text.isascii() or overloaded(text) else normalize("NFC", text)


def overloaded(text: str) -> bool:
    """Whether a letter bears more marks than anybody writes."""
    # So many marks in a row cover one of these places; all of them are looked at only then.
    return any(map(combining, text[::MARKS_MAX])) and _overload().search(text) is not None


@cache
def _overload() -> re.Pattern[str]:
    # Those beyond the first two planes are tags and selectors, which have no order.
    marks = "".join(chr(c) for c in range(0x300, min(0x1F000, sys.maxunicode)) if combining(chr(c)))
    return re.compile(f"[{re.escape(marks)}]{{{MARKS_MAX}}}")
