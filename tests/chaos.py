"""A POP3 server that fails by plan, in the ways in which real ones did.

A fault is a frozen value; `ChaosServer.plan` holds the faults of each session to come, in order; once it is
empty, and the server has no `habits`, it is honest. The same plan over the same mail gives the same bytes on the wire.

    with ChaosServer(WatchedMailbox("secret")) as server:
        server.plan.append((On("RETR", 2, Drop(100)), Sizes("small")))
"""

import hashlib
import itertools
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests import pop3_server
from tests.pop3_server import Behaviour, Mailbox, Message, Pop3Server, Reply, body, lines, ok

USER = "ann"
# Long enough to be beyond what any client takes for a reply line.
ENDLESS_BYTES = 80 * 1024
# So many pieces drip, the rest comes at once: a test must not take long.
DRIPS_MAX = 60


@dataclass(frozen=True)
class Drop:
    """The line drops after so many bytes of the answer; None: before the command is even carried out."""

    byte: int | None = None


@dataclass(frozen=True)
class Say:
    """These bytes in place of the answer; the command is not carried out. A refusal, or garbage."""

    data: bytes


@dataclass(frozen=True)
class Endless:
    """A reply line without an end."""


@dataclass(frozen=True)
class Silence:
    """So much of an answer and no more, and the line stays up."""

    data: bytes = b""


@dataclass(frozen=True)
class Drip:
    """The answer comes in pieces of so many bytes, or line by line where that is 0; so the client reads it."""

    octets: int = 0


Act = Drop | Say | Endless | Silence | Drip


@dataclass(frozen=True)
class On:
    """What befalls the answer to the nth command of a verb in a session, from 1; verb "" is the greeting."""

    verb: str
    nth: int
    act: Act


@dataclass(frozen=True)
class Poison:
    """What befalls RETR and TOP of every message that holds these bytes."""

    holds: bytes
    act: Act


@dataclass(frozen=True)
class Sizes:
    """What LIST says of every message; "missing": of every second message nothing."""

    how: Literal["small", "large", "none", "absurd", "missing"]


@dataclass(frozen=True)
class Uidls:
    """What UIDL says.

    twins: one id for all. blank: none for every second. reset: ids that were never seen before and never will
    be again. odd: blanks and high bytes in them. twice: every line is there twice, with different ids.
    """

    how: Literal["twins", "blank", "reset", "odd", "twice"]


@dataclass(frozen=True)
class Shuffled:
    """Other message numbers than in the session before."""

    seed: int


@dataclass(frozen=True)
class Shown:
    """The session sees only the first so many messages; the others come back with the next."""

    messages: int


@dataclass(frozen=True)
class Unstuffed:
    """Dots at the beginning of lines are not doubled, so a line of one dot ends its message on the wire."""


@dataclass(frozen=True)
class Altered:
    """RETR gives other bytes than it gave before: longer ones, or as many."""

    longer: bool


@dataclass(frozen=True)
class Unkept:
    """QUIT is accepted, and what was deleted stays."""


@dataclass(frozen=True)
class Hasty:
    """What was deleted is gone, also if the line drops before QUIT."""


@dataclass(frozen=True)
class Deaf:
    """What comes along with a command is lost, whatever CAPA says of PIPELINING."""


Fault = On | Poison | Sizes | Uidls | Shuffled | Shown | Unstuffed | Altered | Unkept | Hasty | Deaf


class WatchedMailbox(Mailbox):
    """An account that remembers what it ever held and sent, and what DELE took away.

    on_removal: called for each message that DELE takes away, with the SHA-256s of all bytes that it was ever sent as.
    """

    def __init__(self, password: str, raws: Iterable[bytes] = ()):
        self.sent: dict[bytes, set[bytes]] = {}
        self.shown: dict[str, set[bytes]] = {}
        self.removed: list[Message] = []
        self.on_removal: Callable[[set[bytes]], None] = lambda hashes: None
        super().__init__(password, raws)

    def deliver(self, raw: bytes) -> None:
        """Lay a message in."""
        super().deliver(raw)
        self.note(self._messages[-1], self._messages[-1].raw)

    def note(self, message: Message, raw: bytes) -> None:
        """Remember that a message was sent as these bytes."""
        self.sent.setdefault(message.raw, set()).add(hashlib.sha256(raw).digest())

    def show(self, message: Message, uidl: str) -> str:
        """Remember that a message was listed under a UIDL, each byte of which the archive keeps as one character."""
        self.shown.setdefault(uidl.encode().decode("latin-1"), set()).add(message.raw)
        return uidl

    def hashes_under(self, uidl: str) -> set[bytes] | None:
        """The SHA-256s of all that was sent for the messages of a UIDL; None where none was ever listed under it."""
        raws = self.shown.get(uidl)
        return None if raws is None else set().union(*(self.sent[raw] for raw in raws))

    def hashes(self) -> set[bytes]:
        """The SHA-256s of all that was ever held or sent."""
        return set().union(*self.sent.values())

    def remove(self, uidls: Collection[str]) -> None:
        """What QUIT does for those marked by DELE."""
        for message in self._messages:
            if message.uidl in uidls:
                self.removed.append(message)
                self.on_removal(self.sent[message.raw])
        super().remove(uidls)

    def take_away(self, position: int) -> None:
        """Another client deletes a message."""
        del self._messages[position]

    def rename(self, position: int, uidl: str) -> None:
        """Give a message a UIDL that another one had."""
        self._messages[position] = Message(uidl, self._messages[position].raw)

    def migrate(self) -> None:
        """Move to another server: the same mail, and no UIDL that was there before."""
        self._messages = [Message(f"moved-{m.uidl}", m.raw) for m in self._messages]


class ChaosServer(Pop3Server):
    """A server of one mailbox. habits: the faults of every session. plan: those of each session to come."""

    def __init__(self, mailbox: WatchedMailbox, behaviour: Behaviour | None = None):
        super().__init__({USER: mailbox}, behaviour, ChaosSession)
        self.mailbox = mailbox
        self.habits: tuple[Fault, ...] = ()
        self.plan: deque[tuple[Fault, ...]] = deque()
        self.serials = itertools.count(1)


class ChaosSession(pop3_server.Session):
    """One conversation with the faults that were planned for it."""

    server: ChaosServer

    def run(self) -> None:
        """Take the faults that are next, then converse."""
        plan = self.server.plan
        self._faults: tuple[Fault, ...] = (*self.server.habits, *(plan.popleft() if plan else ()))
        self._serial = next(self.server.serials)
        self._said: Counter[str] = Counter()
        super().run()

    def _has(self, *faults: Fault) -> bool:
        return any(fault in self._faults for fault in faults)

    # The answers as a whole.

    def greeting(self) -> Reply:
        """The first line."""
        return self._disturbed("", super().greeting)

    def _answer(self, line: str) -> Reply:
        if self._has(Deaf()):
            self._lines.close()
            self._lines = self._connection.makefile("rb")
        verb, _, argument = line.partition(" ")
        number = self._number(argument.partition(" ")[0]) if verb in ("RETR", "TOP") else 0
        answer = super()._answer
        return self._disturbed(verb.upper(), lambda: answer(line), self.messages[number].raw if number else b"")

    def _disturbed(self, verb: str, answer: Callable[[], Reply], raw: bytes = b"") -> Iterator[bytes]:
        """What comes in place of an answer."""
        self._said[verb] += 1
        acts = [
            f.act for f in self._faults
            if (isinstance(f, On) and (f.verb, f.nth) == (verb, self._said[verb]))
            or (isinstance(f, Poison) and f.holds in raw)
        ]  # fmt: skip
        match acts[0] if acts else None:
            case Drop(None):
                raise pop3_server.Cut
            case Say(data):
                yield data
            case Endless():
                yield b"+OK " + b"x" * ENDLESS_BYTES
            case Silence(data):
                yield data
                self._wait_for_the_end()
            case Drop(byte):
                yield b"".join(_pieces(answer()))[:byte]
                raise pop3_server.Cut
            case Drip(octets):
                yield from _dripping(b"".join(_pieces(answer())), octets)
            case _:
                yield from _pieces(answer())

    def _wait_for_the_end(self) -> None:
        while self._connection.recv(4096):
            pass
        raise pop3_server.Cut

    # What the session sees.

    def _enter(self, user: str, right: bool) -> Reply:
        reply = super()._enter(user, right)
        seen = list(self.messages.values())
        for fault in self._faults:
            if isinstance(fault, Shuffled):
                random.Random(fault.seed).shuffle(seen)
            if isinstance(fault, Shown):
                seen = seen[: fault.messages]
        self.messages = dict(enumerate(seen, 1))
        return reply

    def size_of(self, number: int) -> object:
        """What LIST says."""
        octets = len(self.messages[number].raw)
        how = next((f.how for f in self._faults if isinstance(f, Sizes)), None)
        return {"small": octets // 2, "large": octets * 3 + 7, "none": "", "absurd": 10**30}.get(how or "", octets)

    def reply_list(self, argument: str) -> Reply:
        """Sizes, of some messages or of all."""
        if argument or not self._has(Sizes("missing")):
            return super().reply_list(argument)
        return lines("some of them", [f"{number} {self.size_of(number)}" for number in self._held() if number % 2])

    def uidl_of(self, number: int) -> object:
        """What UIDL says."""
        message = self.messages[number]
        return self.server.mailbox.show(message, self._uidl(number, message.uidl))

    def _uidl(self, number: int, uidl: str) -> str:
        if self._has(Uidls("twins")):
            return "the one"
        if self._has(Uidls("blank")) and number % 2:
            return ""
        if self._has(Uidls("reset")):
            return f"{self._serial}-{uidl}"
        return f"{uidl} \xe9 \xff" if self._has(Uidls("odd")) else uidl

    def reply_uidl(self, argument: str) -> Reply:
        """Unique ids."""
        if argument or not self._has(Uidls("twice")):
            return super().reply_uidl(argument)
        return lines("twice", [f"{n} {self.uidl_of(n)}{again}" for n in self._held() for again in ("", "-again")])

    # Messages.

    def retrieve(self, number: int) -> Reply:
        """A message, or what is sent in its place."""
        message = self.messages[number]
        raw = message.raw
        if self._has(Altered(longer=True)):
            raw = b"X-Read: %06d\r\n" % self._serial + raw
        elif self._has(Altered(longer=False)):
            raw = raw.replace(b"hello", b"%05d" % self._serial, 1)
        self.server.mailbox.note(message, raw)
        if self._has(Unstuffed()):
            # What a client makes of a line with two dots: this server means both of them.
            self.server.mailbox.note(message, (b"\r\n" + raw).replace(b"\r\n..", b"\r\n.")[2:])
            return [ok(f"{len(raw)} octets"), raw, b".\r\n"]
        return body(f"{len(raw)} octets", raw)

    # The end.

    def reply_quit(self, argument: str) -> Reply:
        """Carries out the deletions, or says so."""
        if self._has(Unkept()):
            self.deleted.clear()
        return super().reply_quit(argument)

    def _leave(self) -> None:
        if self.user is not None and self._has(Hasty()):
            self.server.mailbox.remove({self.messages[n].uidl for n in self.deleted})
        super()._leave()


def _pieces(reply: Reply) -> Iterable[bytes]:
    return [reply] if isinstance(reply, bytes) else reply


def _dripping(data: bytes, octets: int) -> Iterator[bytes]:
    pieces = [data[at : at + octets] for at in range(0, len(data), octets)] if octets else data.splitlines(True)
    for piece in pieces[:DRIPS_MAX]:
        yield piece
        time.sleep(0.0005)
    yield b"".join(pieces[DRIPS_MAX:])
