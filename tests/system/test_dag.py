"""The DAG itself, run by Airflow: its own `DAG.test`, with the metadata in Postgres as in `make run`."""

import ast
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from etl.airflow import tasks
from etl.airflow.local import DAGS, DATABASE, Local
from etl.airflow.processes import Family
from tests.airflow.test_tasks import PASSWORD, WRONG, Talkative, write_mailboxes
from tests.pop3_server import Cut, Mailbox, Pop3Server, Reply
from tests.servers.dovecot import Dovecot
from tests.system.test_archive import MESSAGES

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Airflow:
    """An Airflow of the tests' own, in their Postgres."""

    local: Local
    metadata: str

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python as an Airflow process."""
        return subprocess.run(
            [sys.executable, *arguments], env={**self.local.environment(self.metadata), **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def run(self, folder: Path, mailboxes: str, archive: str) -> tuple[dict[str, Any], str]:
        """One DAG run: what became of it, and all that Airflow said."""
        environment = {"POPVAULT_MAILBOXES": mailboxes, "POPVAULT_DATABASE_URL": archive}
        done = self.python("-m", "etl.airflow.once", "run", str(folder / "outcome.json"), **environment)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        logs = [path.read_text(errors="replace") for path in self.local.home.rglob("*.log")]
        return json.loads((folder / "outcome.json").read_text()), "".join([done.stdout, done.stderr, *logs])

    def rows(self, statement: str, **named: str) -> list[tuple[Any, ...]]:
        """Ask the metadata database."""
        engine = create_engine(self.metadata)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(text(statement), named)]
        engine.dispose()
        return rows

    def tables_that_hold(self, *words: str) -> list[str]:
        """The tables of the metadata database in which any of these words is, as text or as bytes."""
        count = "select count(*) from {} t where t::text like any (:words)"
        forms = [f"%{form}%" for word in words for form in (word, word.encode().hex())]
        engine = create_engine(self.metadata)
        with engine.connect() as connection:
            found = [
                table
                for table in inspect(engine).get_table_names()
                if connection.scalar(text(count.format(f'"{table}"')), {"words": forms})
            ]
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def airflow(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Its folder, and a metadata database that the first run fills."""
    local = Local(tmp_path_factory.mktemp("a home"))
    admin = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection, local.alone():
        connection.execute(text(f"create database {DATABASE}"))
        yield Airflow(
            local, f"{postgres_url.replace('postgresql:', 'postgresql+psycopg:').rpartition('/')[0]}/{DATABASE}"
        )
        connection.execute(text(f"drop database {DATABASE}"))
    admin.dispose()


def test_the_dags_are_as_they_should_be(airflow: Airflow):
    """They load, retry or fail at once by one policy, run one at a time, and hold no logic of their own."""
    asked = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
print("\\n" + json.dumps({"errors": bag.import_errors, "dags": {dag.dag_id: {
    "at once": dag.max_active_runs, "catchup": dag.catchup, "schedule": dag.schedule,
    "tasks": {t.task_id: [t.retries, bool(t.retry_policy), t.pool, t.trigger_rule.value] for t in dag.tasks},
    "assets": [asset.uri for t in dag.tasks for asset in t.outlets],
} for dag in bag.dags.values()}}))
"""
    done = airflow.python("-c", asked, str(DAGS))
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["errors"] == {}
    assert found["dags"] == {
        "archive_mail": {
            "at once": 1, "catchup": False, "schedule": "@hourly",
            "tasks": {
                "plan": [3, True, "default_pool", "all_success"],
                "archive": [3, True, "pop3", "all_success"],
                "summarise": [3, True, "default_pool", "all_done"],
                "verdict": [3, True, "default_pool", "all_success"],
            },
            "assets": ["popvault://mail-archive/"],
        }
    }  # fmt: skip
    for file in DAGS.glob("*.py"):
        source = file.read_text()
        imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
        assert imported <= {"datetime", "typing", "airflow.sdk", "etl.airflow"}
        assert source.count("\n") < 80


def test_the_dag_archives_and_tells_no_secret(
    tmp_path: Path, airflow: Airflow, pop3_server: Dovecot, database_url: str, engine: Engine
):
    """One run over a real Dovecot: every message has its outcome, the run is closed, and the counts are announced."""
    pop3_server.put("ann7", MESSAGES)
    pop3_server.put("bob7", MESSAGES[:1])
    mailboxes = tmp_path / "mailboxes.toml"
    mailboxes.write_text(
        f'[defaults]\nhost = "127.0.0.1"\nport = {pop3_server.port}\ntls = "none"\n'
        'password = { command = ["echo", "secret"] }\n'
        '[[mailbox]]\nname = "ann"\nusername = "ann7"\n[[mailbox]]\nname = "bob"\nusername = "bob7"\n'
    )
    outcome, _ = airflow.run(tmp_path, str(mailboxes), database_url)
    assert outcome["state"] == "success"
    assert {name: report["retrieved"] for name, report in outcome["reports"].items()} == {"ann": 5, "bob": 1}
    with engine.connect() as connection:
        runs = connection.execute(text("select trigger, external_id, ended_at is not null from ops.run")).all()
        outcomes = connection.execute(text("select outcome, count(*) from archive.delivery_state group by 1")).all()
    assert [tuple(run) for run in runs] == [("airflow", outcome["run_id"], True)]
    assert dict(map(tuple, outcomes)) == {"archived": 5, "duplicate": 1}
    (event,) = airflow.rows(
        "select a.uri, e.extra from asset_event e join asset a on a.id = e.asset_id where e.source_run_id = :run_id",
        run_id=outcome["run_id"],
    )
    assert event == ("popvault://mail-archive/", tasks.announcement(outcome["summary"]))
    assert (event[1]["retrieved"], event[1]["archived"], event[1]["duplicate"]) == (6, 5, 1)
    labels = airflow.rows(
        "select rendered_map_index from task_instance where run_id = :run_id and task_id = 'archive'",
        run_id=outcome["run_id"],
    )
    assert sorted(labels) == [("ann",), ("bob",)]


class BusyForATry(Talkative):
    """Too busy for carla in all sessions of a first try."""

    def reply_pass(self, argument: str) -> Reply:
        """Three sessions make a try."""
        self.busy = self.attempts["carla"] < 3
        return super().reply_pass(argument)


def test_a_bad_password_fails_at_once_and_a_busy_server_is_tried_again(
    tmp_path: Path, airflow: Airflow, database_url: str, engine: Engine
):
    """Both in one shard: only the busy one is retried; all other mail is archived, and the run fails with one sentence.

    The server quotes what it refuses; neither password is in the metadata database or in a log.
    """
    names = ["bad", "b", "c", "d", "carla"]  # five mailboxes, four shards: the first and the last share one
    Talkative.attempts.clear()
    with Pop3Server({name: Mailbox(PASSWORD, MESSAGES[:2]) for name in names}, session=BusyForATry) as server:
        mailboxes = write_mailboxes(tmp_path, server, {**dict.fromkeys(names, PASSWORD), "bad": WRONG})
        outcome, logs = airflow.run(tmp_path, mailboxes, database_url)
    assert Talkative.attempts == {"bad": 1, "carla": 4, "b": 1, "c": 1, "d": 1}
    states = airflow.rows(
        "select task_id, map_index, state, try_number from task_instance where run_id = :run_id order by 1, 2",
        run_id=outcome["run_id"],
    )
    assert states == [
        ("archive", 0, "failed", 2), *(("archive", shard, "success", 1) for shard in (1, 2, 3)),
        ("plan", -1, "success", 1), ("summarise", -1, "success", 1), ("verdict", -1, "failed", 1),
    ]  # fmt: skip
    assert outcome["state"] == "failed"
    assert outcome["reports"]["carla"] == {"retrieved": 2, "duplicate": 2}
    assert outcome["summary"]["failures"].keys() == {"bad"}
    assert "1 of 5 mailboxes not archived to the end: bad: " in logs
    assert "*** is not the password" in logs
    with engine.connect() as connection:
        assert connection.execute(text("select ended_at is not null from ops.run")).all() == [(True,)]
    assert WRONG not in logs
    assert PASSWORD not in logs
    assert airflow.tables_that_hold(WRONG, PASSWORD) == []
    assert "xcom" in airflow.tables_that_hold("is not the password")


def test_a_mailboxes_file_that_is_missing_fails_at_once(tmp_path: Path, airflow: Airflow, database_url: str):
    """The plan is tried once, and the sentence that names the file is in its log."""
    outcome, logs = airflow.run(tmp_path, str(tmp_path / "nowhere.toml"), database_url)
    assert (outcome["state"], outcome["summary"], outcome["reports"]) == ("failed", None, {})
    assert "there is no mailboxes file" in logs
    tried = airflow.rows(
        "select try_number, state from task_instance where run_id = :run_id and task_id = 'plan'",
        run_id=outcome["run_id"],
    )
    assert tried == [(1, "failed")]


class Stuck(Talkative):
    """Never says how many messages there are."""

    asked, let_go = threading.Event(), threading.Event()

    def reply_stat(self, argument: str) -> Reply:
        """Waits until the test is over."""
        self.asked.set()
        self.let_go.wait()
        raise Cut


def test_a_run_that_was_killed_is_closed_at_the_next_start(tmp_path: Path, airflow: Airflow, database_url: str):
    """Else a scheduler would take it up, and hold back the runs after it while it waits for dead tasks."""
    with Pop3Server({"ann": Mailbox(PASSWORD)}, session=Stuck) as server:
        environment = {
            **airflow.local.environment(airflow.metadata),
            "POPVAULT_MAILBOXES": write_mailboxes(tmp_path, server, {"ann": PASSWORD}),
            "POPVAULT_DATABASE_URL": database_url,
        }
        command = [sys.executable, "-m", "etl.airflow.once", "run", str(tmp_path / "outcome.json")]
        with Family(command, environment, tmp_path / "log", goodbye=0):
            assert Stuck.asked.wait(120), (tmp_path / "log").read_text()[-2000:]
        Stuck.let_go.set()
    unfinished = (
        "select state from {} where run_id = (select max(run_id) from dag_run) and state in ('running', 'queued')"
    )
    assert (
        airflow.rows(unfinished.format("dag_run")) == airflow.rows(unfinished.format("task_instance")) == [("running",)]
    )
    assert airflow.python("-m", "etl.airflow.once", "prepare").returncode == 0
    assert airflow.rows(unfinished.format("dag_run")) == airflow.rows(unfinished.format("task_instance")) == []
