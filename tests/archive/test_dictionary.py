"""The data dictionary says what the database does."""

import pytest
from sqlalchemy import Engine, text

from etl.archive import dictionary
from etl.archive.statements import SQL

FILE = SQL / "DICTIONARY.md"


def test_it_is_up_to_date(engine: Engine):
    """Where it differs, `make dictionary` writes it anew."""
    with engine.connect() as connection:
        assert FILE.read_text() == dictionary.dictionary(connection)


def test_it_leaves_nothing_out(engine: Engine):
    """Each view and column has its comment, each view its example, and the file names them all."""
    named = "select table_name, column_name from information_schema.columns where table_schema = 'mart'"
    written = FILE.read_text()
    with engine.connect() as connection:
        columns = connection.execute(text(named)).all()
    assert {view for view, _ in columns} == {view for views in dictionary.CHAPTERS.values() for view in views}
    assert [c for c in columns if f"\n| `{c.column_name}` | " not in written] == []
    assert "None" not in written


@pytest.mark.parametrize("view", dictionary.examples())
def test_its_examples_run(engine: Engine, view: str):
    """As they are printed, each over the view that it is the example of."""
    asks, sql = dictionary.examples()[view]
    assert f"mart.{view}" in sql, asks
    with engine.connect() as connection:
        connection.exec_driver_sql(sql.replace("%", "%%"))
