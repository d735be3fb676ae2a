"""The same system suite against every real server: TLS, login, UIDL, bytes, deletion, and a kill in the middle.

All servers are archived by the same runs of the command, into one archive: a command takes longer to start than
it takes for one server's mail. What a server does to mail by itself is stated here, for that server.
"""

import hashlib
import imaplib
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from etl.archive.database import engine_for
from etl.archive.migrations import migrate
from tests.servers.plain import Plain
from tests.servers.server import Server
from tests.servers.solid import SolidPop3d
from tests.system.command import Popvault

# The first test waits until all servers were archived.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Each case with headers of its own: popa3d and Solid POP3 make the UIDL of some of them.
BODIES = {
    "text": b"hello\n",
    "dots": b".\n..\n.x\n\n...\n",
    "a dot at the end": b"x\n.\n",
    "a dot and no newline": b".",
    "no final newline": b"no newline",
    "blank lines at the end": b"x\n\n\n",
    "a long line": b"x" * 100_000 + b"\n",
    "NUL": b"a\0b\n",
    "8 bits": b"\xff\xfe caf\xc3\xa9\n",
    "From": b"From here\n>From there\n",
    "bare CR": b"a\r.\rb\r.\n",
    "CRLF": b"a\r\n.\r\nb\r\n",
    "a forged answer": b"x" * 3000 + b"\n+OK 20 octets\nSubject: forged\n\n-ERR\n",
}
CASES = {
    name: b"Message-Id: <%d@example.org>\nSubject: case\n\n%s" % (number, body)
    for number, (name, body) in enumerate(BODIES.items())
}
CASES["headers only"] = b"Message-Id: <headers@example.org>\nSubject: headers only\n"
CASES["a long header"] = b"Message-Id: <long@example.org>\nSubject: %s\n\nx\n" % (b"y" * 70_000)
CASES["no headers"] = b"no headers at all\n"

BIG = b"""Message-Id: <big@example.org>
Subject: 25 MB
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

""" + b"".join(b"%076d\n" % n for n in range(25 * 1024 * 1024 // 77))
MANY = [b"Message-Id: <many%d@example.org>\nSubject: %d\n\n%s\n" % (n, n, b"x" * (n % 50) * 100) for n in range(400)]
# A dot as the very first byte, and bytes above 127 in the header: their tests say what servers make of them.
DOT = b".Subject: a dot\nMessage-Id: <dot@example.org>\n\nx\n"
EIGHT = b"Message-Id: <eight@example.org>\nSubject: caf\xe9\n\nx\n"
# Without Date, Message-Id, Received and Delivered-To, of which popa3d makes its UIDLs.
TWINS = [b"Subject: %d\n\nhello\n" % number for number in range(3)]
FEW = [b"Message-Id: <few%d@example.org>\nSubject: %d\n\nhello\n" % (n, n) for n in range(4)]
# Mailboxes archived in clear text, for what is in them.
MAILBOXES = ("cases", "big", "many", "dot", "eight", "twins")


def wire(message: bytes) -> bytes:
    """What a message laid down with LF is on the wire."""
    message = message.replace(b"\n", b"\r\n")
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def kept(server: Server, case: str) -> bytes | None:
    """What a server is known to send for a case, but for headers that it adds; None where it refuses to keep it."""
    message = CASES[case]
    quoted = wire(message.replace(b"\nFrom ", b"\n>From "))
    match server.name, case:
        case "Cyrus", "NUL" | "no headers":
            return None
        case "Cyrus" | "Dovecot", "CRLF":
            return wire(message.replace(b"\r", b""))
        # An mbox keeps a blank line between messages, and needs one more to end the header of one without a body.
        case "GNU mailutils", "no headers":
            return b"\r\n\r\n"
        case "GNU mailutils" | "Solid POP3", "headers only" | "no headers":
            return wire(message) + b"\r\n\r\n"
        case "popa3d", "headers only" | "no headers":
            return wire(message) + b"\r\n"
        case "GNU mailutils", "From":
            return wire(message.replace(b"\n>From ", b"\nFrom "))
        case "popa3d", "From":
            return quoted
        case "Solid POP3", _:
            return quoted + b"\r\n"
    return wire(message)


def without_marks(message: bytes) -> bytes:
    """The message without what GNU mailutils writes into its header."""
    return re.sub(rb"^(X-UIDL|X-IMAPbase|X-UID|Status): .*\r\n", b"", message, flags=re.MULTILINE)


def read(server: Server, user: str) -> list[bytes]:
    """All that a plain client gets of a mailbox, in one session."""
    session = Plain(server.port, user, server.password_of(user))
    messages = session.messages()
    session.quit()
    return messages


def uidls(server: Server, user: str) -> list[str]:
    """The unique ids of a mailbox, in a session of their own."""
    session = Plain(server.port, user, server.password_of(user))
    found = session.uidls()
    session.quit()
    return found


@dataclass
class Story:
    """What two runs over all servers did, for the tests to look at.

    uidls: of the mailbox "cases" before the runs. refused: the cases that a server would not keep. left: what its
    mailbox "emptied" held after the first run. killed_at: how many messages of "many" were archived at the kill.
    said: {"stage mailbox": what the command said of it}, of the stages first, second and check.
    """

    popvault: Popvault
    connection: Connection
    out: Path
    uidls: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, set[str]] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    killed_at: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    code: dict[str, int] = field(default_factory=dict)

    def note(self, stage: str, done: subprocess.CompletedProcess[str]) -> None:
        """Keep what a command said of each mailbox, and how it ended."""
        self.code[stage] = done.returncode
        for line in (done.stderr + done.stdout).splitlines():
            name, _, words = line.partition(": ")
            self.said[f"{stage} {name}"] = words

    def archived(self, mailbox: str) -> set[bytes]:
        """The hashes that a mailbox's deliveries have in the archive."""
        query = """
            select m.sha256 from archive.mailbox b join archive.delivery_state s using (mailbox_id)
            join archive.message m using (message_id) where b.name = :name"""
        return set(self.connection.scalars(text(query), {"name": mailbox}))

    def exported(self, mailbox: str) -> set[bytes]:
        """The messages of a mailbox, from the files that were exported."""
        return {(self.out / f"{sha256.hex()}.eml").read_bytes() for sha256 in self.archived(mailbox)}

    def one(self, query: str, mailbox: str) -> Any:
        """The only value that a query gives for a mailbox."""
        return self.connection.execute(text(query), {"name": mailbox}).scalar_one()


def lay_down(server: Server, story: Story) -> None:
    """Fill the mailboxes of one server, and name them in the mailboxes file."""
    refused = story.refused[server.name] = set()
    for case, message in CASES.items():
        try:
            server.put("cases", [message])
        except imaplib.IMAP4.error:
            refused.add(case)
    server.put("big", [BIG])
    server.put("emptied", FEW[:3])
    server.put("many", MANY)
    server.put("dot", [DOT])
    server.put("eight", [EIGHT])
    server.put("twins", TWINS)
    if server.name == "GNU mailutils":  # it marks what was read; after this session its mail stays as it is
        for user in MAILBOXES:
            read(server, user)
    story.uidls[server.name] = uidls(server, "cases")
    clear = {"port": server.port, "tls": "none"}
    for user in MAILBOXES:
        story.popvault.add(f"{server.name} {user}", username=user, **clear)
    story.popvault.add(f"{server.name} emptied", username="emptied", delete="at once", **clear)
    story.popvault.add(f"{server.name} wrong", username="dot", variable="WRONG", enabled=False, **clear)
    if not server.stls:
        story.popvault.add(f"{server.name} no stls", username="dot", port=server.port, tls="starttls", enabled=False)
    if server.tls_port:
        ways = {"tls": (server.tls_port, "implicit"), "stls": (server.port, "starttls")}
        for way, (port, tls) in ways.items():
            server.put(way, FEW[:1])
            keys = {"username": way, "port": port, "tls": tls}
            story.popvault.add(f"{server.name} {way}", ca_file=str(server.ca_file), **keys)
            story.popvault.add(f"{server.name} {way} untrusted", enabled=False, **keys)


def kill_in_the_middle(server: Server, story: Story) -> None:
    """SIGKILL a run once its first messages are committed."""
    name = f"{server.name} many"
    process = story.popvault.start(name)
    while not story.archived(name) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    story.killed_at[server.name] = len(story.archived(name))


@pytest.fixture(scope="module")
def story(
    every_server: dict[str, Server], new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """All servers archived: a run killed over each, a whole run, one message more each, and a second run."""
    folder, url = tmp_path_factory.mktemp("servers"), new_database()
    popvault = Popvault(folder, None, url)
    popvault.environment["WRONG"] = "wrong"
    engine = engine_for(url)
    migrate(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        story = Story(popvault, connection, folder / "out")
        for server in every_server.values():
            lay_down(server, story)
        for server in every_server.values():
            kill_in_the_middle(server, story)
        story.note("first", popvault.run())
        for server in every_server.values():
            story.left[server.name] = uidls(server, "emptied")
            server.put("emptied", FEW[3:])
        story.note("second", popvault.run())
        story.note("export", popvault("export", "--to", str(story.out)))
        story.note("check", popvault("check", "--mailboxes", str(popvault.file), *popvault.disabled))
        yield story
    engine.dispose()


@pytest.fixture
def server(any_server: Server, story: Story) -> Server:
    """Each server in turn, once all were archived."""
    return any_server


def claims(server: Server, column: str) -> None:
    """Skip a test of what README says this server does not show."""
    if column not in server.proves:
        pytest.skip(f"README says of {server.name}: no {column}")


def test_the_version_is_the_one_that_readme_names(server: Server):
    """The table's version is that of the server which runs."""
    assert re.match(re.escape(server.version) + "[.-]", server.running_version())
    assert ("TLS" in server.proves, "STLS" in server.proves) == (server.tls_port is not None, server.stls)


@pytest.mark.parametrize(("column", "way"), [("TLS", "tls"), ("STLS", "stls")])
def test_mail_comes_over_tls_that_is_verified(server: Server, story: Story, column: str, way: str):
    """With the authority in ca_file mail comes in, encrypted; without it the certificate is refused."""
    claims(server, column)
    assert story.said[f"first {server.name} {way}"].startswith("1 retrieved")
    query = (
        """select distinct tls_version from ops.session join archive.mailbox using (mailbox_id) where name = :name"""
    )
    assert story.one(query, f"{server.name} {way}") == "TLSv1.3"
    port = server.tls_port if way == "tls" else server.port
    assert story.said[f"check {server.name} {way} untrusted"] == (
        f"the certificate of 127.0.0.1:{port} cannot be trusted: unable to get local issuer certificate; "
        "set ca_file to the authority that signed it"
    )


def test_stls_is_never_left_out(server: Server, story: Story):
    """Where a server has no STLS, no password is sent in clear instead."""
    if server.stls:
        pytest.skip(f"{server.name} has STLS")
    assert f"127.0.0.1:{server.port} refuses STLS" in story.said[f"check {server.name} no stls"]


def test_a_wrong_password_is_one_sentence(server: Server, story: Story):
    """It says who was refused by whom, and what to do; the command's exit code is 1."""
    claims(server, "login")
    said = story.said[f"check {server.name} wrong"]
    assert said.startswith(f"127.0.0.1:{server.port} refused the login of dot: ")
    assert said.endswith("; check username and password")
    assert story.code["check"] == 1


def test_a_second_run_retrieves_nothing(server: Server, story: Story):
    """UIDLs stay as they are from session to session."""
    claims(server, "UIDL")
    assert {story.said[f"second {server.name} {user}"] for user in MAILBOXES} == {"nothing new"}
    assert uidls(server, "cases") == story.uidls[server.name]
    assert len(set(story.uidls[server.name])) == len(CASES) - len(story.refused[server.name])


def test_two_messages_under_one_uidl_are_two(server: Server, story: Story):
    """popa3d makes UIDLs of four header fields: mail that has none of them shares one, and is archived all the same."""
    claims(server, "UIDL")
    assert len(set(uidls(server, "twins"))) == (1 if server.name == "popa3d" else len(TWINS))
    assert story.exported(f"{server.name} twins") == set(read(server, "twins"))
    assert len(story.archived(f"{server.name} twins")) == len(TWINS)


def test_what_is_exported_is_what_the_server_sends(server: Server, story: Story):
    """Dots, long lines, NUL and the rest: the files are, byte for byte, what another client gets."""
    claims(server, "dots")
    sent = read(server, "cases")
    assert story.exported(f"{server.name} cases") == set(sent)
    laid = {case: kept(server, case) for case in CASES}
    assert [without_marks(message) for message in sent] == [message for message in laid.values() if message is not None]
    assert story.refused[server.name] == {case for case, message in laid.items() if message is None}


def test_a_first_byte_that_is_a_dot(server: Server, story: Story):
    """Dovecot and Courier do not stuff it; a plain client loses it, and popvault keeps it."""
    claims(server, "dots")
    (sent,) = read(server, "dot")
    (exported,) = story.exported(f"{server.name} dot")
    end = b"\r\n" if server.name == "Solid POP3" else b""
    assert without_marks(exported) == wire(DOT) + end
    assert sent == (exported[1:] if server.name in ("Dovecot", "Courier") else exported)


def test_eight_bits_in_a_header(server: Server, story: Story):
    """Cyrus writes X in their place; Courier sends a report with the mail in it, as we did not say UTF8 (RFC 6856)."""
    claims(server, "dots")
    (exported,) = story.exported(f"{server.name} eight")
    if server.name == "Courier":
        assert b"\r\nSubject: Cannot display Unicode content\r\n" in exported
        assert wire(EIGHT) in exported
        return
    laid = wire(EIGHT.replace(b"\xe9", b"X") if server.name == "Cyrus" else EIGHT)
    assert without_marks(exported) == laid + (b"\r\n" if server.name == "Solid POP3" else b"")
    assert [exported] == read(server, "eight")


def test_25_megabytes_come_whole(server: Server, story: Story):
    """A message larger than all that may be in flight is archived as the server sends it."""
    claims(server, "big mail")
    assert story.exported(f"{server.name} big") == set(read(server, "big"))


def test_deleting_at_once_empties_the_server_and_not_the_archive(server: Server, story: Story):
    """Three messages are archived and leave the server; a later listing confirms that they are gone."""
    claims(server, "deletion")
    name = f"{server.name} emptied"
    assert story.said[f"first {name}"].startswith("3 retrieved: ")
    assert story.said[f"first {name}"].endswith("; 3 deleted on the server")
    assert story.left[server.name] == []
    gone = """select count(*) from archive.ledger join archive.delivery using (delivery_id)
        join archive.mailbox using (mailbox_id) where name = :name and step = 'gone'"""
    assert story.one(gone, name) == 3
    end = b"\r\n" if server.name == "Solid POP3" else b""
    assert {without_marks(message) for message in story.exported(name)} == {wire(message) + end for message in FEW}


def test_a_server_sends_the_same_bytes_again(server: Server):
    """From session to session a message stays as it is; only GNU mailutils writes into it once it was read."""
    server.put("same", FEW[:1])
    first, second, third = (read(server, "same") for _ in range(3))
    assert second == third
    assert (first == second) == (server.name != "GNU mailutils")


def test_killed_in_the_middle_it_goes_on(server: Server, story: Story):
    """SIGKILL once the first batch is committed, then one run: every message once, as another client gets it."""
    claims(server, "resume")
    name = f"{server.name} many"
    assert 0 < story.killed_at[server.name] < len(MANY)
    assert story.said[f"first {name}"].startswith(f"{len(MANY) - story.killed_at[server.name]} retrieved: ")
    assert story.archived(name) == {hashlib.sha256(message).digest() for message in read(server, "many")}
    assert story.one("select archived + duplicate from mart.balance where name = :name", name) == len(MANY)


def test_the_books_balance(server: Server, story: Story):
    """After all that, every message that a server listed has its one outcome."""
    assert (story.code["first"], story.code["second"], story.code["export"]) == (0, 0, 0)
    query = "select bool_and(balanced) from mart.balance where starts_with(name, :name)"
    assert story.one(query, server.name)


def test_a_uidl_that_comes_back_after_a_deletion_is_new_mail(
    every_server: dict[str, Server], tmp_path: Path, database_url: str
):
    """On popa3d the next message may have the UIDL of one that was deleted: it is archived before it may go."""
    server = every_server.get("popa3d") or pytest.skip("popa3d cannot run here")
    popvault = Popvault(tmp_path, server, database_url, "again", delete="at once")
    for n in range(2):
        server.put("again", [b"Subject: %d\n\nhello\n" % n])
        popvault.run()
    assert popvault.balance()["again"]["archived"] == 2


def test_a_server_that_hangs_up_after_apop_is_asked_again(tmp_path: Path):
    """Solid POP3 offers APOP to all, refuses it to those without a secret, and closes: USER and PASS would do."""
    if reason := SolidPop3d.missing():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="popvault-server-") as folder:
        server = SolidPop3d(Path(folder), apop=True)
        try:
            server.put("ann", FEW[:1])
            popvault = Popvault(tmp_path, server, "postgresql://nobody", "ann")
            assert popvault("check", "--mailboxes", str(popvault.file)).returncode == 0
        finally:
            server.stop()
