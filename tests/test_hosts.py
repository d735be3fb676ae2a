"""How many sessions a host has at once, and the pauses that servers ask for."""

import re

from sqlalchemy import text

from etl.archive import ledger
from etl.pipeline import archive_shard
from tests.archivist import LETTERS, Archivist, ann, commands, letter
from tests.pop3_server import Mailbox, Pop3Server, Reply, Session, err


class Delaying(Session):
    """Wants an hour between two logins."""

    def capabilities(self) -> list[str]:
        """RFC 2449 section 6.5."""
        return [*super().capabilities(), "LOGIN-DELAY 3600"]


def test_a_login_delay_is_kept_across_runs(archivist: Archivist):
    """The second run does not even connect, and says for how long."""
    with Pop3Server(ann(*LETTERS), session=Delaying) as server:
        assert archivist.run(server).archived == 4
        logins = commands(server, "APOP")
        done = archivist.run(server)
        assert commands(server, "APOP") == logins
    assert re.search(r"left alone for another 3\d{3} seconds; a later run goes on", str(done.failure))


class TooOften(Session):
    """Refuses the login, and says for how long."""

    def _enter(self, user: str, right: bool) -> Reply:
        return err("minimum interval between logins is 20 minutes", "LOGIN-DELAY")


def test_a_refused_login_that_says_how_long_is_a_pause_for_all_workers(archivist: Archivist):
    """It is in the database, so another worker keeps to it too."""
    with Pop3Server(ann(*LETTERS), session=TooOften) as server:
        assert "LOGIN-DELAY" in str(archivist.run(server).failure)
        server.session = Session
        assert "left alone for another 1" in str(archivist.run(server).failure)
        with archivist.engine.begin() as connection:
            connection.execute(text("update ops.pause set until = now()"))
        assert archivist.run(server).archived == 4


def test_a_host_has_no_more_sessions_than_it_may(archivist: Archivist):
    """Six mailboxes on one host, two at once."""
    at_once: list[int] = []

    class Counting(Session):
        def reply_stat(self, argument: str) -> Reply:
            at_once.append(len(self.server._in_use))
            return super().reply_stat(argument)

    mailboxes = {f"user{n}": Mailbox("secret", [letter(f"user{n}")]) for n in range(6)}
    with Pop3Server(mailboxes, session=Counting) as server:
        configured = [archivist.mailbox(server, name=n, username=n, sessions_per_host=2) for n in mailboxes]
        with archivist.engine.connect() as connection:
            run_id = ledger.begin_run(connection, "command", "test")
        done = archive_shard(archivist.engine, configured, run_id)
    assert [d.archived for d in done] == [1] * 6
    assert max(at_once) <= 2
