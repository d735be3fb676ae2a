"""Messages put into an archive through the real parser and loader, as if mailboxes had held them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, text

from etl.archive import stored
from etl.archive.loader import Arrival, load, number
from etl.archive.stored import Stored
from etl.archive.threads import join_pending
from etl.parsing import Job, answer

LETTER = b"From: ann@example.org\r\nTo: bob@example.net\r\nDate: Tue, 3 Mar 2026 09:30:00 +0000\r\n"
WITH_FILE = (
    LETTER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n"
    b"1;2\r\n--b--\r\n"
)
MAILBOX = "insert into archive.mailbox (name) values (:name) returning mailbox_id"
EPOCH = """
    insert into archive.epoch (mailbox_id, host, username, reason)
    values (:mailbox, 'pop.example.org', :username, 'first') returning epoch_id
"""
SESSION = """
    with run as (insert into ops.run (trigger, host, version) values ('command', 'h', '0') returning run_id)
    insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8)
    select run_id, :mailbox, :epoch, 'pop.example.org', 110, :username, '', 'USER', false from run returning session_id
"""
DELIVERY = """
    insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)
    values (:mailbox, :epoch, :uidl, 0, :session) returning delivery_id
"""


def deliver(engine: Engine, mailbox: str, *raws: bytes, username: str = "u") -> list[int]:
    """Put messages into the archive as if a new mailbox had held them; the numbers of the deliveries."""
    with engine.begin() as connection:
        connection.execute(text(MAILBOX), {"name": mailbox})
    return deliver_again(engine, mailbox, *raws, username=username)


def deliver_again(engine: Engine, mailbox: str, *raws: bytes, username: str = "u") -> list[int]:
    """As if a mailbox that is known had held them, in a new epoch."""
    with engine.begin() as connection:
        named: dict[str, Any] = {"name": mailbox, "username": username}
        named["mailbox"] = connection.scalar(text("select mailbox_id from archive.mailbox where name = :name"), named)
        named["epoch"] = connection.scalar(text(EPOCH), named)
        named["session"] = connection.scalar(text(SESSION), named)
        deliveries = [
            connection.scalar(text(DELIVERY), {**named, "uidl": f"{mailbox}-{n}"}) for n in range(1, len(raws) + 1)
        ]
    take(engine, [Arrival.of(d, named["session"], raw) for d, raw in zip(deliveries, raws, strict=True)])
    join_all(engine)
    return deliveries


def take(engine: Engine, arrivals: Sequence[Arrival]) -> None:
    """Read and load a batch."""
    with engine.connect() as connection:
        numbers = number(connection, arrivals)
        new = {a.sha256: a for a in arrivals if not numbers[a.sha256].known}
        made = dict(zip(new, answer([Job(numbers[s].message_id, a.raw) for s, a in new.items()]), strict=True))
        load(connection, arrivals, numbers, made)


def join_all(engine: Engine) -> None:
    """Give all messages their threads."""
    with engine.connect() as connection:
        while join_pending(connection):
            pass


def rows(engine: Engine, sql: str, **named: object) -> list[tuple[object, ...]]:
    """What a statement gives."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), named)]


def rehashed(connection: Connection) -> Iterator[Stored]:
    """All messages, each made again from its recipe and hashed."""
    for message in stored.messages(connection):
        for _ in message.pieces():
            pass
        yield message
