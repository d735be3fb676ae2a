"""The bytes out of the archive, and whether all is as recorded: export, verify, rebuild."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from etl.archive import rights, stored
from etl.archive.projection import Again, Difference
from etl.archive.stored import Chosen
from etl.archive.verification import Verification, books
from etl.cli.command import Words, main
from etl.cli.screen import progress, say
from etl.pipeline import open_archive
from etl.rebuild import OnDifferences
from etl.rebuild import rebuild as read_again
from etl.verify import verify_messages


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


class Day(click.ParamType[date]):
    """A day, as 2026-11-01."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} is no day; write it as 2026-11-01", param, ctx)


@main.command()
@click.option("--sample", type=Sample(), help="Re-hash only so many messages, taken at random.")
@click.option(
    "--since",
    type=Day(),
    help="Re-hash only what was archived since this day (UTC), as in 2026-11-01.",
)
def verify(sample: Chosen | None, since: date | None) -> None:
    """Re-hash what is stored, read it again, check the books and seals; exit 1 names every mismatch. It is recorded."""
    asked = replace(sample or Chosen(), since=since)
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
    proved = "all is" if verification.messages else "no message was re-hashed; books and seals are"
    click.echo(f"verified: {proved} as recorded" if not faults else f"NOT verified: {faults} mismatches")
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
