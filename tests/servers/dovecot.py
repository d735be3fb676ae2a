"""A real Dovecot on loopback, on ports and in a folder of its own, without root's help where there is none."""

import getpass
import grp
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from tests.servers.certificate import Certificate
from tests.servers.ports import free_port, wait_for

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


class Dovecot:
    """A running server. Every user has the password "secret", which is also every user's OAuth token."""

    name = "Dovecot"
    stls = True

    def __init__(self, root: Path):
        self.root = root
        self.port, self.tls_port = free_port(), free_port()
        certificate = Certificate.issue(root)
        self.ca_file = certificate.ca
        self._user = getpass.getuser()
        group = grp.getgrgid(os.getgid()).gr_name
        users = {"login": self._user, "internal": self._user, "internal_group": group}
        if os.getuid() == 0:  # Dovecot serves no mail as root, and Debian's package made users for the rest
            self._user = "nobody"
            group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
            users = {"login": "dovenull", "internal": "dovecot", "internal_group": "dovecot"}
            root.chmod(0o755)
        places = {"root": root, "chain": certificate.chain, "key": certificate.key}
        ports = {"port": self.port, "tls_port": self.tls_port}
        (root / "dovecot.conf").write_text(CONF.format(user=self._user, group=group, **places, **ports, **users))
        command = [str(shutil.which("dovecot", path=PROGRAMS)), "-F", "-c", str(root / "dovecot.conf")]
        with (root / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(command, stderr=stderr)
        wait_for(self._process, self.port, root / "stderr", root / "log")

    def password_of(self, user: str) -> str:
        """What logs this user in."""
        return "secret"

    def put(self, user: str, messages: list[bytes]) -> None:
        """Lay messages into a user's mailbox, in this order."""
        folder = self.root / "mail" / user
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        start = len(list((folder / "cur").iterdir()))
        for number, message in enumerate(messages, start):
            (folder / "cur" / f"{1000000000 + number}.M{number}.here:2,").write_bytes(message)
        if os.getuid() == 0:
            for path in (self.root / "mail").rglob("*"):
                shutil.chown(path, self._user)
            shutil.chown(self.root / "mail", self._user)

    def stop(self) -> None:
        """Stop it and what it started."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)


def missing() -> str | None:
    """Why there can be no Dovecot here, or None."""
    if not shutil.which("dovecot", path=f"{PROGRAMS}:{os.environ.get('PATH', '')}"):
        return "NO DOVECOT: apt-get install dovecot-pop3d to run the tests against a real server"
    return None
