"""Charsets: labels that lie, octets that nothing fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.charsets import codec, decode, guess


@pytest.mark.parametrize(
    ("text", "spoken", "label"),
    [
        ("café", "latin-1", "iso-8859-1"),
        ("镕基", "gbk", "gb2312"),
        ("镕基", "gb18030", "x-gbk"),
        ("똠방각하", "cp949", "ks_c_5601-1987"),
        ("①髙", "cp932", "shift_jis"),
        ("“it is…”", "cp1252", "iso-8859-1"),
        ("“it is…”", "cp1252", "us-ascii"),
        ("“it is…”", "cp1252", "utf-8"),
        ("日本語", "utf-8", "us-ascii"),
        ("日本語", "utf-8", "iso-8859-1"),
        ("日本語", "utf-8", "gb2312"),
        ("日本語", "iso2022_jp", "ISO-2022-JP"),
        ("№①", "iso2022_jp_ext", "iso-2022-jp-ext"),
        ("日本語", "utf-7", "unicode-1-1-utf-7"),
        ("日本語", "utf-8", "x-unknown"),
        ("ağaç", "cp1254", "iso-8859-9"),
        ("ไทย", "cp874", "windows-874"),
        ("привет", "koi8-r", "KOI8-R"),
        ("שלום", "iso8859-8", "iso-8859-8-i"),
        ("日本", "utf-16", "utf-16"),
    ],
)
def test_text_behind_its_label(text: str, spoken: str, label: str):
    """What a mailer wrote is read, though the label says a little less, or something else."""
    try:
        octets = text.encode(spoken)
    except UnicodeEncodeError:
        octets = text.encode("utf-8")
    assert decode(octets, label)[0] == text


def test_rows_of_vendors_in_iso_2022_jp():
    """NEC's circled digits in ISO-2022-JP, which no codec of Python takes."""
    assert decode(b"\x1b$B-!F|K\\\x1b(B!", "iso-2022-jp")[0] == "①日本!"


def test_the_message_speaks_for_what_has_no_label():
    """Octets without a label are in the charset that the message names elsewhere, unless they are UTF-8."""
    assert guess("광고".encode("euc-kr"), "ks_c_5601-1987") == ("광고", "euc_kr")
    assert guess("광고".encode(), "euc-kr") == ("광고", "utf-8")


def test_a_cut_character_spoils_itself_alone():
    """UTF-8 cut in the middle stays UTF-8."""
    assert decode("ééééééé".encode()[:-1], "utf-8")[0] == "éééééé\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("label", ["idna", "punycode", "unicode_escape", "rot13", "base64", "undefined", "", None])
def test_codecs_of_python_are_no_charsets(label: str | None):
    """Some of them take quadratic time, and nobody writes mail in them."""
    assert codec(label) is None


@given(st.binary(max_size=60), st.sampled_from(["utf-7", "utf-16", "iso-2022-jp", "hz", "gb2312", "big5", "x", None]))
def test_decoding_never_raises(octets: bytes, label: str | None):
    """Any octets are text under any label."""
    assert isinstance(decode(octets, label, "iso-2022-kr")[0], str)
