"""A real Dovecot on loopback, on ports and in a folder of its own, without root's help where there is none."""

import getpass
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

CONF = """
protocols = pop3
base_dir = {root}/run
state_dir = {root}/run
log_path = {root}/log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
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
    port = 0
  }}
}}
"""


class Dovecot:
    """A running server; every user has the password "secret"."""

    def __init__(self, root: Path):
        self.root = root
        self.port = free_port()
        self._user = getpass.getuser()
        group = grp.getgrgid(os.getgid()).gr_name
        users = {"login": self._user, "internal": self._user, "internal_group": group}
        if os.getuid() == 0:  # Dovecot serves no mail as root, and Debian's package made users for the rest
            self._user = "nobody"
            group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
            users = {"login": "dovenull", "internal": "dovecot", "internal_group": "dovecot"}
            root.chmod(0o755)
        (root / "dovecot.conf").write_text(
            CONF.format(root=root, user=self._user, group=group, port=self.port, **users)
        )
        self._process = subprocess.Popen(
            [str(shutil.which("dovecot", path="/usr/sbin:/usr/bin")), "-F", "-c", str(root / "dovecot.conf")],
            stderr=subprocess.PIPE,
        )
        for _ in range(100):
            if self._process.poll() is not None:
                assert self._process.stderr
                raise RuntimeError(f"Dovecot did not start: {self._process.stderr.read().decode()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"Dovecot does not listen: {(root / 'log').read_text()}")

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
        if self._process.stderr:
            self._process.stderr.close()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing() -> str | None:
    """Why there can be no Dovecot here, or None."""
    if not shutil.which("dovecot", path=f"/usr/sbin:/usr/bin:{os.environ.get('PATH', '')}"):
        return "NO DOVECOT: apt-get install dovecot-pop3d to run the tests against a real server"
    return None
