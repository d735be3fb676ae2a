"""What is left of a message that was disposed of: every table is read for what only it said."""

import re
import struct
from collections.abc import Iterable

import pytest
from sqlalchemy import Connection, Engine, text

from etl.archive import downloads, labels, ledger, search
from etl.archive.loader import Arrival
from etl.archive.recipe import Piece
from etl.archive.verification import books
from etl.mime import terms
from etl.mime.reading import read
from etl.rebuild import rebuild
from tests.archive.delivering import deliver, join_all, rows, take

HEAD = (
    b"From: Gertrud <gertrud@secret.example>\r\nTo: Ann <ann@example.org>\r\nDate: Sat, 13 Jul 2019 11:22:33 +0200\r\n"
    b"Subject: Zanzibar at last\r\nMessage-ID: <gone.17@secret.example>\r\nIn-Reply-To: <root@example.org>\r\n"
    b"References: <root@example.org> <named.by.it.alone@secret.example>\r\nX-Note: wombat\r\n"
    b"Thread-Index: AQHVOWfPq0sIu0rYS0a2nV7Qn1x2cw==\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
)
GONE = HEAD + (
    b"--b\r\n\r\nThe quokka is paid, on Tuesday.\r\n"
    b"--b\r\nContent-Type: text/csv; name=xylophone.csv\r\nContent-Disposition: attachment\r\n\r\n1;2;3\r\n--b--\r\n"
)
# What only this message says; and the ids that only it names, as keys of threads.
SECRETS = [
    *("gertrud", "secret.example", "zanzibar", "quokka", "xylophone", "wombat", "AQHVOWfPq0sIu0rYS0a2nV7Qn1x2cw"),
    *("named.by.it.alone", "gone.17", "2019-07-13"),
]
CONVERSATIONS = "select threads.key_of_conversation(thread_index) from archive.manner"
KEYS = f"select threads.key_of('<named.by.it.alone@secret.example>') union all {CONVERSATIONS}"
OTHERS = [
    b"From: ann@example.org\r\nDate: Mon, 8 Jul 2019 11:22:33 +0200\r\nSubject: Root\r\n"
    b"Message-ID: <root@example.org>\r\nThread-Index: AQHVOWfPq0sIu0rYS0a2nV7Qn1x2dw==\r\nX-Loop: y\r\n"
    b"Auto-Submitted: auto-replied\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello on Tuesday\r\n"
    b"--b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment\r\n\r\n1;2\r\n--b--\r\n",
    b"From: ann@example.org\r\nDate: Tue, 6 Aug 2019 11:22:33 +0200\r\nSubject: Root\r\n"
    b"References: <root@example.org>\r\n\r\nhello again\r\n",
]
TABLES = """
    select format('%I.%I', relnamespace::regnamespace, relname) from pg_class
    where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      and not starts_with(relnamespace::regnamespace::text, 'pg_toast')
    union all values ('pg_catalog.pg_statistic') order by 1
"""
EXCLUDED = """
    insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)
    select mailbox_id, epoch_id, 'large', 0, session_id from archive.delivery where uidl = 'bob-1' returning delivery_id
"""


def left(connection: Connection, secrets: Iterable[str]) -> set[tuple[str, str]]:
    """In which tables a secret stands, written as it is or as octets in hexadecimal."""
    found = set()
    for table in connection.scalars(text(TABLES)).all():
        for row in connection.scalars(text(f"select t::text from {table} as t")):  # noqa: S608
            said = row.lower()
            found |= {
                (table, secret)
                for secret in secrets
                if any(form in said for form in (secret.lower(), secret.encode().hex(), secret.title().encode().hex()))
            }
    return found


def numbers(connection: Connection) -> set[int]:
    """All terms of the index."""
    listed = "select unnest(terms) from search.posting union all select term from search.common"
    folded = connection.scalars(text(listed)).all()
    fresh = b"".join(map(bytes, connection.scalars(text("select terms from search.fresh"))))
    return {*folded, *struct.unpack(f">{len(fresh) // 4}i", fresh)}


def terms_of(raw: bytes) -> set[int]:
    """The terms that a message is found by."""
    packed = terms.of(read(raw))
    return set(struct.unpack(f">{len(packed) // 4}i", packed))


def fold(engine: Engine, monkeypatch: pytest.MonkeyPatch, messages: int) -> None:
    """Fold terms into segments of so many messages."""
    monkeypatch.setattr(search, "SEGMENT_MESSAGES", messages)
    with engine.connect() as connection:
        while search.fold(connection):
            pass


def maintained(engine: Engine) -> None:
    """Statistics keep samples of what stands in tables, dead rows what stood there."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def dispose(engine: Engine, message_id: int) -> None:
    """One login asks, another approves."""
    with engine.begin() as connection:
        asked = "insert into archive.disposition (message_id, basis, requested_by) values (:id, 'case 4', 'ann')"
        connection.execute(text(asked), {"id": message_id})
        connection.execute(text("select archive.approve_disposition(max(disposition_id)) from archive.disposition"))


@pytest.fixture
def archive(engine: Engine) -> Engine:
    """The message among others, under a label; and its header block where its body was too large."""
    deliver(engine, "ann", OTHERS[0], GONE, OTHERS[1])
    deliver(engine, "bob", b"From: ann@example.org\r\nSubject: other\r\n\r\nhello\r\n")
    with engine.begin() as connection:
        excluded = connection.scalar(text(EXCLUDED))
        excerpt = "insert into archive.excerpt (delivery_id, session_id, head) values (:delivery, 1, :head)"
        for delivery, head in ((2, HEAD), (excluded, HEAD), (4, b"From: ann@example.org\r\nSubject: other\r\n\r\n")):
            connection.execute(text(excerpt), {"delivery": delivery, "head": head})
        connection.execute(text("insert into ops.verification (asked, version) values ('all messages', '0')"))
        connection.execute(
            text("""
                insert into ops.fault (verification_id, place, fault) values
                    (1, 'message 2: archive.reading', 'subject is ''x'', read as ''Zanzibar at last'''),
                    (1, 'message 21: archive.reading', 'subject is ''x'', read as ''y''')
            """)
        )
    with engine.connect() as connection:
        labels.put(connection, "travel", [2])
    return engine


@pytest.mark.parametrize(("segments_of", "read_again"), [(None, False), (2, False), (3, False), (4, False), (2, True)])
def test_nothing_is_left_that_only_the_message_said(
    archive: Engine, monkeypatch: pytest.MonkeyPatch, segments_of: int | None, read_again: bool
):
    """Words, addresses, ids, dates, terms and keys of threads, fresh or folded, also those of an older reading."""
    if segments_of:
        fold(archive, monkeypatch, segments_of)
    if read_again:
        with archive.begin() as connection:
            connection.execute(text("update archive.reading set subject = 'misread' where message_id = 2"))
        rebuild(archive, every=True, report=False, tell=lambda _: None)
        fold(archive, monkeypatch, 1)
    join_all(archive)
    maintained(archive)
    only_its = terms_of(GONE) - {n for raw in OTHERS for n in terms_of(raw)} - terms_of(b"\r\n\r\nother hello")
    with archive.connect() as connection:
        keys = set(connection.scalars(text(KEYS)))
        assert {secret for _, secret in left(connection, SECRETS)} == {*SECRETS}
        assert only_its <= numbers(connection)
        assert len(only_its) > 20
        assert keys <= set(connection.scalars(text("select key from threads.key")))
        others = numbers(connection) - only_its
        thread = connection.scalar(text("select thread_id from threads.member where message_id = 1"))
    dispose(archive, 2)
    maintained(archive)
    with archive.connect() as connection:
        assert left(connection, SECRETS) == set()
        assert numbers(connection) & only_its == set()
        assert numbers(connection) == others
    join_all(archive)
    with archive.connect() as connection:
        of_others = set(connection.scalars(text(CONVERSATIONS)))
        assert set(connection.scalars(text("select key from threads.key"))) & keys <= of_others
        connection.commit()
        found = [row["message_id"] for row in search.find(connection, "hello", 9)]
        assert sorted(found) == [1, 3, 4]
        assert [row["message_id"] for row in search.find(connection, "tuesday", 9)] == [1]
        members = connection.execute(text("select thread_id, message_id from threads.member order by 2")).all()
        assert members[0].thread_id == members[1].thread_id != members[2].thread_id
        assert thread is not None
        assert [place for _, places in books(connection) for place in places] == []
        assert connection.scalars(text("select fault from ops.fault order by 1")).all() == [
            "disposed of",
            "subject is 'x', read as 'y'",
        ]


def test_what_was_erased_is_kept_as_it_is_then(archive: Engine):
    """Its seal goes on proving what it was, and that it is empty since; another row of it is not to be changed."""
    dispose(archive, 2)
    heads = [bytes(head) for (head,) in rows(archive, "select head from archive.excerpt order by excerpt_id")]
    assert heads == [b"", b"", b"From: ann@example.org\r\nSubject: other\r\n\r\n"]
    with archive.connect() as connection:
        connection.execute(text("update archive.excerpt set head = 'x' where excerpt_id = 1"))
        broken = [place for _, places in books(connection) for place in places]
        assert len(broken) == 1
        assert re.match(r"archive\.excerpt \{\[1,2\)\}: not what archive\.seal", broken[0])
        connection.rollback()
        with pytest.raises(Exception, match=r"archive\.excerpt is record"):
            connection.execute(text("update archive.excerpt set head = 'x' where excerpt_id = 3"))


def test_no_header_block_is_kept_of_what_was_disposed_of(archive: Engine):
    """Where the message is listed once more and too large to be taken."""
    dispose(archive, 2)
    with archive.connect() as connection:
        with connection.begin():
            delivery = connection.scalar(text(EXCLUDED.replace("'large'", "'again'")))
            assert delivery
        ledger.exclude(connection, delivery, 1, 6000, 5000, HEAD)
        assert connection.scalar(text("select count(*) from archive.excerpt where head <> ''")) == 1
        connection.rollback()
        ledger.exclude(connection, delivery, 1, 6000, 4000, b"Subject: another\r\n\r\n")
        assert connection.scalar(text("select count(*) from archive.excerpt where head <> ''")) == 2


def test_a_disposition_waits_for_no_rebuild(archive: Engine):
    """Which reads what is to go, and would lay it in again."""
    with archive.connect() as connection:
        connection.execute(text("select pg_advisory_lock(7497060)"))
        with pytest.raises(Exception, match=r"a rebuild is under way, .*: approve again when it has ended"):
            dispose(archive, 2)
        connection.execute(text("select pg_advisory_unlock(7497060)"))
    dispose(archive, 2)


def test_a_download_that_was_cut_is_dropped(archive: Engine):
    """It may be of the same mail; while a session has it, the disposition waits."""
    with archive.begin() as connection:
        delivery = connection.scalar(text(EXCLUDED.replace("'large'", "'half'")))
        mailbox = connection.scalar(
            text("select mailbox_id from archive.delivery where delivery_id = :d"), {"d": delivery}
        )
    with archive.connect() as connection:
        downloads.add(connection, delivery, 0, Piece(None, GONE))
    with archive.connect() as connection:
        assert connection.scalar(text("select count(*) from ops.download_piece")) == 1
        connection.execute(text("select pg_advisory_lock(7368560, :mailbox)"), {"mailbox": mailbox})
        with pytest.raises(Exception, match=r"mailbox .* is being read, and has a large message half: approve again"):
            dispose(archive, 2)
        connection.execute(text("select pg_advisory_unlock(7368560, :mailbox)"), {"mailbox": mailbox})
    dispose(archive, 2)
    with archive.connect() as connection:
        assert connection.scalar(text("select count(*) from ops.download_piece")) == 0


def test_what_comes_again_is_not_stored_again(archive: Engine):
    """It is a duplicate in the ledger, which says why there are no bytes."""
    dispose(archive, 2)
    with archive.begin() as connection:
        delivery = connection.scalar(text(EXCLUDED.replace("'large'", "'again'")))
    take(archive, [Arrival.of(delivery, 1, GONE)])
    assert re.fullmatch(
        r"disposed of on \d{4}-\d\d-\d\d, not stored again",
        str(rows(archive, "select reason from archive.ledger order by entry_id desc limit 1")[0][0]),
    )
    with archive.connect() as connection:
        assert left(connection, SECRETS) == set()
