"""Large messages: one pass in constant memory gives the reading that the whole would give."""

import base64
import hashlib
import random
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.large import LargeReader, read_large
from etl.mime.reading import read
from etl.mime.rows import Reading, Skeleton
from etl.mime.splitter import Event
from tests.mime.test_calendars import calendar
from tests.mime.test_packed import BEGIN, TITLE, attribute, stream, uuencoded

FILE = random.Random(1).randbytes(5000)
TEXT = "Zoë schrieb: 你好世界.\n" * 100


def part(content: bytes, *fields: str) -> bytes:
    """A part of a multipart with the boundary b."""
    return b"--b\r\n" + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + content + b"\r\n"


def message(*parts: bytes, subtype: str = "mixed") -> bytes:
    """A multipart of these parts."""
    fields = "From: a@example.org\r\nSubject: =?utf-8?q?gro=C3=9F?=\r\nDate: Tue, 3 Mar 2026 09:30:00 +0000\r\n"
    return f"{fields}Content-Type: multipart/{subtype}; boundary=b\r\n\r\n".encode() + b"".join(parts) + b"--b--\r\n"


def encoded(content: bytes) -> bytes:
    """Base64 as mail has it."""
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


PLAIN = part(TEXT.encode(), "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
ATTACHED = part(encoded(FILE), "Content-Type: application/pdf; name=a.pdf", "Content-Transfer-Encoding: base64")
FORWARDED = part(
    message(PLAIN.replace(b"--b", b"--c"), ATTACHED.replace(b"--b", b"--c")).replace(b"=b", b"=c"),
    "Content-Type: message/rfc822",
)
REPORT = part(b"Reporting-MTA: dns; a\r\n\r\nAction: failed\r\n", "Content-Type: message/delivery-status")
NEVER_BEGUN = part(b"no delimiter\r\n" * 50, "Content-Type: multipart/mixed; boundary=x")
RAW = message(PLAIN, ATTACHED, FORWARDED.replace(b"--b--", b"--c--"), REPORT, NEVER_BEGUN) + b"epilogue\r\n"


def streamed(raw: bytes, size: int = 1000, **limits: int) -> Skeleton:
    """The skeleton of a message fed in pieces of that size."""
    reader = LargeReader(**limits)
    for start in range(0, len(raw), size):
        reader.feed(raw[start : start + size])
    return reader.close()


def test_below_the_limits_nothing_differs():
    """A small message is its own skeleton, and its reading the same."""
    skeleton = streamed(RAW)
    assert skeleton.raw == RAW
    assert read_large(skeleton) == read(RAW)


def test_every_leaf_is_measured():
    """Size and hash of each part's content, decoded; a container has none."""
    rows = {p.path: (p.octets, p.sha256) for p in read(RAW).parts if p.octets is not None}
    assert {path: (leaf.octets, leaf.sha256) for path, leaf in streamed(RAW).leaves.items()} == rows
    assert rows["1.2"] == rows["1.3.1.2"] == (len(FILE), hashlib.sha256(FILE).digest())


def test_defects_lie_where_they_lie_in_the_message():
    """What was left out before a part does not move it."""
    broken = part(b"caf\xe9", "Content-Type: text/plain; charset=utf-8")
    raw = b"X: \xff\r\n" + message(ATTACHED, broken)
    skeleton = streamed(raw, leaf_bytes_max=100)
    assert len(skeleton.raw) < len(raw)
    assert read_large(skeleton).defects == read(raw).defects
    places = {defect.place: defect.offset for defect in read(raw).defects}
    assert places == {"x": 0, "1.2": raw.index(broken) + len(b"--b\r\n")}


@pytest.mark.parametrize("limits", [(0, 0), (100, 10**6), (10**6, 2000), (3000, 5000)])
@pytest.mark.parametrize("size", [1, 1000, 10**6])
def test_with_bodies_left_out_the_rows_are_the_same(limits: tuple[int, int], size: int):
    """Parts, headers and addresses do not depend on what is kept."""
    skeleton = streamed(RAW, size, leaf_bytes_max=limits[0], skeleton_bytes_max=limits[1])
    whole, large = read(RAW), read_large(skeleton)
    assert len(skeleton.raw) < len(RAW)
    assert (large.parts, large.headers, large.participants) == (whole.parts, whole.headers, whole.participants)
    assert {defect.kind for defect in large.defects} - {defect.kind for defect in whole.defects} <= {"text_cut"}


@given(
    st.lists(st.sampled_from([PLAIN, ATTACHED, FORWARDED, REPORT, NEVER_BEGUN, b"--b\r\n", b"\r\n"])),
    st.integers(0, 3000),
)
def test_any_parts_in_any_order(parts: list[bytes], leaf_bytes_max: int):
    """Whatever the message is made of, its parts' rows do not depend on what is kept."""
    raw = message(*parts)
    assert read_large(streamed(raw, leaf_bytes_max=leaf_bytes_max)).parts == read(raw).parts


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("8bit", TEXT.encode()),
        ("8bit", TEXT.replace("\n", " ").encode()),
        ("base64", encoded(TEXT.encode())),
        ("base64", encoded(TEXT.replace("\n", "").encode())),
        ("quoted-printable", b"=E4=BD=\r\n=A0=E5=A5=BD\r\n" * 100),
    ],
)
@pytest.mark.parametrize("limit", range(1000, 1013))
def test_a_large_text_keeps_its_beginning(encoding: str, content: bytes, limit: int):
    """Of a text over the limit the beginning is text, cut where no character is, and a defect says so."""
    raw = message(part(content, "Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"))
    whole, large = read(raw), read_large(streamed(raw, leaf_bytes_max=limit))
    assert large.text
    assert whole.text.startswith(large.text.rstrip("\n"))
    assert limit / 4 < len(large.text.encode()) <= limit
    assert [defect.kind for defect in large.defects] == ["text_cut"]
    assert large.parts == whole.parts


def test_a_delimiter_stays_one_when_the_body_before_it_goes():
    """No blank line, a boundary with a colon, and no start: without the body, the delimiter looks like a field."""
    raw = b'Subject: odd\r\nContent-Type: multipart/mixed; boundary="a:b"\r\ntext of the body\r\n--a:b--\r\n'
    large, whole = read_large(streamed(raw, leaf_bytes_max=0)), read(raw)
    assert (large.parts, large.headers) == (whole.parts, whole.headers)


def test_heads_without_end_are_a_defect():
    """When heads alone fill the skeleton, the parts behind are measured, and not listed."""
    raw = message(*[ATTACHED] * 50)
    skeleton = streamed(raw, skeleton_bytes_max=0, structure_bytes_max=1000)
    assert len(skeleton.raw) <= 1000
    assert len(skeleton.leaves) == 50
    assert "parts" in {defect.kind for defect in skeleton.defects}
    assert 1 < len(read_large(skeleton).parts) < 50


def test_an_epilogue_has_limits_too():
    """What stands behind the last delimiter is no part, and is kept as far as there is room."""
    skeleton = streamed(message(PLAIN) + b"x" * 10_000, leaf_bytes_max=4000)
    assert len(message(PLAIN)) < len(skeleton.raw) < len(message(PLAIN)) + 4000


def test_what_the_caller_sees_is_the_message():
    """The sink gets all events in order, also those of what is left out."""
    events: list[Event] = []
    reader = LargeReader(sink=events.append, leaf_bytes_max=0)
    reader.feed(RAW)
    reader.close()
    assert b"".join(event.data for event in events) == RAW
    assert b"".join(event.data for event in events if event.path == "1.2") == ATTACHED[5:-2]


@pytest.mark.parametrize("charset", ["x-nobody", "hex", "idna", "utf-16", "iso-2022-jp"])
def test_a_charset_that_is_none_does_no_harm(charset: str):
    """A cut text is a text, whatever its charset claims to be."""
    for content, encoding in ((b"\xff\xfe" * 500, "8bit"), (encoded(FILE), "base64")):
        fields = f"Content-Type: text/plain; charset={charset}", f"Content-Transfer-Encoding: {encoding}"
        large = read_large(streamed(message(part(content, *fields)), leaf_bytes_max=99))
        assert [p.octets for p in large.parts] == [None, 1000 if encoding == "8bit" else 5000]


@given(st.binary(max_size=300), st.integers(0, 50))
def test_nothing_raises(raw: bytes, limit: int):
    """Any octets, with hardly any room, give a reading."""
    skeleton = streamed(b"Subject: " + raw, leaf_bytes_max=limit, skeleton_bytes_max=limit, structure_bytes_max=limit)
    assert isinstance(read_large(skeleton), Reading)


@pytest.mark.parametrize("size", [1, 20])
def test_memory_does_not_grow_with_the_message(size: int):
    """10 MB or 200 MB, three quarters of them an attachment: both pass through in less than 4 MiB."""
    content, lines = bytes(range(256)) * 57 * 16, b"hello, world\r\n" * 18_000
    piece = encoded(content)
    reader, sha256 = LargeReader(), hashlib.sha256()
    tracemalloc.start()
    reader.feed(message(part(b"", "Content-Type: text/plain")).removesuffix(b"\r\n--b--\r\n"))
    for _ in range(10 * size):
        reader.feed(lines)
    reader.feed(b"\r\n--b\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    for _ in range(24 * size):
        reader.feed(piece)
        sha256.update(content)
    reading = read_large(reader.close())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert [p.octets for p in reading.parts] == [None, 10 * size * len(lines), 24 * size * len(content)]
    assert reading.parts[2].sha256 == sha256.digest()
    assert 200_000 < len(reading.text) < 256 * 1024


def test_the_sinks_error_is_the_callers():
    """What storing raises is not swallowed."""

    def full(event: Event) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        LargeReader(sink=full).feed(RAW)


def test_a_part_that_the_parser_sees_otherwise_is_left_alone():
    """A measure without its part changes nothing."""
    skeleton = streamed(RAW)
    assert read_large(replace(skeleton, leaves={})).parts == read(RAW).parts


def test_what_parts_hold_is_read_from_the_skeleton():
    """Messages, reports, events, and a winmail.dat that is much larger than other files may be."""
    tnef = stream(BEGIN, TITLE, attribute(2, 0x0006800F, bytes(5000)))
    held = part(encoded(tnef), "Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64")
    event = part(calendar("UID:1"), "Content-Type: text/calendar")
    raw = message(PLAIN, ATTACHED, FORWARDED.replace(b"--b--", b"--c--"), REPORT, event, held)
    whole, large = read(raw), read_large(streamed(raw, leaf_bytes_max=3000))
    assert len(whole.nested) == len(whole.reports) == len(whole.events) == 1
    assert (large.nested, large.reports, large.events, large.parts) == (
        whole.nested,
        whole.reports,
        whole.events,
        whole.parts,
    )
    assert [p.path for p in large.parts if p.packing] == ["1.6/1"]


def test_what_is_too_large_to_be_opened_is_a_defect():
    """A calendar, a winmail.dat, a text with files in it: listed, and not looked into."""
    tnef = part(encoded(stream(BEGIN, TITLE)), "Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64")
    event = part(calendar("UID:1", "SUMMARY:" + "x" * 500), "Content-Type: text/calendar")
    text = part(uuencoded(bytes(500)).encode(), "Content-Type: text/plain")
    raw = message(text, tnef, event)
    large = read_large(streamed(raw, leaf_bytes_max=99, tnef_bytes_max=9))
    assert [p.path for p in large.parts] == ["1", "1.1", "1.2", "1.3"]
    assert {d.place for d in large.defects if d.kind == "unopened"} == {"1.1", "1.2", "1.3"}


def test_a_large_file_is_told_by_its_beginning():
    """A program called a picture, and a ZIP file under a password, left out of the skeleton."""
    program = part(encoded(b"MZ" + bytes(9000)), "Content-Type: image/png", "Content-Transfer-Encoding: base64")
    locked = part(
        encoded(b"PK\3\4\x14\0\1\0" + bytes(9000)), "Content-Type: a/b; name=x", "Content-Transfer-Encoding: base64"
    )
    raw = message(program, locked)
    parts = read_large(streamed(raw, leaf_bytes_max=100)).parts
    assert [p.sniffed_type for p in parts] == [None, "application/x-msdownload", "application/zip"]
    assert (parts[2].protected_by, parts) == ("password", read(raw).parts)
