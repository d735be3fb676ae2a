"""The sample server: `python -m tests.sample [--folder FOLDER] [COMMAND ...]`.

Serves the sample mail on a free port of loopback and writes a mailboxes file that leads there. With a
COMMAND it serves as long as that runs, with POPVAULT_MAILBOXES set for it, and exits as it does.
"""

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from types import FrameType

from tests.pop3_server import Mailbox, Pop3Server
from tests.sample.letters import mailboxes
from tests.sample.post import HOLDERS

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


NOTE = "# The sample server of popvault. It runs as long as make run, make serve or `python -m tests.sample`."
# So that something is not archived, and something deleted: `popvault query not_archived`, `deleted_on_servers`.
POLICIES = {"carla": ["message_bytes_max = 1_000_000"], "orders": ['delete = "at once"']}


class Remembering(Mailbox):
    """An account of which what was deleted is gone at the next start, too: its UIDLs stand in a file."""

    def __init__(self, password: str, raws: list[bytes], file: Path):
        super().__init__(password, raws)
        self._file = file
        super().remove(file.read_text().split() if file.exists() else [])

    def remove(self, uidls: Collection[str]) -> None:
        """Forget messages, for good."""
        super().remove(uidls)
        with self._file.open("a") as file:
            file.writelines(f"{uidl}\n" for uidl in uidls)


def main() -> int:
    """Serve until told to stop, or until the command ends; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sample", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the mailboxes file goes (default: a new one in /tmp)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run while it serves")
    asked = parser.parse_args()
    if asked.folder:
        return serve(asked.folder, asked.command)
    with tempfile.TemporaryDirectory(prefix="popvault-sample-") as folder:
        return serve(Path(folder), asked.command)


def serve(folder: Path, command: list[str]) -> int:
    """The server's whole life."""
    waiting = set(STOPPING)
    # Blocked before the server's thread is made, so that only the sigwait below sees them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waiting) if not command else set()
    held = mailboxes()
    passwords = {name: _password(folder, name) for name in held}
    with Pop3Server(
        {n: Remembering(passwords[n], raws, folder / f"{n}.deleted") for n, raws in held.items()}
    ) as server:
        file = write_mailboxes_file(folder, server.port)
        if command:
            return _run(command, file)
        print(f"serving {', '.join(passwords)} on 127.0.0.1:{server.port}; mailboxes file: {file}", flush=True)
        signal.sigwait(waiting)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def write_mailboxes_file(folder: Path, port: int) -> Path:
    """A mailboxes file that names them all, their passwords by reference."""
    file = folder.absolute() / "mailboxes.toml"
    lines = [NOTE, "[defaults]", 'host = "127.0.0.1"', f"port = {port}", 'tls = "none"']
    for name in HOLDERS:
        password = f"{{ file = {_toml(file.with_name(f'{name}.password'))} }}"
        lines += ["", "[[mailbox]]", f'name = "{name}"', f'username = "{name}"', f"password = {password}"]
        lines += POLICIES.get(name, [])
    file.write_text("\n".join(lines) + "\n")
    return file


def _password(folder: Path, name: str) -> str:
    """A password made anew at each start, in a file for its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password, file = secrets.token_urlsafe(12), folder / f"{name}.password"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(password)
    return password


def _toml(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _run(command: list[str], file: Path) -> int:
    process = subprocess.Popen(command, env={**os.environ, "POPVAULT_MAILBOXES": str(file)})

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A terminal's Ctrl-C reaches the command by itself; a kill of this process alone does not.
        process.send_signal(number)

    for number in STOPPING:
        signal.signal(number, pass_on)
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
