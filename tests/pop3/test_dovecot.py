"""Every way to log in, against a real Dovecot; nothing of it is ours on the other side."""

import asyncio
import json
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from etl.cli import main
from etl.errors import Stop
from etl.pop3.auth import PASSWORD_WAYS, TOKEN_WAYS, encoded
from etl.pop3.login import Account, Greeted
from etl.pop3.session import Session
from tests.servers import dovecot

PASSWORD = "pässwörd=,☃ "
TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg"

# The password of everybody, in clear on the server, so that every mechanism can be had from it.
PASSDBS = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256
  args = scheme=plain {root}/users
}}
"""


class _Introspection(BaseHTTPRequestHandler):
    """Says who a token is for, as an OAuth server does for Dovecot (RFC 7662)."""

    def do_GET(self) -> None:
        """The token stands at the end of the path."""
        known = self.path.endswith(f"={TOKEN}")
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"username": "ann", "active": known}).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[dovecot.Dovecot]:
    """A Dovecot that knows all mechanisms, and an OAuth server for it; skipped, loudly, where there is none."""
    if reason := dovecot.Dovecot.missing():
        pytest.skip(reason)
    with (
        pytest.MonkeyPatch.context() as patch,
        HTTPServer(("127.0.0.1", 0), _Introspection) as introspection,
        tempfile.TemporaryDirectory(prefix="popvault-dovecot-") as name,
    ):
        thread = threading.Thread(target=introspection.serve_forever, args=(0.01,))
        thread.start()
        root = Path(name)
        (root / "users").write_text(f"ann:{PASSWORD}\n", encoding="utf-8")
        (root / "oauth2.conf").write_text(
            f"tokeninfo_url = http://127.0.0.1:{introspection.server_address[1]}/?token=\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        )
        before, _, after = dovecot.CONF.partition("passdb {{")
        patch.setattr(dovecot, "CONF", before + PASSDBS + after.partition("}}\n")[2])
        running = dovecot.Dovecot(root)
        running.put("ann", [b"Subject: x\n\nx\n"])
        yield running
        running.stop()
        introspection.shutdown()
        thread.join()


def log_in(server: dovecot.Dovecot, **account: Any) -> tuple[Greeted, int]:
    """Log in and count the messages."""

    async def run() -> tuple[Greeted, int]:
        session = await Session.open(Account("127.0.0.1", server.port, "none", "ann", **account))
        try:
            return session.greeted, len(await session.listing())
        finally:
            await session.close()

    return asyncio.run(run())


@pytest.mark.parametrize("way", PASSWORD_WAYS)
def test_each_way_with_a_password(server: dovecot.Dovecot, way: str):
    """A password beyond ASCII, with blanks and commas, gets in by each of them."""
    greeted, messages = log_in(server, password=PASSWORD, auth=way)
    assert (greeted.mechanism, messages) == (way, 1)


@pytest.mark.parametrize("way", PASSWORD_WAYS)
def test_each_way_with_a_wrong_password(server: dovecot.Dovecot, way: str):
    """It is a person's turn, and the sentence says at what."""
    with pytest.raises(Stop, match=f"refused the login of ann by {way}: .*; check username and password"):
        log_in(server, password="wrong", auth=way)


@pytest.mark.parametrize("way", TOKEN_WAYS)
def test_each_way_with_a_token(server: dovecot.Dovecot, way: str):
    """The token that the OAuth server knows gets in; another is refused, with the server's reason."""
    greeted, messages = log_in(server, token=TOKEN, auth=way)
    assert (greeted.mechanism, messages) == (way, 1)
    with pytest.raises(Stop, match=rf"by {way}: .*\((401|400|invalid_token)\); check username and token"):
        log_in(server, token="another", auth=way)


def test_the_strongest_is_chosen(server: dovecot.Dovecot):
    """Of all that Dovecot names in CAPA."""
    assert log_in(server, password=PASSWORD)[0].mechanism == "SCRAM-SHA-256"
    assert log_in(server, token=TOKEN)[0].mechanism == "OAUTHBEARER"


def test_utf8_mode_is_recorded(server: dovecot.Dovecot):
    """Dovecot 2.3 has none, and says so in CAPA by leaving it out."""
    greeted, _ = log_in(server, password=PASSWORD, utf8=True)
    assert greeted.utf8 is any(line.startswith("UTF8") for line in greeted.capabilities_before or ())


def test_check_writes_the_wire_log(server: dovecot.Dovecot, tmp_path: Path):
    """`popvault check --wire`: the dialogue line by line behind the mailbox's name, and nothing secret."""
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    (tmp_path / "mailboxes.toml").write_text(
        f'[[mailbox]]\nname = "m"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\nusername = "ann"\n'
        f'auth = "plain"\npassword = {{ file = "{tmp_path}/password" }}\n'
    )
    arguments = ["check", "--mailboxes", str(tmp_path / "mailboxes.toml"), "--wire", str(tmp_path / "wire")]
    done = CliRunner().invoke(main, arguments)
    assert done.output.startswith("m: logged in by PLAIN, no TLS, 1 messages"), done.output
    wire = (tmp_path / "wire").read_text(encoding="utf-8").splitlines()
    assert wire[0] == f"m = connected to 127.0.0.1:{server.port}, no TLS"
    assert [line for line in wire if line.startswith("m >")] == [
        "m > CAPA", "m > AUTH PLAIN ***", "m > CAPA", "m > STAT", "m > UIDL", "m > LIST",
    ]  # fmt: skip
    assert "m = transaction" in wire
    assert not [line for line in wire if PASSWORD in line or encoded(f"\0ann\0{PASSWORD}".encode()).decode() in line]
