"""Servers shared by the tests: one embedded Postgres, one Dovecot, a database and mailboxes for each test."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from etl.archive.ledger import enrol
from etl.archive.migrations import migrate
from tests.archivist import Archivist
from tests.servers.dovecot import Dovecot
from tests.servers.every import SERVERS
from tests.servers.server import Server

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


@pytest.fixture
def blank_url(postgres_url: str, migrated: str) -> str:
    """The URL of a database with nothing in it; the roles are the cluster's, and there."""
    return _database(postgres_url, "template1")


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The name of a database that is an empty archive, for others to be copied from."""
    url = _database(postgres_url, "template1")
    engine = engine_for(url)
    migrate(engine)
    engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def new_database(postgres_url: str, migrated: str) -> Callable[[], str]:
    """Makes an empty archive and gives its URL."""

    def make() -> str:
        url = _database(postgres_url, migrated)
        engine = engine_for(url)
        with engine.connect() as connection:
            enrol(connection)  # a copy may not delete on servers until it is told so
        engine.dispose()
        return url

    return make


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty archive."""
    return new_database()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty archive."""
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def login() -> Callable[..., str]:
    """Makes a login that is a member of roles, and gives its URL for the database of an engine."""

    def make(engine: Engine, name: str, *roles: str) -> str:
        with engine.begin() as connection:
            if not connection.scalar(text("select to_regrole(:name)"), {"name": name}):
                connection.execute(text(f"create role {name} login password 'secret'"))
            for role in roles:
                connection.execute(text(f"grant {role} to {name}"))
        return engine.url.set(username=name, password="secret").render_as_string(hide_password=False)

    return make


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
def every_server() -> Iterator[dict[str, Server]]:
    """All real servers that can run here, by name. Those that cannot are missed by `any_server`."""
    with ExitStack() as stack:
        running = {}
        for kind in SERVERS:
            if not kind.missing():
                # Not below pytest's folder: unprivileged processes of the servers could not reach it.
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="popvault-server-"))
                running[kind.name] = kind(Path(folder))
                stack.callback(running[kind.name].stop)
        yield running


@pytest.fixture(scope="session", params=SERVERS, ids=lambda kind: kind.name)
def any_server(request: pytest.FixtureRequest, every_server: dict[str, Server]) -> Server:
    """Each real server in turn; skipped, loudly, where it cannot run."""
    if reason := request.param.missing():
        pytest.skip(reason)
    return every_server[request.param.name]


@pytest.fixture(scope="session")
def pop3_server() -> Iterator[Dovecot]:
    """A real Dovecot; skipped, loudly, where it is not installed."""
    if reason := Dovecot.missing():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="popvault-server-") as folder:
        server = Dovecot(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def archivist(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archivist:
    """An empty archive and who fills it, without long waits between sessions."""
    monkeypatch.setattr("etl.pipeline.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("etl.hosts.LOOK_SECONDS", 0.01)
    return Archivist(engine, tmp_path)
