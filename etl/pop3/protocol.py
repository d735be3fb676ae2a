"""The POP3 protocol core: which command may follow which, what each answer is (RFC 1939, 5034).

Sans-I/O: `send` gives the bytes to write, `receive` takes the bytes read and gives events.
Fuzz contract: any bytes are either events or raise Untrusted, never anything else.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from etl.errors import Untrusted
from etl.pop3.framing import Framer
from etl.pop3.replies import readable, status

# A million messages at 64 bytes a line; what is longer is no listing that we could hold.
LISTING_BYTES_MAX = 64 * 1024 * 1024
# A header block that TOP shows. Some servers answer TOP with the whole message.
HEAD_BYTES_MAX = 1024 * 1024


class State(Enum):
    """The session states of RFC 1939 section 3, AUTH's waiting for a response, and the two ends."""

    GREETING = "greeting"
    AUTHORIZATION = "authorization"
    CHALLENGED = "challenged"
    TRANSACTION = "transaction"
    UPDATE = "update"
    BROKEN = "broken"


# The line that answers a challenge of AUTH; it has no verb on the wire (RFC 5034 section 4).
RESPONSE = "(response)"

# (state, verb): the state after +OK. A verb that is not here may not be sent in that state.
NEXT = {
    (State.GREETING, ""): State.AUTHORIZATION,
    (State.AUTHORIZATION, "CAPA"): State.AUTHORIZATION,
    (State.AUTHORIZATION, "STLS"): State.AUTHORIZATION,
    (State.AUTHORIZATION, "USER"): State.AUTHORIZATION,
    (State.AUTHORIZATION, "PASS"): State.TRANSACTION,
    (State.AUTHORIZATION, "APOP"): State.TRANSACTION,
    (State.AUTHORIZATION, "AUTH"): State.TRANSACTION,
    (State.CHALLENGED, RESPONSE): State.TRANSACTION,
    (State.AUTHORIZATION, "UTF8"): State.AUTHORIZATION,
    (State.AUTHORIZATION, "QUIT"): State.UPDATE,
    (State.TRANSACTION, "CAPA"): State.TRANSACTION,
    (State.TRANSACTION, "STAT"): State.TRANSACTION,
    (State.TRANSACTION, "UIDL"): State.TRANSACTION,
    (State.TRANSACTION, "LIST"): State.TRANSACTION,
    (State.TRANSACTION, "RETR"): State.TRANSACTION,
    (State.TRANSACTION, "TOP"): State.TRANSACTION,
    (State.TRANSACTION, "DELE"): State.TRANSACTION,
    (State.TRANSACTION, "QUIT"): State.UPDATE,
}

# The state after "+": only what is here may be answered so.
NEXT_IF_CHALLENGED = {
    (State.AUTHORIZATION, "AUTH"): State.CHALLENGED,
    (State.CHALLENGED, RESPONSE): State.CHALLENGED,
}
# The state after -ERR, where it is another.
NEXT_IF_REFUSED = {
    (State.GREETING, ""): State.UPDATE,
    (State.CHALLENGED, RESPONSE): State.AUTHORIZATION,
}

# Verbs whose +OK is followed by a multi-line body; we never send LIST or UIDL with an argument.
LISTING = frozenset({"CAPA", "UIDL", "LIST", "TOP"})
STREAMED = frozenset({"RETR"})
# What these send is, or is made from, a password or a token; it is never shown.
SECRET = frozenset({"PASS", "APOP", "AUTH", RESPONSE})


@dataclass(frozen=True, slots=True)
class Command:
    """One command line. `argument` is sent as it is and must hold no CR, LF or NUL."""

    verb: str
    argument: bytes = b""
    number: int = 0

    @property
    def line(self) -> bytes:
        """What goes over the wire."""
        if self.verb == RESPONSE:
            return self.argument + b"\r\n"
        return self.verb.encode() + (b" " + self.argument if self.argument else b"") + b"\r\n"

    @property
    def shown(self) -> str:
        """The line for a person, with *** in place of any secret."""
        if self.verb not in SECRET:
            return readable(self.line[:-2])
        # The first word of AUTH is the mechanism, that of APOP the user.
        word, blank, _ = self.argument.partition(b" ")
        if self.verb == "AUTH":
            return f"AUTH {readable(word)}{' ***' if blank else ''}"
        return f"APOP {readable(word)} ***" if self.verb == "APOP" else f"{self.verb} ***"

    def __repr__(self) -> str:
        return f"Command({self.shown!r})"


GREETING = Command("")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is complete: a status line, with the body of a listing where there is one.

    text: the server's words, without what we sent in secret (some servers send a bad line back).
    line: the whole status line; empty where the command held a secret.
    challenge: what AUTH wants a response to, in base64 as it came; None in an answer that is final.
    """

    command: Command
    ok: bool
    text: str
    body: bytes = b""
    line: bytes = b""
    challenge: bytes | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next bytes of a message, unstuffed; `last` on the piece that completes it."""

    command: Command
    data: bytes
    last: bool


Event = Reply | Chunk


class Protocol:
    """One POP3 conversation, seen from the client."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self._framer = Framer()
        self._waiting = deque([GREETING])
        self._body_of: Reply | None = None
        self._body = bytearray()
        self._doubt = Untrusted("the conversation was broken off before")

    @property
    def unread(self) -> int:
        """Bytes that came and belong to no answer yet; before STLS there must be none."""
        return self._framer.held

    def send(self, command: Command) -> bytes:
        """The bytes of a command, which from now on waits for its answer.

        Raises ValueError for what may not be sent: out of state, or a line break in the argument; Untrusted once
        the conversation is over by a doubt.
        """
        if self.state is State.BROKEN:
            raise self._doubt
        if (self.state, command.verb) not in NEXT or not command.verb:
            raise ValueError(f"{command.verb} may not be sent in state {self.state.value}")
        if command.verb == RESPONSE and self._waiting:
            raise ValueError("a response was sent already; the next one waits for its challenge")
        if set(command.argument) & set(b"\r\n\0"):
            raise ValueError(f"{command.verb} has a line break or NUL in its argument")
        self._waiting.append(command)
        return command.line

    def receive(self, data: bytes) -> list[Event]:
        """The events that these bytes complete.

        Raises Untrusted when they are no answer to what was asked; the conversation is over then. Events that
        were complete before the doubt are given first, and it is raised at the next call.
        """
        events: list[Event] = []
        self._framer.feed(data)
        try:
            while (event := self._next()) is not None:
                events.append(event)
        except Untrusted as doubt:
            self.state, self._doubt = State.BROKEN, doubt
            if not events:
                raise
        return events

    def _next(self) -> Event | None:
        if self.state is State.BROKEN:
            raise self._doubt
        if self._body_of:
            return self._next_of_body(self._body_of)
        if not self._waiting:
            if self._framer.held and self.state is not State.UPDATE:
                raise Untrusted("the server sent something that was not asked for")
            return None
        line = self._framer.line()
        if line is None:
            return None
        command = self._waiting[0]
        # A challenge is "+", or "+ " and base64; +OK and anything else is left to `status`.
        if (self.state, command.verb) in NEXT_IF_CHALLENGED and line[:2] in (b"+", b"+ "):
            return self._finish(Reply(command, False, "", challenge=line[2:]))
        ok, text = status(line)
        if command.verb in SECRET:
            reply = Reply(command, ok, _without_secret(text, command))
        else:
            reply = Reply(command, ok, text, line=line)
        if ok and command.verb in LISTING | STREAMED:
            self._framer.open_body()
            self._body_of = reply
            return self._next_of_body(reply)
        return self._finish(reply)

    def _next_of_body(self, reply: Reply) -> Event | None:
        data, last = self._framer.body()
        if reply.command.verb in STREAMED:
            if last:
                self._body_of = None
                self._finish(reply)
            return Chunk(reply.command, data, last) if data or last else None
        self._body += data
        bytes_max = HEAD_BYTES_MAX if reply.command.verb == "TOP" else LISTING_BYTES_MAX
        if len(self._body) > bytes_max:
            raise Untrusted(f"{reply.command.verb} answered over {bytes_max} bytes")
        if not last:
            return None
        body = bytes(self._body)
        self._body_of, self._body = None, bytearray()
        return self._finish(Reply(reply.command, True, reply.text, body, reply.line))

    def _finish(self, reply: Reply) -> Reply:
        self._waiting.popleft()
        step = (self.state, reply.command.verb)
        if reply.challenge is not None:
            self.state = NEXT_IF_CHALLENGED[step]
        elif not reply.ok:
            self.state = NEXT_IF_REFUSED.get(step, self.state)
        elif step in NEXT:
            self.state = NEXT[step]
        else:
            raise Untrusted(f"the server accepted {reply.command.verb} in state {self.state.value}")
        return reply


def _without_secret(text: str, command: Command) -> str:
    """A server's words without what was sent in secret: some send back a line they do not understand."""
    if command.verb not in SECRET:
        return text
    secret = command.argument
    if command.verb in ("AUTH", "APOP"):
        secret = secret.partition(b" ")[2]
    return text.replace(readable(secret), "***") if secret else text
