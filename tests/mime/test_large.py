"""Large messages: read by their skeleton as if they were read whole."""

import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.large import LargeReader, read_large
from etl.mime.reading import read
from etl.mime.rows import Reading


def read_in_cuts(raw: bytes, octets: int, **limits: int) -> Reading:
    """A message read large, fed in cuts of so many octets."""
    reader = LargeReader(**limits)
    events = [e for i in range(0, len(raw), octets) for e in reader.feed(raw[i : i + octets])]
    last, skeleton = reader.close()
    assert b"".join(e.data for e in (*events, *last)) == raw
    return read_large(skeleton)


FILE = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
RAW = (
    b"From: a@example.org\r\nSubject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    b"--b\r\n" + FILE + base64.encodebytes(bytes(3000)).replace(b"\n", b"\r\n") + b"\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nworld\r\n--b--\r\n"
)


@pytest.mark.parametrize("octets", [1, 7, 1000, 100_000])
def test_below_the_limits_it_is_read_like_any_message(octets: int):
    """Nothing is left out, so nothing differs."""
    assert read_in_cuts(RAW, octets) == read(RAW)


@pytest.mark.parametrize("limits", [{"leaf_bytes_max": 100}, {"skeleton_bytes_max": 700}])
def test_what_the_skeleton_leaves_out_has_its_row_all_the_same(limits: dict[str, int]):
    """The part's size and hash are those of its content; a defect says that it was not read."""
    large = read_in_cuts(RAW, 50, **limits)
    assert large.parts == read(RAW).parts
    assert "not_read_whole" in {d.kind for d in large.defects}


def test_of_a_large_text_the_beginning_is_read():
    """So it is found by its first words."""
    raw = b"Subject: text\r\n\r\n" + b"first words\r\n" * 100
    large = read_in_cuts(raw, 64, leaf_bytes_max=60)
    assert large.text.startswith("first words\nfirst words")
    assert len(large.text) < 100
    assert large.parts == read(raw).parts


MEMORY = """
import resource
from etl.mime.large import LargeReader
reader = LargeReader()
reader.feed(b"Content-Type: multipart/mixed; boundary=b\\r\\n\\r\\n")
reader.feed(b"--b\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
piece = (b"QUJD" * 19 + b"\\r\\n") * 4000
for _ in range(640):
    reader.feed(piece)
reader.feed(b"--b--\\r\\n")
events, skeleton = reader.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *(leaf.octets for leaf in skeleton.leaves.values()))
"""


def test_memory_does_not_grow_with_the_message():
    """200 MB through the reader, and less than 20 MiB more in memory."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    kib, octets = map(int, done.stdout.split())
    assert octets == 640 * 4000 * 57
    assert kib < 20 * 1024


BODY = st.lists(st.sampled_from([b"--b", b"\r\n", b"x", b"--b--", b"QUJD", b"=", b"--c", b"\n"]), max_size=30).map(
    b"".join
)


@given(BODY, BODY, st.integers(1, 40))
def test_any_body_gives_the_same_parts(first: bytes, second: bytes, octets: int):
    """Whatever stands in the parts, the rows of the tree are those of the message read whole."""
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + first + b"\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + second
    )  # fmt: skip
    assert [p.path for p in read_in_cuts(raw, octets, leaf_bytes_max=10).parts] == [p.path for p in read(raw).parts]
