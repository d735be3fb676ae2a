"""Where our reading differs from mail-parser's own, over a corpus: `python -m tests.bench.equality`.

MAIL_CORPUS names a folder of raw messages; PATTERN, the first argument, picks files in it. Each line is one
difference to explain: mail-parser's value, then ours. The last lines count them, the tree against the standard
library's included.
"""

import email
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

from mailparser import MailParser

from etl.mime import tree
from etl.mime.reading import read
from etl.mime.rows import Reading

Difference = tuple[str, object, object]


def nodes(message: Message) -> list[tuple[Any, ...]]:
    """What a tree says: headers, payloads, defects, node by node."""
    return [
        (
            [(name, str(value).lstrip()) for name, value in part.raw_items()],
            None if part.is_multipart() else part.get_payload(decode=True),
            [type(defect).__name__ for defect in part.defects],
        )
        for part in message.walk()
    ]


def hops(mail: MailParser) -> list[tuple[str | None, ...]]:
    """mail-parser's hops as rows have them."""
    keys = ("from", "by", "with")
    return [(*(hop.get(key) or None for key in keys), hop.get("date_utc")) for hop in mail.received]


def differences(raw: bytes, mail: MailParser, reading: Reading) -> Iterator[Difference]:
    """Field by field; addresses of the first header of each name only, as mail-parser has it."""
    if (theirs := nodes(email.message_from_bytes(raw))) != (ours := nodes(tree.parse(raw))):
        yield "tree", theirs, ours
    if mail.date != reading.date_at:
        yield "date", mail.date, reading.date_at
    subject = mail.subject[0] if isinstance(mail.subject, list) else mail.subject
    if " ".join(subject.split()) != " ".join((reading.subject or "").split()):
        yield "subject", subject, reading.subject
    for role, addresses in (("from", mail.from_), ("to", mail.to), ("cc", mail.cc)):
        people = [(p.name, p.address) for p in reading.participants if p.role == role][: len(addresses)]
        if people != addresses:
            yield role, addresses, people
    ours = [(h.from_host, h.by_host, h.protocol, h.at and h.at.isoformat()) for h in reading.hops]
    if hops(mail) != ours:
        yield "hops", hops(mail), ours
    texts = [text.replace("\r\n", "\n").strip() for text in mail.text_plain]
    if missing := [text for text in texts if text.replace("\0", "\N{REPLACEMENT CHARACTER}") not in reading.text]:
        yield "text", missing, reading.text


def main() -> None:
    """Print every difference on a line, then how many there are of each kind."""
    logging.disable(logging.CRITICAL)
    pattern = sys.argv[1] if len(sys.argv) > 1 else "**/*"
    counts: Counter[str] = Counter()
    for path in sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(pattern) if p.is_file()):
        raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        counts["messages"] += 1
        try:
            mail = MailParser.from_bytes(raw)
        except Exception as error:  # it raises on some real mail
            counts[f"mail-parser raised {type(error).__name__}"] += 1
            continue
        for kind, theirs, ours in differences(raw, mail, read(raw)):
            counts[kind] += 1
            print(f"{path.name}\t{kind}\t{str(theirs)[:200]!r}\t{str(ours)[:200]!r}")
    print(*(f"{count:7} {kind}" for kind, count in counts.most_common()), sep="\n")


if __name__ == "__main__":
    main()
