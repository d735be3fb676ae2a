"""Splitting: the standard library's tree from a stream, in constant memory, and not an octet lost."""

import email
import random
import re
import tracemalloc
from collections.abc import Iterator
from email.message import Message

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from etl.mime.splitter import BOUNDARY_BYTES_MAX, DELIMITER_BYTES_MAX, DEPTH_MAX, Event, Kind, Splitter

MULTIPART = b"Content-Type: multipart/mixed; boundary="

# Lines that meet each other badly: boundaries that begin, repeat and contain each other, heads that never end.
LINES = [
    *(MULTIPART + b for b in (b"b", b"bb", b'"b "', b'"-"', b'"a:b"', b'""', b'"\xe9"', b"b--", b"c")),
    *(b"Content-Type: " + t for t in (b"message/rfc822", b"message/delivery-status", b"multipart/digest; boundary=b")),
    *(b"Content-Type: " + t for t in (b"multipart/mixed", b"message/partial", b"text/plain", b"broken")),
    *(b"--b", b"--b--", b"--bb", b"--bb--", b"--b \t", b"--b-", b"--b-- ", b"--c", b"--c--", b"--", b"----", b"-----"),
    *(b"--a:b", b"--b----", b"", b"", b"text", b"X: y", b" folded", b"From x", b": nameless", b"caf\xe9", b"-"),
]
ENDS = st.sampled_from([b"\n", b"\r\n", b"\n", b"\r\n", b"\r", b""])


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """A multipart, or anything, of hostile lines, mostly with one kind of line end."""
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    mixed = draw(st.booleans())
    few = draw(st.lists(st.sampled_from(LINES), max_size=5))  # so that they meet
    lines = draw(st.lists(st.sampled_from([*few, b"", b"--b"]), max_size=25))
    start = draw(st.sampled_from([b"", MULTIPART + b"b" + end + end]))
    return start + b"".join(line + (draw(ENDS) if mixed else end) for line in lines)


def split(raw: bytes, size: int | None = None, splitter: Splitter | None = None) -> list[Event]:
    """The events of a message fed in pieces of that size, neighbours of one kind and path joined."""
    splitter = splitter or Splitter()
    size = size or max(len(raw), 1)
    events = [e for start in range(0, len(raw), size) for e in splitter.feed(raw[start : start + size])]
    return joined(events + splitter.close())


def joined(events: list[Event]) -> list[Event]:
    """Neighbours of one kind and path as one event; a head is always whole."""
    whole: list[Event] = []
    for event in events:
        last = whole[-1] if whole else None
        if last and (last.kind, last.path) == (event.kind, event.path) and event.kind != Kind.HEAD:
            whole[-1] = Event(last.kind, last.path, last.data + event.data)
        else:
            whole.append(event)
    return whole


def tree(events: list[Event]) -> dict[str, bytes | None]:
    """Each node's path and body; None for a container."""
    nodes: dict[str, bytes | None] = {}
    for event in events:
        if event.kind == Kind.HEAD:
            nodes[event.path] = b""
            nodes |= {event.path.rpartition(".")[0]: None} if "." in event.path else {}
        elif event.kind in (Kind.BODY, Kind.PREAMBLE) and (body := nodes[event.path]) is not None:
            nodes[event.path] = body + event.data
    return nodes


def library_tree(raw: bytes) -> dict[str, bytes | None]:
    """The same as the standard library sees it."""
    return {path: library_body(node) for path, node in walk(email.message_from_bytes(raw))}


def walk(message: Message, path: str = "1") -> Iterator[tuple[str, Message]]:
    """Every node of the standard library's tree with its path."""
    waiting = [(path, message)]
    while waiting:
        path, part = waiting.pop()
        yield path, part
        if part.is_multipart():
            children = enumerate(part.get_payload(), start=1)
            waiting += reversed([(f"{path}.{i}", child) for i, child in children if isinstance(child, Message)])


def library_body(node: Message) -> bytes | None:
    """A leaf's body as it stands in the message."""
    return None if node.is_multipart() else (node._payload or "").encode("ascii", "surrogateescape")  # type: ignore[attr-defined]


@given(mails())
@example(MULTIPART + b"b\n\n--b\n" + MULTIPART + b"b\n\n--b\n\ntext\n--b--\n")
@example(MULTIPART + b"b\n\n--b\n" + MULTIPART + b"c\n\n--c\n\ntext\n--c--\n--b\n\ntext\n--b--\n")
@example(MULTIPART + b"b\n\ntext\n--b--\n")
@example(MULTIPART + b"b\n\n--b\n\nbody\n--b\n--b--\n")
def test_the_tree_is_the_standard_librarys(raw: bytes):
    """Every node has the path, and every leaf the body, that the standard library finds."""
    assume(not re.search(rb"From x(\r\n|\r|\n)[\r\n]", raw))  # the one line that we do not move
    ours, theirs = tree(split(raw)), library_tree(raw)
    if b"delivery-status" in raw:  # the one line end that we do not move
        ours, theirs = dict.fromkeys(ours), dict.fromkeys(theirs)
    assert ours == theirs


@given(mails() | st.binary(max_size=200))
def test_no_octet_is_lost(raw: bytes):
    """The data of all events, joined, is the message."""
    assert b"".join(event.data for event in split(raw)) == raw


@given(mails())
def test_cuts_make_no_difference(raw: bytes):
    """One octet at a time, or any other size, gives the events of the whole."""
    whole = split(raw)
    for size in (1, 2, 3, 7):
        assert split(raw, size) == whole


@given(mails(), st.integers(0, 60), st.integers(1, 5))
def test_small_limits_change_nothing_of_this(raw: bytes, header_bytes_max: int, parts_max: int):
    """With every limit met, cuts make no difference still, and nothing is lost."""
    whole = split(raw, splitter=Splitter(header_bytes_max, parts_max))
    assert b"".join(event.data for event in whole) == raw
    assert sum(event.kind == Kind.HEAD for event in whole) <= parts_max
    for size in (1, 3):
        assert split(raw, size, Splitter(header_bytes_max, parts_max)) == whole


def test_what_the_events_are():
    """The line end before a delimiter is the delimiter's; preamble and epilogue have kinds of their own."""
    raw = MULTIPART + b"b\r\n\r\nhello\r\n--b\r\nX: 1\r\n\r\none\r\n\r\n--b--\r\nbye\r\n"
    assert split(raw) == [
        Event(Kind.HEAD, "1", MULTIPART + b"b\r\n\r\n"),
        Event(Kind.PREAMBLE, "1", b"hello"),
        Event(Kind.FRAME, "1", b"\r\n--b\r\n"),
        Event(Kind.HEAD, "1.1", b"X: 1\r\n\r\n"),
        Event(Kind.BODY, "1.1", b"one\r\n"),
        Event(Kind.FRAME, "1", b"\r\n--b--\r\n"),
        Event(Kind.EPILOGUE, "1", b"bye\r\n"),
    ]


def test_a_head_is_given_parsed():
    """Who reads the events need not parse a head again; a digest's parts are messages unless they say otherwise."""
    raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: inner\n\nbody\n--b--\n"
    heads = [(event.path, event.head) for event in split(raw) if event.head is not None]
    assert [(path, head.get_content_type()) for path, head in heads] == [
        ("1", "multipart/digest"),
        ("1.1", "message/rfc822"),
        ("1.1.1", "text/plain"),
    ]
    assert heads[2][1]["subject"] == "inner"


@pytest.mark.parametrize("boundary", ["b" * 200, "'()+_,-./:=?", "two words", "b--", "--"])
def test_boundaries_nobody_should_write(boundary: str):
    """Boundaries over 70 characters, of all odd characters, with blanks, with dashes at their end."""
    raw = MULTIPART + f'"{boundary}"\n\n--{boundary}x\n--{boundary}\n\nbody\n--{boundary}--\n'.encode()
    assert tree(split(raw)) == library_tree(raw)
    assert tree(split(raw))["1.1"] == b"body"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"X: " + b"x" * 200 + b"\n\nbody", "header_too_large"),
        (b"X: y\n" * 50 + b"\nbody", "header_too_large"),
        (b"x" * 200, "header_too_large"),
        (MULTIPART + b"b\n\n" + b"--b\n\nbody\n" * 20, "parts"),
        (MULTIPART + b"b" * (BOUNDARY_BYTES_MAX + 1) + b"\n\n", "boundary"),
        (b"Content-Type: multipart/mixed; boundary*1=b; boundary*=c\n\nbody", "content_type"),
    ],
)
def test_what_is_too_much_is_a_defect(raw: bytes, kind: str):
    """A limit met is said once, and the message goes on."""
    splitter = Splitter(header_bytes_max=100 if kind == "header_too_large" else 2000, parts_max=10)
    events = split(raw, splitter=splitter)
    assert [defect.kind for defect in splitter.defects] == [kind]
    assert b"".join(event.data for event in events) == raw
    assert all(len(event.data) <= 2000 for event in events if event.kind == Kind.HEAD)


def test_nesting_ends_at_a_limit():
    """Ten thousand levels of message in message are a hundred, and a leaf."""
    raw = b"Content-Type: message/rfc822\n\n" * 10_000
    splitter = Splitter()
    paths = [event.path for event in split(raw, splitter=splitter) if event.kind == Kind.HEAD]
    assert len(paths) == DEPTH_MAX
    assert [defect.kind for defect in splitter.defects] == ["depth"]


def test_padding_behind_a_delimiter_has_a_limit():
    """Blanks behind a delimiter are allowed (RFC 2046 section 5.1.1), but not without end."""
    few, many = b" " * 100, b" " * DELIMITER_BYTES_MAX
    for blanks, kinds in ((few, {Kind.HEAD, Kind.FRAME}), (many, {Kind.HEAD, Kind.PREAMBLE})):
        raw = MULTIPART + b"b\n\n--b" + blanks + b"\n"
        assert {event.kind for event in split(raw, 1)} == kinds
        assert split(raw, 1) == split(raw)


@pytest.mark.parametrize(
    "line", [b"x" * 76 + b"\r\n", b"--b", b"\n--bx", b"\r--bx", b"\n", b"\r", b"-", b"--b" + b" " * 3000, b"x: y\n"]
)
def test_memory_does_not_grow_with_the_message(line: bytes):
    """Whatever a body repeats, 1 MiB of it passes through in less than half of that."""
    splitter = Splitter()
    piece = (line * (65536 // len(line) + 1))[:65536]
    splitter.feed(MULTIPART + b"b\r\n\r\n--b\r\nX: y\r\n\r\n")
    tracemalloc.start()
    octets = sum(len(event.data) for _ in range(16) for event in splitter.feed(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert octets > 15 * 65536
    assert peak < 512 * 1024


def test_a_real_shape_in_random_pieces():
    """Text, an attachment and a forwarded message, fed as a network would."""
    inner = b"Subject: inner\r\n" + MULTIPART + b"c\r\n\r\n--c\r\n\r\nhi\r\n--c--\r\n"
    parts = [b"\r\nhello\r\n", b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * 5000]
    parts.append(b"Content-Type: message/rfc822\r\n\r\n" + inner)
    raw = MULTIPART + b"b\r\n\r\n" + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    chance, splitter, events, rest = random.Random(1), Splitter(), [], raw
    while rest:
        size = chance.randrange(1, 3000)
        events += splitter.feed(rest[:size])
        rest = rest[size:]
    assert tree(joined(events + splitter.close())) == library_tree(raw)
    assert list(library_tree(raw)) == ["1", "1.1", "1.2", "1.3", "1.3.1", "1.3.1.1"]
