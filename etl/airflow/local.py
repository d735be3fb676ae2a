"""Airflow on this machine, for one person: its folder, its keys, and its metadata in the embedded Postgres.

All of it is below popvault's home, so that nothing is written to the user's. What is here wins over the
user's own AIRFLOW__ variables, but for the metadata database; those of other names are left as they are.
"""

import base64
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from etl.archive.embedded import EmbeddedPostgres
from etl.errors import Stop

DAGS = Path(__file__).parents[2] / "dags"
DATABASE = "airflow"
POOL = "pop3"
POOL_SLOTS = 16
ADMIN = "admin"
PORT = 8080
METADATA_SETTING = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


class Local:
    """Airflow below `home`."""

    def __init__(self, home: Path):
        self.home = home / "airflow"
        self.logs = self.home / "logs"
        self.passwords = self.home / "passwords.json"
        self._postgres = EmbeddedPostgres(home)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raise Stop where another `make run` or `make serve` is at work here: they share one metadata database."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(exist_ok=True)
        with (self.home / "local.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Stop(
                    f"another make run or make serve is at work in {self.home.parent}; let it end first"
                ) from None
            yield

    @contextmanager
    def postgres(self) -> Iterator[str]:
        """The embedded Postgres, up; the metadata's URL. Stopped at the end unless it was up before."""
        was_up = self._postgres.is_up()
        try:
            yield self._metadata(self._postgres.start())
        finally:
            if not was_up:
                self._postgres.stop()

    def environment(self, metadata: str, port: int = PORT) -> dict[str, str]:
        """The environment of an Airflow process: the user's, with these settings."""
        url = f"http://127.0.0.1:{port}"
        keys = self._keys()
        settings = {
            "CORE__DAGS_FOLDER": str(DAGS),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(min(POOL_SLOTS, 2 * (os.cpu_count() or 1))),
            "CORE__FERNET_KEY": keys["fernet"],
            "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.passwords),
            "API__HOST": "127.0.0.1",
            "API__PORT": str(port),
            "API__BASE_URL": url,
            "API__SECRET_KEY": keys["api"],
            "API_AUTH__JWT_SECRET": keys["jwt"],
            # Five minutes by default: too long for whoever has just changed a DAG.
            "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        ours = {f"AIRFLOW__{name}": value for name, value in settings.items()}
        ours |= {"AIRFLOW_HOME": str(self.home), "POPVAULT_HOME": str(self.home.parent), "POPVAULT_POOL": POOL}
        return {METADATA_SETTING: metadata, **os.environ, **ours}

    def password(self) -> str:
        """The password of ADMIN on the web page, made at the first call."""
        return str(_made_once(self.passwords, {ADMIN: secrets.token_urlsafe(9)})[ADMIN])

    def _metadata(self, archive_url: str) -> str:
        """Make the metadata's database where there is none, in the same server."""
        with psycopg.connect(archive_url, autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute("create database airflow")
        url = make_url(archive_url).set(drivername="postgresql+psycopg", database=DATABASE)
        return url.render_as_string(hide_password=False)

    def _keys(self) -> dict[str, str]:
        """What Airflow encrypts and signs with: with other keys it could not read its own database."""
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made = {"fernet": fernet, "api": secrets.token_urlsafe(48), "jwt": secrets.token_urlsafe(64)}
        return _made_once(self.home / "keys.json", made)


def free_port() -> int:
    """PORT where nobody listens on it, else any that is free."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Stop("there is no free port on 127.0.0.1")


def _made_once(file: Path, made: dict[str, str]) -> dict[str, str]:
    """What a file holds; where there is none, it is written, for its owner alone."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        known: dict[str, str] = json.loads(file.read_text())
        return known
    with os.fdopen(descriptor, "w") as opened:
        json.dump(made, opened)
    return made
