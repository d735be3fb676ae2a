"""The analyst queries: each runs, and says what it answers."""

import pytest
from sqlalchemy import Engine

from etl.archive import statements
from etl.errors import Misconfigured
from tests.archive.delivering import deliver

LETTER = b"From: ann@example.org\r\nTo: bob@example.net\r\nDate: Tue, 3 Mar 2026 09:30:00 +0000\r\n"
WITH_FILE = (
    LETTER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n"
    b"1;2\r\n--b--\r\n"
)


def ask(engine: Engine, name: str) -> list[dict[str, object]]:
    """The rows that a query answers."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(statements.titled("queries", name)).mappings()]


def test_every_query_runs_and_says_what_it_answers(engine: Engine):
    """A file each, a sentence first, and SQL that Postgres takes."""
    deliver(engine, "ann", LETTER + b"\r\nhello\r\n")
    assert len(statements.titles("queries")) >= 5
    for name, answers in statements.titles("queries").items():
        assert answers.endswith((".", "?")), name
        ask(engine, name)


def test_who_writes_to_whom(engine: Engine):
    """A pair is counted by messages, not by the mailboxes that hold them."""
    deliver(engine, "ann", LETTER + b"\r\none\r\n", LETTER + b"\r\ntwo\r\n")
    deliver(engine, "bob", LETTER + b"\r\none\r\n")
    (row,) = ask(engine, "who_writes_to_whom")
    assert (row["sender"], row["recipient"], row["messages"]) == ("ann@example.org", "bob@example.net", 2)


def test_volume_counts_each_mailbox(engine: Engine):
    """A message in two mailboxes is volume in both."""
    deliver(engine, "ann", LETTER + b"\r\none\r\n", LETTER + b"\r\ntwo\r\n")
    deliver(engine, "bob", LETTER + b"\r\none\r\n")
    rows = [(row["mailbox"], str(row["day"]), row["messages"]) for row in ask(engine, "volume_by_mailbox_and_day")]
    assert rows == [("ann", "2026-03-03", 2), ("bob", "2026-03-03", 1)]


def test_one_file_across_mailboxes(engine: Engine):
    """The same content is found under different messages."""
    deliver(engine, "ann", WITH_FILE)
    deliver(engine, "bob", b"Subject: other\r\n" + WITH_FILE)
    (row,) = ask(engine, "attachments_across_mailboxes")
    assert (row["filename"], row["messages"], row["mailboxes"]) == ("a.csv", 2, ["ann", "bob"])


def test_an_unknown_query_is_named():
    """With those that are known."""
    with pytest.raises(Misconfigured, match="there is no 'nothing' in queries; known are attachments"):
        statements.titled("queries", "nothing")
