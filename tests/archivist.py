"""Who runs over one mailbox of a small server into an empty archive, and the mail that lies there."""

import hashlib
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine, text

from etl.archive import ledger
from etl.archive.database import engine_for
from etl.archive.rights import LOADER
from etl.config import Mailbox as Configured
from etl.pipeline import archive_shard
from etl.visit import Done, Options
from tests.pop3_server import Mailbox, Pop3Server, wire


def letter(name: str, octets: int = 0) -> bytes:
    """A message that is like no other, of at least so many octets."""
    filling = (name * 70)[:70] + "\n"
    return f"From: {name}@example.org\nSubject: {name}\n\nhello from {name}\n{filling * (octets // 70)}".encode()


LETTERS = [letter(name) for name in ("ann", "bob", "carla", "dan")]


class Archivist:
    """Runs over one mailbox of a server, into an archive."""

    def __init__(self, engine: Engine, folder: Path):
        self.engine = engine
        self._password = folder / "password"
        self._password.write_text("secret")

    def mailbox(self, server: Pop3Server, **changes: object) -> Configured:
        """How the mailbox is configured."""
        named = {"name": "box", "host": "127.0.0.1", "port": server.port, "tls": "none", "username": "ann"}
        return Configured.model_validate({**named, "password": {"file": str(self._password)}, **changes})

    def run(self, server: Pop3Server, options: Options | None = None, **changes: object) -> Done:
        """One run, as the loader."""
        engine = engine_for(self.engine.url.render_as_string(hide_password=False), LOADER)
        with engine.connect() as connection:
            run_id = ledger.begin_run(connection, "command", "test")
        try:
            return archive_shard(engine, [self.mailbox(server, **changes)], run_id, options=options or Options())[0]
        finally:
            engine.dispose()

    def balance(self) -> dict[str, object]:
        """The books of the mailbox, zeros left out."""
        with self.engine.connect() as connection:
            (row,) = ledger.balance(connection)
        return {key: value for key, value in row.items() if value and key != "name"}

    def steps(self) -> dict[str, int]:
        """How often each step stands in the ledger."""
        return Counter(self.ask("select cast(step as text) from archive.ledger"))

    def ask(self, query: str) -> list[object]:
        """The first column of what a query answers."""
        with self.engine.connect() as connection:
            return list(connection.scalars(text(query)))

    def stored(self) -> set[bytes]:
        """The hashes of the messages in the archive."""
        return {bytes(s) for s in self.ask("select sha256 from archive.message")}  # type: ignore[call-overload]


def ann(*raws: bytes) -> dict[str, Mailbox]:
    """The mailboxes of a server that knows ann only."""
    return {"ann": Mailbox("secret", raws)}


def hashes(*raws: bytes) -> set[bytes]:
    """What the archive holds of these messages."""
    return {hashlib.sha256(wire(raw)).digest() for raw in raws}


def commands(server: Pop3Server, verb: str) -> int:
    """How often a command was sent."""
    return sum(line.split()[0] == verb for line in server.commands)
