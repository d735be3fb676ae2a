"""Downloads under way: the pieces of a large message, committed as they come, compared when they come again."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from etl.archive import stored
from etl.archive.blobs import Added
from etl.archive.recipe import Blob, Piece
from etl.archive.rows import compressed
from etl.archive.statements import statement
from etl.errors import Skip


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one piece: which blob it is of, its length, and the SHA-256 of its bytes."""

    blob: int | None
    octets: int
    sha256: bytes

    @classmethod
    def of(cls, piece: Piece) -> "Held":
        """What is held of a piece once it is committed."""
        return cls(piece.blob, len(piece.data), hashlib.sha256(piece.data).digest())


def held(connection: Connection, delivery_id: int) -> list[Held]:
    """The pieces that earlier tries committed, in order."""
    with connection.begin():
        rows = connection.execute(statement("load", "held_pieces"), {"delivery_id": delivery_id})
        return [Held(row.blob, row.octets, bytes(row.sha256)) for row in rows]


def add(connection: Connection, delivery_id: int, position: int, piece: Piece) -> None:
    """Commit one piece: from now on no retry stores it again."""
    zstd, content = compressed(piece.data)
    named = {"delivery_id": delivery_id, "position": position, **asdict(Held.of(piece))}
    with connection.begin():
        connection.execute(statement("load", "add_piece"), {**named, "zstd": zstd, "content": content})


def take_over(connection: Connection, delivery_id: int, message_id: int, parts: Sequence[Blob], added: Added) -> None:
    """Make the pieces of a download the recipe of a new message, in the caller's transaction.

    Raises Skip where the recipe would not give the message's bytes: then nothing of it is committed.
    """
    here = {"delivery_id": delivery_id, "message_id": message_id}
    connection.execute(statement("load", "take_over_literals"), here)
    for place, blob in enumerate(parts):
        number = added.numbers[blob.sha256]
        if blob.sha256 in added.without_pieces:
            added.without_pieces.remove(blob.sha256)
            taken = {**here, "blob_id": number, "blob": place}
            connection.execute(statement("load", "take_over_blob"), taken)
        step = {"blob_id": number, "position": blob.position, "message_octets": blob.message_octets}
        shape = {
            "line_octets": blob.shape.line_octets,
            "line_end": blob.shape.line_end,
            "final_line_end": blob.shape.closed,
        }
        connection.execute(statement("load", "add_blob_segment"), {**here, **step, **shape})
    made = stored.message(connection, message_id)
    for _ in made.pieces():
        pass
    if made.fault:
        raise Skip(f"the recipe of message {message_id} is wrong: {made.fault}")


def drop(connection: Connection, delivery_id: int, position: int = 0) -> None:
    """Forget what is held from `position` on, in the caller's transaction."""
    connection.execute(statement("load", "drop_pieces"), {"delivery_id": delivery_id, "position": position})


def restart(connection: Connection, delivery_id: int, session_id: int, position: int) -> None:
    """Drop what is held from `position` on: the server sends other bytes now; the ledger says so."""
    reason = f"the server sends other bytes than before, from piece {position} on"
    with connection.begin():
        drop(connection, delivery_id, position)
        named = {"delivery_ids": [delivery_id], "step": "restarted", "session_id": session_id, "reason": reason}
        connection.execute(statement("ledger", "add_steps"), named)
