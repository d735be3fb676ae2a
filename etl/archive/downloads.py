"""Downloads under way: the pieces of a large message, committed as they come, compared when they come again."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.archive.rows import CHUNK_OCTETS, compressed
from etl.archive.statements import statement


@dataclass(frozen=True, slots=True)
class Piece:
    """What is held of one piece: its length and the SHA-256 of its bytes off the wire."""

    octets: int
    sha256: bytes

    @classmethod
    def of(cls, data: bytes) -> "Piece":
        """The piece that these bytes are."""
        return cls(len(data), hashlib.sha256(data).digest())


def held(connection: Connection, delivery_id: int) -> list[Piece]:
    """The pieces that earlier tries committed, in order."""
    with connection.begin():
        rows = connection.execute(statement("load", "held_pieces"), {"delivery_id": delivery_id})
        return [Piece(row.octets, bytes(row.sha256)) for row in rows]


def add(connection: Connection, delivery_id: int, position: int, data: bytes) -> None:
    """Commit one piece: from now on no retry stores it again."""
    zstd, content = compressed(data)
    piece = Piece.of(data)
    named = {"delivery_id": delivery_id, "position": position, "octets": piece.octets, "sha256": piece.sha256}
    with connection.begin():
        connection.execute(statement("load", "add_piece"), {**named, "zstd": zstd, "content": content})


def restart(connection: Connection, delivery_id: int, session_id: int, position: int) -> None:
    """Drop what is held from `position` on: the server sends other bytes now; the ledger says so."""
    reason = f"the server sends other bytes than before from byte {position * CHUNK_OCTETS} on"
    with connection.begin():
        connection.execute(statement("load", "drop_pieces"), {"delivery_id": delivery_id, "position": position})
        named = {"delivery_ids": [delivery_id], "step": "restarted", "session_id": session_id, "reason": reason}
        connection.execute(statement("ledger", "add_steps"), named)
