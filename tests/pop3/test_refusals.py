"""What a refusal means: code first, then words."""

import pytest

from etl.errors import Busy, Stop
from etl.pop3 import refusals


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("[IN-USE] Do you have another POP session running?", None),
        ("[in-use] mailbox locked, wait 30 seconds", 30.0),
        ("[LOGIN-DELAY] minimum time between mail checks violation", 600.0),
        ("[SYS/TEMP] Temporary internal problem", None),
        ("[SYS/TEMP] password database is away", None),
        ("login allowed only every 15 minutes", 900.0),
        ("Maildrop already locked", None),
        ("Unable to lock maildrop: Mailbox is locked by POP server", None),
        ("mailbox in use by another client", None),
        ("Temporary authentication failure", None),
        ("Too many connections from your address, try again in 2 min", 120.0),
        ("server busy", None),
        ("Download exceed", None),
        ("please try again", None),
        ("wait 1h", 3600.0),
        ("[XYZZY] temporarily away", None),
    ],
)
def test_what_passes_by_itself(text: str, seconds: float | None):
    """A Busy, with the pause that the server names; for LOGIN-DELAY the one of CAPA."""
    failure = refusals.failure("host refused STAT", text, login_delay_seconds=600.0)
    assert isinstance(failure, Busy)
    assert failure.wait_seconds == seconds
    assert str(failure).startswith(f"host refused STAT: {text}; try again ")


@pytest.mark.parametrize(
    "text",
    [
        "[AUTH] invalid user or password, try again later",
        "[SYS/PERM] mailbox is gone, do not wait",
        "Invalid login or password, try again",
        "Your account is locked, call us",
        "Authentication failed.",
        "no such mailbox",
        "",
    ],
)
def test_what_a_person_must_see_to(text: str):
    """A Stop: to repeat it would only lock the account."""
    assert isinstance(refusals.failure("host refused the login", text), Stop)


@pytest.mark.parametrize(
    ("text", "about_the_mechanism"),
    [
        ("Unsupported authentication mechanism.", True),
        ("SASL mechanism CRAM-MD5 is not supported", True),
        ("Unknown command", True),
        ("Command not implemented", True),
        ("authentication type not supported", True),
        ("unrecognized AUTH type", True),
        ("[AUTH] unsupported mechanism", False),
        ("[IN-USE] command not available", False),
        ("Unknown user", False),
        ("Authentication failed: unknown user or bad password", False),
        ("bad credentials", False),
        ("unknown SASL error", False),
    ],
)
def test_whether_the_mechanism_is_refused_or_the_password(text: str, about_the_mechanism: bool):
    """Only the first allows to try another mechanism with the same password."""
    assert refusals.unsupported(text) is about_the_mechanism
