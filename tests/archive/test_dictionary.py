"""The data dictionary says what the database does."""

import re

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


def test_it_says_what_search_takes_and_gives(engine: Engine):
    """Arguments and columns in order, with their types."""
    query = "select proargnames, proallargtypes::regtype[]::text[], proargmodes from pg_proc where proname = 'search'"
    with engine.connect() as connection:
        ((names, types, modes),) = connection.exec_driver_sql(query + " and pronamespace = 'mart'::regnamespace").all()
    written = re.findall(r"^\| `(\w+)` \| (\w+) \|", (SQL / "search.md").read_text(), re.MULTILINE)
    short = {"timestamp with time zone": "timestamptz"}
    assert written == [(name, short.get(kind, kind)) for name, kind in zip(names, types, strict=True)]
    assert "".join(modes) == "iii" + "t" * (len(names) - 3)


@pytest.mark.parametrize("asks", dictionary.idioms())
def test_what_it_shows_how_to_find_runs(engine: Engine, asks: str):
    """As it is printed."""
    with engine.connect() as connection:
        connection.exec_driver_sql(dictionary.idioms()[asks].replace("%", "%%"))


@pytest.mark.parametrize("view", dictionary.examples())
def test_its_examples_run(engine: Engine, view: str):
    """As they are printed, each over the view that it is the example of."""
    asks, sql = dictionary.examples()[view]
    assert f"mart.{view}" in sql, asks
    with engine.connect() as connection:
        connection.exec_driver_sql(sql.replace("%", "%%"))
