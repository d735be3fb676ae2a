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
from etl.archive.migrations import migrate
from tests.servers import dovecot

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Postgres of the tests' own."""
    home = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(home)
    yield server.start()
    assert server.stop()
    # As root, the data is not below pytest's folder, and nobody else would remove it.
    shutil.rmtree((home / "postgres").resolve())


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """An empty database."""
    name = f"test_{next(_numbers)}"
    admin = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    admin.dispose()
    return postgres_url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty archive."""
    engine = engine_for(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


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
