"""Processes that listen: a free port, the wait until it is taken, and the end of a process with all it started."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int, *logs: Path) -> None:
    """Wait until somebody listens. Raises RuntimeError, with what the logs say, when the process ends first."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    said = "\n".join(log.read_text(errors="replace") for log in logs if log.exists())
    raise RuntimeError(f"{process.args} does not listen on port {port}: {said}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started in a session of its own, and what is left of that session a second later."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
