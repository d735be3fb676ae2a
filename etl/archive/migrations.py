"""The schema brought to its newest version, forward only, by Alembic.

The SQL is in the package `etl.sql`, as people read it.
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Engine, text

SQL = Path(str(files("etl.sql")))

# Anything constant: two migrations at once wait for each other on it.
MIGRATION_LOCK = 0x706F70


def migrate(engine: Engine) -> None:
    """Bring the schema to its newest version and make the views anew; safe to call at any time."""
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if _version(connection) == _newest():
            return
        connection.execute(text("create schema if not exists ops"))
        connection.execute(text("create schema if not exists mart"))
        _upgrade(connection)
        for view in sorted((SQL / "views").glob("*.sql")):
            _run(connection, view.read_text())


def sql_beside(file: str) -> Callable[[], None]:
    """The upgrade step of a migration: the statements of the .sql file beside it."""

    def upgrade() -> None:
        from alembic import op

        _run(op.get_bind(), Path(file).with_suffix(".sql").read_text())

    return upgrade


def _run(connection: Connection, statements: str) -> None:
    # Without parameters psycopg sends the text as it is, many statements at once.
    connection.connection.cursor().execute(statements)


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


def _version(connection: Connection) -> str | None:
    if not connection.scalar(text("select to_regclass('ops.migration')")):
        return None
    version: str | None = connection.scalar(text("select version_num from ops.migration"))
    return version
