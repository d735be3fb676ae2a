"""popa3d on loopback: mbox, USER and PASS, and of what RFC 1939 leaves open only UIDL."""

from pathlib import Path

from tests.servers import debian
from tests.servers.mailboxes import append_mbox
from tests.servers.ports import free_port, wait_for
from tests.servers.server import WITHOUT_TLS, Server


class Popa3d(Server):
    """A running server, started anew for each connection."""

    name = "popa3d"
    version = "1.0"
    proves = WITHOUT_TLS
    alters = "UIDLs of Date, Message-Id, Received and Delivered-To alone: mail without them shares one; quotes From"
    missing = staticmethod(debian.missing)

    def __init__(self, folder: Path):
        super().__init__()
        self._root = debian.Root(folder / "root")
        self._root.check_passwords_of("popa3d")
        self.port = free_port()
        self.processes.append(self._root.inetd(self.port, "/usr/sbin/popa3d"))
        wait_for(self.processes[-1], self.port, self._root.log)

    def running_version(self) -> str:
        """As its package says."""
        return debian.unpacked()["popa3d"]

    def put(self, user: str, messages: list[bytes]) -> None:
        """Append to the mbox."""
        self._root.know(user)
        append_mbox(self._root.path / "var/mail" / user, messages, debian.NOBODY, debian.NOBODY)
