"""The mailboxes file and the environment: the only reader of both, and of secrets.

Values are frozen; whatever is wrong is one sentence that names the key.
"""

import difflib
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from etl.errors import Misconfigured

SECRET_COMMAND_SECONDS_MAX = 30
PORTS = {"implicit": 995, "starttls": 110, "none": 110}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Secret(_Strict):
    """Where a password is. Exactly one of the three.

    env: name of an environment variable. file: path of a file, its last line end left off.
    command: a program and its arguments, whose output is the password.
    """

    env: str | None = None
    file: str | None = None
    command: Annotated[list[str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if sum(way is not None for way in (self.env, self.file, self.command)) != 1:
            raise ValueError('write exactly one of { env = "…" }, { file = "…" }, { command = ["…"] }')
        return self

    def read(self, mailbox: str) -> str:
        """The password. Raises Misconfigured where the reference leads nowhere."""
        where = f"mailbox {mailbox!r}: password"
        if self.env is not None:
            if self.env not in os.environ:
                raise Misconfigured(f"{where}: the environment has no variable {self.env}; set it")
            return os.environ[self.env]
        try:
            if self.file is not None:
                return Path(self.file).expanduser().read_text().removesuffix("\n").removesuffix("\r")
            assert self.command is not None
            done = subprocess.run(
                self.command, capture_output=True, text=True, check=True, timeout=SECRET_COMMAND_SECONDS_MAX
            )
            return done.stdout.removesuffix("\n").removesuffix("\r")
        except subprocess.CalledProcessError as error:
            raise Misconfigured(f"{where}: command {error.cmd[0]} failed with exit code {error.returncode}") from None
        except subprocess.TimeoutExpired:
            raise Misconfigured(f"{where}: the command gave nothing in {SECRET_COMMAND_SECONDS_MAX} s") from None
        except (OSError, UnicodeDecodeError) as error:
            what = self.file or (self.command or [""])[0]
            raise Misconfigured(f"{where}: cannot read {what}: {getattr(error, 'strerror', error)}") from None


class Mailbox(_Strict):
    """One mailbox.

    name: what it is called here. host, port: its server; port by default as tls says.
    tls: "implicit" (default), "starttls", or "none" for clear text. ca_file: trust only these (PEM).
    delete: "never" (default), "at once", or "30 days" (any number), counted from archiving.
    enabled: false leaves it out of runs.
    delete_messages_max: how many one run may delete; what is over waits for the next run.
    message_bytes_max: what LIST says is larger is not retrieved (its header block is); none by default.
    session_bytes_max, session_minutes_max: what one run retrieves at most; the rest waits for the next run.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 0
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: Annotated[str, Field(min_length=1)]
    password: Secret
    ca_file: str | None = None
    delete: str = "never"
    enabled: bool = True
    delete_messages_max: Annotated[int, Field(ge=0)] = 100_000
    message_bytes_max: Annotated[int, Field(ge=0)] | None = None
    session_bytes_max: Annotated[int, Field(ge=1)] | None = None
    session_minutes_max: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _port_of_tls(cls, values: Any) -> Any:
        if isinstance(values, dict) and "port" not in values:
            return {**values, "port": PORTS.get(values.get("tls", "implicit"), 995)}
        return values

    @field_validator("delete")
    @classmethod
    def _delete_policy(cls, value: str) -> str:
        if value not in ("never", "at once") and _days(value) is None:
            raise ValueError('write "never", "at once" or a number of days such as "30 days"')
        return value

    @property
    def delete_after_seconds(self) -> float | None:
        """How long after archiving the server may forget a message; None for never."""
        if self.delete == "never":
            return None
        return (_days(self.delete) or 0) * 86400.0


def _days(value: str) -> int | None:
    number, _, unit = value.partition(" ")
    return int(number) if number.isascii() and number.isdigit() and unit in ("day", "days") else None


def mailboxes(path: Path, names: tuple[str, ...] = ()) -> list[Mailbox]:
    """The enabled mailboxes of a file, or those named. Raises Misconfigured."""
    found = {}
    for values in _tables(path):
        mailbox = _mailbox(path, values)
        if mailbox.name in found:
            raise Misconfigured(f"{path}: two mailboxes are named {mailbox.name!r}; rename one")
        found[mailbox.name] = mailbox
    for name in names:
        if name not in found:
            raise Misconfigured(f"{path}: no mailbox is named {name!r}{_nearest(name, found)}")
    return [found[name] for name in names] if names else [m for m in found.values() if m.enabled]


def _tables(path: Path) -> list[dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Misconfigured(f"there is no mailboxes file {path}; name it with --mailboxes FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read the mailboxes file {path}: {getattr(error, 'strerror', error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from None
    for key in document:
        if key not in ("defaults", "mailbox"):
            raise Misconfigured(f"{path}: unknown key {key!r}{_nearest(key, ('defaults', 'mailbox'))}")
    defaults, tables = document.get("defaults", {}), document.get("mailbox", [])
    if not isinstance(tables, list) or not isinstance(defaults, dict):
        raise Misconfigured(f"{path}: write [defaults] once and [[mailbox]], in double brackets, for each mailbox")
    for key in defaults:
        if key not in Mailbox.model_fields:
            raise Misconfigured(f"{path}: defaults: unknown key {key!r}{_nearest(key, Mailbox.model_fields)}")
    if not tables:
        raise Misconfigured(f"{path}: it names no mailbox; add a [[mailbox]] table")
    return [{**defaults, **table} for table in tables]


def _mailbox(path: Path, values: dict[str, Any]) -> Mailbox:
    try:
        return Mailbox.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(place) for place in first["loc"])
    where = f"{path}: mailbox {values.get('name', '?')!r}"
    if first["type"] == "extra_forbidden":
        raise Misconfigured(f"{where}: unknown key {key!r}{_nearest(key, Mailbox.model_fields)}")
    if first["type"] == "missing":
        raise Misconfigured(f"{where}: {key} is missing")
    raise Misconfigured(f"{where}: {key}: {first['msg'].removeprefix('Value error, ')}".replace(": : ", ": "))


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def home() -> Path:
    """POPVAULT_HOME, or popvault's folder among the user's data."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(os.environ.get("POPVAULT_HOME") or f"{data}/popvault").expanduser().absolute()


def database_url() -> str | None:
    """POPVAULT_DATABASE_URL, or None for the embedded server."""
    return os.environ.get("POPVAULT_DATABASE_URL") or None
