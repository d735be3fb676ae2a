"""The ledger: what was listed, what became of it, and who may touch a mailbox now.

Each function is one transaction on the connection given.
"""

import hashlib
import socket
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from etl.archive.database import driver
from etl.archive.statements import statement

# A message that failed so often is put in quarantine: the rest of the mailbox matters more.
TRIES_MAX = 3

# One message of a listing: number, UIDL, twin, octets as LIST claims them.
Entry = tuple[int, str, int, int | None]


def begin_run(connection: Connection, trigger: str, version: str, external_id: str | None = None) -> int:
    """Open a run and give its number."""
    with connection.begin():
        return int(
            _one(
                connection, "begin_run", trigger=trigger, version=version,
                external_id=external_id, host=socket.gethostname(),
            )
        )  # fmt: skip


def end_run(connection: Connection, run_id: int) -> None:
    """Close a run."""
    with connection.begin():
        connection.execute(statement("ledger", "end_run"), {"run_id": run_id})


def take_lease(connection: Connection, name: str) -> int | None:
    """The number of a mailbox that from now on is ours alone, or None where another run holds it."""
    with connection.begin():
        mailbox_id = int(_one(connection, "mailbox", name=name))
    with connection.begin():
        return mailbox_id if _one(connection, "take_lease", mailbox_id=mailbox_id) else None


def free_lease(connection: Connection, mailbox_id: int) -> None:
    """Let others take the mailbox."""
    with connection.begin():
        _one(connection, "free_lease", mailbox_id=mailbox_id)


def begin_session(connection: Connection, run_id: int, mailbox_id: int, facts: dict[str, Any]) -> tuple[int, int]:
    """Record a login; (session id, epoch id).

    A new epoch begins where server or account are not those of the last one: its UIDLs mean nothing here.
    """
    with connection.begin():
        last = connection.execute(statement("ledger", "present_epoch"), {"mailbox_id": mailbox_id}).one_or_none()
        here = {"mailbox_id": mailbox_id, "host": facts["host"], "username": facts["username"]}
        if last and (last.host, last.username) == (here["host"], here["username"]):
            epoch_id = int(last.epoch_id)
        else:
            reason = "server or account changed" if last else "first session"
            epoch_id = int(_one(connection, "begin_epoch", reason=reason, **here))
        named = {"run_id": run_id, "mailbox_id": mailbox_id, "epoch_id": epoch_id, **facts}
        connection.execute(statement("ledger", "make_listing"))
        return int(_one(connection, "begin_session", **named)), epoch_id


def end_session(
    connection: Connection, session_id: int, quit_reply: tuple[bool, str] | None, failure: str | None
) -> None:
    """Record how a session ended: what QUIT answered, or what cut it short."""
    accepted, words = quit_reply or (None, None)
    with connection.begin():
        connection.execute(
            statement("ledger", "end_session"),
            {"session_id": session_id, "quit_accepted": accepted, "quit_reply": words, "failure": failure},
        )
        connection.execute(statement("ledger", "forget_listing"), {"session_id": session_id})


def record_listing(
    connection: Connection, mailbox_id: int, epoch_id: int, session_id: int, entries: Sequence[Entry]
) -> None:
    """Record a whole listing: what is new, back, or no longer there."""
    named = {"mailbox_id": mailbox_id, "epoch_id": epoch_id, "session_id": session_id}
    with connection.begin():
        with (
            driver(connection).cursor().copy("copy listing (session_id, number, uidl, twin, octets) from stdin") as copy
        ):
            for number, uidl, twin, octets in entries:
                copy.write_row((session_id, number, uidl, twin, octets))
        doubted = _one(connection, "note_listing", listing_sha256=_digest(entries), **named)
        for name in ("add_deliveries", "note_standing", "note_returned"):
            connection.execute(statement("ledger", name), named)
        if not doubted:
            connection.execute(statement("ledger", "note_missing"), named)


def _digest(entries: Sequence[Entry]) -> bytes:
    """One hash for the whole listing, part of the record of the acquisition."""
    digest = hashlib.sha256()
    for number, uidl, _, octets in entries:
        digest.update(f"{number} {'' if octets is None else octets} {uidl}\n".encode())
    return digest.digest()


def work(connection: Connection, session_id: int, *, octets_max: int | None, quarantined: bool) -> dict[int, int]:
    """What the session's listing holds and the archive lacks: {message number: delivery id}, in order.

    octets_max: what was excluded for its size is wanted up to this; None for any size.
    quarantined: whether to try again what is in quarantine.
    """
    return _numbers(connection, "work", session_id=session_id, octets_max=octets_max, quarantined=quarantined)


def deletable(connection: Connection, session_id: int, seconds: float) -> dict[int, int]:
    """What the server may forget, archived at least so long ago: {message number: delivery id}, in order."""
    return _numbers(connection, "deletable", session_id=session_id, seconds=seconds)


def add_steps(
    connection: Connection, step: str, delivery_ids: Sequence[int], session_id: int, reason: str | None = None
) -> None:
    """Record one step of many deliveries."""
    if not delivery_ids:
        return
    named = {"delivery_ids": list(delivery_ids), "step": step, "session_id": session_id, "reason": reason}
    with connection.begin():
        connection.execute(statement("ledger", "add_steps"), named)


def note_failure(connection: Connection, delivery_id: int, session_id: int, reason: str) -> bool:
    """Record a failed try; whether it was the last, so that the delivery is in quarantine now."""
    named = {"delivery_id": delivery_id, "session_id": session_id, "reason": reason, "tries": TRIES_MAX}
    with connection.begin():
        return connection.execute(statement("ledger", "note_failure"), named).first() is not None


def balance(connection: Connection) -> list[dict[str, Any]]:
    """The balance of each mailbox, by name."""
    with connection.begin():
        return [dict(row) for row in connection.execute(statement("ledger", "balance")).mappings()]


def _one(connection: Connection, statement_name: str, /, **named: Any) -> Any:
    return connection.execute(statement("ledger", statement_name), named).scalar_one()


def _numbers(connection: Connection, name: str, **named: Any) -> dict[int, int]:
    with connection.begin():
        return {row.number: row.delivery_id for row in connection.execute(statement("ledger", name), named)}
