"""What was read is read again from the bytes: compared, replaced, in batches that go on where they were cut."""

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.archive import projection, threads
from etl.archive.search import find
from etl.errors import Retry
from etl.mime.version import PARSER
from etl.rebuild import Result, rebuild
from tests.archive.delivering import deliver, rehashed
from tests.behind import behind_the_triggers
from tests.sample.letters import mailboxes
from tests.system.command import Popvault

NUMBERS = itertools.count()
LINES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([
        b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"", b"Content-Type: text/html", b" folded",
        b"To: a@example.org, \"b\" <b@example.org>", b"Subject: =?gb2312?B?u+HS6bzNx6c=?=", b"a\\\"b\tc", b"\0",
        b"Content-Transfer-Encoding: base64", b"aGVsbG8gd29ybGQ=",
        b"Received: from a by b with SMTP; Tue, 3 Mar 2026 09:30:00 +0000",
    ]),
)  # fmt: skip
LETTER = b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n"


def all_again(engine: Engine, report: bool = True) -> tuple[Result, list[str]]:
    """Read all messages again; what came of it, and what differed."""
    told: list[str] = []
    result = rebuild(engine, True, report, lambda found: told.extend(map(str, found)))
    return result, told


def execute(engine: Engine, *statements: str) -> None:
    """Do what nobody should."""
    with behind_the_triggers(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_what_was_just_read_is_read_alike(engine: Engine):
    """In many charsets, broken, large and small."""
    sample = {raw.replace(b"\n", b"\r\n") for mailbox in mailboxes().values() for raw in mailbox}
    deliver(engine, "ann", *sample, b"Content-Type: text/html\r\n\r\n" + b"<p>much\r\n" * 200_000)
    assert all_again(engine) == (Result(messages=len(sample) + 1), [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(st.lists(st.lists(LINES, max_size=12).map(b"\r\n".join), min_size=5, max_size=20, unique=True))
def test_any_message_is_archived_and_read_alike_again(engine: Engine, raws: list[bytes]):
    """Whatever its lines: its bytes come back, and so do its rows."""
    deliver(engine, f"mailbox {next(NUMBERS)}", *raws)
    result, told = all_again(engine)
    assert (result.changed, result.faults, told) == (0, {}, [])
    with engine.connect() as connection:
        assert {m.sha256 for m in rehashed(connection)} >= {hashlib.sha256(raw).digest() for raw in raws}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("update archive.reading set subject = 'other'", "archive.reading: subject is 'other', read as 'Grüße'"),
        ("update archive.reading set decoded = null", "archive.reading: decoded is None, read as {'3': 'Grüße'}"),
        ("delete from archive.participant where role = 'to'", "archive.participant 1: is missing"),
        ("delete from archive.reading", "archive.reading: is missing"),
        (
            "insert into archive.defect select message_id, 9, 'k', 'p', 'd' from archive.message",
            "archive.defect 9: is one row too many",
        ),
        ("update archive.part set octets = 1", "archive.part 1: octets is 1, read as 7"),
    ],
)
def test_what_differs_is_told_and_mended(engine: Engine, damage: str, said: str):
    """Value by value; the report changes nothing, the rebuild does, and then nothing differs."""
    deliver(engine, "ann", LETTER + b"hello\r\n")
    execute(engine, damage)
    for _ in range(2):
        result, told = all_again(engine)
        assert (result, told) == (Result(1, 1), [f"message 1: {said}"])
    assert all_again(engine, report=False)[0] == Result(1, 1)
    assert all_again(engine) == (Result(1), [])


def test_only_what_another_parser_read_is_read_again(engine: Engine):
    """Where nothing differs but the parser, its name is all that is new."""
    deliver(engine, "ann", LETTER + b"one\r\n", LETTER + b"two\r\n")
    execute(engine, "update archive.reading set parser = 'older' where message_id = 2")
    assert rebuild(engine, False, False, lambda _: None) == Result(1, 0)
    assert rebuild(engine, False, False, lambda _: None) == Result(0, 0)
    with engine.connect() as connection:
        assert connection.scalars(text("select distinct parser from archive.reading")).all() == [PARSER]
        done = connection.execute(
            text("select messages, changed, ended_at is not null from ops.rebuild order by 1")
        ).all()
    assert [tuple(row) for row in done] == [(0, 0, True), (1, 0, True)]


def test_a_rebuild_that_was_cut_short_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """It begins behind what is done, and is one rebuild in the end."""
    monkeypatch.setattr(projection, "MESSAGES_AT_ONCE", 1)
    deliver(engine, "ann", *(LETTER + b"%d\r\n" % n for n in range(3)))

    def killed(_: object) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        rebuild(engine, True, False, killed)
    assert rebuild(engine, True, False, lambda _: None).messages == 2
    with engine.connect() as connection:
        assert connection.execute(text("select up_to, messages from ops.rebuild")).all() == [(3, 3)]


def test_a_rebuild_killed_before_threads_are_joined_joins_them_next_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is left to read again; what joined two messages is read no more, and they are apart."""
    deliver(engine, "ann", LETTER + b"one\r\n", LETTER + b"two\r\n")
    execute(
        engine,
        "update archive.reading set parser = 'older', in_reply_to = '<one@mail>'",
        "update threads.member set thread_id = 1",
    )

    def killed(_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(threads, "remake", killed)
        with pytest.raises(RuntimeError, match="killed"):
            rebuild(engine, False, False, lambda _: None)
    assert rebuild(engine, False, False, lambda _: None) == Result(0, 0)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(distinct thread_id) from threads.member")) == 2


def test_words_that_an_older_parser_did_not_lay_in_are_found_after_a_rebuild(engine: Engine):
    """Though no row is read otherwise; of mail that the same parser read, by --all alone."""
    inside = b"Content-Type: message/rfc822\r\n\r\nSubject: wolverine\r\n\r\nx\r\n"
    deliver(engine, "ann", LETTER[:-2] + inside)

    def finds() -> int:
        with engine.connect() as connection:
            return len(find(connection, "wolverine", 10))

    lose = "update search.fresh set terms = '\\x00000001'"
    assert finds() == 1
    execute(engine, lose, "update archive.reading set parser = 'older'")
    assert finds() == 0
    assert rebuild(engine, False, False, lambda _: None) == Result(1, 0)
    assert finds() == 1
    execute(engine, lose)
    rebuild(engine, False, False, lambda _: None)
    assert finds() == 0
    rebuild(engine, True, False, lambda _: None)
    assert finds() == 1


def test_two_at_once_do_not_get_in_each_other_s_way(engine: Engine):
    """The second says so."""
    with engine.connect() as connection:
        projection.begin(connection, PARSER, True)
        with pytest.raises(Retry, match="another rebuild is under way"):
            rebuild(engine, True, False, lambda _: None)


def test_damaged_bytes_are_not_read_again(engine: Engine, tmp_path: Path, database_url: str):
    """What was read from them when they were whole is better than what they are now."""
    deliver(engine, "ann", LETTER + b"hello\r\n", LETTER + b"whole\r\n")
    execute(engine, "update archive.head set content = replace(content, 'Ann', 'Eve') where message_id = 1")
    done = Popvault(tmp_path, None, database_url)("rebuild", "--all")
    assert (done.returncode, done.stdout) == (1, "1 read again, 0 changed\n")
    assert done.stderr.startswith("message 1 is left as it was read: its ")
