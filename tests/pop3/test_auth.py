"""Which ways to log in, in which order, and the vectors of SASLprep."""

import itertools

import pytest

from etl.errors import Misconfigured, Stop, Untrusted
from etl.pop3 import auth
from etl.pop3.auth import PASSWORD_WAYS, REVEALING, TOKEN_WAYS, Credential, Offer
from etl.pop3.scram import ROUNDS_MAX, Scram, prepared

PASSWORD = Credential("ann", "hidden")
TOKEN = Credential("ann", "hidden", is_token=True)
ALL = Offer(("USER", "SASL LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"), b"<1@host>")


def ways(offer: Offer, credential: Credential = PASSWORD, *, secure: bool = True) -> tuple[str, ...]:
    """The ways on a line with TLS, or on one that is clear by the mailbox's wish."""
    return auth.ways(offer, credential, None, secure=secure, may_reveal=True)


def test_the_strongest_comes_first():
    """On a clear line APOP stands before all that shows the password; behind TLS it gains nothing."""
    assert ways(ALL, secure=False) == PASSWORD_WAYS
    assert ways(ALL) == ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN", "USER")
    assert ways(ALL, TOKEN) == TOKEN_WAYS


@pytest.mark.parametrize(
    ("offer", "secure", "expected"),
    [
        (Offer(None), False, ("USER",)),
        (Offer(None, b"<1@host>"), False, ("APOP", "USER")),
        (Offer(("UIDL", "user")), False, ("USER",)),
        (Offer(("SASL PLAIN",)), False, ("PLAIN",)),
        (Offer(("UIDL",)), True, ("USER",)),
        (Offer(("SASL SCRAM-SHA-256-PLUS plain",)), True, ("PLAIN",)),
    ],
)
def test_what_a_server_offers(offer: Offer, secure: bool, expected: tuple[str, ...]):
    """By CAPA, by the greeting, and USER where nobody says."""
    assert ways(offer, secure=secure) == expected


def test_a_token_without_capa_goes_by_xoauth2():
    """Who has tokens and no CAPA has this."""
    assert ways(Offer(None), TOKEN) == ("XOAUTH2",)


@pytest.mark.parametrize("offer", [Offer(("UIDL",)), Offer(("SASL GSSAPI",)), Offer(())])
def test_nothing_is_shown_to_a_server_that_names_no_way(offer: Offer):
    """On a clear line this is how it says that TLS must come first."""
    with pytest.raises(Stop, match="offers no way"):
        ways(offer, secure=False)


@pytest.mark.parametrize("credential", [PASSWORD, TOKEN])
@pytest.mark.parametrize("configured", [None, *PASSWORD_WAYS, *TOKEN_WAYS])
def test_nothing_that_reveals_the_secret_goes_over_a_clear_line_unasked(
    credential: Credential, configured: auth.Way | None
):
    """Whatever is offered or configured, without TLS and without tls = "none" only ways that hide it are left."""
    offers = (ALL, Offer(None), Offer(("USER", "SASL PLAIN LOGIN XOAUTH2")), Offer(("SASL SCRAM-SHA-1",)))
    for offer, secure in itertools.product(offers, (False,)):
        try:
            found = auth.ways(offer, credential, configured, secure=secure, may_reveal=False)
        except Stop:
            continue
        assert not REVEALING & set(found)


def test_a_configured_way_is_alone_and_must_fit():
    """Offered or not; but a password is no token, and APOP needs the greeting's timestamp."""
    chosen = auth.ways(Offer(("SASL PLAIN",)), PASSWORD, "SCRAM-SHA-1", secure=True, may_reveal=True)
    assert chosen == ("SCRAM-SHA-1",)
    with pytest.raises(Misconfigured, match="does not log in with a password"):
        auth.ways(ALL, PASSWORD, "XOAUTH2", secure=True, may_reveal=True)
    with pytest.raises(Stop, match="no timestamp"):
        auth.ways(Offer(None), PASSWORD, "APOP", secure=False, may_reveal=True)


@pytest.mark.parametrize("way", [*PASSWORD_WAYS, *TOKEN_WAYS])
def test_only_apop_in_clear_gives_way_after_any_refusal(way: auth.Way):
    """All others give way only where the mechanism was refused, not the password."""
    assert auth.may_go_on(way, unsupported=True, secure=False)
    assert not auth.may_go_on(way, unsupported=False, secure=True)
    assert auth.may_go_on(way, unsupported=False, secure=False) is (way == "APOP")


@pytest.mark.parametrize("octets", range(160, 190))
def test_no_command_line_is_longer_than_255_octets(octets: int):
    """RFC 2449 section 4 and RFC 5034 section 4: with the CRLF; what is longer waits for the plus."""
    initial = b"x" * octets
    command, begun = auth.auth_command("PLAIN", initial)
    assert len(command.line) <= 255
    assert begun is (len(b"AUTH PLAIN \r\n") + len(auth.encoded(initial)) <= 255)


@pytest.mark.parametrize("way", [way for way in (*PASSWORD_WAYS, *TOKEN_WAYS) if way not in ("APOP", "USER")])
def test_no_exchange_goes_on_for_ever(way: auth.Way):
    """A server that only ever asks is told off after a few steps, whatever it asks."""
    begun = auth.exchange(way, PASSWORD, "host", 110)
    with pytest.raises((Untrusted, Stop)):
        any(begun.respond(b"e=more") is None for _ in range(5))


def test_a_name_in_oauthbearer_and_scram_is_escaped():
    """A comma or an equals sign would end the name (RFC 5801 section 4, RFC 5802 section 5.1)."""
    initial = auth.exchange("OAUTHBEARER", Credential("a,b=c", "t", is_token=True), "h", 1).initial
    assert initial == b"n,a=a=2Cb=3Dc,\x01host=h\x01port=1\x01auth=Bearer t\x01\x01"
    assert Scram("sha1", "a,b=c", "x", nonce="n").initial == b"n,,n=a=2Cb=3Dc,r=n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I\xadX", "IX"),  # RFC 4013 section 3, example 1
        ("user", "user"),  # 2
        ("USER", "USER"),  # 3
        ("\xaa", "a"),  # 4
        ("\u2168", "IX"),  # 5
        ("\x07", "\x07"),  # 6, prohibited: as it is
        ("\u06271", "\u06271"),  # 7, mixed directions: as it is
        ("a\xa0b", "a b"),
        ("e\u0301", "\xe9"),
        ("\U0001f600", "\U0001f600"),
        ("\u0627\u0628", "\u0627\u0628"),
        ("", ""),
    ],
)
def test_saslprep(text: str, expected: str):
    """The examples of RFC 4013, and what it does to passwords that people have."""
    assert prepared(text) == expected


@pytest.mark.parametrize(
    ("server_first", "kind"),
    [
        (b"r=nx,s=c2FsdA==,i=%d" % (ROUNDS_MAX + 1), Stop),
        (b"r=nx,s=c2FsdA==,i=4095", Stop),
        (b"r=nx,s=c2FsdA==,i=-5000", Stop),
        (b"r=nx,s=c2FsdA==", Stop),
        (b"r=nx,s=c2FsdA,i=4096", Untrusted),
        (b"r=n,s=c2FsdA==,i=4096", Untrusted),
        (b"m=ext,r=nx,s=c2FsdA==,i=4096", Untrusted),
        (b"\xff", Untrusted),
        (b"", Untrusted),
    ],
)
def test_a_first_scram_message_that_is_no_good(server_first: bytes, kind: type[Stop | Untrusted]):
    """No proof is made of it."""
    with pytest.raises(kind):
        Scram("sha256", "ann", "hidden", nonce="n").respond(server_first)


def test_a_credential_shows_no_secret():
    """Its repr is the name alone."""
    assert repr(PASSWORD) == "Credential(ann)"
