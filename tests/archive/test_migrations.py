"""The schema: brought to its newest version, described in full."""

from sqlalchemy import Engine, text

from etl.archive.migrations import migrate


def test_migrating_again_changes_nothing(engine: Engine):
    """A migrated archive is left as it is, and Alembic's version is the newest file's number."""
    with engine.connect() as connection:
        before = connection.scalar(text("select version_num from ops.migration"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from ops.migration")) == before == "0001"


def test_every_column_of_every_table_is_described(engine: Engine):
    """Analysts and auditors read what a column means in the database itself."""
    query = """
        select c.table_schema || '.' || c.table_name || '.' || c.column_name
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where c.table_schema in ('archive', 'ops', 'search') and t.table_type = 'BASE TABLE'
          and c.table_name <> 'migration'
          and col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) is null
    """
    with engine.connect() as connection:
        assert connection.scalars(text(query)).all() == []
