"""Files that parts hold packed, by TNEF or uuencode: rows like those of other attachments, below the part."""

import binascii
import hashlib
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime import tnef, uuencode
from etl.mime.bounds import FILES_MAX
from etl.mime.reading import read
from etl.mime.rows import Part
from tests.mime.mail import file, mail, multipart

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
MESSAGE_IID = bytes.fromhex("0703020000000000c000000000000046")
STORAGE_IID = bytes.fromhex("0b00000000000000c000000000000046")
DATA, LONG_NAME, MIME_TAG, CONTENT_ID = 0x3701, 0x3707, 0x370E, 0x3712


def stream(*attributes: bytes) -> bytes:
    """A TNEF stream."""
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def attribute(level: int, kind: int, data: bytes) -> bytes:
    """One attribute of a stream, with its checksum."""
    return struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(*encoded: bytes) -> bytes:
    """The attribute that holds a file's properties."""
    return attribute(2, 0x00069005, struct.pack("<I", len(encoded)) + b"".join(encoded))


def variable(kind: int, identifier: int, value: bytes) -> bytes:
    """A property of variable length with one value."""
    return struct.pack("<HHII", kind, identifier, 1, len(value)) + value + bytes(-len(value) % 4)


def unicode(identifier: int, value: str) -> bytes:
    """A property of text."""
    return variable(0x1F, identifier, (value + "\0").encode("utf-16-le"))


BEGIN = attribute(2, 0x00069002, bytes(14))
CODEPAGE_1251 = attribute(1, 0x00069007, struct.pack("<II", 1251, 0))
TITLE = attribute(2, 0x00018010, "отчёт.txt".encode("cp1251") + b"\0")
CONTENT = attribute(2, 0x0006800F, b"hello")
# A number, a flag and a time: properties of fixed length.
NUMBERS = [
    struct.pack("<HHI", 3, 0x3705, 1), struct.pack("<HHI", 0x0B, 0x7FFE, 1), struct.pack("<HHQ", 0x40, 0x3007, 9),
]  # fmt: skip
MULTIPLE = struct.pack("<HHI", 0x101F, 0x7001, 2) + (struct.pack("<I", 4) + b"a\0\0\0") * 2
NAMED = struct.pack("<HH16sIIH2xI", 0x03, 0x8001, bytes(16), 1, 2, 0x61, 7)
LONG = properties(
    *NUMBERS, NAMED, MULTIPLE,
    unicode(LONG_NAME, "Ein langer Name.png"), unicode(MIME_TAG, "image/PNG"), unicode(CONTENT_ID, "logo@x"),
)  # fmt: skip
IMAGE = attribute(2, 0x0006800F, PNG)


def outlook(content: bytes, name: str = "winmail.dat") -> bytes:
    """A mail of Outlook's."""
    text = mail("Content-Type: text/plain", body=b"see file\r\n")
    return multipart("mixed", text, file(f"application/ms-tnef; name={name}", content))


def files(raw: bytes) -> list[Part]:
    """The rows of what was packed."""
    return [part for part in read(raw).parts if part.packing]


def test_winmail_is_opened():
    """Each file with its name in the stream's code page or in Unicode, measured and told by its content."""
    content = stream(CODEPAGE_1251, BEGIN, TITLE, CONTENT, BEGIN, LONG, IMAGE)
    rows = read(outlook(content)).parts
    assert [(p.path, p.content_type, p.filename, p.octets, p.packing) for p in rows[2:]] == [
        ("1.2", "application/ms-tnef", "winmail.dat", len(content), None),
        ("1.2/1", "application/octet-stream", "отчёт.txt", 5, "tnef"),
        ("1.2/2", "image/png", "Ein langer Name.png", len(PNG), "tnef"),
    ]  # fmt: skip
    assert all(p.attachment for p in rows[2:])
    assert (rows[3].sha256, rows[4].sniffed_type) == (hashlib.sha256(b"hello").digest(), "image/png")
    assert rows[4].content_id == "logo@x"


def test_a_message_inside_is_opened_too():
    """Its files have paths below its own."""
    inner = stream(BEGIN, TITLE, CONTENT)
    outer = stream(BEGIN, properties(unicode(0x3001, "Forwarded"), variable(0x0D, DATA, MESSAGE_IID + inner)))
    assert [(p.path, p.filename, p.content_type, p.octets) for p in files(outlook(outer))] == [
        ("1.2/1", "Forwarded", "application/ms-tnef", len(inner)),
        ("1.2/1/1", "отчёт.txt".encode("cp1251").decode("cp1252"), "application/octet-stream", 5),
    ]


def test_an_object_of_another_program():
    """Excel's in a mail: what follows the identifier is the file."""
    document = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
    (row,) = files(outlook(stream(BEGIN, properties(variable(0x0D, DATA, STORAGE_IID + document)))))
    assert (row.octets, row.sniffed_type, row.safe_name) == (108, "application/x-ole-storage", "part-1.2-1")


def test_known_by_its_name():
    """Gateways call it application/octet-stream."""
    raw = outlook(stream(BEGIN, TITLE, CONTENT), "WINMAIL.DAT").replace(b"application/ms-tnef", b"a/b")
    assert [p.path for p in files(raw)] == ["1.2/1"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"no tnef at all", 0),
        (stream(BEGIN, TITLE, CONTENT)[:-4], 1),
        (stream(BEGIN, properties(struct.pack("<HHI", 0x1F, LONG_NAME, 2**32 - 1)), CONTENT, BEGIN, CONTENT), 2),
        (stream(BEGIN, properties(b"\xff\xff\xff\xff")), 1),
        (stream(BEGIN, properties(variable(0x77, LONG_NAME, b"x")), CONTENT), 1),
        (stream(*[BEGIN] * (FILES_MAX + 5)), FILES_MAX),
    ],
)
def test_damaged_streams_give_what_they_have(content: bytes, found: int):
    """And a defect that says what is missing."""
    raw = outlook(content)
    assert len(files(raw)) == found
    assert "tnef" in {d.kind for d in read(raw).defects}


PLAIN_TEXT, HTML, RTF = 0x1000, 0x1013, 0x1009


def said(*encoded: bytes) -> bytes:
    """The attribute that holds what a message says."""
    return attribute(1, 0x00069003, struct.pack("<I", len(encoded)) + b"".join(encoded))


def only_tnef(content: bytes) -> bytes:
    """A mail that is nothing but a stream."""
    return file("application/ms-tnef; name=winmail.dat", content)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (stream(said(unicode(PLAIN_TEXT, "grüße"), variable(0x102, HTML, b"<p>no"))), "grüße"),
        (stream(CODEPAGE_1251, said(variable(0x1E, PLAIN_TEXT, "отчёт".encode("cp1251") + b"\0"))), "отчёт"),
        (stream(CODEPAGE_1251, attribute(1, 0x0002800C, "отчёт".encode("cp1251") + b"\0")), "отчёт"),
        (stream(said(variable(0x102, HTML, "<meta charset=utf-8><p>grüße<p>b".encode()))), "grüße\nb"),
        (stream(said(unicode(HTML, "<p>grüße"))), "grüße"),
        (stream(said(variable(0x102, RTF, b"LZFu"))), ""),
        (stream(said(*[unicode(0x0037, "subject")] * 3)), ""),
        (stream(said(struct.pack("<HHI", 0x1F, PLAIN_TEXT, 2**32 - 1)), BEGIN, CONTENT), ""),
    ],
)
def test_what_a_stream_says(content: bytes, text: str):
    """Shown where the mail says nothing else; a choice of plain text and HTML as elsewhere."""
    assert read(only_tnef(content)).text == text
    blank = mail("Content-Type: text/plain", body=b"\r\n")
    part = file("application/ms-tnef", content)
    assert read(multipart("mixed", blank, part)).text == text
    assert read(multipart("mixed", mail("Content-Type: text/plain", body=b"elsewhere\r\n"), part)).text == "elsewhere\n"


def test_text_in_rtf_alone_is_told():
    """That it is there, and is not read."""
    content = stream(said(variable(0x102, RTF, b"LZFu")))
    assert ("tnef", "1") in {(d.kind, d.place) for d in read(only_tnef(content)).defects}
    assert "tnef" not in {d.kind for d in read(outlook(content)).defects}


def test_what_a_message_inside_says():
    """Is said nowhere else, whatever the mail says."""
    inner = stream(said(unicode(PLAIN_TEXT, "inner")), BEGIN, TITLE, CONTENT)
    held = properties(unicode(0x3001, "Forwarded"), variable(0x0D, DATA, MESSAGE_IID + inner))
    assert read(outlook(stream(said(unicode(PLAIN_TEXT, "outer")), BEGIN, held))).text == "see file\n\ninner"
    assert read(only_tnef(stream(said(unicode(PLAIN_TEXT, "outer")), BEGIN, held))).text == "inner\nouter"


def test_a_long_text_in_a_stream_is_cut():
    """And a defect says so."""
    reading = read(only_tnef(stream(said(unicode(PLAIN_TEXT, "word " * 100_000)))))
    assert (len(reading.text), reading.defects[-1].kind) == (256 * 1024, "text_cut")


def test_garbage_behind_the_stream_is_nothing():
    """Some gateways add a line end."""
    raw = outlook(stream(BEGIN, TITLE, CONTENT) + b"\r\n" * 10)
    assert ([p.path for p in files(raw)], [d.kind for d in read(raw).defects]) == (["1.2/1"], ["date"])


def test_messages_nested_without_end_are_bounded():
    """Each level costs a copy of what is inside."""
    content = stream(BEGIN, CONTENT)
    for _ in range(tnef.DEPTH_MAX + 3):
        content = stream(BEGIN, properties(variable(0x0D, DATA, MESSAGE_IID + content)))
    assert len(files(outlook(content))) == tnef.DEPTH_MAX
    assert "tnef" in {d.kind for d in read(outlook(content)).defects}


@pytest.mark.parametrize(
    "content",
    [
        stream(BEGIN, attribute(2, 0x00069005, struct.pack("<I", 2**32 - 1))),
        stream(attribute(1, 0x00069006, bytes(4)) * 60_000),
        stream(BEGIN, properties(*[struct.pack("<HHI", 3, 0x3705, 1)] * 100_000)),
        stream(BEGIN, properties(variable(0x101F, 0x7001, b"")) + bytes(100_000)),
    ],
)
def test_no_count_keeps_us(content: bytes):
    """Lengths and counts that others believe, hours long."""
    started = time.process_time()
    tnef.open_stream(content, FILES_MAX)
    assert time.process_time() - started < 2


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_stream_raises(noise: bytes, at: int):
    """Any octets at any place."""
    content = stream(CODEPAGE_1251, BEGIN, LONG, IMAGE)
    read(outlook(content[:at] + noise + content[at + len(noise) :]))


# --- uuencode ------------------------------------------------------------------------------------


def uuencoded(content: bytes, name: str = "a.bin", end: str = "`\nend\n") -> str:
    """A file as uuencode writes it."""
    lines = [binascii.b2a_uu(content[at : at + 45]).decode() for at in range(0, len(content), 45)]
    return f"begin 644 {name}\n{''.join(lines)}{end}"


def plain(text: str) -> bytes:
    """A mail of this text."""
    return mail("Content-Type: text/plain; charset=utf-8", body=text.replace("\n", "\r\n").encode())


def test_files_in_the_text_are_taken_out():
    """Two files between words: rows, and the words without them."""
    raw = plain(f"before\n{uuencoded(PNG, 'bücher 1.png')}between\n{uuencoded(b'x')}after\n")
    assert [(p.path, p.filename, p.octets, p.sniffed_type, p.packing) for p in files(raw)] == [
        ("1/1", "bücher 1.png", len(PNG), "image/png", "uuencode"),
        ("1/2", "a.bin", 1, None, "uuencode"),
    ]
    assert files(raw)[0].sha256 == hashlib.sha256(PNG).digest()
    assert read(raw).text == "before\nbetween\nafter\n"


@pytest.mark.parametrize("size", [0, 1, 44, 45, 46, 90, 1000])
@pytest.mark.parametrize("end", ["`\nend\n", " \nend\n", "\nend\n", "end\n", "end"])
def test_any_size_and_end(size: int, end: str):
    """With the line of no octets as backtick, blank, nothing or not at all; with the last line end or not."""
    content = bytes(range(256)) * 4
    raw = plain("x\n" + uuencoded(content[:size], end=end))
    found = [p.octets for p in files(raw)]
    assert found == ([size] if size or (end != "end" and end != "end\n") else [])


def test_blanks_lost_on_the_way():
    """Encoders that write zeros as blanks, and mailers that strip them."""
    text = uuencoded(bytes(100)).replace("`", " ")
    assert [p.sha256 for p in files(plain(text))] == [hashlib.sha256(bytes(100)).digest()]
    (row,) = files(plain(uuencoded(b"x" * 45 + bytes(55)).replace("`", " ").replace(" \n", "\n")))
    assert row.octets == 100


@pytest.mark.parametrize(
    "prose",
    [
        "begin 644 the story\nOnce upon a time there was no code at all.\n",
        "begin 644 x\n\n\nnothing\n",
        "We begin 644 x\n" + uuencoded(b"x").partition("\n")[2],
        "> begin 644 x\n",
        "begin 999 x\n#86)C\n",
    ],
)
def test_prose_is_left_alone(prose: str):
    """Words that look like a file's first line."""
    assert (files(plain(prose)), read(plain(prose)).text) == ([], prose)


def test_a_file_without_its_end_is_a_defect():
    """Cut by a mailer: what is there is listed."""
    raw = plain(uuencoded(PNG, end=""))
    assert [p.octets for p in files(raw)] == [len(PNG)]
    assert ("uuencode", "1/1") in {(d.kind, d.place) for d in read(raw).defects}


def test_many_files_are_bounded():
    """Each costs a row."""
    raw = plain(uuencoded(b"x") * (FILES_MAX + 1))
    assert len(files(raw)) == FILES_MAX
    assert "uuencode" in {d.kind for d in read(raw).defects}


@pytest.mark.parametrize(
    "text", [b"begin 644 x\n" * 90_000, b"begin 644 x\n#86)C\n" * 60_000, b"\nbegin 644" + b" " * 10**6]
)
def test_no_megabyte_of_beginnings_takes_long(text: bytes):
    """Time grows with the size."""
    started = time.process_time()
    uuencode.split(text)
    assert time.process_time() - started < 2
