"""What comes off the wire: limits, refusals and cuts, and who is to blame for them."""

import pytest

from etl.errors import Retry
from etl.visit import Options
from tests.archivist import LETTERS, Archivist, ann, commands, hashes, letter
from tests.pop3_server import Behaviour, Cut, Pop3Server, Reply, Session, err


def test_what_is_too_large_is_excluded_with_its_header_block_until_the_limit_is_raised(archivist: Archivist):
    """The reason is recorded once, and the message fetched when it is within the limit."""
    large = letter("large", 5000)
    with Pop3Server(ann(LETTERS[0], large)) as server:
        for _ in range(2):
            done = archivist.run(server, message_bytes_max=4000)
            assert (done.failure, done.failed) == (None, 0)
        assert archivist.balance() == {"listed": 2, "archived": 1, "excluded": 1, "balanced": True}
        assert archivist.ask("select convert_from(head, 'UTF8') from archive.excerpt") == [
            "From: large@example.org\r\nSubject: large\r\n\r\n"
        ]
        assert archivist.run(server, message_bytes_max=6000).archived == 1
    assert archivist.balance() == {"listed": 2, "archived": 2, "balanced": True}
    assert archivist.stored() == hashes(LETTERS[0], large)


def test_a_session_takes_no_more_than_its_limit(archivist: Archivist):
    """The rest is left for the next run, and that is no failure."""
    with Pop3Server(ann(*(letter(str(n), 3000) for n in range(4)))) as server:
        done = archivist.run(server, session_bytes_max=7000)
        assert (done.retrieved, done.left, done.failure) == (2, 2, None)
        assert archivist.balance()["pending"] == 2
        assert archivist.run(server, session_bytes_max=7000).retrieved == 2
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}


class Refusing(Session):
    """Refuses the second message."""

    def retrieve(self, number: int) -> Reply:
        """It is there, and it is not to be had."""
        return err("cannot open message file") if number == 2 else super().retrieve(number)


class Cutting(Session):
    """Drops the line in the middle of the second message."""

    def retrieve(self, number: int) -> Reply:
        """Half of the message, then nothing."""
        if number != 2:
            yield from super().retrieve(number)  # type: ignore[misc]
            return
        yield b"+OK\r\nSubject: half\r\n"
        raise Cut


@pytest.mark.parametrize("session", [Refusing, Cutting])
@pytest.mark.parametrize("pipelining", [True, False])
def test_one_bad_message_is_put_in_quarantine_and_the_rest_goes_on(
    archivist: Archivist, session: type[Session], pipelining: bool
):
    """Three tries, then it is passed by; asked for, it is tried again."""
    with Pop3Server(ann(*LETTERS), Behaviour(pipelining=pipelining), session=session) as server:
        for _ in range(3):
            archivist.run(server)
        assert archivist.balance() == {"listed": 4, "archived": 3, "quarantined": 1, "balanced": True}
        before = commands(server, "RETR")
        assert archivist.run(server).failure is None
        assert commands(server, "RETR") == before
        server.session = Session
        assert archivist.run(server, Options(quarantined=True)).archived == 1
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}
    assert archivist.stored() == hashes(*LETTERS)


class Ill(Session):
    """Lists, and breaks off at every message."""

    def retrieve(self, number: int) -> Reply:
        """Nothing comes."""
        raise Cut


class Overloaded(Session):
    """Lists, and has no message to give for now."""

    def retrieve(self, number: int) -> Reply:
        """RFC 3206."""
        return err("try again later", "SYS/TEMP")


@pytest.mark.parametrize("session", [Ill, Overloaded])
def test_a_server_that_is_ill_for_a_while_has_no_mail_put_in_quarantine(archivist: Archivist, session: type[Session]):
    """The run gives up after some sessions, and the next one, on a server that is well, has everything."""
    with Pop3Server(ann(*(letter(str(n)) for n in range(10))), session=session) as server:
        assert isinstance(archivist.run(server).failure, Retry)
        assert "quarantined" not in archivist.balance()
        server.session = Session
        assert archivist.run(server).archived == 10


class Understating(Session):
    """Says of every message that it has ten bytes."""

    def size_of(self, number: int) -> object:
        """A lie."""
        return 10


def test_a_message_larger_than_listed_is_not_let_past_the_limit(archivist: Archivist):
    """It is excluded as soon as the limit is passed, and not tried again until it is raised."""
    large = letter("large", 3_000_000)
    with Pop3Server(ann(LETTERS[0], large, LETTERS[1]), session=Understating) as server:
        done = archivist.run(server, message_bytes_max=100_000)
        assert (done.archived, done.excluded, done.failure) == (2, 1, None)
        before = commands(server, "RETR")
        archivist.run(server, message_bytes_max=100_000)
        assert commands(server, "RETR") == before
        assert archivist.run(server).archived == 1
    assert archivist.stored() == hashes(LETTERS[0], large, LETTERS[1])
