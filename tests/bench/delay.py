"""A line with a round trip time: a proxy on loopback that hands on every byte after half of it.

Bandwidth is not limited and no byte waits for another. The TCP handshake is not delayed: that would be one
round trip more for everybody. What is measured is measured here, so it is the same for every client.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

READ_BYTES = 256 * 1024
TERMINATOR = b"\r\n.\r\n"


@dataclass
class Trace:
    """One connection as its client saw it; times in seconds since it was accepted.

    flights: how often the client sent something after it had been sent something.
    whole: when the last multi-line answer had been handed to it: its last message, as no listing comes later.
    closed: when the client closed.
    octets: how many bytes it was sent.
    """

    flights: int = 0
    whole: float = 0.0
    closed: float = 0.0
    octets: int = 0


class Line:
    """Connects clients with the server behind `port_behind`; the port of the proxy is `port`."""

    def __init__(self, port_behind: int, round_trip_seconds: float):
        self._behind, self._delay_seconds = port_behind, round_trip_seconds / 2
        self.port = 0
        # The connections that are over.
        self.traces: queue.Queue[Trace] = queue.Queue()

    async def listen(self) -> asyncio.Server:
        """Begin to accept."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=READ_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        accepted, trace, told = clock(), Trace(), True
        tail = b""

        def asked(data: bytes) -> None:
            nonlocal told
            trace.flights += told and bool(data)
            told = False
            if not data:
                trace.closed = clock() - accepted

        def answered(data: bytes) -> None:
            nonlocal told, tail
            told = True
            trace.octets += len(data)
            tail += data
            if TERMINATOR in tail:
                trace.whole = clock() - accepted
            tail = tail[-len(TERMINATOR) + 1 :]

        there, back = await asyncio.open_connection("127.0.0.1", self._behind, limit=READ_BYTES)
        with suppress(ConnectionError):
            await asyncio.gather(self._one_way(reader, back, asked, None), self._one_way(there, writer, None, answered))
        back.close()
        writer.close()
        self.traces.put(trace)

    async def _one_way(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        on_read: Callable[[bytes], None] | None,
        on_written: Callable[[bytes], None] | None,
    ) -> None:
        clock = asyncio.get_running_loop().time
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                if (wait := due - clock()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    target.write_eof()
                    return
                target.write(data)
                await target.drain()
                if on_written:
                    on_written(data)

        delivering = asyncio.create_task(deliver())
        data = b"-"
        while data:
            try:
                data = await source.read(READ_BYTES)
            except ConnectionError:
                data = b""
            if on_read:
                on_read(data)
            under_way.put_nowait((clock() + self._delay_seconds, data))
        await delivering


@contextmanager
def line(port_behind: int, round_trip_seconds: float) -> Iterator[Line]:
    """A line that is up inside `with`, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Line(port_behind, round_trip_seconds)
    server = asyncio.run_coroutine_threadsafe(made.listen(), loop).result()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
