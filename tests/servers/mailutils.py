"""GNU mailutils' pop3d on loopback: mbox, both kinds of TLS, PIPELINING."""

from pathlib import Path

from tests.servers import debian
from tests.servers.certificate import Certificate
from tests.servers.mailboxes import append_mbox
from tests.servers.ports import free_port, wait_for
from tests.servers.server import Server

CONF = """
mode daemon;
foreground yes;
max-children 100;
logging {{ syslog no; }}
tcp-wrappers {{ enable no; }}
mailbox {{ mail-spool /var/mail; }}
tls {{ ssl-certificate-file /etc/tls/chain.pem; ssl-key-file /etc/tls/key.pem; }}
server 127.0.0.1:{port} {{ tls-mode ondemand; }}
server 127.0.0.1:{tls_port} {{ tls-mode connection; }}
"""


class Mailutils(Server):
    """A running server."""

    name = "GNU mailutils"
    version = "3.15"
    alters = "marks read mail in its header (X-UIDL, Status); unquotes >From; drops lines that are no header"
    stls = True
    missing = staticmethod(debian.missing)

    def __init__(self, folder: Path):
        super().__init__()
        self._root = debian.Root(folder / "root")
        self.ca_file = Certificate.issue(self._root.folder("etc/tls")).ca
        (self._root.path / "etc/tls/key.pem").chmod(0o600)
        self.port, self.tls_port = free_port(), free_port()
        self._root.write("etc/pop3d.conf", CONF.format(port=self.port, tls_port=self.tls_port))
        self.processes.append(self._root.start("/usr/sbin/pop3d", "--config-file=/etc/pop3d.conf"))
        wait_for(self.processes[-1], self.tls_port, self._root.log)

    def running_version(self) -> str:
        """As its package says."""
        return debian.unpacked()["mailutils-pop3d"].removeprefix("1:")

    def put(self, user: str, messages: list[bytes]) -> None:
        """Append to the mbox."""
        self._root.know(user)
        append_mbox(self._root.path / "var/mail" / user, messages, debian.NOBODY, debian.NOBODY)
