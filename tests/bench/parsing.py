"""Messages read a second on one core, beside mail-parser alone: `python -m tests.bench.parsing`.

MAIL_CORPUS names a folder of raw messages; PATTERN, the first argument, picks files in it.
"""

import contextlib
import gc
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
    """Messages a second of one core, whatever else the machine does; in a process of its own, set up as a parser is."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as process:
        return process.submit(_rate, function, raws).result()


def _rate(function: Callable[[list[bytes]], object], raws: list[bytes]) -> float:
    logging.disable(logging.CRITICAL)
    gc.freeze()
    start = time.process_time()
    for first in range(0, len(raws), BATCH_MESSAGES):
        function(raws[first : first + BATCH_MESSAGES])
    return len(raws) / (time.process_time() - start)


def with_rows(raws: list[bytes]) -> None:
    """What a parser process does with a batch."""
    answer([Job(number, raw) for number, raw in enumerate(raws, start=1)])


def with_rows_without_words(raws: list[bytes]) -> None:
    """The same, but for what search finds messages by."""
    with mock.patch.object(rows, "_terms", _no_terms):
        with_rows(raws)


def _no_terms(_: Reading) -> Rows:
    """A mock would keep all that it is called with."""
    return []


def mail_parser(raws: list[bytes]) -> None:
    """mail-parser alone."""
    for raw in raws:
        with contextlib.suppress(AttributeError):  # it raises it on some real mail
            MailParser.from_bytes(raw)


def main() -> None:
    """Print the rates and how often each is mail-parser's."""
    pattern = sys.argv[1] if len(sys.argv) > 1 else "**/*"
    files = sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(pattern) if p.is_file())
    # As POP3 sends it.
    raws = [p.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for p in files]
    theirs = rate(mail_parser, raws)
    told = {"read": read_all, "with their rows": with_rows_without_words, "and their words": with_rows}
    ours = {name: rate(function, raws) for name, function in told.items()}
    print(
        f"{len(raws)} messages on one core: mail-parser alone {theirs:.0f}/s;",
        ", ".join(f"{name} {each:.0f}/s ({each / theirs:.2f} times)" for name, each in ours.items()),
    )


if __name__ == "__main__":
    main()
