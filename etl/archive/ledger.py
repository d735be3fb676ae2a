"""The ledger: what was listed, what became of it, and who may touch a mailbox now.

Each function is one transaction on the connection given.
"""

import hashlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from etl.archive.database import driver
from etl.archive.statements import statement

# A message that failed in so many runs is put in quarantine: the rest of the mailbox matters more.
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


def take_slot(connection: Connection, host: str, sessions_max: int, mine: Sequence[int]) -> int | None:
    """One of a host's slots, over all workers; None while all are taken. mine: those that are ours already."""
    named = {"host": host, "sessions_max": sessions_max, "mine": list(mine)}
    with connection.begin():
        slot: int | None = connection.scalar(statement("ledger", "take_slot"), named)
        return slot


def free_slot(connection: Connection, host: str, slot: int) -> None:
    """Let others have the slot."""
    with connection.begin():
        _one(connection, "free_slot", host=host, slot=slot)


def login_wait(connection: Connection, mailbox_id: int) -> float:
    """Seconds until the mailbox may be logged in to, as its server asked; 0 for now."""
    with connection.begin():
        return float(_one(connection, "login_wait", mailbox_id=mailbox_id) or 0)


def is_lively(connection: Connection, mailbox_id: int) -> bool:
    """Whether a mailbox is likely to have new mail, as its last two listings tell; one that is new is."""
    with connection.begin():
        return bool(_one(connection, "is_lively", mailbox_id=mailbox_id))


def pause(connection: Connection, mailbox_id: int, seconds: float, reason: str) -> None:
    """Leave the mailbox alone for so long, on every worker."""
    named = {"mailbox_id": mailbox_id, "seconds": seconds, "reason": reason}
    with connection.begin():
        connection.execute(statement("ledger", "pause"), named)


def begin_session(connection: Connection, run_id: int, mailbox_id: int, facts: dict[str, Any]) -> tuple[int, int]:
    """Record a login; (session id, epoch id).

    A new epoch begins where server or account are not those of the last one: its UIDLs mean nothing here.
    """
    with connection.begin():
        last = connection.execute(statement("ledger", "present_epoch"), {"mailbox_id": mailbox_id}).one_or_none()
        here = {"mailbox_id": mailbox_id, "host": facts["host"], "username": facts["username"]}
        same = last is not None and (last.host, last.username) == (here["host"], here["username"])
        reason = "server or account changed" if last else "first session"
        epoch_id = int(last.epoch_id if last and same else _one(connection, "begin_epoch", reason=reason, **here))
        named = {"run_id": run_id, "mailbox_id": mailbox_id, "epoch_id": epoch_id, **facts}
        session_id = int(_one(connection, "begin_session", **named))
        connection.execute(statement("ledger", "make_listing"))
        if last and not same:
            _close_epoch(connection, last.epoch_id, session_id, reason)
        return session_id, epoch_id


def change_epoch(connection: Connection, mailbox_id: int, session_id: int, epoch_id: int, reason: str) -> int:
    """Begin a new epoch in the middle of a session, whose listing shows that UIDLs mean other mail; its number."""
    with connection.begin():
        last = connection.execute(statement("ledger", "present_epoch"), {"mailbox_id": mailbox_id}).one()
        here = {"mailbox_id": mailbox_id, "host": last.host, "username": last.username}
        changed = int(_one(connection, "begin_epoch", reason=reason, **here))
        connection.execute(statement("ledger", "move_session"), {"epoch_id": changed, "session_id": session_id})
        _close_epoch(connection, epoch_id, session_id, reason)
        return changed


def _close_epoch(connection: Connection, epoch_id: int, session_id: int, reason: str) -> None:
    named = {"epoch_id": epoch_id, "session_id": session_id, "reason": reason}
    connection.execute(statement("ledger", "close_epoch"), named)


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


def note_entries(connection: Connection, session_id: int, entries: Sequence[Entry]) -> None:
    """Lay a whole listing beside the archive, in the session's temporary table."""
    with connection.begin():
        columns = "session_id, number, uidl, twin, octets"
        with driver(connection).cursor().copy(f"copy listing ({columns}) from stdin") as copy:
            for entry in entries:
                copy.write_row((session_id, *entry))
        connection.execute(statement("ledger", "count_listing"))


def doubtful(connection: Connection, session_id: int, epoch_id: int) -> dict[int, bytes]:
    """Entries whose UIDL may have been given to other mail: {message number: SHA-256 of the head it meant}."""
    named = {"session_id": session_id, "epoch_id": epoch_id}
    with connection.begin():
        rows = connection.execute(statement("ledger", "doubtful"), named)
        return {row.number: bytes(row.head_sha256) for row in rows}


def all_unknown(connection: Connection, session_id: int, epoch_id: int) -> bool:
    """Whether all UIDLs of the listing are new, though old mail should still be there."""
    with connection.begin():
        return bool(_one(connection, "all_unknown", session_id=session_id, epoch_id=epoch_id))


def is_new_epoch(connection: Connection, mailbox_id: int, epoch_id: int) -> bool:
    """Whether nothing was listed in the epoch yet, though the mailbox has older ones."""
    with connection.begin():
        return bool(_one(connection, "is_new_epoch", mailbox_id=mailbox_id, epoch_id=epoch_id))


def old_mail(connection: Connection, mailbox_id: int, session_id: int) -> dict[tuple[int, bytes], int | None]:
    """Archived mail of the mailbox that entries of the listing may be: {(octets, SHA-256 of the head): message id}.

    None where two messages have that size and that head: then only the bytes can tell.
    """
    found: dict[tuple[int, bytes], int | None] = {}
    named = {"mailbox_id": mailbox_id, "session_id": session_id}
    with connection.begin():
        for row in connection.execute(statement("ledger", "old_mail"), named):
            key = row.octets, bytes(row.head_sha256)
            found[key] = None if key in found else row.message_id
    return found


def record_listing(
    connection: Connection, mailbox_id: int, epoch_id: int, session_id: int, entries: Sequence[Entry]
) -> None:
    """Record a listing whose entries are noted: what is new, back, or no longer there."""
    named = {"mailbox_id": mailbox_id, "epoch_id": epoch_id, "session_id": session_id}
    with connection.begin():
        doubted = _one(connection, "note_listing", listing_sha256=_digest(entries), **named)
        for name in ("add_deliveries", "note_standing", "note_returned"):
            connection.execute(statement("ledger", name), named)
        if not doubted:
            connection.execute(statement("ledger", "note_missing"), named)
        connection.execute(statement("ledger", "drop_pieces_of_lost"), named)


def recognise(connection: Connection, session_id: int, found: Mapping[int, int]) -> None:
    """Old mail under new UIDLs, {message number: message id}: recorded as duplicates, not to be fetched."""
    named = {"session_id": session_id, "numbers": list(found), "message_ids": list(found.values())}
    with connection.begin():
        connection.execute(statement("ledger", "recognise"), named)


def exclude(
    connection: Connection, delivery_id: int, session_id: int, octets: int, octets_max: int, head: bytes | None
) -> None:
    """Record that a message, of so many octets at least, is not retrieved, and its header block."""
    reason = f"{octets} bytes are over message_bytes_max = {octets_max}"
    named = {"delivery_id": delivery_id, "session_id": session_id, "reason": reason, "head": head, "octets": octets}
    with connection.begin():
        connection.execute(statement("ledger", "exclude"), named)


def may_delete(connection: Connection) -> bool:
    """Whether this database may delete mail on servers; a copy of it may not, until it is enrolled."""
    with connection.begin():
        return bool(_one(connection, "may_delete"))


def enrol(connection: Connection) -> str:
    """Let this database delete mail on servers, and no other copy of it; how it is called."""
    with connection.begin():
        return str(_one(connection, "enrol"))


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


def deletable(connection: Connection, session_id: int, seconds: float, messages_max: int) -> dict[int, int]:
    """What the server may forget, archived at least so long ago: {message number: delivery id}, in order."""
    return _numbers(connection, "deletable", session_id=session_id, seconds=seconds, messages_max=messages_max)


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
