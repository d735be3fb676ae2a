"""Unpacks Debian's packages of POP3 servers for the tests; does nothing where they are unpacked already.

`python -m tests.servers.install`. Nothing is installed, no script of a package runs; as root, apt's lists are
brought up to date where a package is not found.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from tests.servers.debian import LIBRARIES, SERVERS, cache, unpacked

APT, DPKG = "/usr/bin/apt-get", "/usr/bin/dpkg"


def install() -> None:
    """Download, unpack, and list what was unpacked. Raises CalledProcessError or OSError."""
    packages = SERVERS + LIBRARIES
    if unpacked().keys() == set(packages):
        return
    home = cache()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=home) as temporary:
        root, archives = Path(temporary) / "root", Path(temporary) / "archives"
        archives.mkdir()
        try:
            _download(packages, archives)
        except subprocess.CalledProcessError:
            if os.getuid() != 0:
                raise
            subprocess.run([APT, "update", "-q"], check=True)
            _download(packages, archives)
        found = sorted(archives.iterdir())
        for archive in found:
            subprocess.run([DPKG, "-x", archive, root], check=True)
        # Ours to share by links, so nobody may write to them: copies are written anew.
        shutil.rmtree(home / "root", ignore_errors=True)
        root.rename(home / "root")
    names = (unquote(archive.name).split("_") for archive in found)
    (home / "packages").write_text("".join(f"{name}={version}\n" for name, version, _ in names))


def _download(packages: list[str], archives: Path) -> None:
    # apt's own user cannot write into our folder; what came is checked against the signed lists either way.
    command = [APT, "download", "-qq", "-o", "APT::Sandbox::User=root", *packages]
    subprocess.run(command, cwd=archives, check=True)


if __name__ == "__main__":
    try:
        install()
    except OSError as error:
        sys.exit(f"NO SERVER BUT DOVECOT: {error}; the tests of the others will be skipped")
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:2]))
        sys.exit(f"NO SERVER BUT DOVECOT: {command} failed (see above); the tests of the others will be skipped")
