"""Messages put into an archive without a server: by the loader, as a run would."""

from sqlalchemy import Engine, text

from etl.archive.loader import Arrival, load, number
from etl.parsing import Job, answer

SESSION = """
    with run as (insert into ops.run (trigger, host, version) values ('command', 'h', '0') returning run_id)
    insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8)
    select run_id, :mailbox, :epoch, 'h', 110, 'u', '', 'USER', false from run returning session_id
"""


def deliver(engine: Engine, mailbox: str, *raws: bytes) -> None:
    """Put messages into the archive as if a mailbox had held them."""
    with engine.begin() as connection:
        named = {
            "mailbox": connection.scalar(
                text("insert into archive.mailbox (name) values (:name) returning mailbox_id"), {"name": mailbox}
            )
        }
        named["epoch"] = connection.scalar(
            text(
                "insert into archive.epoch (mailbox_id, host, username, reason)"
                " values (:mailbox, 'h', 'u', 'first') returning epoch_id"
            ),
            named,
        )
        named["session"] = connection.scalar(text(SESSION), named)
        deliveries = [
            connection.scalar(
                text(
                    "insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)"
                    " values (:mailbox, :epoch, :uidl, 0, :session) returning delivery_id"
                ),
                {**named, "uidl": str(n)},
            )
            for n in range(len(raws))
        ]
    arrivals = [Arrival.of(d, named["session"], raw) for d, raw in zip(deliveries, raws, strict=True)]
    with engine.connect() as connection:
        numbers = number(connection, arrivals)
        made = {a.sha256: answer(Job(numbers[a.sha256].message_id, a.raw)) for a in arrivals}
        load(connection, arrivals, numbers, made)
