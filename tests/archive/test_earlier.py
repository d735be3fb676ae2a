"""Archives that earlier popvaults left (`earlier`), brought up to date by `popvault init`."""

import hashlib
import json
from pathlib import Path

import psycopg
import pytest

from etl.archive.database import engine_for
from etl.archive.questions import answer, questions
from tests.archive.delivering import join_all, rows
from tests.archive.earlier import ANSWERS, ASKS, BROKEN, FOLDER, MAILBOXES
from tests.pop3_server import Mailbox, Pop3Server
from tests.system.command import Popvault


@pytest.fixture(params=sorted(FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def popvault(request: pytest.FixtureRequest, blank_url: str, tmp_path: Path) -> Popvault:
    """The command over the archive of a commit, which it has upgraded."""
    with psycopg.connect(blank_url) as connection:
        connection.execute(request.param.read_bytes())
    popvault = Popvault(tmp_path, None, blank_url)
    done(popvault, "init")
    return popvault


def done(popvault: Popvault, *arguments: str) -> str:
    """What a command says that must go well."""
    told = popvault(*arguments)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def found(popvault: Popvault, words: str) -> set[str]:
    """The subjects of what is found."""
    return {hit["subject"] for hit in json.loads(done(popvault, "search", words, "--json"))}


def test_an_earlier_archive_is_whole(popvault: Popvault, blank_url: str, tmp_path: Path):
    """Verified as it is; read again, then found, threaded and asked, and verified to the last row."""
    assert "3 messages" in done(popvault, "verify")
    done(popvault, "rebuild")
    assert "another parser" not in done(popvault, "verify")
    done(popvault, "export", "--to", str(tmp_path / "out"))
    exported = {path.stem for path in (tmp_path / "out").iterdir()}
    assert exported == {hashlib.sha256(raw).hexdigest() for raw in (ASKS, ANSWERS, BROKEN)}
    assert found(popvault, "from:carl filename:prices") == {"price"}
    assert found(popvault, "grüße -price") == {"grüße"}
    engine = engine_for(blank_url)
    join_all(engine)
    threads = "select count(distinct thread_id), count(*) from mart.message where subject like 'price%'"
    assert rows(engine, threads) == [(1, 2)]
    outcomes = "select outcome, count(*) from mart.delivery group by 1 order by 1"
    assert rows(engine, outcomes) == [("archived", 3), ("duplicate", 2), ("excluded", 1)]
    with engine.connect() as connection:
        asked = {"house": "example.org", "address": "ann@example.org", "message": "1"}
        for name, question in questions().items():
            answer(connection, name, {p.name: asked[p.name] for p in question.parameters if p.name in asked})
    engine.dispose()


def test_the_next_run_knows_what_it_has(popvault: Popvault):
    """Nothing is retrieved twice, and what comes anew is archived."""
    with Pop3Server({name: Mailbox("secret", raws) for name, raws in MAILBOXES.items()}) as server:
        popvault.add("ann", username="ann", port=server.port, message_bytes_max=4000)
        assert popvault.run().stdout == "ann: nothing new\n"
        server.mailboxes["ann"].deliver(b"Subject: new\r\n\r\nnew\r\n")
        assert "1 archived" in popvault.run().stdout
    assert found(popvault, "subject:new") == {"new"}
