"""Whole sessions of servers as they are, replayed whole, byte by byte and cut at random."""

import asyncio
import hashlib
from dataclasses import dataclass, field

import pytest

from etl.errors import Untrusted
from etl.pop3.connection import Connection
from etl.pop3.login import Account
from etl.pop3.session import InStep, Piece, Session
from tests.pop3 import replay

TIM = Account("server.example.com", 110, "none", "tim", "tanstaaftanstaaf")


@dataclass
class Taken:
    """What a session brought: names and sizes by number, messages believed, what was refused, QUIT's answer."""

    names: dict[int, tuple[str | None, int | None]] = field(default_factory=dict)
    messages: dict[int, bytes] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    quit: tuple[bool, str] | None = None


def play(name: str, cut: replay.Cut, delete: bool) -> Taken:
    """Take all that a server has, and see that all of its transcript was used."""
    line = replay.Line(replay.read(f"sessions/{name}"), cut)
    taken = Taken()

    async def run() -> None:
        connection = Connection(line, line, "replay", 1)  # type: ignore[arg-type]
        await take(await Session.begin(connection, TIM, None), taken, delete)

    try:
        asyncio.run(run())
    finally:
        assert line.left == []
    return taken


async def take(session: Session, taken: Taken, delete: bool) -> None:
    """List, name, retrieve, delete what is believed, QUIT."""
    entries = await session.listing()
    digests = {e.number: d async for e, d in session.digests([e for e in entries if e.uidl is None])}
    taken.names |= {e.number: (e.uidl or digests[e.number], e.octets) for e in entries}
    coming: dict[int, bytes] = {}
    async for got in session.retrieve(entries):
        if isinstance(got, InStep):
            taken.messages |= coming
            coming = {}
        elif isinstance(got, Piece):
            coming[got.entry.number] = coming.get(got.entry.number, b"") + got.data
        else:
            taken.refused.append((got.entry.number, got.text))
    if delete:
        wanted = [e for e in entries if e.number in taken.messages]
        taken.refused += [(r.entry.number, r.text) for r in await session.delete(wanted)]
    taken.quit = await session.quit()


def lines(*texts: str) -> bytes:
    """A message of these lines."""
    return "".join(f"{text}\r\n" for text in texts).encode()


def every_cut(name: str, delete: bool = True) -> Taken:
    """What a transcript gives, which must be the same however it is cut."""
    first, *others = [play(name, cut, delete) for cut in replay.cuts()]
    assert others == [first] * 6
    return first


def test_gmail():
    """A blank UIDL costs one more RETR and keeps no other message away."""
    second = lines("Subject: the second", "", "hello 2")
    taken = every_cut("gmail", delete=False)
    assert taken.names == {
        1: ("GmailId18c0000000000001", 32),
        2: (hashlib.sha256(second).hexdigest(), 32),
        3: ("GmailId18c0000000000003", 34),
    }
    assert taken.messages == {
        1: lines("Subject: the first", "", "hello 01"),
        2: second,
        3: lines("Subject: the third", "", ".hello 003"),
    }
    assert (taken.refused, taken.quit) == ([], (True, "Farewell."))


def test_exchange():
    """Numbers with a gap and sizes that are none: all is taken, after STAT was asked again."""
    taken = every_cut("exchange")
    assert taken.names == {1: ("AAAAAAAAAAAAAAAAAAAAAA==17", 2048), 3: ("AAAAAAAAAAAAAAAAAAAAAA==21", 2072)}
    assert taken.messages == {n: lines(f"Subject: the {w}", "", "hello") for n, w in ((1, "first"), (3, "third"))}
    assert taken.quit == (False, "some deleted messages not removed")


def test_dovecot():
    """More octets than listed, a first dot that is single, and a message that is gone."""
    taken = every_cut("dovecot")
    assert taken.messages == {1: lines("Subject: no line end", "", "hello you"), 3: lines(".first", "", "x")}
    assert taken.refused == [(2, "[SYS/TEMP] Message disappeared.")]
    assert taken.quit == (True, "Logging out, messages deleted.")


def test_pipelining_that_ends_with_the_login():
    """What CAPA says after it holds from then on, and the listing that was asked for by then is taken."""
    taken = every_cut("pipelining_before")
    assert taken.names == {1: ("a", 25), 2: ("b", 25)}
    assert taken.messages == {n: lines(f"Subject: {w}", "", f"hello {n}") for n, w in ((1, "one"), (2, "two"))}
    assert taken.quit == (True, "")


def test_comcast():
    """Blanks around a UIDL are not part of it, blanks inside are."""
    taken = every_cut("comcast")
    assert taken.names == {1: ("20260101 1200 0001", 25), 2: ("20260101 1200 0002", 25)}
    assert taken.messages == {n: lines(f"Subject: {w}", "", f"hello {n}") for n, w in ((1, "one"), (2, "two"))}
    assert taken.refused == [(2, "message is read-only")]


def test_a_minimal_server():
    """No CAPA, no words, sizes of another line end."""
    taken = every_cut("minimal")
    assert taken.names == {n + 1: (f"170000000{n}.{n + 1}.pop.example.com", 23) for n in (0, 1)}
    assert taken.messages == {n: lines(f"Subject: {w}", "", f"hello {n}", "") for n, w in ((1, "one"), (2, "two"))}
    assert taken.quit == (True, "")


def test_a_server_without_uidl():
    """The message is known by its bytes."""
    taken = every_cut("no_uidl")
    message = lines("Subject: one", "", "hello 1")
    assert taken.names == {1: (hashlib.sha256(message).hexdigest(), 25)}
    assert (taken.messages, taken.quit) == ({1: message}, (True, ""))


@pytest.mark.parametrize("cut", list(replay.cuts()))
def test_a_server_that_does_not_double_dots(cut: replay.Cut):
    """Neither the cut message nor the forged one is believed, and nothing is deleted."""
    with pytest.raises(Untrusted, match="answered STAT otherwise than before"):
        play("dot_not_doubled", cut, True)
