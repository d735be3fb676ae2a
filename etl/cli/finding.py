"""Messages found and shown, and the folders that people lay them in: search, show, label, save."""

from typing import Any

import click

from etl.archive import labels
from etl.archive.search import find
from etl.archive.search import show as show_message
from etl.cli.command import Words, main
from etl.cli.screen import print_table, say, say_json
from etl.errors import Misconfigured
from etl.pipeline import open_archive


class OfWords(click.Command):
    """A command where -word means without it, also one with an h; -h alone asks for help, as everywhere."""

    ignore_unknown_options = True

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """As click does, with -h among other words left to them."""
        context.help_option_names = ["--help"]
        return super().parse_args(context, ["--help"] if args == ["-h"] else args)


@main.command(cls=OfWords)
@click.argument("words", nargs=-1, required=True, type=Words())
@click.option("--matches", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@click.option(
    "--after", "after_key", type=Words(), help="Go on behind the row with this key, which a full page ends with."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def search(words: tuple[str, ...], matches: int, after_key: str | None, as_json: bool) -> None:
    """Find messages: words, "a phrase", -without, one or other, and by what they are.

    \b
    from: to: cc: bcc: subject: filename:   words, or a whole address, in that place
    has:attachment  mailbox:NAME  label:NAME  saved:NAME
    after:2026-03-31  before:2026   sent since then, sent before then (UTC)
    """
    with open_archive() as engine, engine.connect() as connection:
        found = find(connection, " ".join(words), matches, after_key)
    if as_json:
        say_json(found)
        return
    for row in found:
        date = f"{row['sent_at']:%Y-%m-%d}" if row["sent_at"] else "no date   "
        sender = " ".join(filter(None, (row["from_name"], row["from_address"]))) or "-"
        say(f"{row['message_id']:>8}  {date}  {sender}  {row['subject'] or '(no subject)'}")
        if row["snippet"]:
            say(f"          {row['snippet']}")
    if len(found) == matches:
        click.echo(f"{len(found)} shown; the next: --after {found[-1]['key']}")
    else:
        click.echo(f"{len(found)} found")


@main.command()
@click.argument("message", type=Words())
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(message: str, as_json: bool) -> None:
    """Show one message: by its number, or the first 8 or more digits of its SHA-256."""
    with open_archive() as engine, engine.connect() as connection:
        known = show_message(connection, message)
    if as_json:
        say_json(known)
        return
    for delivery in known["deliveries"]:
        say(f"{delivery['mailbox']}  UIDL {delivery['uidl']}  {delivery['step']} {delivery['at']}")
    click.echo(f"SHA-256 {known['sha256']}, {known['octets']} bytes, read by {known['parser']}")
    if len(known["thread"]) > 1:
        click.echo(f"thread {', '.join(str(other['message_id']) for other in known['thread'])}")
    if known["same_mail"]:
        click.echo(f"the same mail, with other bytes: {', '.join(map(str, known['same_mail']))}")
    if known["labels"]:
        say(f"labels {', '.join(known['labels'])}")
    click.echo()
    for name, value in known["headers"]:
        say(f"{name}: {value}")
    say(f"\n{known['body']}")
    for line in (*map(_part_line, known["parts"]), *map(_nested_line, known["nested_messages"])):
        if line:
            say(line)
    for report in known["reports"]:
        recipient = report["final_recipient"] or report["original_recipient"] or "an unnamed recipient"
        told = (report[key] for key in ("action", "status", "diagnostic") if report[key])
        say(f"{report['kind']} report {report['path']}: {recipient}, {', '.join(told)}")
    for event in known["events"]:
        span = f"{event['starts_at'] or 'no date'} to {event['ends_at'] or 'no end'}"
        say(f"event {event['path']}: {event['method'] or 'no method'}, {event['summary'] or '(no title)'}, {span}")
    for defect in known["defects"]:
        say(f"defect {defect['kind']} at {defect['place']}: {defect['detail']}")


def _part_line(part: dict[str, Any]) -> str | None:
    """An attachment, or a part that is protected; None for others."""
    marks = [f"{part['protection']} by {part['protected_by']}"] if part["protection"] else []
    if not part["attachment"]:
        return f"part {part['path']}: {', '.join(marks)}" if marks else None
    if part["sniffed_type"] not in (None, part["content_type"]):
        marks.append(f"declared {part['content_type']}, looks like {part['sniffed_type']}")
    if part["packing"]:
        marks.append(f"packed by {part['packing']}")
    name = part["filename"] or part["content_type"]
    return ", ".join([f"attachment {part['path']}: {name}", f"{part['octets'] or 0} bytes", *marks])


def _nested_line(nested: dict[str, Any]) -> str:
    sender = nested["from_address"] or "an unnamed sender"
    return f"{nested['kind']} inside {nested['path']}: {nested['subject'] or '(no subject)'}, from {sender}"


@main.command()
@click.argument("name", required=False, type=Words())
@click.argument("messages", nargs=-1, type=int)
@click.option("--search", "query", type=Words(), help="All that this search finds, too.")
@click.option("--remove", is_flag=True, help="Take the label from these; without any, remove the label itself.")
def label(name: str | None, messages: tuple[int, ...], query: str | None, remove: bool) -> None:
    """Put messages, by their numbers, under a label; without arguments, list the labels.

    label:NAME in a search finds them. A message may have many labels.
    """
    with open_archive() as engine, engine.connect() as connection:
        if name is None:
            rows = [[row["name"], str(row["messages"])] for row in labels.labels(connection)]
            print_table(("label", "messages"), rows)
        elif remove and not messages and query is None:
            labels.remove(connection, name)
            say(f"{name}: removed; its messages stay")
        elif remove:
            say(f"{name}: taken from {labels.take(connection, name, messages, query)}")
        elif not name or not (messages or query is not None):
            raise Misconfigured(
                "say what to put under which label: popvault label NAME 17 18, or --search QUERY;"
                " popvault search label:NAME lists what lies there"
            )
        else:
            say(f"{name}: put on {labels.put(connection, name, messages, query)}")


@main.command(cls=OfWords)
@click.argument("name", required=False, type=Words())
@click.argument("words", nargs=-1, type=Words())
@click.option("--remove", is_flag=True, help="Forget it.")
def save(name: str | None, words: tuple[str, ...], remove: bool) -> None:
    """Save a search under a name; without arguments, list those saved. saved:NAME in a search asks it."""
    with open_archive() as engine, engine.connect() as connection:
        if name is None:
            print_table(("name", "query"), [[row["name"], row["query"]] for row in labels.saved(connection)])
        elif remove:
            labels.forget(connection, name)
            say(f"{name}: forgotten")
        elif not words:
            raise Misconfigured(f"say what {name} is to find, or --remove")
        else:
            labels.save(connection, name, " ".join(words))
            say(f"{name}: saved; popvault search saved:{name} asks it")
