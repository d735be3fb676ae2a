"""One message of 1 GiB with an attachment of 700 MiB: `python -m tests.bench.huge [--mebibytes N] [--kills K]`.

Served by a Dovecot, archived by `popvault run` into an empty Postgres (fsync on), killed K times at random moments
on the way, then exported and compared. Prints the time and the peak resident memory of each process tree.
"""

import argparse
import base64
import hashlib
import random
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.archiving import MIB, measure, servers
from tests.system.command import Popvault

LINE = 57  # octets of content in one line of base64


def main() -> None:
    """Print the figures of one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--kills", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="popvault-bench-") as root, servers(Path(root)) as (dovecot, url):
        dovecot.put("ann", [b""])
        (file,) = (dovecot.root / "mail" / "ann" / "cur").iterdir()
        sha256 = write(file, asked.mebibytes * MIB)
        popvault = Popvault(Path(root), dovecot, url, "ann")
        popvault("init")
        command = [*popvault.command, "run", "--mailboxes", str(popvault.file)]
        for _ in range(asked.kills):
            process = subprocess.Popen(command, env=popvault.environment)
            time.sleep(random.uniform(1, 20))
            process.kill()
            process.wait()
            print("killed")
        for what, arguments in (
            ("run", ["run", "--mailboxes", str(popvault.file)]),
            ("verify", ["verify"]),
            ("export", ["export", "--to", str(Path(root) / "out")]),
        ):
            seconds, peak, _ = measure([*popvault.command, *arguments], popvault.environment)
            print(f"{what}: {seconds:.1f} s, peak memory of the process tree {peak / MIB:.0f} MiB")
        with (Path(root) / "out" / f"{sha256}.eml").open("rb") as exported:
            assert hashlib.file_digest(exported, "sha256").hexdigest() == sha256
        print("exported as sent")


def write(file: Path, octets: int) -> str:
    """Write a message of about so many octets, two thirds of it one attachment; its SHA-256 as sent."""
    digest = hashlib.sha256()
    chance = random.Random(1)
    with file.open("wb") as out:

        def put(data: bytes) -> None:
            digest.update(data.replace(b"\n", b"\r\n"))
            out.write(data)

        put(b"Subject: huge\nContent-Type: multipart/mixed; boundary=b\n\n")
        put(b"--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n")
        for _ in range(octets * 700 // 1024 // (LINE * 1000)):
            put(base64.encodebytes(chance.randbytes(LINE * 1000)))
        put(b"--b\nContent-Type: text/plain\n\n")
        while out.tell() < octets * 78 // 79:
            put((b"line %d of a long text\n" % chance.randrange(10**9)) * 100)
        put(b"--b--\n")
    return digest.hexdigest()


if __name__ == "__main__":
    main()
