"""A message of any size read in one pass: a skeleton small enough for the parser, and the measure of every part.

No I/O; constant memory. The skeleton is the message with large bodies left out: all heads and delimiters, so that
the parser sees the same tree, the same headers and the text; what it cannot see of a part, its size and its
SHA-256, was measured as it passed by. Use:

    reader = LargeReader(sink=store)      # store(event) gets every event of the splitter, in order, once
    for chunk in chunks:
        reader.feed(chunk)
    reading = read_large(reader.close())

The events are where content is to be stored from: their data, joined, is the message; a HEAD opens a part and has its
fields parsed (`encoding_of(event.head)` names its transfer encoding), BODY events of the same path follow it.
"""

import base64
import codecs
import hashlib
from collections.abc import Callable
from email.message import Message

from msgspec.structs import replace

from etl.mime import bounds
from etl.mime.canonical import Canonical
from etl.mime.rows import Defect, Leaf, Reading, Skeleton
from etl.mime.splitter import Event, Kind, Splitter
from etl.mime.transfer import decoder, encoding_of

LEAF_BYTES_MAX = 256 * 1024  # larger bodies are files, or text of which the beginning is enough to find it
TNEF_BYTES_MAX = 4 * 1024 * 1024  # a winmail.dat, which is opened to its files; base64 included
BEGINNING_OCTETS = 4096  # of a file that is left out: by these its type is told
SKELETON_BYTES_MAX = 8 * 1024 * 1024  # what bodies may fill; the parser takes about six times this
STRUCTURE_BYTES_MAX = 8 * 1024 * 1024  # eight heads of the largest size, or ten thousand usual ones


def read_large(skeleton: Skeleton) -> Reading:
    """The reading of the whole message. Never raises.

    As `reading.read` gives it, but: of a large text only the beginning is in `text` (with a defect), what is too
    large to be opened stays closed (with a defect), of a large file only the beginning tells its type and whether a
    password locks it, and where content is not quite what its transfer encoding says, `transfer` tells what differs.
    """
    from etl.mime.reading import read  # only who parses pays for loading the parser

    reading = read(skeleton.raw, {path: leaf for path, leaf in skeleton.leaves.items() if not leaf.whole})
    defects = [_placed(defect, skeleton.starts) for defect in reading.defects + bounds.told(skeleton.defects)]
    return replace(reading, canonical_sha256=skeleton.canonical_sha256, defects=defects)


def _placed(defect: Defect, starts: dict[str, int]) -> Defect:
    """The defect, with where its part begins in the message and not in the skeleton."""
    place = starts.get(defect.place, None if defect.place.startswith("1.") else defect.offset)
    return defect if place == defect.offset else replace(defect, offset=place)


class _Body:
    """A part's body passing by: measured decoded, and kept or not."""

    def __init__(self, path: str, head: Message, start: int) -> None:
        self.path = path
        self.head = head
        self.start = start  # in the skeleton
        self.kept = True
        self.octets = 0
        self._beginning = b""
        self.is_tnef = head.get_content_type() in ("application/ms-tnef", "application/vnd.ms-tnef")
        self._sha256 = hashlib.sha256()
        self._decoder = decoder(encoding_of(head))

    def feed(self, data: bytes) -> None:
        self._measure(self._decoder.feed(data))

    def close(self) -> Leaf:
        self._measure(self._decoder.close())
        return Leaf(self.octets, self._sha256.digest(), self.kept, b"" if self.kept else self._beginning)

    def _measure(self, content: bytes) -> None:
        if self.octets < BEGINNING_OCTETS:
            self._beginning += content[: BEGINNING_OCTETS - self.octets]
        self.octets += len(content)
        self._sha256.update(content)


def _forget(event: Event) -> None:
    """The sink of who wants the reading only."""


class LargeReader:
    """One message, fed in pieces of any size.

    sink: called with every event, in order. What it raises, feed and close raise.
    leaf_bytes_max: larger bodies are left out; of a text, so much stays.
    tnef_bytes_max: the same for those that are opened to their files.
    skeleton_bytes_max: no more bodies are kept from there on.
    structure_bytes_max: what heads and delimiters may fill beside that; the parts behind are measured and not listed.
    """

    def __init__(
        self,
        sink: Callable[[Event], None] = _forget,
        leaf_bytes_max: int = LEAF_BYTES_MAX,
        tnef_bytes_max: int = TNEF_BYTES_MAX,
        skeleton_bytes_max: int = SKELETON_BYTES_MAX,
        structure_bytes_max: int = STRUCTURE_BYTES_MAX,
    ) -> None:
        self._sink = sink
        self._leaf_bytes_max = leaf_bytes_max
        self._tnef_bytes_max = tnef_bytes_max
        self._skeleton_bytes_max = skeleton_bytes_max
        self._octets_max = skeleton_bytes_max + structure_bytes_max
        self._splitter = Splitter()
        self._canonical = Canonical()
        self._skeleton = bytearray()
        self._full = False
        self._epilogue_octets = 0
        self._body: _Body | None = None
        self._leaves: dict[str, Leaf] = {}
        self._octets = 0
        self._starts: dict[str, int] = {}
        self._defects: list[Defect] = []

    def feed(self, data: bytes) -> None:
        """The next octets of the message."""
        self._canonical.feed(data)
        self._take(self._splitter.feed(data))

    def close(self) -> Skeleton:
        """What is left of the message. Nothing may be fed afterwards."""
        self._take(self._splitter.close())
        self._end_body()
        defects = self._splitter.defects + self._defects
        return Skeleton(bytes(self._skeleton), self._leaves, self._canonical.close(), defects, self._starts)

    def _take(self, events: list[Event]) -> None:
        for event in events:
            self._sink(event)
            _TAKES[event.kind](self, event)
            self._octets += len(event.data)

    def _take_head(self, event: Event) -> None:
        assert event.head is not None  # a HEAD has one
        self._starts[event.path] = self._octets
        self._end_body()
        self._leaves.pop(event.path.rpartition(".")[0], None)  # a container after all
        self._add_structure(event)
        self._body = _Body(event.path, event.head, len(self._skeleton))

    def _take_frame(self, event: Event) -> None:
        if self._body and not self._body.kept and not event.data.startswith((b"\r", b"\n")):
            # The delimiter began a line of what was left out. Now the head could take it for a field.
            self._skeleton += b"\r\n\r\n"
        self._end_body()
        self._epilogue_octets = 0
        self._add_structure(event)

    def _take_epilogue(self, event: Event) -> None:
        self._epilogue_octets += len(event.data)
        if not self._full and self._has_room(self._epilogue_octets, len(event.data), self._leaf_bytes_max):
            self._skeleton += event.data

    def _take_body(self, event: Event) -> None:
        body = self._body
        assert body is not None  # its head came just before
        body.feed(event.data)
        if not body.kept:
            return
        octets_max = self._tnef_bytes_max if body.is_tnef else self._leaf_bytes_max
        if self._has_room(len(self._skeleton) - body.start + len(event.data), len(event.data), octets_max):
            self._skeleton += event.data
        else:
            self._leave_out(body, event.data)

    def _has_room(self, octets: int, more: int, octets_max: int) -> bool:
        """Whether a body that would be so long may be kept so far."""
        return octets <= octets_max and len(self._skeleton) + more <= self._skeleton_bytes_max

    def _leave_out(self, body: _Body, data: bytes) -> None:
        """Take a body out of the skeleton; a text keeps its beginning."""
        body.kept = False
        room = max(0, min(self._leaf_bytes_max, self._skeleton_bytes_max - body.start))
        beginning = bytes(self._skeleton[body.start :]) + data[:room]
        del self._skeleton[body.start :]
        if body.head.get_content_maintype() == "text":
            self._skeleton += _beginning(beginning[:room], body.head)
            self._defects.append(
                Defect("text_cut", body.path, f"a long text; its first {room} octets at most are shown")
            )

    def _add_structure(self, event: Event) -> None:
        """Heads and delimiters, without which the tree is another."""
        if not self._full and len(self._skeleton) + len(event.data) > self._octets_max:
            self._full = True
            self._defects.append(
                Defect("parts", event.path, "the heads are too large; parts from here on are not listed")
            )
        if not self._full:
            self._skeleton += event.data

    def _end_body(self) -> None:
        if self._body:
            self._leaves[self._body.path] = self._body.close()
        self._body = None


_TAKES: dict[Kind, Callable[[LargeReader, Event], None]] = {
    Kind.HEAD: LargeReader._take_head,
    Kind.BODY: LargeReader._take_body,
    Kind.PREAMBLE: LargeReader._take_body,
    Kind.FRAME: LargeReader._take_frame,
    Kind.EPILOGUE: LargeReader._take_epilogue,
}


def _beginning(body: bytes, head: Message) -> bytes:
    """The beginning of an encoded text, cut where no character is."""
    if encoding_of(head) == "base64":
        return base64.encodebytes(_whole_characters(decoder("base64").feed(body), head))
    end = body.rfind(b"\n")
    # A soft line break (RFC 2045 section 6.7) may stand inside a character.
    while end > 0 and body[end - 2 : end].rstrip(b"\r").endswith(b"="):
        end = body.rfind(b"\n", 0, end)
    return body[:end].removesuffix(b"\r") if end > 0 else _whole_characters(body, head)


def _whole_characters(content: bytes, head: Message) -> bytes:
    """Text without a last character that is not all there."""
    try:
        undo = codecs.getincrementaldecoder(head.get_content_charset("utf-8"))()
        undo.decode(content)
        return content[: len(content) - len(undo.getstate()[0])]
    except Exception:  # of broken parameters, and of codecs that are none for text; the parser will say so
        return content
