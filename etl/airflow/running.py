"""`make run`: the DAG over all mailboxes, once, and a report for the person in front of the screen."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from etl import config
from etl.airflow import report
from etl.airflow.local import Local
from etl.airflow.processes import Family
from etl.airflow.screen import Steps
from etl.archive import ledger
from etl.errors import Stop
from etl.pipeline import open_archive

LOOK_SECONDS = 1.0


def run_once(local: Local, file: Path) -> int:
    """Prepare what is missing, run the DAG, report; the exit code. Raises Failure where it cannot begin."""
    names = [mailbox.name for mailbox in config.mailboxes(file)]
    click.echo(f"popvault: {len(names)} mailboxes of {file}")
    steps, log = Steps(), local.logs / "run.log"
    try:
        with local.alone(), local.postgres() as metadata:
            steps.done("Postgres is up")
            outcome = _run(local.environment(metadata), log, names, steps)
            steps.done(f"the DAG run {outcome['run_id']} is over: {outcome['state']}")
            return report.show(outcome, names, log)
    except SystemExit:
        click.echo("popvault: stopped; what is archived stays, and the next run goes on from there", err=True)
        raise


def _run(environment: Mapping[str, str], log: Path, names: Collection[str], steps: Steps) -> dict[str, Any]:
    """The DAG run, in a process of its own, watched through the archive; what became of it."""
    outcome = log.with_suffix(".json")
    outcome.unlink(missing_ok=True)
    command = [sys.executable, "-m", "etl.airflow.once", "run", str(outcome)]
    # No goodbye: told to end, Airflow fails one task and goes on with the next. A killed run is closed at the next
    # start, and the archive takes no harm from a kill.
    with Family(command, environment, log, goodbye=0) as family, open_archive(new=True) as engine:
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
