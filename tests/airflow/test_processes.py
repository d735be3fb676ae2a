"""Processes that are ended: with their descendants, whatever these do about it, and never a stranger's."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from etl.airflow.processes import Family, end_recorded, members, record

# Starts a child in a process group of its own that shrugs off SIGTERM, as Airflow does with its tasks.
STUBBORN = """
import os, signal, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
time.sleep(600)
"""


def stubborn(log: Path) -> Family:
    """Such a family, both of them up."""
    family = Family([sys.executable, "-c", STUBBORN], dict(os.environ), log, goodbye=0.5)
    while "ready" not in log.read_text():
        time.sleep(0.02)
    assert len(members(family.process.pid)) == 2
    return family


def test_a_family_is_ended_whole(tmp_path: Path):
    """The child that ignores SIGTERM, in a group of its own, is gone too."""
    with stubborn(tmp_path / "log") as family:
        pass
    assert members(family.process.pid) == []
    assert family.process.returncode == -signal.SIGTERM


def test_what_was_left_behind_is_ended_at_the_next_start(tmp_path: Path):
    """Also where its first process is dead already, and only a child of it lives."""
    family = stubborn(tmp_path / "log")
    record(tmp_path / "pids", [family])
    family.process.kill()
    family.process.wait()
    assert len(members(family.process.pid)) == 1
    end_recorded(tmp_path / "pids")
    assert members(family.process.pid) == []
    assert not (tmp_path / "pids").exists()
    end_recorded(tmp_path / "pids")


def test_a_stranger_with_the_same_number_is_left_alone(tmp_path: Path):
    """Numbers are given again; the time of birth tells them apart."""
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as stranger:
        (tmp_path / "pids").write_text(json.dumps([[stranger.pid, psutil.Process(stranger.pid).create_time() - 100]]))
        end_recorded(tmp_path / "pids")
        assert stranger.poll() is None
        stranger.kill()
