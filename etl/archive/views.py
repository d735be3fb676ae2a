"""The views and functions of sql/views and the rights of sql/rights: made anew whenever their text changes.

They are dropped for it: no view can lose or move a column, and a function with other arguments would leave the old one
beside it, to be called as before.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Row, text

from etl.archive.statements import SQL, run_script, statement
from etl.errors import Misconfigured


def made_from(connection: Connection) -> str:
    """The comment on schema mart that tells of what views and rights were made, and on which Postgres.

    Another major version writes what it was given in other words, which guards (sql/rights) would take for a change.
    """
    digest = hashlib.sha256((_text("views") + _text("rights")).encode()).hexdigest()
    major = connection.scalar(text("select current_setting('server_version_num')::integer / 10000"))
    return f"What analysts use. Made from {digest} on Postgres {major}."


def _text(folder: str) -> str:
    """What the files of a folder say, in order."""
    return "\n".join(path.read_text() for path in sorted((SQL / folder).glob("*.sql")))


def drop(connection: Connection) -> Sequence[Row[Any]]:
    """Drop our views and functions, those of the files and what an earlier version made; who had been granted what.

    Raises Misconfigured where something of somebody else's stands on one of them: that is never dropped.
    """
    names = _names()
    if connection.scalar(text("select to_regclass('ops.view')")):
        names += connection.scalars(text("select name from ops.view"))
    ours = connection.scalars(statement("views", "existing"), {"names": names}).all()
    functions = connection.scalars(statement("views", "existing_functions"), {"names": names}).all()
    grants = connection.execute(statement("views", "grants"), {"names": ours}).all()
    try:
        # Each kind in one statement, for they read each other.
        for kind, dropped in (("view", ours), ("function", functions)):
            if dropped:
                run_script(connection, f"drop {kind} {', '.join(dropped)}")
    except psycopg.errors.DependentObjectsStillExist as error:
        dependents = "; ".join((error.diag.message_detail or str(error)).splitlines())
        raise Misconfigured(
            f"the views of mart are to be made anew, but {dependents}; keep its definition, drop it, run popvault init,"
            " and create it again"
        ) from error
    return grants


def make(connection: Connection, grants: Sequence[Row[Any]]) -> None:
    """Make them, grant again what was granted on what is still there, and then make the rights of roles."""
    run_script(connection, _text("views"))
    connection.execute(text("delete from ops.view"))
    connection.execute(statement("views", "remember"), {"names": _names()})
    for grant in grants:
        if connection.scalar(statement("views", "is_there"), {"view": grant.view, "column": grant.column}):
            run_script(connection, grant.command)
    # Behind the grants: of our own roles, sql/rights alone decides.
    run_script(connection, f"{_text('rights')}; comment on schema mart is '{made_from(connection)}'")


def _names() -> list[str]:
    made = r"^create (?:view|(?:or replace )?function) ([\w.]+)"
    return re.findall(made, _text("views"), flags=re.MULTILINE)
