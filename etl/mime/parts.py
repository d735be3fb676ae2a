"""The MIME tree of a parsed message as rows (RFC 2045 to 2049, 2183), and its bodies.

Content is decoded, hashed and measured here once, and kept for the bodies only.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import errors, utils
from email.message import Message
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from mailparser.utils import decode_base64_payload
from msgspec.structs import replace

from etl.mime import charsets, names, protection, sniffing, transfer, tree, words
from etl.mime.rows import Defect, Leaf, Part, clean

_DESCRIBING = {"content-type", "content-disposition", "content-id", "content-transfer-encoding"}
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16}[A-Za-z0-9+/\r\n]*+={0,2}[\r\n]*+")
_PLAIN = {None, "7bit", "8bit", "binary"}
_CID = re.compile(rb"cid:([^\"'\s<>()]{1,500})", re.I)


# What the headers of a part tell of its content: their names in lower case and raw values.
_Told = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A leaf that a reader sees as text. alternative: the path of the multipart that offers it as a choice.

    flowed, delsp: whether its lines are to be joined, and without the blank at their ends (RFC 3676).
    """

    path: str
    html: bool
    content: bytes
    charset: str | None
    alternative: str | None
    named: bool
    flowed: bool = False
    delsp: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A node that holds more than parts: a message, a report, a calendar, packed files.

    what: one of HOLDING's values. content: decoded; None for a container, whose children have it.
    """

    what: str
    path: str
    content_type: str
    charset: str | None
    part: tree.Entity
    content: bytes | None


# By content type, or by file name, what is to be opened.
HOLDING = {
    **dict.fromkeys(("message/rfc822", "message/global"), "message"),
    **dict.fromkeys(("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"), "headers"),
    **dict.fromkeys(
        ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status"), "delivery"
    ),
    **dict.fromkeys(("message/disposition-notification", "message/global-disposition-notification"), "disposition"),
    "message/feedback-report": "feedback",
    **dict.fromkeys(("text/calendar", "application/ics"), "calendar"),
    **dict.fromkeys(("application/ms-tnef", "application/vnd.ms-tnef"), "tnef"),
}
_HOLDING_NAMES = {"winmail.dat": "tnef", "win.dat": "tnef"}


@dataclass(slots=True)
class Walked:
    """What the walk over a tree gives: a row for each node, the bodies, and what is still to be opened."""

    rows: list[Part] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Described:
    """What the headers of a part say of its content."""

    content_type: str
    charset: str | None
    transfer_encoding: str | None
    disposition: str | None
    filename: str | None
    content_id: str | None
    problems: tuple[str, ...]
    protocol: str | None = None
    flowed: bool = False
    delsp: bool = False


@dataclass(slots=True)
class _Node:
    """A part on the way: where it is, and what lies around it."""

    part: tree.Entity
    path: str
    alternative: str | None = None
    attached: bool = False


def read(message: tree.Entity, fallback: str | None, defects: list[Defect], cut: Mapping[str, Leaf]) -> Walked:
    """A row for each node, and what it holds; a node that cannot be read whole gives what can, and a defect.

    fallback: the charset that the message speaks where it does not say. cut: by path, the measures of those leaves
    whose content is not all in the message.
    """
    walked = Walked()
    waiting = [_Node(message, "1")]
    parameters = 0
    while waiting:
        node = waiting.pop()
        told = tuple([field for field in node.part.fields if field[0] in _DESCRIBING])
        parameters += sum(value.count(";") for _, value in told)
        told = _bounded(node, told, parameters, defects)
        described = _described(node, told, fallback, defects)
        waiting += reversed(_children(node, described))
        content = None if node.part.is_multipart() else _content(node, described, defects)
        leaf = cut.get(node.path) if cut and content is not None else None
        walked.rows.append(_row(node, described, content, leaf))
        if content is not None and (body := _body(node, described, content)):
            walked.bodies.append(body)
        if what := _holding(described):
            if leaf:
                defects.append(Defect("unopened", node.path, f"{leaf.octets} octets are too many to be looked into"))
            else:
                walked.held.append(Held(what, node.path, described.content_type, described.charset, node.part, content))
        seen = {type(d).__name__: Defect(type(d).__name__, node.path, _detail(d)) for d in node.part.defects}
        defects += seen.values()
    walked.rows = _without_images_of_pages(walked.rows, walked.bodies)
    return walked


def _holding(described: _Described) -> str | None:
    what = HOLDING.get(described.content_type)
    if what is None and described.filename:
        name = described.filename.lower()
        what = "calendar" if name.endswith(".ics") else _HOLDING_NAMES.get(name)
    return what


def _without_images_of_pages(rows: list[Part], bodies: list[Body]) -> list[Part]:
    """The rows, where what an HTML body shows in its place (RFC 2392) is no attachment, whatever its name."""
    if not any(row.attachment and row.content_id and row.disposition != "attachment" for row in rows):
        return rows
    pages = (body.content for body in bodies if body.html)
    shown = {b"<%b>" % unquote_to_bytes(cid) for page in pages for cid in _CID.findall(page)}

    def is_shown(row: Part) -> bool:
        return row.disposition != "attachment" and (row.content_id or "").encode() in shown

    return [replace(row, attachment=False) if row.attachment and is_shown(row) else row for row in rows]


def _detail(defect: errors.MessageDefect) -> str:
    return clean(str(defect) or type(defect).__doc__ or "")[:500]


def _bounded(node: _Node, told: _Told, parameters: int, defects: list[Defect]) -> _Told:
    if parameters <= tree.PARAMETERS_MAX and all(len(v) <= tree.PARAMETERS_CHARACTERS_MAX for _, v in told):
        return told
    defects.append(Defect("mime_header", node.path, "parameters too many or too long; not all are read"))
    return tuple((name, tree.bounded(value, parameters)) for name, value in told)


def _described(node: _Node, told: _Told, fallback: str | None, defects: list[Defect]) -> _Described:
    plain = all(value.isascii() for _, value in told)
    describe = _describe_again if sum(len(value) for _, value in told) < 500 else _describe
    try:
        described = describe(told, node.part.get_default_type(), None if plain else fallback)
    except Exception as error:  # the stdlib raises on real parts: broken RFC 2231
        defects.append(Defect("part", node.path, clean(f"{type(error).__name__}: {error}")))
        return _Described("application/octet-stream", None, None, None, None, None, ())
    defects += [Defect("mime_header", node.path, clean(problem)) for problem in described.problems]
    return described


def _describe(told: _Told, default_type: str, fallback: str | None) -> _Described:
    problems: list[str] = []
    view = Message()
    view.set_default_type(default_type)
    for name, value in told:
        view.set_raw(name, words.plain(value, fallback, problems))
    content_id, encoding = view.get("content-id"), view.get("content-transfer-encoding")
    content_type = view.get_content_type()
    flowed = content_type == "text/plain" and _told_of_type(view, "format") == "flowed"
    return _Described(
        content_type=clean(content_type),
        charset=_clean((view.get_content_charset() or "").strip()),
        transfer_encoding=_clean(encoding.strip().lower() if encoding else None),
        disposition=_clean(view.get_content_disposition()),
        filename=_clean(_filename(view, fallback, problems)),
        content_id=_clean(content_id.strip() if content_id else None),
        problems=tuple(problems),
        protocol=_clean(_told_of_type(view, told_by) if (told_by := protection.PARAMETERS.get(content_type)) else None),
        flowed=flowed,
        delsp=flowed and _told_of_type(view, "delsp") == "yes",
    )


def _told_of_type(view: Message, name: str) -> str:
    """A parameter of the Content-Type in lower case; "" where it is missing."""
    return utils.collapse_rfc2231_value(view.get_param(name, "")).strip().lower()


# Most parts are described alike: "text/plain; charset=utf-8" and little more.
_describe_again = lru_cache(maxsize=1024)(_describe)


def _filename(view: Message, fallback: str | None, problems: list[str]) -> str | None:
    """The file's name, by RFC 2231 as it should be or by RFC 2047 as it mostly is."""
    name = _parameter(view, "filename", "content-disposition") or _parameter(view, "name", "content-type")
    if not name:
        return None
    if isinstance(name, tuple):
        charset, _, octets = name
        name, problem = charsets.decode(octets.encode("raw-unicode-escape"), charset, fallback)
        problems += [problem] if problem else []
    name = utils.unquote(name).replace("\r", "").replace("\n", "").removeprefix('"')  # a quote that never ends
    return words.decode(name, fallback, problems).strip() or None


def _parameter(view: Message, name: str, header: str) -> str | tuple[str | None, str | None, str] | None:
    """A parameter; of a plain and an extended form (RFC 2231) the extended one, the other is for old readers."""
    if f"{name}*" not in view.get(header, "").lower():
        return view.get_param(name, None, header)
    forms = [value for key, value in view.get_params([], header) if key.lower() == name]
    return next((form for form in forms if isinstance(form, tuple)), forms[0] if forms else None)


def _children(node: _Node, described: _Described) -> list[_Node]:
    if not node.part.is_multipart():
        return []
    disposition = described.disposition
    # RFC 2183 section 2.9: a disposition holds for all that is in the container.
    attached = node.attached or disposition not in (None, "inline") or (disposition is None and described.filename)
    alternative = node.path if described.content_type == "multipart/alternative" else node.alternative
    children = (child for child in node.part.get_payload() if isinstance(child, tree.Entity))
    return [_Node(child, f"{node.path}.{i}", alternative, bool(attached)) for i, child in enumerate(children, start=1)]


def _content(node: _Node, described: _Described, defects: list[Defect]) -> bytes:
    """A leaf's content with its transfer encoding undone; damaged encodings give what they can."""
    try:
        part = node.part if described.transfer_encoding in _PLAIN else _plainly_encoded(node.part)
        content = part.get_payload(decode=True)
        if part is not node.part:
            node.part.defects += part.defects
        if any(isinstance(d, errors.InvalidBase64LengthDefect) for d in node.part.defects):
            content = _odd_base64(bytes(content), part)
    except Exception as error:  # the stdlib lets some errors of its codecs through
        defects.append(Defect("part", node.path, clean(f"{type(error).__name__}: {error}")))
        content = str(node.part.get_payload()).encode("utf-8", "surrogateescape")
    return content if isinstance(content, bytes) else b""


def _plainly_encoded(part: Message) -> Message:
    """The part, its transfer encoding named as the standard library knows it.

    "quoted-printable;" is none to it, nor, before Python 3.13, "base64 " with a blank behind it.
    """
    encoding, written = transfer.encoding_of(part), str(part.get("content-transfer-encoding", ""))
    if encoding == written.lower():
        return part
    plain = Message()
    plain["Content-Transfer-Encoding"] = encoding
    plain.set_payload(part.get_payload())
    return plain


def _odd_base64(content: bytes, part: Message) -> bytes:
    """Base64 with a digit too many, which the standard library gives up whole and mail clients read.

    Text that is only called base64 stays text.
    """
    if _BASE64.fullmatch(content):
        return bytes(decode_base64_payload(content.decode("ascii")))
    return str(part.get_payload()).encode("ascii", "surrogateescape")


def _row(node: _Node, described: _Described, content: bytes | None, leaf: Leaf | None) -> Part:
    attachment = _is_attachment(described, container=content is None)
    row = Part(
        path=node.path,
        content_type=described.content_type,
        charset=described.charset,
        transfer_encoding=described.transfer_encoding,
        disposition=described.disposition,
        filename=described.filename,
        content_id=described.content_id,
        octets=None if content is None else len(content),
        sha256=None if content is None else hashlib.sha256(content).digest(),
        attachment=attachment,
    )
    if leaf:
        row = replace(row, octets=leaf.octets, sha256=leaf.sha256)
        content = leaf.beginning
    is_text = content is not None and not attachment and described.content_type.startswith("text/")
    return _as_text(row, content or b"") if is_text else _as_file(row, node.part, described, content)


def _as_text(row: Part, content: bytes) -> Part:
    marked = protection.of_text(content)
    return replace(row, protection=marked[0], protected_by=marked[1]) if marked else row


def _as_file(row: Part, part: Message, described: _Described, content: bytes | None) -> Part:
    """The row of what is no text to read: a file, or what holds others."""
    marked = None
    if content is not None:
        marked = protection.of_file(row.content_type, described.protocol, content)
    elif row.content_type in protection.PARAMETERS:
        children = [child.get_content_type() for child in part.get_payload() if isinstance(child, Message)]
        marked = protection.of_multipart(row.content_type, described.protocol, children)
    if not (content or row.attachment or marked):
        return row
    return replace(
        row,
        safe_name=safe_name(row),
        sniffed_type=sniffing.sniffed(content) if content else None,
        protection=marked[0] if marked else None,
        protected_by=clean(marked[1]) if marked else None,
    )


def safe_name(row: Part) -> str | None:
    """What a file may be called where its own name will not do."""
    if not row.attachment:
        return None
    name = names.safe(row.filename, row.path, row.content_type)
    return None if name == row.filename else name


def _is_attachment(described: _Described, container: bool) -> bool:
    """What a reader would list as a file: by disposition, by name, or an object without a place in the text."""
    if container or described.disposition == "attachment":
        return described.disposition == "attachment"
    embedded = bool(described.content_id) and not described.content_type.startswith("text/")
    return bool(described.filename) or embedded


def _body(node: _Node, described: _Described, content: bytes) -> Body | None:
    """The part as a body, if mail-parser takes it for one: text that is no file, or a named file shown inline.

    The text of a message that has no other is taken too: a named part, or a multipart without parts.
    """
    maintype, _, subtype = described.content_type.partition("/")
    if not content or described.disposition == "attachment" or _is_binary(content, described.charset):
        return None
    if maintype == "multipart":
        subtype = "plain"
    elif (subtype not in ("plain", "html") and maintype != "text") or subtype in ("rtf", "calendar", "x-vcard"):
        return None
    shown = not node.attached and described.disposition == "inline" and maintype == "text"
    named = (bool(described.filename) and not shown) or maintype == "multipart" or subtype not in ("plain", "html")
    return Body(
        node.path, subtype == "html", content, described.charset, node.alternative, named,
        described.flowed, described.delsp,
    )  # fmt: skip


def _is_binary(content: bytes, charset: str | None) -> bool:
    """Files are sent as text by mistake; no charset but UTF-16 and UTF-32 has NULs, and text has few by accident."""
    return content.count(b"\0", 0, 1000) * 50 > min(len(content), 1000) and not (charset or "").startswith(
        ("utf-16", "utf-32", "utf16", "ucs")
    )


def _clean(text: str | None) -> str | None:
    return clean(text) if text else None
