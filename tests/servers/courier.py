"""Courier on loopback: Maildir, both kinds of TLS, PIPELINING; logs in through its own daemon and PAM."""

from pathlib import Path

from tests.servers import debian
from tests.servers.certificate import Certificate
from tests.servers.mailboxes import fill_maildir
from tests.servers.ports import free_port, wait_for
from tests.servers.server import Server

AUTHENTICATE = "/usr/lib/courier/courier-authlib/authdaemond"
# No more than 4 connections come from one address by default.
LISTEN = "/usr/sbin/couriertcpd -address=127.0.0.1 -nodnslookup -noidentlookup -maxprocs=100 -maxperip=100".split()
SPEAK_TLS = "/usr/bin/couriertls -server -tcpd -user=courier".split()
SERVE = "/usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir".split()
ENVIRONMENT = {
    "COURIERTLS": "/usr/bin/couriertls",
    "TLS_CERTFILE": "/etc/tls/courier.pem",
    "TLS_VERIFYPEER": "NONE",
}


class Courier(Server):
    """A running server."""

    name = "Courier"
    version = "1.0"
    alters = "a dot as the first byte is sent unstuffed; mail with 8 bits in its header comes wrapped in a report"
    stls = True
    missing = staticmethod(debian.missing)

    def __init__(self, folder: Path):
        super().__init__()
        self._root = debian.Root(folder / "root")
        self._root.check_passwords_of("pop3")
        self._root.folder("run/courier/authdaemon")
        certificate = Certificate.issue(self._root.folder("etc/tls"))
        self.ca_file = certificate.ca
        both = certificate.chain.read_text() + certificate.key.read_text()
        self._root.write("etc/tls/courier.pem", both, mode=0o600, owner=debian.NOBODY)
        self.port, self.tls_port = free_port(), free_port()
        self.processes += [
            self._root.start(AUTHENTICATE, env={"authmodulelist": "authpam", "daemons": "2"}),
            self._root.start(*LISTEN, str(self.port), *SERVE, env={**ENVIRONMENT, "POP3_STARTTLS": "YES"}),
            self._root.start(*LISTEN, str(self.tls_port), *SPEAK_TLS, *SERVE, env={**ENVIRONMENT, "POP3_TLS": "1"}),
        ]
        wait_for(self.processes[1], self.port, self._root.log)
        wait_for(self.processes[2], self.tls_port, self._root.log)

    def running_version(self) -> str:
        """As its package says."""
        return debian.unpacked()["courier-pop"]

    def put(self, user: str, messages: list[bytes]) -> None:
        """Lay files into the Maildir."""
        self._root.know(user)
        fill_maildir(self._root.path / "home" / user / "Maildir", messages, debian.NOBODY, debian.NOBODY)
