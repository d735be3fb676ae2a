"""Search at growing size: `python -m tests.bench.searching --messages 10000,100000,1000000`.

Made mail is laid straight into the tables that search reads: words by Zipf's law, a tenth of it Chinese, dates that
ascend with some disorder. Printed at each size: how fast terms were laid in and folded since the size before, how large
they are, and how long queries take, a page of 20 each.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import Connection, text

from etl.archive import search
from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.loader import copy_rows
from etl.archive.migrations import migrate
from etl.archive.rows import PROJECTIONS, TERMS, Kept, copy_text, projection
from etl.mime.rows import Participant, Reading
from etl.mime.version import PARSER

MIB = 1024 * 1024
BATCH = 1024
WORDS = 200_000
WORDS_OF_MESSAGE = 100
QUERIES_OF_A_KIND = 25
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
HAN = [chr(c) for c in range(0x4E00, 0x4E00 + 2000)]
MESSAGE = ("archive.message", "message_id, sha256, octets, head_sha256, session_id")
BEGAN = datetime(2010, 1, 1, tzinfo=UTC)

random_words = random.Random(1)


def word(rank: int) -> str:
    """The word of that rank, from 0: syllables, the frequent ones short."""
    rank, found = rank + 70, ""
    while rank:
        rank, syllable = divmod(rank, 70)
        found += SYLLABLES[syllable]
    return found


VOCABULARY = [word(rank) for rank in range(WORDS)]
WEIGHTS = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
HAN_WEIGHTS = list(accumulate(1 / (rank + 10) for rank in range(len(HAN))))
PEOPLE = [(word(70 + n), word(9000 + n)) for n in range(5000)]
PEOPLE_WEIGHTS = list(accumulate(1 / (n + 1) for n in range(len(PEOPLE))))


def sentence(count: int) -> str:
    """Words as mail has them: few of them most of the time."""
    return " ".join(random_words.choices(VOCABULARY, cum_weights=WEIGHTS, k=count))


def message(number: int) -> Reading:
    """The message of that number, from 1."""
    body = sentence(random_words.randrange(WORDS_OF_MESSAGE // 2, WORDS_OF_MESSAGE * 3 // 2))
    if number % 10 == 0:
        body = body[:100] + "\n" + "".join(random_words.choices(HAN, cum_weights=HAN_WEIGHTS, k=120))
    people = random_words.choices(PEOPLE, cum_weights=PEOPLE_WEIGHTS, k=2)
    return Reading(
        canonical_sha256=number.to_bytes(32),
        subject=sentence(6),
        sent_at=BEGAN + timedelta(minutes=number * 8 + random_words.randrange(60 * 24 * 30)),
        participants=[
            Participant(role, f"{first} {last}", f"{first}.{last}@example.org")
            for role, (first, last) in zip(("from", "to"), people, strict=True)
        ],
        text=body,
    )


class Archive:
    """An archive of made mail, and the seconds that laying in terms and folding them took, each with its messages."""

    def __init__(self, connection: Connection):
        self.connection, self.messages = connection, 0
        self.copying, self.folding, self.copied, self.folded = 0.0, 0.0, 0, 0
        with connection.begin():
            connection.execute(text("insert into archive.mailbox (name) values ('made')"))
            connection.execute(
                text("insert into archive.epoch (mailbox_id, host, username, reason) values (1, '-', '-', 'first')")
            )
            connection.execute(text("insert into ops.run (trigger, host, version) values ('command', '-', '-')"))
            columns = "run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8"
            connection.execute(
                text(f"insert into ops.session ({columns}) values (1, 1, 1, '-', 110, '-', '-', 'USER', false)")  # noqa: S608
            )

    def grow(self, size: int) -> None:
        """Lay in messages until there are so many."""
        while self.messages < size:
            numbers = range(self.messages + 1, min(self.messages + BATCH, size) + 1)
            read = [projection(number, message(number), PARSER, Kept()) for number in numbers]
            with self.connection.begin():
                copy_rows(self.connection, [MESSAGE], [[record(number)] for number in numbers])
                copy_rows(self.connection, PROJECTIONS, read)
            began = time.perf_counter()
            with self.connection.begin():
                copy_rows(self.connection, [TERMS], [rows[-1:] for rows in read])
            copied = time.perf_counter()
            while folded := search.fold(self.connection):
                self.folded += folded
            self.copying += copied - began
            self.folding += time.perf_counter() - copied
            self.copied += len(numbers)
            self.messages = numbers[-1]

    def indexed_a_second(self) -> float:
        """Since it was asked last. Some messages wait to be folded at any size, so both steps are counted apart."""
        seconds = self.copying / self.copied + self.folding / max(self.folded, 1)
        self.copying, self.folding, self.copied, self.folded = 0.0, 0.0, 0, 0
        return 1 / seconds


def record(number: int) -> bytes:
    """The row of a message that has no bytes."""
    return copy_text(number, [(number.to_bytes(32), 0, bytes(32), 1)])


def of_rank(first: int, last: int) -> str:
    """One of the words of these ranks."""
    return VOCABULARY[random_words.randrange(first, last)]


def phrase(connection: Connection, size: int) -> str:
    """Three words in a row of a message that is there."""
    body = connection.scalar(
        text("select body from archive.reading where message_id = :id"),
        {"id": random_words.randrange(1, size + 1) // 10 * 10 + 1},
    )
    connection.rollback()
    words = str(body).split()
    at = random_words.randrange(len(words) - 3)
    return '"' + " ".join(words[at : at + 3]) + '"'


def month(size: int) -> str:
    """A span of a month somewhere in the archive."""
    first = BEGAN + timedelta(minutes=random_words.randrange(size * 8))
    return f"after:{first:%Y-%m-%d} before:{first + timedelta(days=30):%Y-%m-%d}"


def han(count: int) -> str:
    """So many Chinese characters in a row, each frequent."""
    return "".join(random_words.choices(HAN[:100], k=count))


# What is asked, by kind: a query for an archive of that size.
KINDS: dict[str, Callable[[Connection, int], str]] = {
    "rare": lambda c, n: of_rank(50_000, WORDS),
    "common": lambda c, n: of_rank(0, 10),
    "in between": lambda c, n: of_rank(300, 3000),
    "two common": lambda c, n: f"{of_rank(0, 10)} {of_rank(0, 10)}",
    "rare and common": lambda c, n: f"{of_rank(5000, 20_000)} {of_rank(0, 10)}",
    "two in between": lambda c, n: f"{of_rank(300, 3000)} {of_rank(300, 3000)}",
    "phrase": phrase,
    "from": lambda c, n: f"from:{random_words.choice(PEOPLE)[1]}",
    "from and common": lambda c, n: f"from:{PEOPLE[random_words.randrange(20)][1]} {of_rank(0, 10)}",
    "subject": lambda c, n: f"subject:{of_rank(10, 1000)}",
    "date range": lambda c, n: f"{of_rank(0, 300)} {month(n)}",
    "Chinese": lambda c, n: han(2),
    "with minus": lambda c, n: f"{of_rank(0, 10)} -{of_rank(0, 10)} -{of_rank(300, 3000)}",
    "or": lambda c, n: f"{of_rank(1000, 3000)} or {of_rank(3000, 9000)}",
}


def ask(connection: Connection, size: int) -> dict[str, list[float]]:
    """Milliseconds of each query, by kind."""
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(QUERIES_OF_A_KIND):
        for kind, query in KINDS.items():
            asked = query(connection, size)
            began = time.perf_counter()
            search.find(connection, asked, 20)
            took[kind].append((time.perf_counter() - began) * 1000)
    return took


def report(archive: Archive) -> None:
    """Print a size's figures."""
    with archive.connection.begin():
        octets = archive.connection.scalar(
            text(
                "select sum(pg_total_relation_size(oid)) from pg_class"
                " where relkind = 'r' and relnamespace = 'search'::regnamespace"
            )
        )
    took = ask(archive.connection, archive.messages)
    every = sorted(ms for each in took.values() for ms in each)
    print(
        f"{archive.messages} messages: {archive.indexed_a_second():.0f} indexed a second, schema search"
        f" {float(octets or 0) / MIB:.0f} MiB; {len(every)} queries: p50 {median(every):.1f} ms,"
        f" p95 {quantiles(every, n=20)[-1]:.1f} ms, slowest {every[-1]:.0f} ms"
    )
    for kind, each in took.items():
        print(f"    {kind:16} p50 {median(each):6.1f}  p95 {quantiles(each, n=20)[-1]:6.1f}")


def main() -> None:
    """Print the figures at each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", default="10000,100000,1000000", help="sizes, ascending")
    sizes = [int(size) for size in parser.parse_args().messages.split(",")]
    with tempfile.TemporaryDirectory(prefix="popvault-bench-") as root:
        Path(root).chmod(0o755)
        postgres = EmbeddedPostgres(Path(root))
        try:
            engine = engine_for(postgres.start())
            migrate(engine)
            with engine.connect() as connection:
                archive = Archive(connection)
                for size in sizes:
                    archive.grow(size)
                    with connection.begin():
                        connection.execute(text("analyze"))
                    report(archive)
        finally:
            postgres.stop()
            shutil.rmtree((Path(root) / "postgres").resolve())


if __name__ == "__main__":
    main()
