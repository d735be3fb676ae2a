"""Tokens from a small token server on loopback."""

import base64
import builtins
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from etl import config, tokens
from etl.errors import Failure, Misconfigured, Retry, Stop


class TokenServer(HTTPServer):
    """Answers each request with `status` and `answer`, and keeps what it was asked."""

    status = 200
    answer: bytes = json.dumps({"access_token": "fresh-token", "token_type": "Bearer", "expires_in": 3599}).encode()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    @property
    def url(self) -> str:
        """Its token endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}/token"


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        """The token endpoint."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.headers["authorization"], parse_qs(body.decode())))
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """A running token server."""
    with TokenServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_token_by_client_credentials(server: TokenServer):
    """RFC 6749 section 4.4: the grant and the scope in the body, the client by HTTP Basic."""
    assert tokens.client_credentials(server.url, "client", "hidden", "the-scope") == "fresh-token"
    ((authorization, form),) = server.asked
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"client:hidden"
    assert form == {"grant_type": ["client_credentials"], "scope": ["the-scope"]}


@pytest.mark.parametrize(
    ("status", "answer", "kind", "sentence"),
    [
        (401, {"error": "invalid_client", "error_description": "wrong secret"}, Stop, "invalid_client: wrong secret"),
        (400, {"error": "invalid_scope"}, Stop, "invalid_scope: no reason given"),
        (400, {"error": "temporarily_unavailable"}, Retry, "temporarily_unavailable"),
        (503, "sorry", Retry, "HTTP 503"),
        (429, "<html>", Retry, "HTTP 429"),
        (200, "<html>", Stop, "is it the token endpoint?"),
        (200, ["x"], Stop, "is it the token endpoint?"),
        (200, {"access_token": ""}, Stop, "holds no access_token"),
        (200, {"hello": 1}, Stop, "holds no access_token"),
    ],
)
def test_a_token_server_that_gives_none(
    server: TokenServer, status: int, answer: Any, kind: type[Failure], sentence: str
):
    """What passes is tried again, what does not is for a person; no sentence holds the secret."""
    server.status = status
    server.answer = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    with pytest.raises(kind, match=sentence.replace("?", "\\?")) as caught:
        tokens.client_credentials(server.url, "client", "hidden", None)
    assert type(caught.value) is kind
    assert "hidden" not in repr(caught.value)


def test_a_token_server_that_is_away():
    """Port 1 of loopback: come again later."""
    with pytest.raises(Retry, match=r"127\.0\.0\.1 did not answer as expected: ConnectionError"):
        tokens.client_credentials("http://127.0.0.1:1/token", "client", "hidden", None)


@pytest.mark.parametrize("url", ["http://example.com/token", "ftp://127.0.0.1/", "", "https://", "http://127.0.0.1.x/"])
def test_a_client_secret_goes_out_by_tls_only(url: str):
    """Or not out at all."""
    assert not tokens.is_safe(url)
    with pytest.raises(Misconfigured, match="must be an https URL"):
        tokens.client_credentials(url, "client", "hidden", None)


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch):
    """One sentence that says what to install."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("authlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(Misconfigured, match=r"pip install 'popvault\[oauth\]'"):
        tokens.client_credentials("https://example.com/token", "client", "hidden", None)


def test_a_mailbox_with_oauth_asks_for_a_token_each_time(
    server: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Tokens age, so each session has its own; the preset knows the scope."""
    monkeypatch.setenv("CLIENT_SECRET", "hidden")
    path = tmp_path / "mailboxes.toml"
    path.write_text(
        '[[mailbox]]\nname = "m"\npreset = "microsoft365"\nusername = "u"\n[mailbox.oauth]\n'
        f'token_url = "{server.url}"\nclient_id = "client"\nclient_secret = {{ env = "CLIENT_SECRET" }}\n'
    )
    (mailbox,) = config.mailboxes(path)
    assert [mailbox.secret(), mailbox.secret()] == [(None, "fresh-token")] * 2
    assert server.asked[1][1]["scope"] == ["https://outlook.office365.com/.default"]
