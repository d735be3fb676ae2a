"""Dovecot on loopback, as it is installed here, as root or not: Maildir, both kinds of TLS, many ways to log in."""

import getpass
import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.servers.certificate import Certificate
from tests.servers.mailboxes import fill_maildir
from tests.servers.ports import free_port, wait_for
from tests.servers.server import Server

PROGRAMS = "/usr/sbin:/usr/bin"

CONF = """
protocols = pop3
base_dir = {root}/run
state_dir = {root}/run
log_path = {root}/log
listen = 127.0.0.1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 apop xoauth2 oauthbearer
mail_location = maildir:{root}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {internal_group}
mailbox_list_index = no
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={root}/mail/%u
}}
service anvil {{
  chroot =
  # Else a wrong password slows the next logins of all tests down.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


class Dovecot(Server):
    """A running server. Every user has the password "secret", which is also every user's OAuth token."""

    name = "Dovecot"
    version = "2.3"
    alters = "a dot as the first byte is sent unstuffed"
    stls = True

    def __init__(self, root: Path):
        super().__init__()
        self.root = root
        self.port, self.tls_port = free_port(), free_port()
        certificate = Certificate.issue(root)
        self.ca_file = certificate.ca
        user, self._owner, self._group = getpass.getuser(), os.getuid(), os.getgid()
        users = {"login": user, "internal": user, "internal_group": grp.getgrgid(self._group).gr_name}
        if os.getuid() == 0:  # Dovecot serves no mail as root, and Debian's package made users for the rest
            user = "nobody"
            self._owner, self._group = pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid
            users = {"login": "dovenull", "internal": "dovecot", "internal_group": "dovecot"}
            root.chmod(0o755)
        (root / "mail").mkdir()
        os.chown(root / "mail", self._owner, self._group)
        users |= {"user": user, "group": grp.getgrgid(self._group).gr_name}
        places = {"root": root, "chain": certificate.chain, "key": certificate.key}
        (root / "dovecot.conf").write_text(CONF.format(port=self.port, tls_port=self.tls_port, **places, **users))
        with (root / "stderr").open("wb") as stderr:
            command = [_program(), "-F", "-c", str(root / "dovecot.conf")]
            self.processes.append(subprocess.Popen(command, stderr=stderr, start_new_session=True))
        wait_for(self.processes[-1], self.port, root / "stderr", root / "log")

    @staticmethod
    def missing() -> str | None:
        """Why there can be no Dovecot here, or None."""
        if not _program():
            return "NO DOVECOT: apt-get install dovecot-pop3d to run the tests against a real server"
        return None

    def running_version(self) -> str:
        """As it says itself."""
        return subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True).stdout

    def put(self, user: str, messages: list[bytes]) -> None:
        """Lay files into the Maildir."""
        fill_maildir(self.root / "mail" / user, messages, self._owner, self._group)


def _program() -> str:
    return shutil.which("dovecot", path=f"{PROGRAMS}:{os.environ.get('PATH', '')}") or ""
