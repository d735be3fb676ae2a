"""What was read from messages, beside what is read now: compared, and replaced where it differs.

Postgres compares: the fresh rows come into temporary tables, by COPY, as they would into the archive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from etl.archive import loader, search, stored
from etl.archive.database import driver
from etl.archive.recipe import CHUNK_OCTETS
from etl.archive.rows import PROJECTIONS, Kept
from etl.archive.statements import statement
from etl.errors import Retry
from etl.mime.large import LargeReader
from etl.mime.rows import Skeleton

# What is compared at once: small enough that a kill costs little, and bounded in bytes.
MESSAGES_AT_ONCE = 256
OCTETS_AT_ONCE = 4 * CHUNK_OCTETS

# Anything constant: two rebuilds at once would replace the same rows.
REBUILD_LOCK = 0x726564


@dataclass(frozen=True, slots=True)
class Again:
    """A stored message to be read again: its bytes, or of a large one the skeleton. fault: its bytes are wrong."""

    message_id: int
    sha256: bytes
    octets: int
    raw: bytes | None
    skeleton: Skeleton | None
    kept: Kept
    fault: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is read otherwise than it is stored. column: None where a whole row is missing or one too many."""

    message_id: int
    table: str
    key: tuple[Any, ...]
    column: str | None
    stored: Any
    read: Any

    @property
    def place(self) -> str:
        """Where: message, table and key."""
        return f"message {self.message_id}: {' '.join(map(str, (self.table, *self.key)))}"

    @property
    def what(self) -> str:
        """What differs."""
        if self.column is None:
            return "is missing" if self.stored is None else "is one row too many"
        return f"{self.column} is {_brief(self.stored)}, read as {_brief(self.read)}"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


def begin(connection: Connection, parser: str, every: bool) -> tuple[int, int]:
    """A rebuild's number, and after which message it goes on. Raises Retry where another one is under way."""
    with connection.begin():
        taken = driver(connection).execute("select pg_try_advisory_lock(%s)", [REBUILD_LOCK]).fetchone()
        if not taken or not taken[0]:
            raise Retry("another rebuild is under way; wait for it, then run again")
        row = connection.execute(statement("rebuild", "begin"), {"parser": parser, "every": every}).one()
        return row.rebuild_id, row.up_to


def release(connection: Connection) -> None:
    """Let others rebuild."""
    with connection.begin():
        driver(connection).execute("select pg_advisory_unlock(%s)", [REBUILD_LOCK])


def has_replaced(connection: Connection, rebuild_id: int) -> bool:
    """Whether threads are to be joined anew, for what joined them may be read no more."""
    with connection.begin():
        return bool(connection.scalar(statement("rebuild", "has_replaced"), {"rebuild_id": rebuild_id}))


def finish(connection: Connection, rebuild_id: int) -> None:
    """All messages were read again, and threads joined anew."""
    with connection.begin():
        connection.execute(statement("rebuild", "finish"), {"rebuild_id": rebuild_id})


def count(connection: Connection, after: int, parser: str, every: bool) -> int:
    """How many messages there are to read again."""
    with connection.begin():
        named = {"after": after, "parser": parser, "every": every}
        return int(connection.scalar(statement("rebuild", "count"), named) or 0)


def take(connection: Connection, after: int, parser: str, every: bool) -> list[Again]:
    """The next messages behind `after` that are to be read again; none at the end. every: or only what others read."""
    with connection.begin():
        named = {"after": after, "parser": parser, "every": every, "messages": MESSAGES_AT_ONCE}
        chosen: list[int] = []
        octets = 0
        for row in connection.execute(statement("rebuild", "next"), named):
            octets += min(row.octets, OCTETS_AT_ONCE)
            if chosen and octets > OCTETS_AT_ONCE:
                break
            chosen.append(row.message_id)
        return [_again(stored.message(connection, message_id)) for message_id in chosen]


def batches(connection: Connection, asked: stored.Chosen) -> Iterator[list[Again]]:
    """The messages asked for, to be read again, as many at once as `take` gives."""
    batch: list[Again] = []
    octets = 0
    for message in stored.messages(connection, asked):
        batch.append(_again(message))
        octets += min(message.octets, OCTETS_AT_ONCE)
        if len(batch) == MESSAGES_AT_ONCE or octets >= OCTETS_AT_ONCE:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


def _again(message: stored.Stored) -> Again:
    raw = skeleton = None
    if message.octets <= CHUNK_OCTETS:
        raw = b"".join(message.pieces())
    else:
        reader = LargeReader()
        for piece in message.pieces():
            reader.feed(piece)
        skeleton = reader.close()
    return Again(message.message_id, message.sha256, message.octets, raw, skeleton, message.kept, message.fault)


def compare(connection: Connection, read: Sequence[tuple[int, Sequence[bytes]]]) -> list[Difference]:
    """What of these messages is stored otherwise than it is read now. read: of each message its rows of PROJECTIONS."""
    with connection.begin():
        return _compare(connection, read)


def read_by_others(connection: Connection, message_ids: Sequence[int], parser: str) -> set[int]:
    """Those of these messages that another parser read: that they read otherwise now is no damage."""
    with connection.begin():
        named = {"message_ids": list(message_ids), "parser": parser}
        return set(connection.scalars(statement("rebuild", "read_by_others"), named))


def replace(
    connection: Connection,
    rebuild_id: int,
    parser: str,
    every: bool,
    read: Sequence[tuple[int, Sequence[bytes]]],
    up_to: int,
) -> list[Difference]:
    """Replace what is stored otherwise than it is read now, and remember how far the rebuild came: one transaction.

    Terms are laid in anew of all that another parser read, for nothing tells of which they are; or of every message.
    """
    with connection.begin():
        found = _compare(connection, read)
        changed = sorted({difference.message_id for difference in found})
        for table, columns in PROJECTIONS:
            names = {"t": _identifier(table), "fresh": _fresh(table), "columns": sql.SQL(columns)}
            _execute(connection, "delete from {t} where message_id = any(%s)", names, [changed])
            _execute(
                connection,
                "insert into {t} ({columns}) select {columns} from {fresh} where message_id = any(%s)",
                names,
                [changed],
            )
        ids = [message_id for message_id, _ in read]
        named = {"parser": parser, "message_ids": ids}
        others = ids if every else connection.scalars(statement("rebuild", "read_by_others"), named)
        search.add_again(connection, read, {*changed, *others})
        connection.execute(statement("rebuild", "read_by"), named)
        done = {"up_to": up_to, "messages": len(read), "changed": len(changed)}
        connection.execute(statement("rebuild", "advance"), {"rebuild_id": rebuild_id, **done})
        return found


def _compare(connection: Connection, read: Sequence[tuple[int, Sequence[bytes]]]) -> list[Difference]:
    ids = [message_id for message_id, _ in read]
    for table, _ in PROJECTIONS:
        _execute(
            connection,
            "create temporary table if not exists {fresh} (like {t}) on commit delete rows",
            {"t": _identifier(table), "fresh": _fresh(table)},
        )
    fresh = [(f"pg_temp.{_temporary(table)}", columns) for table, columns in PROJECTIONS]
    loader.copy_rows(connection, fresh, [rows for _, rows in read])
    return [found for table, _ in PROJECTIONS for found in _differing(connection, table, ids)]


def _differing(connection: Connection, table: str, message_ids: Sequence[int]) -> Iterator[Difference]:
    keys = list(connection.scalars(statement("rebuild", "keys"), {"table": table}))
    rows = _execute(
        connection,
        """
        select s.row, f.row
        from (select {keys}, to_jsonb(t) - 'parser' as row from {t} t where message_id = any(%s)) s
        full join (select {keys}, to_jsonb(t) - 'parser' as row from {fresh} t) f using ({keys})
        where s.row is distinct from f.row
        order by {keys}
        """,
        {"t": _identifier(table), "fresh": _fresh(table), "keys": sql.SQL(", ").join(map(sql.Identifier, keys))},
        [list(message_ids)],
    )
    for was, now in rows:
        row = was or now
        key = tuple(row[name] for name in keys[1:])
        if was is None or now is None:
            yield Difference(row["message_id"], table, key, None, was, now)
        else:
            for name in now:
                if was[name] != now[name]:
                    yield Difference(row["message_id"], table, key, name, was[name], now[name])


def _execute(connection: Connection, query: str, names: dict[str, sql.Composable], values: Sequence[Any] = ()) -> Any:
    return driver(connection).execute(sql.SQL(query).format(**names), values)


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _temporary(table: str) -> str:
    return "fresh_" + table.replace(".", "_")


def _fresh(table: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", _temporary(table))
