"""What is signed or encrypted is marked, and by what."""

import pytest

from etl.mime.reading import read
from tests.mime.mail import file, mail, multipart

TEXT = mail("Content-Type: text/plain", body=b"hello\r\n")
SIGNATURE = mail("Content-Type: application/pgp-signature; name=a.asc", body=b"-----BEGIN PGP SIGNATURE-----\r\n")
ARMOURED = b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n"
OID = bytes.fromhex("3080060b2a864886f70d0109100117")
ENVELOPED = bytes.fromhex("308006092a864886f70d010703a080") + bytes(40)
SIGNED = bytes.fromhex("308006092a864886f70d010702a080") + bytes(40)


def marks(raw: bytes) -> dict[str, tuple[str | None, str | None]]:
    """The marked parts of a message."""
    return {p.path: (p.protection, p.protected_by) for p in read(raw).parts if p.protection}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (multipart("signed", TEXT, SIGNATURE, parameters="; protocol=application/pgp-signature"), ("signed", "pgp")),
        (multipart("signed", TEXT, SIGNATURE), ("signed", "pgp")),
        (multipart("signed", TEXT, TEXT), ("signed", "unknown")),
        (multipart("signed", TEXT, TEXT, parameters="; protocol=application/x-pkcs7-signature"), ("signed", "smime")),
        (
            multipart("signed", TEXT, TEXT, parameters="; protocol=application/x-other"),
            ("signed", "application/x-other"),
        ),
        (multipart("encrypted", TEXT, TEXT, parameters="; protocol=application/pgp-encrypted"), ("encrypted", "pgp")),
        (file("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", ENVELOPED), ("encrypted", "smime")),
        (file("application/x-pkcs7-mime; name=smime.p7m", SIGNED), ("signed", "smime")),
        (file("application/pkcs7-mime; name=smime.p7m", OID + bytes(40)), ("encrypted", "smime")),
        (file("application/pkcs7-mime; smime-type=enveloped-data", b""), ("encrypted", "smime")),
        (file("application/pkcs7-mime; smime-type=signed-data", b"cut"), ("signed", "smime")),
        (mail("Content-Type: text/plain", body=b"hello\r\n" + ARMOURED), ("encrypted", "pgp")),
        (mail(body=b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhello\r\n"), ("signed", "pgp")),
    ],
)
def test_a_message_is_marked(raw: bytes, expected: tuple[str, str]):
    """By its type, by what the content says, by armour in the text."""
    assert marks(raw)["1"] == expected


@pytest.mark.parametrize(
    "raw",
    [
        file("application/pkcs7-mime; smime-type=certs-only", SIGNED),
        file("application/pkcs7-mime; smime-type=compressed-data", b""),
        mail(body=b"> -----BEGIN PGP MESSAGE-----\r\n"),
        mail(body=b"It begins with -----BEGIN PGP MESSAGE-----\r\n"),
        multipart("mixed", TEXT, SIGNATURE),
    ],
)
def test_what_is_neither_is_not_marked(raw: bytes):
    """Certificates alone, quotations, and what is only about it."""
    assert marks(raw) == {}


def test_an_encrypted_file_marks_itself():
    """And neither the message around it nor the text beside it."""
    assert marks(multipart("mixed", TEXT, file("application/octet-stream; name=a.asc", ARMOURED))) == {
        "1.2": ("encrypted", "pgp")
    }
