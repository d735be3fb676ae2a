"""Time on the line of a real Dovecot: `python -m tests.bench.line [--rounds N] [--rtt MS,MS] [--only NAME,NAME]`.

500 messages of 10 kB are fetched over a line of 0, 20 and 100 ms round trip time by popvault (`popvault run` into an
empty Postgres, fsync on), by mpop, and by what else is installed. popvault and mpop run in turn, ROUNDS times; the
figures are medians. Those that wait for each answer run once: their time is the line's.
"""

import argparse
import datetime
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.bench.archiving import servers
from tests.bench.delay import Line, Trace, line
from tests.bench.retrievers import Retriever, installed, popvault_version, version
from tests.servers.dovecot import Dovecot
from tests.system.command import Popvault

MESSAGES, OCTETS = 500, 10_000
USER = "ann"
WORDS = [f"{a}{b}" for a in ("mail", "post", "brief", "letter", "note") for b in ("", "s", "ing", "box", "man", "room")]
HEAD = """\
Received: from mx.example.net (mx.example.net [192.0.2.7]) by pop.example.org with ESMTPS id {number};
 Tue, 3 Mar 2026 10:11:12 +0100
Date: Tue, 3 Mar 2026 10:11:10 +0100
From: Bob <bob@example.net>
To: Ann <ann@example.org>
Message-ID: <{number}@example.net>
Subject: {subject}
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

"""


@dataclass(frozen=True)
class Run:
    """What one command took, in seconds: as the line saw it, as a whole, and of that to start and end alone."""

    trace: Trace
    command: float
    start: float


def letters() -> list[bytes]:
    """Messages of 10 kB, each another, with the headers that mail has."""
    chance = random.Random(1)
    return [_letter(chance, number) for number in range(MESSAGES)]


def _letter(chance: random.Random, number: int) -> bytes:
    subject = " ".join(chance.choices(WORDS, k=5))
    head = HEAD.format(number=number, subject=subject)
    lines = [" ".join(chance.choices(WORDS, k=9)) for _ in range(OCTETS // 50)]
    return (head + "\n".join(lines))[:OCTETS].encode() + b"\n"


class Bench:
    """The two servers, and a run of anything over a line to the one and, for popvault, into the other."""

    def __init__(self, root: Path, dovecot: Dovecot, postgres_url: str):
        self._root, self._dovecot, self._url = root, dovecot, postgres_url
        self._count = 0
        dovecot.put(USER, letters())

    def line(self, round_trip_seconds: float) -> Line:
        """A context manager: a line to the server."""
        return line(self._dovecot.port, round_trip_seconds)

    def run(self, retriever: Retriever | None, over: Line) -> Run:
        """One run, from nothing; of popvault where no other is named."""
        self._count += 1
        folder = self._root / str(self._count)
        folder.mkdir()
        environment = {**os.environ, "HOME": str(folder), "FETCHMAILHOME": str(folder)}
        if retriever:
            command, start = retriever.command(over.port, USER, folder), list(retriever.start)
        else:
            command, start, environment = self._popvault(folder, over)
        _, start_seconds = timed(start, environment)
        done, seconds = timed(command, environment)
        trace = over.traces.get(timeout=10)
        if done.returncode or trace.octets < MESSAGES * OCTETS:
            words = f"{done.stdout}{done.stderr}"[-500:]
            raise RuntimeError(f"{command} ended with {done.returncode} and {trace.octets} octets fetched: {words}")
        return Run(trace, seconds, start_seconds)

    def _popvault(self, folder: Path, over: Line) -> tuple[list[str], list[str], dict[str, str]]:
        name = f"line_{self._count}"
        engine = create_engine(self._url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {name}"))
        engine.dispose()
        popvault = Popvault(folder, None, self._url.rpartition("/")[0] + f"/{name}")
        popvault.add(USER, username=USER, port=over.port, auth="user")  # as the others do
        popvault("init")
        run = [*popvault.command, "run", "--mailboxes", str(popvault.file)]
        return run, [*popvault.command, "--version"], popvault.environment


def timed(command: Sequence[str], environment: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a command to its end; what it said, and the seconds it took."""
    before = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done, time.perf_counter() - before


def main() -> None:
    """Print a table for each delay."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often popvault and mpop run (default 5)")
    parser.add_argument("--rtt", default="0,20,100", help="round trip times in ms (default 0,20,100)")
    parser.add_argument("--only", default="", help="names of retrievers, with popvault; default all that are installed")
    asked = parser.parse_args()
    others, missing = installed()
    others = [r for r in others if not asked.only or r.name in asked.only.split(",")]
    # Where it is set, every start compiles all that is imported anew, which no user waits for.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print("\n".join([*facts(others), *missing]))
    with tempfile.TemporaryDirectory(prefix="popvault-line-") as root, servers(Path(root)) as (dovecot, url):
        bench = Bench(Path(root), dovecot, url)
        for milliseconds in map(int, asked.rtt.split(",")):
            show(milliseconds, measured(bench, milliseconds / 1000, others, asked.rounds))


def measured(bench: Bench, round_trip: float, others: Sequence[Retriever], rounds: int) -> dict[str, list[Run]]:
    """The runs of each over a line, in turn."""
    runs: dict[str, list[Run]] = {}
    with bench.line(round_trip) as over:
        for number in range(rounds):
            for retriever in (None, *others):
                if number == 0 or not (retriever and retriever.serial):
                    name = retriever.name if retriever else "popvault"
                    runs.setdefault(name, []).append(bench.run(retriever, over))
    return runs


def facts(others: Iterable[Retriever]) -> list[str]:
    """What the figures hold for."""
    versions = [popvault_version(), f"Dovecot {version('dovecot')}", *(f"{r.name} {r.version}" for r in others)]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    return [
        f"{datetime.date.today()}, {machine}",
        ", ".join(versions),
        f"{MESSAGES} messages of {OCTETS} octets. Seconds, medians; in brackets as a multiple of mpop's:",
        "last byte: from accept until the last message was handed to the client's socket, which is what the line takes",
        "close: until the client closes. popvault has then read all mail, made its rows and committed them (fsync), as"
        " it must before QUIT; mpop has written each message to a file (fsync)",
        "command: from start to end; popvault indexes the words, too",
        "start: of that, what the program takes to start and end alone (--version); popvault and poplib are Python",
    ]


def show(milliseconds: int, runs: dict[str, list[Run]]) -> None:
    """The table of one delay."""
    heads = "".join(f"{head:>16}" for head in ("last byte", "close", "command"))
    print(f"\nround trip {milliseconds:>3} ms{heads}{'start':>9}{'flights':>9}{'runs':>6}")
    theirs = _medians(runs["mpop"]) if "mpop" in runs else None
    for name, its in runs.items():
        *times, start = _medians(its)
        ratios = [f" ({own / mpop:.2f})" for own, mpop in zip(times, theirs, strict=False)] if theirs else [""] * 3
        cells = "".join(f"{f'{own:.2f}' + ratio:>16}" for own, ratio in zip(times, ratios, strict=True))
        flights = statistics.median(run.trace.flights for run in its)
        print(f"{name:<17}{cells}{start:>9.2f}{flights:>9.0f}{len(its):>6}")
    sys.stdout.flush()


def _medians(runs: Sequence[Run]) -> tuple[float, ...]:
    figures = ((run.trace.whole, run.trace.closed, run.command, run.start) for run in runs)
    return tuple(statistics.median(column) for column in zip(*figures, strict=True))


if __name__ == "__main__":
    main()
