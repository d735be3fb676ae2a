"""Sessions: TLS that cannot be turned down, and listings with oddities."""

import asyncio
import datetime
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from etl.errors import Busy, Failure, Stop, Untrusted
from etl.pop3.connection import Connection
from etl.pop3.login import Account, Greeted, ask, reply_to
from etl.pop3.protocol import Command
from etl.pop3.replies import Listed
from etl.pop3.session import Session, _Window
from tests.pop3.replay import Line

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key with a certificate for localhost, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*plain) + signed.public_bytes(serialization.Encoding.PEM))
    return path


def log_in_to(handler: Handler, certificate: Path, **account: Any) -> Greeted:
    """Log in to a server on loopback that does as the handler says."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def run() -> Greeted:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            values = {"tls": "starttls", "username": "ann", "password": "secret", **account}
            wanted = Account(host="localhost", port=port, ca_file=certificate, idle_seconds_max=5, **values)
            session = await Session.open(wanted)
            await session.close()
            return session.greeted

    return asyncio.run(run())


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *steps: tuple[bytes, bytes]) -> None:
    """Expect each line in turn and answer it."""
    for line, answer in steps:
        assert await reader.readuntil(b"\r\n") == line + b"\r\n"
        writer.write(answer)


async def turn_to_tls(writer: asyncio.StreamWriter, certificate: Path) -> None:
    """The server's side of the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    await writer.start_tls(context)


OFFER = b"+OK\r\nSTLS\r\nUSER\r\n.\r\n"


def test_what_was_said_in_clear_is_forgotten_after_stls(certificate: Path):
    """A timestamp for APOP and a list of ways that came before TLS count for nothing behind it."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello <1@somebody>\r\n")
        await talk(reader, writer, (b"CAPA", b"+OK\r\nSTLS\r\nSASL LOGIN\r\n.\r\n"), (b"STLS", b"+OK\r\n"))
        await turn_to_tls(writer, certificate)
        await talk(reader, writer, (b"CAPA", b"+OK\r\nSASL PLAIN\r\n.\r\n"))
        await talk(reader, writer, (b"AUTH PLAIN AGFubgBzZWNyZXQ=", b"+OK\r\n"), (b"CAPA", b"+OK\r\nUIDL\r\n.\r\n"))

    greeted = log_in_to(handler, certificate)
    assert greeted.mechanism == "PLAIN"
    assert greeted.tls
    assert greeted.capabilities_before == ("SASL PLAIN",)


def test_apop_by_name_takes_no_timestamp_from_before_tls(certificate: Path):
    """It is refused by us, not computed over what somebody on the line may have chosen."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello <1@somebody>\r\n")
        await talk(reader, writer, (b"CAPA", OFFER), (b"STLS", b"+OK\r\n"))
        await turn_to_tls(writer, certificate)
        await talk(reader, writer, (b"CAPA", OFFER))

    with pytest.raises(Stop, match="no timestamp for APOP"):
        log_in_to(handler, certificate, auth="APOP")


def test_a_refused_stls_stops(certificate: Path):
    """No login in clear, whatever the server offers: the next thing that it hears is the end of the line."""
    heard = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello <1@somebody>\r\n")
        await talk(reader, writer, (b"CAPA", b"+OK\r\nUSER\r\n.\r\n"), (b"STLS", b"-ERR unknown command\r\n"))
        heard.append(await reader.read())

    with pytest.raises(Stop, match="refuses STLS"):
        log_in_to(handler, certificate)
    assert heard == [b""]


@pytest.mark.parametrize("delay_seconds", [0.0, 0.05])
def test_bytes_in_clear_behind_stls_stop(certificate: Path, delay_seconds: float):
    """An answer that somebody puts in between +OK and the handshake is not taken for one that came by TLS."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello\r\n")
        await talk(reader, writer, (b"CAPA", OFFER), (b"STLS", b"+OK\r\n"))
        await writer.drain()
        await asyncio.sleep(delay_seconds)
        writer.write(b"+OK\r\nSASL PLAIN\r\n.\r\n+OK\r\n")
        await writer.drain()
        await turn_to_tls(writer, certificate)
        await reader.read()

    # Read with the +OK they are an answer to nothing, read as part of the handshake they are no TLS.
    with pytest.raises((Stop, Untrusted)):
        log_in_to(handler, certificate)


def test_bytes_that_wait_since_before_the_handshake_stop(certificate: Path, monkeypatch: pytest.MonkeyPatch):
    """They lie in asyncio's buffer, beyond the protocol's sight, when the handshake begins."""
    start_tls = Connection.start_tls

    async def slow(connection: Connection, context: ssl.SSLContext, host: str) -> None:
        await asyncio.sleep(0.2)
        await start_tls(connection, context, host)

    monkeypatch.setattr(Connection, "start_tls", slow)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello\r\n")
        await talk(reader, writer, (b"CAPA", OFFER), (b"STLS", b"+OK\r\n"))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"+OK\r\nSASL PLAIN\r\n.\r\n")
        await writer.drain()
        await turn_to_tls(writer, certificate)
        await reader.read()

    with pytest.raises(Stop, match="in clear after STLS"):
        log_in_to(handler, certificate)


PIPELINED = b"+OK\r\nPIPELINING\r\nUSER\r\nSTLS\r\n.\r\n"


@pytest.mark.parametrize(
    ("answers", "refused"), [(b"+OK\r\n+OK\r\n", None), (b"-ERR no such user\r\n-ERR USER first\r\n", "no such user")]
)
def test_behind_tls_pass_does_not_wait_for_the_answer_to_user(certificate: Path, answers: bytes, refused: str | None):
    """The server answers when both have come; where it refuses USER, its words are those, and not those to PASS."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello\r\n")
        await talk(reader, writer, (b"CAPA", PIPELINED), (b"STLS", b"+OK\r\n"))
        await turn_to_tls(writer, certificate)
        await talk(reader, writer, (b"CAPA", PIPELINED), (b"USER ann", b""), (b"PASS secret", answers))
        await talk(reader, writer, (b"CAPA", PIPELINED), (b"STAT", b""), (b"UIDL", b""), (b"LIST", b""))

    if refused:
        with pytest.raises(Stop, match=refused):
            log_in_to(handler, certificate)
    else:
        assert log_in_to(handler, certificate).mechanism == "USER"


def test_in_clear_pass_waits_for_the_answer_to_user(certificate: Path):
    """A server may refuse USER because it wants TLS first: then nobody who listens hears the password."""
    heard = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK hello\r\n")
        await talk(reader, writer, (b"CAPA", PIPELINED))
        heard.append(await reader.readuntil(b"\r\n"))
        await asyncio.sleep(0.05)
        writer.write(b"-ERR TLS first\r\n")
        heard.append(await reader.read())

    with pytest.raises(Stop, match="TLS first"):
        log_in_to(handler, certificate, tls="none")
    assert heard == [b"USER ann\r\n", b""]


def listing(*answers: str, capabilities: tuple[str, ...] | None = ("LOGIN-DELAY 60",)) -> list[Listed]:
    """The listing of a session whose server answers STAT, UIDL and LIST so."""
    dialogue = zip(("STAT", "UIDL", "LIST"), answers, strict=False)  # it ends with a refusal
    text = "".join(f"> {question}\n< " + answer.replace("|", "\n< ") + "\n" for question, answer in dialogue)
    line = Line("< +OK\n> USER ann\n< +OK\n> PASS x\n< +OK\n" + text, 1)

    async def run() -> list[Listed]:
        connection = Connection(line, line, "replay", 1)  # type: ignore[arg-type]
        await reply_to(connection)
        for command in (Command("USER", b"ann"), Command("PASS", b"x")):
            await ask(connection, command)
        account = Account("server.example.com", 110, "none", "ann", "x")
        return await Session(connection, account, Greeted("", capabilities, None, "USER", None)).listing()

    try:
        return asyncio.run(run())
    finally:
        assert line.left == []


@pytest.mark.parametrize("capabilities", [None, ("TOP",)])
def test_uidl_works_where_capa_hides_it(capabilities: tuple[str, ...] | None):
    """It is asked for whatever CAPA says, or refuses to say."""
    entries = listing("+OK 1 9", "+OK|1 a|.", "+OK|1 9|.", capabilities=capabilities)
    assert entries == [Listed(1, "a", 9)]


def test_a_message_without_a_unique_id_stops_nobody():
    """The blank id that Gmail gives now and then, one left out, and one that two messages have."""
    entries = listing("+OK 5 50", "+OK|1 101|2|4 \xe9 x|5 101|.", "+OK|1 10|2 10|3 10|4 10|5 10|.")
    assert [(e.number, e.uidl) for e in entries] == [
        (1, None), (2, None), (3, None), (4, "\xc3\xa9 x"), (5, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "kind", "seconds"),
    [
        (("-ERR login allowed only every 15 minutes", "-ERR no", "-ERR no"), Busy, 900.0),
        (("-ERR [LOGIN-DELAY] too soon", "-ERR", "-ERR"), Busy, 60.0),
        (("+OK 0 0", "-ERR [SYS/TEMP] later", "+OK|."), Busy, None),
        (("-ERR no", "+OK|.", "+OK|."), Stop, None),
        (("+OK 0 0", "+OK|.", "-ERR [SYS/TEMP] later"), Busy, None),
    ],
)
def test_a_refused_listing_says_whether_to_come_again(
    answers: tuple[str, ...], kind: type[Failure], seconds: float | None
):
    """Hotmail tells at STAT that the last login was too short ago; UIDL is refused for now, or for good."""
    with pytest.raises(kind) as caught:
        listing(*answers)
    assert getattr(caught.value, "wait_seconds", None) == seconds


@pytest.mark.parametrize(("commands_max", "octets_max"), [(40, 10**9), (10**9, 40 * 1000)])
def test_three_quarters_of_the_window_are_always_on_the_way(commands_max: int, octets_max: int):
    """Until the mail ends, that much is asked for ahead, never more than the window, and not command by command."""
    window = _Window((Listed(n, str(n), 1000) for n in range(1, 201)), commands_max, octets_max)
    flights = [len(window.refill())]
    while window.answered().number < 160:
        flights.append(len(window.refill()))
        assert 30 <= len(window.flying) <= 40
    assert [size for size in flights if size][:4] == [40, 10, 10, 10]
