"""What other retrievers lost, forged, repeated or stumbled over, tried on ours: failures from the field."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.errors import Busy, Retry
from tests.archivist import LETTERS, Archivist, commands, hashes
from tests.chaos import (
    Act,
    Altered,
    ChaosServer,
    Drop,
    Endless,
    Fault,
    Hasty,
    On,
    Poison,
    Say,
    Shuffled,
    Silence,
    Uidls,
    Unkept,
    WatchedMailbox,
)
from tests.pop3_server import Behaviour

IN_USE = Say(b"-ERR [IN-USE] another session has this mailbox open\r\n")


@pytest.fixture
def archivist(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archivist:
    """An empty archive and who fills it, without long waits between sessions."""
    monkeypatch.setattr("etl.pipeline.BACKOFF_SECONDS", 0.01)
    return Archivist(engine, tmp_path)


def serve(*raws: bytes, pipelining: bool = True) -> ChaosServer:
    """A server that holds these messages."""
    return ChaosServer(WatchedMailbox("secret", raws), Behaviour(pipelining=pipelining))


def by_uidl(archivist: Archivist) -> dict[str, bytes]:
    """The SHA-256 of the message that each UIDL turned out to be."""
    query = "select uidl, sha256 from mart.delivery join archive.message using (message_id)"
    with archivist.engine.connect() as connection:
        return {uidl: bytes(sha256) for uidl, sha256 in connection.execute(text(query))}


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("octets", [3000, 10_000_000])
def test_a_long_line_hides_no_answer(archivist: Archivist, octets: int, pipelining: bool):
    """A line beyond a reader's limit, then "+OK" and headers: a reader that gives up there files them as other mail."""
    line = b"x" * octets + b"\n+OK 30 octets\nSubject: forged\n\nnobody sent this\n..\n+OK\n"
    with serve(LETTERS[0], LETTERS[1] + line, LETTERS[2], pipelining=pipelining) as server:
        assert archivist.run(server).archived == 3
        sent = {m.uidl: hashlib.sha256(m.raw).digest() for m in server.mailbox.messages()}
    assert by_uidl(archivist) == sent


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_bare_cr_ends_no_line(archivist: Archivist, pipelining: bool):
    """A dot between two bare CRs is the end of a message for who reads lines as text."""
    raws = [LETTERS[0] + b"a\r.\rb\r..\r\rc\n", LETTERS[1]]
    with serve(*raws, pipelining=pipelining) as server:
        assert archivist.run(server).archived == 2
    assert archivist.stored() == hashes(*raws)


@pytest.mark.parametrize("end", [b"\r\n.\r", b"\r\n.\n", b".\r\n", b"\n.\n"])
def test_an_end_that_is_none_is_waited_for_and_no_longer(archivist: Archivist, end: bytes):
    """A final dot without its line ends, after which the server says nothing more: quarantine, and the rest goes on."""
    cut = Silence(b"+OK\r\nSubject: x\r\n\r\nthe last line" + end)
    with serve(*LETTERS) as server:
        server.habits = (Poison(b"bob", cut),)
        # Longer than a busy machine may pause.
        done, _, _ = (archivist.run(server, idle_seconds_max=1.5) for _ in range(3))
    assert (done.failure, done.archived, done.failed) == (None, 3, 1)
    assert archivist.balance() == {"listed": 4, "archived": 3, "quarantined": 1, "balanced": True}
    assert archivist.stored() == hashes(LETTERS[0], *LETTERS[2:])


@pytest.mark.parametrize("longer", [True, False])
def test_bytes_that_differ_between_two_fetches_are_two_messages(archivist: Archivist, longer: bool):
    """Under a new UIDL, with TOP refused, mail is fetched again; each copy is kept under its own hash."""
    refused = tuple(On("TOP", n, Say(b"-ERR no\r\n")) for n in range(1, 5))
    with serve(*LETTERS) as server:
        archivist.run(server)
        server.mailbox.migrate()
        server.habits = (Altered(longer), *refused)
        done = archivist.run(server)
        assert (done.failure, done.archived, done.duplicate) == (None, 4, 0)
        assert archivist.stored() == server.mailbox.hashes()
    assert len(archivist.stored()) == 8


def test_a_message_number_is_no_identity(archivist: Archivist):
    """Numbers differ from session to session: nothing is fetched twice, and what others remove shifts nothing."""
    with serve(*LETTERS) as server:
        server.plan.extend([(Shuffled(1),), (Shuffled(2),), (Shuffled(3),), (Shuffled(4),)])
        assert archivist.run(server).archived == 4
        assert archivist.run(server).retrieved == 0
        server.mailbox.take_away(0)
        server.mailbox.deliver(b"Subject: new\n\nnew\n")
        assert archivist.run(server).archived == 1
        assert archivist.run(server, delete="at once").deleted == 4
        assert len(by_uidl(archivist)) == 5
    assert commands(server, "RETR") == 5


def test_a_mailbox_that_stays_locked_after_a_cut_line_is_waited_for(archivist: Archivist):
    """The old session holds the lock for a while; [IN-USE] is no reason to stop, nor to fetch anything again."""
    with serve(*LETTERS) as server:
        locked = (On("APOP", 1, IN_USE),)
        server.plan.extend([(On("RETR", 3, Drop(20)),), locked, locked])
        done = archivist.run(server)
        assert (done.failure, done.archived, len(server.plan)) == (None, 4, 0)
        server.plan.extend([locked] * 3)
        assert isinstance(archivist.run(server).failure, Busy)
    assert archivist.steps() == {"archived": 4, "failed": 1}


@pytest.mark.parametrize("faults", [(), (Hasty(),), (Unkept(),)])
@pytest.mark.parametrize("act", [Drop(), Drop(0), Drop(3), None])
def test_a_deletion_that_was_cut_short_is_done_again_and_nothing_fetched_again(
    archivist: Archivist, faults: tuple[Fault, ...], act: Drop | None
):
    """The line drops before QUIT, or in its answer; the server has removed all, or nothing, whatever it said."""
    with serve(*LETTERS) as server:
        server.plan.append((*faults, On("QUIT", 1, act)) if act else faults)
        done = archivist.run(server, delete="at once")
        assert done.failure is None
        assert archivist.run(server, delete="at once").failure is None
        assert server.mailbox.messages() == []
        assert archivist.run(server).failure is None
        assert commands(server, "RETR") == 4
    assert archivist.steps()["gone"] == 4
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}


def test_mail_without_any_header_is_mail(archivist: Archivist):
    """No Message-ID, no Subject, no Date, no header at all, NUL and nothing: each is archived, none is passed over."""
    raws = [b"", b"\n\n", b"no header\n", b"\0\n", b"\xff\xfe\n", b"Subject:\n\n", b":\n\n", b"\n.\n..\n"]
    with serve(*raws) as server:
        done = archivist.run(server)
        assert (done.failure, done.retrieved, done.archived) == (None, 8, 8)
        assert archivist.run(server).retrieved == 0
    assert archivist.stored() == hashes(*raws)
    assert archivist.ask("select count(*) from mart.message") == [8]


def test_what_is_alike_is_told_apart_by_its_bytes(archivist: Archivist):
    """One Message-ID on other content, the same mail by another way, with a footer, and the same bytes again."""
    letter = b"Received: by a\nMessage-ID: <1@x>\nSubject: x\n\nhello\n"
    raws = [letter, letter.replace(b"hello", b"goodbye"), letter.replace(b"by a", b"by b"), letter + b"-- \nlist\n"]
    with serve(*raws, letter) as server:
        done = archivist.run(server)
    assert (done.archived, done.duplicate) == (4, 1)
    assert archivist.stored() == hashes(*raws)


def test_a_message_that_goes_while_it_is_fetched_keeps_nobody(archivist: Archivist):
    """Another client expunges in mid-session: refused this time, gone from the next listing, recorded as vanished."""
    with serve(*LETTERS) as server:
        server.plan.append((On("RETR", 2, Say(b"-ERR Message 2 expunged.\r\n")),))
        assert archivist.run(server).archived == 3
        server.mailbox.take_away(1)
        assert archivist.run(server).failure is None
    assert archivist.balance() == {"listed": 4, "archived": 3, "vanished": 1, "balanced": True}


def test_uidls_that_are_new_in_each_session_cost_no_second_copy(archivist: Archivist):
    """A server that counts anew: old mail is recognised by size and header block, and archived once."""
    with serve(*LETTERS) as server:
        server.habits = (Uidls("reset"),)
        for _ in range(3):
            assert archivist.run(server).failure is None
        assert commands(server, "RETR") == 4
    assert archivist.stored() == hashes(*LETTERS)
    assert archivist.balance() == {"listed": 12, "archived": 4, "duplicate": 8, "balanced": True}


@pytest.mark.parametrize("act", [Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Endless(), Drop(2)])
@pytest.mark.parametrize("verb", ["", "CAPA", "APOP", "STAT", "UIDL", "LIST"])
def test_nonsense_ends_the_session_and_is_taken_for_nothing(archivist: Archivist, verb: str, act: Act):
    """At every step up to the listing: the run says so and may be repeated, and no mail seems to be gone."""
    with serve(*LETTERS) as server:
        assert archivist.run(server).archived == 4
        server.plan.extend([(On(verb, 1, act),)] * 3)
        assert isinstance(archivist.run(server).failure, Retry)
        assert len(server.plan) == 0
        assert archivist.run(server).failure is None
    assert archivist.steps() == {"archived": 4}
