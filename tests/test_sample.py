"""The sample mail and its server: the same on every start, and hard enough to be worth reading."""

import hashlib
import os
import poplib
import signal
import subprocess
import sys
import tomllib
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.pop3_server import wire
from tests.sample.__main__ import Remembering
from tests.sample.letters import mailboxes

# Changes whenever a letter does: a name for "the same bytes on every machine".
SHA256 = "45153cc22440301d8aab7e59b320af0f0dd62a3cd9f4ca27583043b8fa099447"


@pytest.fixture(scope="module")
def letters() -> dict[str, list[bytes]]:
    """All sample mail."""
    return mailboxes()


def test_it_is_the_same_everywhere(letters: dict[str, list[bytes]]):
    """Machine, date and Python's version leave no trace in the bytes."""
    every = b"".join(hashlib.sha256(raw).digest() for raws in letters.values() for raw in raws)
    assert hashlib.sha256(every).hexdigest() == SHA256


def test_it_holds_what_it_promises(letters: dict[str, list[bytes]]):
    """Charsets, attachments, a nested letter, twins across mailboxes, and one message of over 20 MB."""
    raws = [wire(raw) for held in letters.values() for raw in held]
    parts = [part for raw in raws for part in message_from_bytes(raw, policy=policy.compat32).walk()]
    charsets = {str(part.get_content_charset()) for part in parts}
    kinds = {part.get_content_type() for part in parts}
    assert {name: len(held) for name, held in letters.items()} == {"ann": 39, "bob": 24, "carla": 28, "orders": 3}
    assert charsets >= {"gb18030", "gb2312", "iso-2022-jp", "euc-kr", "koi8-r", "windows-1252", "iso-8859-1", "utf-8"}
    assert kinds >= {"application/pdf", "text/csv", "image/png", "text/calendar", "message/rfc822", "text/html"}
    assert [len(raw) > 20_000_000 for raw in raws].count(True) == 1
    assert len(raws) - len(set(raws)) == 3
    assert any(b"\r\n.\r\n" in raw for raw in raws)
    assert any(raw.startswith(b".") for raw in raws)
    assert any(b"\0" in raw for raw in raws)


def test_it_serves_while_a_command_runs(tmp_path: Path):
    """The command finds the mailboxes file, logs in with the passwords it refers to, and its exit code is ours."""
    command = [sys.executable, "-c", "import os; print(os.environ['POPVAULT_MAILBOXES']); input(); raise SystemExit(7)"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sample", "--folder", str(tmp_path / "a folder"), *command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    file = Path(process.stdout.readline().strip())
    document = tomllib.loads(file.read_text())
    for mailbox, expected in zip(document["mailbox"], (39, 24, 28, 3), strict=True):
        secret = Path(mailbox["password"]["file"])
        assert secret.stat().st_mode & 0o777 == 0o600
        client = poplib.POP3("127.0.0.1", document["defaults"]["port"], timeout=5)
        client.apop(mailbox["username"], secret.read_text())
        assert client.stat()[0] == expected
        client.quit()
    process.communicate("\n")
    assert process.returncode == 7


def test_what_was_deleted_stays_deleted(tmp_path: Path):
    """Also at the next start: a mailbox that a run emptied is empty for the one after it."""
    for before in (3, 2):
        mailbox = Remembering("secret", mailboxes()["orders"], tmp_path / "orders.deleted")
        assert len(mailbox.messages()) == before
        mailbox.remove({mailbox.messages()[0].uidl})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told(number: int):
    """Alone it serves until a signal, leaves no folder behind, and exits with 0."""
    process = subprocess.Popen([sys.executable, "-m", "tests.sample"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    file = Path(process.stdout.readline().rpartition("file: ")[2].strip())
    assert file.exists()
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert not file.parent.exists()
