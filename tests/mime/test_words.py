"""Encoded words: as mail-parser reads them, and as they come broken."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailparser.utils import decode_header_part

from etl.mime.words import decode


def word(text: str, charset: str, encoding: str) -> str:
    """A well-made encoded word."""
    octets = text.encode(charset)
    if encoding == "b":
        return f"=?{charset}?b?{base64.b64encode(octets).decode()}?="
    return f"=?{charset}?q?{''.join(f'={octet:02X}' for octet in octets)}?="


WORDS = st.builds(word, st.text("aé ü?=_", min_size=1), st.sampled_from(["utf-8", "iso-8859-1"]), st.sampled_from("bq"))


@given(st.lists(WORDS | st.sampled_from(["a", "(b)", "=?", "?=", "x=y", ""]), max_size=6).map(" ".join))
def test_good_words_read_as_mail_parser_reads_them(value: str):
    """Words and plain text in any order."""
    assert decode(value, None, []).strip() == decode_header_part(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?two words?=", "two words"),
        ("=?utf-8?b?w6k?=", "é"),
        ("=?utf-8?b?w6 k=?=", "é"),
        ("=?utf-8?b?w6k=YQ==?=", "éa"),
        ("=?utf-8?b?w6k=A?= x", "é x"),
        ("=?utf-8?b?w6==?= =?utf-8?b?qQ==?=", "é"),
        ("=?utf-8?q?=C3?= =?UTF-8?q?=A9?=", "é"),
        ("=?utf-8*fr?q?=C3=A9?=", "é"),
        ("a=?utf-8?q?=C3=A9?=b", "aéb"),
        ("=?utf-8?q?=C3=A9?==?iso-8859-1?q?=E9?=", "éé"),
        ("=?gb2312?b?6UY=?=", "镕"),
        ("=?x-nobody?q?=C3=A9?=", "é"),
        ("=?utf-8?q??= x", "x"),
        ("caf\udcc3\udca9 =?utf-8?q?=C3=A9?=", "café é"),
        ("caf\udce9", "café"),
        ("\x1b$BF|K\\\x1b(B", "日本"),
        ("=?utf-8?q?never ended", "=?utf-8?q?never ended"),
    ],
)
def test_words_as_they_come(value: str, text: str):
    """Spaces inside, padding missing or in the middle, characters split between words, raw octets beside."""
    assert decode(value, None, []).strip() == text


def test_octets_that_nothing_labels_are_named():
    """What was guessed is told."""
    problems: list[str] = []
    decode("\udcb1\udca4\udcb0\udced", "euc-kr", problems)
    assert problems == ["8-bit octets without a charset, read as euc_kr"]
