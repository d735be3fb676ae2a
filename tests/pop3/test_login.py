"""Logins, replayed from transcripts whole, byte by byte and cut at random."""

import asyncio
import math
from typing import Any

import pytest

from etl.errors import Busy, Failure, Misconfigured, Stop, Untrusted
from etl.pop3 import scram
from etl.pop3.connection import Connection
from etl.pop3.login import Account, Greeted, log_in
from etl.pop3.session import Session
from tests.pop3 import replay

# RFC 7677 and RFC 5802: both ends' nonces are part of the vectors.
NONCE_SHA_256 = "rOprNGfwEbeRWgbNEkqO"
NONCE_SHA_1 = "fyko+d2lbbFgONRv9qkxdawL"
TOKEN_RFC_7628 = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

PENCIL = {"username": "user", "password": "pencil"}
TIM = {"username": "tim", "password": "tanstaaftanstaaf"}
MROSE = {"username": "mrose", "password": "tanstaaf"}
TOKEN = {"username": "someuser@example.com", "token": "ya29.vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg"}
BEARER = {"username": "user@example.com", "token": TOKEN_RFC_7628}


def play(name: str, cut: replay.Cut, wire: list[str] | None = None, **account: Any) -> Greeted:
    """Log in against a transcript, and see that all of it was used."""
    line = replay.Line(replay.read(name), cut)
    wanted = Account(**{"host": "server.example.com", "port": 143, "tls": "none", **account})

    async def run() -> Greeted:
        on_wire = wire.append if wire is not None else None
        return await log_in(Connection(line, line, "replay", 1, on_wire), wanted, None)  # type: ignore[arg-type]

    try:
        return asyncio.run(run())
    finally:
        assert line.left == []


@pytest.fixture(autouse=True)
def nonce(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's nonce of the RFC whose vector is replayed."""
    chosen = NONCE_SHA_1 if "scram_sha_1" in request.node.name else NONCE_SHA_256
    monkeypatch.setattr(scram.secrets, "token_urlsafe", lambda _: chosen)


@pytest.mark.parametrize(
    ("name", "account", "way"),
    [
        ("scram_sha_256", PENCIL, "SCRAM-SHA-256"),
        ("scram_sha_1", PENCIL, "SCRAM-SHA-1"),
        ("cram_md5", TIM, "CRAM-MD5"),
        ("apop", MROSE, "APOP"),
        ("apop_without_secret", MROSE, "USER"),
        ("plain", TIM, "PLAIN"),
        ("plain_in_two_lines", {"username": "tim", "password": "p" * 180}, "PLAIN"),
        ("plain_in_utf8", {"username": "zoë", "password": "pässwörd☃"}, "PLAIN"),
        ("login", TIM, "LOGIN"),
        ("user", TIM, "USER"),
        ("user_without_capa", TIM, "USER"),
        ("gmail", TIM, "PLAIN"),
        ("xoauth2", {**TOKEN, "token": "eyJ0" + "A1b2" * 60}, "XOAUTH2"),
        ("oauthbearer", BEARER, "OAUTHBEARER"),
    ],
)
def test_a_login_goes_as_in_its_transcript(name: str, account: dict[str, Any], way: str):
    """Each way in, however the server's answers are cut."""
    assert [play(name, cut, **account).mechanism for cut in replay.cuts()] == [way] * 7


@pytest.mark.parametrize(
    ("name", "account", "kind", "sentence"),
    [
        ("scram_server_unproved", PENCIL, Stop, "could not prove that it knows the password"),
        ("scram_accepted_early", PENCIL, Stop, "without proving that it knows the password"),
        ("scram_few_rounds", PENCIL, Stop, "asks for 1 rounds"),
        ("scram_other_nonce", PENCIL, Untrusted, "does not answer ours"),
        ("scram_refused", PENCIL, Stop, "refused the login of user by SCRAM-SHA-256: \\[AUTH\\] Authentication failed"),
        ("scram_refused_inside", PENCIL, Stop, "no \\(invalid-proof\\)"),
        ("scram_unsupported", PENCIL, Stop, "refused the login of user by SCRAM-SHA-1"),
        ("login_asks_more", TIM, Untrusted, "asks for more"),
        ("xoauth2_refused", TOKEN, Stop, "bad credential \\(401\\); check username and token"),
        ("oauthbearer_refused", BEARER, Stop, "no \\(invalid_token\\); check username and token"),
        ("nothing_offered", TIM, Stop, 'offers no way to log in .* tls = "starttls"'),
        ("user_echoes", TIM, Stop, "unknown command PASS \\*\\*\\*"),
        ("user_in_use", TIM, Busy, "Do you have another POP session running"),
        ("user_login_delay", TIM, Busy, "try again in 300 seconds"),
    ],
)
def test_a_login_ends_as_in_its_transcript(name: str, account: dict[str, Any], kind: type[Failure], sentence: str):
    """Each refusal: what it is, in which words, and that nothing is sent after it."""
    for cut in replay.cuts():
        with pytest.raises(kind, match=sentence) as caught:
            play(name, cut, **account)
        assert type(caught.value) is kind
        assert "server.example.com:143" in str(caught.value)


@pytest.mark.parametrize(("name", "seconds"), [("user_in_use", None), ("user_login_delay", 300.0)])
def test_a_busy_server_says_how_long(name: str, seconds: float | None):
    """CAPA's LOGIN-DELAY tells how long to wait where the refusal does not."""
    with pytest.raises(Busy) as caught:
        play(name, 1, **TIM)
    assert caught.value.wait_seconds == seconds


@pytest.mark.parametrize(
    ("name", "account", "configured"),
    [("user", TIM, "USER"), ("plain", TIM, "PLAIN"), ("cram_md5", TIM, "CRAM-MD5"), ("apop", MROSE, "APOP")],
)
def test_a_configured_way_is_taken(name: str, account: dict[str, Any], configured: str):
    """What the mailbox names is done, and no other."""
    assert play(name, 1, auth=configured, **account).mechanism == configured


def test_a_configured_way_has_no_successor(monkeypatch: pytest.MonkeyPatch):
    """APOP by name, refused: USER is not tried, and the transcript's rest is not reached."""
    text = replay.read("apop_without_secret")
    monkeypatch.setattr(replay, "read", lambda _: text[: text.index("> USER")])
    with pytest.raises(Stop, match="by APOP"):
        play("apop_without_secret", 1, auth="APOP", **MROSE)


@pytest.mark.parametrize("name", sorted(path.stem for path in replay.TRANSCRIPTS.glob("*.txt")))
def test_no_secret_is_shown(name: str):
    """The wire log, the errors and what is recorded hold no secret, nor anything made from one."""
    account = next(
        a for part, a in
        (("scram", PENCIL), ("xoauth2_", TOKEN), ("xoauth2", {**TOKEN, "token": "eyJ0" + "A1b2" * 60}),
         ("oauthbearer", BEARER), ("apop", MROSE), ("two_lines", {"username": "tim", "password": "p" * 180}),
         ("utf8", {"username": "zoë", "password": "pässwörd☃"} if name == "plain_in_utf8" else TIM), ("", TIM))
        if part in name
    )  # fmt: skip
    wire: list[str] = []
    try:
        shown = repr(play(name, 1_000_000, wire, **account, utf8=name == "utf8"))
    except Failure as failure:
        shown = repr(failure)
    shown += "\n".join(wire)
    sent = [line[2:] for line in replay.read(name).splitlines() if line.startswith("> ")]
    secrets = [account.get("password") or account["token"], *(s for line in sent for s in line.split() if len(s) > 24)]
    assert [secret for secret in secrets if secret in shown] == []
    assert wire[:2] == [f"< {replay.read(name).splitlines()[1][2:]}", "= authorization"]


def test_the_wire_log_reads_like_the_dialogue():
    """Sent, received and state; capabilities whole, secrets as stars."""
    wire: list[str] = []
    play("cram_md5", 1, wire, **TIM)
    assert wire == [
        "< +OK ready", "= authorization", "> CAPA", "< +OK", "< SASL LOGIN PLAIN CRAM-MD5",
        "> AUTH CRAM-MD5", "< + ***", "> (response) ***", "< +OK", "= transaction", "> CAPA", "< +OK", "< UIDL",
    ]  # fmt: skip


def test_utf8_is_asked_for_only_where_wanted():
    """The mode is recorded beside what it alters."""
    assert play("utf8", 1, utf8=True, **TIM).utf8
    assert not play("user", 1, utf8=True, **TIM).utf8


def test_what_capa_says_of_time():
    """LOGIN-DELAY and EXPIRE as values; nothing said is None, NEVER is infinity."""
    greeted = play("gmail", 1, **TIM)
    assert (greeted.login_delay_seconds, greeted.expire_days) == (300.0, 0.0)
    assert (play("user", 1, **TIM).login_delay_seconds, play("user", 1, **TIM).expire_days) == (None, None)
    assert Greeted("", ("EXPIRE NEVER", "LOGIN-DELAY soon"), None, "USER", None).expire_days == math.inf
    assert Greeted("", ("EXPIRE 30 USER",), None, "USER", None).expire_days == 30.0
    assert Greeted("", ("LOGIN-DELAY soon",), None, "USER", None).login_delay_seconds is None


@pytest.mark.parametrize(
    "account",
    [
        {"username": "ann\r\nDELE 1", "password": "x"},
        {"username": "ann", "password": "a\nb"},
        {"username": "ann", "password": "a\0b"},
        {"username": "ann", "password": ""},
        {"username": "ann", "password": "\udcff"},
        {"username": "ann", "token": "a\1b"},
        {"username": "ann", "token": "a\r\n"},
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_line_is_opened(account: dict[str, Any]):
    """Port 1 would say "cannot connect"; it is not even tried."""
    with pytest.raises(Misconfigured, match="nothing was sent"):
        asyncio.run(Session.open(Account(host="127.0.0.1", port=1, tls="none", **account)))


def test_an_account_shows_no_secret():
    """Neither repr nor str of it, nor of its credential."""
    account = Account("server.example.com", 110, "none", "ann", token="hidden-token")
    for shown in (repr(account), str(account), repr(account.credential), f"{account!r}"):
        assert "hidden" not in shown
