"""Two loaders with the same messages and files at once, or a loader and a disposition: each file is there once,
whoever of them is cut down."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType

import pytest
from sqlalchemy import Engine, text

from etl.archive import blobs, downloads, loader
from etl.archive.loader import Arrival, head_sha256
from etl.archive.recipe import Recipe
from etl.archive.verification import books
from etl.mime.large import LargeReader
from etl.mime.splitter import Event
from etl.parsing import Job, answer
from tests.archive.delivering import deliver, rehashed, rows
from tests.mime.mail import file, multipart

# More than fits one step of text, each written in base64.
FILES = [bytes([number]) * 3000 for number in range(4)]
SECONDS_MAX = 60


def letter(subject: str, *files: bytes) -> bytes:
    """A message with these files."""
    parts = [file(f"application/pdf; name={number}.pdf", content) for number, content in enumerate(files)]
    return multipart("mixed", *parts, headers=(f"Subject: {subject}",))


@pytest.fixture
def two() -> Iterator[ThreadPoolExecutor]:
    """Two threads, a loader each."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def delivery(engine: Engine) -> Callable[[], tuple[int, int]]:
    """Makes a delivery that is still to be retrieved: its number, and that of the session."""
    deliver(engine, "ann")
    again = """
        insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)
        select 1, 1, gen_random_uuid(), 0, 1 returning delivery_id
    """

    def make() -> tuple[int, int]:
        with engine.begin() as connection:
            return connection.execute(text(again)).scalar_one(), 1

    return make


_of_thread = threading.local()


class Loader:
    """One loader's batch, which can pause in its transaction until it may go on."""

    def __init__(self, engine: Engine, arrivals: Sequence[Arrival]):
        self._engine, self._arrivals = engine, arrivals
        self.written, self.go_on = threading.Event(), threading.Event()
        self.pid = 0

    def __call__(self, pause: str = "", fail: bool = False) -> dict[int, str]:
        """Number, read and load; what became of each delivery. pause: behind which step."""
        with self._engine.connect() as connection:
            self.pid = connection.scalar(text("select pg_backend_pid()")) or 0
            connection.rollback()
            numbers = loader.number(connection, self._arrivals)
            new = {a.sha256: a for a in self._arrivals if not numbers[a.sha256].known}
            jobs = {s: Job(numbers[s].message_id, a.raw, a.skeleton) for s, a in new.items()}
            blocks = dict(zip(jobs, answer(list(jobs.values())), strict=True))
            _of_thread.pause = (self, pause, fail)
            return loader.load(connection, self._arrivals, numbers, blocks)


@pytest.fixture(autouse=True)
def pausing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaders that were told so pause behind these steps."""

    def pausing(module: ModuleType, step: str) -> None:
        function = getattr(module, step)

        def paused(*arguments: object) -> None:
            function(*arguments)
            batch, behind, fail = getattr(_of_thread, "pause", (None, "", False))
            if batch and behind == step:
                batch.written.set()
                assert batch.go_on.wait(SECONDS_MAX)
                if fail:
                    raise InterruptedError

        monkeypatch.setattr(module, step, paused)

    pausing(loader, "_enter")
    pausing(blobs, "add_steps")


def whole(engine: Engine, messages: int, blobs: int) -> None:
    """So much is there and no more, all of it gives its bytes, and the books balance."""
    assert rows(engine, "select count(*), (select count(*) from archive.blob) from archive.message") == [
        (messages, blobs)
    ]
    with engine.connect() as connection:
        assert [made.fault for made in rehashed(connection)] == [None] * messages
        assert [fault for _, found in books(connection) for fault in found] == []


def waits(engine: Engine, batch: "Loader | Disposition") -> None:
    """Until it waits for another's lock."""
    for _ in range(SECONDS_MAX * 20):
        if rows(engine, "select from pg_locks where pid = :pid and not granted", pid=batch.pid):
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not wait")


@pytest.mark.parametrize("end", ["commits", "rolls back", "is killed"])
@pytest.mark.parametrize("same", ["message", "file"])
def test_one_waits_for_what_the_other_has_written(
    engine: Engine, two: ThreadPoolExecutor, delivery: Callable[[], tuple[int, int]], same: str, end: str
):
    """The message or the file that both bring is there once, by whichever of them is left."""
    raws = [letter("one", FILES[0]), letter("one" if same == "message" else "two", FILES[0])]
    first, second = (Loader(engine, [Arrival.of(*delivery(), raw)]) for raw in raws)
    ahead: Future[dict[int, str]] = two.submit(first, "_enter", end == "rolls back")
    assert first.written.wait(SECONDS_MAX)
    behind = two.submit(second)
    waits(engine, second)
    if end == "is killed":
        rows(engine, "select pg_terminate_backend(:pid)", pid=first.pid)
    first.go_on.set()
    outcome = [*behind.result(SECONDS_MAX).values()]
    if end == "commits":
        assert [*ahead.result(SECONDS_MAX).values()] == ["archived"]
        assert outcome == (["duplicate"] if same == "message" else ["archived"])
    else:
        assert ahead.exception(SECONDS_MAX) is not None
        assert outcome == ["archived"]
        whole(engine, 1, 1)
        assert [*first().values()] == (["duplicate"] if same == "message" else ["archived"])
    whole(engine, 1 if same == "message" else 2, 1)


def large(engine: Engine, delivery: tuple[int, int], raw: bytes) -> Arrival:
    """A message that came as a large one: its pieces are committed."""
    events: list[Event] = []
    reader, recipe = LargeReader(events.append, leaf_bytes_max=1000), Recipe()
    reader.feed(raw)
    skeleton = reader.close()
    with engine.connect() as connection:
        for position, piece in enumerate([*recipe.take(events), *recipe.close()]):
            downloads.add(connection, delivery[0], position, piece)
    sha256 = Arrival.of(*delivery, raw).sha256
    return Arrival(*delivery, sha256, head_sha256(raw), len(raw), None, skeleton, tuple(recipe.blobs))


def test_in_opposite_orders(engine: Engine, two: ThreadPoolExecutor, delivery: Callable[[], tuple[int, int]]):
    """Messages and files, large ones too: no deadlock, each stored once."""
    for turn in range(10):
        files = [content + bytes([turn]) for content in FILES]
        raws = [letter(f"{turn} {number}", *pair) for number, pair in enumerate(itertools.pairwise(files))]
        one = [Arrival.of(*delivery(), raws[0]), Arrival.of(*delivery(), raws[2]), large(engine, delivery(), raws[1])]
        backwards = [letter(f"{turn} back", *reversed(files)), letter(f"{turn} large", files[3], files[0])]
        other = [Arrival.of(*delivery(), backwards[0]), *(Arrival.of(*delivery(), raw) for raw in reversed(raws))]
        other.append(large(engine, delivery(), backwards[1]))
        loaders = [Loader(engine, batch) for batch in (one, other)]
        outcomes = [done.result(SECONDS_MAX) for done in [two.submit(each) for each in loaders]]
        assert sorted([*outcomes[0].values(), *outcomes[1].values()]) == ["archived"] * 5 + ["duplicate"] * 3
    whole(engine, 50, 40)


def test_a_large_and_a_small_message_in_one_batch(
    engine: Engine, two: ThreadPoolExecutor, delivery: Callable[[], tuple[int, int]]
):
    """One brings small A and large B, the other small B and large A: all files are asked for at once, in one order."""
    low, high = FILES[:2]
    one = [Arrival.of(*delivery(), letter("1", high)), large(engine, delivery(), letter("2", low))]
    other = [Arrival.of(*delivery(), letter("3", low)), large(engine, delivery(), letter("4", high))]
    first, second = Loader(engine, one), Loader(engine, other)
    ahead = two.submit(first, "add_steps")
    assert first.written.wait(SECONDS_MAX)
    behind = two.submit(second)
    waits(engine, second)
    first.go_on.set()
    assert [*ahead.result(SECONDS_MAX).values(), *behind.result(SECONDS_MAX).values()] == ["archived"] * 4
    whole(engine, 4, 2)


class Disposition:
    """Takes the first message out of the archive; its transaction stays open until it may be committed."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self.approved, self.go_on = threading.Event(), threading.Event()
        self.pid = 0
        ask = "insert into archive.disposition (message_id, basis, requested_by) values (1, 'case 4', 'ann')"
        with engine.begin() as connection:
            connection.execute(text(ask))

    def __call__(self) -> None:
        """Approve it, and commit when it may go on."""
        with self._engine.begin() as connection:
            self.pid = connection.scalar(text("select pg_backend_pid()")) or 0
            connection.execute(text("select archive.approve_disposition(1)"))
            self.approved.set()
            assert self.go_on.wait(SECONDS_MAX)


@pytest.mark.parametrize("ahead", ["loader", "disposition"])
def test_a_disposition_takes_no_file_that_a_loader_has_found(
    engine: Engine, two: ThreadPoolExecutor, delivery: Callable[[], tuple[int, int]], ahead: str
):
    """Whoever comes first, the other waits: the second message has its file, and the first one is gone.

    A large message has a lease on its mailbox, for which no disposition waits: see test_erasure.
    """
    assert [*Loader(engine, [Arrival.of(*delivery(), letter("one", FILES[0]))])().values()] == ["archived"]
    batch = Loader(engine, [Arrival.of(*delivery(), letter("two", FILES[0], FILES[1]))])
    disposition = Disposition(engine)
    if ahead == "loader":
        loaded = two.submit(batch, "add_steps")
        assert batch.written.wait(SECONDS_MAX)
        gone = two.submit(disposition)
        waits(engine, disposition)
    else:
        gone = two.submit(disposition)
        assert disposition.approved.wait(SECONDS_MAX)
        loaded = two.submit(batch)
        waits(engine, batch)
    for each in (batch, disposition):
        each.go_on.set()
    assert [*loaded.result(SECONDS_MAX).values()] == ["archived"]
    assert gone.result(SECONDS_MAX) is None
    assert rows(engine, "select count(*) from archive.head where message_id = 1") == [(0,)]
    with engine.connect() as connection:
        assert [made.fault for made in rehashed(connection)] == [None]
        assert [fault for _, found in books(connection) for fault in found] == []
    assert rows(engine, "select count(*) from archive.blob") == [(2,)]
