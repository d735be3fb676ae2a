"""What `make run` and `make serve` do, from an empty folder, with a blank in its name."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from etl.archive.embedded import EmbeddedPostgres
from etl.archive.questions import questions
from tests.airflow.test_tasks import PASSWORD, WRONG, write_mailboxes
from tests.pop3_server import Mailbox, Pop3Server

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.long


class Here:
    """A checkout's `.popvault` in a folder of its own, and a user's home that ought to stay empty."""

    def __init__(self, folder: Path):
        self.home, self.users = folder / "a home" / ".popvault", folder / "user"
        self.users.mkdir()
        unset = ("POPVAULT_DATABASE_URL", "POPVAULT_MAILBOXES", "AIRFLOW_HOME", "COLUMNS")
        self.environment = {name: value for name, value in os.environ.items() if name not in unset}
        self.environment |= {"POPVAULT_HOME": str(self.home), "HOME": str(self.users), "PYTHONUNBUFFERED": "1"}

    def command(self, name: str, mailboxes: str | None = None) -> list[str]:
        """What the Makefile calls."""
        if mailboxes:
            return [sys.executable, "-m", "etl.airflow", name, "--mailboxes", mailboxes]
        sample = [sys.executable, "-m", "tests.sample", "--folder", str(self.home / "sample")]
        return [*sample, sys.executable, "-m", "etl.airflow", name]

    def run(self, mailboxes: str | None = None) -> subprocess.CompletedProcess[str]:
        """`make run`, to its end."""
        command = self.command("run", mailboxes)
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A popvault command over what was archived here."""
        command = [sys.executable, "-m", "etl", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def log(self) -> str:
        """Airflow's log of the runs."""
        return (self.home / "airflow" / "logs" / "run.log").read_text()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """One for all tests of this file, in their order: what the first makes, the others use."""
    folder = tmp_path_factory.mktemp("make")
    folder.chmod(0o755)
    here = Here(folder)
    yield here
    # As root, the data is not below pytest's folder, and nobody else would remove it.
    shutil.rmtree((here.home / "postgres").resolve(), ignore_errors=True)


def test_the_makefile_calls_what_is_tested_here():
    """With a mailboxes file and without one; as `make -n` shows."""

    def asked(*arguments: str) -> str:
        done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
        return done.stdout

    assert '-m tests.sample --folder "$POPVAULT_HOME/sample" .venv/bin/python -m etl.airflow run\n' in asked("run")
    assert 'env POPVAULT_MAILBOXES="my mail.toml" .venv/bin/python -m etl.airflow serve\n' in asked(
        "serve", "MAILBOXES=my mail.toml"
    )


def test_from_nothing_and_again(here: Here):
    """The first run archives the sample and reports; the second downloads nothing and says so."""
    first = here.run()
    assert (first.returncode, first.stderr) == (0, ""), here.log()[-4000:]
    assert "ann: 39 retrieved" in first.stdout
    assert "bob: 24 retrieved" in first.stdout
    assert re.search(r"^carla: 27 retrieved, .*, 1 excluded$", first.stdout, re.MULTILINE)
    assert "orders: 3 retrieved, 3 archived, 3 deleted on the server\n" in first.stdout
    assert "Nothing was downloaded" not in first.stdout
    for question in (
        "status",
        "query who_writes_to_whom",
        "query volume_by_mailbox_and_day",
        "query attachments_across_mailboxes",
    ):
        assert f"\n$ popvault {question}\n" in first.stdout
    total = next(line for line in first.stdout.splitlines() if "total" in line)
    assert total.replace("│", " ").split() == ["total", "94", "90", "3", "0", "1", "0", "0", "yes"]
    assert "Preisliste Frühjahr.pdf" in first.stdout

    second = here.run()
    assert (second.returncode, second.stderr) == (0, "")
    assert (
        "ann: nothing new\nbob: nothing new\ncarla: nothing new\norders: nothing new\nNothing was downloaded"
        in second.stdout
    )
    assert total in second.stdout
    for done in (first, second):
        assert "[info" not in done.stdout
    assert not EmbeddedPostgres(here.home).is_up()
    assert list(here.users.iterdir()) == []

    # Each question that ships has an answer in the sample.
    message = json.loads(here.ask("query", "first_contact", "--json").stdout)[0]["message_id"]
    told = {"about_address": "address=dora@velo.example", "thread_of": f"message={message}"}
    for name in questions():
        asked = here.ask("query", name, "--json", *(["--set", told[name]] if name in told else []))
        assert (name, asked.returncode, len(json.loads(asked.stdout)) > 0) == (name, 0, True), asked.stderr
    here.ask("stop")


def test_a_bad_password_is_named_and_the_report_still_comes(here: Here, tmp_path: Path):
    """One sentence names the mailbox; the mail of the other is archived; neither password is in a log."""
    mailboxes = {name: Mailbox(PASSWORD, [f"Subject: to {name}\n\n".encode()]) for name in ("dora", "emil")}
    with Pop3Server(mailboxes) as server:
        done = here.run(write_mailboxes(tmp_path, server, {"dora": WRONG, "emil": PASSWORD}))
    assert done.returncode == 1
    assert "emil: 1 retrieved, 1 archived\n" in done.stdout
    assert "$ popvault query who_writes_to_whom\n" in done.stdout
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("popvault: 1 of 2 mailboxes not archived to the end: dora: 127.0.0.1:")
    assert "wrong name or password; check username and password; Airflow's log is " in sentence
    assert WRONG not in here.log() + done.stdout + done.stderr
    assert PASSWORD not in here.log()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [("nowhere.toml", "popvault: there is no mailboxes file nowhere.toml; name it with --mailboxes FILE\n"),
     ("Makefile", "popvault: Makefile: not TOML: ")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_once(here: Here, file: str, sentence: str):
    """A wrong MAILBOXES is one sentence before anything is started, and exit code 2."""
    done = here.run(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_told_to_stop_leaves_nothing_behind(here: Here):
    """SIGTERM to the first process: it says that nothing is lost, and all that it started is gone at once."""
    process = psutil.Popen(
        here.command("run"), cwd=ROOT, env=here.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "Airflow is being loaded" not in process.stdout.readline():
        assert process.poll() is None
    family = process.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=60)
    assert complaint == "popvault: stopped; what is archived stays, and the next run goes on from there\n"
    assert process.returncode == 128 + signal.SIGTERM
    assert alive(family) == []
    assert not EmbeddedPostgres(here.home).is_up()


def test_what_a_killed_run_left_behind_ends_with_the_next(here: Here):
    """SIGKILL to the run itself: its DAG would go on beside the next one's."""

    def start() -> psutil.Popen:
        process = psutil.Popen(
            here.command("run"),
            cwd=ROOT,
            env=here.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while "Airflow is being loaded" not in process.stdout.readline():
            assert process.poll() is None
        return process

    first = start()
    (run,) = first.children()
    left = [each for each in run.children(recursive=True) if "etl.airflow.once" in each.cmdline()]
    run.kill()
    first.communicate(timeout=60)
    assert alive(left) == left != []
    second = start()
    try:
        assert alive(left) == []
    finally:
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=60)
        EmbeddedPostgres(here.home).stop()


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that is dead and not yet buried does not."""
    return [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


class Served:
    """A running `make serve`, and its page."""

    def __init__(self, here: Here):
        bundles = [
            {
                "name": name,
                "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                "kwargs": {"path": str(path)},
            }
            for name, path in (("dags-folder", ROOT / "dags"), ("tests", ROOT / "tests" / "system" / "dags"))
        ]
        self._here = here
        environment = {**here.environment, "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}
        self.output = here.home / "serve.out"
        with self.output.open("w") as output:
            self.process = psutil.Popen(here.command("serve"), cwd=ROOT, env=environment, stdout=output, stderr=output)
        self.url = self._url()

    def _url(self) -> str:
        """The address that it prints, once it is up."""
        for _ in range(1200):
            words = self.output.read_text().split()
            if self.process.poll() is not None:
                break
            if urls := [word for word in words if word.startswith("http://127.0.0.1:")]:
                return urls[0]
            time.sleep(0.1)
        raise AssertionError(self.output.read_text())

    def ask(self, path: str, token: str = "", body: dict[str, str] | None = None) -> Any:
        """A question to the page; its JSON."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def log_in(self) -> str:
        """A token for the user whose password it keeps."""
        password = json.loads((self._here.home / "airflow" / "passwords.json").read_text())["admin"]
        return str(self.ask("/auth/token", body={"username": "admin", "password": password})["access_token"])

    def finished(self, dag_id: str, token: str) -> dict[str, Any]:
        """The first scheduled run of a DAG, once it is over."""
        for _ in range(240):
            for run in self.ask(f"/api/v2/dags/{dag_id}/dagRuns", token)["dag_runs"]:
                if run["run_type"] != "manual" and run["state"] in ("success", "failed"):
                    return dict(run)
            time.sleep(0.5)
        raise AssertionError(f"no run of {dag_id} ended: {self.output.read_text()}")


def test_serve(here: Here):
    """The page answers its user alone, the DAG runs by schedule, who waits for mail is told, SIGTERM leaves nothing."""
    served = Served(here)
    try:
        with urllib.request.urlopen(served.url, timeout=20) as page:  # noqa: S310
            assert page.status == 200
        with pytest.raises(urllib.error.HTTPError, match="401"):
            served.ask("/api/v2/dags")
        token = served.log_in()
        assert served.finished("archive_mail", token)["state"] == "success"
        told = served.finished("on_new_mail", token)
        xcom = f"/api/v2/dags/on_new_mail/dagRuns/{told['dag_run_id']}/taskInstances/count/xcomEntries/return_value"
        assert served.ask(xcom, token)["value"] == {"events": 1, "retrieved": 0}
        second = here.run()
        assert (second.returncode, second.stdout.count("\n")) == (1, 1)
        assert "another make run or make serve is at work" in second.stderr
        family = served.process.children(recursive=True)
        assert len(family) > 4
        listening = {c.laddr.ip for p in family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
    finally:
        served.process.send_signal(signal.SIGTERM)
        code = served.process.wait(60)
    assert code == 128 + signal.SIGTERM
    assert alive(family) == []
    assert not EmbeddedPostgres(here.home).is_up()
    for name in ("keys.json", "passwords.json"):
        assert (here.home / "airflow" / name).stat().st_mode & 0o777 == 0o600
    assert list(here.users.iterdir()) == []
