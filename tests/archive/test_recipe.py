"""Recipes: what a large message is stored as, and that it gives the message back."""

import base64
import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.archive import recipe
from etl.archive.recipe import Blob, Piece, Recipe
from etl.mime.splitter import Splitter
from etl.mime.transfer import encode


def cut(raw: bytes, octets: int) -> tuple[list[Piece], list[Blob]]:
    """The recipe of a message that comes in cuts of so many octets."""
    splitter, made = Splitter(), Recipe()
    pieces = [p for i in range(0, len(raw), octets) for p in made.take(splitter.feed(raw[i : i + octets]))]
    pieces += made.take(splitter.close())
    return pieces + made.close(), made.blobs


def given_back(pieces: list[Piece], blobs: list[Blob]) -> bytes:
    """The message that a recipe gives, each step checked against what the recipe says of it."""
    steps: list[tuple[int, bytes]] = [(i, p.data) for i, p in enumerate(pieces) if p.blob is None]
    for place, blob in enumerate(blobs):
        content = [p.data for p in pieces if p.blob == place]
        assert (hashlib.sha256(b"".join(content)).digest(), sum(map(len, content))) == (blob.sha256, blob.octets)
        step = b"".join(encode(content, blob.shape))
        assert len(step) == blob.message_octets
        steps.append((blob.position, step))
    assert len({position for position, _ in steps}) == len(steps)
    return b"".join(step for _, step in sorted(steps))


def letter(*bodies: bytes) -> bytes:
    """A message with base64 parts of these bodies."""
    part = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
    return (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(part % body for body in bodies) + b"--b--\r\n"
    )


def lines(content: bytes, octets: int = 76) -> bytes:
    """Content in base64, in lines."""
    text = base64.b64encode(content)
    return b"\r\n".join(text[i : i + octets] for i in range(0, len(text), octets))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch):
    """Chunks of 100 octets, blobs from 30 on: what matters shows in small messages."""
    _shrink(monkeypatch.setattr)


def _shrink(setattr_: object) -> None:
    setattr_(recipe, "CHUNK_OCTETS", 100)  # type: ignore[operator]
    setattr_(recipe, "BLOB_OCTETS_MIN", 30)  # type: ignore[operator]


def test_a_base64_part_becomes_a_blob():
    """Its content is stored once, decoded, in pieces; the rest is literal."""
    content = bytes(range(250))
    pieces, blobs = cut(letter(lines(content)), 40)
    (blob,) = blobs
    assert (blob.sha256, blob.octets) == (hashlib.sha256(content).digest(), 250)
    assert [len(p.data) for p in pieces if p.blob == 0] == [100, 100, 50]
    assert given_back(pieces, blobs) == letter(lines(content))


def test_a_small_part_stays_literal():
    """A blob of its own would cost more than it saves."""
    assert cut(letter(lines(b"small")), 7)[1] == []


@pytest.mark.parametrize(
    "body",
    [
        lines(bytes(200))[:-7] + b"!" + lines(bytes(200)),
        lines(bytes(200), 60) + b"\r\n" + lines(bytes(200), 76),
        lines(bytes(200)).replace(b"\r\n", b"\n"),
        lines(bytes(200)) + b"\r\n\r\n",
        lines(bytes(200)) + b"  ",
        base64.b64encode(bytes(200)),
        b"",
        b"\r\n" + lines(bytes(200)),
    ],
)
def test_damaged_base64_is_given_back_as_it_was(body: bytes):
    """What is canonical may become a blob; from the first octet that is not, all is literal."""
    raw = letter(body, lines(bytes(range(100))))
    for octets in (1, 3, 50, 10_000):
        assert given_back(*cut(raw, octets)) == raw


BODIES = st.one_of(
    st.binary(max_size=400).map(lines),
    st.tuples(st.binary(max_size=300), st.sampled_from([4, 60, 76, 10_000])).map(lambda x: lines(*x)),
    st.binary(max_size=100),
    st.tuples(st.binary(max_size=300), st.integers(0, 300), st.binary(max_size=3)).map(
        lambda x: lines(x[0])[: x[1]] + x[2] + lines(x[0])[x[1] :]
    ),
)


@given(st.lists(BODIES, max_size=4), st.lists(st.integers(1, 120), min_size=1, max_size=3), st.binary(max_size=20))
def test_any_message_is_given_back_and_cut_alike(bodies: list[bytes], cuts: list[int], rest: bytes):
    """Whatever the message and however it comes: the same pieces, and the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        _shrink(patch.setattr)
        raw = letter(*bodies) + rest
        made = [cut(raw, octets) for octets in cuts]
        assert given_back(*made[0]) == raw
        assert all(one == other for one, other in itertools.pairwise(made))
