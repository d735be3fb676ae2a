"""Reports on mail, as rows: of delivery (RFC 3464), of reading (RFC 8098), of abuse (RFC 5965).

They are blocks of fields like headers: one about the report, and in one of delivery, one for each recipient.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from email.message import Message

from etl.mime import headers, tree
from etl.mime.bounds import REPORT_BLOCKS_MAX, Room
from etl.mime.parts import Held
from etl.mime.rows import Defect, Nested, Report, ReportKind
from etl.mime.transfer import decoder

_VALUE_CHARACTERS_MAX = 2000

# By field name in lower case, the first value of a block.
_Block = dict[str, str]

_BLANK_LINES = re.compile(r"(?:\r?\n[ \t]*){2,}+")
_FIELD_BLANK = re.compile(rb"^([A-Za-z][A-Za-z0-9_-]{0,60})[ \t]+:", re.M)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)
_KINDS: dict[str, ReportKind] = {"delivery": "delivery", "disposition": "disposition", "feedback": "feedback"}


def read(held: Held, room: Room, fallback: str | None, defects: list[Defect]) -> list[Report]:
    """A row for each recipient that the report names; one without a recipient where it names none."""
    blocks = []
    for message in _blocks(held):
        if not room.report_blocks:
            detail = f"over {REPORT_BLOCKS_MAX} blocks of fields; those behind are not read"
            defects.append(Defect("report", held.path, detail))
            break
        room.report_blocks -= 1
        if block := _block(message, fallback):
            blocks.append(block)
    if not blocks:
        defects.append(Defect("report", held.path, "it has no fields"))
        return []
    kind = _KINDS[held.what]
    if kind == "disposition":
        return [_disposition(held.path, blocks[0])]
    if kind == "feedback":
        return [_feedback(held.path, blocks[0])]
    about, recipients = _split(blocks)
    return [_delivery(held.path, about, recipient) for recipient in recipients]


def with_originals(reports: Sequence[Report], nested: Sequence[Nested]) -> list[Report]:
    """The reports, where they do not say themselves with the id of the message that was returned beside them."""
    beside: dict[str, str] = {}
    for message in nested:
        # Of a message the path is its own part's child, of headers alone it is the part.
        multipart = message.path.rsplit(".", 2 if message.kind == "message" else 1)[0]
        if message.message_id:
            beside.setdefault(multipart, message.message_id)
    return [
        replace(report, original_message_id=report.original_message_id or beside.get(report.path.rpartition(".")[0]))
        for report in reports
    ]


def _blocks(held: Held) -> Iterator[Message]:
    """The blocks of fields, in order. A delivery status is a node with a child for each; others are one."""
    if held.content is not None:  # called a report, and not taken for a message by the parser
        yield from map(tree.parse, _texts(held.content))
        return
    for child in held.part.get_payload():
        if not isinstance(child, Message):
            continue
        if child.keys():
            yield child
        payload = child.get_payload()
        if isinstance(payload, str) and payload.strip():
            yield from map(tree.parse, _texts(_undone(held.part, payload)))


def _undone(part: Message, payload: str) -> bytes:
    """Some encode what is to be 7-bit text."""
    undo = decoder(str(part.get("content-transfer-encoding", "")).strip().lower())
    return undo.feed(payload.encode("utf-8", "surrogateescape")) + undo.close()


def _texts(content: bytes) -> list[bytes]:
    text = content.decode("utf-8", "surrogateescape").strip()
    blocks = (block.encode("utf-8", "surrogateescape") for block in _BLANK_LINES.split(text, REPORT_BLOCKS_MAX))
    return [_FIELD_BLANK.sub(rb"\1:", block) for block in blocks if block]  # some set a blank before the colon


def _block(message: Message, fallback: str | None) -> _Block:
    fields = headers.firsts(headers.decoded(message, fallback, []))
    return {name: " ".join(value[:_VALUE_CHARACTERS_MAX].split()) for name, value in fields.items()}


def _split(blocks: list[_Block]) -> tuple[_Block, list[_Block]]:
    """The block about the report, and those of recipients; some reports have all in one, some none about themselves."""
    recipients = [block for block in blocks if "final-recipient" in block or "action" in block]
    about = next((block for block in blocks if "reporting-mta" in block), blocks[0])
    return about, recipients or [{}]


def _delivery(path: str, about: _Block, recipient: _Block) -> Report:
    status = _STATUS.search(recipient.get("status", ""))
    return Report(
        path=path,
        kind="delivery",
        final_recipient=_typed(recipient.get("final-recipient")),
        original_recipient=_typed(recipient.get("original-recipient")),
        action=_word(recipient.get("action")),
        status=status[0] if status else None,
        diagnostic=_typed(recipient.get("diagnostic-code")),
        reporter=_typed(about.get("reporting-mta")),
        remote_host=_typed(recipient.get("remote-mta")),
        original_message_id=_message_id(about, "x-original-message-id", "original-message-id"),
    )


def _disposition(path: str, block: _Block) -> Report:
    # "manual-action/MDN-sent-manually; displayed", behind a slash what modifies it.
    disposition = block.get("disposition", "").rpartition(";")[2].partition("/")[0]
    return Report(
        path=path,
        kind="disposition",
        final_recipient=_typed(block.get("final-recipient")),
        original_recipient=_typed(block.get("original-recipient")),
        action=_word(disposition),
        status=None,
        diagnostic=block.get("failure") or block.get("error") or block.get("warning"),
        reporter=block.get("reporting-ua"),
        remote_host=_typed(block.get("mdn-gateway")),
        original_message_id=_message_id(block, "original-message-id"),
    )


def _feedback(path: str, block: _Block) -> Report:
    return Report(
        path=path,
        kind="feedback",
        final_recipient=_address(block.get("original-rcpt-to") or block.get("removal-recipient")),
        original_recipient=None,
        action=_word(block.get("feedback-type")),
        status=None,
        diagnostic=block.get("authentication-results"),
        reporter=block.get("user-agent"),
        remote_host=block.get("source-ip"),
        original_message_id=None,
    )


def _typed(value: str | None) -> str | None:
    """What stands behind the type: "rfc822; ann@example.org", "dns; mx.example.org", "smtp; 550 no"."""
    if not value:
        return None
    kind, semicolon, rest = value.partition(";")
    known = semicolon and " " not in kind.strip()
    return _address(rest if known else value)


def _address(value: str | None) -> str | None:
    value = (value or "").strip()
    return value.removeprefix("<").removesuffix(">") or None if value.startswith("<") else value or None


def _word(value: str | None) -> str | None:
    """One word in lower case, without a comment behind it."""
    words = (value or "").lower().split()
    return words[0].strip(";,") or None if words else None


def _message_id(block: _Block, *names: str) -> str | None:
    return next((block[name] for name in names if block.get(name)), None)
