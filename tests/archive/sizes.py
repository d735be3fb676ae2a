"""What an archive takes up, beside the mail it holds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

# All our tables with what is stored aside and their indexes.
_TABLES = """
select format('%s.%s', relnamespace::regnamespace, relname) as name, pg_total_relation_size(oid) as octets
from pg_class where relkind = 'r' and relnamespace in (
    'archive'::regnamespace, 'ops'::regnamespace, 'search'::regnamespace, 'threads'::regnamespace)
order by octets desc
"""


def sizes(connection: Connection) -> tuple[int, int]:
    """Octets of all our tables with their indexes, and of all messages."""
    mail = connection.scalar(text("select sum(octets) from archive.message"))
    return sum(table.octets for table in _tables(connection)), int(mail or 0)


def largest(connection: Connection) -> Sequence[Row[Any]]:
    """The eight largest tables: name, and octets with their indexes."""
    return _tables(connection)[:8]


def _tables(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(text(_TABLES)).all()
