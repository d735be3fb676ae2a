"""Servers shared by the tests: one embedded Postgres, one Dovecot, a database and mailboxes for each test."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.ledger import enrol
from etl.archive.migrations import migrate
from tests import dovecot

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Postgres of the tests' own. It need not survive a power cut, so it does not wait for the disk."""
    home = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(home)
    url = server.start()
    _administer(url, "alter system set fsync = off", "select pg_reload_conf()")
    yield url
    assert server.stop()
    # As root, the data is not below pytest's folder, and nobody else would remove it.
    shutil.rmtree((home / "postgres").resolve())


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The name of a database that is an empty archive, for others to be copied from."""
    url = _database(postgres_url, "template1")
    engine = engine_for(url)
    migrate(engine)
    engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture
def engine(postgres_url: str, migrated: str) -> Iterator[Engine]:
    """An empty archive."""
    engine = engine_for(_database(postgres_url, migrated))
    with engine.connect() as connection:
        enrol(connection)  # a copy may not delete on servers until it is told so
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(engine: Engine) -> str:
    """The URL of the same empty archive."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _database(postgres_url: str, template: str) -> str:
    name = f"test_{next(_numbers)}"
    _administer(postgres_url, f"create database {name} template {template}")
    return postgres_url.rpartition("/")[0] + f"/{name}"


def _administer(postgres_url: str, *statements: str) -> None:
    admin = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.dispose()


@pytest.fixture(scope="session")
def pop3_server() -> Iterator[dovecot.Dovecot]:
    """A real Dovecot; skipped, loudly, where it is not installed."""
    if reason := dovecot.missing():
        pytest.skip(reason)
    # Not below pytest's folder: Dovecot's unprivileged processes could not reach it.
    with tempfile.TemporaryDirectory(prefix="popvault-dovecot-") as root:
        server = dovecot.Dovecot(Path(root))
        yield server
        server.stop()
