"""Threads: the same ones whatever the order in which messages come."""

import base64
import random
from collections import defaultdict
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from etl.archive.database import engine_for
from etl.archive.threads import remake, smallest
from etl.rebuild import rebuild
from tests.archive.delivering import deliver, rows

CONVERSATION = b"\x01" + bytes(range(21))


def letter(name: str, *, answers: str = "", references: str = "", more: str = "", own_id: bool = True) -> bytes:
    """A message with the subject `name` and the id <name@example.org>, unless it has none."""
    lines = [f"Subject: {name}", "From: ann@example.org", "To: bob@example.net", "Date: Mon, 2 Mar 2026 09:00:00 +0000"]
    lines += [f"Message-ID: <{name}@example.org>"] * own_id
    for header, value in (("In-Reply-To", answers), ("References", references)):
        lines += [f"{header}: {value}"] * bool(value)
    return "\r\n".join([*lines, *([more] if more else []), "", "Hello.", ""]).encode()


def ids(*names: str) -> str:
    """What References says of these messages."""
    return " ".join(f"<{name}@example.org>" for name in names)


def outlook(index: bytes) -> str:
    """The header that Outlook writes."""
    return f"Thread-Index: {base64.b64encode(index).decode()}"


# What belongs together, by subject; and what might be taken to, and does not.
LETTERS = {
    "a chain": [
        letter("chain1"), letter("chain2", answers=ids("chain1")), letter("chain3", answers=ids("chain2")),
        letter("chain4", answers=ids("chain3")),
    ],
    "joined by a late one": [
        letter("left1"), letter("left2", references=ids("left1")), letter("right1"),
        letter("right2", answers=ids("right1")), letter("both", references=ids("left2", "right2")),
    ],
    "answers to what was never archived": [
        letter("orphan1", references=ids("lost")), letter("orphan2", answers=ids("lost")),
    ],
    "a circle": [
        letter("circle1", answers=ids("circle3")), letter("circle2", answers=ids("circle1")),
        letter("circle3", answers=ids("circle2")),
    ],
    "its own parent": [letter("myself", answers=ids("myself"), references=ids("myself", "myself"))],
    "copies with one id": [
        letter("copy"), letter("copy", more="X-Footer: another"), letter("answer", answers=ids("copy")),
    ],
    "an answer without an id": [letter("named"), letter("nameless", answers=ids("named"), own_id=False)],
    "Outlook": [
        letter("outlook1", more=outlook(CONVERSATION)), letter("outlook2", more=outlook(CONVERSATION + bytes(5))),
    ],
    "an id of 16 kB": [letter("l" * 16000), letter("short", answers=ids("l" * 16000))],
    "alone 1": [letter("same subject", own_id=False)],
    "alone 2": [letter("same subject", own_id=False, more="X-Other: yes")],
    "no id at all 1": [letter("yes1", answers="<yes>")],
    "no id at all 2": [letter("yes2", answers="<yes>")],
    "to an address 1": [letter("old1", answers="Message from Bob <bob@example.net> of Monday")],
    "to an address 2": [letter("old2", answers="Message from Bob <bob@example.net> of Tuesday")],
    "unlike Outlook 1": [letter("hidden1", more="Thread-Index: " + "X" * 36)],
    "unlike Outlook 2": [letter("hidden2", more="Thread-Index: " + "X" * 36)],
}  # fmt: skip
ALL = [each for letters in LETTERS.values() for each in letters]
THREADS = """
    select encode(sha256, 'hex'), t.thread_id from threads.member t join archive.message using (message_id) order by 1
"""


def together(engine: Engine) -> set[frozenset[str]]:
    """The messages of each thread, by their SHA-256."""
    threads = defaultdict(set)
    for sha256, thread_id in rows(engine, THREADS):
        threads[thread_id].add(sha256)
    return {frozenset(members) for members in threads.values()}


def archived(new_database: Callable[[], str], loads: Sequence[Sequence[bytes]]) -> list[object]:
    """All that the threads' tables say after messages came in these loads."""
    engine = engine_for(new_database())
    for n, raws in enumerate(loads):
        deliver(engine, f"mailbox {n}", *raws)
    said = [rows(engine, THREADS), rows(engine, "select key, thread_id from threads.key order by 1")]
    assert rows(engine, "select count(*) from threads.pending") == [(0,)]
    engine.dispose()
    return said


def test_what_belongs_together(engine: Engine):
    """By ids and Outlook's conversations; never by subject, by an address, or by what is no id."""
    for n, letters in enumerate(LETTERS.values()):
        deliver(engine, f"mailbox {n}", *letters)
    of = "select encode(sha256, 'hex') from mart.delivery join archive.message using (message_id) where mailbox = :name"
    expected = {frozenset(s for (s,) in rows(engine, of, name=f"mailbox {n}")) for n in range(len(LETTERS))}
    assert together(engine) == expected
    assert sum(map(len, expected)) == len(ALL)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_gives_the_same_threads(new_database: Callable[[], str], seed: int):
    """The same rows, numbers included: all at once, one by one, shuffled, in loads of any size."""
    shuffled = random.Random(seed).sample(ALL, len(ALL))
    cuts = sorted(random.Random(seed).sample(range(1, len(ALL)), 5))
    loads = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(ALL)], strict=True)]
    if seed == 0:
        loads = [[each] for each in shuffled]
    assert archived(new_database, loads) == archived(new_database, [ALL])


def test_made_again_they_are_the_same(engine: Engine):
    """From what is read of the messages alone."""
    deliver(engine, "ann", *ALL)
    before = rows(engine, THREADS), rows(engine, "select * from threads.key order by 1")
    with engine.begin() as connection:
        connection.exec_driver_sql("update threads.member set thread_id = 1")
        connection.exec_driver_sql("delete from threads.key where mod(key, 2) = 0")
    with engine.connect() as connection:
        assert remake(connection) == len(ALL)
    assert (rows(engine, THREADS), rows(engine, "select * from threads.key order by 1")) == before


def test_a_rebuild_parts_what_was_joined_by_mistake(engine: Engine):
    """What an older parser took for an id joins no more."""
    deliver(engine, "ann", letter("one"), letter("other", answers="<one at all>"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "update archive.reading set in_reply_to = '<one@example.org>' where subject = 'other'"
        )
    with engine.connect() as connection:
        remake(connection)
    assert len(together(engine)) == 1
    assert rebuild(engine, every=True, report=False, tell=lambda _: None).changed == 1
    assert len(together(engine)) == 2


def test_an_answer_has_its_time(engine: Engine):
    """Since the message that it answers; business hours on the clock of who answers."""
    question = letter("question")  # Monday, 09:00 UTC
    late = letter("late", answers=ids("question")).replace(b"2 Mar 2026 09:00:00 +0000", b"4 Mar 2026 10:00:00 -0500")
    deliver(engine, "ann", late, question)
    # From Monday, 04:00 to Wednesday, 10:00 in New York: two days of eight hours, and one hour.
    assert rows(engine, "select seconds, business_seconds, automatic from mart.reply") == [
        ((48 + 6) * 3600, 17 * 3600, False)
    ]


def test_of_copies_the_first_is_answered(engine: Engine):
    """Once, and a message never answers itself."""
    copies = [letter("copy"), letter("copy", more="X-Footer: another").replace(b"09:00:00", b"08:00:00")]
    deliver(engine, "ann", *copies, letter("answer", answers=ids("copy")), letter("me", answers=ids("me")))
    parents = """
        select m.subject, p.sent_at = '2026-03-02 08:00+00' from mart.reply r join mart.message m using (message_id)
        join mart.message p on p.message_id = r.parent_message_id
    """
    assert rows(engine, parents) == [("answer", True)]


def test_outlook_answers_without_an_id(engine: Engine):
    """What its index continues is what it answers."""
    first, second, third = (letter(f"o{n}", more=outlook(CONVERSATION + bytes(5 * n))) for n in range(3))
    deliver(engine, "ann", third, first, second)
    answers = """
        select m.subject, p.subject from mart.reply r join mart.message m using (message_id)
        join mart.message p on p.message_id = r.parent_message_id order by 1
    """
    assert rows(engine, answers) == [("o1", "o0"), ("o2", "o1")]


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=5), max_size=30))
def test_the_smallest_of_what_is_joined(groups: list[list[int]]):
    """As whoever joins set by set finds it."""
    sets: list[set[int]] = []
    for group in groups:
        touched = [each for each in sets if each & set(group)]
        sets = [each for each in sets if not each & set(group)] + [set(group).union(*touched)]
    assert smallest(groups) == {number: min(each) for each in sets for number in each}
