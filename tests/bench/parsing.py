"""Messages read a second on one core, beside mail-parser alone: `python -m tests.bench.parsing`.

MAIL_CORPUS names a folder of raw messages; PATTERN, the first argument, picks files in it.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from mailparser import MailParser

from etl.archive import rows
from etl.archive.rows import Rows
from etl.intake import BATCH_MESSAGES
from etl.mime.reading import read_all
from etl.mime.rows import Reading
from etl.parsing import Job, answer


def rate(function: Callable[[list[bytes]], object], raws: list[bytes]) -> float:
    """Messages a second of one core, whatever else the machine does."""
    start = time.process_time()
    for first in range(0, len(raws), BATCH_MESSAGES):
        function(raws[first : first + BATCH_MESSAGES])
    return len(raws) / (time.process_time() - start)


def with_rows(raws: list[bytes]) -> None:
    """What a parser process does with a batch."""
    answer([Job(number, raw) for number, raw in enumerate(raws, start=1)])


def _no_terms(_: Reading) -> Rows:
    """A mock would keep all that it is called with."""
    return []


def mail_parser(raws: list[bytes]) -> None:
    """mail-parser alone."""
    for raw in raws:
        with contextlib.suppress(AttributeError):  # it raises it on some real mail
            MailParser.from_bytes(raw)


def main() -> None:
    """Print the rates and their ratio."""
    logging.disable(logging.CRITICAL)
    pattern = sys.argv[1] if len(sys.argv) > 1 else "**/*"
    files = sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(pattern) if p.is_file())
    # As POP3 sends it.
    raws = [p.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for p in files]
    reading, ours, theirs = rate(read_all, raws), rate(with_rows, raws), rate(mail_parser, raws)
    with mock.patch.object(rows, "_terms", _no_terms):
        without_words = rate(with_rows, raws)
    print(
        f"{len(raws)} messages: read {reading:.0f}/s, with their rows {without_words:.0f}/s, and their words"
        f" {ours:.0f}/s; mail-parser alone {theirs:.0f}/s, ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    main()
