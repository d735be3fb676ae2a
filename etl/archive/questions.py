"""Analysts' questions: the files of sql/queries, with what each can be told.

A file begins with a sentence that says what it answers. Lines `-- :name = default   meaning` name its parameters;
without `= default` one has to be given. Values are text, which the SQL casts.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.archive.statements import SQL
from etl.errors import Misconfigured

_PARAMETER = re.compile(r"^-- :(\w+)(?: =[ ]?(\S*))? {2,}(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a question can be told. default: None where it has to be told."""

    name: str
    default: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Question:
    """One file of sql/queries. reads_all: whether it says that it reads all rows of something."""

    name: str
    answers: str
    parameters: tuple[Parameter, ...]
    reads_all: bool
    sql: str


def questions() -> dict[str, Question]:
    """All of them, by name."""
    return {path.stem: _read(path.stem, path.read_text()) for path in sorted((SQL / "queries").glob("*.sql"))}


def _read(name: str, file: str) -> Question:
    parameters = tuple(Parameter(*found) for found in _parameters(file))
    reads_all = re.search(r"^-- Reads ", file, re.MULTILINE) is not None
    return Question(name, file.partition("\n")[0].removeprefix("-- "), parameters, reads_all, _statement(file))


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
    return {name: value for name, value in told.items() if value is not None}


def answer(connection: Connection, name: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows that answer it. Raises Misconfigured for a value that Postgres cannot take for what it should be."""
    asked = question(name)
    told = values(asked, given)
    try:
        with connection.begin():
            return [dict(row) for row in connection.execute(text(asked.sql), told).mappings()]
    except DBAPIError as error:
        if given and isinstance(error.orig, psycopg.DataError):
            raise Misconfigured(f"query {name} cannot be told that: {str(error.orig).splitlines()[0]}") from error
        raise


def _nearest(name: str, known: Mapping[str, Any] | list[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; do you mean {near[0]}?" if near else ""
