"""Who sees which mailbox: grant, revoke, rights."""

from collections.abc import Sequence

import click

from etl.archive import rights
from etl.cli.command import Words, main
from etl.cli.screen import cell, print_table, say
from etl.pipeline import open_archive


@main.command()
@click.argument("role", type=Words())
@click.argument("mailboxes", nargs=-1, type=Words())
@click.option("--all", "every", is_flag=True, help="All mailboxes, those to come too.")
def grant(role: str, mailboxes: tuple[str, ...], every: bool) -> None:
    """Let a database role see mailboxes: those named, or all."""
    chosen = _chosen(mailboxes, every)
    with open_archive() as engine, engine.connect() as connection:
        rights.grant(connection, role, chosen)
    say(f"{role} sees {'all mailboxes, those to come too' if every else ', '.join(mailboxes)}")


@main.command()
@click.argument("role", type=Words())
@click.argument("mailboxes", nargs=-1, type=Words())
@click.option("--all", "every", is_flag=True, help="The right to see all; mailboxes granted by name stay granted.")
def revoke(role: str, mailboxes: tuple[str, ...], every: bool) -> None:
    """Take back from a database role what was granted."""
    chosen = _chosen(mailboxes, every)
    with open_archive() as engine, engine.connect() as connection:
        rights.revoke(connection, role, chosen)
    # Not that it sees them no more: a role that it belongs to may.
    say(f"{role}: taken back {'the right to see all' if every else ', '.join(mailboxes)}")


def _chosen(mailboxes: tuple[str, ...], every: bool) -> Sequence[str | None]:
    if bool(mailboxes) == every:
        raise click.UsageError("name mailboxes, or say --all")
    return [None] if every else mailboxes


@main.command("rights")
def show_rights() -> None:
    """Show which role may see which mailbox, and who granted it when."""
    with open_archive() as engine, engine.connect() as connection:
        rows = rights.granted(connection)
    columns = ("role", "mailbox", "granted_by", "granted_at")
    print_table(columns, [[cell(row[column]) for column in columns] for row in rows])
