"""The house, and the post office that hands out what is written to it.

Each letter reaches those mailboxes of the house that it is addressed to, with the trace of its way in front.
"""

from datetime import datetime

from tests.sample.writing import message, pdf, received

ANN = "Ann of the workshop <ann@example.org>"
BOB = '"Bob, frames" <bob@example.com>'
CARLA = "Carla <carla@example.net>"
ORDERS = "orders@example.org"
HOLDERS = {"ann": "ann@example.org", "bob": "bob@example.com", "carla": "carla@example.net", "orders": ORDERS}

PRICES = pdf("Frames, spring 2026", ["Kestrel 54 cm    410.00", "Kestrel 58 cm    415.00", "Wren, folding     390.00"])


class Post:
    """The post office: hands every letter to those it is addressed to."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, list[bytes]] = {name: [] for name in HOLDERS}
        self._letters = 0

    def letter(
        self, sender: str, to: list[str], subject: str | bytes, content: bytes, at: str,
        cc: list[str] | None = None, answers: str | None = None, thread: str | None = None,
        bcc: list[str] | None = None, **more: str | bytes,
    ) -> str:  # fmt: skip
        """Send a letter; its Message-ID. `at` is local time with its offset; `thread` names what came before.

        Who is in bcc gets it, and no header says so.
        """
        self._letters += 1
        sent = datetime.strptime(at, "%Y-%m-%d %H:%M %z")
        message_id = f"<{sent:%Y%m%d}.{self._letters:03}@{sender.rpartition('@')[2].rstrip('>')}>"
        headers: dict[str, str | bytes] = {
            "From": sender, "To": ", ".join(to), **({"Cc": ", ".join(cc)} if cc else {}), "Subject": subject,
            "Date": f"{sent:%a, %d %b %Y %H:%M:%S %z}", "Message-ID": message_id, "MIME-Version": "1.0",
            **({"In-Reply-To": answers, "References": f"{thread or ''} {answers}".strip()} if answers else {}),
            **{name.replace("_", "-").title(): value for name, value in more.items()},
        }  # fmt: skip
        raw = message(headers, content)
        for name, address in HOLDERS.items():
            if any(address in one for one in [*to, *(cc or []), *(bcc or [])]):
                trace = received(address, sent, f"{self._letters:04X}{name[0].upper()}")
                self.drop(name, b"".join(trace) + raw)
        return message_id

    def drop(self, holder: str, raw: bytes) -> None:
        """Lay bytes into a mailbox as they are."""
        self.mailboxes[holder].append(raw)
