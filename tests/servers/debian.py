"""A small Debian of the tests' own, for servers of which Debian installs only one at a time.

`python -m tests.servers.install` unpacks the packages once; each server gets a copy and is entered by chroot,
so that what its programs have built in (/etc/courier, /var/lib/popa3d) is there and harms nobody.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SERVERS = """
courier-authdaemon courier-authlib courier-base courier-pop libcourier-unicode4
cyrus-common cyrus-imapd cyrus-pop3d sasl2-bin tzdata
libmailutils9 libmu-dbm9 mailutils-pop3d
popa3d
solid-pop3d
""".split()
LIBRARIES = """
libaudit1 libc6 libcap-ng0 libcom-err2 libcrypt1 libdb5.3 libeatmydata1 libffi8 libgcc-s1 libgdbm6 libglib2.0-0
libgmp10 libgnutls30 libgsasl18 libgssapi-krb5-2 libgssglue1 libhogweed6 libical3 libicu72 libidn12 libidn2-0
libjansson4 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libkyotocabinet16v5 libldap-2.5-0 liblockfile1
libltdl7 liblzma5 liblzo2-2 libmariadb3 libnettle8 libnsl2 libntlm0 libp11-kit0 libpam-modules libpam0g libpcre2-8-0
libpcre3 libpq5 libsasl2-2 libsasl2-modules libsasl2-modules-db libselinux1 libsqlite3-0 libssl3 libstdc++6 libtasn1-6
libtirpc3 libunistring2 libuuid1 libwrap0 libxapian30 libxml2 libzstd1 zlib1g
""".split()

# Every process that needs no rights runs as this user, whom every Debian has.
NOBODY = 65534
USERS = "courier cyrus nobody popa3d spop3d".split()
# The password of every user, and how crypt(3) writes it down.
PASSWORD = "secret"
CRYPTED = "$6$popvault$23s1lZTZ2D95FrliZ426t5UTmw2ERHvvtDR7dR9.6kOYfXn6fpn91NXcQDjAUniGBdcM.J14Sqjcf1LDA150M/"


def cache() -> Path:
    """Where the packages are unpacked: POPVAULT_SERVERS, or a folder among the user's caches."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("POPVAULT_SERVERS") or f"{home}/popvault-tests/servers").expanduser().absolute()


def unpacked() -> dict[str, str]:
    """The version of each package that is unpacked; empty where there are none."""
    listing = cache() / "packages"
    return dict(line.split("=", 1) for line in listing.read_text().splitlines()) if listing.exists() else {}


def missing() -> str | None:
    """Why there can be no server in a small Debian here, or None."""
    if os.getuid() != 0:
        return "NO SERVER BUT DOVECOT: chroot needs root"
    if unpacked().keys() != set(SERVERS + LIBRARIES):
        return "NO SERVER BUT DOVECOT: python -m tests.servers.install unpacks the others from Debian's packages"
    return None


class Root:
    """A copy of the small Debian, with users in /etc/passwd whose password is "secret"."""

    def __init__(self, path: Path):
        self.path = path
        self.log = path / "log"
        shutil.copytree(cache() / "root", path, symlinks=True, copy_function=_link)
        for name in ("dev", "home", "run", "tmp", "var/mail"):
            (path / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/mail"):
            (path / name).chmod(0o1777)
        # An empty file does for a device here, which a container might not let us make.
        self.write("dev/null", "", mode=0o666)
        self.write("etc/group", f"root:x:0:\nmail:x:8:\nnogroup:x:{NOBODY}:\ncourier:x:{NOBODY}:\n")
        self.write("etc/passwd", "".join(["root:x:0:0::/root:/bin/false\n", *(_passwd(user, "x") for user in USERS)]))

    def write(self, name: str, text: str, *, mode: int = 0o644, owner: int = 0) -> Path:
        """Write a file anew; never into one that this copy shares with others."""
        path = self.path / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, owner)
        return path

    def folder(self, name: str) -> Path:
        """An empty folder of nobody's."""
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self.own(path)
        return path

    def own(self, path: Path) -> None:
        """Give a file to nobody."""
        os.chown(path, NOBODY, NOBODY)

    def know(self, user: str) -> None:
        """Make sure that a user can log in."""
        line = _passwd(user, CRYPTED)
        with (self.path / "etc/passwd").open("r+") as passwd:
            if line not in passwd:
                passwd.write(line)

    def check_passwords_of(self, service: str) -> None:
        """Have PAM look into /etc/passwd for a service, without its usual delay after a wrong password."""
        self.write(f"etc/pam.d/{service}", "auth required pam_unix.so nodelay\naccount required pam_unix.so\n")

    def start(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a program in here; what it says goes to the file log."""
        return self._start([_chroot(), str(self.path), *command], env or {})

    def inetd(self, port: int, program: str) -> subprocess.Popen[bytes]:
        """Start a program in here anew for each connection."""
        command = [sys.executable, "-m", "tests.servers.inetd", str(self.path), str(port), program]
        return self._start(command, dict(os.environ))

    def _start(self, command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def run(self, *command: str, stdin: str = "") -> None:
        """Run a program in here to its end."""
        subprocess.run([_chroot(), str(self.path), *command], env={}, input=stdin, text=True, check=True)


def _passwd(user: str, password: str) -> str:
    return f"{user}:{password}:{NOBODY}:{NOBODY}::/home/{user}:/bin/false\n"


def _chroot() -> str:
    return str(shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin"))


def _link(source: str, target: str) -> None:
    """A second name for a file costs nothing; a copy where that is another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
