"""Mail archived a second, whole command, real servers: `python -m tests.bench.archiving --help`.

MAIL_CORPUS names a folder of raw messages; PATTERN picks files in it. They are dealt to MAILBOXES
mailboxes of a Dovecot, archived by `popvault run` into an empty Postgres (fsync on), checked
(verify, export against what the server sends, a second run) and measured. With one mailbox, the script that
anybody would write first (tests.bench.plain) runs over it too, for the ratio. With --kills the run is killed at
random moments first, and it is not its speed but its result that counts.
"""

import argparse
import hashlib
import os
import poplib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import text

from etl.archive.database import engine_for
from etl.archive.embedded import EmbeddedPostgres
from tests.archive.sizes import largest, sizes
from tests.servers.dovecot import Dovecot
from tests.system.command import Popvault

MIB = 1024 * 1024
COMMITTED = """
select extract(epoch from (select max(at) from archive.ledger) - (select max(began_at) from ops.run))
"""


def main() -> None:
    """Print the figures of one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mailboxes", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("pattern", nargs="?", default="**/*")
    asked = parser.parse_args()
    files = sorted(p for p in Path(os.environ["MAIL_CORPUS"]).glob(asked.pattern) if p.is_file())
    with tempfile.TemporaryDirectory(prefix="popvault-bench-") as root, servers(Path(root)) as (dovecot, url):
        users = [f"user{n}" for n in range(asked.mailboxes)]
        for n, user in enumerate(users):
            dovecot.put(user, [p.read_bytes() for p in files[n :: asked.mailboxes]])
        popvault = Popvault(Path(root), dovecot, url, *users)
        popvault("init")
        command = [*popvault.command, "run", "--mailboxes", str(popvault.file)]
        for _ in range(asked.kills):
            kill(command, popvault.environment, url)
        before = database_cpu(Path(root))
        seconds, peak, cpu = measure(command, popvault.environment)
        print(f"run: {len(files)} messages in {seconds:.2f} s: {len(files) / seconds:.0f}/s")
        print(f"CPU seconds: popvault {cpu:.1f}, Postgres {database_cpu(Path(root)) - before:.1f}")
        print(f"peak memory of the process tree: {peak / MIB:.0f} MiB PSS")
        report_sizes(url)
        check(popvault, dovecot, users, Path(root) / "out")
        if asked.mailboxes == 1 and not asked.kills:
            plain = [sys.executable, "-m", "tests.bench.plain", str(dovecot.port), users[0], url]
            theirs, _, _ = measure(plain, popvault.environment)
            print(f"the plain script: {len(files) / theirs:.0f}/s, popvault {theirs / seconds:.2f} times as fast")


def database_cpu(root: Path) -> float:
    """CPU seconds so far of the Postgres in root."""
    return tree_cpu(int((root / "postgres" / "postgres" / "data" / "postmaster.pid").read_text().split()[0]))


def tree_cpu(pid: int) -> float:
    """CPU seconds so far of a process and of all below it, of those that have ended too."""
    ticks = 0
    for each in _tree(pid):
        with suppress(OSError):  # it has ended since
            stat = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def kill(command: list[str], environment: dict[str, str], url: str) -> None:
    """Start a run and kill it at a random moment; say how far it had come."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moment = random.uniform(0.5, 6.0)
    time.sleep(moment)
    process.kill()
    process.wait()
    with engine_for(url).connect() as connection:
        stored = connection.scalar(text("select count(*) from archive.message"))
    print(f"killed after {moment:.1f} s: {stored} messages in the archive")


def report_sizes(url: str) -> None:
    """The database beside the mail, and its largest tables."""
    with engine_for(url).connect() as connection:
        print(
            f"all was committed {connection.scalar(text(COMMITTED)):.1f} s after the run began; the rest is its words"
        )
        ours, mail = sizes(connection)
        tables = largest(connection)
    listed = ", ".join(f"{name} {octets / MIB:.1f}" for name, octets in tables)
    print(f"tables with indexes {ours / MIB:.1f} MiB for {mail / MIB:.1f} MiB of mail; the largest: {listed}")


@contextmanager
def servers(root: Path) -> Iterator[tuple[Dovecot, str]]:
    """A Dovecot and an empty Postgres, stopped at the end."""
    root.chmod(0o755)
    (root / "dovecot").mkdir()
    postgres = EmbeddedPostgres(root / "postgres")
    dovecot = Dovecot(root / "dovecot")
    try:
        yield dovecot, postgres.start()
    finally:
        dovecot.stop()
        postgres.stop()
        shutil.rmtree((root / "postgres" / "postgres").resolve())


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, int, float]:
    """Wall seconds, peak PSS of the process tree in bytes, and its CPU seconds. The output goes to the screen."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    process.wait()
    seconds = time.perf_counter() - start
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, peak[0], after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_pss(pid) for pid in _tree(process.pid)))
        time.sleep(0.1)


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(p for child in children for p in _tree(int(child)))]


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def check(popvault: Popvault, dovecot: Dovecot, users: list[str], out: Path) -> None:
    """Verify, export and compare, run again; each must hold."""
    assert popvault("verify").returncode == 0
    assert popvault("export", "--to", str(out)).returncode == 0
    sent = {name for user in users for name in _sent(dovecot, user)}
    exported = {hashlib.sha256(p.read_bytes()).hexdigest() for p in out.iterdir()}
    assert exported == sent == {p.stem for p in out.iterdir()}, "the export is not what the server sends"
    second = popvault.run()
    assert second.returncode == 0
    assert second.stdout == "".join(f"{user}: nothing new\n" for user in users)
    balance = popvault.balance()
    outcomes = {key: sum(int(str(b[key])) for b in balance.values()) for key in ("listed", "archived", "duplicate")}
    print(f"verified; {len(exported)} files exported as sent; the second run retrieved nothing; {outcomes}")


def _sent(dovecot: Dovecot, user: str) -> Iterator[str]:
    """The SHA-256 of each message as another client gets it."""
    poplib._MAXLINE = 1 << 30  # type: ignore[attr-defined]
    client = poplib.POP3("127.0.0.1", dovecot.port)
    client.user(user)
    client.pass_("secret")
    for number in range(1, client.stat()[0] + 1):
        yield hashlib.sha256(b"".join(line + b"\r\n" for line in client.retr(number)[1])).hexdigest()
    client.quit()


if __name__ == "__main__":
    main()
