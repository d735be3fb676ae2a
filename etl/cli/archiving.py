"""Mailboxes into the archive, and its books: init, check, run, enrol, status."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

import etl
from etl import config
from etl.archive import ledger, rights
from etl.cli.command import mailboxes_option, main
from etl.cli.screen import print_table, progress, say, say_json
from etl.errors import Failure, Misconfigured
from etl.pipeline import archive_shard, look, open_archive
from etl.visit import Done, Options

BALANCE = ("listed", "archived", "duplicate", "quarantined", "excluded", "vanished", "pending", "balanced")


@main.command()
def init() -> None:
    """Make or update the archive: the embedded server where no URL is given, and the schema."""
    with open_archive(new=True) as engine:
        click.echo(f"the archive is ready: {engine.url.render_as_string(hide_password=True)}")


@main.command()
@mailboxes_option
@click.argument("names", nargs=-1)
@click.option("--wire", type=click.File("a", lazy=False), help="Write what is sent and received here, without secrets.")
def check(mailboxes: Path, names: tuple[str, ...], wire: IO[str] | None) -> None:
    """Log in to each mailbox and show what its server can do; download nothing."""
    failed = False
    for mailbox in config.mailboxes(mailboxes, names):
        try:
            greeted, count = asyncio.run(look(mailbox, _wire_log(wire, mailbox.name) if wire else None))
        except Misconfigured:
            raise
        except Failure as error:
            failed = True
            say(f"{mailbox.name}: {error}")
            continue
        tls = f"{greeted.tls.version} {greeted.tls.cipher}" if greeted.tls else "no TLS"
        offered = ", ".join(greeted.capabilities_after or greeted.capabilities_before or ("none told",))
        say(f"{mailbox.name}: logged in by {greeted.mechanism}, {tls}, {count} messages; can {offered}")
    sys.exit(int(failed))


def _wire_log(file: IO[str], mailbox: str) -> Callable[[str], None]:
    def write(line: str) -> None:
        file.write(f"{mailbox} {line}\n")
        file.flush()

    return write


@main.command()
@mailboxes_option
@click.option("--dry-run", is_flag=True, help="Delete nothing on servers; say how much would be deleted.")
@click.option("--quarantined", is_flag=True, help="Try again what is in quarantine, too.")
@click.argument("names", nargs=-1)
def run(mailboxes: Path, dry_run: bool, quarantined: bool, names: tuple[str, ...]) -> None:
    """Archive all enabled mailboxes of the file, or those named."""
    chosen = config.mailboxes(mailboxes, names)
    options = Options(delete=not dry_run, quarantined=quarantined)
    with open_archive(rights.LOADER, new=True) as engine:
        with engine.connect() as connection:
            run_id = ledger.begin_run(connection, "command", etl.__version__)
        with progress("archiving") as advance:
            results = archive_shard(engine, chosen, run_id, lambda _, more, done: advance(more, done), options)
        with engine.connect() as connection:
            ledger.end_run(connection, run_id)
    for result in results:
        say(f"{result.mailbox}: {_summary(result)}")
        if result.failure:
            say(f"{result.mailbox}: {result.failure}", err=True)
    if any(isinstance(result.failure, Misconfigured) for result in results):
        sys.exit(2)
    sys.exit(int(any(result.failure or result.failed for result in results)))


def _summary(result: Done) -> str:
    what = f"{result.retrieved} retrieved: {result.archived} archived, {result.duplicate} duplicate"
    further = {
        "deleted on the server": result.deleted,
        "would be deleted on the server": result.deletable,
        "not to be had from the server": result.failed,
        "not retrieved, over message_bytes_max": result.excluded,
        "left for the next run, over a limit of the session": result.left,
    }
    if not result.retrieved:
        what = "nothing retrieved" if result.failure else "nothing new"
    return "; ".join([what, *(f"{number} {words}" for words, number in further.items() if number)])


@main.command()
def enrol() -> None:
    """Let this database delete mail on servers, instead of the one it was copied from."""
    with open_archive() as engine, engine.connect() as connection:
        click.echo(f"from now on only this database may delete mail on servers: {ledger.enrol(connection)}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show the books of each mailbox: every message listed has one outcome."""
    with open_archive() as engine, engine.connect() as connection:
        rows = ledger.balance(connection)
    counts = BALANCE[:-1]
    totals: dict[str, Any] = {key: sum(row[key] for row in rows) for key in counts}
    totals["balanced"] = all(row["balanced"] for row in rows)
    if as_json:
        say_json({"mailboxes": rows, "totals": totals})
        return
    numbers = [[row["name"], *(str(row[key]) for key in counts)] for row in (*rows, {"name": "total", **totals})]
    balanced = ["yes" if row["balanced"] else "NO" for row in (*rows, totals)]
    print_table(("mailbox", *BALANCE), [[*n, b] for n, b in zip(numbers, balanced, strict=True)])
