"""The protocol core: dialogues whole and byte by byte, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import Untrusted
from etl.pop3.protocol import NEXT, RESPONSE, SECRET, Chunk, Command, Protocol, Reply, State


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
    """A lone dot that the server did not double ends the message early; the rest is not believed.

    What was complete before is given first: it is told from what was under way when the doubt arose.
    """
    protocol = logged_in()
    retr = Command("RETR", b"1", 1)
    protocol.send(retr)
    assert protocol.receive(b"+OK\r\ncut\r\n.\r\n+OK forged mail\r\n") == [Chunk(retr, b"cut\r\n", True)]
    assert protocol.state is State.BROKEN
    for _ in range(2):
        with pytest.raises(Untrusted, match="not asked for"):
            protocol.receive(b"+OK\r\n")
        with pytest.raises(Untrusted, match="not asked for"):
            protocol.send(Command("QUIT"))


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


def greeted() -> Protocol:
    """A protocol in AUTHORIZATION."""
    protocol = Protocol()
    protocol.receive(b"+OK hello\r\n")
    return protocol


def test_a_challenge_is_answered_without_a_verb():
    """AUTH goes to and fro between challenge and response; the last answer decides the state."""
    protocol = greeted()
    assert protocol.send(Command("AUTH", b"LOGIN")) == b"AUTH LOGIN\r\n"
    (challenge,) = protocol.receive(b"+ VXNlcg==\r\n")
    assert (challenge.challenge, challenge.ok, protocol.state) == (b"VXNlcg==", False, State.CHALLENGED)
    assert protocol.send(Command(RESPONSE, b"YW5u")) == b"YW5u\r\n"
    assert protocol.receive(b"+\r\n")[0].challenge == b""
    assert protocol.send(Command(RESPONSE)) == b"\r\n"
    assert protocol.receive(b"-ERR no\r\n")[0].challenge is None
    assert protocol.state is State.AUTHORIZATION
    protocol.send(Command("AUTH", b"PLAIN AGFubgB4"))
    protocol.receive(b"+OK\r\n")
    assert protocol.state is State.TRANSACTION


@pytest.mark.parametrize("command", [Command("USER", b"ann"), Command("CAPA"), Command("QUIT")])
def test_a_challenge_to_anything_but_auth_is_not_believed(command: Command):
    """Only AUTH asks back."""
    protocol = greeted()
    protocol.send(command)
    with pytest.raises(Untrusted):
        protocol.receive(b"+ \r\n")


def test_a_response_waits_for_its_challenge():
    """None before the challenge, and one only."""
    protocol = greeted()
    protocol.send(Command("AUTH", b"LOGIN"))
    with pytest.raises(ValueError, match="may not be sent"):
        protocol.send(Command(RESPONSE, b"YW5u"))
    protocol.receive(b"+ \r\n")
    protocol.send(Command(RESPONSE, b"YW5u"))
    with pytest.raises(ValueError, match="waits for its challenge"):
        protocol.send(Command(RESPONSE, b"YW5u"))


def test_an_acceptance_that_the_table_does_not_know_breaks_the_conversation():
    """STAT after QUIT was accepted: sent in time, but there is nothing left to ask."""
    protocol = logged_in()
    protocol.send(Command("QUIT"))
    protocol.send(Command("STAT"))
    assert len(protocol.receive(b"+OK bye\r\n+OK 0 0\r\n")) == 1
    with pytest.raises(Untrusted, match="accepted STAT in state update"):
        protocol.receive(b"")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (Command("PASS", b"hidden"), "PASS ***"),
        (Command("AUTH", b"PLAIN hidden"), "AUTH PLAIN ***"),
        (Command("AUTH", b"CRAM-MD5"), "AUTH CRAM-MD5"),
        (Command("APOP", b"ann hidden"), "APOP ann ***"),
        (Command(RESPONSE, b"hidden"), "(response) ***"),
        (Command("USER", b"ann"), "USER ann"),
        (Command("RETR", b"1", 1), "RETR 1"),
    ],
)
def test_a_command_shows_no_secret(command: Command, shown: str):
    """Neither in the wire log nor in a repr, its own or that of its reply."""
    assert command.shown == shown
    assert repr(command) == f"Command({shown!r})"
    assert "hidden" not in repr(Reply(command, False, "no"))


@pytest.mark.parametrize("command", [Command("PASS", b"hidden"), Command("AUTH", b"PLAIN hidden")])
def test_a_secret_that_the_server_sends_back_is_cut_out(command: Command):
    """Some servers repeat what they do not understand; their words go into logs and into the database."""
    protocol = greeted()
    protocol.send(command)
    (reply,) = protocol.receive(b"-ERR unknown: hidden\r\n")
    assert reply.text == "unknown: ***"
    assert "hidden" not in repr(reply)


@given(
    st.lists(st.sampled_from(sorted({verb for _, verb in NEXT if verb}))),
    st.lists(st.binary(max_size=20) | st.sampled_from([b"+OK\r\n", b"-ERR\r\n", b".\r\n", b"+ eA==\r\n", b"1 a\r\n"])),
)
def test_fuzz_contract_with_any_commands(verbs: list[str], pieces: list[bytes]):
    """Whatever was sent in whatever order, garbage is events or Untrusted; commands are sent or a ValueError."""
    protocol = greeted()
    for verb, piece in zip(verbs, pieces, strict=False):
        try:
            protocol.send(Command(verb, b"x" if verb in SECRET else b""))
        except ValueError:
            continue
        try:
            protocol.receive(piece)
        except Untrusted:
            assert protocol.state is State.BROKEN
            return
