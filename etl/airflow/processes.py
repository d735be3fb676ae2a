"""Processes that are ended with all they started.

Airflow's commands leave children behind when they are killed, and its tasks have process groups of their
own, so each command gets a session of its own, and what is still in that session at the end is killed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

# How long a command may take over its own goodbye.
GOODBYE_SECONDS_MAX = 8.0

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Family:
    """A command in a session of its own, with all its descendants. Ended by `end` or at the end of `with`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, goodbye: float = GOODBYE_SECONDS_MAX
    ):
        self.log, self._goodbye_seconds_max = log, goodbye
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "Family":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def tell(self) -> None:
        """Ask the command to end; `end` waits for it."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Have it ended, softly first; nothing of it is left after this."""
        self.tell()
        deadline = time.monotonic() + self._goodbye_seconds_max
        while time.monotonic() < deadline and (self.process.poll() is None or members(self.process.pid)):
            time.sleep(0.05)
        kill(self.process.pid)
        self.process.wait()


def members(session: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return found


def kill(session: int) -> None:
    """Kill whatever is in a session, until nothing is."""
    while left := members(session):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, 1)


def record(file: Path, families: Sequence[Family]) -> None:
    """Note which sessions are ours, for `end_recorded` of a later start."""
    pids = [family.process.pid for family in families]
    file.write_text(json.dumps([[pid, psutil.Process(pid).create_time()] for pid in pids]))


def end_recorded(file: Path) -> None:
    """End what an earlier start left behind because it was killed itself."""
    for pid, began in json.loads(file.read_text()) if file.exists() else []:
        leaders = [process for process in members(pid) if process.pid == pid]
        # Began at another time: the number was given to a stranger since.
        if all(abs(leader.create_time() - began) < 1 for leader in leaders):
            kill(pid)
    file.unlink(missing_ok=True)


def leave_on_signals() -> None:
    """From now on Ctrl-C, SIGTERM and a closed terminal leave by SystemExit, so that every `with` is closed."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        for each in STOPPING:  # once is enough: a second must not break off the leaving
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in STOPPING:
        signal.signal(number, leave)
