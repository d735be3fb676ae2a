"""Verification: what is stored beside what is recorded of it, and a record of who looked and what was found."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, text

import etl
from etl.archive.statements import statement, titled, titles
from etl.archive.stored import Chosen

# A fetch takes so many findings: a ruined archive has millions.
FINDINGS_AT_ONCE = 1000
# Shared by verifications; archive.approve_disposition has it alone.
DISPOSITION_LOCK = 7497062


class Verification:
    """One verification, as it is recorded: begun, its faults as they are found, and its end.

    Its connection is its own: what it found stays, whatever becomes of the reading. No disposition is approved while it
    is open: what is noted of a message would stay behind.
    """

    def __init__(self, engine: Engine, asked: Chosen):
        self.messages = self.octets = self.faults = 0
        self._connection = engine.connect()
        with self._connection.begin():
            named = {"asked": str(asked), "version": etl.__version__}
            self._number = self._connection.scalar(statement("verification", "begin"), named)
        with self._connection.begin():
            # Waits for one whose approval is not committed.
            self._connection.execute(text("select pg_advisory_lock_shared(:key)"), {"key": DISPOSITION_LOCK})

    def __enter__(self) -> "Verification":
        return self

    def __exit__(self, *_: object) -> None:
        # With the session, and not to the pool: the lock is the session's.
        self._connection.invalidate()
        self._connection.close()

    def count(self, octets: int) -> None:
        """One more message was verified."""
        self.messages += 1
        self.octets += octets

    def note(self, place: str, fault: str) -> None:
        """Record a fault."""
        self.faults += 1
        with self._connection.begin():
            named = {"verification_id": self._number, "place": place, "fault": fault}
            self._connection.execute(statement("verification", "note"), named)

    def end(self) -> None:
        """It came to its end; one that did not has none in the record."""
        with self._connection.begin():
            found = {"messages": self.messages, "octets": self.octets, "faults": self.faults}
            self._connection.execute(statement("verification", "end"), {"verification_id": self._number, **found})


def books(connection: Connection) -> Iterator[tuple[str, Iterator[str]]]:
    """Each check of the books (sql/checks): what it says, and what it finds wrong. Drain each before the next."""
    for name, says in titles("checks").items():
        found = connection.execute(titled("checks", name), execution_options={"yield_per": FINDINGS_AT_ONCE})
        yield says, iter(found.scalars())
