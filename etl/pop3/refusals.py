"""What a refusal asks of the caller: come later, or have a person look (RFC 2449 section 8, RFC 3206).

A response code decides; without one that we know, the words do. Text in, errors out.
"""

import re

from etl.errors import Busy, Stop
from etl.pop3.replies import response_code

PASSING_CODES = frozenset({"IN-USE", "LOGIN-DELAY", "SYS/TEMP"})
FINAL_CODES = frozenset({"AUTH", "SYS/PERM"})

# In this order. "Invalid password, try again" must not be tried again for ever (accounts get locked),
# but "temporary authentication failure" must; a mailbox is locked for a while, an account by somebody.
_PASSING = re.compile(
    r"in use|\bbusy\b|temporar|too many|\blater\b|\bwait\b|frequent|every \d+|already locked"
    r"|(mailbox|maildrop|mail drop|inbox)\b.*\block|\block.*\b(mailbox|maildrop|mail drop|inbox)\b",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"password|credential|authenticat|invalid|incorrect|denied|disabled|suspended|blocked|unknown user"
    r"|\b(account|user)\b.*\blocked",
    re.IGNORECASE,
)
# QUIRK(netease): "-ERR Download exceed" is a day's volume used up; tomorrow it goes on.
_PERHAPS_PASSING = re.compile(r"\block|try again|unavailable|exceed|overload", re.IGNORECASE)

# QUIRK(hotmail): "login allowed only every 15 minutes", at STAT.
_SPAN = re.compile(r"(\d{1,5}) ?(seconds?|secs?|minutes?|mins?|hours?|hrs?|s|m|h)\b", re.IGNORECASE)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}

_NOT_KNOWN = (
    r"(unsupported|not supported|unknown|unrecogni[sz]ed|unimplemented|not implemented|not (enabled|available|allowed))"
)
_MECHANISM = r"\b(mechanism|method|command|scheme|auth(entication)? (type|method|scheme))"
_UNSUPPORTED = re.compile(f"{_NOT_KNOWN}.{{0,40}}{_MECHANISM}|{_MECHANISM}.{{0,40}}{_NOT_KNOWN}", re.IGNORECASE)


def failure(what: str, text: str, login_delay_seconds: float | None = None) -> Busy | Stop:
    """The error that a refusal means. what: who refused what; text: the server's words.

    login_delay_seconds: what CAPA said, for a LOGIN-DELAY that does not tell how long.
    """
    sentence = f"{what}: {text or 'no reason given'}"
    if not passes(text):
        return Stop(sentence)
    wait = _span_seconds(text)
    if wait is None and response_code(text) == "LOGIN-DELAY":
        wait = login_delay_seconds
    return Busy(f"{sentence}; try again {'later' if wait is None else f'in {wait:g} seconds'}", wait)


def passes(text: str) -> bool:
    """Whether a refusal tells of trouble that passes by itself."""
    code = response_code(text)
    if code in PASSING_CODES or code in FINAL_CODES:
        return code in PASSING_CODES
    if _PASSING.search(text):
        return True
    return not _FINAL.search(text) and bool(_PERHAPS_PASSING.search(text))


def unsupported(text: str) -> bool:
    """Whether a refusal of AUTH is about the mechanism, and says nothing of the password."""
    return response_code(text) not in PASSING_CODES | FINAL_CODES and bool(_UNSUPPORTED.search(text))


def _span_seconds(text: str) -> float | None:
    match = _SPAN.search(text)
    return int(match[1]) * _SECONDS[match[2][0].lower()] if match else None
