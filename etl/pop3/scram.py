"""SCRAM, the client's side: a password proved without being sent (RFC 5802, RFC 7677).

Own code and no library: scramp (alive, MIT-0) brings asn1crypto along, refuses salts that the RFC allows,
and lets a server ask for ten million rounds; the rest of it is what hashlib and these lines do. There is no
channel binding: Python's ssl does not export keying material (tls-exporter, RFC 9266) up to 3.13.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

from etl.errors import Stop, Untrusted

# RFC 7677 section 4 says at least 4,096; a false server would ask for one, to guess passwords faster.
ROUNDS_MIN = 4096
# About a second of one core; what asks for more wants to keep us busy.
ROUNDS_MAX = 2_000_000

# "n": we bind to no channel; no authorization identity (RFC 5802 section 7).
GS2_HEADER = "n,,"

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class Scram:
    """One exchange: `initial`, then `respond` to the server's two messages, then `accepted`."""

    complaint = ""

    def __init__(self, digest: str, username: str, password: str, nonce: str | None = None):
        self._digest = digest
        self._password = prepared(password).encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        name = prepared(username).replace("=", "=3D").replace(",", "=2C")
        self._first = f"n={name},r={self._nonce}"
        self._signature: bytes | None = None
        self._verified = False
        self.initial: bytes | None = (GS2_HEADER + self._first).encode()

    def respond(self, challenge: bytes) -> bytes:
        """The answer to a message of the server.

        Raises Untrusted for what is no SCRAM, Stop for a server that does not know the password.
        """
        fields = _fields(challenge)
        if self._verified:
            raise Untrusted("the server goes on with SCRAM after its last message")
        if self._signature is None:
            return self._prove(challenge.decode(), fields)
        if "e" in fields:
            self.complaint = fields["e"]
            return b""
        if not hmac.compare_digest(_decoded(fields.get("v", "")), self._signature):
            raise Stop("the server could not prove that it knows the password; somebody may stand in its place")
        self._verified = True
        return b""

    def accepted(self) -> None:
        """Take the server's +OK. Raises Stop where it comes without the server's proof."""
        if not self._verified:
            raise Stop("the server accepted the login without proving that it knows the password")

    def _prove(self, server_first: str, fields: dict[str, str]) -> bytes:
        nonce = fields.get("r", "")
        # "m" announces an extension that must be understood; there is none (RFC 5802 section 5.1).
        if "m" in fields or not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise Untrusted("the server's SCRAM message does not answer ours")
        salt, rounds = _decoded(fields.get("s", "")), _rounds(fields.get("i", ""))
        salted = hashlib.pbkdf2_hmac(self._digest, self._password, salt, rounds)
        final = f"c={base64.b64encode(GS2_HEADER.encode()).decode()},r={nonce}"
        exchanged = f"{self._first},{server_first},{final}".encode()
        client_key = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self._digest, client_key).digest(), exchanged)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), exchanged)
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._digest)


def prepared(text: str) -> str:
    """A name or password as SASLprep gives it (RFC 4013), on the standard library's stringprep tables.

    What SASLprep prohibits stays as it is: a server took it as a password once, so it cannot have
    prepared it either. Code points that Unicode 3.2 did not know pass, as in any query (section 2.5).
    """
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(c) for c in normal for prohibits in _PROHIBITED) or not _direction_is_sound(normal):
        return text
    return normal


def _direction_is_sound(text: str) -> bool:
    """RFC 3454 section 6: right-to-left text is so at both ends, and has no left-to-right letter."""
    if not any(stringprep.in_table_d1(c) for c in text):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(stringprep.in_table_d2(c) for c in text)


def _fields(message: bytes) -> dict[str, str]:
    """A message's attributes, `a=1,b=2`."""
    try:
        return {name: value for name, _, value in (part.partition("=") for part in message.decode().split(","))}
    except UnicodeDecodeError:
        raise Untrusted("the server's SCRAM message is no text") from None


def _rounds(value: str) -> int:
    rounds = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if not ROUNDS_MIN <= rounds <= ROUNDS_MAX:
        raise Stop(f"the server asks for {value[:20] or 'no'} rounds of SCRAM; {ROUNDS_MIN} to {ROUNDS_MAX} are safe")
    return rounds


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Untrusted("the server's SCRAM message holds bad base64") from None
