"""What messages are found by, and that SQL folds, splits and hashes as Python does."""

import re
import struct
from unicodedata import category, combining, ucd_3_2_0
from zlib import crc32

import pytest
from sqlalchemy import Engine, text

from etl.mime import terms
from etl.mime.reading import read

MIXED = [
    "Ünïcode CAFÉ Straße Søren Łódź İstanbul Ærø ΣΊΣΥΦΟΣ ёлка naïve",
    "e\u0301 and o\u0308, marks by themselves",
    "会议改到下午 agenda会议v2 ひらがなカタカナー 한국어 메일",
    "\uff21\uff22\uff23\uff11\uff12 full-width, half_\uff37\uff29\uff24\uff25",
    "ann@example.org, don't; Q3_report-final.xlsx 1,234.56 “quoted” a…b",
    "हिन्दी ไทย עברית العربية",
    "\U0001f389party\U0001f389 \U00020000\U00020001",
]


@pytest.mark.parametrize("content", MIXED)
def test_sql_knows_the_same_words(engine: Engine, content: str):
    """What is asked in SQL is what Python laid in: folded, split, hashed."""
    with engine.connect() as connection:
        pieces = connection.scalar(text("select search.pieces(search.words(:content))"), {"content": content})
        hashed = connection.scalar(
            text("select search.terms('subject:', search.words(:content))"), {"content": content}
        )
    words = terms.words(content)
    assert {piece.encode() for piece in pieces} <= words
    # In runs of unspaced scripts each character is a word as well: of queries only where it stands alone.
    assert {word.decode() for word in words} - set(pieces) <= set(terms.folded(content))
    assert {number % 2**32 for number in hashed} == {crc32(b"subject:" + piece.encode()) for piece in pieces}


def test_sql_folds_every_letter_alike(engine: Engine):
    """Each character of the first plane that Python's Unicode knows; Postgres may know newer ones."""
    letters = [chr(c) for c in range(1, 0x10000) if category(chr(c)) not in ("Cn", "Cs")]
    with engine.connect() as connection:
        query = text("select search.folded(letter) from unnest(cast(:letters as text[])) as letter")
        in_sql = connection.scalars(query, {"letters": letters}).all()
    assert dict(zip(letters, in_sql, strict=True)) == {letter: terms.folded(letter) for letter in letters}


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u05b0\u05b1", "\u064b\u0323", "\U0001e2ec\u0301"])
def test_sql_folds_floods_of_marks_as_python_does(engine: Engine, marks: str):
    """As it folds all else up to as many as anybody writes; beyond, where their order would take hours, not at all."""
    for content in (f"É{marks * 20}é", f"É{marks * 500_000}é"):
        with engine.connect() as connection:
            connection.execute(text("set statement_timeout = '5s'"))
            assert connection.scalar(text("select search.folded(:content)"), {"content": content}) == terms.folded(
                content
            )


def test_sql_knows_the_same_marks(engine: Engine):
    """All that have an order, and none else; a newer Python knows newer ones."""
    with engine.connect() as connection:
        marks = connection.scalar(text("select search.marks()")).encode().decode("unicode_escape")
    known = {c for c in map(chr, range(0x300, 0x1F000)) if re.match(f"[{marks}]", c)}
    assert {c for c in map(chr, range(0x300, 0x1F000)) if ucd_3_2_0.combining(c)} <= known
    assert {c for c in known if not combining(c)} == set()


def test_separators_are_the_same_in_sql(engine: Engine):
    """Both brackets, as they are written."""
    with engine.connect() as connection:
        separators, unspaced = connection.execute(text("select search.separators(), search.unspaced()")).one()
    decode = "unicode_escape"
    assert separators.encode().decode(decode) == terms.SEPARATORS
    assert unspaced.encode().decode(decode) == terms.UNSPACED


def test_ascii_takes_the_short_way_to_the_same_words():
    """A letter that is none of ASCII sends its neighbours the same way, not elsewhere."""
    plain = "Re: [list] foo_bar 1.5 x\ty\x00z don't"
    assert terms.words(plain + " é") == terms.words(plain) | {b"e"}


def test_fields_are_terms_of_their_own():
    """A word in a field is found there, and anywhere."""
    reading = read(
        b"From: Ann Lee <Ann@Example.org>\r\nTo: bob@example.net\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
        b'Content-Type: text/csv; name="Q3_list.csv"\r\n'
        b"Content-Disposition: attachment\r\n\r\n1;2\r\n--b--\r\n"
    )
    found = terms.of(reading)
    numbers = set(struct.unpack(f">{len(found) // 4}I", found))
    expected = (
        "ann lee example org bob net plan hello q3 list csv ^ann ^lee ^example ^org ^bob ^net ^plan ^q3 ^list ^csv"
        " from:ann from:lee from:example from:org from:ann@example.org to:bob to:example to:net to:bob@example.net"
        " subject:plan filename:q3 filename:list filename:csv has:attachment"
    )
    assert numbers == {crc32(term.encode()) for term in expected.split()}


def test_a_word_of_any_length_is_a_term():
    """16 kB without a blank, a megabyte of text: numbers like others."""
    assert terms.words("x" * 16_384 + " y") == {b"x" * 16_384, b"y"}
    assert len(terms.words(" ".join(map(str, range(150_000))))) == 150_000
