"""The report at the end of `make run`: mailboxes, books, and what an analyst asks first."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click

from etl import config
from etl.airflow import tasks
from etl.errors import Stop

QUERIES = ("who_writes_to_whom", "volume_by_mailbox_and_day", "attachments_across_mailboxes")
# Of a table in the report; the whole of it is a command away.
LINES_MAX = 12
# Where there is no terminal to ask: wide enough for the widest table.
COLUMNS = 120

# In the order and the words of `popvault run`.
WORDS = {
    "retrieved": "retrieved", "archived": "archived", "duplicate": "duplicate", "deleted": "deleted on the server",
    "failed": "refused by the server", "excluded": "excluded", "left": "left for the next run",
}  # fmt: skip


def show(outcome: Mapping[str, Any], names: Collection[str], log: Path) -> int:
    """Print it; the exit code that the run deserves."""
    reports = outcome["reports"]
    click.echo()
    for name in names:
        click.echo(f"{name}: {_told(reports.get(name))}")
    if all(_is_idle(reports.get(name)) for name in names):
        click.echo("Nothing was downloaded: all that these mailboxes hold is in the archive already.")
    # Asked all at once: each takes half a second, most of it to load Python's modules.
    asked = {question: _ask(*question.split()) for question in ("status", *(f"query {name}" for name in QUERIES))}
    for question, process in asked.items():
        _print(question, process)
    click.echo(
        f"\nAsk on: {_popvault()} search WORDS, or query without a name for all questions. make serve: the web page."
    )
    return _verdict(outcome, log)


def _told(report: Mapping[str, Any] | None) -> str:
    """What became of a mailbox, in a line."""
    if report is None:
        return "nothing is known of it"
    counts = ", ".join(f"{report[key]} {word}" for key, word in WORDS.items() if key in report)
    failure = report.get("failure", "").partition(": ")[2]
    return "; ".join(part for part in (counts, failure) if part) or "nothing new"


def _is_idle(report: Mapping[str, Any] | None) -> bool:
    return report is not None and "retrieved" not in report and "failure" not in report


def _ask(*arguments: str) -> subprocess.Popen[str]:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else COLUMNS
    environment = {**os.environ, "COLUMNS": str(width)}
    command = [str(Path(sys.executable).with_name("popvault")), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _print(question: str, process: subprocess.Popen[str]) -> None:
    """The answer under its question, its beginning where it is long."""
    lines = [line for line in process.communicate()[0].splitlines() if line.strip()]
    click.echo(f"\n$ popvault {question}")
    click.echo("\n".join(lines[:LINES_MAX]))
    if len(lines) > LINES_MAX:
        click.echo(" ... and more: ask it for all of them")


def _popvault() -> str:
    """The command as it can be typed here."""
    home, command = config.home(), Path(sys.executable).with_name("popvault")
    here = Path.cwd()
    home, command = (path.relative_to(here) if path.is_relative_to(here) else path for path in (home, command))
    return f"POPVAULT_HOME={shlex.quote(str(home))} {shlex.quote(str(command))}"


def _verdict(outcome: Mapping[str, Any], log: Path) -> int:
    """Say in one sentence why it was no success, if it was none."""
    if outcome["state"] == "success":
        return 0
    sentence = "the DAG run failed"
    try:
        if outcome["summary"]:
            tasks.verdict(outcome["summary"])
    except Stop as error:
        sentence = str(error)
    click.echo(f"\npopvault: {sentence}; Airflow's log is {log}", err=True)
    return 1
