"""The views of sql/views: dropped and made anew whenever their text changes, for no view can lose or move a column."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Row, text

from etl.archive.statements import SQL, run_script, statement
from etl.errors import Misconfigured


def definitions() -> str:
    """All views, in the order in which they are made."""
    return "\n".join(path.read_text() for path in sorted((SQL / "views").glob("*.sql")))


def made_from(definitions: str) -> str:
    """The comment on schema mart that tells of what the views were made."""
    return f"What analysts use. Made from {hashlib.sha256(definitions.encode()).hexdigest()}."


def drop(connection: Connection, definitions: str) -> Sequence[Row[Any]]:
    """Drop our views, those of the files and those that an earlier version made; who had been granted what.

    Raises Misconfigured where something of somebody else's stands on one of them: that is never dropped.
    """
    names = _names(definitions)
    if connection.scalar(text("select to_regclass('ops.view')")):
        names += connection.scalars(text("select name from ops.view"))
    ours = connection.scalars(statement("views", "existing"), {"names": names}).all()
    if not ours:
        return []
    grants = connection.execute(statement("views", "grants"), {"names": ours}).all()
    try:
        # In one statement, for they read each other.
        run_script(connection, f"drop view {', '.join(ours)}")
    except psycopg.errors.DependentObjectsStillExist as error:
        dependents = "; ".join((error.diag.message_detail or str(error)).splitlines())
        raise Misconfigured(
            f"the views of mart are to be made anew, but {dependents}; keep its definition, drop it, run popvault init,"
            " and create it again"
        ) from error
    return grants


def make(connection: Connection, definitions: str, grants: Sequence[Row[Any]]) -> None:
    """Make them, and grant again what was granted on views and columns that are still there."""
    run_script(connection, f"{definitions}; comment on schema mart is '{made_from(definitions)}'")
    connection.execute(text("delete from ops.view"))
    connection.execute(statement("views", "remember"), {"names": _names(definitions)})
    for grant in grants:
        if connection.scalar(statement("views", "is_there"), {"view": grant.view, "column": grant.column}):
            run_script(connection, grant.command)


def _names(definitions: str) -> list[str]:
    return re.findall(r"^create view (\S+)", definitions, flags=re.MULTILINE)
