"""The schema: brought to its newest version, described in full."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from etl.archive.database import engine_for
from etl.archive.migrations import migrate
from etl.archive.statements import SQL, run_script
from etl.errors import Misconfigured
from tests.archive.delivering import join_all

OLD_MAIL = """
    insert into archive.mailbox (name) values ('ann');
    insert into archive.epoch (mailbox_id, host, username, reason) values (1, 'h', 'u', 'first');
    insert into ops.run (trigger, host, version) values ('command', 'h', '0');
    insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8)
    values (1, 1, 1, 'h', 110, 'u', '', 'USER', false);
    insert into archive.message (sha256, octets, head_sha256, session_id) values (sha256(''), 0, sha256(''), 1);
    insert into archive.reading (message_id, parser, subject, "references", headers, body)
    values (1, 'old', 'old', '{}', '[]', '');
"""
EXCLUDED_ONCE = """
    insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id) values (1, 1, 'a', 0, 1);
    insert into archive.excerpt (delivery_id, session_id, head) values (1, 1, 'Subject: old');
    insert into archive.ledger (delivery_id, step, session_id, message_id) values (1, 'archived', 1, 1);
"""
ENDLESS_ADDRESSES = """
    insert into archive.participant (message_id, position, role, name, written, address) values
        (1, 0, 'from', 'Ann', repeat('X', 5000), repeat('x', 5000)),
        (1, 1, 'from', '', null, repeat('x', 5000)),
        (1, 2, 'from', 'Bob', null, 'bob@example.org');
"""
DISPOSED = """
    insert into archive.disposition (message_id, basis, requested_by, approved_by, approved_at)
    values (1, 'case', 'ann', 'bob', now());
    delete from archive.reading;
    insert into threads.key values (7, 7);
"""


def test_migrating_again_changes_nothing(engine: Engine):
    """A migrated archive is left as it is, and Alembic's version is the newest file's number."""
    newest = max(path.stem for path in (SQL / "migrations" / "versions").glob("*.sql")).partition("_")[0]
    with engine.connect() as connection:
        before = connection.scalar(text("select version_num from ops.migration"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from ops.migration")) == before == newest


def unlike_ours(engine: Engine, *statements: str) -> None:
    """Make an archive look as an older popvault left it."""
    with engine.begin() as connection:
        for statement in (*statements, "comment on schema mart is 'Made from other files.'"):
            connection.execute(text(statement))


def test_changed_views_are_made_anew(engine: Engine):
    """Without a migration; also one that has lost columns, has them in another order, or is no longer ours."""
    unlike_ours(
        engine,
        "drop view mart.hop",
        "create view mart.hop as select 1 as position, 'x' as gone, 2 as message_id",
        "create view mart.former as select message_id from mart.attachment",
        "insert into ops.view (name) values ('mart.former')",
        "create view mart.mine as select 1 as number",
    )
    migrate(engine)
    columns = "select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'mart.hop'::regclass"
    with engine.connect() as connection:
        assert connection.scalar(text(columns)) == "message_id position from_host by_host protocol at"
        assert connection.scalar(text("select to_regclass('mart.former')")) is None
        assert connection.scalar(text("select number from mart.mine")) == 1


def test_functions_of_an_older_version_are_dropped(engine: Engine):
    """One with other arguments, which would be called as before, and one of a name that is no longer made."""
    unlike_ours(
        engine,
        "create function mart.search(query text) returns bigint language sql return 1",
        "create function search.former() returns bigint language sql return 1",
        "insert into ops.view (name) values ('search.former')",
        "create function mart.mine() returns bigint language sql return 1",
    )
    migrate(engine)
    called = "select oid::regprocedure::text from pg_proc where proname in ('search', 'former', 'mine') order by 1"
    with engine.connect() as connection:
        assert connection.scalars(text(called)).all() == ["mart.mine()", "mart.search(text,integer,text)"]


def test_what_stands_on_a_view_is_named_and_not_dropped(engine: Engine):
    """In one sentence, and the archive is as it was; once it is out of the way, all goes well."""
    unlike_ours(engine, "create view public.mine as select subject from mart.message")
    with pytest.raises(Misconfigured, match=r"view mine depends on view mart\.message; keep its definition, drop it"):
        migrate(engine)
    with engine.begin() as connection:
        assert connection.scalar(text("select count(*) from public.mine")) == 0
        connection.execute(text("drop view public.mine"))
    migrate(engine)


def test_what_was_granted_on_a_view_is_granted_again(engine: Engine):
    """On columns, too, as far as they are still there."""
    with engine.begin() as connection:
        connection.execute(text("create role looker"))
    try:
        unlike_ours(
            engine,
            "drop view mart.hop",
            "create view mart.hop as select 1 as position, 'x' as gone",
            "grant select on mart.message to looker",
            "grant select (position, gone) on mart.hop to looker",
        )
        migrate(engine)
        with engine.connect() as connection:
            may = """
                select has_table_privilege('looker', 'mart.message', 'select'),
                       has_column_privilege('looker', 'mart.hop', 'position', 'select'),
                       has_table_privilege('looker', 'mart.header', 'select')
            """
            assert tuple(connection.execute(text(may)).one()) == (True, True, False)
    finally:
        with engine.begin() as connection:
            connection.execute(text("drop owned by looker"))
            connection.execute(text("drop role looker"))


def test_an_archive_of_the_first_version_is_upgraded(postgres_url: str, new_database: Callable[[], str]):
    """Its views are made anew over its mail, and its messages are given threads."""
    engine = engine_for(new_database())
    with engine.begin() as connection:
        connection.execute(text("drop schema archive, ops, search, threads, mart cascade"))
        connection.execute(text("create schema ops; create schema mart"))
        run_script(connection, (SQL / "migrations" / "versions" / "0001_archive.sql").read_text())
        run_script(connection, "create view mart.hop as select position, message_id, 1 as more from archive.hop")
        run_script(connection, "create table ops.migration (version_num varchar(32) primary key)")
        run_script(connection, "insert into ops.migration values ('0001')")
        run_script(connection, OLD_MAIL)
    migrate(engine)
    join_all(engine)
    with engine.connect() as connection:
        found = connection.execute(text("select subject, thread_id is not null from mart.message")).all()
        assert [tuple(row) for row in found] == [("old", True)]
    engine.dispose()


def upgraded(url: str, version: str, mail: str, then: str) -> Engine:
    """An archive of a version, now of the newest; mail: put in at the first version, then: at the last before."""
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(text("drop schema archive, ops, search, threads, mart cascade"))
        connection.execute(text("create schema ops; create schema mart"))
        for script in sorted((SQL / "migrations" / "versions").glob("*.sql")):
            if script.name[:4] <= version:
                run_script(connection, script.read_text())
            if script.name.startswith("0001"):
                run_script(connection, mail)
        run_script(connection, then)
        run_script(connection, "create table ops.migration (version_num varchar(32) primary key)")
        connection.execute(text("insert into ops.migration values (:version)"), {"version": version})
    migrate(engine)
    return engine


def test_traces_of_earlier_dispositions_are_erased(new_database: Callable[[], str]):
    """What they left before they took all; the rows are as they were sealed, and threads are joined anew."""
    engine = upgraded(new_database(), "0010", OLD_MAIL + EXCLUDED_ONCE, DISPOSED)
    with engine.connect() as connection:
        assert connection.scalars(text("select head from archive.excerpt")).all() == [b""]
        assert connection.scalars(text("select key from threads.key")).all() == []
        broken = connection.scalars(text("select archive.broken_seals()")).all()
        assert [b for b in broken if "excerpt" in b or "erasure" in b] == []
    engine.dispose()


def test_an_address_longer_than_any_is_a_name_now(new_database: Callable[[], str]):
    """As the parser reads it since; there is no room for it in the index."""
    engine = upgraded(new_database(), "0012", OLD_MAIL, ENDLESS_ADDRESSES)
    with engine.connect() as connection:
        found = connection.execute(text("select name, address, written from mart.participant order by position")).all()
        assert [tuple(row) for row in found] == [
            (f"Ann <{'X' * 5000}>", None, None),
            (f"<{'x' * 5000}>", None, None),
            ("Bob", "bob@example.org", "bob@example.org"),
        ]
    engine.dispose()


def test_every_table_and_every_column_is_described(engine: Engine):
    """Analysts and auditors read what a table, a view and a column mean in the database itself."""
    columns = """
        select format('%I.%I.%I', c.table_schema, c.table_name, c.column_name)
        from information_schema.columns c
        where c.table_schema in ('archive', 'ops', 'search', 'threads', 'mart') and c.table_name <> 'migration'
          and col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) is null
    """
    views = """
        select format('%I.%I', table_schema, table_name) from information_schema.views
        where table_schema in ('archive', 'ops', 'search', 'threads', 'mart')
          and obj_description(format('%I.%I', table_schema, table_name)::regclass) not like 'One row for each %'
    """
    with engine.connect() as connection:
        assert connection.scalars(text(columns)).all() == []
        assert connection.scalars(text(views)).all() == []


def test_every_table_says_what_a_row_is():
    """Tables begin "One row for each …" in the SQL that people read."""
    sql = "".join(path.read_text() for path in sorted((SQL / "migrations" / "versions").glob("*.sql")))
    tables = re.findall(r"^(.*)\ncreate table", sql, flags=re.M)
    assert len(tables) == sql.count("create table")
    assert [comment for comment in tables if not comment.startswith("-- One row for each ")] == []
