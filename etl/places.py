"""On which line of a TOML text a key stands; tomllib does not say.

Read from the text alone, for messages to people: an inline table has the line of its key.
"""

import re
from collections import Counter

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")

Path = tuple[str | int, ...]


def lines(text: str) -> dict[Path, int]:
    """{path: line from 1}, a path being ("defaults", "host") or ("mailbox", 0, "oauth", "scope")."""
    found: dict[Path, int] = {}
    counts: Counter[str] = Counter()
    table: Path = ()
    in_string = False
    for number, line in enumerate(text.splitlines(), 1):
        if not in_string:
            if header := _HEADER.match(line):
                table = _table(header[1], _words(header[2]), counts)
                found.setdefault(table, number)
            elif key := _KEY.match(line):
                found.setdefault((*table, *_words(key[1])), number)
        # A string over several lines may hold what looks like a key.
        in_string ^= (line.count('"""') + line.count("'''")) % 2 == 1
    return found


def line(found: dict[Path, int], path: Path) -> int | None:
    """The line of a path, or of the nearest table around it."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path)


def _table(brackets: str, words: list[str], counts: Counter[str]) -> Path:
    """The path of a table's header; [[name]] is the next of its array, [name.sub] belongs to the latest."""
    first, rest = words[0], words[1:]
    if brackets == "[[" and not rest:
        counts[first] += 1
    return (first, counts[first] - 1, *rest) if counts[first] else (first, *rest)


def _words(dotted: str) -> list[str]:
    return [word.strip().strip("\"'") for word in dotted.split(".")]
