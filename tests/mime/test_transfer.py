"""Transfer encodings: a stream gives what the library gives at once; canonical base64 is made again exactly."""

import base64
import binascii
import quopri
import tracemalloc
from email.errors import InvalidBase64LengthDefect
from email.message import Message

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from etl.mime.transfer import LINE_OCTETS_MAX, Base64Shape, CanonicalBase64, decoder, encode, encoding_of

SIZES = st.sampled_from([1, 2, 3, 5, 64, 10_000])


def pieces(raw: bytes, size: int) -> list[bytes]:
    """The octets cut into pieces."""
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def decoded(raw: bytes, encoding: str, size: int) -> bytes:
    """The octets fed in pieces of that size."""
    undo = decoder(encoding)
    return b"".join(map(undo.feed, pieces(raw, size))) + undo.close()


def at_once(raw: bytes, encoding: str) -> bytes:
    """What the standard library gives."""
    content = part(raw, encoding).get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def part(raw: bytes, encoding: str) -> Message:
    """A leaf."""
    leaf = Message()
    leaf["Content-Transfer-Encoding"] = encoding
    leaf.set_payload(raw.decode("ascii", "surrogateescape"))
    return leaf


def one_too_many(raw: bytes) -> bool:
    """Whether the library gives up on this base64."""
    leaf = part(raw, "base64")
    leaf.get_payload(decode=True)
    return any(isinstance(defect, InvalidBase64LengthDefect) for defect in leaf.defects)


def of(*alphabet: bytes) -> st.SearchStrategy[bytes]:
    """Octets of few kinds, so that they meet."""
    return st.lists(st.sampled_from(alphabet), max_size=60).map(b"".join)


@given(of(b"QUJD", b"Q", b"U", b"=", b"==", b"\r\n", b"\n", b"!", b" ", b"\xe9", b"-_"), SIZES)
@example(b"QQ==QUJD", 3)
@example(b"QUI\r\n", 1)
@example(b"Q=Q=U=I=", 1)
def test_base64_damaged_in_any_way(raw: bytes, size: int):
    """Stray octets, blanks and missing padding are borne as the library bears them, whatever the cut."""
    assume(not one_too_many(raw))
    assert decoded(raw, "base64", size) == at_once(raw, "base64")


def test_base64_with_one_character_too_many():
    """The library returns it encoded; here what can be decoded is."""
    assert decoded(b"QUJDQ", "base64", 2) == b"ABC"


@given(st.binary(max_size=500), st.sampled_from([4, 60, 75, 76]), st.sampled_from([b"\n", b"\r\n", b""]), SIZES)
def test_base64_of_anything(content: bytes, line: int, end: bytes, size: int):
    """Lines of any length, with any line end or none."""
    raw = b"".join(piece + end for piece in pieces(base64.b64encode(content), line))
    assert decoded(raw, "base64", size) == content


@given(
    of(b"=", b"==", b"=\r", b"=\n", b"=\r\n", b"\n", b"\r", b"=41", b"=e", b"a", b"F", b"text ", b"=g", b"\xe9"), SIZES
)
@example(b"===41", 1)
@example(b"===\r=e", 3)
@example(b"==\rkept\n=\rdropped\nkept", 2)
def test_quoted_printable_damaged_in_any_way(raw: bytes, size: int):
    """Wrong escapes and odd soft line breaks give what they give at once."""
    assert decoded(raw, "quoted-printable", size) == at_once(raw, "quoted-printable")


@given(st.binary(max_size=500), SIZES)
def test_quoted_printable_of_anything(content: bytes, size: int):
    """Content comes back, but for its line ends, which the encoding says are the text's own."""
    raw = quopri.encodestring(content)
    assert decoded(raw, "quoted-printable", size) == at_once(raw, "quoted-printable") == content


@given(st.binary(max_size=500), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.sampled_from(["end", "end  ", ""]), SIZES)
def test_uuencoded_anything(content: bytes, end: bytes, last: str, size: int):
    """Text before `begin` and behind `end` is none of the content."""
    lines = [b"hello", b"begin x", b"begin 644 file.bin", *map(binascii.b2a_uu, pieces(content, 45)), last.encode()]
    raw = end.join(line.rstrip(b"\n") for line in lines if line) + (end + b"bye" if last else b"")
    assert decoded(raw, "x-uuencode", size) == content == at_once(raw, "x-uuencode")


def test_uuencoded_text_that_breaks_ends_there():
    """The library returns it encoded; here what was decoded stays."""
    raw = b"begin 644 f\n#04)#\n\n#04)#\nend\n"
    assert at_once(raw, "uue") == raw
    assert decoded(raw, "uue", 4) == b"ABC"
    assert decoded(b"begin 644 f\n#04)#xx\nend", "uue", 4) == at_once(b"begin 644 f\n#04)#xx\nend", "uue") == b"ABC"


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "", "x-nobody", "base64,"])
def test_other_encodings_are_none(encoding: str):
    """What is not encoded, or nobody knows how, stands as it is."""
    assert decoded(b"caf\xe9=41\r\n", encoding, 3) == b"caf\xe9=41\r\n" == at_once(b"caf\xe9=41\r\n", encoding)


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        *((name, "base64") for name in ("BASE64", "base64 ", " Base64", "base64; x=y", '"base64"', "base64 (x)")),
        *((name, "quoted-printable") for name in ("Quoted-Printable", "quoted printable", "quoted-printable;")),
        *(("uuencode", "uuencode"), ("x-uue", "x-uue"), ("base64-x", "base64-x"), ("x-base64", "x-base64")),
        *(("=?utf-8?q?base64?=", "=?utf-8?q?base64?="), ("b\xe4se64", "b\xe4se64"), ("base9000", "base9000")),
    ],
)
def test_the_name_of_an_encoding_is_what_is_meant(written: str, encoding: str):
    """What stands beside the name does not hide it; another name is another encoding, and stands for nothing."""
    head = Message()
    head["Content-Transfer-Encoding"] = written
    assert encoding_of(head) == encoding


def test_a_name_that_the_library_knows_is_read_as_the_library_reads_it():
    """Whatever this version of the library decodes, we do."""
    head = part(b"QUJD", "BASE64")
    assert decoded(b"QUJD", encoding_of(head), 4) == head.get_payload(decode=True)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "binary"])
@pytest.mark.parametrize("piece", [b"QUJD" * 19 + b"\r\n", b"Q", b"=", b"\n", b"=\r", b"begin 644 " + b"x" * 1000])
def test_memory_does_not_grow_with_the_content(encoding: str, piece: bytes):
    """Whatever repeats, nothing adds up."""
    undo, fed = decoder(encoding), (piece * (65536 // len(piece)))[:65536]
    tracemalloc.start()
    for _ in range(16):
        undo.feed(fed)
    undo.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 65536


def canonical(raw: bytes, size: int) -> tuple[bytes, Base64Shape, bytes, int]:
    """Content, shape, literal and where it begins."""
    canon, content, literal = CanonicalBase64(), b"", b""
    for piece in pieces(raw, size):
        content += canon.feed(piece)
        literal += canon.literal
    shape = canon.close()
    return content, shape, literal + canon.literal, canon.octets


def encoded(content: bytes, shape: Base64Shape, size: int = 7) -> bytes:
    """The content made base64 again, from pieces."""
    return b"".join(encode(pieces(content, size), shape))


@given(
    of(b"QUJD", b"QUJDQUJD", b"Q", b"QQ==", b"QUI=", b"QR==", b"QUJ=", b"=", b"\r\n", b"\n", b"\r", b"!") | st.binary(),
    SIZES,
)
@example(b"QUJDQUJD\r\nQUJDQUJD\r\n\r\n", 3)
def test_what_was_written_comes_back(raw: bytes, size: int):
    """Whatever the octets, what was decoded is written again as it was, and the rest is literal."""
    content, shape, literal, octets = canonical(raw, size)
    assert encoded(content, shape) + literal == raw
    assert len(raw) - len(literal) == octets
    assert canonical(raw, 10_000) == (content, shape, literal, octets)


@given(
    st.binary(max_size=400),
    st.integers(1, 25),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    SIZES,
)
def test_canonical_base64_has_no_literal(content: bytes, groups: int, end: bytes, closed: bool, size: int):
    """Lines of any length that is a multiple of 4, with a line end behind the last or not, are decoded whole."""
    raw = end.join(pieces(base64.b64encode(content), 4 * groups)) + (end if content and closed else b"")
    assert canonical(raw, size)[::2] == (content, b"")
    assert decoded(raw, "base64", size) == content


@pytest.mark.parametrize(
    ("raw", "octets"),
    [
        (b"QUJD" * 3 + b"\r\n" + b"QUJD" * 3 + b"\n" + b"QUJD", 26),  # another line end
        (b"QUJDQUJD\r\nQUJD\r\nQUJDQUJD\r\n", 16),  # a short line that is not the last
        (b"QUJDQUJD\r\nQU!DQUJD\r\n", 10),  # a stray octet
        (b"QUJDQUJD\r\nQUJD!!!!\r\n", 14),  # a group of them
        (b"QUJDQQ==QUJD", 8),  # content behind the padding
        (b"QUJDQR==", 4),  # stray bits
        (b"QUJDQQ", 4),  # no padding
        (b"QUJDQ\r\nUJD\r\n", 4),  # a line that cuts a group
        (b"QUJD\r\n\r\n", 6),  # an empty line behind the last
        (b"\r\nQUJD", 0),  # an empty line before the first
        (b"Q\r\n", 0),
        (b"QUJD" * LINE_OCTETS_MAX + b"\r\n", 4 * LINE_OCTETS_MAX),  # a line not worth being called one
    ],
)
def test_where_the_literal_begins(raw: bytes, octets: int):
    """All before the first octet that would not come back is content."""
    for size in (1, 3, 1000):
        assert canonical(raw, size)[3] == octets


def test_one_wrong_line_among_many():
    """Ten thousand lines, one of them wrong: all before it is content."""
    lines = [b"QUJD" * 19 + b"\r\n"] * 10_000
    lines[7777] = b"QUJD" * 18 + b"QU-D\r\n"
    content, _, literal, octets = canonical(b"".join(lines), 262_144)
    assert octets == 7777 * 78 + 72
    assert len(content) == 7777 * 57 + 54
    assert literal.startswith(b"QU-D\r\n")
