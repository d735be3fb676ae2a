"""A header block's fields, as the SQL function archive.fields() reads them: both must read alike.

The parser reads headers better than SQL can. What both read alike is stored once, as the bytes it is.
"""

import re

from etl.mime.rows import Reading

# What reads as it is written, in Python and in SQL: ASCII in fields and folds, without encoded words and escapes.
_PLAIN = re.compile(r"(?:[!-9;-~]++:[\t -~]*+\n(?:[ \t][\t -~]*+\n)*+)++\n")

_FOLD = re.compile(r"\n(?=[ \t])")

Fields = list[tuple[str, str]]


def fields(head: str) -> Fields:
    """Name and value of each field of a header block with its line ends as LF, unfolded, in order."""
    unfolded = _FOLD.sub("", head.rstrip("\n"))
    lines = unfolded.split("\n") if unfolded else []
    return [(line.partition(":")[0], line[line.find(":") + 1 :].strip(" \t")) for line in lines]


def told(reading: Reading, head: str | None) -> tuple[Fields | None, dict[str, str] | None]:
    """What of the headers must be stored beside the head: all of them; or what reads otherwise, by position."""
    if head and _PLAIN.fullmatch(head) and "=?" not in head:
        return None, None  # nearly all; the long way would come to the same
    written = fields(head) if head else []
    if [name for name, _ in written] != [name for name, _ in reading.headers]:
        return reading.headers, None
    pairs = zip(written, reading.headers, strict=True)
    return None, {str(i): r[1] for i, (w, r) in enumerate(pairs, start=1) if w != r} or None
