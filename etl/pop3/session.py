"""One POP3 session, from login to QUIT: what the pipeline uses.

Knows the order of things and the meaning of refusals; no database, no clock of its own.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from etl.pop3 import auth, refusals
from etl.pop3.connection import Connection, OnWire, tls_context
from etl.pop3.login import Account, Greeted, ask, log_in, reply_to
from etl.pop3.protocol import Chunk, Command, Reply
from etl.pop3.replies import Listed, join_listing, offers

# What may be asked for ahead of its answer. 4 MiB covers 300 Mbit/s at 100 ms; 256 commands are
# about 3 kB, which Dovecot takes while we read (it buffers 2 KiB and the socket holds the rest).
WINDOW_OCTETS = 4 * 1024 * 1024
WINDOW_COMMANDS = 256


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
    async def open(cls, account: Account, on_wire: OnWire | None = None) -> "Session":
        """Connect, secure, log in. on_wire: takes the wire log, line by line, without any secret.

        Raises Misconfigured before anything is sent where the credential cannot be; Stop when credential
        or certificate is refused, Retry when the server is busy or away, Untrusted when it does not speak POP3.
        """
        auth.check(account.credential)
        context = tls_context(account.ca_file) if account.tls != "none" else None
        implicit = context if account.tls == "implicit" else None
        connection = await Connection.open(
            account.host, account.port, implicit, idle_seconds_max=account.idle_seconds_max, on_wire=on_wire
        )
        try:
            greeted = await log_in(connection, account, context)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, account, greeted)

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before earlier answers came (RFC 2449 section 6.6)."""
        return offers(self.greeted.capabilities, "PIPELINING")

    async def listing(self) -> list[Listed]:
        """What the mailbox holds, a message without a unique id too.

        UIDL is asked for whatever CAPA says: some servers have it and hide it. Raises Busy or Stop where
        one of the three commands is refused (Hotmail tells at STAT that the last login was too short ago).
        """
        replies = await self._ask(Command("STAT"), Command("UIDL"), Command("LIST"))
        for reply in replies:
            if not reply.ok:
                delay = self.greeted.login_delay_seconds
                raise refusals.failure(f"{self._account} refused {reply.command.verb}", reply.text, delay)
        _, uidl, sizes = replies
        return join_listing(uidl.body, sizes.body)

    async def retrieve(self, entries: Sequence[Listed]) -> AsyncIterator[Piece | Refused]:
        """RETR each entry in order, and yield its bytes as they come.

        With PIPELINING, a window of WINDOW_OCTETS is asked for ahead; without, one at a time.
        """
        waiting, flying = deque(entries), deque[Listed]()
        while waiting or flying:
            self._connection.send(*(Command("RETR", b"%d" % e.number, e.number) for e in self._refill(waiting, flying)))
            event = await self._connection.event()
            entry = flying[0]
            if isinstance(event, Chunk):
                if event.last:
                    flying.popleft()
                yield Piece(entry, event.data, event.last)
            else:
                flying.popleft()
                yield Refused(entry, event.text)

    def _refill(self, waiting: deque[Listed], flying: deque[Listed]) -> list[Listed]:
        """Move into `flying` what the window has room for, once it is half empty."""
        limit = WINDOW_COMMANDS if self.pipelining else 1
        if len(flying) > limit // 2:
            return []
        octets = sum(entry.octets or 0 for entry in flying)
        if octets > WINDOW_OCTETS // 2:
            return []
        sent: list[Listed] = []
        while waiting and len(flying) < limit:
            octets += waiting[0].octets or 0
            if flying and octets > WINDOW_OCTETS:
                break
            flying.append(waiting.popleft())
            sent.append(flying[-1])
        return sent

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
