"""What is deleted on a server, and what never is."""

import hashlib
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from etl.archive import ledger
from etl.errors import Retry, Stop
from etl.visit import Options
from tests.archivist import LETTERS, Archivist, ann, commands, hashes
from tests.pop3_server import Behaviour, Pop3Server, Reply, Session, err, wire


class Reusing(Session):
    """Gives every message the same UIDL."""

    def uidl_of(self, number: int) -> object:
        """One for all."""
        return "same"


@pytest.mark.parametrize("top", [True, False])
def test_new_mail_under_the_uidl_of_deleted_mail_is_archived_before_it_may_go(archivist: Archivist, top: bool):
    """A server may give a UIDL again: what comes back is compared by its header block, and never deleted unread."""
    with Pop3Server(ann(LETTERS[0]), Behaviour(top=top), session=Reusing) as server:
        archivist.run(server, delete="at once")
        for raw in LETTERS[1:]:
            server.mailboxes["ann"].deliver(raw)
            assert archivist.run(server, delete="at once").archived == 1
        assert server.mailboxes["ann"].messages() == []
    assert archivist.stored() == hashes(*LETTERS)
    assert archivist.balance() == {"listed": 4, "archived": 4, "balanced": True}


def test_a_dry_run_deletes_nothing_and_says_how_much_it_would(archivist: Archivist):
    """Archived as ever, no DELE sent."""
    with Pop3Server(ann(*LETTERS)) as server:
        done = archivist.run(server, Options(delete=False), delete="at once")
        assert (done.archived, done.deletable, done.deleted, commands(server, "DELE")) == (4, 4, 0, 0)
        assert archivist.run(server, delete="30 days").deleted == 0
        assert archivist.run(server, delete="at once", delete_messages_max=3).deleted == 3
        assert len(server.mailboxes["ann"].messages()) == 1


def test_what_was_disposed_of_is_not_stored_again_and_leaves_the_server_as_all_does(archivist: Archivist):
    """It was ordered to be nowhere: where it comes again the ledger says so, and the mailbox's policy lets it go."""
    with Pop3Server(ann(*LETTERS)) as server:
        archivist.run(server)
        with archivist.engine.begin() as connection:
            (first,) = connection.scalars(
                text("select message_id from archive.message where sha256 = :sha256"),
                {"sha256": hashlib.sha256(wire(LETTERS[0])).digest()},
            )
            connection.execute(
                text("insert into archive.disposition (message_id, basis, requested_by) values (:id, 'case', 'bob')"),
                {"id": first},
            )
            connection.execute(text("select archive.approve_disposition(max(disposition_id)) from archive.disposition"))
        server.mailboxes["ann"].deliver(LETTERS[0])
        assert archivist.run(server).duplicate == 1
        assert archivist.ask("select reason from archive.ledger where step = 'duplicate'") == [
            f"disposed of on {datetime.now(UTC):%Y-%m-%d}, not stored again"
        ]
        assert archivist.ask(f"select message_id from archive.head where message_id = {first}") == []  # noqa: S608
        done = archivist.run(server, delete="at once")
        assert (done.failure, done.deleted) == (None, 5)
        assert server.mailboxes["ann"].messages() == []


def test_a_copied_database_deletes_nothing_until_it_is_enrolled(archivist: Archivist):
    """A restored dump carries another database's enrolment; it archives and leaves the server alone."""
    with Pop3Server(ann(*LETTERS)) as server:
        with archivist.engine.begin() as connection:
            connection.execute(text("insert into ops.enrolment (place) values ('cluster 1, timeline 1, database 1')"))
        done = archivist.run(server, delete="at once")
        assert (done.archived, done.deleted, commands(server, "DELE")) == (4, 0, 0)
        assert isinstance(done.failure, Stop)
        assert "popvault enrol" in str(done.failure)
        with archivist.engine.connect() as connection:
            ledger.enrol(connection)
        assert archivist.run(server, delete="at once").deleted == 4


class RefusingQuit(Session):
    """Cannot remove what was deleted."""

    def reply_quit(self, argument: str) -> Reply:
        """RFC 1939 section 6."""
        self._open = False
        self._leave()
        return err("some deleted messages not removed")


def test_a_refused_quit_is_recorded_and_the_deletion_done_again(archivist: Archivist):
    """What the server kept is still listed, so it is deleted in the next session."""
    with Pop3Server(ann(*LETTERS), session=RefusingQuit) as server:
        done = archivist.run(server, delete="at once")
        assert isinstance(done.failure, Retry)
        assert "some deleted messages not removed" in str(done.failure)
        assert archivist.ask("select distinct quit_accepted from ops.session") == [False]
        server.session = Session
        assert archivist.run(server, delete="at once").failure is None
        assert archivist.run(server).failure is None
    assert archivist.steps()["gone"] == 4
