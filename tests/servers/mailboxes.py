"""Mail as servers keep it: one file a message (Maildir), or all in one file (mbox)."""

import itertools
import os
import re
import time
from pathlib import Path

# Every message has a second of its own, in order and long past: no name comes twice, as some make UIDLs of them.
_seconds = itertools.count(1_000_000_000)


def fill_maildir(folder: Path, messages: list[bytes], owner: int, group: int) -> None:
    """Lay messages into a Maildir, behind those that it holds."""
    for name in ("", "cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        os.chown(folder / name, owner, group)
    for message in messages:
        path = folder / "cur" / f"{next(_seconds)}.M1.here:2,"
        path.write_bytes(message)
        os.chown(path, owner, group)


def append_mbox(path: Path, messages: list[bytes], owner: int, group: int) -> None:
    """Append messages to an mbox, as a delivery agent does: "From " at the begin of a line is quoted with ">"."""
    with path.open("ab") as mbox:
        for message in messages:
            quoted = re.sub(rb"^From ", b">From ", message, flags=re.MULTILINE)
            end = b"\n" if message.endswith(b"\n") else b"\n\n"
            if b"\n\n" not in message:
                end += b"\n"  # else the line that ends the message would be the one that ends its header
            date = time.asctime(time.gmtime(next(_seconds))).encode()
            mbox.write(b"From ann@example.org %s\n%s%s" % (date, quoted, end))
    os.chown(path, owner, group)
    path.chmod(0o600)
