"""Messages read a second on one core, ours beside mail-parser alone: `python -m tests.bench.parsing`.

MAIL_CORPUS names a folder of raw messages; PATTERN, the first argument, picks files in it.
"""

import logging
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mailparser import MailParser

from etl.mime.reading import read

MESSAGES = 1500


def rate(function: Callable[[bytes], object], raws: list[bytes]) -> float:
    """Messages a second."""
    start = time.perf_counter()
    for raw in raws:
        function(raw)
    return len(raws) / (time.perf_counter() - start)


def main() -> None:
    """Print both rates and their ratio."""
    logging.disable(logging.CRITICAL)
    pattern = sys.argv[1] if len(sys.argv) > 1 else "**/*"
    files = sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(pattern) if p.is_file())
    raws = [p.read_bytes() for p in random.Random(1).sample(files, min(MESSAGES, len(files)))]
    ours, theirs = rate(read, raws), rate(MailParser.from_bytes, raws)
    print(f"{len(raws)} messages: read {ours:.0f}/s, mail-parser alone {theirs:.0f}/s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
