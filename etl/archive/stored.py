"""The bytes again: stream what is stored, check it, write it out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard
from sqlalchemy import Connection, text

from etl.errors import Misconfigured, Stop

_MESSAGES = """
select m.message_id, m.sha256, m.octets, s.octets as piece_octets, s.zstd, s.content
from archive.message m left join archive.segment s using (message_id)
where cast(:mailbox as text) is null or exists (
    select from archive.ledger l join archive.delivery d using (delivery_id) join archive.mailbox b using (mailbox_id)
    where l.message_id = m.message_id and b.name = :mailbox)
order by m.message_id, s.position
"""

_BOOKS = {
    "mailboxes whose books do not balance": "select mailbox from mart.balance where not balanced",
    "archived deliveries deleted before their commit":
        "select 'delivery ' || d.delivery_id from archive.ledger d where d.step = 'delete sent' and not exists ("
        " select from archive.ledger a where a.delivery_id = d.delivery_id and a.entry_id < d.entry_id"
        " and a.step in ('archived', 'duplicate'))",
    "messages that no delivery accounts for":
        "select 'message ' || message_id from archive.message m"
        " where not exists (select from archive.ledger l where l.message_id = m.message_id)",
    "messages without a reading":
        "select 'message ' || message_id from archive.message m"
        " where not exists (select from archive.reading r where r.message_id = m.message_id)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored message as it came back: its bytes, and what is wrong with them (None: nothing)."""

    message_id: int
    sha256: bytes
    raw: bytes
    fault: str | None


def messages(connection: Connection, mailbox: str | None = None) -> Iterator[Stored]:
    """Every stored message, re-hashed, in order; of one mailbox where it is named."""
    rows = connection.execution_options(yield_per=200).execute(text(_MESSAGES), {"mailbox": mailbox})
    pieces: list[tuple[int | None, bool, bytes]] = []
    head: tuple[int, bytes, int] | None = None
    for row in rows:
        if head and head[0] != row.message_id:
            yield _stored(*head, pieces)
            pieces = []
        head = (row.message_id, bytes(row.sha256), row.octets)
        if row.content is not None:
            pieces.append((row.piece_octets, row.zstd, bytes(row.content)))
    if head:
        yield _stored(*head, pieces)


def _stored(message_id: int, sha256: bytes, octets: int, pieces: list[tuple[int | None, bool, bytes]]) -> Stored:
    try:
        raw = b"".join(zstandard.decompress(content) if zstd else content for _, zstd, content in pieces)
    except zstandard.ZstdError as error:
        return Stored(message_id, sha256, b"", f"its stored bytes cannot be decompressed ({error})")
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256.hex():
        return Stored(message_id, sha256, raw, f"its {len(raw)} of {octets} bytes hash to {found}")
    return Stored(message_id, sha256, raw, None)


def books(connection: Connection) -> dict[str, list[str]]:
    """Each check of the books with what it finds wrong: an empty list is a check that holds."""
    return {name: list(connection.scalars(text(sql))) for name, sql in _BOOKS.items()}


def export(connection: Connection, folder: Path, mailbox: str | None) -> Iterator[Stored]:
    """Write each message to `<sha256>.eml`, whole or not at all. Raises Stop where the disk refuses."""
    if mailbox and not connection.scalar(text("select 1 from archive.mailbox where name = :n"), {"n": mailbox}):
        raise Misconfigured(f"there is no mailbox {mailbox!r} in the archive; `popvault status` lists them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages(connection, mailbox):
            if message.fault is None:
                path = folder / f"{message.sha256.hex()}.eml"
                scratch = path.with_suffix(".part")
                scratch.write_bytes(message.raw)
                scratch.replace(path)
            yield message
    except OSError as error:
        raise Stop(f"cannot write to {folder}: {error.strerror}; make room or choose another folder") from error
