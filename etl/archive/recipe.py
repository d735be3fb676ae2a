"""A large message as a recipe, made while it streams: literal bytes, and base64 parts decoded.

No I/O; memory is bounded by a few chunks. The same message gives the same pieces, however it is cut
on its way, so that a retry can compare them with those that an earlier try stored.
"""

import hashlib
from dataclasses import dataclass

from etl.mime.splitter import Event, Kind
from etl.mime.transfer import Base64Shape, CanonicalBase64, encode, encoding_of

# Small enough to compress and send in one go, and what a checkpoint of a large download may lose.
CHUNK_OCTETS = 1024 * 1024

# A smaller base64 part stays literal: a blob of its own would cost more than it saves.
BLOB_OCTETS_MIN = 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """At most a chunk of a message: literal bytes, or (blob: which, from 0) decoded content."""

    blob: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Blob:
    """One base64 part: its content, and how it stands in the message.

    position: of its first piece among all pieces. message_octets: how many bytes of the message it gives.
    """

    position: int
    sha256: bytes
    octets: int
    message_octets: int
    shape: Base64Shape


class Recipe:
    """Takes a message's events in order and gives the pieces to store; `blobs` says what the pieces of each are."""

    def __init__(self) -> None:
        self.blobs: list[Blob] = []
        self._pieces: list[Piece] = []
        self._emitted = 0
        self._literal = bytearray()
        self._part: _Part | None = None
        self._encoded: set[str] = set()

    def take(self, events: list[Event]) -> list[Piece]:
        """The pieces that these events complete."""
        for event in events:
            if event.head is not None and encoding_of(event.head) == "base64":
                self._encoded.add(event.path)
            if event.kind is Kind.BODY and event.path in self._encoded:
                self._base64(event)
            else:
                self._end_part()
                self._add_literal(event.data)
        return self._given()

    def close(self) -> list[Piece]:
        """The last pieces."""
        self._end_part()
        self._flush_literal()
        return self._given()

    def _given(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _emit(self, blob: int | None, data: bytes) -> None:
        self._pieces.append(Piece(blob, data))
        self._emitted += 1

    def _add_literal(self, data: bytes) -> None:
        self._literal += data
        while len(self._literal) >= CHUNK_OCTETS:
            self._emit(None, bytes(self._literal[:CHUNK_OCTETS]))
            del self._literal[:CHUNK_OCTETS]

    def _flush_literal(self) -> None:
        if self._literal:
            self._emit(None, bytes(self._literal))
            self._literal.clear()

    def _base64(self, event: Event) -> None:
        if self._part is None or self._part.path != event.path:
            self._end_part()
            self._part = _Part(event.path)
        if self._part.ended:
            self._add_literal(event.data)
            return
        self._part.feed(event.data)
        while len(self._part.content) >= CHUNK_OCTETS:
            self._emit_content(self._part, CHUNK_OCTETS)
        if self._part.base64.literal:
            # Not canonical from here on: what was decoded is a blob by itself, and the rest of the part literal.
            self._end_blob(self._part)

    def _emit_content(self, part: "_Part", octets: int) -> None:
        if part.position is None:
            self._flush_literal()
            part.position = self._emitted
        content = bytes(part.content[:octets])
        del part.content[:octets]
        part.digest.update(content)
        part.octets += len(content)
        self._emit(len(self.blobs), content)

    def _end_part(self) -> None:
        if self._part and not self._part.ended:
            self._part.base64.close()
            self._end_blob(self._part)
        self._part = None

    def _end_blob(self, part: "_Part") -> None:
        part.ended = True
        shape, literal = part.base64.shape, part.base64.literal
        if part.position is None and len(part.content) < BLOB_OCTETS_MIN:
            self._add_literal(b"".join(encode([bytes(part.content)], shape)))
        else:
            if part.content:
                self._emit_content(part, len(part.content))
            assert part.position is not None
            blob = Blob(part.position, part.digest.digest(), part.octets, part.base64.octets, shape)
            self.blobs.append(blob)
        self._add_literal(literal)


class _Part:
    """A base64 part under way. position: of its first piece; None while none was emitted."""

    def __init__(self, path: str):
        self.path = path
        self.base64 = CanonicalBase64()
        self.content = bytearray()
        self.digest = hashlib.sha256()
        self.octets = 0
        self.position: int | None = None
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Decode the next bytes of the part."""
        self.content += self.base64.feed(data)
