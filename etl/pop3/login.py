"""From the greeting to the end of the login: TLS, capabilities, and one way in.

Sends what `auth` says and judges the answers; the way back from a refusal is decided there.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etl.errors import Failure, Retry, Stop, Untrusted
from etl.pop3 import auth, refusals
from etl.pop3.auth import Credential, Exchange, Offer, Way
from etl.pop3.connection import Connection, Tls
from etl.pop3.presets import NO_QUIRKS, Quirks
from etl.pop3.protocol import GREETING, RESPONSE, Command, Reply
from etl.pop3.replies import apop_challenge, capabilities, expire_days, login_delay_seconds, offers


@dataclass(frozen=True)
class Account:
    """Where to log in and as whom.

    tls: "implicit" from the first byte, "starttls" after STLS, or "none" for clear text.
    password or token: what to log in with; a token is an OAuth access token. Exactly one.
    auth: the only way to log in that is tried; None for the strongest on offer.
    utf8: turn the server to UTF-8 mode where it has one, which alters what it sends (RFC 6856).
    ca_file: certificates (PEM) to trust instead of the system's; None for the system's.
    idle_seconds_max: how long the server may be silent before the line counts as cut.
    """

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    username: str
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    auth: Way | None = None
    utf8: bool = False
    quirks: Quirks = NO_QUIRKS
    ca_file: Path | None = None
    idle_seconds_max: float = 60.0

    def __repr__(self) -> str:
        return f"Account({self.username} at {self})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def credential(self) -> Credential:
        """The username with its password or token."""
        assert (self.password is None) != (self.token is None), "an account has a password or a token"
        if self.token is not None:
            return Credential(self.username, self.token, is_token=True)
        return Credential(self.username, self.password or "")


@dataclass(frozen=True)
class Greeted:
    """What a server said of itself on the way to a login: part of the record.

    utf8: whether UTF-8 mode was asked for and granted.
    """

    greeting: str
    capabilities_before: tuple[str, ...] | None
    capabilities_after: tuple[str, ...] | None
    mechanism: str
    tls: Tls | None
    utf8: bool = False

    @property
    def capabilities(self) -> tuple[str, ...] | None:
        """What holds now: CAPA's answer after the login, or before it where there is no other."""
        return self.capabilities_before if self.capabilities_after is None else self.capabilities_after

    @property
    def pipelining_before(self) -> bool:
        """Whether the server offered before the login to take commands ahead of its answers."""
        return offers(self.capabilities_before, "PIPELINING")

    @property
    def login_delay_seconds(self) -> float | None:
        """The pause between two logins that the server asks for; None where it asks for none."""
        return login_delay_seconds(self.capabilities)

    @property
    def expire_days(self) -> float | None:
        """How long the server keeps mail: days, infinity for ever, None where it does not say."""
        return expire_days(self.capabilities)


class ApopRefused(Retry):
    """The server hung up after it had refused APOP; on a new connection, without APOP, it may let us in."""


async def log_in(
    connection: Connection,
    account: Account,
    context: ssl.SSLContext | None,
    apop: bool = True,
    ahead: Sequence[Command] | None = None,
) -> Greeted:
    """Take the greeting, turn to TLS where asked, log in. apop: whether to see that APOP is on offer.

    ahead: where the server offers PIPELINING before the login (`Greeted.pipelining_before`), what is sent with the
    CAPA behind it; its answers are the caller's to take. None: each command waits for the answer to the one before.

    Raises Stop when TLS or the credential is refused, Busy when the server asks to come later.
    """
    greeting = await reply_to(connection)
    if not greeting.ok:
        raise refusals.failure(f"{account} turned the connection away", greeting.text)
    before, timestamp = await _capabilities(connection), apop_challenge(greeting.line) if apop else None
    if account.tls == "starttls":
        assert context is not None
        await _start_tls(connection, account, context)
        # What was said in clear is forgotten, the timestamp too: somebody may have put it there (RFC 2595 section 4).
        before, timestamp = await _capabilities(connection), None
    utf8 = account.utf8 and offers(before, "UTF8") and (await ask(connection, Command("UTF8"))).ok
    # PIPELINING holds after the login if it does before (RFC 2449 section 6.6), though CAPA may say else by then.
    at_once = ahead is not None and offers(before, "PIPELINING")
    way = await _authenticate(connection, account, Offer(before, timestamp), at_once)
    connection.send(Command("CAPA"), *(ahead or () if at_once else ()))
    after = _told(await reply_to(connection))
    return Greeted(greeting.text, before, after, way, connection.tls, utf8)


async def ask(connection: Connection, command: Command) -> Reply:
    """Send one command and take its answer."""
    connection.send(command)
    return await reply_to(connection)


async def reply_to(connection: Connection) -> Reply:
    """The answer to the oldest command that waits for one."""
    event = await connection.event()
    assert isinstance(event, Reply), f"{GREETING} and listings answer with a Reply"
    return event


async def _capabilities(connection: Connection) -> tuple[str, ...] | None:
    """What CAPA says, or None where the server does not know CAPA."""
    return _told(await ask(connection, Command("CAPA")))


def _told(reply: Reply) -> tuple[str, ...] | None:
    return capabilities(reply.body) if reply.ok else None


async def _start_tls(connection: Connection, account: Account, context: ssl.SSLContext) -> None:
    reply = await ask(connection, Command("STLS"))
    if not reply.ok:
        raise Stop(f'{account} refuses STLS ({reply.text}); use tls = "implicit" or another port')
    await connection.start_tls(context, account.host)


async def _authenticate(connection: Connection, account: Account, offer: Offer, at_once: bool) -> Way:
    """Log in by the first way that is accepted; which it was."""
    secure = connection.tls is not None
    try:
        ways = auth.ways(
            offer, account.credential, account.auth, secure=secure, may_reveal=secure or account.tls == "none"
        )
    except Stop as stop:
        raise type(stop)(f"{account}: {stop}") from None
    for place, way in enumerate(ways):
        try:
            refusal = await _attempt(connection, account, way, offer, at_once)
        except Retry as cut:
            # QUIRK(solid-pop3d): it offers APOP to all, refuses it to who has no secret for it, and closes.
            raise ApopRefused(str(cut)) if place and ways[place - 1] == "APOP" else cut from None
        if refusal is None:
            return way
        failure = _failure(account, way, refusal, offer)
        if not isinstance(failure, Stop) or not auth.may_go_on(way, refusals.unsupported(refusal), secure):
            break
    raise failure


async def _attempt(connection: Connection, account: Account, way: Way, offer: Offer, at_once: bool) -> str | None:
    """Try one way: None where it was accepted, else the words of the refusal."""
    if way in ("USER", "APOP"):
        commands = auth.commands(way, account.credential, offer.timestamp)
        one_flight = at_once and auth.may_send_ahead(secure=connection.tls is not None)
        return await _say([commands] if one_flight else [(command,) for command in commands], connection)
    try:
        return await _exchange(connection, way, auth.exchange(way, account.credential, account.host, account.port))
    except (Stop, Untrusted) as failure:
        raise type(failure)(f"{account}, in the login by {way}: {failure}") from None


async def _say(flights: Sequence[Sequence[Command]], connection: Connection) -> str | None:
    """Send each flight once all before it was accepted; the words of the first refusal, or None.

    What came in the same flight behind it is of no interest: no other way follows on USER, the weakest.
    """
    for flight in flights:
        connection.send(*flight)
        for _ in flight:
            reply = await reply_to(connection)
            if not reply.ok:
                return reply.text
    return None


async def _exchange(connection: Connection, way: Way, exchange: Exchange) -> str | None:
    """AUTH: challenges and responses, until the answer is final (RFC 5034 section 4)."""
    command, begun = auth.auth_command(way, exchange.initial)
    reply = await ask(connection, command)
    while reply.challenge is not None:
        if not begun and exchange.initial is not None:
            begun, response = True, exchange.initial
        else:
            # In a thread: the rounds of SCRAM take up to a second, and other mailboxes go on meanwhile.
            response = await asyncio.to_thread(exchange.respond, auth.decoded(reply.challenge))
        reply = await ask(connection, Command(RESPONSE, auth.encoded(response)))
    if reply.ok:
        exchange.accepted()
        return None
    return f"{reply.text} ({exchange.complaint})" if exchange.complaint else reply.text


def _failure(account: Account, way: Way, text: str, offer: Offer) -> Failure:
    what = f"{account} refused the login of {account.username} by {way}"
    failure = refusals.failure(what, text, login_delay_seconds(offer.capabilities))
    if isinstance(failure, Stop):
        return Stop(f"{failure}; check username and {account.credential.kind}")
    return failure
