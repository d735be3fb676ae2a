"""Labels and saved searches: the folders that POP3 lacks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from etl.archive.search import asking
from etl.archive.statements import statement
from etl.errors import Misconfigured


def labels(connection: Connection) -> list[dict[str, Any]]:
    """Each label, with how many messages have it."""
    with connection.begin():
        return [dict(row) for row in connection.execute(statement("labels", "labels")).mappings()]


def put(connection: Connection, name: str, message_ids: Sequence[int], query: str | None = None) -> int:
    """Give messages a label, those named and those that a query finds; how many did not have it. It is made if need be.

    Raises Misconfigured for a number that is no message's, and for what is no query.
    """
    with connection.begin(), asking():
        chosen = _chosen(connection, message_ids, query)
        connection.execute(statement("labels", "make_label"), {"name": name})
        return connection.execute(statement("labels", "put"), {"name": name, "message_ids": chosen}).rowcount


def take(connection: Connection, name: str, message_ids: Sequence[int], query: str | None = None) -> int:
    """Take a label from messages; how many had it."""
    with connection.begin(), asking():
        chosen = _chosen(connection, message_ids, query)
        return connection.execute(statement("labels", "take"), {"name": name, "message_ids": chosen}).rowcount


def _chosen(connection: Connection, message_ids: Sequence[int], query: str | None) -> list[int]:
    unknown = connection.scalars(statement("labels", "unknown"), {"message_ids": list(message_ids)}).all()
    if unknown:
        raise Misconfigured(f"there is no message {', '.join(map(str, unknown))}")
    found = connection.scalars(statement("labels", "found"), {"query": query}).all() if query is not None else []
    return [*message_ids, *found]


def remove(connection: Connection, name: str) -> None:
    """Remove a label; its messages stay. Raises Misconfigured where there is none of that name."""
    with connection.begin():
        if not connection.execute(statement("labels", "remove_label"), {"name": name}).rowcount:
            raise Misconfigured(f"there is no label {name}")


def saved(connection: Connection) -> list[dict[str, Any]]:
    """Each saved search."""
    with connection.begin():
        return [dict(row) for row in connection.execute(statement("labels", "saved")).mappings()]


def save(connection: Connection, name: str, query: str) -> None:
    """Save a search under a name, in place of one that had it. Raises Misconfigured for what is no query."""
    with connection.begin(), asking():
        connection.execute(statement("labels", "check"), {"query": query})
        connection.execute(statement("labels", "save"), {"name": name, "query": query})


def forget(connection: Connection, name: str) -> None:
    """Forget a saved search. Raises Misconfigured where there is none of that name."""
    with connection.begin():
        if not connection.execute(statement("labels", "forget"), {"name": name}).rowcount:
            raise Misconfigured(f"there is no saved search {name}")
