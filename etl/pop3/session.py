"""One POP3 session, from login to QUIT: what the pipeline uses.

Knows the order of things and the meaning of refusals; no database, no clock of its own.
"""

import hashlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from etl.errors import Untrusted
from etl.pop3 import auth, refusals
from etl.pop3.connection import Connection, OnWire, tls_context
from etl.pop3.login import Account, ApopRefused, Greeted, ask, log_in, reply_to
from etl.pop3.protocol import Chunk, Command, Event, Reply
from etl.pop3.replies import Listed, join_listing, offers

# What may be asked for ahead of its answer. Three quarters of it are on the way at any time: 6 MiB cover 500 Mbit/s at
# 100 ms. 1024 commands are some 12 kB, which waits in the sockets while we read; of 1 kB mail they cover 60 Mbit/s.
WINDOW_OCTETS = 8 * 1024 * 1024
WINDOW_COMMANDS = 1024
# What a listing is made of. STAT is asked again later, to see whether answers and questions are in step.
LISTING = (Command("STAT"), Command("UIDL"), Command("LIST"))
# Header blocks that are held at once; most have some kB, and protocol.HEAD_BYTES_MAX bounds each.
HEADS_AT_ONCE = 64
# So much may come after a message that is not of the size that LIST gave, before STAT must tell whether we are
# still in step: the one more round trip is shared, and what cannot be believed yet is held in memory.
DOUBTED_MESSAGES_MAX = 16
DOUBTED_OCTETS_MAX = 256 * 1024


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


@dataclass(frozen=True, slots=True)
class InStep:
    """All that came up to here is what was asked for, and whole: answers and questions are still in step."""


class Session:
    """A session that is logged in. Open it with `Session.open`; end it with `quit` or `close`."""

    def __init__(self, connection: Connection, account: Account, greeted: Greeted, at_once: bool = True):
        self._connection = connection
        self._account = account
        self.greeted = greeted
        self._at_once = at_once
        self._listing_asked = False
        self._stat = b""

    @classmethod
    async def open(cls, account: Account, on_wire: OnWire | None = None, at_once: bool = True) -> "Session":
        """Connect, secure, log in. on_wire: takes the wire log, line by line, without any secret.

        at_once: whether to believe a server that offers PIPELINING; else each command waits for the answer before it.

        Raises Misconfigured before anything is sent where the credential cannot be; Stop when credential
        or certificate is refused, Retry when the server is busy or away, Untrusted when it does not speak POP3.
        """
        auth.check(account.credential)
        context = tls_context(account.ca_file) if account.tls != "none" else None
        try:
            return await cls._open(account, context, on_wire, at_once)
        except ApopRefused:
            return await cls._open(account, context, on_wire, at_once, apop=False)

    @classmethod
    async def _open(
        cls, account: Account, context: ssl.SSLContext | None, on_wire: OnWire | None, at_once: bool, apop: bool = True
    ) -> "Session":
        implicit = context if account.tls == "implicit" else None
        connection = await Connection.open(
            account.host, account.port, implicit, idle_seconds_max=account.idle_seconds_max, on_wire=on_wire
        )
        try:
            return await cls.begin(connection, account, context, at_once, apop)
        except BaseException:
            await connection.close()
            raise

    @classmethod
    async def begin(
        cls,
        connection: Connection,
        account: Account,
        context: ssl.SSLContext | None,
        at_once: bool = True,
        apop: bool = True,
    ) -> "Session":
        """Log in over a connection that is open, and ask for the listing where that costs no round trip."""
        greeted = await log_in(connection, account, context, apop, LISTING if at_once else None)
        session = cls(connection, account, greeted, at_once)
        session._listing_asked = at_once and greeted.pipelining_before
        return session

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before earlier answers came (RFC 2449 section 6.6)."""
        return self._at_once and offers(self.greeted.capabilities, "PIPELINING")

    async def listing(self) -> list[Listed]:
        """What the mailbox holds, a message without a unique id too.

        UIDL is asked for whatever CAPA says: some servers have it and hide it; one that has none gives entries
        without an id. Raises Busy or Stop where STAT or LIST is refused, or UIDL for now (Hotmail tells at STAT
        that the last login was too short ago).
        """
        if self._listing_asked:
            self._listing_asked, replies = False, [await reply_to(self._connection) for _ in LISTING]
        else:
            replies = await self._ask(*LISTING)
        for reply in replies:
            if not reply.ok and (reply.command.verb != "UIDL" or refusals.passes(reply.text)):
                delay = self.greeted.login_delay_seconds
                raise refusals.failure(f"{self._account} refused {reply.command.verb}", reply.text, delay)
        stat, uidl, sizes = replies
        self._stat = stat.line
        return join_listing(uidl.body, sizes.body)

    async def digests(self, entries: Sequence[Listed]) -> AsyncIterator[tuple[Listed, str | None]]:
        """The SHA-256 of each entry's bytes, which are read for it; None where the server refuses them.

        One at a time: when it raises, the first entry that was not given is the one that could not be read.
        """
        digest, read = hashlib.sha256(), list[tuple[Listed, str | None]]()
        async for got in self.retrieve(entries, wary=True):
            if isinstance(got, InStep):
                for entry, sha256 in read:
                    yield entry, sha256
                read = []
            elif isinstance(got, Refused):
                read.append((got.entry, None))
            else:
                digest.update(got.data)
                if got.last:
                    read.append((got.entry, digest.hexdigest()))
                    digest = hashlib.sha256()

    async def retrieve(
        self, entries: Iterable[Listed], window_octets: int = WINDOW_OCTETS, wary: bool = False
    ) -> AsyncIterator[Piece | Refused | InStep]:
        """RETR each entry in order, and yield its bytes as they come.

        With PIPELINING, a window of so many octets is asked for ahead; without, one at a time.
        entries: taken one by one as the window has room, so an iterator that ends early ends the retrieval.

        A server that does not double the dot of a line that is one dot cuts the message short there, and the rest,
        which its sender wrote, reads like answers. So a message that has not the size that LIST gave is not
        believed, nor what comes after it, before STAT answers as it did for the listing. InStep says that all so far
        is believed; else Untrusted is raised. wary: one message at a time, so that a doubt is about one.
        """
        ahead = WINDOW_COMMANDS if self.pipelining and not wary else 1
        window, doubt = _Window(iter(entries), ahead, window_octets), _Doubt(1 if wary else DOUBTED_MESSAGES_MAX)
        while True:
            if not doubt.is_due:
                self._connection.send(*(Command("RETR", b"%d" % e.number, e.number) for e in window.refill()))
            if window.flying:
                event = await self._connection.event()
                entry = window.flying[0] if isinstance(event, Chunk) and not event.last else window.answered()
                yield _got(entry, event)
                if not doubt.saw(entry, event):
                    continue
            elif doubt.messages:
                await self._check_step()
                doubt.ends()
            else:
                return
            if not doubt.messages:
                yield InStep()

    async def _check_step(self) -> None:
        """Ask what is known, to hear whether answers and questions are still in step."""
        reply = await ask(self._connection, Command("STAT"))
        if reply.line != self._stat:
            raise Untrusted(
                f"{self._account} sent a message of another size than it had listed, and then answered STAT otherwise"
                f" than before ({reply.text}); what came since is not believed"
            )

    async def heads(self, entries: Sequence[Listed]) -> AsyncIterator[tuple[Listed, bytes | None]]:
        """The header block of each entry (TOP n 0); None where the server refuses."""
        for start in range(0, len(entries), HEADS_AT_ONCE):
            asked = entries[start : start + HEADS_AT_ONCE]
            replies = await self._ask(*(Command("TOP", b"%d 0" % e.number, e.number) for e in asked))
            await self._check_step()
            for entry, reply in zip(asked, replies, strict=True):
                yield entry, reply.body if reply.ok else None

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
                replies += [await reply_to(self._connection) for _ in window]
            return replies
        return [await ask(self._connection, command) for command in commands]


class _Window:
    """What is asked for ahead of its answer: bounded in commands and in octets, refilled once a quarter is free."""

    def __init__(self, entries: Iterator[Listed], commands_max: int, octets_max: int):
        self._entries, self._commands_max, self._octets_max = entries, commands_max, octets_max
        self._next = next(entries, None)
        self._octets = 0
        self.flying: deque[Listed] = deque()

    def refill(self) -> list[Listed]:
        """The entries to ask for now."""
        if 4 * len(self.flying) > 3 * self._commands_max or 4 * self._octets > 3 * self._octets_max:
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

    def answered(self) -> Listed:
        """The first of those asked for is done with; which it was."""
        entry = self.flying.popleft()
        self._octets -= entry.octets or 0
        return entry


class _Doubt:
    """How much has come since a message had not the size that LIST gave; messages is 0 where there is no doubt."""

    def __init__(self, messages_max: int):
        self._messages_max = messages_max
        self._octets_of_message = 0
        self.ends()

    def ends(self) -> None:
        """All that came is believed."""
        self.messages = self._octets = 0

    @property
    def is_due(self) -> bool:
        """Whether nothing more should be asked for before the doubt is settled."""
        return self.messages >= self._messages_max or self._octets > DOUBTED_OCTETS_MAX

    def saw(self, entry: Listed, event: Event) -> bool:
        """Take an event; whether the message is over with it."""
        if isinstance(event, Chunk):
            self._octets_of_message += len(event.data)
            if not event.last:
                return False
        if self.messages or (isinstance(event, Chunk) and self._octets_of_message != entry.octets):
            self.messages += 1
            self._octets += self._octets_of_message
        self._octets_of_message = 0
        return True


def _got(entry: Listed, event: Event) -> Piece | Refused:
    return Piece(entry, event.data, event.last) if isinstance(event, Chunk) else Refused(entry, event.text)
