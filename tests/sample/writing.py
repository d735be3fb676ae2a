"""How a letter becomes bytes: the same bytes on every machine and in every year.

The standard library's own composer picks random boundaries and changes with its version, so this one
writes the few forms that the sample needs. Lines end with LF here; the server makes them CRLF.
"""

import base64
import hashlib
import quopri
import struct
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

ENCODERS = {
    "7bit": lambda content: content,
    "8bit": lambda content: content,
    "quoted-printable": quopri.encodestring,
    "base64": base64.encodebytes,
}


def text(words: str, charset: str = "utf-8", encoding: str = "quoted-printable", kind: str = "plain") -> bytes:
    """A text part."""
    return part(f'text/{kind}; charset="{charset}"', words.encode(charset), encoding)


def attachment(filename: str, content_type: str, content: bytes, **more: str) -> bytes:
    """A file; its name in RFC 2231's way where it needs one."""
    name = f'filename="{filename}"' if filename.isascii() else f"filename*=utf-8''{_percent(filename)}"
    return part(content_type, content, "base64", content_disposition=f"attachment; {name}", **more)


def part(content_type: str, content: bytes, encoding: str = "7bit", **more: str) -> bytes:
    """One MIME entity. More headers by keyword: content_id="<a@b>"."""
    headers = {"content_type": content_type, "content_transfer_encoding": encoding, **more}
    lines = [f"{name.replace('_', '-').title()}: {value}\n" for name, value in headers.items()]
    return "".join(lines).encode() + b"\n" + ENCODERS[encoding](content)


def multipart(kind: str, *parts: bytes, **parameters: str) -> bytes:
    """Parts in one; the boundary is made of what it bounds."""
    boundary = "=_" + hashlib.sha256(b"".join(parts)).hexdigest()[:20]
    listed = "".join(f'; {name.replace("_", "-")}="{value}"' for name, value in parameters.items())
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{listed}\n\n'.encode()
    between = f"\n--{boundary}\n".encode()
    return head + b"".join(between + each for each in parts) + f"\n--{boundary}--\n".encode()


def message(headers: Mapping[str, str | bytes], content: bytes) -> bytes:
    """Headers before an entity. A value of bytes is written as it is, however wrong that may be."""
    lines = []
    for name, value in headers.items():
        written = value if isinstance(value, bytes) else _ascii(value)
        lines.append(name.encode() + b": " + written + b"\n")
    return b"".join(lines) + content


def encoded(words: str, charset: str = "utf-8") -> str:
    """Words as encoded words of RFC 2047, short enough for its 75 characters each."""
    pieces = [words[start : start + 14] for start in range(0, len(words), 14)]
    return "\n ".join(f"=?{charset}?B?{base64.b64encode(p.encode(charset)).decode()}?=" for p in pieces)


def received(recipient: str, sent: datetime, trace_id: str) -> list[bytes]:
    """The two hops between a sender and a mailbox, newest first: what each server adds at the top."""
    domain = recipient.rpartition("@")[2]
    hops = [
        f"from relay.example.net (relay.example.net [192.0.2.7]) by mx.{domain} with ESMTPS id {trace_id}b\n"
        f" for <{recipient}>; {format_datetime(sent + timedelta(seconds=9))}",
        f"from [198.51.100.23] by relay.example.net with ESMTPSA id {trace_id}a;\n"
        f" {format_datetime(sent + timedelta(seconds=2))}",
    ]
    return [b"Received: " + hop.encode() + b"\n" for hop in hops]


def pdf(title: str, lines: Iterable[str]) -> bytes:
    """A PDF of one page, small and true enough to be opened."""
    words = "".join(f"({line}) Tj 0 -16 Td " for line in [title, *lines])
    stream = f"BT /F1 12 Tf 60 780 Td {words}ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    ).encode()


def png(red: int, green: int, blue: int) -> bytes:
    """A picture of one colour, 8 by 8; stored and not deflated, so that any zlib gives the same bytes."""
    row = b"\0" + bytes((red, green, blue)) * 8
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 8, 0)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def noise(octets: int, seed: str) -> bytes:
    """Bytes that no compression makes smaller, the same for the same seed."""
    return hashlib.shake_256(seed.encode()).digest(octets)


def _ascii(value: str) -> bytes:
    return value.encode() if value.isascii() else encoded(value).encode()


def _percent(name: str) -> str:
    return "".join(
        c if (c.isascii() and c.isalnum()) or c in ".-" else "".join(f"%{b:02X}" for b in c.encode()) for c in name
    )
