"""How to log in: the strongest of what the server offers (RFC 1939 section 7).

Values only: which commands to send in which order; `session` sends them.
"""

import hashlib

from etl.errors import Misconfigured
from etl.pop3.protocol import Command


def refuse_line_breaks(username: str, password: str) -> None:
    """Raise Misconfigured for a credential that would become a second command."""
    for name, value in (("username", username), ("password", password)):
        if set(value) & set("\r\n\0"):
            raise Misconfigured(f"the {name} holds a line break or NUL; nothing was sent")


def user_pass(username: str, password: str) -> list[Command]:
    """Plain user and password, in UTF-8 (RFC 6856 section 3 asks for it; others take the bytes)."""
    return [Command("USER", username.encode()), Command("PASS", password.encode())]


def apop(username: str, password: str, challenge: bytes) -> list[Command]:
    """APOP: the password itself stays at home."""
    digest = hashlib.md5(challenge + password.encode(), usedforsecurity=False).hexdigest()
    return [Command("APOP", f"{username} {digest}".encode())]
