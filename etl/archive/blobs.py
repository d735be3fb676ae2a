"""Blobs: each distinct content once, whatever messages and loaders bring it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from etl.archive.database import driver
from etl.archive.recipe import CHUNK_OCTETS
from etl.archive.rows import compressed
from etl.archive.statements import statement
from etl.archive.steps import BlobStep

# Shared by loaders; archive.approve_disposition has it alone.
BLOB_LOCK = 7497061


@dataclass(frozen=True, slots=True)
class Added:
    """The blobs of a batch: the number of each, by SHA-256, and those that are new and have no pieces yet."""

    numbers: dict[bytes, int]
    without_pieces: set[bytes]


def add(connection: Connection, octets: Mapping[bytes, int]) -> Added:
    """Add the blobs of a batch, all that it has. octets: by SHA-256."""
    if not octets:
        return Added({}, set())
    # A disposition deletes no blob that we find: it waits until the steps made of them are committed, or we for it.
    # Sorted and at once, so that two loaders with the same blobs wait for each other instead of deadlocking. What
    # another loader commits meanwhile is seen by the second statement and not by the first.
    connection.execute(text("select pg_advisory_xact_lock_shared(:key)"), {"key": BLOB_LOCK})
    named = {"sha256s": sorted(octets), "octets": [octets[sha256] for sha256 in sorted(octets)]}
    new = {bytes(sha256) for sha256 in connection.scalars(statement("load", "add_blobs"), named)}
    rows = connection.execute(statement("load", "blobs"), {"sha256s": sorted(octets)})
    return Added({bytes(row.sha256): row.blob_id for row in rows}, new)


def add_steps(connection: Connection, steps: Sequence[BlobStep], added: Added) -> None:
    """Add the pieces of blobs, and the steps of recipes that are made of them."""
    if not steps:
        return
    content = {step.sha256: step.content for step in steps if step.sha256 in added.without_pieces}
    added.without_pieces.difference_update(content)
    cursor = driver(connection).cursor()
    with cursor.copy("copy archive.blob_piece (blob_id, position, octets, zstd, content) from stdin") as copy:
        for sha256, octets in content.items():
            for row in _pieces(octets):
                copy.write_row((added.numbers[sha256], *row))
    with cursor.copy(
        "copy archive.segment (message_id, position, octets, blob_id, line_octets, line_end, final_line_end) from stdin"
    ) as copy:
        for s in steps:
            shape = (s.line_octets, s.line_end, s.final_line_end)
            copy.write_row((s.message_id, s.position, s.message_octets, added.numbers[s.sha256], *shape))


def _pieces(content: bytes) -> Iterator[tuple[Any, ...]]:
    """The rows of a blob's pieces; one without bytes for a blob without bytes."""
    for position, start in enumerate(range(0, len(content) or 1, CHUNK_OCTETS)):
        piece = content[start : start + CHUNK_OCTETS]
        yield position, len(piece), *compressed(piece)
