"""Who may do what: the roles that commands act as, and the mailboxes that a role may see. The rules: sql/rights."""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from etl.archive.statements import statement
from etl.errors import Misconfigured

# May add to the record, and neither change nor delete it.
LOADER = "popvault_loader"
# May read all of it, and write what a verification found.
AUDITOR = "popvault_auditor"


def may_take(connection: Connection, role: str) -> bool:
    """Whether whoever logged in may act as the role, and can do its work then."""
    with connection.begin():
        return bool(connection.scalar(statement("rights", "may_take"), {"role": role}))


def grant(connection: Connection, role: str, mailboxes: Sequence[str | None]) -> None:
    """Let a role see mailboxes; None stands for all, those to come too. Raises Misconfigured for an unknown role."""
    _each(connection, "grant", role, mailboxes)


def revoke(connection: Connection, role: str, mailboxes: Sequence[str | None]) -> None:
    """Take back what `grant` gave, name by name."""
    _each(connection, "revoke", role, mailboxes)


def granted(connection: Connection) -> list[dict[str, Any]]:
    """Which role may see which mailbox, since when, and who said so."""
    with connection.begin():
        return [dict(row) for row in connection.execute(statement("rights", "granted")).mappings()]


def _each(connection: Connection, name: str, role: str, mailboxes: Sequence[str | None]) -> None:
    with connection.begin():
        number = connection.scalar(statement("rights", "role_number"), {"role": role})
        if number is None:
            raise Misconfigured(
                f"there is no role {role!r} in the database; make it first, in psql:"
                f" create role {role} login password '...' in role popvault_analyst"
            )
        for mailbox in mailboxes:
            try:
                connection.execute(statement("rights", name), {"role": number, "mailbox": mailbox})
            except DBAPIError as error:
                if isinstance(error.orig, psycopg.errors.NoDataFound):
                    raise Misconfigured(f"there is no mailbox {mailbox!r}; `popvault status` lists them") from error
                raise
