"""The pipeline as a whole, from login to the words, and what the database does to it."""

import threading

import pytest
from sqlalchemy import text

from etl.errors import DatabaseAway
from etl.visit import Done
from tests.archivist import LETTERS, Archivist, ann, commands, hashes
from tests.pop3_server import Pop3Server, Reply, Session


def test_the_loader_may_make_the_words(archivist: Archivist, monkeypatch: pytest.MonkeyPatch):
    """And where it may not, they wait for who may, and mail is archived all the same."""
    monkeypatch.setattr("etl.archive.search.SEGMENT_MESSAGES", 1)
    with Pop3Server(ann(*LETTERS[:2])) as server:
        archivist.run(server)
        assert archivist.ask("select count(*) from search.segment") == [2]
    with archivist.engine.begin() as connection:
        connection.execute(text("revoke insert on search.posting from popvault_loader"))
    with Pop3Server(ann(*LETTERS)) as server:
        assert archivist.run(server).archived == 2
    assert archivist.ask("select count(*) from search.fresh") == [2]


def test_messages_have_their_threads_when_the_run_ends(archivist: Archivist):
    """Joined beside the load, as the loader."""
    with Pop3Server(ann(*LETTERS)) as server:
        archivist.run(server)
    assert archivist.ask("select count(*) from mart.message where thread_id is null") == [0]
    assert archivist.ask("select count(*) from threads.pending") == [0]


def test_a_message_whose_rows_postgres_refuses_is_archived_without_them(archivist: Archivist):
    """One refused row costs neither the message nor its batch."""
    with archivist.engine.begin() as connection:
        connection.execute(
            text(
                "create function pg_temp_refuse() returns trigger language plpgsql as"
                " $$ begin if new.subject = 'bob' then raise 'no bob here'; end if; return new; end $$;"
                " create trigger refuse before insert on archive.reading for each row execute function pg_temp_refuse()"
            )
        )
    with Pop3Server(ann(*LETTERS)) as server:
        assert archivist.run(server).failure is None
    assert archivist.stored() == hashes(*LETTERS)
    (defect,) = archivist.ask("select detail from archive.defect where kind = 'unreadable'")
    assert "no bob here" in str(defect)


class Slow(Session):
    """Waits until it is told to go on, in the middle of a message."""

    at_it, go_on = threading.Event(), threading.Event()

    def retrieve(self, number: int) -> Reply:
        """A message, late."""
        Slow.at_it.set()
        Slow.go_on.wait(20)
        return super().retrieve(number)


def test_two_runs_over_one_mailbox_cannot_be(archivist: Archivist):
    """The second one is told so, and has not even logged in."""
    with Pop3Server(ann(*LETTERS), session=Slow) as server:
        results: list[Done] = []
        first = threading.Thread(target=lambda: results.append(archivist.run(server)))
        first.start()
        assert Slow.at_it.wait(20)
        second = archivist.run(server)
        Slow.go_on.set()
        first.join()
    assert "being archived by another run" in str(second.failure)
    assert commands(server, "PASS") + commands(server, "APOP") == 1
    assert results[0].archived == 4


def test_a_lost_database_connection_ends_the_run_and_blames_no_message(archivist: Archivist):
    """The leases went with it, so nothing more is loaded; the next run goes on."""
    Slow.at_it.clear()
    Slow.go_on.clear()
    with Pop3Server(ann(*LETTERS), session=Slow) as server:
        results: list[Done] = []
        thread = threading.Thread(target=lambda: results.append(archivist.run(server)))
        thread.start()
        assert Slow.at_it.wait(20)
        archivist.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        Slow.go_on.set()
        thread.join()
        assert isinstance(results[0].failure, DatabaseAway)
        server.session = Session
        assert archivist.run(server).archived == 4
    assert archivist.steps() == {"archived": 4}
