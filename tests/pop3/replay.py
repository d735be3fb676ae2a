"""A transcript played to the client: what it sends is compared line by line, what it reads comes in any cut.

A line "< text" is the server's, "> text" ours, "# text" says what it is about.
"""

import random
from collections.abc import Iterator
from pathlib import Path

TRANSCRIPTS = Path(__file__).parent / "transcripts"

Cut = int | random.Random


class Line:
    """Reader and writer of a `Connection` in one: the far end follows the transcript."""

    def __init__(self, text: str, cut: Cut):
        self._script = [(line[:1], line[2:].encode() + b"\r\n") for line in text.splitlines() if line[:1] in "<>"]
        self._cut = cut
        self._sent, self._due = b"", b""

    @property
    def left(self) -> list[tuple[str, bytes]]:
        """What the transcript has that was neither said nor heard."""
        return [*([("<", self._due)] if self._due else []), *self._script]

    def write(self, data: bytes) -> None:
        """Take what the client sends. It must be the transcript's next lines."""
        self._sent += data
        while b"\r\n" in self._sent:
            line, _, self._sent = self._sent.partition(b"\r\n")
            said = self._script.pop(0) if self._script else ("", b"nothing at all")
            assert (">", line + b"\r\n") == said

    async def drain(self) -> None:
        """Nothing to wait for."""

    async def read(self, limit: int) -> bytes:
        """The next piece of what the server says; empty when it is our turn, as if it had hung up."""
        while self._script and self._script[0][0] == "<":
            self._due += self._script.pop(0)[1]
        size = self._cut if isinstance(self._cut, int) else self._cut.randint(1, 40)
        piece, self._due = self._due[:size], self._due[size:]
        return piece

    def get_extra_info(self, name: str) -> None:
        """No TLS."""


def read(name: str) -> str:
    """A transcript's text."""
    return (TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8")


def cuts() -> Iterator[Cut]:
    """Whole, byte by byte, and at random."""
    yield 1_000_000
    yield 1
    for seed in range(5):
        yield random.Random(seed)
