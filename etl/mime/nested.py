"""Messages inside a message, as rows: forwarded as attachment, in a digest, returned by a bounce."""

from etl.mime import headers, tree
from etl.mime.parts import Held
from etl.mime.rows import Defect, Nested, clean


def read(held: Held, fallback: str | None, defects: list[Defect]) -> list[Nested]:
    """The message or the headers that the part holds; none where it holds nothing."""
    message, path = _message(held)
    if message is None or not message.keys():
        return []
    problems: list[Defect] = []
    decoded = headers.decoded(message, fallback, problems)
    # The outer message's defects name a header by its name; these stand elsewhere.
    defects += {p.kind: Defect(p.kind, path, clean(f"{p.place}: {p.detail}")[:500]) for p in problems}.values()
    firsts = headers.firsts(decoded)
    raw = message.fields
    senders = headers.participants([(name, value) for name, value in raw if name == "from"][:1], fallback, [])
    return [
        Nested(
            path=path,
            kind="headers" if held.what == "headers" else "message",
            subject=firsts.get("subject"),
            from_name=senders[0].name if senders else None,
            from_address=senders[0].address if senders else None,
            sent_at=headers.date(raw, []).at,
            message_id=firsts.get("message-id"),
            headers=decoded,
        )
    ]


def _message(held: Held) -> tuple[tree.Entity | None, str]:
    """The message held, and the path of its first node."""
    if held.content is not None:
        return tree.parse(held.content), held.path
    children = held.part.get_payload()
    child = children[0] if isinstance(children, list) and children else None
    return (child if isinstance(child, tree.Entity) else None), f"{held.path}.1"
