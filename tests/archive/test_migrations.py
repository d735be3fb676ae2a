"""The schema: brought to its newest version, described in full."""

import re

from sqlalchemy import Engine, text

from etl.archive.migrations import SQL, migrate


def test_migrating_again_changes_nothing(engine: Engine):
    """A migrated archive is left as it is, and Alembic's version is the newest file's number."""
    newest = max(path.stem for path in (SQL / "migrations" / "versions").glob("*.sql")).partition("_")[0]
    with engine.connect() as connection:
        before = connection.scalar(text("select version_num from ops.migration"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from ops.migration")) == before == newest


def test_a_changed_view_is_made_anew(engine: Engine):
    """Where the comment tells of other views than ours, they are made again, without a migration."""
    with engine.begin() as connection:
        connection.execute(text("drop view mart.hop"))
        connection.execute(text("comment on schema mart is 'Made from other files.'"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("select to_regclass('mart.hop')")) is not None


def test_every_table_and_every_column_is_described(engine: Engine):
    """Analysts and auditors read what a table, a view and a column mean in the database itself."""
    columns = """
        select format('%I.%I.%I', c.table_schema, c.table_name, c.column_name)
        from information_schema.columns c
        where c.table_schema in ('archive', 'ops', 'search', 'mart') and c.table_name <> 'migration'
          and col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) is null
    """
    views = """
        select format('%I.%I', table_schema, table_name) from information_schema.views
        where table_schema in ('archive', 'ops', 'search', 'mart')
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
