"""What a person sees while they wait: a line for each step with its seconds, and how far the long one is."""

import sys
import time

import click

# Off a terminal a line cannot be written over, so there are fewer of them.
LINE_SECONDS = 10.0


class Steps:
    """The steps of one command."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._shown = (0, 0)
        self._open = False

    def done(self, what: str) -> None:
        """A step is over."""
        self._close()
        click.echo(f"  {time.monotonic() - self._began:5.1f} s  {what}")
        self._told = time.monotonic()

    def progress(self, what: str, done: int, total: int) -> None:
        """How far it is; tells nothing twice, and nothing where nothing was to be done."""
        now, terminal = time.monotonic(), sys.stdout.isatty()
        if (done, total) == self._shown or (done == total and not any(self._shown)):
            return
        if not terminal and now - self._told < LINE_SECONDS:
            return
        self._shown, self._told, self._open = (done, total), now, terminal
        line = f"  {now - self._began:5.1f} s  {what}: {done} of {total} messages listed so far"
        click.echo(f"\r{line}" if terminal else line, nl=not terminal)

    def _close(self) -> None:
        if self._open:
            click.echo()
            self._open = False
