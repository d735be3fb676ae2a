"""Starts a program anew for each connection, as inetd does, in a small Debian.

`python -m tests.servers.inetd FOLDER PORT PROGRAM`, as root; runs until it is stopped.
"""

import os
import socketserver
import sys


def serve(root: str, port: int, program: str) -> None:
    """Enter the folder for good and serve the port of loopback."""

    class Handler(socketserver.BaseRequestHandler):
        """Turns the process that the server forked into the program."""

        def handle(self) -> None:
            """The connection is its standard input and output."""
            for standard in (0, 1):
                os.dup2(self.request.fileno(), standard)
            os.execve(program, [program], {})  # noqa: S606 (a program of ours, and no shell)

    with socketserver.ForkingTCPServer(("127.0.0.1", port), Handler) as server:
        server.max_children = 100
        os.chroot(root)
        os.chdir("/")
        server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
