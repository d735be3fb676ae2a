"""Where headers and parts begin in a message, worked out for messages with defects only."""

import re
from email.message import Message
from functools import cached_property
from typing import cast

from msgspec.structs import replace

from etl.mime import bounds
from etl.mime.rows import Defect
from etl.mime.tree import Entity

# A field as the tree reads it, regular or not: see tree._HEADER_LINES.
_FIELD = re.compile(rb"(?!From )[!-9;-~]++:")
_NEXT_FIELD = re.compile(rb"[\r\n](?!From )[!-9;-~]++:")


class Offsets:
    """The places of one message."""

    def __init__(self, raw: bytes, message: Entity) -> None:
        self._raw = raw
        self._message = message

    def header(self, number: int) -> int | None:
        """Where the message's header of this number, from 0, begins."""
        return self._headers[number] if number < len(self._headers) else None

    def placed(self, defects: list[Defect]) -> list[Defect]:
        """The defects to be told, those of parts with where their part begins."""
        defects = bounds.told(defects)
        if all(defect.offset is not None for defect in defects):
            return defects
        return [
            defect if defect.offset is not None else replace(defect, offset=self._part(defect)) for defect in defects
        ]

    @cached_property
    def _headers(self) -> list[int]:
        end = self._message.body
        found = [0] if _FIELD.match(self._raw, 0, end) else []
        found += [field.start() + 1 for field in _NEXT_FIELD.finditer(self._raw, 0, end)]
        # Where the two notions of a field part, nothing is told rather than something wrong.
        return found if len(found) == len(self._message.keys()) else []

    def _part(self, defect: Defect) -> int | None:
        node: Message = self._message
        root, *path = defect.place.split(".")
        if root != "1":
            return None
        for number in path:
            children = node.get_payload()
            if not (number.isdecimal() and isinstance(children, list) and 0 < int(number) <= len(children)):
                return None
            node = cast(Message, children[int(number) - 1])
        return node.start if isinstance(node, Entity) else None


# Of what is no message off the wire.
NOWHERE = Offsets(b"", Entity())
