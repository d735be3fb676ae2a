"""MIME splitting: bytes in, heads, bodies and delimiters out (RFC 5322 section 2.1, RFC 2046 section 5.1).

No I/O; the caller feeds bytes and reads events. The events' data, joined in order, is what was fed.

The tree is the standard library's (`email.feedparser`), so that a path means the same here and in
`parts.read`: the line end before a delimiter is the delimiter's, the outermost multipart whose delimiter a line
is takes it, a message/* is read as a message whatever its transfer encoding, a delivery status (RFC 3464) is a
node with a child for each block of fields. Where it differs, because memory is bounded here:
- a head over HEADER_BYTES_MAX is cut there, and the rest is body;
- below DEPTH_MAX levels a container is one leaf, and the node numbered PARTS_MAX takes all that follows;
- a boundary over BOUNDARY_BYTES_MAX is none, and a delimiter with more blanks behind it than
  DELIMITER_BYTES_MAX has room for is body.
And where the library's ways do not fit a stream:
- a line "From " that ends a head stays in it when a blank line follows (the library moves it behind that line);
- in a delivery status, text that ends in a blank line and the delimiter keeps its line end;
- a head on which the library raises makes a leaf (there, the whole message is lost).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from enum import Enum

from etl.mime.rows import Defect, clean

HEADER_BYTES_MAX = 1024 * 1024  # a head is held whole; real ones stay below 100 KiB
DEPTH_MAX = 100  # the standard library's recursion ends somewhere below 1,000; real mail stays below 20
PARTS_MAX = 10_000  # each costs a row; the largest digests have some hundreds
BOUNDARY_BYTES_MAX = 998  # RFC 2046 says 70, RFC 5322 ends a line here
DELIMITER_BYTES_MAX = 2048  # a boundary, four dashes, and as many blanks again

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n)?")
# What the standard library takes for a line of a head: a field, its continuation, or an mbox's From line.
_FIELD = re.compile(rb"From |[!-9;-~]*:|[\t ]")
_BLANK = b""  # the delimiter of a delivery status's blocks
_NOT_ONE, _UNDECIDED = -1, -2


class Kind(Enum):
    """What a piece of a message is.

    HEAD: a node's header block with its blank line, whole, and empty when the node has none.
    BODY: a piece of a leaf's body, transfer encoding not undone.
    PREAMBLE: a piece of what stands before a multipart's first delimiter. It is the node's body where no
        delimiter ever comes: then it has no children, and is a leaf.
    FRAME: one delimiter line with the line end before it; never longer than DELIMITER_BYTES_MAX and two line ends.
    EPILOGUE: a piece of what stands behind a multipart's closing delimiter.
    """

    HEAD = "head"
    BODY = "body"
    PREAMBLE = "preamble"
    FRAME = "frame"
    EPILOGUE = "epilogue"


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of a message.

    path: of the node, as in `parts.read`; a FRAME has the path of the container that it divides.
    head: the fields of a HEAD, parsed; None for the other kinds.
    """

    kind: Kind
    path: str
    data: bytes
    head: Message | None = field(default=None, compare=False, repr=False)


class _State(Enum):
    HEAD = "head"
    LEAF = "leaf"
    PREAMBLE = "preamble"
    EPILOGUE = "epilogue"
    INSIDE = "inside"  # a child is open; never on top of the stack
    BETWEEN = "between"  # behind a blank line of a delivery status
    REST = "rest"


_CONTENT = {_State.LEAF: Kind.BODY, _State.PREAMBLE: Kind.PREAMBLE, _State.EPILOGUE: Kind.EPILOGUE}


@dataclass(slots=True)
class _Node:
    """An open node. delimiter: what begins a line that divides it; None when nothing does (any more)."""

    path: str
    state: _State = _State.HEAD
    delimiter: bytes | None = None
    children: int = 0
    digest: bool = False
    multipart: bool = False


class Splitter:
    """One message, fed in pieces of any size.

    defects: what was wrong with it beyond what the standard library would say of it, at most one for each node.
    """

    def __init__(self, header_bytes_max: int = HEADER_BYTES_MAX, parts_max: int = PARTS_MAX) -> None:
        self.defects: list[Defect] = []
        self._header_bytes_max = header_bytes_max
        self._parts_max = parts_max
        self._closed = False
        self._events: list[Event] = []
        self._data = b""
        self._at = 0
        self._hits: dict[bytes, int] = {}
        self._head: list[bytes] = []
        self._head_octets = 0
        self._line_start = True
        self._nodes = 0
        self._stack: list[_Node] = []
        self._push("1")
        self._watch()

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes make certain. Holds back at most a head, or the start of a line."""
        self._hits.clear()
        self._data = self._data + data if self._data else data
        self._run()
        self._data, self._at = self._data[self._at :], 0
        events, self._events = self._events, []
        return events

    def close(self) -> list[Event]:
        """The events of what was held back. Nothing may be fed afterwards."""
        self._closed = True
        return self.feed(b"")

    def _run(self) -> None:
        while _STEPS[self._stack[-1].state](self):
            pass

    # Heads

    def _take_head(self) -> bool:
        """One line of the head. False when more input is needed, as in all steps."""
        found = self._delimiter(self._at)
        if found == _UNDECIDED:
            return False
        if found != _NOT_ONE:
            return self._head_meets_delimiter(found)
        limit = self._at + self._header_bytes_max - self._head_octets
        line = _LINE.match(self._data, self._at, limit)
        assert line  # it matches everything
        if line.end() == limit:
            return self._cut_head(limit)
        if not self._closed and (not line[2] or self._may_grow(line)):
            return False
        if _FIELD.match(line[0]):
            return self._add_to_head(line.end())
        separator = bool(line[2]) and not line[1]
        if separator:
            self._add_to_head(line.end())
        return self._end_head(whole=separator)

    def _may_grow(self, line: "re.Match[bytes]") -> bool:
        """Whether a line's end may be the first half of CR LF."""
        return line[2] == b"\r" and line.end() == len(self._data)

    def _head_meets_delimiter(self, found: int) -> bool:
        """A head without a blank line; or a delimiter doubled, which the standard library takes for one."""
        parent = len(self._stack) - 2
        if not self._head and found == parent and self._stack[parent].multipart:
            self._frame(found, self._at)
            return True
        return self._end_head()

    def _add_to_head(self, end: int) -> bool:
        self._head.append(self._data[self._at : end])
        self._head_octets += end - self._at
        self._at = end
        return True

    def _cut_head(self, limit: int) -> bool:
        """The head is too large: what we have is the head, and the rest is body."""
        path = self._stack[-1].path
        self.defects.append(Defect("header_too_large", path, f"cut at {self._header_bytes_max} octets"))
        inside_field = bool(_FIELD.match(self._data, self._at, limit))
        if inside_field:
            self._add_to_head(limit)
        return self._end_head(whole=inside_field, line_start=not inside_field)

    def _end_head(self, whole: bool = False, line_start: bool = True) -> bool:
        """whole: all lines that look like the head's surely are."""
        if not whole and len(self._head) > 1 and self._head[-1].startswith(b"From "):
            # Text and no mbox's line: the standard library gives it back to the body.
            self._data, self._at = self._head.pop() + self._data[self._at :], 0
            self._hits.clear()
        data = b"".join(self._head)
        self._head, self._head_octets, self._line_start = [], 0, line_start
        head = BytesHeaderParser().parsebytes(data)
        if len(self._stack) > 1 and self._stack[-2].digest:
            head.set_default_type("message/rfc822")  # RFC 2046 section 5.1.5
        node = self._stack[-1]
        self._events.append(Event(Kind.HEAD, node.path, data, head))
        self._open(node, head)
        return True

    def _open(self, node: _Node, head: Message) -> None:
        """Decide from its head what a node is."""
        try:
            content_type = head.get_content_type()
            boundary = head.get_boundary() if head.get_content_maintype() == "multipart" else None
        except Exception as error:  # the library raises on broken RFC 2231 parameters
            self._defect("content_type", node.path, f"{type(error).__name__}: {error}")
            content_type, boundary = "text/plain", None
        main_type = content_type.partition("/")[0]
        node.multipart, node.digest = main_type == "multipart", content_type == "multipart/digest"
        node.state = _State.LEAF
        if main_type in ("multipart", "message") and len(self._stack) >= DEPTH_MAX:
            self._defect("depth", node.path, f"over {DEPTH_MAX} levels; not taken apart")
        elif node.multipart:
            node.delimiter = self._delimiter_of(node.path, boundary)
            node.state = _State.LEAF if node.delimiter is None else _State.PREAMBLE
        elif main_type == "message":
            node.delimiter = _BLANK if content_type == "message/delivery-status" else None
            self._push_child(node)
        self._watch()

    def _delimiter_of(self, path: str, boundary: str | None) -> bytes | None:
        if boundary is None:
            return None
        if len(boundary) > BOUNDARY_BYTES_MAX:
            self._defect("boundary", path, f"a boundary of {len(boundary)} characters; not looked for")
            return None
        # One with a line end or beyond ASCII never equals a line, and the library looks for it in vain.
        return b"--" + boundary.encode() if boundary.isascii() and not set("\r\n") & set(boundary) else None

    # Content

    def _take_content(self) -> bool:
        """Content up to the next delimiter, or all that surely is content."""
        if self._line_start:
            found = self._delimiter(self._at)
            if found == _UNDECIDED:
                return False
            if found != _NOT_ONE:
                return self._divide(found, self._at)
            self._line_start = self._at == len(self._data)
        hit = self._find(self._at)
        while hit < len(self._data):
            found = self._delimiter(hit + 1)
            if found == _UNDECIDED:
                return self._content(self._line_end_at(hit))
            if found != _NOT_ONE:
                return self._divide(found, hit + 1)
            hit = self._find(hit + 1)
        return self._last_content() if self._closed else self._content(self._certain())

    def _content(self, end: int) -> bool:
        """Emit content; more input is needed then."""
        node = self._stack[-1]
        self._emit(_CONTENT[node.state], node.path, end)
        return False

    def _last_content(self) -> bool:
        """Content at the end of input. A multipart left open takes the last line end, as the library has it."""
        multiparts = [self._stack[i] for i, delimiter in self._delimiters if delimiter != _BLANK]
        end = len(self._data)
        if multiparts and not self._stack[-1].multipart and self._data.endswith((b"\r", b"\n"), self._at):
            self._content(self._line_end_at(end - 1))
            self._emit(Kind.FRAME, multiparts[-1].path, end)
        return self._content(end)

    def _line_end_at(self, last: int) -> int:
        """Where the line end begins whose last octet is there."""
        crlf = last > self._at and self._data[last - 1 : last + 1] == b"\r\n"
        return last - 1 if crlf else last

    def _certain(self) -> int:
        """Where a line end begins that may turn out to be a delimiter's; else the end of the data."""
        data = self._data
        if not self._delimiters:
            return len(data)
        start = max(self._at, len(data) - self._delimiter_octets_max - 1)
        last = max(data.rfind(b"\n", start), data.rfind(b"\r", start))
        begun = data[last + 1 :]
        if last >= 0 and any(delimiter.startswith(begun) for _, delimiter in self._delimiters):
            return self._line_end_at(last)
        return len(data)

    # Delimiters

    def _watch(self) -> None:
        """Look from now on for the delimiters of the nodes that are open now."""
        self._delimiters = [(i, n.delimiter) for i, n in enumerate(self._stack) if n.delimiter is not None]
        distinct = {delimiter for _, delimiter in self._delimiters}
        self._delimiter_octets_max = max(map(len, distinct), default=0)
        self._firsts = b"-" + (b"\r\n" if _BLANK in distinct else b"")
        self._needles = [end + delimiter for delimiter in distinct - {_BLANK} for end in (b"\n", b"\r")]
        if _BLANK in distinct:
            self._needles += [b"\n\n", b"\n\r", b"\r\r"]

    def _find(self, start: int) -> int:
        """Where the next line end is that a delimiter seems to follow; the data's length when none is."""
        # Each needle's next place is kept, or a hostile body would have us seek the absent ones ever again.
        nearest = len(self._data)
        for needle in self._needles:
            hit = self._hits.get(needle, -1)
            if hit < start:
                hit = self._data.find(needle, start)
                self._hits[needle] = hit = len(self._data) if hit < 0 else hit
            nearest = min(nearest, hit)
        return nearest

    def _delimiter(self, at: int) -> int:
        """Which open node the line there divides: the outermost whose delimiter it is, or none, or undecided."""
        if not self._delimiters or self._data[at : at + 1] not in self._firsts:
            return _NOT_ONE
        begun = self._data[at : at + DELIMITER_BYTES_MAX]
        if not any(begun.startswith(d) or d.startswith(begun) for _, d in self._delimiters):
            return _NOT_ONE
        line = _LINE.match(begun)
        assert line  # it matches everything
        if line.end() == DELIMITER_BYTES_MAX:
            return _NOT_ONE
        if not self._closed and line[2] in (None, b"\r") and at + line.end() == len(self._data):
            return _UNDECIDED
        return next((i for i, delimiter in self._delimiters if _divides(line, delimiter)), _NOT_ONE)

    def _divide(self, found: int, line_at: int) -> bool:
        """End the content and all nodes inside the one that the line divides."""
        node, target = self._stack[-1], self._stack[found]
        closing = self._is_closing(target, line_at)
        # The line end is content where no multipart takes it: of a multipart that never began, of a block of fields.
        never_began = node.multipart and node.state != _State.EPILOGUE and (node is not target or closing)
        kept = never_began or target.delimiter == _BLANK
        if node.state in _CONTENT:
            self._content(line_at if kept or line_at == self._at else self._line_end_at(line_at - 1))
        del self._stack[found + 1 :]
        self._frame(found, line_at)
        self._go_on(target, closing)
        return True

    def _go_on(self, target: _Node, closing: bool) -> None:
        """What follows a delimiter: the next child, the epilogue, or what a delivery status still has."""
        if closing:
            target.state, target.delimiter = _State.EPILOGUE, None
        elif target.delimiter == _BLANK:
            target.state = _State.BETWEEN
        else:
            self._push_child(target)
        self._watch()

    def _is_closing(self, target: _Node, line_at: int) -> bool:
        line = _LINE.match(self._data, line_at)
        assert line  # it matches everything
        assert target.delimiter is not None  # what divides has a delimiter
        return line[1][len(target.delimiter) :].startswith(b"--")

    def _frame(self, found: int, line_at: int) -> None:
        line = _LINE.match(self._data, line_at)
        assert line  # it matches everything
        self._emit(Kind.FRAME, self._stack[found].path, line.end())
        self._line_start = True

    def _take_between(self) -> bool:
        """Behind a blank line of a delivery status: another block, unless it ends here."""
        if self._at == len(self._data):
            return False
        found = self._delimiter(self._at)
        if found == _UNDECIDED:
            return False
        if found not in (_NOT_ONE, len(self._stack) - 1):
            return self._divide(found, self._at)
        self._push_child(self._stack[-1])
        self._watch()
        return True

    # Nodes

    def _push_child(self, parent: _Node) -> None:
        parent.state = _State.INSIDE
        parent.children += 1
        self._push(f"{parent.path}.{parent.children}")

    def _push(self, path: str) -> None:
        node = _Node(path)
        self._stack.append(node)
        self._nodes += 1
        if self._nodes == self._parts_max:
            self._defect("parts", path, f"over {self._parts_max} parts; from here on not taken apart")
            self._events.append(Event(Kind.HEAD, path, b"", Message()))
            node.state = _State.REST

    def _take_rest(self) -> bool:
        self._emit(Kind.BODY, self._stack[-1].path, len(self._data))
        return False

    def _emit(self, kind: Kind, path: str, end: int) -> None:
        if end > self._at:
            self._events.append(Event(kind, path, self._data[self._at : end]))
            self._at = end

    def _defect(self, kind: str, path: str, detail: str) -> None:
        self.defects.append(Defect(kind, path, clean(detail)))


def _divides(line: "re.Match[bytes]", delimiter: bytes) -> bool:
    """Whether a whole line is that delimiter, opening or closing (RFC 2046 section 5.1.1)."""
    text, end = line[1], line[2]
    if delimiter == _BLANK:
        return not text and end is not None
    return text.startswith(delimiter) and text[len(delimiter) :].rstrip(b" \t") in (b"", b"--")


_STEPS: dict[_State, Callable[[Splitter], bool]] = {
    _State.HEAD: Splitter._take_head,
    _State.LEAF: Splitter._take_content,
    _State.PREAMBLE: Splitter._take_content,
    _State.EPILOGUE: Splitter._take_content,
    _State.BETWEEN: Splitter._take_between,
    _State.REST: Splitter._take_rest,
}
