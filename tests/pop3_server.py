"""A small POP3 server on loopback: RFC 1939, CAPA and PIPELINING of RFC 2449, STLS of RFC 2595.

Mailboxes and behaviour are plain values, and each reply is one method of `Session`. To have a server
that misbehaves, override the method: return other bytes, yield some of them and raise `Cut`, or sleep.

    with Pop3Server({"ann": Mailbox("secret", [b"Subject: hello\\n\\nhello\\n"])}) as server:
        poplib.POP3("127.0.0.1", server.port)
"""

import hashlib
import socket
import socketserver
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# RFC 2449 section 4: a command has at most 255 octets.
COMMAND_BYTES_MAX = 255
# RFC 1939 section 3: an idle client may be dropped after ten minutes, not before.
IDLE_SECONDS_MAX = 600
PIECE_BYTES = 64 * 1024

AUTHORIZATION = ("CAPA", "USER", "PASS", "APOP", "STLS", "QUIT")
TRANSACTION = ("CAPA", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET", "NOOP", "QUIT")

Reply = bytes | Iterable[bytes]


class Cut(Exception):
    """What a reply raises to drop the connection then and there, without another byte."""


@dataclass(frozen=True)
class Message:
    """One message as the server holds it: CRLF at the end of every line, dots not stuffed."""

    uidl: str
    raw: bytes


class Mailbox:
    """One account: its password, and its messages in order."""

    def __init__(self, password: str, raws: Iterable[bytes] = ()):
        self.password = password
        self._messages: list[Message] = []
        self._copies: Counter[str] = Counter()
        for raw in raws:
            self.deliver(raw)

    def deliver(self, raw: bytes) -> None:
        """Lay a message in, under an id of its own: a hash, and which copy of these bytes it is."""
        raw = wire(raw)
        name = hashlib.sha256(raw).hexdigest()[:24]
        self._copies[name] += 1
        self._messages.append(Message(f"{name}.{self._copies[name]}", raw))

    def messages(self) -> list[Message]:
        """What a session that begins now will see."""
        return list(self._messages)

    def remove(self, uidls: Collection[str]) -> None:
        """Forget messages: what QUIT does with those marked by DELE."""
        self._messages = [message for message in self._messages if message.uidl not in uidls]


class Folder(Mailbox):
    """An account whose messages are the .eml files of a folder, by name; what is deleted is unlinked."""

    def __init__(self, password: str, folder: Path):
        super().__init__(password)
        self.folder = folder

    def messages(self) -> list[Message]:
        """What the folder holds now."""
        return [Message(uidl, wire(path.read_bytes())) for uidl, path in self._paths().items()]

    def remove(self, uidls: Collection[str]) -> None:
        """Unlink the files."""
        for uidl, path in self._paths().items():
            if uidl in uidls:
                path.unlink()

    def _paths(self) -> dict[str, Path]:
        return {hashlib.sha256(p.name.encode()).hexdigest()[:24]: p for p in sorted(self.folder.glob("*.eml"))}


def wire(raw: bytes) -> bytes:
    """A message as it travels: every LF becomes CRLF, and the last line ends with one."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


@dataclass(frozen=True)
class Behaviour:
    """What the standards leave to a server.

    banner: the greeting's words. apop, capa, pipelining, uidl, top: whether it knows them.
    failed_logins_max: after so many it hangs up.
    """

    banner: str = "the popvault test server is ready"
    apop: bool = True
    capa: bool = True
    pipelining: bool = True
    uidl: bool = True
    top: bool = True
    failed_logins_max: int = 3


class Pop3Server(socketserver.ThreadingTCPServer):
    """A server on a free port of loopback, up inside `with`.

    tls: a server's context, for STLS, or with `implicit_tls` from the first byte; None for clear text only.
    session: the class of the conversations; a subclass is how a server misbehaves.
    """

    allow_reuse_address = True

    def __init__(
        self, mailboxes: Mapping[str, Mailbox], behaviour: Behaviour | None = None,
        session: type["Session"] | None = None, tls: ssl.SSLContext | None = None, implicit_tls: bool = False,
    ):  # fmt: skip
        self.mailboxes = mailboxes
        self.behaviour = behaviour or Behaviour()
        self.session = session or Session
        self.tls, self.implicit_tls = tls, implicit_tls
        self.commands: list[str] = []  # every command line of every session, passwords left out
        self._lock = threading.Lock()
        self._in_use: set[str] = set()
        self._sessions: set[Session] = set()
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.port = int(self.server_address[1])

    def __enter__(self) -> "Pop3Server":
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        with self._lock:
            for session in self._sessions:
                session.hang_up()
        self.server_close()  # waits for the sessions' threads

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Hold one conversation."""
        request.settimeout(IDLE_SECONDS_MAX)
        # A reply may be several writes; without this each would wait for the client's acknowledgement.
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        session = self.session(self, request)
        with self._lock:
            self._sessions.add(session)
        try:
            session.run()
        except (OSError, Cut):
            pass  # the client hung up, or a reply wanted to
        finally:
            with self._lock:
                self._sessions.discard(session)

    def take(self, user: str) -> bool:
        """Whether the mailbox is now this session's alone (RFC 1939 section 4: exclusive access)."""
        with self._lock:
            if user in self._in_use:
                return False
            self._in_use.add(user)
            return True

    def free(self, user: str) -> None:
        """Let the next session have the mailbox."""
        with self._lock:
            self._in_use.discard(user)


class Session:
    """One conversation. `reply_stat` answers STAT, and so on: bytes, or pieces that are sent one by one."""

    def __init__(self, server: Pop3Server, connection: socket.socket):
        self.server, self.behaviour = server, server.behaviour
        self.user: str | None = None
        self.messages: dict[int, Message] = {}
        self.deleted: set[int] = set()
        self.timestamp = f"<{threading.get_ident()}.{time.monotonic_ns()}@localhost>"
        self._named: str | None = None
        self._failed_logins = 0
        self._open = True
        self._connection = connection

    def run(self) -> None:
        """Greet, then answer until QUIT or until the line is cut."""
        try:
            self._use(self.server.tls if self.server.implicit_tls else None)
            self.send(self.greeting())
            while self._open:
                line = self._lines.readline(COMMAND_BYTES_MAX + 1)
                if not line.endswith(b"\n"):
                    break  # the client is gone, or its command too long to be one
                self.send(self._answer(line.rstrip(b"\r\n").decode("utf-8", "replace")))
        finally:
            self._leave()
            self._connection.close()

    def send(self, reply: Reply) -> None:
        """Write an answer; the place to drip, to tear or to hold back."""
        for piece in [reply] if isinstance(reply, bytes) else reply:
            self._connection.sendall(piece)

    def hang_up(self) -> None:
        """End the conversation from outside; its thread then ends by itself."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _use(self, tls: ssl.SSLContext | None) -> None:
        if tls:
            self._connection = tls.wrap_socket(self._connection, server_side=True)
        self._lines = self._connection.makefile("rb")

    def _answer(self, line: str) -> Reply:
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        self.server.commands.append(verb if verb in ("PASS", "APOP") else line)
        allowed = AUTHORIZATION if self.user is None else TRANSACTION
        if verb not in allowed:
            known = verb in AUTHORIZATION + TRANSACTION
            return err(f"{verb} may not be said now") if known else err("unknown command")
        reply: Reply = getattr(self, f"reply_{verb.lower()}")(argument)
        return reply

    # In AUTHORIZATION.

    def greeting(self) -> Reply:
        """The first line, with a timestamp where APOP is on."""
        return ok(f"{self.behaviour.banner} {self.timestamp}" if self.behaviour.apop else self.behaviour.banner)

    def reply_capa(self, argument: str) -> Reply:
        """RFC 2449 section 5."""
        return lines("capabilities", self.capabilities()) if self.behaviour.capa else err("unknown command")

    def capabilities(self) -> list[str]:
        """What CAPA lists in this state."""
        offered = {
            "USER": True,
            "TOP": self.behaviour.top,
            "UIDL": self.behaviour.uidl,
            "PIPELINING": self.behaviour.pipelining,
            "RESP-CODES": True,
            "AUTH-RESP-CODE": True,
            "STLS": self.server.tls is not None and self.user is None and not self._is_encrypted(),
            "IMPLEMENTATION popvault-test": True,
        }
        return [name for name, offers in offered.items() if offers]

    def reply_stls(self, argument: str) -> Reply:
        """RFC 2595 section 4. What was pipelined behind STLS is thrown away with the old line buffer."""
        if self.server.tls is None or self._is_encrypted():
            return err("no TLS here")
        self.send(ok("begin TLS now"))
        self._lines.close()
        self._use(self.server.tls)
        self._named = None
        return b""

    def reply_user(self, argument: str) -> Reply:
        """Any name is welcome: the answer does not tell which exist."""
        self._named = argument
        return ok("now the password")

    def reply_pass(self, argument: str) -> Reply:
        """A password may hold blanks: all of the line is the password."""
        if self._named is None:
            return err("USER first")
        mailbox = self.server.mailboxes.get(self._named)
        return self._enter(self._named, mailbox is not None and mailbox.password == argument)

    def reply_apop(self, argument: str) -> Reply:
        """RFC 1939 section 7."""
        if not self.behaviour.apop:
            return err("unknown command")
        name, _, digest = argument.rpartition(" ")
        mailbox = self.server.mailboxes.get(name)
        password = mailbox.password if mailbox else ""
        expected = hashlib.md5((self.timestamp + password).encode(), usedforsecurity=False).hexdigest()
        return self._enter(name, mailbox is not None and digest == expected)

    def _enter(self, user: str, right: bool) -> Reply:
        self._named = None
        if not right:
            self._failed_logins += 1
            self._open = self._failed_logins < self.behaviour.failed_logins_max
            return self.refusal(user)
        if not self.server.take(user):
            return err("another session has this mailbox open", "IN-USE")
        self.user = user
        self.messages = dict(enumerate(self.server.mailboxes[user].messages(), 1))
        return ok(f"{len(self.messages)} messages")

    def refusal(self, user: str) -> Reply:
        """The answer to a wrong name or password (RFC 3206)."""
        return err("wrong name or password", "AUTH")

    # In TRANSACTION.

    def reply_stat(self, argument: str) -> Reply:
        """Messages and octets, without those marked as deleted."""
        held = self._held()
        return ok(f"{len(held)} {sum(len(m.raw) for m in held.values())}")

    def reply_list(self, argument: str) -> Reply:
        """Sizes, of one message or of all."""
        return self._scan(argument, self.size_of)

    def reply_uidl(self, argument: str) -> Reply:
        """Unique ids, of one message or of all."""
        return self._scan(argument, self.uidl_of) if self.behaviour.uidl else err("unknown command")

    def size_of(self, number: int) -> object:
        """What LIST says of a message."""
        return len(self.messages[number].raw)

    def uidl_of(self, number: int) -> object:
        """What UIDL says of a message."""
        return self.messages[number].uidl

    def reply_retr(self, argument: str) -> Reply:
        """A whole message."""
        number = self._number(argument)
        return self.retrieve(number) if number else err("no such message")

    def retrieve(self, number: int) -> Reply:
        """The answer to RETR of a message that is there."""
        raw = self.messages[number].raw
        return body(f"{len(raw)} octets", raw)

    def reply_top(self, argument: str) -> Reply:
        """The headers and the first lines of the body."""
        asked, _, count = argument.partition(" ")
        number = self._number(asked)
        if not self.behaviour.top or not number or not count.isdecimal():
            return err("no such message, or no number of lines")
        head, blank, rest = self.messages[number].raw.partition(b"\r\n\r\n")
        first = b"".join(line + b"\r\n" for line in rest.split(b"\r\n")[:-1][: int(count)])
        return body("the top of it", head + blank + first if blank else head)

    def reply_dele(self, argument: str) -> Reply:
        """Marked now, gone at QUIT."""
        number = self._number(argument)
        if not number:
            return err("no such message")
        self.deleted.add(number)
        return ok(f"message {number} will be deleted")

    def reply_rset(self, argument: str) -> Reply:
        """Take the marks back."""
        self.deleted.clear()
        return ok(f"{len(self.messages)} messages")

    def reply_noop(self, argument: str) -> Reply:
        """Nothing, gladly."""
        return ok()

    def reply_quit(self, argument: str) -> Reply:
        """The only way to UPDATE, and so to a deletion (RFC 1939 section 6)."""
        self._open = False
        if self.user is not None:
            self.server.mailboxes[self.user].remove({self.messages[n].uidl for n in self.deleted})
        self._leave()  # before the answer: who reads it may come back at once
        return ok("bye")

    def _leave(self) -> None:
        if self.user is not None:
            self.server.free(self.user)
            self.user = None

    def _held(self) -> dict[int, Message]:
        return {number: message for number, message in self.messages.items() if number not in self.deleted}

    def _number(self, argument: str) -> int:
        """The message number meant, or 0 where there is no such message."""
        number = int(argument) if argument.isascii() and argument.isdecimal() else 0
        return number if number in self._held() else 0

    def _scan(self, argument: str, of: Callable[[int], object]) -> Reply:
        if not argument:
            return lines(f"{len(self._held())} messages", [f"{number} {of(number)}" for number in self._held()])
        number = self._number(argument)
        return ok(f"{number} {of(number)}") if number else err("no such message")

    def _is_encrypted(self) -> bool:
        return isinstance(self._connection, ssl.SSLSocket)


def ok(text: str = "") -> bytes:
    """A reply that accepts."""
    return f"+OK {text}".rstrip().encode() + b"\r\n"


def err(text: str, code: str | None = None) -> bytes:
    """A reply that refuses, with a response code of RFC 2449 section 8 where there is one."""
    return (f"-ERR [{code}] {text}" if code else f"-ERR {text}").encode() + b"\r\n"


def lines(text: str, found: Iterable[str]) -> bytes:
    """A multi-line reply of short lines."""
    return b"".join([ok(text), *(f"{line}\r\n".encode() for line in found), b".\r\n"])


def body(text: str, raw: bytes) -> Iterator[bytes]:
    """A multi-line reply that holds a message, dots stuffed, in pieces; raw ends with CRLF."""
    yield ok(text)
    stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
    for start in range(0, len(stuffed), PIECE_BYTES):
        yield stuffed[start : start + PIECE_BYTES]
    yield b".\r\n"
