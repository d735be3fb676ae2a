"""What content is, whatever it is called; and what a password locks."""

import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.reading import read
from etl.mime.sniffing import locked, sniffed
from tests.mime.mail import file, mail, multipart

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(*names: str) -> bytes:
    """A ZIP file of these."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"MZ\x90\0" + bytes(100), "application/x-msdownload"),
        (b"\x7fELF" + bytes(60), "application/x-executable"),
        (b"L\0\0\0\x01\x14\x02\0" + bytes(60), "application/x-ms-shortcut"),
        (b"#!/bin/sh\n", "text/x-script"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\r\n junk %PDF-1.7\n", "application/pdf"),
        (zipped("a.txt"), "application/zip"),
        (OLE + bytes(600), "application/x-ole-storage"),
        (b"{\\rtf1}", "application/rtf"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\xef\xbb\xbf <!-- x -->\n<!DOCTYPE HTML>", "text/html"),
        (b"<script>x()</script>", "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml"),
        (b"-----BEGIN PGP MESSAGE-----\r\n", "application/pgp-encrypted"),
        (b"BEGIN:VCALENDAR\r\n", "text/calendar"),
        (b"1;2;3\r\n", None),
        (b"", None),
    ],
)
def test_what_content_is(content: bytes, kind: str | None):
    """By its first octets."""
    assert sniffed(content) == kind


def test_a_program_called_a_document():
    """It is found by its row; text that is read is not looked at."""
    raw = multipart("mixed", b"Content-Type: text/plain\r\n\r\nMZ is how I sign.\r\n",
                    file("application/pdf; name=invoice.pdf", b"MZ" + bytes(100)))  # fmt: skip
    assert [p.sniffed_type for p in read(raw).parts] == [None, None, "application/x-msdownload"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped("a.txt"), False),
        (zipped("a.txt").replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\x01\0"), True),
        (b"%PDF-1.7\ntrailer <</Root 1 0 R>>", False),
        (b"%PDF-1.7\ntrailer <</Encrypt 9 0 R>>", True),
        (OLE + bytes(2000), False),
        (OLE + bytes(1000) + "EncryptedPackage".encode("utf-16-le"), True),
        (OLE + bytes(504) + b"\xec\xa5\xc1\0" + bytes(6) + b"\0\x01", True),
        (OLE + bytes(504) + b"\xec\xa5\xc1\0" + bytes(8), False),
        (b"PK\3\4", False),
        (b"plain text /Encrypt", False),
    ],
)
def test_what_a_password_locks(content: bytes, expected: bool):
    """ZIP, PDF, Word of old and Office of today."""
    assert locked(content) == expected
    (row,) = [p for p in read(multipart("mixed", file("a/b; name=x", content))).parts if p.attachment]
    assert row.protected_by == ("password" if expected else None)


@given(st.binary(max_size=600), st.sampled_from([b"", b"PK\3\4", OLE, b"%PDF-", b"RIFF", b"\0\0\0\x18ftyp", b"<!--"]))
def test_no_content_raises(noise: bytes, beginning: bytes):
    """Any octets, also behind a known beginning."""
    sniffed(beginning + noise)
    locked(beginning + noise)


@pytest.mark.parametrize("content", [b"<!--" * 1024, b" " * 4096, b"<?xml" + b">" * 4000, b"\0\0\0\x18ftyp" * 500])
def test_nothing_takes_long(content: bytes):
    """A look costs microseconds; quadratic ones would be seconds."""
    started = time.process_time()
    sniffed(content)
    assert time.process_time() - started < 0.1


def test_an_attached_text_is_looked_at():
    """An HTML page called text."""
    raw = mail("Content-Type: text/plain; name=readme.txt", "Content-Disposition: attachment", body=b"<html>\r\n")
    assert [p.sniffed_type for p in read(raw).parts] == ["text/html"]
