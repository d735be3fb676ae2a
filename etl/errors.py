"""The errors of popvault, named for what the caller does with them.

    Failure
    ├── Retry      come again later: the line was cut, the server is busy
    │   ├── Busy        the server asks for a pause, and may say how long
    │   ├── DatabaseAway the archive's own connection is gone, and its leases with it
    │   └── Untrusted   the stream can no longer be trusted: close it, then retry
    ├── Skip       this one message: record it, go on with the next
    └── Stop       a person must act first: bad password, disk full
        └── Misconfigured   wrong usage or configuration (exit code 2)

The text of each is one sentence for a person: what, where, what to do next.
"""


class Failure(Exception):
    """Anything that popvault itself reports. The text is meant to be shown."""


class Retry(Failure):
    """Passing trouble; the same call may go through later."""


class Busy(Retry):
    """The server refuses for now. wait_seconds: the pause it asks for; None where it does not say."""

    def __init__(self, text: str, wait_seconds: float | None = None):
        super().__init__(text)
        self.wait_seconds = wait_seconds


class DatabaseAway(Retry):
    """The connection to the archive is gone, and with it every lease: this run ends, the next goes on."""


class Untrusted(Retry):
    """The server said something that the protocol does not allow at this point.

    Nothing that came after it may be believed; close the socket and resume by UIDL.
    """


class Skip(Failure):
    """One message could not be had; the rest of the mailbox goes on."""


class Stop(Failure):
    """No retry will help until somebody changes something."""


class Misconfigured(Stop):
    """The command, the mailboxes file or the environment is wrong."""
