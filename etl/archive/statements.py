"""The SQL of popvault by its name: `-- name: x` in the files of sql/statements."""

import re
from functools import cache

from sqlalchemy import TextClause, text

from etl.archive.migrations import SQL


@cache
def statement(file: str, name: str) -> TextClause:
    """The statement of that name in that file. Raises KeyError where there is none."""
    return _statements(file)[name]


@cache
def _statements(file: str) -> dict[str, TextClause]:
    pieces = re.split(r"^-- name: (\w+)\n", (SQL / "statements" / f"{file}.sql").read_text(), flags=re.M)
    return {name: text(sql.strip().rstrip(";")) for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}
