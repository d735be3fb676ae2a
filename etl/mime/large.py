"""A large message read in one pass: its skeleton for the parser, its large leaves hashed and left out.

No I/O; memory is bounded by the limits below, not by the message.
"""

import hashlib
from dataclasses import replace

from etl.mime.reading import read
from etl.mime.rows import Defect, Leaf, Reading, Skeleton
from etl.mime.splitter import Event, Kind, Splitter
from etl.mime.transfer import Decoder, decoder, encoding_of

LEAF_BYTES_MAX = 256 * 1024
SKELETON_BYTES_MAX = 8 * 1024 * 1024


class LargeReader:
    """One message, fed in pieces of any size. The events are the caller's too: they hold all its bytes."""

    def __init__(self, leaf_bytes_max: int = LEAF_BYTES_MAX, skeleton_bytes_max: int = SKELETON_BYTES_MAX):
        self._splitter = Splitter()
        self._leaf_bytes_max, self._skeleton_bytes_max = leaf_bytes_max, skeleton_bytes_max
        self._skeleton = bytearray()
        self._leaves: dict[str, Leaf] = {}
        self._leaf: _OpenLeaf | None = None
        self._heads: dict[str, tuple[str, bool]] = {}

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes of the message; what they are."""
        events = self._splitter.feed(data)
        for event in events:
            self._take(event)
        return events

    def close(self) -> tuple[list[Event], Skeleton]:
        """The last events, and the skeleton. Nothing may be fed afterwards."""
        events = self._splitter.close()
        for event in events:
            self._take(event)
        self._end_leaf()
        return events, Skeleton(bytes(self._skeleton), self._leaves, self._splitter.defects)

    def _take(self, event: Event) -> None:
        if event.head is not None:
            self._heads[event.path] = encoding_of(event.head), event.head.get_content_maintype() == "text"
        if event.kind is Kind.BODY:
            if self._leaf is None or self._leaf.path != event.path:
                self._end_leaf()
                self._leaf = _OpenLeaf(event.path, *self._heads.pop(event.path, ("", False)))
            self._leaf.feed(event.data, self._leaf_bytes_max)
            return
        self._end_leaf()
        # Heads and delimiters are all kept: without them the tree would be another.
        if event.kind in (Kind.HEAD, Kind.FRAME) or self._room(event.data):
            self._skeleton += event.data

    def _room(self, data: bytes | bytearray) -> bool:
        return len(self._skeleton) + len(data) <= self._skeleton_bytes_max

    def _end_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        if leaf is None:
            return
        if leaf.cut or not self._room(leaf.kept):
            self._leaves[leaf.path] = leaf.known()
        if self._room(leaf.kept):
            self._skeleton += leaf.kept


class _OpenLeaf:
    """A leaf under way. kept: its body as far as the skeleton has it; of what is cut only text keeps its beginning."""

    def __init__(self, path: str, encoding: str, text: bool):
        self.path = path
        self.kept = bytearray()
        self.cut = False
        self._text = text
        self._decoder: Decoder = decoder(encoding)
        self._digest = hashlib.sha256()
        self._octets = 0

    def feed(self, data: bytes, bytes_max: int) -> None:
        self._count(self._decoder.feed(data))
        if not self.cut:
            self.kept += data
            self.cut = len(self.kept) > bytes_max
            if self.cut:
                del self.kept[bytes_max if self._text else 0 :]

    def known(self) -> Leaf:
        """Its content's size and hash."""
        self._count(self._decoder.close())
        return Leaf(self._octets, self._digest.digest())

    def _count(self, content: bytes) -> None:
        self._digest.update(content)
        self._octets += len(content)


def read_large(skeleton: Skeleton) -> Reading:
    """Read a skeleton as `read` would read the whole message; of large text parts the beginning. Never raises."""
    reading = read(skeleton.raw)
    parts = [
        replace(part, octets=leaf.octets, sha256=leaf.sha256) if (leaf := skeleton.leaves.get(part.path)) else part
        for part in reading.parts
    ]
    cut = [
        Defect("not_read_whole", path, f"{leaf.octets} bytes: stored and hashed, not read to their end")
        for path, leaf in skeleton.leaves.items()
    ]
    return replace(reading, parts=parts, defects=[*skeleton.defects, *reading.defects, *cut])
