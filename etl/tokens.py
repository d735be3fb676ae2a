"""OAuth access tokens by the client-credentials grant (RFC 6749 section 4.4).

Plain values in, a token out. Authlib and requests are the extra `popvault[oauth]`, imported only here and only
when a mailbox wants them.
"""

from urllib.parse import urlsplit

from etl.errors import Misconfigured, Retry, Stop

SECONDS_MAX = 30
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 6749 section 5.2: passing trouble is none of these, but some servers use the names that
# section 4.1.2.1 has for another endpoint.
PASSING_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down"})


def client_credentials(token_url: str, client_id: str, client_secret: str, scope: str | None) -> str:
    """A new access token.

    Raises Misconfigured for a missing library or a URL in clear text, Stop where the server refuses,
    Retry where it is away. Nothing that is raised holds the secret or the token.
    """
    if not is_safe(token_url):
        raise Misconfigured(f"token_url {token_url!r} must be an https URL: the client secret goes there")
    try:
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.requests_client import OAuth2Session
        from requests import RequestException
    except ImportError:
        raise Misconfigured("OAuth needs two more libraries: pip install 'popvault[oauth]'") from None
    host = urlsplit(token_url).hostname
    try:
        with OAuth2Session(client_id, client_secret, scope=scope) as session:
            answer = session.fetch_token(token_url, grant_type="client_credentials", timeout=SECONDS_MAX)
    except OAuthError as error:
        kind = Retry if error.error in PASSING_ERRORS else Stop
        raise kind(
            f"the token server {host} refused: {error.error}: {error.description or 'no reason given'}"
        ) from None
    except RequestException as error:
        raise Retry(f"the token server {host} did not answer as expected: {_reason(error)}") from None
    except ValueError:
        raise Stop(f"{token_url} does not answer in JSON; is it the token endpoint?") from None
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise Stop(f"the answer of {token_url} holds no access_token; is it the token endpoint?")
    return token


def is_safe(token_url: str) -> bool:
    """Whether a secret sent there travels by TLS, or does not leave this machine."""
    url = urlsplit(token_url)
    return bool(url.hostname) and (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK))


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    return type(error).__name__ if response is None else f"HTTP {response.status_code}"
