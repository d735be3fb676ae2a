"""How a message was sent, as its headers tell: by a machine, in an Outlook conversation."""

import base64
import binascii
from collections.abc import Callable

from etl.mime.rows import Manner

# [MS-OXOMSG] 2.2.1.3: the first byte, then five of time, sixteen of GUID, and five for each answer.
_CONVERSATION_OCTETS = 22
_ANSWER_OCTETS = 5
# Outlook writes 22 + 5 for each answer; nobody answers so often.
_THREAD_INDEX_OCTETS_MAX = 2000


def read(headers: list[tuple[str, str]]) -> list[Manner]:
    """What the headers (names in lower case) tell; nothing of most mail between people."""
    automatic = thread_index = None
    for name, value in headers:
        if name == "thread-index":
            thread_index = thread_index or _thread_index(value)
        elif name in _TELLING and _TELLING[name](value):
            automatic = automatic or name
    return [Manner(automatic, thread_index)] if automatic or thread_index else []


def _word(value: str) -> str:
    """The first word of a value, in lower case."""
    return value.partition(";")[0].partition("(")[0].strip().lower()


def _thread_index(value: str) -> bytes | None:
    """The bytes of a Thread-Index; None for what cannot be one."""
    try:
        index = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    answers, rest = divmod(len(index) - _CONVERSATION_OCTETS, _ANSWER_OCTETS)
    whole = index[:1] == b"\x01" and answers >= 0 and not rest and len(index) <= _THREAD_INDEX_OCTETS_MAX
    return index if whole else None


def _says_so(value: str) -> bool:
    return _word(value) not in ("no", "")


# The headers that may tell of a machine, and what says whether a value does.
_TELLING: dict[str, Callable[[str], bool]] = {
    "auto-submitted": _says_so,  # RFC 3834
    "x-autoreply": _says_so,
    "x-auto-reply": _says_so,
    "x-autorespond": _says_so,
    "x-autoresponder": _says_so,
    # In no RFC. Lists that people write to say bulk or list: no sign of a machine.
    "precedence": lambda value: _word(value) in ("auto_reply", "auto-reply"),
    "return-path": lambda value: value.strip() == "<>",  # of those who want no answer: RFC 5321, 4.5.5
    "content-type": lambda value: _word(value) == "multipart/report",  # RFC 6522: delivery reports, read receipts
}
