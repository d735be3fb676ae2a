"""File names that are safe as paths."""

import ntpath
import os
import sys
from pathlib import Path, PureWindowsPath
from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl.mime.names import NAME_OCTETS_MAX, safe
from etl.mime.reading import read
from tests.mime.mail import file, multipart


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("report (final), v2.pdf", "report (final), v2.pdf"),
        ("Übersicht 你好.pdf", "Übersicht 你好.pdf"),
        ("../../etc/passwd", "_.._.._etc_passwd".replace("_.._.._", "_.._.._", 1)),
        ("C:\\Users\\a.txt", "C__Users_a.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u200bb\0c\x07d", "abcd"),
        ("two\r\n lines\t.txt", "two lines .txt"),
        ("CON", "_CON"),
        ("nul .tar.gz", "_nul .tar.gz"),
        ("COM\N{SUPERSCRIPT ONE}.txt", "_COM\N{SUPERSCRIPT ONE}.txt"),
        ("console.log", "console.log"),
        (".htaccess", "_.htaccess"),
        ("-rf", "_-rf"),
        ("name. . .", "name"),
        ("what?*.txt", "what__.txt"),
        ("a\N{FULLWIDTH SOLIDUS}b", "a_b"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("é" * 300 + ".pdf", "é" * 98 + ".pdf"),
        ("a" * 300, "a" * 200),
        ("...", "part-1.2.pdf"),
        ("", "part-1.2.pdf"),
        (None, "part-1.2.pdf"),
    ],
)
def test_names(filename: str | None, expected: str):
    """What a person would call the file, as far as every system allows."""
    assert safe(filename, "1.2", "application/pdf") == expected


def reserved(name: str) -> bool:
    """Whether Windows keeps the name for a device; Python 3.13 has another way to ask, and warns of the old one."""
    return ntpath.isreserved(name) if sys.version_info >= (3, 13) else PureWindowsPath(name).is_reserved()


@example("\udc80")
@given(st.text(max_size=300))
def test_any_name_is_a_file_here_and_a_name_on_windows(tmp_path_factory: pytest.TempPathFactory, filename: str):
    """Never a path, a device or nothing; safe once more it is the same."""
    name = safe(filename, "1", "text/plain")
    assert os.path.basename(name) == name == PureWindowsPath(name).name
    assert not reserved(name)
    assert 0 < len(name.encode()) <= NAME_OCTETS_MAX
    assert not {category(c) for c in name} & {"Cc", "Cf", "Cs"}
    assert safe(name, "1", "text/plain") == name
    path = Path(tmp_path_factory.getbasetemp(), name)
    path.touch()
    path.unlink()


def test_a_row_has_a_safe_name_where_its_own_will_not_do():
    """Otherwise it would stand there twice; parts that are no files have none."""
    raw = multipart(
        "mixed",
        b"Content-Type: text/plain\r\n\r\nhello\r\n",
        file("application/pdf; name=good.pdf", b"x"),
        file('application/pdf; name="../bad.pdf"', b"x"),
        file("application/zip", b"x", "Content-Disposition: attachment"),
    )
    assert [p.safe_name for p in read(raw).parts] == [None, None, None, "_.._bad.pdf", "part-1.4.zip"]
