"""The pipeline against a server that does what real ones do now and then."""

import base64
import hashlib
import random
import re
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.archive import ledger, stored
from etl.archive.database import engine_for
from etl.archive.rights import LOADER
from etl.archive.verification import books
from etl.config import Mailbox as Configured
from etl.errors import DatabaseAway, Retry, Stop
from etl.pipeline import archive_shard
from etl.visit import Done, Options
from tests.archive.delivering import rehashed
from tests.pop3_server import Behaviour, Cut, Mailbox, Message, Pop3Server, Reply, Session, body, err, wire


def letter(name: str, octets: int = 0) -> bytes:
    """A message that is like no other, of at least so many octets."""
    filling = (name * 70)[:70] + "\n"
    return f"From: {name}@example.org\nSubject: {name}\n\nhello from {name}\n{filling * (octets // 70)}".encode()


LETTERS = [letter(name) for name in ("ann", "bob", "carla", "dan")]


class Archivist:
    """Runs over one mailbox of a server, into an archive."""

    def __init__(self, engine: Engine, folder: Path):
        self.engine = engine
        self._password = folder / "password"
        self._password.write_text("secret")

    def mailbox(self, server: Pop3Server, **changes: object) -> Configured:
        """How the mailbox is configured."""
        named = {"name": "box", "host": "127.0.0.1", "port": server.port, "tls": "none", "username": "ann"}
        return Configured.model_validate({**named, "password": {"file": str(self._password)}, **changes})

    def run(self, server: Pop3Server, options: Options | None = None, **changes: object) -> Done:
        """One run, as the loader."""
        engine = engine_for(self.engine.url.render_as_string(hide_password=False), LOADER)
        with engine.connect() as connection:
            run_id = ledger.begin_run(connection, "command", "test")
        try:
            return archive_shard(engine, [self.mailbox(server, **changes)], run_id, options=options or Options())[0]
        finally:
            engine.dispose()

    def balance(self) -> dict[str, object]:
        """The books of the mailbox, zeros left out."""
        with self.engine.connect() as connection:
            (row,) = ledger.balance(connection)
        return {key: value for key, value in row.items() if value and key != "name"}

    def steps(self) -> dict[str, int]:
        """How often each step stands in the ledger."""
        return Counter(self.ask("select cast(step as text) from archive.ledger"))

    def ask(self, query: str) -> list[object]:
        """The first column of what a query answers."""
        with self.engine.connect() as connection:
            return list(connection.scalars(text(query)))

    def stored(self) -> set[bytes]:
        """The hashes of the messages in the archive."""
        return {bytes(s) for s in self.ask("select sha256 from archive.message")}  # type: ignore[call-overload]


@pytest.fixture
def archivist(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archivist:
    """An empty archive and who fills it, without long waits between sessions."""
    monkeypatch.setattr("etl.pipeline.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("etl.hosts.LOOK_SECONDS", 0.01)
    return Archivist(engine, tmp_path)


def ann(*raws: bytes) -> dict[str, Mailbox]:
    """The mailboxes of a server that knows ann only."""
    return {"ann": Mailbox("secret", raws)}


def hashes(*raws: bytes) -> set[bytes]:
    """What the archive holds of these messages."""
    return {hashlib.sha256(wire(raw)).digest() for raw in raws}


def commands(server: Pop3Server, verb: str) -> int:
    """How often a command was sent."""
    return sum(line.split()[0] == verb for line in server.commands)


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


class Tearing(Session):
    """Drops the line after so many bytes of a large message, later each time."""

    octets = 0

    def retrieve(self, number: int) -> Reply:
        """The beginning of the message."""
        raw = b"".join(super().retrieve(number))  # type: ignore[arg-type]
        if len(raw) < 1024 * 1024:
            yield raw
            return
        Tearing.octets += 1_500_000
        yield raw[: Tearing.octets]
        if Tearing.octets < len(raw):
            raise Cut


def test_a_large_message_goes_on_where_it_was_cut(archivist: Archivist):
    """A line that breaks every 1.5 MB cannot keep a 7 MB message away: each try gains, none counts as a failure."""
    large = letter("large", 7_000_000)
    Tearing.octets = 0
    with Pop3Server(ann(LETTERS[0], large, LETTERS[1]), session=Tearing) as server:
        done = archivist.run(server)
    assert done.failure is None
    assert archivist.stored() == hashes(LETTERS[0], large, LETTERS[1])
    assert archivist.steps() == {"archived": 3}
    assert archivist.ask("select count(*) from ops.download_piece") == [0]


def test_a_large_message_that_changed_is_begun_anew(archivist: Archivist):
    """The held pieces are compared; where the bytes differ the ledger says so and the new ones count."""
    one, other = letter("large", 5_000_000), letter("large", 2_500_000) + letter("other", 2_500_000)
    Tearing.octets = 2_000_000
    mailbox = ann(one)
    with Pop3Server(mailbox, session=Tearing) as server:
        first = mailbox["ann"].messages()[0].uidl

        class Changing(Session):
            """The same UIDL, other bytes."""

            def retrieve(self, number: int) -> Reply:
                """As if the server had rewritten the message."""
                return body("", wire(other))

        class TearingOnce(Tearing):
            """Drops the line, then is another server."""

            def retrieve(self, number: int) -> Reply:
                """The beginning of the message."""
                server.session = Changing
                return super().retrieve(number)

        server.session = TearingOnce
        assert archivist.run(server).failure is None
        assert mailbox["ann"].messages() == [Message(first, wire(one))]
    assert archivist.stored() == hashes(other)
    assert archivist.steps() == {"restarted": 1, "archived": 1}


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


def with_file(subject: str, content: bytes, after: bytes = b"") -> bytes:
    """A message with an attachment."""
    return (
        f"From: ann@example.org\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=b\n\n".encode()
        + b"--b\nContent-Type: text/plain\n\nsee file\n"
        + b"--b\nContent-Type: application/pdf; name=large.pdf\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(content) + after + b"--b--\n"
    )  # fmt: skip


def test_a_large_attachment_is_stored_once_and_decoded(archivist: Archivist):
    """Two messages with one file: one blob, both messages back byte for byte, their rows as if read whole."""
    content = random.Random(1).randbytes(3_000_000)
    raws = [with_file("one", content), with_file("two", content), with_file("damaged", content, b"!!!\n")]
    with Pop3Server(ann(*raws)) as server:
        assert archivist.run(server).archived == 3
    assert archivist.ask("select octets from archive.blob") == [3_000_000]
    assert archivist.ask("select count(*) from archive.segment where blob_id is not null") == [3]
    with archivist.engine.connect() as connection:
        found = {b"".join(message.pieces()): message.fault for message in stored.messages(connection)}
    assert found == dict.fromkeys(map(wire, raws))
    whole = hashlib.sha256(content).hexdigest()
    assert archivist.ask("select sha256 from mart.attachment where octets = 3000000") == [whole] * 3
    assert set(archivist.ask("select trim(body, E'\\n') from archive.reading")) == {"see file"}


def test_a_torn_large_attachment_goes_on_in_the_middle_of_its_blob(archivist: Archivist):
    """Decoded pieces are compared like any others; the attachment is one blob in the end."""
    raw = with_file("torn", random.Random(2).randbytes(4_000_000))
    Tearing.octets = 0
    with Pop3Server(ann(raw), session=Tearing) as server:
        assert archivist.run(server).failure is None
    assert archivist.stored() == hashes(raw)
    assert archivist.steps() == {"archived": 1}
    assert archivist.ask("select octets from archive.blob") == [4_000_000]
    with archivist.engine.connect() as connection:
        assert [message.fault for message in rehashed(connection)] == [None]
        assert not any(list(found) for _, found in books(connection))


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


class Delaying(Session):
    """Wants an hour between two logins."""

    def capabilities(self) -> list[str]:
        """RFC 2449 section 6.5."""
        return [*super().capabilities(), "LOGIN-DELAY 3600"]


def test_a_login_delay_is_kept_across_runs(archivist: Archivist):
    """The second run does not even connect, and says for how long."""
    with Pop3Server(ann(*LETTERS), session=Delaying) as server:
        assert archivist.run(server).archived == 4
        logins = commands(server, "APOP")
        done = archivist.run(server)
        assert commands(server, "APOP") == logins
    assert re.search(r"left alone for another 3\d{3} seconds; a later run goes on", str(done.failure))


class TooOften(Session):
    """Refuses the login, and says for how long."""

    def _enter(self, user: str, right: bool) -> Reply:
        return err("minimum interval between logins is 20 minutes", "LOGIN-DELAY")


def test_a_refused_login_that_says_how_long_is_a_pause_for_all_workers(archivist: Archivist):
    """It is in the database, so another worker keeps to it too."""
    with Pop3Server(ann(*LETTERS), session=TooOften) as server:
        assert "LOGIN-DELAY" in str(archivist.run(server).failure)
        server.session = Session
        assert "left alone for another 1" in str(archivist.run(server).failure)
        with archivist.engine.begin() as connection:
            connection.execute(text("update ops.pause set until = now()"))
        assert archivist.run(server).archived == 4


def test_a_host_has_no_more_sessions_than_it_may(archivist: Archivist):
    """Six mailboxes on one host, two at once."""
    at_once: list[int] = []

    class Counting(Session):
        def reply_stat(self, argument: str) -> Reply:
            at_once.append(len(self.server._in_use))
            return super().reply_stat(argument)

    mailboxes = {f"user{n}": Mailbox("secret", [letter(f"user{n}")]) for n in range(6)}
    with Pop3Server(mailboxes, session=Counting) as server:
        configured = [archivist.mailbox(server, name=n, username=n, sessions_per_host=2) for n in mailboxes]
        with archivist.engine.connect() as connection:
            run_id = ledger.begin_run(connection, "command", "test")
        done = archive_shard(archivist.engine, configured, run_id)
    assert [d.archived for d in done] == [1] * 6
    assert max(at_once) <= 2


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
