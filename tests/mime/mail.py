"""Messages for tests, written as mail is."""

import base64


def mail(*headers: str, body: bytes = b"hello\r\n") -> bytes:
    """A message of these header lines."""
    return "".join(f"{h}\r\n" for h in headers).encode("utf-8", "surrogateescape") + b"\r\n" + body


def multipart(subtype: str, *parts: bytes, parameters: str = "", headers: tuple[str, ...] = ()) -> bytes:
    """A multipart message of these parts."""
    # As long as no part has as many dashes: each level of nesting has a boundary of its own.
    boundary = "b" * (1 + max((part.count(b"boundary=") for part in parts), default=0))
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    declared = f"Content-Type: multipart/{subtype}; boundary={boundary}{parameters}"
    return mail(*headers, declared, body=body + b"--" + boundary.encode() + b"--\r\n")


def file(content_type: str, content: bytes, *headers: str) -> bytes:
    """A part in base64."""
    fields = f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64", *headers
    return mail(*fields, body=base64.encodebytes(content).replace(b"\n", b"\r\n"))
