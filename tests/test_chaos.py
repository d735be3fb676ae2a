"""Whatever the server does, in whatever order: nothing lost, nothing forged, nothing twice, nothing gone too early.

A random walk over mail that comes and goes, sessions full of faults, migrations and runs. What must hold after every
step stands in `Walk.holds`, and what must be true in the end in `Walk.teardown`. POPVAULT_CHAOS_EXAMPLES walks more.
"""

import base64
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from etl.archive.ledger import enrol
from etl.archive.rows import Blocks
from etl.archive.verification import books
from etl.errors import Retry, Stop
from etl.parsers import Parsers
from etl.parsing import Job, answer
from etl.visit import Done, Options
from tests.archive.delivering import rehashed
from tests.archivist import Archivist, commands, hashes, letter
from tests.behind import behind_the_triggers
from tests.chaos import (
    Act,
    Altered,
    ChaosServer,
    Deaf,
    Drip,
    Drop,
    Endless,
    Fault,
    Hasty,
    On,
    Poison,
    Say,
    Shown,
    Shuffled,
    Silence,
    Sizes,
    Uidls,
    Unkept,
    Unstuffed,
    WatchedMailbox,
)
from tests.pop3_server import Behaviour

EXAMPLES = int(os.environ.get("POPVAULT_CHAOS_EXAMPLES", "0"))
# A message over this goes to the archive piece by piece, so that large ones need not be large here.
PIECE_OCTETS = 4096
# How long a silent server is waited for; a clean run waits longer, for the machine may be busy.
IDLE_SECONDS_MAX = 0.25


class HereParsers(Parsers):
    """Reads in this process: a run need not wait for another one to start."""

    def start(self, calls: int) -> None:
        """There is nothing to start."""

    async def parse(self, jobs: Sequence[Job]) -> list[Blocks]:
        """The rows of each message, in order."""
        return answer(jobs)


@pytest.fixture
def archivist(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archivist:
    """An empty archive and who fills it, without waiting for anything."""
    monkeypatch.setattr("etl.pipeline.BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr("etl.pipeline.PAUSE_SECONDS_MAX", 0.05)
    monkeypatch.setattr("etl.hosts.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("etl.retrieval.CHUNK_OCTETS", PIECE_OCTETS)
    monkeypatch.setattr("etl.archive.recipe.CHUNK_OCTETS", PIECE_OCTETS)
    monkeypatch.setattr("etl.pipeline.Parsers", HereParsers)
    return Archivist(engine, tmp_path)


ATTACHMENT = base64.encodebytes(random.Random(0).randbytes(24 * 1024))
FORGED = b"+OK 30 octets\r\nSubject: forged\r\n\r\nnobody sent this\r\n.\r\n"
KINDS = {
    "plain": b"",
    "dots": b".x\r\n..\r\n..y\r\n",
    "lone dot": b".\r\nwhat comes behind it\r\n",
    "last dot": b".\r\n",
    "forged": b".\r\n" + FORGED + b"and more\r\n",
    "forged twice": b".\r\n" + FORGED + FORGED.replace(b"nobody", b"nobody either"),
    "forged refusal": b".\r\n-ERR no such message\r\n",
    "forged behind a long line": b"x" * 3000 + b"\r\n" + FORGED,
    "large": (b"the same again " * 5 + b"\r\n") * 120,
    "attachment": b"",
}


def message(serial: int, kind: str) -> bytes:
    """A message that is like no other, nor as long as any other of its kind."""
    if kind == "attachment":
        head = f"From: m{serial:04d}@example.org\nContent-Type: application/octet-stream\n"
        return f"{head}Content-Transfer-Encoding: base64\nX-Pad: {'x' * serial}\n\n".encode() + ATTACHMENT
    return letter(f"m{serial:04d}") + b"x" * serial + b"\n" + KINDS[kind]


VERBS = ("", "CAPA", "APOP", "STAT", "UIDL", "LIST", "RETR", "TOP", "DELE", "QUIT")
REFUSALS = (b"-ERR no\r\n", b"-ERR [SYS/TEMP] later\r\n", b"-ERR [IN-USE] somebody else is here\r\n")
GARBAGE = (
    b"what?\r\n", b"\r\n", b"* OK IMAP4 ready\r\n", b"\0\xff\r\n", b"+OK\r\n+OK\r\n", b"+ \r\n", b"+OK 1\r\n.\r\n",
)  # fmt: skip

drops = st.builds(Drop, st.integers(0, 400) | st.integers(0, 12_000))
says = (st.sampled_from(REFUSALS) | st.sampled_from(GARBAGE)).map(Say)
acts = st.one_of(drops, says, st.sampled_from((Drop(), Endless(), Silence(), Drip(), Drip(1), Drip(50))))
dripping = tuple(On("RETR", n, Drip()) for n in range(1, 9))
habits: tuple[tuple[Fault, ...], ...] = (
    (), (Unstuffed(), *dripping), (Unstuffed(),), (Uidls("twins"),), (Uidls("blank"),), (Uidls("odd"),), (Shown(3),),
    (Sizes("small"),), (Sizes("none"), Unstuffed(), *dripping), (Deaf(),),
)  # fmt: skip
faults: st.SearchStrategy[Fault] = st.one_of(
    st.builds(On, st.just("RETR"), st.integers(1, 3), st.sampled_from(REFUSALS).map(Say)),
    st.builds(On, st.just("RETR"), st.integers(1, 4), drops),
    st.builds(On, st.just("RETR"), st.integers(1, 4), acts),
    st.builds(On, st.sampled_from(VERBS), st.integers(1, 2), says),
    st.builds(On, st.sampled_from(VERBS), st.integers(1, 4), acts),
    st.sampled_from(("small", "large", "none", "absurd", "missing")).map(Sizes),
    st.sampled_from(("twins", "blank", "reset", "odd", "twice")).map(Uidls),
    st.builds(Shuffled, st.integers(0, 9)) | st.builds(Shown, st.integers(0, 2)),
    st.sampled_from((Unstuffed(), Altered(longer=True), Altered(longer=False), Unkept(), Hasty())),
    st.sampled_from((b"-ERR [LOGIN-DELAY] wait 20 minutes\r\n", b"-ERR [IN-USE] no\r\n")).map(
        lambda s: On("APOP", 1, Say(s))
    ),
)
sessions = st.lists(st.lists(faults, min_size=1, max_size=3).map(tuple), max_size=3)


DELIVERED = """
    select d.uidl, m.sha256 from archive.delivery d
    join archive.ledger l on l.delivery_id = d.delivery_id and l.step in ('archived', 'duplicate')
    join archive.message m on m.message_id = l.message_id
"""


class Walk(RuleBasedStateMachine):
    """One mailbox, one archive, and all that may happen to them."""

    archivist: Archivist

    def __init__(self) -> None:
        super().__init__()
        empty(self.archivist.engine)
        self.serial = 0
        self.too_early: list[set[bytes]] = []
        self.mailbox = WatchedMailbox("secret")
        self.mailbox.on_removal = self.removed
        self.server = ChaosServer(self.mailbox)
        self.server.__enter__()

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    def mail_comes(self, kinds: list[str]) -> None:
        """New mail, in order."""
        for kind in kinds:
            self.serial += 1
            self.mailbox.deliver(message(self.serial, kind))

    @precondition(lambda self: self.mailbox.messages())
    @rule(data=st.data())
    def the_same_comes_again(self, data: st.DataObject) -> None:
        """A second delivery of the same bytes."""
        self.mailbox.deliver(data.draw(st.sampled_from([m.raw for m in self.mailbox.messages()])))

    @precondition(lambda self: self.mailbox.messages())
    @rule(data=st.data())
    def another_client_deletes(self, data: st.DataObject) -> None:
        """Mail goes without us."""
        self.mailbox.take_away(data.draw(st.integers(0, len(self.mailbox.messages()) - 1)))

    @precondition(lambda self: self.mailbox.messages())
    @rule(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
    def mail_is_replaced(self, data: st.DataObject, kind: str) -> None:
        """One goes without us and another comes: as many as before."""
        self.another_client_deletes(data)
        self.mail_comes([kind])

    @rule()
    def the_server_is_moved(self) -> None:
        """All UIDLs are new."""
        self.mailbox.migrate()

    @rule(pipelining=st.booleans(), habits=st.sampled_from(habits))
    def the_server_is_changed(self, pipelining: bool, habits: tuple[Fault, ...]) -> None:
        """It learns PIPELINING, or forgets it; what it did wrong it does no longer, and something else instead."""
        self.server.behaviour, self.server.habits = Behaviour(pipelining=pipelining), habits

    @rule(plan=sessions, delete=st.booleans())
    def archive(self, plan: list[tuple[Fault, ...]], delete: bool) -> None:
        """A run whose sessions have these faults."""
        self.server.plan.extend(plan)
        self.run(delete="at once" if delete else "never", idle_seconds_max=IDLE_SECONDS_MAX)
        self.holds()

    def run(self, **changes: object) -> Done:
        """One run; pauses that a server asked for are over by then."""
        with self.archivist.engine.begin() as connection:
            connection.execute(text("update ops.pause set until = now()"))
        options = Options(quarantined=bool(changes.pop("quarantined", False)))
        done = self.archivist.run(self.server, options, **changes)
        assert not (isinstance(done.failure, Stop) and "popvault itself" in str(done.failure)), done.failure
        return done

    def removed(self, hashes: set[bytes]) -> None:
        """Called by the server when DELE takes a message away: it must be in the archive by now."""
        if not hashes & self.archivist.stored():
            self.too_early.append(hashes)

    def holds(self) -> None:
        """What is true after every run, whatever happened; nothing else changes the archive."""
        assert self.too_early == []
        with self.archivist.engine.connect() as connection:
            assert [m.fault for m in rehashed(connection) if m.fault] == []
            assert [place for _, found in books(connection) for place in found] == []
            assert archived(connection) - self.mailbox.hashes() == set()
            for uidl, sha256 in connection.execute(text(DELIVERED)):
                sent = self.mailbox.hashes_under(uidl)
                # What had no UIDL of its own is archived under its hash.
                assert bytes(sha256) in sent if sent is not None else uidl.startswith("sha256:")

    def teardown(self) -> None:
        """The server is honest again: in two runs all is archived, and the next one retrieves nothing."""
        try:
            self.server.plan.clear()
            self.server.habits = ()
            for _ in range(2):
                self.run(quarantined=True, idle_seconds_max=20.0)
            self.holds()
            with self.archivist.engine.connect() as connection:
                have = archived(connection)
            assert [m for m in self.mailbox.messages() if not self.mailbox.sent[m.raw] & have] == []
            again = self.run(idle_seconds_max=20.0)
            assert (again.failure, again.retrieved, self.archivist.balance().get("pending")) == (None, 0, None)
        finally:
            self.server.__exit__()


def archived(connection: Connection) -> set[bytes]:
    """The SHA-256s of the archive's messages."""
    return {bytes(s) for s in connection.scalars(text("select sha256 from archive.message"))}


def empty(engine: Engine) -> None:
    """Forget all, except what guards the record, and that this database may delete."""
    query = "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where schemaname in"
    with behind_the_triggers(engine) as connection:
        tables = connection.scalar(text(f"{query} ('archive', 'ops', 'search', 'threads') and tablename <> 'guard'"))
        connection.execute(text(f"truncate {tables}"))
    with engine.connect() as connection:
        enrol(connection)


@pytest.mark.long
@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_any_walk_ends_in_a_whole_archive(archivist: Archivist) -> None:
    """Rules in any order, and faults in any session."""

    class Here(Walk):
        pass

    Here.archivist = archivist
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES or 40,
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            # To shrink takes minutes, more than a test has.
            phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("kind", ["lone dot", "last dot", *(kind for kind in KINDS if "forged" in kind)])
def test_a_dot_that_was_not_doubled_forges_nothing(archivist: Archivist, kind: str, pipelining: bool) -> None:
    """A line of one dot ends the message for us, and the rest reads like answers to what we ask next.

    Neither the cut message nor what its sender wrote behind the dot is archived, under whatever UIDL; the message is
    passed by, it alone, and the rest goes on in the same run; after three runs it is in quarantine.
    """
    raws = [message(1, "plain"), message(2, kind), message(3, "plain"), message(4, "plain")]
    unstuffed = (Unstuffed(), *(On("RETR", n, Drip()) for n in range(1, 5)))
    with ChaosServer(WatchedMailbox("secret", raws), Behaviour(pipelining=pipelining)) as server:
        server.plan.extend([unstuffed] * 12)
        done = archivist.run(server)
        assert (done.failure, done.archived) == (None, 3)
        assert archivist.stored() == hashes(raws[0], *raws[2:])
        assert archivist.steps() == {"archived": 3, "failed": 2}
        for _ in range(2):
            archivist.run(server)
        assert archivist.steps() == {"archived": 3, "failed": 5, "quarantined": 1}
        server.plan.clear()
        assert archivist.run(server, Options(quarantined=True)).archived == 1
    assert archivist.stored() == hashes(*raws)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("how", ["small", "large", "none", "absurd", "missing"])
def test_a_wrong_size_in_list_costs_a_question_and_no_message(archivist: Archivist, how: str, pipelining: bool) -> None:
    """Sizes are compared and frame nothing: STAT is asked now and then, and all is archived in one session."""
    raws = [message(n, "plain") for n in range(40)]
    with ChaosServer(WatchedMailbox("secret", raws), Behaviour(pipelining=pipelining)) as server:
        server.plan.append((Sizes(how),))  # type: ignore[arg-type]
        done = archivist.run(server)
        assert (done.failure, done.archived, commands(server, "QUIT")) == (None, 40, 1)
        assert 1 < commands(server, "STAT") <= 5
        assert archivist.run(server).retrieved == 0
    assert archivist.stored() == hashes(*raws)


def test_a_server_that_loses_what_is_sent_ahead_is_asked_one_thing_at_a_time(archivist: Archivist) -> None:
    """It offers PIPELINING and does not mean it: the session after the silence does without, and brings all."""
    raws = [message(n, "plain") for n in range(40)]
    with ChaosServer(WatchedMailbox("secret", raws)) as server:
        server.habits = (Deaf(),)
        done = archivist.run(server, idle_seconds_max=0.5)
        assert (done.failure, done.archived, commands(server, "CAPA")) == (None, 40, 4)


def test_honest_sizes_cost_no_question(archivist: Archivist) -> None:
    """STAT is asked for the listing and not again."""
    with ChaosServer(WatchedMailbox("secret", [message(n, "plain") for n in range(40)])) as server:
        assert archivist.run(server).archived == 40
        assert commands(server, "STAT") == 1


def test_a_large_message_that_is_another_each_time_is_given_up(archivist: Archivist) -> None:
    """Pieces that replace others are no gain: passed by in three runs, it is in quarantine."""
    with ChaosServer(WatchedMailbox("secret", [message(1, "large"), message(2, "plain")])) as server:
        # The first try does gain a piece, the others do not.
        for tries in (3, 2, 1):
            server.plan.extend([(Altered(longer=True), On("RETR", 1, Drop(6000)))] * tries)
            assert archivist.run(server).failure is None
        assert archivist.steps() == {"restarted": 5, "failed": 5, "quarantined": 1, "archived": 1}


def test_a_server_that_always_has_something_new_does_not_keep_us(
    archivist: Archivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New UIDLs in each session and a line that drops at QUIT: every session gains, and the run ends all the same."""
    monkeypatch.setattr("etl.pipeline.BROKEN_SESSIONS_MAX", 5)
    with ChaosServer(WatchedMailbox("secret", [message(1, "plain")])) as server:
        server.plan.extend([(Uidls("reset"), On("TOP", 1, Say(b"-ERR no\r\n")), On("QUIT", 1, Drop()))] * 20)
        assert isinstance(archivist.run(server).failure, Retry)
        assert len(server.plan) == 15


def test_a_message_that_breaks_off_top_blocks_nobody(archivist: Archivist) -> None:
    """After a migration old mail is recognised by TOP; where that drops the line, it is fetched again instead."""
    with ChaosServer(WatchedMailbox("secret", [message(1, "plain"), message(2, "plain")])) as server:
        archivist.run(server)
        server.mailbox.migrate()
        server.mailbox.deliver(message(3, "plain"))
        server.plan.extend([(On("TOP", 1, Drop(10)),)] * 9)
        done = archivist.run(server)
        assert (done.failure, done.archived, done.duplicate) == (None, 1, 2)


@pytest.mark.parametrize("act", [Drop(10), Say(b"-ERR no\r\n"), Say(b"what?\r\n"), Silence()])
def test_a_message_without_uidl_that_cannot_be_read_blocks_nobody(archivist: Archivist, act: Act) -> None:
    """It keeps the name and the outcome of one that could not be read, and all others are archived in the same run."""
    raws = [message(n, "plain") for n in range(1, 6)]
    poison = (Poison(b"m0002", act), Poison(b"m0004", act))
    with ChaosServer(WatchedMailbox("secret", raws), Behaviour(uidl=False)) as server:
        for _ in range(3):
            server.plan.extend([poison] * 9)
            done = archivist.run(server, idle_seconds_max=1.5, delete="at once")
            assert done.failure is None
            server.plan.clear()
        assert archivist.balance() == {"listed": 5, "archived": 3, "quarantined": 2, "balanced": True}
        assert [m.raw for m in server.mailbox.messages()] == [raw.replace(b"\n", b"\r\n") for raw in (raws[1], raws[3])]
        assert archivist.run(server).archived == 2
    assert archivist.stored() == hashes(*raws)


def test_what_could_not_be_read_for_a_name_is_not_taken_for_archived_later(archivist: Archivist) -> None:
    """It is named by its size, which is another message's the next time; that one is not deleted unread."""
    refusing = (On("RETR", 1, Say(b"-ERR locked\r\n")),)
    with ChaosServer(WatchedMailbox("secret", [message(1, "plain")]), Behaviour(uidl=False)) as server:
        server.plan.append(refusing)
        archivist.run(server)
        server.mailbox.take_away(0)
        server.mailbox.deliver(message(1, "plain").replace(b"hello", b"HELLO"))
        server.plan.append(refusing)
        assert archivist.run(server, delete="at once").deleted == 0
        assert archivist.run(server, delete="at once").deleted == 1
    assert len(archivist.stored()) == 1


def test_a_uidl_that_several_messages_have_is_not_taken_for_theirs_later(archivist: Archivist) -> None:
    """One goes, another comes, and the listing looks the same: what is new is archived, and only then deleted."""
    raws = [message(n, "plain") for n in range(1, 4)]
    with ChaosServer(WatchedMailbox("secret", raws[:2])) as server:
        server.plan.extend([(Uidls("twins"),)] * 2)
        assert archivist.run(server).archived == 2
        server.mailbox.take_away(0)
        server.mailbox.deliver(raws[2])
        done = archivist.run(server, delete="at once")
        assert (done.archived, done.deleted) == (1, 2)
    assert archivist.stored() == hashes(*raws)


def test_a_uidl_that_was_given_away_again_is_not_deleted_for_the_message_it_had(archivist: Archivist) -> None:
    """Its size is neither what was listed nor what was retrieved, so it may be another message; it stays."""
    with ChaosServer(WatchedMailbox("secret", [message(1, "plain")])) as server:
        archivist.run(server)
        (old,) = server.mailbox.messages()
        server.mailbox.deliver(message(2, "plain"))
        server.mailbox.take_away(0)
        server.mailbox.rename(0, old.uidl)
        assert archivist.run(server, delete="at once").deleted == 0
        server.plan.append((Sizes("large"),))
        assert archivist.run(server, delete="at once").deleted == 0
