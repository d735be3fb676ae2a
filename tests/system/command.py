"""The popvault command as its users run it: a process of its own, over a mailboxes file and a database."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.servers.server import Server


class Popvault:
    """The command, over a mailboxes file and a database of its own."""

    def __init__(self, folder: Path, server: Server | None, database_url: str, *users: str, delete: str = "never"):
        self.file = folder / "mailboxes.toml"
        self.file.write_text(f'[defaults]\nhost = "127.0.0.1"\ntls = "none"\ndelete = {json.dumps(delete)}\n')
        self.disabled: list[str] = []
        for user in users:
            assert server
            self.add(user, username=user, port=server.port)
        self.environment = {
            **os.environ,
            "POPVAULT_DATABASE_URL": database_url,
            "POPVAULT_HOME": str(folder),
            "TEST_PASSWORD": "secret",
        }
        self.command = [sys.executable, "-m", "etl"]

    def add(self, name: str, *, variable: str = "TEST_PASSWORD", **keys: str | int) -> None:
        """One more mailbox in the file, its password in an environment variable; values in JSON are TOML too."""
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in {"name": name, **keys}.items()]
        if not keys.get("enabled", True):
            self.disabled.append(name)
        with self.file.open("a") as file:
            file.write("[[mailbox]]\n" + "".join(lines) + f'password = {{ env = "{variable}" }}\n')

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.command, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self, *names: str) -> subprocess.CompletedProcess[str]:
        """`popvault run`, over all mailboxes of the file or those named."""
        return self("run", "--mailboxes", str(self.file), *names)

    def start(self, *names: str) -> subprocess.Popen[bytes]:
        """`popvault run`, which is left running."""
        command = [*self.command, "run", "--mailboxes", str(self.file), *names]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def balance(self) -> dict[str, dict[str, object]]:
        """`popvault status --json`, by mailbox."""
        return {row["name"]: row for row in json.loads(self("status", "--json").stdout)["mailboxes"]}
