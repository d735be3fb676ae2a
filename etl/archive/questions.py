"""Analysts' questions: the files of sql/queries, with what each can be told.

A file begins with a sentence that says what it answers. Lines `-- :name = default   meaning` name its parameters;
without `= default` one has to be given. Values are text, which the SQL casts. `rows` is how many rows at most, `house`
the domains that are not outside, with commas: those told, or those of the mailboxes.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.archive.statements import SQL, statement
from etl.errors import Misconfigured
from etl.mime.addresses import normalised

# What one of the archive's own names can be: a word that is none is an error, and no question without an answer.
_NAMES = {
    "mailbox": ("mailbox", "popvault status lists them"),
    "sha256": ("attachment with this SHA-256:", "mart.attachment has them"),
    "message": ("message", "popvault search finds them"),
}
# What a value has to be, by the type that the question casts it to.
_KINDS = {
    "integer": "a whole number, as 3",
    "bigint": "a whole number, as 3",
    "numeric": "a number, as 2.5",
    "time": "a time of day, as 09:00",
    "timestamptz": "a day, as 2026-03-01, or a time, as 2026-03-01 09:00",
}
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
_PARAMETER = re.compile(r"^-- :(\w+)(?: =[ ]?(\S*))? {2,}(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a question can be told. default: None where it has to be told."""

    name: str
    default: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Question:
    """One file of sql/queries. notes: what it says besides. reads_all: whether it reads all rows of something."""

    name: str
    answers: str
    notes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    reads_all: bool
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows; after how many they were cut, if there are more; which domains were the house, where that matters."""

    rows: list[dict[str, Any]]
    cut_after: int | None
    house: tuple[str, ...] | None


def questions() -> dict[str, Question]:
    """All of them, by name."""
    return {path.stem: _read(path.stem, path.read_text()) for path in sorted((SQL / "queries").glob("*.sql"))}


def _read(name: str, file: str) -> Question:
    parameters = tuple(Parameter(*found) for found in _parameters(file))
    reads_all = re.search(r"^-- (?:.*\. )?Reads ", file, re.MULTILINE) is not None
    answers, *notes = re.findall(
        r"^-- (?!:)(.+)$", re.split(r"^[^-]", file, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE
    )
    return Question(name, answers, tuple(notes), parameters, reads_all, _statement(file))


def _parameters(file: str) -> list[tuple[str, str | None, str]]:
    return [(found[1], found[2], found[3]) for found in _PARAMETER.finditer(file)]


def _statement(file: str) -> str:
    # Without its comments: a colon in them is none of ours.
    return re.sub(r"^\s*--.*\n", "", file, flags=re.MULTILINE).strip().rstrip(";")


def question(name: str) -> Question:
    """The question of that name. Raises Misconfigured where there is none."""
    known = questions()
    if name not in known:
        raise Misconfigured(f"there is no query {name!r}{_nearest(name, known)}; `popvault query` lists them all")
    return known[name]


def values(asked: Question, given: Mapping[str, str]) -> dict[str, str]:
    """What each parameter is: as given, or its default. Raises Misconfigured for one unknown, or not given."""
    names = [parameter.name for parameter in asked.parameters]
    for name in given:
        if name not in names:
            can = f"it can be told {', '.join(names)}" if names else "it can be told nothing"
            raise Misconfigured(f"query {asked.name} has no {name!r}{_nearest(name, names)}; {can}")
    told = {parameter.name: given.get(parameter.name, parameter.default) for parameter in asked.parameters}
    for parameter in asked.parameters:
        if told[parameter.name] is None:
            raise Misconfigured(f"query {asked.name} needs --set {parameter.name}=... ({parameter.meaning})")
    return {name: _normal(name, value) for name, value in told.items() if value is not None}


def _normal(name: str, value: str) -> str:
    """An address and domains as mart has them, however they are written."""
    if name == "address":
        if not _ADDRESS.fullmatch(value.strip()):
            raise Misconfigured(f"--set address={value}: say one address, as ann@example.org")
        return normalised(value.strip())
    if name == "house":
        domains = (normalised(f"@{domain.strip().removeprefix('@')}")[1:] for domain in value.split(","))
        return ",".join(filter(None, domains))
    return value


def answer(connection: Connection, name: str, given: Mapping[str, str]) -> Answer:
    """What answers it. Raises Misconfigured for a value that is none, or names what the archive has not."""
    asked = question(name)
    told = values(asked, given)
    rows_max = _rows_max(told["rows"]) if "rows" in told else None
    if rows_max is not None:
        # One more than is shown tells whether there are more.
        told["rows"] = str(rows_max + 1)
    with connection.begin():
        for each, value in given.items():
            _check(connection, asked, each, value)
        house = _house(connection, told["house"]) if "house" in told else None
        if house is not None:
            told["house"] = ",".join(house)
        with _telling(name, given):
            rows = [dict(row) for row in connection.execute(text(asked.sql), told).mappings()]
    cut = rows_max is not None and len(rows) > rows_max
    return Answer(rows[:rows_max], rows_max if cut else None, house)


def _rows_max(told: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,8}", told):
        raise Misconfigured(f"--set rows={told}: say how many rows, as 100")
    return int(told)


@contextmanager
def _telling(name: str, given: Mapping[str, str], advice: str | None = None) -> Iterator[None]:
    """Names what was told where Postgres cannot take it for what it should be, with advice or in Postgres's words."""
    try:
        yield
    except DBAPIError as error:
        if not given or not isinstance(error.orig, psycopg.DataError):
            raise
        told = " ".join(f"--set {name}={value}" for name, value in given.items())
        raise Misconfigured(
            f"query {name} cannot be told {told}: {advice or str(error.orig).splitlines()[0]}"
        ) from error


def _check(connection: Connection, asked: Question, name: str, value: str) -> None:
    if kind := re.search(rf"\bcast\(:{name} as (\w+)\)", asked.sql):
        with _telling(asked.name, {name: value}, f"say {_KINDS[kind[1]]}"):
            connection.execute(statement("questions", kind[1]), {"value": value})
    if value and name in _NAMES and not connection.scalar(statement("questions", name), {name: value}):
        what, where = _NAMES[name]
        raise Misconfigured(f"there is no {what} {value} in the archive that this login may see; {where}")


def _house(connection: Connection, told: str) -> tuple[str, ...]:
    return tuple(connection.scalars(statement("questions", "house"), {"house": told}))


def _nearest(name: str, known: Mapping[str, Any] | list[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; do you mean {near[0]}?" if near else ""
