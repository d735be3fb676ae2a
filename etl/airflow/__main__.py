"""`python -m etl.airflow run | serve | command ...`: what the Makefile calls.

Beside the popvault command and not in it, because only this folder knows Airflow. The screen is a
person's here: what Airflow says goes to files below the home, which every failure names.

Exit codes: 0 all well, 1 something was left undone, 2 wrong usage or configuration.
"""

import os
import subprocess
import sys
from pathlib import Path

import click

from etl import config
from etl.airflow.local import Local
from etl.airflow.processes import leave_on_signals
from etl.airflow.running import run_once
from etl.airflow.serving import serve_until_told
from etl.errors import Failure, Misconfigured

mailboxes_option = click.option(
    "--mailboxes",
    type=click.Path(path_type=Path),
    envvar="POPVAULT_MAILBOXES",
    required=True,
    help="The mailboxes file (TOML).",
)


@click.group()
def main() -> None:
    """Run Airflow on this machine, with everything below POPVAULT_HOME."""
    leave_on_signals()


@main.command()
@mailboxes_option
def run(mailboxes: Path) -> None:
    """Run archive_mail once, now, and tell what became of each mailbox."""
    os.environ["POPVAULT_MAILBOXES"] = str(mailboxes.absolute())
    sys.exit(run_once(Local(config.home()), mailboxes))


@main.command()
@mailboxes_option
def serve(mailboxes: Path) -> None:
    """Run Airflow with its web page until told to stop; archive_mail runs every hour."""
    os.environ["POPVAULT_MAILBOXES"] = str(mailboxes.absolute())
    serve_until_told(Local(config.home()), mailboxes)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Call Airflow's own command on this Airflow, such as: command dags list."""
    local = Local(config.home())
    with local.postgres() as metadata:
        airflow = [sys.executable, "-m", "airflow", *arguments]
        sys.exit(subprocess.run(airflow, env=local.environment(metadata), check=False).returncode)


if __name__ == "__main__":
    try:
        main()
    except Failure as error:
        click.echo(f"popvault: {error}", err=True)
        sys.exit(2 if isinstance(error, Misconfigured) else 1)
