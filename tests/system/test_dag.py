"""The DAG itself, run by Airflow over a real Dovecot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.servers.dovecot import Dovecot
from tests.system.command import Popvault
from tests.system.test_archive import MESSAGES

ROOT = Path(__file__).parents[2]


def airflow(home: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """An airflow command with a metadata database of its own."""
    settings = {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }
    return subprocess.run(
        [str(Path(sys.executable).with_name("airflow")), *arguments],
        env={**environment, **settings, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_the_dag_archives_and_tells_no_secret(tmp_path: Path, pop3_server: Dovecot, database_url: str, engine: Engine):
    """One DAG run: every message has its outcome, the run is closed, and no log holds the password."""
    pop3_server.put("ann7", MESSAGES)
    pop3_server.put("bob7", MESSAGES[:1])
    popvault = Popvault(tmp_path, pop3_server, database_url, "ann7", "bob7")
    environment = {**popvault.environment, "POPVAULT_MAILBOXES": str(popvault.file), "TEST_PASSWORD": "secret"}
    migrated = airflow(tmp_path, environment, "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    done = airflow(tmp_path, environment, "dags", "test", "archive_mail")
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    balance = popvault.balance()
    assert {name: row["listed"] for name, row in balance.items()} == {"ann7": 5, "bob7": 1}
    assert all(row["balanced"] and not row["pending"] for row in balance.values())
    with engine.connect() as connection:
        runs = connection.execute(text("select trigger, ended_at is not null as ended from ops.run")).all()
    assert [(run.trigger, run.ended) for run in runs] == [("airflow", True)]
    written = done.stdout + done.stderr + "".join(p.read_text() for p in tmp_path.rglob("*.log"))
    assert "password=secret" not in written
    assert "'secret'" not in written
