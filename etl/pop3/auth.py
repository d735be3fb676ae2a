"""How to log in: which ways, in which order, and what each of them says.

RFC 1939 (USER, APOP), 5034 (AUTH), 4616 (PLAIN), 2195 (CRAM-MD5), 5802 and 7677 (SCRAM), 7628 (OAUTHBEARER).
Values and small state objects only: bytes in, bytes out; `login` carries them over the wire.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Literal, Protocol

from etl.errors import Misconfigured, Stop, Untrusted
from etl.pop3.protocol import Command
from etl.pop3.replies import parameters, readable
from etl.pop3.scram import Scram

Way = Literal[
    "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "APOP", "PLAIN", "LOGIN", "USER", "OAUTHBEARER", "XOAUTH2"
]  # fmt: skip

# Strongest first. USER is USER and PASS; APOP and USER are commands of their own, the others are SASL.
PASSWORD_WAYS: tuple[Way, ...] = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "APOP", "PLAIN", "LOGIN", "USER")
TOKEN_WAYS: tuple[Way, ...] = ("OAUTHBEARER", "XOAUTH2")
# Whoever reads the line learns the secret from these.
REVEALING: frozenset[Way] = frozenset({"PLAIN", "LOGIN", "USER", "OAUTHBEARER", "XOAUTH2"})

# RFC 2449 section 4, with the CRLF. A longer line waits for the server's "+" (RFC 5034 section 4);
# Microsoft 365 takes tokens in no other way, and they are always longer.
COMMAND_OCTETS_MAX = 255


@dataclass(frozen=True)
class Credential:
    """Who logs in, and with what: a password, or an OAuth access token."""

    username: str
    secret: str
    is_token: bool = False

    @property
    def kind(self) -> str:
        """What the secret is called."""
        return "token" if self.is_token else "password"

    def __repr__(self) -> str:
        return f"Credential({self.username})"


@dataclass(frozen=True)
class Offer:
    """What a server offers. capabilities: CAPA's lines, None without CAPA. timestamp: APOP's, from the greeting."""

    capabilities: tuple[str, ...] | None
    timestamp: bytes | None = None

    def has(self, way: Way, secure: bool) -> bool:
        """Whether to count on this way without being told to.

        QUIRK: some servers greet with a timestamp and have no secret for APOP. On a clear line the
        password is worth the try; behind TLS, APOP (MD5) protects nothing and is left out.
        """
        sasl = parameters(self.capabilities, "SASL")
        if way == "APOP":
            return self.timestamp is not None and not secure
        if way == "USER":
            return self._has_user(secure)
        # Without CAPA nobody says; XOAUTH2 is what servers with tokens had first.
        return way in sasl or (way == "XOAUTH2" and self.capabilities is None)

    def _has_user(self, secure: bool) -> bool:
        """USER stands in CAPA, or there is no CAPA.

        A server whose CAPA names no way at all gets USER too, but behind TLS only: on a clear line
        this is how a server says that it wants TLS first, and the password would be shown for nothing.
        """
        if self.capabilities is None or any(line.upper().split()[:1] == ["USER"] for line in self.capabilities):
            return True
        return secure and not parameters(self.capabilities, "SASL")


def check(credential: Credential) -> None:
    """Raise Misconfigured for a credential that cannot be sent, before anything is."""
    for name, value in (("username", credential.username), (credential.kind, credential.secret)):
        if not value:
            raise Misconfigured(f"the {name} is empty; nothing was sent")
        if set(value) & set("\r\n\0"):
            raise Misconfigured(f"the {name} holds a line break or NUL; nothing was sent")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Misconfigured(f"the {name} is not UTF-8; nothing was sent")
        # \1 parts the fields of both token mechanisms.
        if credential.is_token and "\1" in value:
            raise Misconfigured(f"the {name} holds a control character; nothing was sent")


def ways(
    offer: Offer, credential: Credential, configured: Way | None, *, secure: bool, may_reveal: bool
) -> tuple[Way, ...]:
    """The ways to try, strongest first; the configured one alone, offered or not.

    secure: the line has TLS. may_reveal: it has, or clear text was asked for by name.
    Raises Stop where there is none.
    """
    kinds = TOKEN_WAYS if credential.is_token else PASSWORD_WAYS
    if configured and configured not in kinds:
        raise Misconfigured(f"{configured} does not log in with a {credential.kind}")
    if configured == "APOP" and offer.timestamp is None:
        raise Stop("the greeting has no timestamp for APOP; choose another auth")
    possible = (configured,) if configured else tuple(way for way in kinds if offer.has(way, secure))
    allowed = tuple(way for way in possible if may_reveal or way not in REVEALING)
    if possible and not allowed:
        raise Stop(f"{possible[0]} would show the {credential.kind} on a line without TLS")
    if not allowed:
        offered = " ".join(parameters(offer.capabilities, "SASL")) or "none"
        advice = "name one as auth to try it anyway" if secure else 'perhaps it wants TLS first: tls = "starttls"'
        raise Stop(f"the server offers no way to log in with a {credential.kind} (SASL: {offered}); {advice}")
    return allowed


def may_go_on(way: Way, unsupported: bool, secure: bool) -> bool:
    """Whether the next weaker way may be tried with the same password after this one was refused.

    Only where the refusal was about the mechanism. To try weaker ones after any refusal would hand the
    password to whoever refuses the strong ones, and count as many failed logins. The one exception is
    APOP on a clear line that was asked for by name: servers that greet with a timestamp and have no
    secret for it are common, and refuse in any words.
    """
    return unsupported or (way == "APOP" and not secure)


def may_send_ahead(*, secure: bool) -> bool:
    """Whether PASS may go out with USER, before USER is answered (RFC 2449 section 6.6 has the two as its example).

    Behind TLS: nobody sees it but the server, which is verified, and which would get it for the +OK that any server
    gives to USER. On a clear line a server may still refuse USER, because it wants TLS first or this user has APOP
    (RFC 1939 section 7), and then the password is not shown to whoever listens.
    """
    return secure


def commands(way: Way, credential: Credential, timestamp: bytes | None) -> tuple[Command, ...]:
    """What the ways older than AUTH send, in UTF-8 (RFC 6856 section 3 asks for it; others take the bytes)."""
    name, secret = credential.username.encode(), credential.secret.encode()
    if way == "APOP" and timestamp is not None:
        digest = hashlib.md5(timestamp + secret, usedforsecurity=False).hexdigest()
        return (Command("APOP", name + b" " + digest.encode()),)
    return Command("USER", name), Command("PASS", secret)


class Exchange(Protocol):
    """One SASL exchange. initial: the response that needs no challenge. complaint: the server's words within it."""

    initial: bytes | None
    complaint: str

    def respond(self, challenge: bytes) -> bytes:
        """The response to a challenge. Raises Untrusted where the mechanism has no such step."""

    def accepted(self) -> None:
        """Take the server's +OK. Raises Stop where it is not to be believed."""


def exchange(way: Way, credential: Credential, host: str, port: int) -> Exchange:
    """Begin the SASL exchange of a way."""
    name, secret = credential.username, credential.secret
    match way:
        case "SCRAM-SHA-256":
            return Scram("sha256", name, secret)
        case "SCRAM-SHA-1":
            return Scram("sha1", name, secret)
        case "CRAM-MD5":
            return CramMd5(name, secret)
        case "LOGIN":
            return Login(name, secret)
        case "OAUTHBEARER":
            # "," and "=" of a name are escaped in the GS2 header (RFC 5801 section 4).
            name = name.replace("=", "=3D").replace(",", "=2C")
            said = f"n,a={name},\1host={host}\1port={port}\1auth=Bearer {secret}\1\1"
            return OneStep(said.encode(), to_error=b"\1")
        case "XOAUTH2":
            return OneStep(f"user={name}\1auth=Bearer {secret}\1\1".encode(), to_error=b"")
        case _:
            return OneStep(f"\0{name}\0{secret}".encode())


class OneStep:
    """PLAIN and the two token mechanisms: all is said at once.

    to_error: what a challenge is answered with; for tokens it tells what is wrong, and the server waits
    for this answer before it says -ERR (RFC 7628 section 3.2.3). None: there must be no challenge.
    """

    complaint = ""

    def __init__(self, said: bytes, to_error: bytes | None = None):
        self.initial: bytes | None = said
        self._to_error = to_error

    def respond(self, challenge: bytes) -> bytes:
        """Take the server's complaint, once."""
        if self._to_error is None or self.complaint:
            raise Untrusted("the server asks for more than the mechanism has to say")
        self.complaint = _complaint(challenge)
        return self._to_error

    def accepted(self) -> None:
        """All was said; there is nothing to verify."""


class Login:
    """LOGIN (draft-murchison-sasl-login): the name, then the password, whatever the prompts say."""

    complaint = ""
    initial: bytes | None = None

    def __init__(self, username: str, password: str):
        self._answers = [password.encode(), username.encode()]

    def respond(self, challenge: bytes) -> bytes:
        """The name at first, then the password."""
        if not self._answers:
            raise Untrusted("the server asks for more than a name and a password")
        return self._answers.pop()

    def accepted(self) -> None:
        """Take the server's word."""


class CramMd5:
    """CRAM-MD5 (RFC 2195): a keyed hash of the server's challenge."""

    complaint = ""
    initial: bytes | None = None

    def __init__(self, username: str, password: str):
        self._username, self._password = username, password
        self._done = False

    def respond(self, challenge: bytes) -> bytes:
        """Name and keyed hash."""
        if self._done or not challenge:
            raise Untrusted("the server's challenge is not that of CRAM-MD5")
        self._done = True
        return f"{self._username} {hmac.new(self._password.encode(), challenge, 'md5').hexdigest()}".encode()

    def accepted(self) -> None:
        """Take the server's word: CRAM-MD5 proves only one side."""
        if not self._done:
            raise Stop("the server accepted CRAM-MD5 without a challenge")


def auth_command(way: Way, initial: bytes | None) -> tuple[Command, bool]:
    """The AUTH command, and whether the initial response is in it: only where the whole line may hold it."""
    if initial is not None:
        command = Command("AUTH", way.encode() + b" " + encoded(initial))
        if len(command.line) <= COMMAND_OCTETS_MAX:
            return command, True
    return Command("AUTH", way.encode()), False


def encoded(response: bytes) -> bytes:
    """A response as it goes over the wire."""
    return base64.b64encode(response)


def decoded(challenge: bytes) -> bytes:
    """A challenge out of its base64; some servers prompt in plain words, which are given as they are."""
    try:
        return base64.b64decode(challenge.strip(), validate=True)
    except (binascii.Error, ValueError):
        return challenge


def _complaint(challenge: bytes) -> str:
    """What the error challenge of a token mechanism says: its status, or its words."""
    try:
        said = json.loads(challenge)
    except (ValueError, RecursionError):
        return readable(challenge[:200]) or "no reason given"
    status = said.get("status") if isinstance(said, dict) else None
    return readable(str(status or said)[:200].encode())
