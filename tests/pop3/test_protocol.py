"""The protocol core: dialogues whole and byte by byte, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import Untrusted
from etl.pop3.protocol import Chunk, Command, Protocol, Reply, State


def logged_in() -> Protocol:
    """A protocol in TRANSACTION."""
    protocol = Protocol()
    protocol.receive(b"+OK hello\r\n")
    protocol.send(Command("USER", b"ann"))
    protocol.send(Command("PASS", b"secret"))
    protocol.receive(b"+OK\r\n+OK\r\n")
    assert protocol.state is State.TRANSACTION
    return protocol


DIALOGUE = (
    b"+OK 2 9\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\nA: 1\r\n\r\n..dot\r\n+OK forged\r\n.\r\n-ERR gone\r\n+OK bye\r\n"
)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 1000])
def test_pipelined_answers_are_told_apart_however_they_are_cut(cut: int):
    """Five commands in flight: each answer finds its command, and a forged +OK stays in its message."""
    protocol = logged_in()
    for command in (
        Command("STAT"),
        Command("UIDL"),
        Command("RETR", b"1", 1),
        Command("RETR", b"2", 2),
        Command("QUIT"),
    ):
        protocol.send(command)
    events = [e for i in range(0, len(DIALOGUE), cut) for e in protocol.receive(DIALOGUE[i : i + cut])]
    replies = [(e.command.verb, e.command.number, e.ok) for e in events if isinstance(e, Reply)]
    message = b"".join(e.data for e in events if isinstance(e, Chunk))
    assert replies == [("STAT", 0, True), ("UIDL", 0, True), ("RETR", 2, False), ("QUIT", 0, True)]
    assert message == b"A: 1\r\n\r\n.dot\r\n+OK forged\r\n"
    assert protocol.state is State.UPDATE


def test_an_answer_to_nothing_breaks_the_conversation():
    """A lone dot that the server did not double ends the message early; the rest is not believed."""
    protocol = logged_in()
    protocol.send(Command("RETR", b"1", 1))
    with pytest.raises(Untrusted):
        protocol.receive(b"+OK\r\ncut\r\n.\r\n+OK forged mail\r\n")
    assert protocol.state is State.BROKEN
    with pytest.raises(Untrusted):
        protocol.receive(b"+OK\r\n")


def test_commands_out_of_state_are_refused():
    """The table decides: no RETR before the login."""
    protocol = Protocol()
    with pytest.raises(ValueError, match="RETR may not be sent"):
        protocol.send(Command("RETR", b"1"))


@pytest.mark.parametrize("bad", [b"a\r\nDELE 1", b"a\n", b"\0"])
def test_no_argument_becomes_a_second_command(bad: bytes):
    """CR, LF and NUL never reach the wire (CVE-2025-15367)."""
    protocol = Protocol()
    protocol.receive(b"+OK\r\n")
    with pytest.raises(ValueError, match="line break"):
        protocol.send(Command("USER", bad))


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"+OK\r\n", b"-ERR\r\n", b".\r\n", b"\r\n"])))
def test_fuzz_contract(pieces: list[bytes]):
    """Any bytes are events or raise Untrusted, never anything else."""
    protocol = logged_in()
    for verb in ("STAT", "UIDL", "RETR", "QUIT"):
        protocol.send(Command(verb, b"1" if verb == "RETR" else b""))
    try:
        for piece in pieces:
            protocol.receive(piece)
    except Untrusted:
        assert protocol.state is State.BROKEN
