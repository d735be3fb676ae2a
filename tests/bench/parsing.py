"""Messages read a second on one core, beside mail-parser alone: `python -m tests.bench.parsing`.

MAIL_CORPUS names a folder of raw messages; PATTERN, the first argument, picks files in it.
"""

import contextlib
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mailparser import MailParser

from etl.archive.rows import Blocks, blocks
from etl.mime.reading import read
from etl.mime.version import PARSER

MESSAGES = 1500


def rate(function: Callable[[bytes], object], raws: list[bytes]) -> float:
    """Messages a second of one core, whatever else the machine does."""
    start = time.process_time()
    for raw in raws:
        with contextlib.suppress(AttributeError):  # mail-parser raises it on some real mail
            function(raw)
    return len(raws) / (time.process_time() - start)


def with_rows(raw: bytes) -> Blocks:
    """What a parser process does with a message."""
    return blocks(1, raw, read(raw), PARSER)


def main() -> None:
    """Print the rates and their ratio."""
    logging.disable(logging.CRITICAL)
    pattern = sys.argv[1] if len(sys.argv) > 1 else "**/*"
    files = sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(pattern) if p.is_file())
    picked = random.Random(1).sample(files, min(MESSAGES, len(files)))
    # As POP3 sends it.
    raws = [p.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for p in picked]
    reading, ours, theirs = rate(read, raws), rate(with_rows, raws), rate(MailParser.from_bytes, raws)
    print(
        f"{len(raws)} messages: read {reading:.0f}/s, with their rows {ours:.0f}/s, mail-parser alone {theirs:.0f}/s,"
        f" ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    main()
