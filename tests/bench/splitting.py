"""Megabytes a second on one core of splitting and of undoing base64: `python -m tests.bench.splitting`.

A message with one base64 attachment, fed in pieces of 256 KiB; the best of several rounds.
"""

import base64
import binascii
import os
import time
from collections.abc import Callable, Iterator

from etl.mime.splitter import Splitter
from etl.mime.transfer import Base64Shape, CanonicalBase64, decoder, encode

PIECE = 256 * 1024
OCTETS = 32 * 1024 * 1024
ROUNDS = 5


def message(boundary: str) -> bytes:
    """A multipart in a multipart with an attachment of random content."""
    outer = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
    inner = f'Content-Type: multipart/related; boundary="{boundary}x"\r\n\r\n--{boundary}x\r\n'
    leaf = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return (outer + inner + leaf).encode() + body() + f"--{boundary}x--\r\n--{boundary}--\r\n".encode()


def body() -> bytes:
    """Random octets in base64, in lines of 76."""
    return base64.encodebytes(os.urandom(OCTETS)).replace(b"\n", b"\r\n")


def pieces(raw: bytes) -> Iterator[bytes]:
    """The octets as a network would bring them, if it were fast."""
    return (raw[start : start + PIECE] for start in range(0, len(raw), PIECE))


def rate(function: Callable[[bytes], object], raw: bytes) -> float:
    """Megabytes a second, the best of the rounds."""
    return max(len(raw) / 1e6 / seconds(function, raw) for _ in range(ROUNDS))


def seconds(function: Callable[[bytes], object], raw: bytes) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    function(raw)
    return time.perf_counter() - start


def split(raw: bytes) -> None:
    """Split, and forget the events."""
    splitter = Splitter()
    for piece in pieces(raw):
        splitter.feed(piece)
    splitter.close()


def undo(raw: bytes) -> None:
    """Decode as a stream, whatever the damage."""
    base64_decoder = decoder("base64")
    for piece in pieces(raw):
        base64_decoder.feed(piece)
    base64_decoder.close()


def undo_exactly(raw: bytes) -> None:
    """Decode what can be encoded again."""
    canonical = CanonicalBase64()
    for piece in pieces(raw):
        canonical.feed(piece)
    assert canonical.octets == len(raw)


def redo(raw: bytes) -> None:
    """Encode what was decoded; the rate counts the octets read."""
    for _ in encode(pieces(raw), Base64Shape(76, b"\r\n", True)):
        pass


def main() -> None:
    """Print each rate."""
    for boundary in ("b", "----=_NextPart_000_0123_01D9A1B2.C3D4E5F6"):
        print(f"splitting, boundary of {len(boundary)}: {rate(split, message(boundary)):.0f} MB/s")
    print(f"base64 decoded: {rate(undo, body()):.0f} MB/s")
    print(f"base64 decoded as far as canonical: {rate(undo_exactly, body()):.0f} MB/s")
    print(f"binascii.a2b_base64 alone: {rate(binascii.a2b_base64, body()):.0f} MB/s")
    print(f"base64 encoded: {rate(redo, os.urandom(OCTETS)):.0f} MB/s")


if __name__ == "__main__":
    main()
