"""What is signed or encrypted, and by what: marked, and kept whole.

PGP/MIME (RFC 3156), S/MIME (RFC 8551), PGP armour in the text (RFC 9580 section 6), and files that a password locks.
"""

import re

from etl.mime import sniffing
from etl.mime.rows import Protection

# What protects, and by what.
Mark = tuple[Protection, str]

CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
# The parameter that says how, by the type that has it.
PARAMETERS = {
    "multipart/signed": "protocol",
    "multipart/encrypted": "protocol",
    **dict.fromkeys(CMS_TYPES, "smime-type"),
}

_ARMOUR = b"-----BEGIN PGP"
_ARMOURED = re.compile(rb"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----[ \t]*\r?$", re.M)

# The object identifier that begins a CMS file (RFC 5652): signed, enveloped, signed and enveloped, encrypted data.
_CMS = re.compile(rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07([\x02\x03\x04\x06])")
_CMS_AUTHENTICATED = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"


def of_multipart(content_type: str, protocol: str | None, children: list[str]) -> Mark | None:
    """The mark of a multipart. children: their types, which tell where `protocol` is missing."""
    protection: dict[str, Protection] = {"multipart/signed": "signed", "multipart/encrypted": "encrypted"}
    if content_type not in protection:
        return None
    named = protocol or next((child for child in children if "pgp" in child or "pkcs7" in child), "unknown")
    by = "pgp" if "pgp" in named else "smime" if "pkcs7" in named else named
    return protection[content_type], by


def of_text(content: bytes) -> Mark | None:
    """The mark of a text with PGP armour in it."""
    if _ARMOUR not in content:  # nearly all
        return None
    found = _ARMOURED.search(content)
    return (("encrypted" if found[1] == b"MESSAGE" else "signed"), "pgp") if found else None


def of_file(content_type: str, smime_type: str | None, content: bytes) -> Mark | None:
    """The mark of a file's content. smime_type: believed only where the content does not say."""
    if content_type in CMS_TYPES:
        return _of_cms(smime_type or "", content)
    return of_text(content) or (("encrypted", "password") if sniffing.locked(content) else None)


def _of_cms(smime_type: str, content: bytes) -> Mark | None:
    if smime_type == "certs-only":
        return None
    found = _CMS.search(content, 0, 64)
    if found:
        return ("signed" if found[1] == b"\x02" else "encrypted"), "smime"
    if _CMS_AUTHENTICATED in content[:64] or "enveloped" in smime_type:
        return "encrypted", "smime"
    return ("signed", "smime") if smime_type == "signed-data" else None
