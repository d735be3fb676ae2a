"""What a search tells somebody who sees some mailboxes: of the others nothing, by whatever way it is asked."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etl.archive import labels, rights, search
from etl.archive.database import driver, engine_for
from etl.errors import Misconfigured
from tests.archive.delivering import deliver, rows

# What reads the index of words, or is called where it is read; nobody but the owner may call it.
INNER = {
    *("search.places", "search.among", "search.places_asked", "search.rarest", "search.scores", "search.score"),
    *("search.has_asked", "search.sees_all", "search.spread"),
}
ASKED = "array[row(1, false, 'words', null, 'word', array[search.term('word')], null)::search.alternative]"
# More than are ranked among each other, of which every tenth has the word in its subject.
MINE = [
    (b"Subject: %d\r\n\r\nword bell\r\n" if n % 10 else b"Subject: word %d\r\n\r\nbell\r\n") % n for n in range(520)
]
TOO_MANY_TO_LIST = (
    "create or replace function search.held(mailboxes bigint[]) returns bigint[] return cast(null as bigint[])"
)
THEIRS = [b"Subject: word secret %d\r\n\r\nword word\r\n" % n for n in range(520)]


@pytest.fixture
def reader(engine: Engine, login: Callable[..., str]) -> Iterator[Connection]:
    """Logged in with the right to read what one mailbox holds, which is delivered here."""
    deliver(engine, "mine", *MINE)
    theirs = engine_for(login(engine, "searching_reader", "popvault_reader"))
    with engine.connect() as connection:
        rights.grant(connection, "searching_reader", ["mine"])
    with ExitStack() as stack:
        stack.callback(theirs.dispose)
        yield stack.enter_context(theirs.connect()).execution_options(isolation_level="AUTOCOMMIT")


def pages(connection: Connection, query: str, matches: int = 90) -> list[dict[str, Any]]:
    """All rows that a query finds, page after page."""
    found: list[dict[str, Any]] = []
    while page := search.find(connection, query, matches, str(found[-1]["key"]) if found else None):
        found += page
    return found


def window(connection: Connection) -> list[tuple[object, ...]]:
    """What the one function gives that reads the index, asked as no query asks it."""
    query = f"""
        select top, bottom, id, sent_at::text, score
        from search.window({ASKED}, '{{}}', null, 9223372036854775807, null),
             unnest(ids, sent_ats, scores) as u (id, sent_at, score)
        order by id
    """  # noqa: S608
    found = [tuple(row) for row in connection.execute(text(query))]
    connection.commit()
    return found


def fold(engine: Engine, monkeypatch: pytest.MonkeyPatch, messages: int) -> None:
    """Fold terms into segments of so many messages."""
    monkeypatch.setattr(search, "SEGMENT_MESSAGES", messages)
    with engine.connect() as connection:
        while search.fold(connection):
            pass


def refused(connection: Connection, statement: str) -> bool:
    """Whether there is no right to a statement."""
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        return isinstance(error.orig, psycopg.errors.InsufficientPrivilege)
    return False


def test_nobody_reads_the_index_itself(engine: Engine, reader: Connection):
    """Neither its tables nor the functions that read them; a function of a later version is not forgotten."""
    for table in ("fresh", "segment", "stretch", "posting", "common"):
        assert refused(reader, f"select count(*) from search.{table}"), table  # noqa: S608
    may_not = """
        select format('%s.%s', pronamespace::regnamespace, proname) from pg_proc p
        where pronamespace = 'search'::regnamespace and not has_function_privilege('searching_reader', oid, 'execute')
    """
    reading = """
        select format('%s.%s', pronamespace::regnamespace, proname) from pg_proc
        where pronamespace in ('search'::regnamespace, 'mart'::regnamespace)
          and coalesce(pg_get_function_sqlbody(oid), prosrc) ~ 'search\\.(fresh|segment|stretch|posting|common)'
          and has_function_privilege('searching_reader', oid, 'execute')
          and prorettype <> 'trigger'::regtype
    """
    assert {name for (name,) in rows(engine, may_not)} >= INNER
    assert rows(engine, reading) == [("search.window",)]
    assert refused(reader, f"select search.rarest({ASKED})")
    assert refused(reader, "select search.places(1, 1)")


def test_who_may_not_read_text_may_not_search_it(engine: Engine, reader: Connection, login: Callable[..., str]):
    """An analyst would learn what words mail has; saving a search needs no more than that it is one."""
    theirs = engine_for(login(engine, "searching_analyst", "popvault_analyst"))
    with engine.connect() as connection:
        rights.grant(connection, "searching_analyst", ["mine"])
    with theirs.connect() as analyst:
        labels.save(analyst, "bells", "bell -rung")
        for statement in ("select * from mart.search('bell')", f"select search.window({ASKED}, '{{}}', null, 9, 0)"):
            assert refused(analyst, statement), statement
            analyst.rollback()
    theirs.dispose()
    assert len(search.find(reader, "saved:bells", 7)) == 7


@pytest.mark.parametrize("segments_of", [None, 100])
@pytest.mark.parametrize("listed", [True, False])
def test_what_is_unseen_changes_nothing(
    engine: Engine, reader: Connection, monkeypatch: pytest.MonkeyPatch, segments_of: int | None, listed: bool
):
    """Neither rows nor their order, scores and keys, whether what is seen is listed before or looked up one by one."""
    if not listed:
        with engine.begin() as connection:
            connection.execute(text(TOO_MANY_TO_LIST))
    queries = ("word", "word -bell", "bell or secret", '"word bell"', "mailbox:mine 7")
    before = [pages(reader, query) for query in queries], window(reader)
    assert [len(found) for found in before[0]] == [520, 0, 520, 468, 1]
    assert len({row["message_id"] for row in before[0][0]}) == 520
    deliver(engine, "theirs", *THEIRS)
    if segments_of:
        fold(engine, monkeypatch, segments_of)
    assert ([pages(reader, query) for query in queries], window(reader)) == before
    assert pages(reader, "secret") == []


def test_a_window_ends_at_the_last_that_is_ranked(engine: Engine, reader: Connection, monkeypatch: pytest.MonkeyPatch):
    """Not where a segment does, which others' mail decides; folded or not, keys are the same."""
    before = pages(reader, "word")
    assert [row["score"] for row in before[:26]] == [1] * 25 + [0]
    for segments_of in (64, 256):
        fold(engine, monkeypatch, segments_of)
        assert pages(reader, "word") == before


def test_conditions_on_what_is_found_see_no_more(engine: Engine, reader: Connection):
    """A function that tells of every row that it is asked about is told of those alone that are seen."""
    deliver(engine, "theirs", *THEIRS[:5])
    reader.execute(
        text("""
        create function pg_temp.told(word text) returns boolean language plpgsql cost 0.0001 as
        $$ begin raise notice '%', word; return true; end $$
    """)
    )
    notices: list[str] = []
    driver(reader).add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    reader.execute(text("select * from mart.search('word', 1000) where pg_temp.told(subject) and score >= 0")).all()
    asked = f"select id from search.window({ASKED}, '{{}}', null, 9223372036854775807, 0) w, unnest(w.ids) as id"  # noqa: S608
    reader.execute(text(f"select id from ({asked}) as found where pg_temp.told(id::text)")).all()  # noqa: S608
    assert len(notices) == 1040
    assert not any("secret" in notice for notice in notices)
    assert max(int(notice) for notice in notices if re.fullmatch(r"\d+", notice)) == 520


def test_a_mailbox_or_label_asked_for_tells_of_no_other(engine: Engine, reader: Connection):
    """Neither by a mailbox that is not seen, nor by a label that others put on their mail."""
    deliver(engine, "theirs", MINE[0], *THEIRS[:3])
    with engine.connect() as connection:
        labels.put(connection, "ours", [1, 2, 521])
    with pytest.raises(Misconfigured, match="there is no mailbox theirs"):
        search.find(reader, "mailbox:theirs", 20)
    assert {row["message_id"] for row in search.find(reader, "label:ours", 20)} == {1, 2}
    assert labels.labels(reader)[0]["messages"] == 2
    forged = "insert into search.labelled (label_id, message_id, labelled_by) values (1, 3, 'somebody')"
    assert refused(reader, forged)


def test_who_sees_all_finds_all(engine: Engine, reader: Connection):
    """Once it is granted, and no longer."""
    deliver(engine, "theirs", *THEIRS[:5])
    with engine.connect() as connection:
        rights.grant(connection, "searching_reader", [None])
        assert len(search.find(reader, "secret", 20)) == 5
        rights.revoke(connection, "searching_reader", [None])
        assert search.find(reader, "secret", 20) == []
        assert len(search.find(connection, "secret", 20)) == 5
