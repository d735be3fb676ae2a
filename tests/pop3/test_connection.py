"""The driver against a small server on loopback."""

import asyncio
import socket
import threading
import time

import pytest

from etl.pop3.connection import Connection
from etl.pop3.protocol import Command


def answer_in_pieces(listener: socket.socket) -> None:
    """Greet, then answer each command in two writes, as popa3d and Solid POP3 do."""
    line, _ = listener.accept()
    with line, line.makefile("rb") as commands:
        line.sendall(b"+OK\r\n")
        for _ in commands:
            line.sendall(b"+OK\r\n")
            line.sendall(b"1 1\r\n.\r\n")


async def converse(port: int, exchanges: int) -> float:
    """How many seconds so many commands take, each sent after the answer to the last."""
    connection = await Connection.open("127.0.0.1", port, None, idle_seconds_max=5)
    await connection.event()
    began = time.monotonic()
    for _ in range(exchanges):
        connection.send(Command("CAPA"))
        await connection.event()
    took = time.monotonic() - began
    await connection.close()
    return took


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a program acknowledge at once")
def test_an_answer_in_two_pieces_does_not_wait_for_the_kernel():
    """100 answers whose second piece waits for our ACK take far less than 100 times Linux's delay of 40 ms."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_in_pieces, args=(listener,))
        thread.start()
        assert asyncio.run(converse(listener.getsockname()[1], 100)) < 1.5
        thread.join()
