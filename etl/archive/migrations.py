"""The schema brought to its newest version, forward only, by Alembic.

The SQL is in the package `etl.sql`, as people read it.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etl.archive import views
from etl.archive.statements import SQL, run_script
from etl.errors import Misconfigured

# Anything constant: two migrations at once wait for each other on it.
MIGRATION_LOCK = 0x706F70


def migrate(engine: Engine) -> None:
    """Bring the schema and the views to their newest version; safe to call at any time.

    Raises Misconfigured where that cannot be, and why: all is as it was then.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if (encoding := connection.scalar(text("show server_encoding"))) != "UTF8":
            raise Misconfigured(f"the database is in {encoding}; make one for popvault with encoding UTF8")
        version, comment = _version(connection)
        if version and version > _newest():
            raise Misconfigured(
                f"the archive is of a newer popvault (schema {version}, not {_newest()}); upgrade this one"
            )
        if (version, comment) != (_newest(), views.made_from(connection)):
            _renew(connection, version)


def _renew(connection: Connection, version: str | None) -> None:
    """Bring the tables to the newest version, make views and rights anew. Raises Misconfigured where we may not."""
    try:
        # Views go before a migration and come back after it: it may change what they read.
        grants = views.drop(connection)
        if version != _newest():
            connection.execute(text("create schema if not exists ops"))
            connection.execute(text("create schema if not exists mart"))
            _upgrade(connection)
        views.make(connection, grants)
    except (DBAPIError, psycopg.Error) as error:
        cause = getattr(error, "orig", error)
        if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise
        words = str(cause).splitlines()[0]
        raise Misconfigured(f"only its owner can make or upgrade the archive, by popvault init: {words}") from error


def sql_beside(file: str) -> Callable[[], None]:
    """The upgrade step of a migration: the statements of the .sql file beside it."""

    def upgrade() -> None:
        from alembic import op

        run_script(op.get_bind(), Path(file).with_suffix(".sql").read_text())

    return upgrade


def _upgrade(connection: Connection) -> None:
    # Imported where it is needed: every command asks for the version, few have to migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _newest() -> str:
    """The number of the last migration: their files are named by it, in order."""
    return max(path.name.partition("_")[0] for path in (SQL / "migrations" / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> tuple[str | None, str | None]:
    """The number of the last migration that ran, and of what the views were made; None before the first."""
    if not connection.scalar(text("select to_regclass('ops.migration')")):
        return None, None
    query = "select version_num, obj_description(to_regnamespace('mart'), 'pg_namespace') from ops.migration"
    row = connection.execute(text(query)).one_or_none()
    return (row[0], row[1]) if row else (None, None)
