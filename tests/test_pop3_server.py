"""The test server itself, against Python's poplib, against our client, and what it does when made to misbehave."""

import asyncio
import datetime
import ipaddress
import poplib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from etl.errors import Retry, Stop
from etl.pop3.login import Account
from etl.pop3.session import Refused, Session
from tests import pop3_server as servers
from tests.pop3_server import Behaviour, Cut, Folder, Mailbox, Pop3Server, Reply, wire

PASSWORD = "secret word"  # with a blank: PASS takes the whole line
RAWS = [
    b"Subject: one\n\nhello\n",
    b".first\n..second\n.\n\n.\nafter a dot\n",
    b"Subject: one\n\nhello\n",
    b"Subject: \0 \xff\r\n\r\nno line end",
]


@pytest.fixture
def server() -> Iterator[Pop3Server]:
    """Ann with four messages, Bob with none."""
    with Pop3Server({"ann": Mailbox(PASSWORD, RAWS), "bob": Mailbox("secret")}) as server:
        yield server


def log_in(server: Pop3Server, user: str = "ann", password: str = PASSWORD) -> poplib.POP3:
    """A session of poplib's."""
    client = poplib.POP3("127.0.0.1", server.port, timeout=5)
    try:
        client.user(user)
        client.pass_(password)
    except poplib.error_proto:
        client.close()
        raise
    return client


def account(server: Pop3Server, password: str = PASSWORD, **more: object) -> Account:
    """Ann's account, for our client."""
    return Account("127.0.0.1", server.port, "none", "ann", password, **more)  # type: ignore[arg-type]


async def fetch(account: Account) -> list[bytes | Refused]:
    """All of a mailbox by our client: its bytes, or the refusals."""
    session = await Session.open(account)
    try:
        got: list[bytes | Refused] = [b""]
        retrieved: AsyncIterator = session.retrieve(await session.listing())
        async for event in retrieved:
            if isinstance(event, Refused):
                got[-1:] = [event, b""]
            else:
                got[-1] += event.data  # type: ignore[operator]
                got += [b""] if event.last else []
        await session.quit()
        return got[:-1]
    finally:
        await session.close()


def test_poplib_reads_what_was_laid_down(server: Pop3Server):
    """STAT, LIST, UIDL, RETR and TOP agree with each other and with the messages."""
    client = log_in(server)
    sizes = [len(wire(raw)) for raw in RAWS]
    assert client.stat() == (4, sum(sizes))
    assert client.list()[1] == [b"%d %d" % pair for pair in enumerate(sizes, 1)]
    assert client.list(2) == b"+OK 2 %d" % sizes[1]
    uidls = [line.split()[1] for line in client.uidl()[1]]
    assert len(set(uidls)) == 4
    assert client.uidl(3) == b"+OK 3 " + uidls[2]
    for number, raw in enumerate(RAWS, 1):
        assert b"\r\n".join(client.retr(number)[1]) + b"\r\n" == wire(raw)
    assert client.top(2, 1)[1] == [b".first", b"..second", b".", b"", b"."]
    assert client.top(1, 99)[1] == [b"Subject: one", b"", b"hello"]
    assert client.noop() == b"+OK"
    client.quit()


def test_our_client_reads_what_was_laid_down(server: Pop3Server):
    """Byte for byte, by APOP and pipelined."""
    assert asyncio.run(fetch(account(server))) == [wire(raw) for raw in RAWS]
    assert "APOP" in server.commands
    assert "PASS" not in server.commands


def test_pipelined_commands_are_answered_in_order(server: Pop3Server):
    """RFC 2449 section 6.6: commands may come together, answers keep their order."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as line, line.makefile("rb") as answers:
        answers.readline()
        line.sendall(b"USER bob\r\nPASS secret\r\nSTAT\r\nNOOP\r\nRETR 1\r\nQUIT\r\n")
        assert [answer[:6] for answer in answers] == [b"+OK no", b"+OK 0 ", b"+OK 0 ", b"+OK\r\n", b"-ERR n", b"+OK by"]


@pytest.mark.parametrize(("behaviour", "mechanism"), [(Behaviour(), "APOP"), (Behaviour(apop=False), "USER")])
def test_logins(behaviour: Behaviour, mechanism: str):
    """The right password enters by either way, the wrong one by neither."""
    with Pop3Server({"ann": Mailbox(PASSWORD)}, behaviour) as server:

        async def mechanism_of(password: str) -> str:
            session = await Session.open(account(server, password))
            await session.quit()
            await session.close()
            return session.greeted.mechanism

        assert asyncio.run(mechanism_of(PASSWORD)) == mechanism
        with pytest.raises(Stop, match="wrong name or password"):
            asyncio.run(mechanism_of("other"))


class QuotesPassword(servers.Session):
    """Says what it refuses."""

    def reply_pass(self, argument: str) -> Reply:
        """As servers do that take PASS for an unknown command."""
        return servers.err(f"unknown command: PASS {argument}")


def test_a_password_that_the_server_quotes_is_not_passed_on():
    """The sentence of a refused login holds the server's words but not the password."""
    with misbehaving(QuotesPassword) as server, pytest.raises(Stop, match=r"unknown command: PASS \*\*\*; check"):
        asyncio.run(fetch(account(server)))


def test_what_may_not_be_said_is_refused(server: Pop3Server):
    """States are kept, and after three wrong passwords the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as line, line.makefile("rb") as answers:

        def ask(command: bytes) -> bytes:
            line.sendall(command + b"\r\n")
            return answers.readline()

        assert b"popvault" in answers.readline()
        assert ask(b"STAT") == b"-ERR STAT may not be said now\r\n"
        assert ask(b"FLY") == b"-ERR unknown command\r\n"
        assert ask(b"PASS early") == b"-ERR USER first\r\n"
        for _ in range(3):
            ask(b"USER ann")
            assert ask(b"PASS wrong") == b"-ERR [AUTH] wrong name or password\r\n"
        assert answers.read() == b""


def test_one_session_a_mailbox(server: Pop3Server):
    """A second session is told IN-USE, whose meaning to our client is: later. QUIT frees at once."""
    first = log_in(server)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        log_in(server)
    with pytest.raises(Retry, match="another session"):
        asyncio.run(fetch(account(server)))
    other = log_in(server, "bob", "secret")
    assert other.stat() == (0, 0)
    other.quit()
    first.quit()
    log_in(server).quit()


def test_deletion_is_done_at_quit_only(server: Pop3Server):
    """Marked messages are out of sight; RSET and a cut line bring them back, QUIT does not."""
    client = log_in(server)
    client.dele(1)
    assert client.stat()[0] == 3
    with pytest.raises(poplib.error_proto, match="no such message"):
        client.retr(1)
    client.rset()
    assert client.stat()[0] == 4
    client.dele(2)
    client.close()
    client = wait_for_login(server)
    kept = [line.split()[1] for line in client.uidl()[1]]
    client.dele(1)
    client.dele(4)
    client.quit()
    client = log_in(server)
    assert [line.split()[1] for line in client.uidl()[1]] == kept[1:3]
    client.quit()


def wait_for_login(server: Pop3Server) -> poplib.POP3:
    """The server notices a cut line soon, not at once."""
    for _ in range(100):
        try:
            return log_in(server)
        except poplib.error_proto:
            continue
    raise AssertionError("the mailbox was never freed")


def test_a_folder_is_a_mailbox(tmp_path: Path):
    """Files are served by name, new ones to the next session, and deleted ones are gone from the disk."""
    for name, raw in zip(("b", "a"), RAWS, strict=False):
        (tmp_path / f"{name}.eml").write_bytes(raw)
    with Pop3Server({"ann": Folder(PASSWORD, tmp_path)}) as server:
        client = log_in(server)
        assert client.retr(2)[1] == [b"Subject: one", b"", b"hello"]
        (tmp_path / "c.eml").write_bytes(RAWS[3])
        assert client.stat()[0] == 2
        client.dele(1)
        client.quit()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b.eml", "c.eml"]
        client = log_in(server)
        assert client.stat()[0] == 2
        client.quit()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls(certificate: Path, tls: str):
    """Our client gets the same bytes over STLS and over TLS from the first byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    mailboxes = {"ann": Mailbox("secret", RAWS)}
    with Pop3Server(mailboxes, tls=context, implicit_tls=tls == "implicit") as server:
        ours = Account("127.0.0.1", server.port, tls, "ann", "secret", ca_file=certificate)  # type: ignore[arg-type]
        assert asyncio.run(fetch(ours)) == [wire(raw) for raw in RAWS]
    assert ("STLS" in server.commands) == (tls == "starttls")


class CutsAfter(servers.Session):
    """Drops the line after 7 bytes of the second message."""

    def retrieve(self, number: int) -> Reply:
        """Some of it, then nothing more."""
        if number != 2:
            return super().retrieve(number)

        def torn() -> Iterator[bytes]:
            yield b"".join(super(CutsAfter, self).retrieve(number))[: len("+OK 42 octets\r\n") + 7]
            raise Cut

        return torn()


class RefusesSecond(servers.Session):
    """Has lost the second message."""

    def retrieve(self, number: int) -> Reply:
        """Says so."""
        return servers.err("disk error") if number == 2 else super().retrieve(number)


class Lies(servers.Session):
    """Gives sizes and ids that are wrong."""

    def size_of(self, number: int) -> object:
        """Nobody should believe it."""
        return 1

    def uidl_of(self, number: int) -> object:
        """The same for all."""
        return "same"


def misbehaving(session: type[servers.Session]) -> Pop3Server:
    """Ann's mailbox behind a server that does not do as it should."""
    return Pop3Server({"ann": Mailbox(PASSWORD, RAWS)}, Behaviour(apop=False), session)


def test_a_refused_message_leaves_the_rest():
    """One overridden reply: the second message is refused, the others come."""
    with misbehaving(RefusesSecond) as server:
        first, refused, third, fourth = asyncio.run(fetch(account(server)))
    assert isinstance(refused, Refused)
    assert refused.text == "disk error"
    assert [first, third, fourth] == [wire(RAWS[number]) for number in (0, 2, 3)]


def test_a_cut_line_is_a_cut_line():
    """A reply that raises Cut ends the connection inside the message."""
    with misbehaving(CutsAfter) as server, pytest.raises(Retry, match="closed the connection"):
        asyncio.run(fetch(account(server)))


def test_a_listing_may_lie():
    """Sizes and ids are what the subclass says."""
    with misbehaving(Lies) as server:
        assert asyncio.run(listing(account(server))) == [("same", 1, twin) for twin in range(4)]


async def listing(account: Account) -> list[tuple[str, int | None, int]]:
    """What our client takes the mailbox to hold."""
    session = await Session.open(account)
    try:
        return [(entry.uidl, entry.octets, entry.twin) for entry in await session.listing()]
    finally:
        await session.close()
