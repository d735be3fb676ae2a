"""The steps of archive_mail as Airflow calls them, over a real server and a real archive, without Airflow."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine, text

from etl.airflow import tasks
from etl.errors import Misconfigured, Retry, Stop
from tests import pop3_server as servers
from tests.behind import behind_the_triggers
from tests.pop3_server import Mailbox, Pop3Server, Reply

PASSWORD = "a-password-of-the-tests"
WRONG = "a-wrong-password"


class Talkative(servers.Session):
    """Quotes the password that it refuses, and is too busy for carla until she is let in."""

    busy = True
    attempts: ClassVar[Counter[str]] = Counter()

    def reply_apop(self, argument: str) -> Reply:
        """Not known here: the password goes over the line."""
        return servers.err("unknown command")

    def reply_pass(self, argument: str) -> Reply:
        """Counts who tries."""
        type(self).attempts[str(self._named)] += 1
        if self._named == "carla" and self.busy:
            return servers.err("come back in a while", "LOGIN-DELAY")
        if argument != PASSWORD:
            return servers.err(f"{argument} is not the password")
        return super().reply_pass(argument)


@pytest.fixture
def server() -> Iterator[Pop3Server]:
    """Ann, Bob and Carla have two messages each; one is in all three mailboxes."""
    raws = {
        name: [b"Subject: to all\n\nhello\n", f"Subject: to {name}\n\n".encode()] for name in ("ann", "bob", "carla")
    }
    Talkative.busy, Talkative.attempts = True, Counter()
    with Pop3Server({name: Mailbox(PASSWORD, held) for name, held in raws.items()}, session=Talkative) as server:
        yield server


@pytest.fixture
def mailboxes(
    tmp_path: Path, server: Pop3Server, database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A mailboxes file, Bob's password wrong in it; the archive it goes to is in the environment."""
    monkeypatch.setenv("POPVAULT_DATABASE_URL", database_url)
    return write_mailboxes(tmp_path, server, {"ann": PASSWORD, "bob": WRONG, "carla": PASSWORD})


def write_mailboxes(folder: Path, server: Pop3Server, passwords: dict[str, str]) -> str:
    """A mailboxes file and a password file for each."""
    file = folder / "mailboxes.toml"
    lines = [f'[defaults]\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"']
    for name, password in passwords.items():
        (folder / f"{name}.password").write_text(password)
        secret = f'{{ file = "{folder / name}.password" }}'
        lines.append(f'[[mailbox]]\nname = "{name}"\nusername = "{name}"\npassword = {secret}')
    file.write_text("\n".join(lines))
    return str(file)


class Memory(dict[str, Any]):
    """What a task remembers between its tries."""

    def set(self, key: str, value: Any) -> None:
        """Remember."""
        self[key] = value


def test_few_mailboxes_have_a_task_each(mailboxes: str, engine: Engine):
    """Three mailboxes are three shards of one run, with labels that a person can read."""
    planned = tasks.plan(mailboxes, 100, "a run of Airflow")
    assert [(shard["names"], shard["label"]) for shard in planned] == [
        (["ann"], "ann"),
        (["bob"], "bob"),
        (["carla"], "carla"),
    ]
    with engine.connect() as connection:
        runs = connection.execute(text("select run_id, trigger, external_id, ended_at from ops.run")).all()
    assert [tuple(run) for run in runs] == [(planned[0]["run_id"], "airflow", "a run of Airflow", None)]


@pytest.mark.parametrize(("number", "of_one", "shards"), [(5, 2, 4), (30, 10, 4), (90, 10, 9), (1000, 1, 256)])
def test_many_mailboxes_are_dealt_evenly(
    tmp_path: Path, server: Pop3Server, mailboxes: str, number: int, of_one: int, shards: int
):
    """Every mailbox is in one shard; shards differ by one mailbox at most; Airflow's limit is far."""
    names = [f"box{n}" for n in range(number)]
    planned = tasks.plan(write_mailboxes(tmp_path, server, dict.fromkeys(names, "x")), of_one, "run")
    sizes = [len(shard["names"]) for shard in planned]
    assert sorted(name for shard in planned for name in shard["names"]) == sorted(names)
    assert (len(sizes), max(sizes) - min(sizes) <= 1) == (shards, True)
    assert planned[0]["label"] == f"box0 and {sizes[0] - 1} more"


def test_a_later_try_takes_up_only_what_may_pass(mailboxes: str, server: Pop3Server):
    """The busy mailbox is tried again; the wrong password is not sent twice, and what is done is left alone."""
    (shard,) = [{**tasks.plan(mailboxes, 100, "run")[0], "names": ["ann", "bob", "carla"]}]
    memory = Memory()
    first = tasks.archive(mailboxes, shard, memory)
    with pytest.raises(Retry, match=r"^carla: .*come back in a while"):
        tasks.raise_for(first)
    tried = dict(Talkative.attempts)
    Talkative.busy = False
    second = tasks.archive(mailboxes, shard, memory)
    with pytest.raises(Stop, match=r"^bob: .*\*\*\* is not the password"):
        tasks.raise_for(second)
    assert {name: Talkative.attempts[name] - tried[name] for name in tried} == {"ann": 0, "bob": 0, "carla": 1}
    assert second["ann"] == {"retrieved": 2, "archived": 2}
    assert second["carla"] == {"retrieved": 2, "archived": 1, "duplicate": 1}
    assert WRONG not in str(second)
    assert PASSWORD not in str(second)


def test_the_summary_closes_the_run_and_the_verdict_names_who_failed(mailboxes: str, engine: Engine):
    """Counts over all shards; one sentence with each mailbox that failed, also one whose task said nothing."""
    Talkative.busy = False
    planned = tasks.plan(mailboxes, 100, "run")
    reports = [tasks.archive(mailboxes, shard, Memory()) for shard in planned[:2]]
    summary = tasks.summarise(planned, reports)
    assert {key: summary[key] for key in ("mailboxes", "retrieved", "archived", "undone", "unbalanced")} == {
        "mailboxes": 3, "retrieved": 2, "archived": 2, "undone": 2, "unbalanced": []
    }  # fmt: skip
    with pytest.raises(Stop, match=r"^2 of 3 mailboxes not archived to the end: bob: .*; carla: its task ended"):
        tasks.verdict(summary)
    with engine.connect() as connection:
        assert connection.scalar(text("select ended_at is not null from ops.run"))


def test_all_went_well(mailboxes: str):
    """No failure, no word."""
    Talkative.busy = False
    planned = [shard for shard in tasks.plan(mailboxes, 100, "run") if shard["label"] != "bob"]
    reports = [tasks.archive(mailboxes, shard, Memory()) for shard in planned]
    for report in reports:
        tasks.raise_for(report)
    tasks.verdict(tasks.summarise(planned, reports))


def test_books_that_do_not_balance_are_named(mailboxes: str, engine: Engine):
    """A delivery that was taken out of the record is missed."""
    Talkative.busy = False
    planned = tasks.plan(mailboxes, 100, "run")[:1]
    reports = [tasks.archive(mailboxes, planned[0], Memory())]
    with behind_the_triggers(engine) as connection:
        connection.execute(text("truncate archive.ledger"))
        connection.execute(text("delete from archive.delivery where delivery_id = 1"))
    with pytest.raises(Stop, match="the books of ann do not balance"):
        tasks.verdict(tasks.summarise(planned, reports))


def test_nothing_to_do_is_said(tmp_path: Path, server: Pop3Server, mailboxes: str):
    """A file whose mailboxes are all off, and a summary where nothing was planned."""
    Path(mailboxes).write_text(Path(mailboxes).read_text().replace("[defaults]", "[defaults]\nenabled = false"))
    with pytest.raises(Misconfigured, match="no mailbox is enabled"):
        tasks.plan(mailboxes, 100, "run")
    with pytest.raises(Stop, match="nothing was planned"):
        tasks.summarise(None, [])


def test_a_long_list_of_failures_is_cut():
    """A server that is down fails thousands; the sentence stays one that can be read."""
    reports = {f"box{n}": {"failure": f"box{n}: away", "stop": True} for n in range(1000)}
    with pytest.raises(Stop, match=r"box19: away; and 980 more$"):
        tasks.raise_for(reports)
