"""One POP3 session, from login to QUIT: what the pipeline uses.

Knows the order of things and the meaning of refusals; no database, no clock of its own.
"""

import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etl.errors import Retry, Stop, Untrusted
from etl.pop3 import auth
from etl.pop3.connection import Connection, Tls, tls_context
from etl.pop3.protocol import GREETING, Chunk, Command, Reply
from etl.pop3.replies import (
    Listed,
    apop_challenge,
    capabilities,
    join_listing,
    response_code,
    sizes,
    unique_ids,
)

# What may be asked for ahead of its answer. 4 MiB covers 300 Mbit/s at 100 ms; 256 commands are
# about 3 kB, which Dovecot takes while we read (it buffers 2 KiB and the socket holds the rest).
WINDOW_OCTETS = 4 * 1024 * 1024
WINDOW_COMMANDS = 256

# RFC 2449 section 8, RFC 3206: these pass by themselves.
PASSING_CODES = frozenset({"IN-USE", "LOGIN-DELAY", "SYS/TEMP"})
PASSING_WORDS = ("lock", "busy", "in use", "try again", "temporar", "wait", "too many")


@dataclass(frozen=True)
class Account:
    """Where to log in and as whom.

    tls: "implicit" from the first byte, "starttls" after STLS, or "none" for clear text.
    ca_file: certificates (PEM) to trust instead of the system's; None for the system's.
    idle_seconds_max: how long the server may be silent before the line counts as cut.
    """

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    username: str
    password: str
    ca_file: Path | None = None
    idle_seconds_max: float = 60.0

    def __repr__(self) -> str:
        return f"Account({self.username} at {self.host}:{self.port})"


@dataclass(frozen=True)
class Greeted:
    """What a server said of itself on the way to a login: part of the record."""

    greeting: str
    capabilities_before: tuple[str, ...] | None
    capabilities_after: tuple[str, ...] | None
    mechanism: str
    tls: Tls | None


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of a message under retrieval; `last` on the piece that completes it."""

    entry: Listed
    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused a command for one message, in these words."""

    entry: Listed
    text: str


class Session:
    """A session that is logged in. Open it with `Session.open`; end it with `quit` or `close`."""

    def __init__(self, connection: Connection, account: Account, greeted: Greeted):
        self._connection = connection
        self._account = account
        self.greeted = greeted

    @classmethod
    async def open(cls, account: Account) -> "Session":
        """Connect, secure, log in.

        Raises Stop when credentials or certificate are refused, Retry when the server is busy or
        away, Untrusted when it does not speak POP3.
        """
        context = tls_context(account.ca_file) if account.tls != "none" else None
        implicit = context if account.tls == "implicit" else None
        connection = await Connection.open(
            account.host, account.port, implicit, idle_seconds_max=account.idle_seconds_max
        )
        try:
            greeted = await _log_in(connection, account, context)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, account, greeted)

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before earlier answers came (RFC 2449 section 6.6)."""
        offered = self.greeted.capabilities_after or self.greeted.capabilities_before or ()
        return _offers(offered, "PIPELINING")

    async def listing(self) -> list[Listed]:
        """What the mailbox holds. Raises Stop where the server has no UIDL."""
        stat, uidl, sizes_reply = await self._ask(Command("STAT"), Command("UIDL"), Command("LIST"))
        where = f"{self._account.host}:{self._account.port}"
        if not uidl.ok:
            raise Stop(f"{where} refuses UIDL ({uidl.text}); popvault cannot tell its messages apart")
        for verb, reply in (("STAT", stat), ("LIST", sizes_reply)):
            if not reply.ok:
                raise Retry(f"{where} refused {verb}: {reply.text}")
        named, sized = unique_ids(uidl.body).keys(), sizes(sizes_reply.body).keys()
        if sized - named:
            raise Untrusted(f"{where} lists {len(sized)} messages, but UIDL names only {len(named)} of them")
        return join_listing(uidl.body, sizes_reply.body)

    async def retrieve(
        self, entries: Iterable[Listed], window_octets: int = WINDOW_OCTETS
    ) -> AsyncIterator[Piece | Refused]:
        """RETR each entry in order, and yield its bytes as they come.

        With PIPELINING, a window of so many octets is asked for ahead; without, one at a time.
        entries: taken one by one as the window has room, so an iterator that ends early ends the retrieval.
        """
        window = _Window(iter(entries), WINDOW_COMMANDS if self.pipelining else 1, window_octets)
        while True:
            self._connection.send(*(Command("RETR", b"%d" % e.number, e.number) for e in window.refill()))
            if not window.flying:
                return
            event = await self._connection.event()
            entry = window.flying[0]
            if isinstance(event, Chunk):
                if event.last:
                    window.answered()
                yield Piece(entry, event.data, event.last)
            else:
                window.answered()
                yield Refused(entry, event.text)

    async def heads(self, entries: Sequence[Listed]) -> list[tuple[Listed, bytes | None]]:
        """The header block of each entry (TOP n 0); None where the server refuses."""
        replies = await self._ask(*(Command("TOP", b"%d 0" % e.number, e.number) for e in entries))
        return [(e, r.body if r.ok else None) for e, r in zip(entries, replies, strict=True)]

    async def delete(self, entries: Iterable[Listed]) -> list[Refused]:
        """DELE each entry; what was refused comes back. Nothing is gone before `quit`."""
        entries = list(entries)
        replies = await self._ask(*(Command("DELE", b"%d" % e.number, e.number) for e in entries))
        return [Refused(e, r.text) for e, r in zip(entries, replies, strict=True) if not r.ok]

    async def quit(self) -> tuple[bool, str]:
        """QUIT, which carries out the deletions: whether it was accepted, and the words."""
        (reply,) = await self._ask(Command("QUIT"))
        return reply.ok, reply.text

    async def close(self) -> None:
        """Drop the connection without QUIT: the server deletes and marks nothing."""
        await self._connection.close()

    async def _ask(self, *commands: Command) -> list[Reply]:
        if self.pipelining:
            replies = []
            for start in range(0, len(commands), WINDOW_COMMANDS):
                window = commands[start : start + WINDOW_COMMANDS]
                self._connection.send(*window)
                replies += [await _reply(self._connection) for _ in window]
            return replies
        return [await _ask_one(self._connection, command) for command in commands]


class _Window:
    """What is asked for ahead of its answer: bounded in commands and in octets, refilled once half empty."""

    def __init__(self, entries: Iterator[Listed], commands_max: int, octets_max: int):
        self._entries, self._commands_max, self._octets_max = entries, commands_max, octets_max
        self._next = next(entries, None)
        self._octets = 0
        self.flying: deque[Listed] = deque()

    def refill(self) -> list[Listed]:
        """The entries to ask for now."""
        if len(self.flying) > self._commands_max // 2 or self._octets > self._octets_max // 2:
            return []
        sent: list[Listed] = []
        while self._next and len(self.flying) < self._commands_max:
            octets = self._next.octets or 0
            if self.flying and self._octets + octets > self._octets_max:
                break
            self._octets += octets
            self.flying.append(self._next)
            sent.append(self._next)
            self._next = next(self._entries, None)
        return sent

    def answered(self) -> None:
        """The first of those asked for is done with."""
        self._octets -= self.flying.popleft().octets or 0


async def _log_in(connection: Connection, account: Account, context: ssl.SSLContext | None) -> Greeted:
    where = f"{account.host}:{account.port}"
    greeting = await _reply(connection)
    if not greeting.ok:
        raise _refusal(where, "turned the connection away", greeting.text)
    before = await _capabilities(connection)
    if account.tls == "starttls":
        assert context is not None
        reply = await _ask_one(connection, Command("STLS"))
        if not reply.ok:
            raise Stop(f'{where} refuses STLS ({reply.text}); use tls = "implicit" or another port')
        await connection.start_tls(context, account.host)
        before = await _capabilities(connection)
    mechanism = await _authenticate(connection, account, greeting.line)
    after = await _capabilities(connection)
    return Greeted(greeting.text, before, after, mechanism, connection.tls)


async def _authenticate(connection: Connection, account: Account, greeting: bytes) -> str:
    """Log in, by APOP first where the line is clear and the server offers it."""
    auth.refuse_line_breaks(account.username, account.password)
    where = f"{account.host}:{account.port}"
    challenge = apop_challenge(greeting)
    ways = [("USER", auth.user_pass(account.username, account.password))]
    if challenge and connection.tls is None:
        ways.insert(0, ("APOP", auth.apop(account.username, account.password, challenge)))
    for mechanism, commands in ways:
        for command in commands:
            reply = await _ask_one(connection, command)
            if not reply.ok:
                break
        else:
            return mechanism
        if _passes(reply.text):
            break
    failure = _refusal(where, f"refused the login of {account.username}", reply.text)
    if isinstance(failure, Stop):
        raise Stop(f"{failure}; check username and password")
    raise failure


def _refusal(where: str, what: str, text: str) -> Retry | Stop:
    sentence = f"{where} {what}: {text or 'no reason given'}"
    return Retry(f"{sentence}; try again later") if _passes(text) else Stop(sentence)


def _passes(text: str) -> bool:
    """Whether the words of a refusal tell of trouble that passes by itself."""
    code = response_code(text)
    if code:
        return code in PASSING_CODES
    return any(word in text.lower() for word in PASSING_WORDS)


async def _capabilities(connection: Connection) -> tuple[str, ...] | None:
    """What CAPA says, or None where the server does not know CAPA."""
    reply = await _ask_one(connection, Command("CAPA"))
    return capabilities(reply.body) if reply.ok else None


async def _ask_one(connection: Connection, command: Command) -> Reply:
    connection.send(command)
    return await _reply(connection)


async def _reply(connection: Connection) -> Reply:
    event = await connection.event()
    assert isinstance(event, Reply), f"{GREETING} and listings answer with a Reply"
    return event


def _offers(offered: Sequence[str], name: str) -> bool:
    return any(line.upper().split()[:1] == [name] for line in offered)
