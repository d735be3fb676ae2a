"""The popvault command. Each command is a few lines over the functions that the DAGs call too.

Exit codes: 0 all well, 1 something was left undone or did not verify, 2 wrong usage or configuration.
"""

import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click
import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

import etl
from etl import config
from etl.archive import dictionary, labels, ledger, questions, rights, stored
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.projection import Again, Difference
from etl.archive.search import find
from etl.archive.search import show as show_message
from etl.archive.stored import Chosen
from etl.archive.verification import Verification, books
from etl.errors import Failure, Misconfigured, Stop
from etl.pipeline import archive_shard, look, open_archive
from etl.rebuild import OnDifferences
from etl.rebuild import rebuild as read_again
from etl.verify import verify_messages
from etl.visit import Done, Options

BALANCE = ("listed", "archived", "duplicate", "quarantined", "excluded", "vanished", "pending", "balanced")

mailboxes_option = click.option(
    "--mailboxes",
    type=click.Path(path_type=Path),
    envvar="POPVAULT_MAILBOXES",
    required=True,
    help="The mailboxes file (TOML).",
)


class Commands(click.Group):
    """Shows a Failure as its sentence, with the exit code it means, and never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except Misconfigured as error:
            _complain(error, 2)
        except Failure as error:
            _complain(error, 1)
        except (DBAPIError, psycopg.Error) as error:
            # The first line of Postgres's own words; with the statement it would be a traceback in disguise.
            cause = getattr(error, "orig", error)
            words = (str(cause).strip().splitlines() or ["no reason given"])[0]
            if isinstance(cause, psycopg.errors.InsufficientPrivilege):
                _complain(Stop(f"this login may not do that: {words}; see Rights in the README"), 1)
            _complain(Stop(f"the database refused: {words}; is POPVAULT_DATABASE_URL right?"), 1)
        except BrokenPipeError:
            raise  # click knows what to do when nobody reads on
        except OSError as error:
            _complain(Stop(f"{error.filename or 'the system'}: {error.strerror or error}"), 1)


class Words(click.ParamType[str]):
    """Text that a database can be asked for."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, unless it holds bytes that are none."""
        try:
            str(value).encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        return str(value)


def say(text: str, err: bool = False) -> None:
    """Print what may come from mail or from a server: nothing in it may control the terminal."""
    click.echo(shown(text), err=err)


def shown(text: str) -> str:
    """The text without control characters, but for line ends and tabs."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _complain(error: Failure, code: int) -> None:
    say(f"popvault: {error}", err=True)
    sys.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(etl.__version__, prog_name="popvault")
@click.option(
    "-v", "--verbose", is_flag=True, help="Tell of each event, with run, mailbox and UIDL, on standard error."
)
def main(verbose: bool) -> None:
    """Archive POP3 mailboxes into Postgres, provably whole."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows another; the command goes on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # What a person needs, the commands print themselves; the log is for whoever wants to see it happen.
    level = logging.INFO if verbose else logging.CRITICAL
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)


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
    _print_table(columns, [[_cell(row[column]) for column in columns] for row in rows])


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
        click.echo(json.dumps({"mailboxes": rows, "totals": totals}, indent=2))
        return
    numbers = [[row["name"], *(str(row[key]) for key in counts)] for row in (*rows, {"name": "total", **totals})]
    balanced = ["yes" if row["balanced"] else "NO" for row in (*rows, totals)]
    _print_table(("mailbox", *BALANCE), [[*n, b] for n, b in zip(numbers, balanced, strict=True)])


@main.command(context_settings={"ignore_unknown_options": True})  # -word means without it
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
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))
        return
    for row in found:
        date = f"{row['sent_at']:%Y-%m-%d}" if row["sent_at"] else "no date   "
        sender = " ".join(filter(None, (row["from_name"], row["from_address"]))) or "-"
        say(f"{row['message_id']:>8}  {date}  {sender}  {row['subject'] or '(no subject)'}")
        if row["snippet"]:
            say(f"          {row['snippet']}")
    more = f"; more of them: --after {found[-1]['key']}" if len(found) == matches else ""
    click.echo(f"{len(found)} found{more}")


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
            _print_table(("label", "messages"), rows)
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


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False, type=Words())
@click.argument("words", nargs=-1, type=Words())
@click.option("--remove", is_flag=True, help="Forget it.")
def save(name: str | None, words: tuple[str, ...], remove: bool) -> None:
    """Save a search under a name; without arguments, list those saved. saved:NAME in a search asks it."""
    with open_archive() as engine, engine.connect() as connection:
        if name is None:
            _print_table(("name", "query"), [[row["name"], row["query"]] for row in labels.saved(connection)])
        elif remove:
            labels.forget(connection, name)
            say(f"{name}: forgotten")
        elif not words:
            raise Misconfigured(f"say what {name} is to find, or --remove")
        else:
            labels.save(connection, name, " ".join(words))
            say(f"{name}: saved; popvault search saved:{name} asks it")


@main.command()
@click.argument("message", type=Words())
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(message: str, as_json: bool) -> None:
    """Show one message: by its number, or the first 8 or more digits of its SHA-256."""
    with open_archive() as engine, engine.connect() as connection:
        known = show_message(connection, message)
    if as_json:
        click.echo(json.dumps(known, indent=2, ensure_ascii=False, default=str))
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
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option("--mailbox", type=Words(), help="Only what this mailbox held.")
def export(folder: Path, mailbox: str | None) -> None:
    """Write each message to <sha256>.eml, byte for byte as it came."""
    with open_archive() as engine, engine.connect() as connection:
        sys.exit(int(bool(_export(stored.export(connection, folder, mailbox)))))


def _export(messages: Iterator[stored.Stored]) -> int:
    """Count the messages, name each fault; how many faults there were."""
    count = octets = faults = 0
    with progress("exported") as advance:
        for message in messages:
            count, octets = count + 1, octets + message.octets
            advance(1, 1)
            if message.fault:
                faults += 1
                say(f"message {message.message_id} {message.sha256.hex()}: {message.fault}", err=True)
    click.echo(f"exported: {count} messages, {octets} bytes, {faults} faults")
    return faults


class Sample(click.ParamType[Chosen]):
    """How much to take at random: a number of messages, or a share of them."""

    name = "N or P%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Chosen:
        """What is chosen: 100 messages, or 5%."""
        if not (asked := re.fullmatch(r"(\d+(?:\.\d+)?)(%)?", str(value))):
            self.fail("say how many messages, as 100, or which share of them, as 5%")
        number, percent = asked.groups()
        if percent and float(number) > 100:
            self.fail("no sample is larger than 100%")
        return Chosen(percent=float(number)) if percent else Chosen(sample=int(float(number)))


@main.command()
@click.option("--sample", type=Sample(), help="Re-hash only so many messages, taken at random.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Re-hash only what was archived since this day (UTC), as in 2026-11-01.",
)
def verify(sample: Chosen | None, since: datetime | None) -> None:
    """Re-hash what is stored, read it again, check the books and seals; exit 1 names every mismatch. It is recorded."""
    asked = replace(sample or Chosen(), since=since.date() if since else None)
    with open_archive(rights.AUDITOR) as engine, Verification(engine, asked) as verification:
        _verify_messages(engine, asked, verification)
        with engine.connect() as connection:
            for says, found in books(connection):
                whole = True
                for place in found:
                    whole = False
                    verification.note(place, says)
                    say(f"    {place}", err=True)
                click.echo(f"{'ok' if whole else 'NO'}  {says}")
        verification.end()
    faults = verification.faults
    click.echo("verified: all is as recorded" if not faults else f"NOT verified: {faults} mismatches")
    sys.exit(int(bool(faults)))


def _verify_messages(engine: Engine, asked: Chosen, verification: Verification) -> None:
    others = 0

    def fault(place: str, what: str) -> None:
        verification.note(place, what)
        say(f"{place}: {what}", err=True)

    with progress("verified") as advance:

        def tell(batch: Sequence[Again], differences: Sequence[Difference], read_by_others: set[int]) -> None:
            nonlocal others
            others += len(read_by_others)
            for message in batch:
                verification.count(message.octets)
                if message.fault:
                    fault(f"message {message.message_id} {message.sha256.hex()}", message.fault)
            for difference in differences:
                fault(difference.place, difference.what)
            advance(len(batch), len(batch))

        verify_messages(engine, asked, tell)
    counts = f"{verification.messages} messages, {verification.octets} bytes, {verification.faults} faults"
    click.echo(f"re-hashed and read again: {counts}")
    if others:
        click.echo(f"of these {others} were read by another parser and not compared; popvault rebuild reads them again")


@main.command()
@click.option("--report", is_flag=True, help="Change nothing; say each value that would change.")
@click.option("--all", "every", is_flag=True, help="Every message, and not only those that another parser read.")
def rebuild(report: bool, every: bool) -> None:
    """Read messages again from their bytes, and replace what is read otherwise now; goes on where it was cut short."""
    with open_archive() as engine, progress("read again") as advance:
        tell: OnDifferences = _tell_differences if report else lambda _: None
        result = read_again(engine, every, report, tell, advance)
    for message_id, fault in result.faults.items():
        say(f"message {message_id} is left as it was read: {fault}", err=True)
    click.echo(f"{result.messages} read again, {result.changed} {'would change' if report else 'changed'}")
    sys.exit(int(bool(result.faults)))


def _tell_differences(found: Sequence[Difference]) -> None:
    for difference in found:
        say(str(difference))


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
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
    elif rows:
        _print_table(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    else:
        click.echo("no rows")
    if found.house is not None:
        domains = ", ".join(found.house) or "none: no mailbox has an address, so say --set house=DOMAINS"
        say(f"house: {domains}", err=as_json)
    if found.cut_after is not None:
        click.echo(f"only the first {found.cut_after} rows: more by --set rows=NUMBER", err=as_json)


def _assignment(told: str) -> tuple[str, str]:
    name, equals, value = told.partition("=")
    if not equals:
        raise Misconfigured(f"--set {told} says nothing; write --set {told}=VALUE")
    return name, value


def _cell(value: Any) -> str:
    """A value for a table: short, without the microseconds of times."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal; elsewhere each row on one line, for grep and awk."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(shown(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


@main.command("dictionary")
def show_dictionary() -> None:
    """Print the data dictionary as Markdown: the views for analysts, their columns, joins and examples."""
    with open_archive() as engine, engine.connect() as connection:
        click.echo(dictionary.dictionary(connection), nl=False)


@main.command()
def dsn() -> None:
    """Print the database's URL, password included, for psql and the like; it stays up."""
    with open_archive() as engine:
        click.echo(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


@main.command()
def stop() -> None:
    """Stop the embedded Postgres; the next command starts it again."""
    was_up = EmbeddedPostgres(config.home()).stop()
    click.echo("the embedded Postgres is stopped" if was_up else "the embedded Postgres was not running")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, a plain line for every thousand elsewhere; call with (more to do, more done)."""
    with _bar(what) if sys.stderr.isatty() else nullcontext(None) as show:
        total = done = 0

        def advance(more: int, finished: int) -> None:
            nonlocal total, done
            total, done = total + more, done + finished
            if show:
                show(total, done)
            elif finished and done % 1000 == 0:
                click.echo(f"{what}: {done} of {total}", err=True)

        yield advance


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    # Imported where it is needed: a scheduled run has no terminal, and this is a tenth of its start.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=0)
        yield lambda total, done: bar.update(task, total=total, completed=done)
