"""What every server of the tests can be asked, and what it is known not to do."""

import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.servers.ports import stop

# The columns of README's table "Proved on", in their order.
COLUMNS = ("TLS", "STLS", "login", "UIDL", "dots", "big mail", "deletion", "resume")
WITHOUT_TLS = frozenset(COLUMNS) - {"TLS", "STLS"}


class Server(ABC):
    """A running server. Every user has the password "secret"; there are as many users as are named.

    name, version: as README's table "Proved on" shows them; version is how the real one begins.
    proves: the columns of that table in which it says yes. alters: what it does to mail by itself.
    port: clear text, with STLS where `stls` says so. tls_port: TLS from the first byte, None for none.
    ca_file: whom to trust for its certificate; None without TLS.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    proves: ClassVar[frozenset[str]] = frozenset(COLUMNS)
    alters: ClassVar[str] = "nothing"
    stls: ClassVar[bool] = False
    port: int
    tls_port: int | None = None
    ca_file: Path | None = None

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    @staticmethod
    @abstractmethod
    def missing() -> str | None:
        """Why it cannot run here, or None."""

    @abstractmethod
    def running_version(self) -> str:
        """The version that runs, as its package or itself says."""

    @abstractmethod
    def put(self, user: str, messages: list[bytes]) -> None:
        """Lay messages into a user's mailbox, in this order, as the server itself would keep them."""

    def password_of(self, user: str) -> str:
        """What logs this user in."""
        return "secret"

    def stop(self) -> None:
        """Stop it and what it started."""
        for process in reversed(self.processes):
            stop(process)
