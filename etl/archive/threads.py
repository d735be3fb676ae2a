"""Threads: messages joined by the ids that they name (References, In-Reply-To, Outlook's Thread-Index).

Made beside the load, from what it left in threads.pending. Threads are the connected pieces of a graph, which
does not ask in what order its edges came: neither do the rows.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from etl.archive.statements import statement

# What one transaction joins: some thousand messages.
LOADS = 16
LOAD_MESSAGES = 128
# One at a time: two that join the same threads would wait for each other, or miss what the other adds.
# Anything constant that no other lock of ours has.
LOCK = 0x746872


def join_pending(connection: Connection) -> int:
    """Give some of the messages that wait their threads; how many. Call until it gives 0."""
    with connection.begin():
        # Threads are made again at will: what a power cut takes waits in threads.pending as before.
        connection.execute(text("set local synchronous_commit = off"))
        _lock(connection)
        return _join_some(connection)


def remake(connection: Connection) -> int:
    """Make all threads again from what is read of the messages; how many messages. Readers see the old till the end."""
    with connection.begin():
        _lock(connection)
        for name in ("forget_members", "forget_keys", "forget_pending"):
            connection.execute(statement("threads", name))
        connection.execute(statement("threads", "await_all"), {"messages": LOAD_MESSAGES})
        messages = 0
        while joined := _join_some(connection):
            messages += joined
        return messages


def _lock(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
    # Some rows are looked up in tables that grow under us, whose statistics are old: by their indexes, always.
    connection.execute(text("set local enable_hashjoin = off; set local enable_mergejoin = off"))


def _join_some(connection: Connection) -> int:
    rows = connection.execute(statement("threads", "take"), {"loads": LOADS}).all()
    if not rows:
        return 0
    joined = smallest(row.thread_ids for row in rows)
    if renamed := {old: new for old, new in joined.items() if old != new}:
        numbers = {"old": list(renamed), "new": list(renamed.values())}
        connection.execute(statement("threads", "rename_members"), numbers)
        connection.execute(statement("threads", "rename_keys"), numbers)
    keys = {
        key: joined[thread_id]
        for row in rows
        if row.linked
        for key, thread_id in zip(row.keys, row.thread_ids, strict=True)
    }
    connection.execute(statement("threads", "add_keys"), {"keys": list(keys), "thread_ids": list(keys.values())})
    members = {row.message_id: joined[row.thread_ids[0]] for row in rows}
    named = {"message_ids": list(members), "thread_ids": list(members.values())}
    connection.execute(statement("threads", "add_members"), named)
    return len(rows)


def smallest(groups: Iterable[Sequence[int]]) -> dict[int, int]:
    """For each number the smallest that it is joined with, where the numbers of a group are joined.

    Union-find with halved paths (Tarjan and van Leeuwen 1984); the smallest number is the root.
    """
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        while (above := parent.setdefault(number, number)) != number:
            parent[number] = number = parent[above]
        return number

    for group in groups:
        roots = {root(number) for number in group}
        least = min(roots)
        parent.update(dict.fromkeys(roots, least))
    return {number: root(number) for number in parent}
