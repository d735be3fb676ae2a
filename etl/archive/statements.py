"""The SQL of popvault by its name: `-- name: x` in the files of sql/statements; elsewhere in sql a file a statement."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, TextClause, text

from etl.errors import Misconfigured

SQL = Path(str(files("etl.sql")))


def run_script(connection: Connection, statements: str) -> None:
    """Run many statements at once: without parameters psycopg sends the text as it is."""
    connection.connection.cursor().execute(statements)


@cache
def statement(file: str, name: str) -> TextClause:
    """The statement of that name in that file. Raises KeyError where there is none."""
    return _statements(file)[name]


@cache
def _statements(file: str) -> dict[str, TextClause]:
    pieces = re.split(r"^-- name: (\w+)\n", (SQL / "statements" / f"{file}.sql").read_text(), flags=re.M)
    return {name: text(sql.strip().rstrip(";")) for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}


def titles(folder: str) -> dict[str, str]:
    """The files of sql/checks: {name: its first line, which says what it holds}."""
    files = sorted((SQL / folder).glob("*.sql"))
    return {path.stem: path.read_text().partition("\n")[0].removeprefix("-- ") for path in files}


def titled(folder: str, name: str) -> TextClause:
    """The statement in the file of that name. Raises Misconfigured where there is none."""
    if name not in (known := titles(folder)):
        raise Misconfigured(f"there is no {name!r} in {folder}; known are {', '.join(known)}")
    return text((SQL / folder / f"{name}.sql").read_text().strip().rstrip(";"))
