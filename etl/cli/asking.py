"""For whoever knows SQL: query, dictionary, dsn; and stop, for the server that these leave up."""

import click

from etl import config
from etl.archive import dictionary, questions
from etl.archive.embedded import EmbeddedPostgres
from etl.cli.command import Words, main
from etl.cli.screen import cell, print_table, say, say_json
from etl.errors import Misconfigured
from etl.pipeline import open_archive


@main.command()
@click.argument("name", required=False)
@click.option("--set", "told", multiple=True, type=Words(), metavar="NAME=VALUE", help="Tell it something; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def query(name: str | None, told: tuple[str, ...], as_json: bool) -> None:
    """Answer an analyst's question by its name; without a name, list the questions and what each can be told."""
    if name is None:
        for known in questions.questions().values():
            click.echo("\n    ".join([known.name, known.answers, *known.notes]))
            for p in known.parameters:
                click.echo(f"    --set {p.name}={'...' if p.default is None else p.default}  {p.meaning}")
        return
    given = dict(_assignment(each) for each in told)
    questions.values(questions.question(name), given)  # before a database is opened for it
    with open_archive() as engine, engine.connect() as connection:
        found = questions.answer(connection, name, given)
    rows = found.rows
    if as_json:
        say_json(rows)
    elif rows:
        print_table(list(rows[0]), [[cell(value) for value in row.values()] for row in rows])
    else:
        click.echo("no rows")
    if found.house is not None:
        domains = ", ".join(found.house) or "none: no mailbox has an address, so say --set house=DOMAINS"
        source = "" if given.get("house") or not found.house else ", of the mailboxes that this login sees"
        say(f"house: {domains}{source}", err=as_json)
    if found.cut_after is not None:
        click.echo(f"cut after rows={found.cut_after}: more by --set rows=NUMBER", err=as_json)


def _assignment(told: str) -> tuple[str, str]:
    name, equals, value = told.partition("=")
    if not equals:
        raise Misconfigured(f"--set {told} says nothing; write --set {told}=VALUE")
    return name, value


@main.command("dictionary")
def show_dictionary() -> None:
    """Print the data dictionary as Markdown: the views for analysts, their columns, joins and examples."""
    with open_archive() as engine, engine.connect() as connection:
        click.echo(dictionary.dictionary(connection), nl=False)


@main.command()
def dsn() -> None:
    """Print the database's URL, password included, for psql and any other client; the server stays up behind it."""
    with open_archive() as engine:
        click.echo(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


@main.command()
def stop() -> None:
    """Stop the embedded Postgres; the next command starts it again."""
    was_up = EmbeddedPostgres(config.home()).stop()
    click.echo("the embedded Postgres is stopped" if was_up else "the embedded Postgres was not running")
