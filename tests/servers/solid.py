"""Solid POP3 on loopback: Maildir or mbox, USER and APOP, no TLS, no CAPA."""

from pathlib import Path

from tests.servers import debian
from tests.servers.mailboxes import append_mbox
from tests.servers.ports import free_port, wait_for
from tests.servers.server import WITHOUT_TLS, Server

CONF = """
<Global>
    MailDropName "/var/mail/%s"
    MailDropType mailbox
    AllowAPOP {apop}
</Global>
"""


class SolidPop3d(Server):
    """A running server, started anew for each connection.

    apop: whether it offers APOP, for which no user has a secret.
    """

    name = "Solid POP3"
    version = "0.15"
    proves = WITHOUT_TLS
    alters = "adds a blank line at the end; quotes From"
    missing = staticmethod(debian.missing)

    def __init__(self, folder: Path, *, apop: bool = False):
        super().__init__()
        self._root = debian.Root(folder / "root")
        self._root.check_passwords_of("solid-pop3d")
        self._root.write("etc/spop3d.conf", CONF.format(apop="yes" if apop else "no"))
        self.port = free_port()
        self.processes.append(self._root.inetd(self.port, "/usr/sbin/solid-pop3d"))
        wait_for(self.processes[-1], self.port, self._root.log)

    def running_version(self) -> str:
        """As its package says."""
        return debian.unpacked()["solid-pop3d"]

    def put(self, user: str, messages: list[bytes]) -> None:
        """Append to the mbox."""
        self._root.know(user)
        append_mbox(self._root.path / "var/mail" / user, messages, debian.NOBODY, debian.NOBODY)
