"""The whole way over real parts: Dovecot, Postgres, the command line."""

import hashlib
import json
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.behind import behind_the_triggers
from tests.servers.dovecot import Dovecot
from tests.system.command import Popvault

MESSAGES = [
    b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: one\n\nhello\n",
    b"Subject: dots\n\n.\n..\n.x\n\n.\n",
    b"no headers at all",
    b"Subject: =?x-none?q?=FF?=\nDate: never\n\n\0\xff\n",
    b"Subject: large\n\n" + b"0123456789" * 300_000 + b"\n",
]


def wire(message: bytes) -> bytes:
    """What a message laid down with LF is on the wire."""
    message = message.replace(b"\n", b"\r\n")
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def test_from_mailboxes_to_export(tmp_path: Path, pop3_server: Dovecot, database_url: str):
    """What is exported is what the server sent; the second run downloads nothing."""
    pop3_server.put("ann1", MESSAGES)
    pop3_server.put("bob1", MESSAGES[:2])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann1", "bob1")

    first = popvault.run()
    assert (first.returncode, first.stderr) == (0, "")
    balance = popvault.balance()
    assert [balance[name]["listed"] for name in ("ann1", "bob1")] == [5, 2]
    assert sum(int(str(row["archived"])) for row in balance.values()) == 5
    assert sum(int(str(row["duplicate"])) for row in balance.values()) == 2
    assert all(row["balanced"] for row in balance.values())

    assert popvault("export", "--to", str(tmp_path / "out")).returncode == 0
    exported = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    expected = {f"{hashlib.sha256(wire(m)).hexdigest()}.eml": wire(m) for m in MESSAGES}
    assert exported == expected
    assert popvault("verify").returncode == 0

    second = popvault.run()
    assert (second.returncode, second.stdout) == (0, "ann1: nothing new\nbob1: nothing new\n")


def test_what_was_archived_is_found_and_shown(tmp_path: Path, pop3_server: Dovecot, database_url: str):
    """Words of header, body and CJK text find their message; show gives it whole."""
    chinese = "Subject: =?gb2312?B?u+HS6bzNx6c=?=\nContent-Type: text/plain; charset=utf-8\n\n明天的会议改到下午\n"
    pop3_server.put("ann6", [MESSAGES[0], chinese.encode()])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann6")
    assert popvault.run().returncode == 0
    for words, subject in (("hello", "one"), ("ann@example.org", "one"), ("会议", "会议")):
        found = popvault("search", words)
        assert found.stdout.endswith("1 found\n"), found.stdout + found.stderr
        assert subject in found.stdout
    assert popvault("search", "hello -ann@example.org").stdout == "0 found\n"
    assert popvault("search", "hello", "-会议").stdout.endswith("1 found\n")
    assert popvault("search", "会议", "or", "hello").stdout.endswith("2 found\n")
    assert popvault("search", "明天 -会议").stdout == "0 found\n"
    shown = json.loads(popvault("show", hashlib.sha256(wire(MESSAGES[0])).hexdigest()[:10], "--json").stdout)
    assert (shown["subject"], shown["deliveries"][0]["mailbox"]) == ("one", "ann6")
    assert "archived" in {date["source"] for date in shown["dates"]}
    assert popvault("show", "999").returncode == 2


def test_damage_is_found_and_named(tmp_path: Path, pop3_server: Dovecot, database_url: str, engine: Engine):
    """One flipped byte in a stored segment: verify names the message and exits 1."""
    pop3_server.put("ann2", MESSAGES[:1])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann2")
    assert popvault.run().returncode == 0
    with behind_the_triggers(engine) as connection:
        connection.execute(text("update archive.segment set content = 'other', zstd = false"))
    verified = popvault("verify")
    assert verified.returncode == 1
    assert hashlib.sha256(wire(MESSAGES[0])).hexdigest() in verified.stderr


def test_deleting_at_once_comes_after_the_commit(
    tmp_path: Path, pop3_server: Dovecot, database_url: str, engine: Engine
):
    """The server is emptied, the archive keeps all, and the next listing confirms that they are gone."""
    pop3_server.put("ann3", MESSAGES[:3])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann3", delete="at once")
    assert popvault.run().stdout == "ann3: 3 retrieved: 3 archived, 0 duplicate; 3 deleted on the server\n"
    pop3_server.put("ann3", MESSAGES[3:4])
    assert popvault.run().returncode == 0
    with engine.connect() as connection:
        steps = connection.execute(text("select step, count(*) as number from archive.ledger group by step")).all()
    assert {row.step: row.number for row in steps} == {"archived": 4, "delete sent": 4, "gone": 3}
    assert popvault.balance()["ann3"]["balanced"]
    assert popvault("verify").returncode == 0


@pytest.mark.long
def test_killed_anywhere_it_ends_in_the_same_archive(
    tmp_path: Path, pop3_server: Dovecot, database_url: str, engine: Engine
):
    """SIGKILL at ten moments, then one run: every message once, no delivery twice, the books balance."""
    messages = [b"Subject: %d\n\n%s\n" % (n, b"x" * (n % 50) * 100) for n in range(2000)]
    pop3_server.put("ann4", messages)
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann4")
    for kill in range(10):
        process = popvault.start()
        time.sleep(0.5 + 0.1 * kill)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert popvault.run().returncode == 0
    with engine.connect() as connection:
        stored = set(connection.scalars(text("select sha256 from archive.message")))
    assert stored == {hashlib.sha256(wire(m)).digest() for m in messages}
    assert popvault.balance()["ann4"]["archived"] == len(stored)
    assert popvault("verify").returncode == 0


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (('tls = "none"', 'tsl = "none"'), 2, "unknown key 'tsl'; did you mean 'tls'?"),
        (("port = ", "port = 99"), 2, "port: Input should be less than or equal to 65535"),
        (("TEST_PASSWORD", "NOBODY_SET_THIS"), 2, "the environment has no variable NOBODY_SET_THIS"),
        (('tls = "none"', 'tls = "implicit"'), 1, "does not speak TLS as expected"),
        (("[defaults]", "[defaults"), 2, "not TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, pop3_server: Dovecot, database_url: str, change: tuple[str, str], code: int, sentence: str
):
    """Wrong configuration is named, without a traceback."""
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann5")
    popvault.file.write_text(popvault.file.read_text().replace(*change))
    done = popvault.run()
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_mail_cannot_control_the_terminal(tmp_path: Path, pop3_server: Dovecot, database_url: str):
    """An escape sequence in a subject or body is shown as what it is: no character."""
    pop3_server.put("ann8", [b"Subject: \x1b]52;c;aGk=\x07\n\n\x1b[2J gone\n"])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann8")
    assert popvault.run().returncode == 0
    shown = popvault("show", "1").stdout + popvault("search", "gone").stdout
    assert "1 found" in shown
    assert not set(shown) & {"\x1b", "\x07"}


def test_nothing_is_imported_from_the_folder_that_the_command_is_run_in(
    tmp_path: Path, pop3_server: Dovecot, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    """A file called like a module we use is not ours."""
    pop3_server.put("ann9", MESSAGES[:1])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann9")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    popvault.command = [popvault.command[0], "-P", *popvault.command[1:]]
    assert popvault.run().returncode == 0
    assert popvault("search", "hello").stdout.endswith("1 found\n")
