"""Words: indexed beside the load, found again, and one message shown whole."""

from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.archive.statements import statement
from etl.errors import Misconfigured

# What one transaction indexes: small enough that a kill costs little.
INDEX_MESSAGES = 500


def index_pending(connection: Connection) -> int:
    """Index some of the messages that wait for it; how many. Call until it gives 0."""
    with connection.begin():
        # Words are made again at will: what a power cut takes waits in search.pending as before.
        connection.execute(text("set local synchronous_commit = off"))
        return int(connection.scalar(statement("search", "index_pending"), {"messages": INDEX_MESSAGES}) or 0)


def index_one_by_one(connection: Connection) -> int:
    """Index as many, each in a transaction of its own; what Postgres refuses is set aside, without words."""
    for done in range(INDEX_MESSAGES):
        try:
            with connection.begin():
                if not connection.scalar(statement("search", "index_pending"), {"messages": 1}):
                    return done
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            with connection.begin():
                connection.execute(statement("search", "set_aside"))
    return INDEX_MESSAGES


def find(connection: Connection, words: str, matches: int) -> list[dict[str, Any]]:
    """The messages that hold the words: words, "a phrase", -without, or."""
    named = {"words": words.replace("\0", " "), "matches": matches}
    with connection.begin():
        return [dict(row) for row in connection.execute(statement("search", "find"), named).mappings()]


def show(connection: Connection, message: str) -> dict[str, Any]:
    """All that is known of a message, by its number or the first 8 or more digits of its SHA-256."""
    with connection.begin():
        rows = connection.execute(statement("search", "show"), {"id": message}).mappings().all()
    if len(rows) != 1:
        problem = "there is no message" if not rows else "more than one message is called"
        raise Misconfigured(f"{problem} {message}; give the number or more digits of the SHA-256 that search shows")
    return dict(rows[0])
