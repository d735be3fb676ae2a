"""What a person sees: words, tables and progress, and nothing in them that controls the terminal; and what a program
reads.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click


def say(text: str, err: bool = False) -> None:
    """Print what may come from mail or from a server: nothing in it may control the terminal."""
    click.echo(shown(text), err=err)


def shown(text: str) -> str:
    """The text without control characters, but for line ends and tabs."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say_json(value: Any) -> None:
    """Print rows for programs: times as ISO 8601 has them, numbers as numbers."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def cell(value: Any) -> str:
    """A value for a table: short, without the microseconds of times."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
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
