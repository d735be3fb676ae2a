"""What is wrong with the mail of a corpus: `python -m tests.bench.defects`.

MAIL_CORPUS names a folder of raw messages. Each line is a kind of defect: how many messages have it, how often it was
found, how often its place is known to the octet, and one of them. With a KIND, the first argument, each of those is
a line. Exit code 1 if a message could not be read at all.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from etl.mime.reading import read
from etl.mime.rows import Defect


def found(folder: Path) -> Iterator[tuple[Path, Defect]]:
    """Every defect of every message, as POP3 sends them."""
    for path in sorted(p for p in folder.glob("**/*") if p.is_file()):
        raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for defect in read(raw).defects:
            yield path.relative_to(folder), defect


def line(path: Path, defect: Defect) -> str:
    """One defect, as a person looks it up."""
    return f"{path} at {defect.offset}: {defect.place}: {defect.detail[:120]!r}"


def main() -> int:
    """Print every kind with its counts, or every defect of one kind."""
    logging.disable(logging.CRITICAL)
    kind = sys.argv[1] if len(sys.argv) > 1 else None
    times: Counter[str] = Counter()
    placed: Counter[str] = Counter()
    messages: dict[str, set[Path]] = {}
    examples: dict[str, str] = {}
    for path, defect in found(Path(os.environ["MAIL_CORPUS"])):
        times[defect.kind] += 1
        placed[defect.kind] += defect.offset is not None
        messages.setdefault(defect.kind, set()).add(path)
        examples.setdefault(defect.kind, line(path, defect))
        if defect.kind == kind:
            print(line(path, defect))
    if kind is None:
        print("messages  defects   placed  kind, and one of them")
        for each, count in times.most_common():
            print(f"{len(messages[each]):8} {count:8} {placed[each]:8}  {each}: {examples[each]}")
    return int("unreadable" in times)


if __name__ == "__main__":
    sys.exit(main())
