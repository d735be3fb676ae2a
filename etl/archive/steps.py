"""A message that is held whole, as the steps that give its bytes again: its head, text, base64 decoded, the rest.

No I/O. What is text is kept as text, where SQL reads it, and so is stored once. `recipe` does the same for
messages that are too large to be held.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from etl.archive.recipe import CHUNK_OCTETS, Blob, Recipe
from etl.mime.rows import Reading
from etl.mime.splitter import Splitter
from etl.mime.transfer import Base64Shape, encode

# A shorter text is no gain: a step of its own costs a row of some 50 octets. A longer one might be over a chunk.
TEXT_CHARACTERS_MIN = 128
TEXT_CHARACTERS_MAX = CHUNK_OCTETS // 8


class BlobStep(msgspec.Struct, array_like=True, frozen=True):
    """A base64 part of a message, decoded, and how it stands there. message_octets: what it gives of the message."""

    message_id: int
    position: int
    message_octets: int
    sha256: bytes
    content: bytes
    line_octets: int
    line_end: bytes
    final_line_end: bool

    @property
    def shape(self) -> Base64Shape:
        """How its content was written."""
        return Base64Shape(self.line_octets, self.line_end, self.final_line_end)


@dataclass(frozen=True, slots=True)
class Segment:
    """A step that is text, or else bytes."""

    position: int
    octets: int
    text: str | None
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What gives a message's bytes: the head first, then the others by position."""

    head: str | None = None
    head_octets: int = 0
    segments: list[Segment] = field(default_factory=list)
    blobs: list[BlobStep] = field(default_factory=list)

    @property
    def text(self) -> str | None:
        """All that is kept as text behind the head; None where nothing is."""
        texts = [segment.text for segment in self.segments if segment.text is not None]
        return "".join(texts) if texts else None


def steps(message_id: int, raw: bytes, reading: Reading) -> Steps:
    """The steps of a message. reading: its text is kept as text, where the message has it so."""
    made = _steps(message_id, raw, reading.text, _has_base64(reading))
    if given_back(made) == raw:
        return made
    return Steps(segments=[Segment(0, len(raw), None, raw)])  # a mistake of ours must not cost the message


def given_back(made: Steps) -> bytes:
    """The bytes that the steps give."""
    pieces = {s.position: s.content if s.text is None else wire(s.text) for s in made.segments}
    pieces |= {b.position: b"".join(encode([b.content], b.shape)) for b in made.blobs}
    return wire(made.head or "") + b"".join(pieces[position] or b"" for position in sorted(pieces))


def wire(text: str) -> bytes:
    """Text as it stood in the message."""
    return text.replace("\n", "\r\n").encode()


def plain(octets: bytes) -> str | None:
    """The text that `wire` makes these octets of; None where there is none, or where Postgres could not store it."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    plain = text.replace("\r\n", "\n")
    ends = len(text) - len(plain)
    return plain if "\0" not in plain and "\r" not in plain and plain.count("\n") == ends else None


def _has_base64(reading: Reading) -> bool:
    return any(part.transfer_encoding and "base64" in part.transfer_encoding for part in reading.parts)


def _steps(message_id: int, raw: bytes, body: str, encoded: bool) -> Steps:
    end = raw.find(b"\r\n\r\n") + 4
    head = plain(raw[:end]) if end > 3 else None
    made = Steps(head, 0 if head is None else end)
    text = wire(body) if TEXT_CHARACTERS_MIN <= len(body) <= TEXT_CHARACTERS_MAX else b""
    position = 0
    for piece in _pieces(raw, made.head_octets) if encoded else [raw[made.head_octets :]]:
        if isinstance(piece, bytes):
            for octets, is_text in _around(piece, text):
                kept = (body, None) if is_text else (None, octets)
                made.segments.append(Segment(position, len(octets), *kept))
                text = b"" if is_text else text
                position += 1
        else:
            made.blobs.append(_blob_step(message_id, position, *piece))
            position += 1
    return made


def _around(literal: bytes, text: bytes) -> Iterator[tuple[bytes, bool]]:
    """A literal cut around the text, where that stands in it, and in chunks; whether each of the cuts is the text."""
    at = literal.find(text) if text else -1
    if at >= 0:
        yield from _chunks(literal[:at])
        yield text, True
        yield from _chunks(literal[at + len(text) :])
    else:
        yield from _chunks(literal)


def _chunks(literal: bytes) -> Iterator[tuple[bytes, bool]]:
    for start in range(0, len(literal), CHUNK_OCTETS):
        yield literal[start : start + CHUNK_OCTETS], False


def _pieces(raw: bytes, start: int) -> Iterator[bytes | tuple[Blob, bytes]]:
    """The message from `start` on: literal bytes, and base64 parts decoded."""
    splitter, recipe = Splitter(), Recipe()
    pieces = recipe.take(splitter.feed(raw)) + recipe.take(splitter.close()) + recipe.close()
    for blob, cut in groupby(pieces, lambda piece: piece.blob):
        octets = b"".join(piece.data for piece in cut)
        if blob is not None:
            yield recipe.blobs[blob], octets
        else:
            yield octets[start:]
            start = 0


def _blob_step(message_id: int, position: int, blob: Blob, content: bytes) -> BlobStep:
    shape = blob.shape
    return BlobStep(
        message_id, position, blob.message_octets, blob.sha256, content,
        shape.line_octets, shape.line_end, shape.closed,
    )  # fmt: skip
