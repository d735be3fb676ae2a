"""The driver of the protocol core: a socket, TLS, and a timeout on everything.

No protocol knowledge beyond "bytes go out, events come in".
"""

import asyncio
import hashlib
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from etl.errors import Misconfigured, Retry, Stop
from etl.pop3.protocol import Chunk, Command, Event, Protocol, State
from etl.pop3.replies import capabilities

# One read takes what a fast line brings between two turns of the loop, and bounds our memory.
READ_BYTES = 256 * 1024

# Takes a line of the wire log: `>` sent, `<` received, `=` state.
OnWire = Callable[[str], None]


@dataclass(frozen=True)
class Tls:
    """What the TLS of a connection was, for the record of the acquisition."""

    version: str
    cipher: str
    certificate_sha256: bytes


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies the server's certificate and host name (RFC 8314, RFC 9525).

    ca_file: trust only these certificates (PEM); None: trust what the system trusts.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Misconfigured(f"cannot read the certificates of ca_file {ca_file}: {reason}") from error


class Connection:
    """A POP3 conversation over one socket."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: str,
        idle_seconds_max: float,
        on_wire: OnWire | None = None,
    ):
        self._reader, self._writer, self._peer = reader, writer, peer
        self._idle_seconds_max = idle_seconds_max
        self._on_wire = on_wire
        self._message_bytes = 0
        self._protocol = Protocol()
        self._told_state = self._protocol.state
        self._events: Iterator[Event] = iter(())

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        *,
        idle_seconds_max: float,
        on_wire: OnWire | None = None,
    ) -> "Connection":
        """Connect, with implicit TLS where a context is given.

        Raises Retry where nobody answers, Stop where the certificate is not to be trusted.
        """
        peer = f"{host}:{port}"
        try:
            async with asyncio.timeout(idle_seconds_max):
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=tls, server_hostname=host if tls else None, limit=READ_BYTES
                )
        except TimeoutError:
            raise Retry(f"{peer} did not answer within {idle_seconds_max:g} seconds") from None
        except ssl.SSLError as error:
            raise _tls_failure(peer, error) from error
        except OSError as error:
            raise Retry(f"cannot connect to {peer}: {_reason(error)}; is the server up?") from error
        except ValueError as error:  # of encodings, where a label is empty or too long, or of a NUL
            raise Misconfigured(f"{host!r} is no host name: {error}") from error
        connection = cls(reader, writer, peer, idle_seconds_max, on_wire)
        connection._tell(f"= connected to {peer}, {connection._security}")
        return connection

    @property
    def tls(self) -> Tls | None:
        """The TLS in use, or None for clear text."""
        tls = self._writer.get_extra_info("ssl_object")
        if tls is None:
            return None
        certificate = tls.getpeercert(binary_form=True) or b""
        return Tls(tls.version() or "", tls.cipher()[0], hashlib.sha256(certificate).digest())

    @property
    def _security(self) -> str:
        return f"{self.tls.version} {self.tls.cipher}" if self.tls else "no TLS"

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Turn to TLS after STLS was accepted (RFC 2595 section 4).

        Raises Stop when bytes came in clear behind the +OK: somebody may have put them there.
        """
        if self._protocol.unread:
            raise Stop(f"{self._peer} sent bytes in clear after STLS; somebody may be on the line")
        try:
            async with asyncio.timeout(self._idle_seconds_max):
                await self._writer.start_tls(context, server_hostname=host)
        except TimeoutError:
            raise Retry(f"{self._peer} did not finish the TLS handshake") from None
        except ssl.SSLError as error:
            raise _tls_failure(self._peer, error) from error
        except OSError as error:
            raise Retry(f"{self._peer} broke off the TLS handshake: {_reason(error)}") from error
        await self._refuse_unasked()
        self._tell(f"= {self._security}")

    async def _refuse_unasked(self) -> None:
        """Raise Stop for bytes that wait though nothing was asked.

        asyncio keeps what came in clear after the +OK of STLS, and would give it to us as if it had come
        through TLS. Asked after the handshake, since all that came in clear has come by then.
        """
        try:
            async with asyncio.timeout(0):
                unasked = await self._reader.read(1)
        except OSError:  # silent, as it should be; or dead, which the next read tells
            return
        if unasked:
            raise Stop(f"{self._peer} sent bytes in clear after STLS; somebody may be on the line")

    def send(self, *commands: Command) -> None:
        """Write commands; their answers come, in order, from `event`."""
        for command in commands:
            self._tell(f"> {command.shown}")
        self._writer.write(b"".join(self._protocol.send(command) for command in commands))

    async def event(self) -> Event:
        """The next event. Raises Retry when the line is cut or silent, Untrusted on nonsense."""
        while True:
            event = next(self._events, None)
            if event is not None:
                self._tell_event(event)
                return event
            broken = self._protocol.state is State.BROKEN
            self._events = iter(self._protocol.receive(b"" if broken else await self._read()))

    async def _read(self) -> bytes:
        try:
            async with asyncio.timeout(self._idle_seconds_max):
                await self._writer.drain()
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            raise Retry(f"{self._peer} was silent for {self._idle_seconds_max:g} seconds") from None
        except OSError as error:
            raise Retry(f"the connection to {self._peer} was cut: {_reason(error)}") from error
        if not data:
            raise Retry(f"{self._peer} closed the connection before it had answered")
        self._acknowledge()
        return data

    def _acknowledge(self) -> None:
        """Acknowledge what was read now, and not some 40 ms later with our next command.

        A server that writes an answer in pieces holds the next piece back until then (Nagle's algorithm, RFC 896).
        """
        line = self._writer.get_extra_info("socket")
        if line is not None and hasattr(socket, "TCP_QUICKACK"):  # Linux; it holds for this once
            with suppress(OSError):  # the line may be cut by now, with data still to be taken
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _tell(self, line: str) -> None:
        if self._on_wire:
            self._on_wire(line)

    def _tell_event(self, event: Event) -> None:
        """The wire log of what came: status lines and capabilities whole, of the rest how much."""
        if not self._on_wire:
            return
        if isinstance(event, Chunk):
            self._message_bytes += len(event.data)
            if event.last:
                self._tell(f"< ({self._message_bytes} bytes of message {event.command.number})")
                self._message_bytes = 0
        elif event.challenge is not None:
            self._tell("< + ***")
        else:
            self._tell(f"< {'+OK' if event.ok else '-ERR'} {event.text}".rstrip())
            if event.command.verb == "CAPA":
                for line in capabilities(event.body):
                    self._tell(f"< {line}")
            elif event.body:
                self._tell(f"< ({len(event.body)} bytes)")
            if self._protocol.state is not self._told_state:
                self._told_state = self._protocol.state
                self._tell(f"= {self._told_state.value}")

    async def close(self) -> None:
        """Close the socket, whatever state it is in; never raises for a dead line."""
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()


def _tls_failure(peer: str, error: ssl.SSLError) -> Stop | Retry:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Stop(
            f"the certificate of {peer} cannot be trusted: {error.verify_message}; "
            f"set ca_file to the authority that signed it"
        )
    return Stop(f"{peer} does not speak TLS as expected ({error.reason or error}); check port and tls")


def _reason(error: OSError) -> str:
    # Of several addresses that were tried, asyncio tells each error with its address; what they say is mostly the same.
    numbers = dict.fromkeys(int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error)))
    return ", ".join(map(os.strerror, numbers)) or error.strerror or str(error) or type(error).__name__
