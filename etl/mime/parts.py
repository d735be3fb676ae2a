"""The MIME tree of a parsed message as rows (RFC 2045 to 2049, 2183).

Content is decoded, hashed and measured here, and not kept.
"""

import hashlib
from collections.abc import Iterator
from email.message import Message

from mailparser.utils import decode_header_part, mime_header_view

from etl.mime.rows import Defect, Part, clean


def walk(message: Message, path: str = "1") -> Iterator[tuple[str, Message]]:
    """Every node with its path, in document order. Iterative: depth is the sender's choice."""
    waiting = [(path, message)]
    while waiting:
        path, part = waiting.pop()
        yield path, part
        if part.is_multipart():
            children = enumerate(part.get_payload(), start=1)
            waiting += reversed([(f"{path}.{i}", child) for i, child in children if isinstance(child, Message)])


def read(message: Message, defects: list[Defect]) -> list[Part]:
    """A row for each node; a node that cannot be read whole gives what can, and a defect."""
    rows = []
    for path, part in walk(message):
        defects += [Defect(type(d).__name__, path, clean(str(d) or type(d).__doc__ or "")) for d in part.defects]
        try:
            rows.append(_row(path, part))
        except Exception as error:  # the stdlib raises on real parts: unknown charsets, broken RFC 2231
            defects.append(Defect("part", path, clean(f"{type(error).__name__}: {error}")))
            rows.append(_bare_row(path, part))
    return rows


def _row(path: str, part: Message) -> Part:
    view, _ = mime_header_view(part)
    filename = decode_header_part(view.get_filename()) or None
    disposition = view.get_content_disposition()
    content_type = view.get_content_type()
    content_id = view.get("content-id")
    encoding = view.get("content-transfer-encoding")
    container = part.is_multipart()
    content = b"" if container else decoded_content(part)
    return Part(
        path=path,
        content_type=clean(content_type),
        charset=_clean(view.get_content_charset()),
        transfer_encoding=_clean(encoding.strip().lower() if encoding else None),
        disposition=_clean(disposition),
        filename=_clean(filename),
        content_id=_clean(content_id.strip() if content_id else None),
        octets=None if container else len(content),
        sha256=None if container else hashlib.sha256(content).digest(),
        attachment=_is_attachment(container, disposition, filename, content_id, content_type),
    )


def _is_attachment(
    container: bool, disposition: str | None, filename: str | None, content_id: str | None, content_type: str
) -> bool:
    """What a reader would list as a file: by disposition, by name, or an embedded object."""
    if container:
        return disposition == "attachment"
    embedded = bool(content_id) and not content_type.startswith("text/")
    return disposition == "attachment" or bool(filename) or embedded


def _bare_row(path: str, part: Message) -> Part:
    payload = part.get_payload()
    content = payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""
    return Part(
        path=path,
        content_type="application/octet-stream",
        charset=None,
        transfer_encoding=None,
        disposition=None,
        filename=None,
        content_id=None,
        octets=len(content),
        sha256=hashlib.sha256(content).digest(),
        attachment=False,
    )


def decoded_content(part: Message) -> bytes:
    """A leaf's content with its transfer encoding undone; damaged encodings give what they can."""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _clean(text: str | None) -> str | None:
    return clean(text) if text else None
