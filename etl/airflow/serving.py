"""`make serve`: Airflow's scheduler, DAG processor and web page as processes, none left behind.

Not `airflow standalone`: told to stop, that leaves its children behind. No triggerer: no task of ours defers.
"""

import http.client
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from etl import config
from etl.airflow.local import ADMIN, Local, free_port
from etl.airflow.processes import Family, end_recorded, record
from etl.airflow.screen import Steps
from etl.errors import Stop
from etl.pipeline import open_archive

# The page reads log files by itself; the scheduler's own log server would listen beyond loopback.
ARGUMENTS = {"scheduler": ["--skip-serve-logs"]}
READY_SECONDS_MAX = 180
LOOK_SECONDS = 0.5


def serve_until_told(local: Local, file: Path) -> NoReturn:
    """Run it; leaves by SystemExit. Raises Failure where it cannot begin, or where a process dies."""
    names = [mailbox.name for mailbox in config.mailboxes(file)]
    click.echo(f"popvault: Airflow over {len(names)} mailboxes of {file}")
    steps = Steps()
    with local.alone(), local.postgres() as metadata:
        steps.done("Postgres is up")
        port = free_port()
        environment = local.environment(metadata, port)
        _prepare(local, environment)
        steps.done("the archive and Airflow's metadata are ready")
        local.password()  # before the page makes one of its own
        with Airflow(local, environment, port) as airflow:
            # The page first: while it does not answer, the scheduler's tasks would fail and wait for their retry.
            airflow.start("api-server")
            airflow.wait("metadatabase")
            airflow.start("dag-processor", "scheduler")
            airflow.wait("scheduler", "dag_processor")
            steps.done("Airflow is up")
            _print_login(local, port)
            airflow.watch()


class Airflow:
    """Its processes. None is left after `with`, nor, if this process is killed, after the next start."""

    def __init__(self, local: Local, environment: dict[str, str], port: int):
        self._local, self._environment, self._port = local, environment, port
        self._pids = local.home / "serve.pids"
        self._families: list[Family] = []

    def __enter__(self) -> "Airflow":
        end_recorded(self._pids)
        return self

    def __exit__(self, *_: object) -> None:
        click.echo("popvault: stopping Airflow")
        for family in self._families:  # all at once: their goodbyes take as long as the longest
            family.tell()
        for family in self._families:
            family.end()
        self._pids.unlink(missing_ok=True)

    def start(self, *components: str) -> None:
        """Start components, each with a log of its own."""
        for name in components:
            command = [sys.executable, "-m", "airflow", name, *ARGUMENTS.get(name, [])]
            self._families.append(Family(command, self._environment, self._local.logs / f"{name}.log"))
        record(self._pids, self._families)

    def wait(self, *parts: str) -> None:
        """Wait until the page says that these are healthy."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not _are_healthy(self._port, parts):
            self._check()
            if time.monotonic() > deadline:
                raise Stop(f"Airflow's {parts[0]} is not up after {READY_SECONDS_MAX} s; see {self._local.logs}")
            time.sleep(LOOK_SECONDS)

    def watch(self) -> NoReturn:
        """Stay until a signal ends us, or raise Stop where a component ends by itself."""
        while True:
            self._check()
            time.sleep(LOOK_SECONDS)

    def _check(self) -> None:
        for family in self._families:
            if family.process.poll() is not None:
                raise Stop(f"Airflow's {family.log.stem} ended by itself; see {family.log}")


def _print_login(local: Local, port: int) -> None:
    """How to log in; the password itself only where no log takes it down."""
    password = local.password() if sys.stdout.isatty() else f"in {local.passwords}"
    click.echo(f"\n  http://127.0.0.1:{port}   user {ADMIN}, password {password}\n")
    click.echo("archive_mail runs every hour. Ctrl-C stops it all.")


def _prepare(local: Local, environment: dict[str, str]) -> None:
    """Archive and metadata side by side."""
    log = local.logs / "prepare.log"
    with Family([sys.executable, "-m", "etl.airflow.once", "prepare"], environment, log) as family:
        with open_archive(new=True):
            pass
        if family.process.wait():
            raise Stop(f"Airflow's metadata database could not be made ready; see {log}")


def _are_healthy(port: int, parts: Sequence[str]) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/v2/monitor/health")
        health = json.loads(connection.getresponse().read())
        return all(health[part]["status"] == "healthy" for part in parts)
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
