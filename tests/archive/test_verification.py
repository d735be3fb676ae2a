"""Verification: damage planted in any table of the record is found and named, and looking is recorded."""

import base64
import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from etl.archive.rights import AUDITOR
from etl.archive.stored import Chosen
from etl.archive.verification import Verification, books
from tests.archive.delivering import deliver, rehashed
from tests.archive.test_rights import BYTES, RECORD
from tests.behind import triggers_off
from tests.system.command import Popvault

# A message in all forms in which bytes are stored: head and body as text, a file as blob, and what is no text.
FILE = "\r\n".join(textwrap.wrap(base64.b64encode(bytes(range(256)) * 16).decode(), 76)).encode()
LETTER = (
    b"From: ann@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n"
    b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\0\r\n"
    b"--b--\r\n" % FILE
)
# One row at least in each table of the record, each of them closed.
LIFE = """
    insert into archive.excerpt (delivery_id, session_id, head) values (1, 1, 'Subject: taken');
    insert into archive.excerpt (delivery_id, session_id, head) values (2, 2, 'Subject: to be disposed of');
    insert into archive.disposition (message_id, basis, requested_by) values (2, 'case 4', 'ann');
    select archive.approve_disposition(1);
    insert into ops.verification (asked, version) values ('all messages', '0');
    insert into ops.fault (verification_id, place, fault) values (1, 'a place', 'a fault');
    update ops.verification set ended_at = now(), messages = 1, octets = 1, faults = 1;
    update ops.session set ended_at = now(), listed = 1, listed_at = now(), quit_accepted = true, quit_reply = '+OK';
    update ops.run set ended_at = now();
"""
COLUMNS = """
    select attname, format_type(atttypid, null) as type, attidentity from pg_attribute
    where attrelid = cast(:relation as regclass) and attnum > 0 and not attisdropped order by attnum
"""
# Another value of each type, null or not.
OTHERWISE = {
    "bigint": "coalesce({0}, 0) + 1000",
    "integer": "coalesce({0}, 0) + 1000",
    "double precision": "coalesce({0}, 0) + 1000",
    "text": "coalesce({0}, '') || 'x'",
    "text[]": "coalesce({0}, '{{}}') || 'x'::text",
    "bytea": "coalesce({0}, '') || '\\x00'",
    "boolean": "not coalesce({0}, false)",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 second'",
    "int8multirange": "{0} + '{{[9000,9001)}}'",
    "archive.step": "case {0} when 'archived' then 'duplicate' else 'archived' end::archive.step",
}
# Places may have gaps and only their order counts; nothing refers to the number of a seal.
FREE = {("archive.segment", "position"), ("archive.blob_piece", "position"), ("archive.seal", "seal_id")}
# What makes a row another one than that it is copied from.
ANOTHER = {
    "archive.mailbox": {"name": "other"},
    "archive.delivery": {"uidl": "other"},
    "archive.ledger": {"step": "failed", "message_id": None},
    "archive.message": {"sha256": "\\x" + "00" * 32},
    "archive.blob": {"sha256": "\\x" + "00" * 32},
    "archive.disposition": {"message_id": 77},
    "archive.erasure": {"key": 77},
    "archive.segment": {"octets": 0},
}


@pytest.fixture
def archive(engine: Engine) -> Engine:
    """An archive in which every table of the record has a row."""
    deliver(engine, "ann", LETTER)
    deliver(engine, "bob", b"Subject: to be disposed of\r\n\r\n")
    with engine.begin() as connection:
        connection.execute(text(LIFE))
        for relation in RECORD:
            assert connection.scalar(text(f"select count(*) from {relation}")), relation  # noqa: S608
    return engine


def found(connection: Connection) -> list[str]:
    """All that verification finds: what is not as recorded."""
    wrong = [f"message {message.message_id}: {message.fault}" for message in rehashed(connection) if message.fault]
    return wrong + [place for _, places in books(connection) for place in places]


def named(relation: str, places: list[str]) -> bool:
    """Whether what was found tells of the table: by its name, or by what its bytes are part of."""
    words = ("message ", "blob ") if relation in BYTES else (f"{relation} ",)
    return any(word in place for word in words for place in places)


def key(connection: Connection, relation: str) -> str:
    """The last column of a table's primary key."""
    query = """
        select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[indnkeyatts - 1]
        where indisprimary and indrelid = cast(:relation as regclass)
    """
    return str(connection.scalar(text(query), {"relation": relation}))


def test_a_sound_archive_has_no_faults(archive: Engine):
    """What was disposed of is none."""
    with archive.connect() as connection:
        assert found(connection) == []


@pytest.mark.parametrize("relation", sorted(RECORD))
def test_a_change_of_any_column_is_found(archive: Engine, relation: str):
    """One row, one value at a time, behind the triggers."""
    with archive.connect() as connection:
        columns = connection.execute(text(COLUMNS), {"relation": relation}).all()
        connection.rollback()
        for column in columns:
            if column.attidentity:
                connection.execute(text(f"alter table {relation} alter {column.attname} set generated by default"))
            name = f'"{column.attname}"'
            value = OTHERWISE[column.type].format(name)
            query = f"update {relation} set {name} = {value} where ctid = (select min(ctid) from {relation})"  # noqa: S608
            try:
                with triggers_off(connection):
                    connection.execute(text(query))
                assert named(relation, found(connection)) or (relation, column.attname) in FREE, column.attname
            except IntegrityError:
                pass  # the database itself refuses it
            finally:
                connection.rollback()


@pytest.mark.parametrize("relation", sorted(RECORD))
def test_a_deletion_is_found(archive: Engine, relation: str):
    """One row is gone, behind the triggers."""
    with archive.connect() as connection:
        with triggers_off(connection):
            connection.execute(text(f"delete from {relation} where ctid = (select min(ctid) from {relation})"))  # noqa: S608
        places = found(connection)
    # Without its seal a row is one that was never sealed.
    assert any("never sealed" in p for p in places) if relation == "archive.seal" else named(relation, places), places


@pytest.mark.parametrize("relation", sorted(RECORD))
def test_an_addition_is_found(archive: Engine, relation: str):
    """One more row, like another, behind the triggers."""
    with archive.connect() as connection:
        changes = {**ANOTHER.get(relation, {}), key(connection, relation): 9999}
        query = f"""
            insert into {relation} overriding system value
            select (jsonb_populate_record(t, cast(:changes as jsonb))).* from {relation} t limit 1
        """  # noqa: S608
        with triggers_off(connection):
            connection.execute(text(query), {"changes": json.dumps(changes)})
        places = found(connection)
    assert named(relation, places), places


def test_a_message_that_is_gone_with_all_its_rows_is_missed(archive: Engine):
    """Nothing dangles, and yet it is known that it was there."""
    with archive.connect() as connection:
        with triggers_off(connection):
            for table in ("head", "segment", "reading", "participant", "part", "defect", "ledger", "message"):
                connection.execute(text(f"delete from archive.{table} where message_id = 1"))  # noqa: S608
            connection.execute(text("delete from archive.delivery where delivery_id = 1"))
            connection.execute(text("delete from archive.blob_piece"))
            connection.execute(text("delete from archive.blob"))
            connection.execute(text("delete from search.fresh"))
        places = found(connection)
    for missing in ("archive.message 1", "archive.ledger 1", "archive.delivery 1"):
        assert f"{missing}: it is missing" in places


def test_triggers_that_are_off_and_rights_that_were_given_are_found(archive: Engine):
    """Where the record can be changed, that alone is a fault."""
    with archive.connect() as connection:
        connection.execute(text("alter table archive.ledger disable trigger record_stays"))
        connection.execute(text("alter table archive.message disable trigger seal"))
        connection.execute(text("grant delete on archive.epoch to popvault_loader"))
        assert set(found(connection)) == {
            "trigger seal of archive.message: was changed",
            "trigger record_stays of archive.ledger: was changed",
            "right to DELETE archive.epoch for popvault_loader: was added",
        }


@pytest.mark.parametrize(
    ("done", "says"),
    [
        ("drop trigger record_stays on archive.ledger", "trigger record_stays of archive.ledger: is gone"),
        ("drop trigger seal on archive.message", "trigger seal of archive.message: is gone"),
        (
            "create trigger mine before insert on archive.segment for each row"
            " execute function suppress_redundant_updates_trigger()",
            "trigger mine of archive.segment: was added",
        ),
        (
            "grant update (reason) on archive.ledger to popvault_loader",
            "right to UPDATE reason of archive.ledger for popvault_loader: was added",
        ),
        ("grant insert on archive.blob to public", "right to INSERT archive.blob for public: was added"),
        (
            "alter table archive.message disable row level security",
            "row-level security of archive.message: is gone",
        ),
        ("drop policy by_mailbox on archive.ledger", "policy by_mailbox of archive.ledger: is gone"),
        (
            "create policy mine on archive.ledger for select to public using (true)",
            "policy mine of archive.ledger: was added",
        ),
        (
            "create or replace function archive.refuse() returns trigger language plpgsql as 'begin return new; end'",
            "function archive.refuse(): was changed",
        ),
        ("drop view mart.label; create view mart.label as select 1 as n", "view mart.label: was changed"),
        ("delete from threads.member where message_id = 1", "message 1"),
        ("delete from search.fresh where message_id = 1", "message 1"),
    ],
)
def test_a_guard_that_is_gone_or_another_is_found(archive: Engine, done: str, says: str):
    """And rows made of what was read: threads, words."""
    with archive.connect() as connection:
        connection.execute(text(done))
        assert found(connection) == [says]


def test_no_disposition_comes_between_reading_and_noting(archive: Engine):
    """What a verification quotes of a message is not noted once the message is gone."""
    with archive.begin() as connection:
        connection.execute(
            text("insert into archive.disposition (message_id, basis, requested_by) values (1, 'case 5', 'ann')")
        )
    approve = text("select archive.approve_disposition(2)")
    with (
        Verification(archive, Chosen()),
        archive.begin() as connection,
        pytest.raises(DBAPIError, match="a verification is under way"),
    ):
        connection.execute(approve)
    with archive.begin() as connection:
        connection.execute(approve)


def test_a_verification_is_recorded(archive: Engine, tmp_path: Path, login: Callable[..., str]):
    """Who, when, what was asked, how much, and each fault; an auditor's login is enough for it."""
    auditor = Popvault(tmp_path, None, login(archive, "verification_auditor", AUDITOR))
    sound = auditor("verify")
    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "verified: all is as recorded"), sound.stderr
    with archive.begin() as connection, triggers_off(connection):
        connection.execute(text("update archive.head set content = content || 'x'"))
    damaged = auditor("verify", "--sample", "100%", "--since", "2026-01-01")
    assert damaged.returncode == 1
    assert "message 1 " in damaged.stderr
    with archive.connect() as connection:
        rows = connection.execute(text("select * from mart.verification order by 1")).all()[1:]
        faults = connection.execute(text("select * from ops.fault order by 1")).all()[1:]
    assert [(r.asked, r.verified_by, r.messages, r.octets, r.faults, r.verified) for r in rows] == [
        ("all messages", "verification_auditor", 1, len(LETTER), 0, True),
        (
            "a sample of 100 % of the messages archived since 2026-01-01", "verification_auditor", 1, len(LETTER),
            len(faults), False,
        ),
    ]  # fmt: skip
    assert {fault.verification_id for fault in faults} == {rows[1].verification_id}
    assert any(fault.place.startswith("message 1 ") and "gives" in fault.fault for fault in faults)


def test_a_sample_is_as_large_as_asked_and_books_are_whole(engine: Engine, tmp_path: Path):
    """So many messages, or that share of them; what is not understood is said."""
    deliver(engine, "ann", *(b"Subject: %d\r\n\r\n" % n for n in range(10)))
    popvault = Popvault(tmp_path, None, engine.url.render_as_string(hide_password=False))
    for arguments, messages in (
        (("--sample", "3"), 3),
        (("--sample", "25%"), 3),
        (("--since", "2099-01-01"), 0),
        (("--sample", "99"), 10),
    ):
        done = popvault("verify", *arguments)
        assert (done.returncode, done.stdout.split(" messages")[0]) == (0, f"re-hashed and read again: {messages}"), (
            done.stderr
        )
        assert "ok  The books of every mailbox balance" in done.stdout
    assert popvault("verify", "--sample", "some").returncode == 2


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "update archive.reading set subject = 'other'",
            "archive.reading: subject is 'other', read as None",
        ),
        ("delete from archive.participant", "archive.participant 0: is missing"),
    ],
)
def test_what_was_read_is_read_again(engine: Engine, tmp_path: Path, damage: str, said: str):
    """Rows are no record, and yet they must be what the bytes say; those of another parser are counted."""
    deliver(engine, "ann", LETTER)
    popvault = Popvault(tmp_path, None, engine.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        connection.execute(text(damage))
    damaged = popvault("verify")
    assert (damaged.returncode, damaged.stderr) == (1, f"message 1: {said}\n")
    with engine.begin() as connection:
        connection.execute(text("update archive.reading set parser = 'older'"))
    older = popvault("verify")
    assert older.returncode == 0
    assert "of these 1 were read by another parser and not compared" in older.stdout
