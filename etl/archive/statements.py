"""The SQL of popvault by its name: `-- name: x` in the files of sql/statements; a file each in sql/queries."""

import re
from functools import cache

from sqlalchemy import TextClause, text

from etl.archive.migrations import SQL
from etl.errors import Misconfigured


@cache
def statement(file: str, name: str) -> TextClause:
    """The statement of that name in that file. Raises KeyError where there is none."""
    return _statements(file)[name]


@cache
def _statements(file: str) -> dict[str, TextClause]:
    pieces = re.split(r"^-- name: (\w+)\n", (SQL / "statements" / f"{file}.sql").read_text(), flags=re.M)
    return {name: text(sql.strip().rstrip(";")) for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}


def queries() -> dict[str, str]:
    """The analyst queries that come with popvault: {name: what it answers}."""
    files = sorted((SQL / "queries").glob("*.sql"))
    return {path.stem: path.read_text().partition("\n")[0].removeprefix("-- ") for path in files}


def query(name: str) -> TextClause:
    """The analyst query of that name. Raises Misconfigured where there is none."""
    if name not in (known := queries()):
        raise Misconfigured(f"there is no query {name!r}; known are {', '.join(known)}")
    return text((SQL / "queries" / f"{name}.sql").read_text().strip().rstrip(";"))
