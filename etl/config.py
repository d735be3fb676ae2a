"""The mailboxes file and the environment: the only reader of both, and of secrets.

Values are frozen; whatever is wrong is one sentence that names the key.
"""

import dataclasses
import difflib
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from etl import places, tokens
from etl.errors import Misconfigured
from etl.pop3.auth import TOKEN_WAYS, Way
from etl.pop3.presets import NO_QUIRKS, PRESETS, Quirks

SECRET_COMMAND_SECONDS_MAX = 30
DAYS_DIGITS_MAX = 5  # 270 years
PORTS = {"implicit": 995, "starttls": 110, "none": 110}
# A mailbox logs in with one of these.
SECRETS = ("password", "token", "oauth")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Secret(_Strict):
    """Where a password or a token is. Exactly one of the three.

    env: name of an environment variable. file: path of a file, its last line end left off.
    command: a program and its arguments, whose output is the secret.
    """

    env: str | None = None
    file: str | None = None
    command: Annotated[list[str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if sum(way is not None for way in (self.env, self.file, self.command)) != 1:
            raise ValueError('write exactly one of { env = "…" }, { file = "…" }, { command = ["…"] }')
        return self

    def read(self, where: str) -> str:
        """The secret. Raises Misconfigured, beginning with `where`, if the reference leads nowhere."""
        if self.env is not None:
            if self.env not in os.environ:
                raise Misconfigured(f"{where}: the environment has no variable {self.env}; set it")
            return os.environ[self.env]
        try:
            if self.file is not None:
                text = expanded(self.file).read_text(encoding="utf-8")
            else:
                assert self.command is not None
                text = _output(self.command)
            return text.removesuffix("\n").removesuffix("\r")
        except subprocess.CalledProcessError as error:
            raise Misconfigured(f"{where}: command {error.cmd[0]} failed with exit code {error.returncode}") from None
        except subprocess.TimeoutExpired:
            raise Misconfigured(f"{where}: the command gave nothing in {SECRET_COMMAND_SECONDS_MAX} s") from None
        except UnicodeDecodeError:
            # Its own words would hold the secret.
            raise Misconfigured(f"{where}: {self.file or (self.command or [''])[0]} gives no UTF-8") from None
        except OSError as error:
            what = self.file or (self.command or [""])[0]
            raise Misconfigured(f"{where}: cannot read {what}: {error.strerror or error}") from None


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=True, timeout=SECRET_COMMAND_SECONDS_MAX)
    return done.stdout.decode()


class OAuth(_Strict):
    """Where to get an access token for each session, by the client-credentials grant.

    token_url: the token endpoint, https. client_id, client_secret: as registered there.
    scope: what the token is for; by default what the preset knows, or none.
    """

    token_url: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Secret
    scope: str | None = None

    @field_validator("token_url")
    @classmethod
    def _by_tls(cls, value: str) -> str:
        if not tokens.is_safe(value):
            raise ValueError("write an https URL: the client secret goes there")
        return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it holds a line break or a control character")
    return value


class Mailbox(_Strict):
    """One mailbox.

    name: what it is called here.
    preset: a provider ("gmail", "microsoft365", …), which fills host, port and tls; keys written beside it win.
    host, port: its server; port by default as tls says.
    tls: "implicit" (default), "starttls", or "none" for clear text. ca_file: trust only these (PEM).
    username, and one of password, token and oauth: whom to log in as, and with what.
    auth: the only way to log in that is tried, such as "scram-sha-256"; by default the strongest on offer.
    utf8: true turns on the server's UTF-8 mode (RFC 6856), which may alter the bytes of messages; without it Courier
        sends mail with 8 bits in its header wrapped in a report; default false.
    delete: "never" (default), "at once", or "30 days" (any number), counted from archiving.
    messages_per_session: how many messages the server shows at most in one session; by default as the
    preset says, or all.
    enabled: false leaves it out of runs.
    sessions_per_host: how many sessions its host has from all workers at once; default 32.
    idle_seconds_max: how long its server may be silent before the line counts as cut; default 60.
    delete_messages_max: how many one run may delete; what is over waits for the next run.
    message_bytes_max: what LIST says is larger is not retrieved (its header block is); none by default.
    session_bytes_max, session_minutes_max: what one run retrieves at most; the rest waits for the next run.
    """

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
    preset: str | None = None
    host: Annotated[str, Field(min_length=1), AfterValidator(_printable)]
    port: Annotated[int, Field(ge=1, le=65535)] = 0
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: Annotated[str, Field(min_length=1)]
    password: Secret | None = None
    token: Secret | None = None
    oauth: OAuth | None = None
    auth: (
        Literal[
            "scram-sha-256", "scram-sha-1", "cram-md5", "apop", "plain", "login", "user", "oauthbearer", "xoauth2"
        ] | None
    ) = None  # fmt: skip
    utf8: bool = False
    ca_file: str | None = None
    delete: str = "never"
    messages_per_session: Annotated[int, Field(ge=1)] | None = None
    enabled: bool = True
    sessions_per_host: Annotated[int, Field(ge=1, le=1000)] = 32
    idle_seconds_max: Annotated[float, Field(gt=0)] = 60.0
    delete_messages_max: Annotated[int, Field(ge=0, le=10**9)] = 100_000
    message_bytes_max: Annotated[int, Field(ge=0)] | None = None
    session_bytes_max: Annotated[int, Field(ge=1)] | None = None
    session_minutes_max: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _port_of_tls(cls, values: Any) -> Any:
        if isinstance(values, dict) and "port" not in values:
            return {**values, "port": PORTS.get(values.get("tls", "implicit"), 995)}
        return values

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, value: str | None) -> str | None:
        if value is not None and value not in PRESETS:
            raise ValueError(f"unknown preset {value!r}{_nearest(value, PRESETS)}")
        return value

    @field_validator("delete")
    @classmethod
    def _delete_policy(cls, value: str) -> str:
        if value not in ("never", "at once") and _days(value) is None:
            raise ValueError('write "never", "at once" or a number of days such as "30 days"')
        return value

    @model_validator(mode="after")
    def _one_secret(self) -> "Mailbox":
        given = [key for key in SECRETS if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"write exactly one of password, token and oauth; there is {' and '.join(given) or 'none'}"
            )
        if self.way and (self.way in TOKEN_WAYS) != (given != ["password"]):
            raise ValueError(f"auth {self.auth!r} does not log in with a {given[0]}")
        return self

    @model_validator(mode="after")
    def _possible(self) -> "Mailbox":
        """What the provider is known not to do."""
        if self.quirks.tokens_only and self.password:
            raise ValueError(f"{self.preset} takes no password over POP3; write oauth or token")
        prefix = self.quirks.keeping_prefix
        if prefix and self.username.startswith(prefix) and self.delete != "never":
            raise ValueError(f'{self.preset} deletes nothing for a username with {prefix!r}; write delete = "never"')
        return self

    @property
    def delete_after_seconds(self) -> float | None:
        """How long after archiving the server may forget a message; None for never."""
        if self.delete == "never":
            return None
        return (_days(self.delete) or 0) * 86400.0

    @property
    def quirks(self) -> Quirks:
        """Where the server differs, by its preset and the keys beside it."""
        quirks = PRESETS[self.preset].quirks if self.preset else NO_QUIRKS
        if self.messages_per_session is not None:
            return dataclasses.replace(quirks, messages_per_session=self.messages_per_session)
        return quirks

    @property
    def way(self) -> Way | None:
        """The only way to log in, as `pop3.auth` names it."""
        return cast(Way, self.auth.upper()) if self.auth else None

    def secret(self) -> tuple[str | None, str | None]:
        """(password, token), one of them None, read now; it may take seconds.

        Raises Misconfigured where a reference leads nowhere, Stop or Retry where the token server refuses.
        """
        where = f"mailbox {self.name!r}"
        if self.password:
            return self.password.read(f"{where}: password"), None
        if self.token:
            return None, self.token.read(f"{where}: token")
        assert self.oauth is not None
        oauth, client_secret = self.oauth, self.oauth.client_secret.read(f"{where}: oauth.client_secret")
        scope = oauth.scope or (PRESETS[self.preset].oauth_scope if self.preset else None)
        return None, tokens.client_credentials(oauth.token_url, oauth.client_id, client_secret, scope)


# The tables that a mailbox is made of, by the key they stand under.
TABLES: dict[str, type[BaseModel]] = {
    "": Mailbox, "password": Secret, "token": Secret, "client_secret": Secret, "oauth": OAuth
}  # fmt: skip


def _days(value: str) -> int | None:
    number, _, unit = value.partition(" ")
    ok = number.isascii() and number.isdigit() and len(number) <= DAYS_DIGITS_MAX and unit in ("day", "days")
    return int(number) if ok else None


def mailboxes(path: Path, names: tuple[str, ...] = ()) -> list[Mailbox]:
    """The enabled mailboxes of a file, or those named. Raises Misconfigured."""
    file = _read(path)
    found: dict[str, Mailbox] = {}
    for index in range(len(file.tables)):
        mailbox = _mailbox(file, index)
        if mailbox.name in found:
            where = file.where("mailbox", index, "name")
            raise Misconfigured(f"{where}: two mailboxes are named {mailbox.name!r}; rename one")
        found[mailbox.name] = mailbox
    for name in names:
        if name not in found:
            raise Misconfigured(f"{path}: no mailbox is named {name!r}{_nearest(name, found)}")
    return [found[name] for name in dict.fromkeys(names)] if names else [m for m in found.values() if m.enabled]


@dataclass(frozen=True)
class _File:
    """A mailboxes file: its tables as written, and where its keys stand."""

    path: Path
    text: str
    defaults: dict[str, Any]
    tables: list[dict[str, Any]]

    def where(self, *key: str | int) -> str:
        """The file and the line of a key, as editors and compilers write it."""
        line = places.line(places.lines(self.text), key)
        return f"{self.path}:{line}" if line else str(self.path)


def _read(path: Path) -> _File:
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before it
        document = tomllib.loads(text)
    except FileNotFoundError:
        raise Misconfigured(f"there is no mailboxes file {path}; name it with --mailboxes FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read the mailboxes file {path}: {getattr(error, 'strerror', error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from None
    defaults, tables = document.get("defaults", {}), document.get("mailbox", [])
    if not isinstance(tables, list) or not isinstance(defaults, dict) or not all(isinstance(t, dict) for t in tables):
        raise Misconfigured(f"{path}: write [defaults] once and [[mailbox]], in double brackets, for each mailbox")
    file = _File(path, text, defaults, tables)
    for key in document:
        if key not in ("defaults", "mailbox"):
            raise Misconfigured(f"{file.where(key)}: unknown key {key!r}{_nearest(key, ('defaults', 'mailbox'))}")
    for key in defaults:
        if key not in Mailbox.model_fields:
            where = file.where("defaults", key)
            raise Misconfigured(f"{where}: defaults: unknown key {key!r}{_nearest(key, Mailbox.model_fields)}")
    if not tables:
        raise Misconfigured(f"{path}: it names no mailbox; add a [[mailbox]] table")
    return file


def _merged(defaults: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """A mailbox's keys over the defaults, each over what its own preset fills in."""
    if any(key in table for key in SECRETS):
        defaults = {key: value for key, value in defaults.items() if key not in SECRETS}
    return {**_with_preset(defaults), **_with_preset(table)}


def _with_preset(table: dict[str, Any]) -> dict[str, Any]:
    name = table.get("preset")
    if not isinstance(name, str) or name not in PRESETS:
        return table
    preset = PRESETS[name]
    filled = {"host": preset.host, "port": preset.port, "tls": preset.tls}
    if "tls" in table:
        del filled["port"]  # the preset's port goes with its tls
    return {**filled, **table}


def _mailbox(file: _File, index: int) -> Mailbox:
    table = file.tables[index]
    values = _merged(file.defaults, table)
    try:
        return Mailbox.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    # A misspelt key first: one that is missing may be the same.
    first = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    loc = first["loc"]
    own = not loc or loc[0] in table or loc[0] not in file.defaults
    where = file.where("mailbox", index, *loc) if own else file.where("defaults", *loc)
    key = ".".join(str(place) for place in loc)
    raise Misconfigured(f"{where}: mailbox {values.get('name', '?')!r}: {_what_is_wrong(key, first)}")


def _what_is_wrong(key: str, error: Any) -> str:
    if error["type"] == "extra_forbidden":
        *around, last = error["loc"]
        return f"unknown key {key!r}{_nearest(str(last), TABLES[around[-1] if around else ''].model_fields)}"
    if error["type"] == "missing":
        return f"{key} is missing"
    words = error["msg"].removeprefix("Value error, ")
    return f"{key}: {words}" if key else words


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def home() -> Path:
    """POPVAULT_HOME, or popvault's folder among the user's data."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return expanded(os.environ.get("POPVAULT_HOME") or f"{data}/popvault").absolute()


def expanded(path: str) -> Path:
    """A path with its ~ filled in. Raises Misconfigured for a ~user who is not there."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise Misconfigured(f"cannot tell where {path} is: {error}") from None


def database_url() -> str | None:
    """POPVAULT_DATABASE_URL, or None for the embedded server."""
    return os.environ.get("POPVAULT_DATABASE_URL") or None
