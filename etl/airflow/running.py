"""`make run`: the DAG over all mailboxes, once, and a report for the person in front of the screen."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from etl import config
from etl.airflow import report
from etl.airflow.local import Local
from etl.airflow.processes import Family, end_recorded, record
from etl.airflow.screen import Steps
from etl.archive import ledger
from etl.errors import Stop
from etl.pipeline import open_archive

LOOK_SECONDS = 1.0


def run_once(local: Local, file: Path) -> int:
    """Prepare what is missing, run the DAG, report; the exit code. Raises Failure where it cannot begin."""
    names = [mailbox.name for mailbox in config.mailboxes(file)]
    click.echo(f"popvault: {len(names)} mailboxes of {file}")
    steps, log, pids = Steps(), local.logs / "run.log", local.home / "run.pids"
    try:
        with local.alone(), _ended(pids), local.postgres() as metadata:
            steps.done("Postgres is up")
            outcome = _run(local.environment(metadata), log, names, steps, pids)
            steps.done(f"the DAG run {outcome['run_id']} is over: {outcome['state']}")
            return report.show(outcome, names, log)
    except SystemExit:
        click.echo("popvault: stopped; what is archived stays, and the next run goes on from there", err=True)
        raise


@contextmanager
def _ended(pids: Path) -> Iterator[None]:
    """Whatever a run left behind that was killed itself is ended: its DAG run would go on beside ours."""
    end_recorded(pids)
    yield
    pids.unlink(missing_ok=True)


def _run(environment: Mapping[str, str], log: Path, names: Collection[str], steps: Steps, pids: Path) -> dict[str, Any]:
    """The DAG run, in a process of its own, watched through the archive; what became of it."""
    outcome = log.with_suffix(".json")
    outcome.unlink(missing_ok=True)
    command = [sys.executable, "-m", "etl.airflow.once", "run", str(outcome)]
    # No goodbye: told to end, Airflow fails one task and goes on with the next. A killed run is closed at the next
    # start, and the archive takes no harm from a kill.
    with Family(command, environment, log, goodbye=0) as family, open_archive(new=True) as engine:
        record(pids, [family])
        steps.done("the archive is ready, Airflow is being loaded")
        _watch(family, engine, names, steps)
    if not outcome.exists():
        raise Stop(f"Airflow failed before it could say what became of the run; see {log}")
    told: dict[str, Any] = json.loads(outcome.read_text())
    return told


def _watch(family: Family, engine: Engine, names: Collection[str], steps: Steps) -> None:
    """Show how far the archive is, until the process ends."""
    while True:
        try:
            family.process.wait(LOOK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            with engine.connect() as connection:
                rows = [row for row in ledger.balance(connection) if row["name"] in names]
            listed = sum(row["listed"] for row in rows)
            steps.progress("archiving", listed - sum(row["pending"] for row in rows), listed)
