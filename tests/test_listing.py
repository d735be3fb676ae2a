"""What a mailbox lists, and what of it is fetched: UIDLs that change, come again, are shared, or are missing."""

import hashlib

import pytest

from etl.archive import ledger
from tests.archivist import LETTERS, Archivist, ann, commands, hashes, letter
from tests.pop3_server import Behaviour, Pop3Server, Reply, Session


class Renaming(Session):
    """Gives every message another UIDL than the server before it did."""

    def uidl_of(self, number: int) -> object:
        """Another id for the same message."""
        return f"new-{self.messages[number].uidl}"


def test_old_mail_under_new_uidls_is_not_fetched_again(archivist: Archivist):
    """After a migration a new epoch begins; what was there is recognised by size and header block."""
    with Pop3Server(ann(*LETTERS[:3])) as server:
        archivist.run(server)
    with Pop3Server(ann(*LETTERS), session=Renaming) as server:
        done = archivist.run(server)
        assert (done.failure, done.retrieved, commands(server, "RETR")) == (None, 1, 1)
        assert archivist.run(server).retrieved == 0
    assert archivist.stored() == hashes(*LETTERS)
    assert archivist.ask("select reason from archive.epoch order by epoch_id") == ["first session", "the UIDLs changed"]
    assert archivist.balance() == {"listed": 7, "archived": 4, "duplicate": 3, "balanced": True}


def test_a_mailbox_is_lively_while_its_listings_change(archivist: Archivist):
    """New ones are, and one whose last listing was another than the one before: for it a parser is started early."""
    lively = []
    with Pop3Server(ann(*LETTERS[:2])) as server, archivist.engine.connect() as connection:
        for mail in (None, None, LETTERS[2], None):
            if mail:
                server.mailboxes["ann"].deliver(mail)
            archivist.run(server)
            lively.append(ledger.is_lively(connection, 1))
    assert lively == [True, False, True, False]


def test_new_mail_in_place_of_old_begins_no_epoch(archivist: Archivist):
    """All UIDLs are new, but so is the mail."""
    with Pop3Server(ann(*LETTERS[:2])) as server:
        archivist.run(server)
        server.mailboxes["ann"].remove([m.uidl for m in server.mailboxes["ann"].messages()])
        server.mailboxes["ann"].deliver(LETTERS[2])
        archivist.run(server)
    assert archivist.ask("select count(*) from archive.epoch") == [1]
    assert archivist.steps() == {"archived": 3, "gone": 2}


def test_mail_that_only_looks_like_old_mail_is_fetched_and_never_deleted_unread(archivist: Archivist):
    """Two messages with one header block and one size: neither is taken for the other when all UIDLs change."""
    head = b"From: ann@example.org\nSubject: same\n\n"
    first, second = head + b"body A\n", head + b"body B\n"
    with Pop3Server(ann(first, LETTERS[0])) as server:
        archivist.run(server)
    with Pop3Server(ann(second, first, LETTERS[0]), session=Renaming) as server:
        archivist.run(server, delete="at once")
        left = {hashlib.sha256(m.raw).digest() for m in server.mailboxes["ann"].messages()}
    assert archivist.stored() == hashes(first, second, LETTERS[0])
    # What was only recognised stays on the server: its bytes were never seen under its new UIDL.
    assert left == hashes(LETTERS[0])


class KeepingAll(Session):
    """Accepts QUIT and removes nothing."""

    def reply_quit(self, argument: str) -> Reply:
        """A lie."""
        self.deleted.clear()
        return super().reply_quit(argument)


def test_mail_that_stays_although_quit_was_accepted_is_not_fetched_again(archivist: Archivist):
    """It is the same mail, as its header block tells: DELE is sent again, and nothing else."""
    with Pop3Server(ann(*LETTERS), session=KeepingAll) as server:
        for _ in range(3):
            archivist.run(server, delete="at once")
        assert (commands(server, "RETR"), commands(server, "DELE")) == (4, 12)
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}


class Forgetful(Session):
    """Says that there is nothing, whatever there is."""

    def reply_stat(self, argument: str) -> Reply:
        """A lie."""
        return b"+OK 0 0\r\n"

    def reply_list(self, argument: str) -> Reply:
        """A lie."""
        return b"+OK\r\n.\r\n"

    reply_uidl = reply_list


def test_an_empty_listing_after_a_full_one_is_not_believed_at_once(archivist: Archivist):
    """A passing "0 messages" wipes nothing; said twice it is taken for true."""
    with Pop3Server(ann(*LETTERS)) as server:
        archivist.run(server)
        server.session = Forgetful
        archivist.run(server)
        assert archivist.steps() == {"archived": 4}
        assert archivist.balance()["balanced"]
        archivist.run(server)
        assert archivist.steps() == {"archived": 4, "gone": 4}
        server.session = Session
        assert archivist.run(server).retrieved == 0
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}


def test_a_host_that_changes_and_changes_back_costs_no_download(archivist: Archivist):
    """Each is an epoch of its own, and old mail is recognised in it."""
    with Pop3Server(ann(*LETTERS)) as server:
        assert archivist.run(server).archived == 4
        assert archivist.run(server, host="localhost").retrieved == 0
        assert archivist.run(server).retrieved == 0
        assert commands(server, "RETR") == 4
    assert archivist.balance() == {"listed": 12, "archived": 4, "duplicate": 8, "balanced": True}


def test_two_messages_with_one_uidl_are_both_archived(archivist: Archivist):
    """A UIDL twice in one listing is legal (RFC 1939 section 7)."""

    class Twins(Session):
        def uidl_of(self, number: int) -> object:
            return "same"

    with Pop3Server(ann(*LETTERS), session=Twins) as server:
        assert archivist.run(server).archived == 4
        assert archivist.run(server).retrieved == 0
    assert archivist.stored() == hashes(*LETTERS)


@pytest.mark.parametrize("blank", [True, False])
def test_without_uidls_mail_is_known_by_its_hash(archivist: Archivist, blank: bool):
    """A server without UIDL, or with a blank id now and then, costs downloads and loses nothing."""

    class Blank(Session):
        def uidl_of(self, number: int) -> object:
            return "" if number == 2 else super().uidl_of(number)

    behaviour, session = Behaviour(uidl=blank), Blank if blank else Session
    with Pop3Server(ann(*LETTERS), behaviour, session=session) as server:
        assert archivist.run(server).archived == 4
        assert archivist.run(server).retrieved == 0
        server.mailboxes["ann"].deliver(letter("eve"))
        assert archivist.run(server).archived == 1
    assert archivist.stored() == hashes(*LETTERS, letter("eve"))
    assert archivist.balance() == {"listed": 5, "archived": 5, "balanced": True}


class Popping(Session):
    """Shows two messages a session, and hides what was retrieved once QUIT was said, as Gmail does."""

    def _enter(self, user: str, right: bool) -> Reply:
        reply = super()._enter(user, right)
        self.messages = dict(list(self.messages.items())[:2])
        return reply

    def reply_quit(self, argument: str) -> Reply:
        """Popped without any DELE."""
        self.deleted |= set(self.messages)
        return super().reply_quit(argument)


def test_a_server_that_shows_some_messages_a_session_is_asked_until_it_has_no_more(archivist: Archivist):
    """All is archived in one run, and what is hidden after QUIT is gone, not lost."""
    with Pop3Server(ann(*LETTERS, letter("eve")), session=Popping) as server:
        done = archivist.run(server, messages_per_session=2)
    assert (done.failure, done.archived) == (None, 5)
    assert archivist.stored() == hashes(*LETTERS, letter("eve"))
    assert archivist.balance() == {"listed": 5, "archived": 5, "balanced": True}
