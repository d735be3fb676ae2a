"""Cyrus on loopback: mailboxes of its own kind, both kinds of TLS, PIPELINING; mail comes in by IMAP."""

import imaplib
import re
from pathlib import Path

from tests.servers import debian
from tests.servers.certificate import Certificate
from tests.servers.ports import free_port, wait_for
from tests.servers.server import Server

IMAPD = """
configdirectory: /var/lib/cyrus
defaultpartition: default
partition-default: /var/spool/cyrus
servername: localhost
admins: admin
allowplaintext: yes
popminpoll: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN
tls_server_cert: /etc/tls/chain.pem
tls_server_key: /etc/tls/key.pem
"""
SERVICES = """
START {{
  recover cmd="ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="imapd" listen="127.0.0.1:{imap_port}"
  pop3 cmd="pop3d" listen="127.0.0.1:{port}"
  pop3s cmd="pop3d -s" listen="127.0.0.1:{tls_port}"
}}
EVENTS {{
}}
"""
FOLDERS = "db log lock msg proc ptclient quota sieve socket user".split()
PASSWORDS = "etc/sasldb2"


class Cyrus(Server):
    """A running server."""

    name = "Cyrus"
    version = "3.6"
    alters = "refuses NUL and mail without a header; 8 bits in a header become X"
    stls = True
    missing = staticmethod(debian.missing)

    def __init__(self, folder: Path):
        super().__init__()
        self._root = debian.Root(folder / "root")
        self._users: set[str] = set()
        certificate = Certificate.issue(self._root.folder("etc/tls"))
        self.ca_file = certificate.ca
        self._root.own(certificate.key)
        for name in ("var/spool/cyrus", "var/lib/cyrus", *(f"var/lib/cyrus/{name}" for name in FOLDERS)):
            self._root.folder(name)
        self.port, self.tls_port, self._imap_port = free_port(), free_port(), free_port()
        ports = {"port": self.port, "tls_port": self.tls_port, "imap_port": self._imap_port}
        self._root.write("etc/imapd.conf", IMAPD)
        self._root.write("etc/cyrus.conf", SERVICES.format(**ports))
        self._let_in("admin")
        # It waits for the disk after each message, which is no use here.
        hasty = {"LD_PRELOAD": "libeatmydata.so"}
        self.processes.append(self._root.start("/usr/lib/cyrus/bin/master", "-D", env=hasty))
        wait_for(self.processes[-1], self.tls_port, self._root.log)

    def running_version(self) -> str:
        """As its package says."""
        return debian.unpacked()["cyrus-pop3d"]

    def put(self, user: str, messages: list[bytes]) -> None:
        """APPEND over IMAP. Raises imaplib.IMAP4.error for what Cyrus refuses to keep."""
        if user not in self._users:
            self._let_in(user)
            self._users.add(user)
            with imaplib.IMAP4("127.0.0.1", self._imap_port) as imap:
                imap.login("admin", self.password_of("admin"))
                imap.create(f"user/{user}")
        with imaplib.IMAP4("127.0.0.1", self._imap_port) as imap:
            imap.login(user, self.password_of(user))
            # All in one command, which is one commit; imaplib knows only how to append one (RFC 3502, RFC 7888).
            lines = [re.sub(rb"(?<!\r)\n", b"\r\n", message) for message in messages]
            imap.send(b"a APPEND INBOX" + b"".join(b" {%d+}\r\n%s" % (len(m), m) for m in lines) + b"\r\n")
            while not (answer := imap.readline()).startswith(b"a "):
                pass
            if not answer.startswith(b"a OK"):
                raise imaplib.IMAP4.error(answer.decode())

    def _let_in(self, user: str) -> None:
        command = ("/usr/sbin/saslpasswd2", "-p", "-c", "-u", "localhost", user)
        self._root.run(*command, stdin=self.password_of(user))
        self._root.own(self._root.path / PASSWORDS)
