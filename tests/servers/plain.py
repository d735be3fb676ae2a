"""A POP3 client of few lines, independent of etl.pop3: it says what a server sends, for popvault to be compared to."""

import socket


class Refusal(Exception):
    """The server answered -ERR."""


class Plain:
    """A session in clear text, logged in; one command at a time."""

    def __init__(self, port: int, user: str, password: str):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._lines = self._socket.makefile("rb")
        self._answer()
        self.ask(f"USER {user}")
        self.ask(f"PASS {password}")

    def ask(self, command: str) -> bytes:
        """Send a command and return the first line of its answer. Raises Refusal."""
        self._socket.sendall(command.encode() + b"\r\n")
        # Servers that write an answer in two pieces hold the second back until the first is acknowledged.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._answer()

    def body(self, command: str) -> bytes:
        """Send a command that is answered in many lines, and return them, unstuffed (RFC 1939 section 3)."""
        self.ask(command)
        lines = []
        while (line := self._line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def uidls(self) -> list[str]:
        """The unique ids, in order."""
        return [line.split(None, 1)[1].decode() for line in self.body("UIDL").splitlines()]

    def messages(self) -> list[bytes]:
        """All messages, in order."""
        return [self.body(f"RETR {number}") for number in range(1, len(self.uidls()) + 1)]

    def quit(self) -> None:
        """End the session well."""
        self.ask("QUIT")
        self.close()

    def close(self) -> None:
        """Drop the line."""
        self._lines.close()
        self._socket.close()

    def _answer(self) -> bytes:
        line = self._line()
        if not line.startswith(b"+OK"):
            raise Refusal(line.decode("latin-1"))
        return line

    def _line(self) -> bytes:
        """The next line, which ends with CRLF: a bare LF is a byte like others."""
        line = b""
        while not line.endswith(b"\r\n"):
            piece = self._lines.readline()
            if not piece:
                raise Refusal("the server closed the connection")
            line += piece
        return line
