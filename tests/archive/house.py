"""A house whose mail is known: three people, a till, and what they wrote in March 2026, loaded by the real loader.

`example.org` is the house. What each question answers of it is written by hand in test_queries.py.
"""

import base64
from collections.abc import Iterable

from sqlalchemy import Engine, text

from tests.archive.delivering import deliver

ANN, BOB, SALES, TILL = "ann@example.org", "bob@example.org", "sales@example.org", "till@example.org"
CARL, DORA, ERIK = "carl@example.net", "dora@example.com", "erik@example.com"
PRICES = b"item;price\r\nbell;7\r\n"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100)
DISGUISED = b"MZ" + bytes(100)
ZIP = b"PK\3\4" + bytes(100)


def letter(
    name: str,
    sender: str,
    to: str,
    date: str,
    *more: str,
    answers: str = "",
    files: Iterable[tuple[str, str, bytes]] = (),
) -> bytes:
    """A message with the id <name@mail>; date: as in "02 Mar 2026 09:00:00 +0000"."""
    lines = [f"From: {sender}", f"To: {to}", f"Date: {date}", f"Message-ID: <{name}@mail>", f"Subject: {name}", *more]
    if answers:
        lines += [f"In-Reply-To: <{answers}@mail>", f"References: <{answers}@mail>"]
    if not files:
        return "\r\n".join([*lines, "", f"This is {name}.", ""]).encode()
    parts = [f"--b\r\n\r\nThis is {name}.\r\n"]
    for filename, content_type, content in files:
        encoded = base64.encodebytes(content).decode().replace("\n", "\r\n")
        parts.append(
            f'--b\r\nContent-Type: {content_type}; name="{filename}"\r\nContent-Disposition: attachment\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
        )
    return "\r\n".join([*lines, "Content-Type: multipart/mixed; boundary=b", "", *parts, "--b--", ""]).encode()


# Carl asks, Bob answers after two hours; Carl asks on, Ann answers on her own clock after six.
PRICE = [
    letter("price", CARL, SALES, "Mon, 02 Mar 2026 09:00:00 +0000"),
    letter("price-list", BOB, CARL, "Mon, 02 Mar 2026 11:00:00 +0000", f"Cc: {ANN}", answers="price",
           files=[("prices.csv", "text/csv", PRICES)]),
    letter("price-more", CARL, BOB, "Tue, 03 Mar 2026 09:30:00 +0000", f"Cc: {ANN}", answers="price-list"),
    letter("price-rebate", ANN, CARL, "Tue, 03 Mar 2026 16:30:00 +0100", answers="price-more"),
]  # fmt: skip
# Dora gets an automatic answer, and none of a person; a newsletter waits for none.
ORDER = [
    letter("order", DORA, ANN, "Wed, 04 Mar 2026 10:00:00 +0000"),
    letter("order-absent", ANN, DORA, "Wed, 04 Mar 2026 10:00:05 +0000", "Auto-Submitted: auto-replied",
           answers="order"),
    letter("news", "news@example.com", ANN, "Wed, 04 Mar 2026 12:00:00 +0000",
           "List-Unsubscribe: <https://example.com/>"),
]  # fmt: skip
NEWS_AGAIN = b"Received: from a by b; Wed, 04 Mar 2026 12:00:01 +0000\r\n" + ORDER[2]
# Ann and Bob among themselves, until Ann writes to Dora about it. Bob answers after nine hours, eight of business.
FIGURES = [
    letter("figures", ANN, BOB, "Thu, 05 Mar 2026 09:00:00 +0000"),
    letter("figures-bob", BOB, ANN, "Thu, 05 Mar 2026 18:00:00 +0000", answers="figures"),
    letter("figures-out", ANN, DORA, "Fri, 06 Mar 2026 08:00:00 +0000", f"Cc: {BOB}", answers="figures-bob"),
]
HOME = letter("home", BOB, "bob@private.example", "Fri, 06 Mar 2026 20:00:00 +0000",
              files=[("list of customers.csv", "text/csv", PRICES)])  # fmt: skip
LOOKALIKES = [
    letter("bill", "billing@exarnple.org", ANN, "Sat, 07 Mar 2026 10:00:00 +0000"),
    letter("bank", "carl@exmaple.net", BOB, "Sat, 07 Mar 2026 11:00:00 +0000",
           files=[("invoice.pdf", "application/zip", DISGUISED), ("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"),
                  ("slides.ppt", "application/vnd.ms-powerpoint", OLE), ("empty.pdf", "application/pdf", b"no PDF"),
                  ("figures", "application/zip", b"PK are no signature"), ("packed", "application/zip", ZIP)]),
]  # fmt: skip
SECRET = letter("secret", ERIK, BOB, "Sun, 08 Mar 2026 10:00:00 +0000")
BCC = letter("bcc", BOB, CARL, "Mon, 09 Mar 2026 12:00:00 +0000", "Bcc: auditor@example.org", answers="price-rebate")
BROKEN = [
    b"From: broken@example.com\r\nTo: bob@example.org\r\nMessage-ID: <nodate1@mail>\r\nSubject: nodate1\r\n\r\nx\r\n",
    b"From: broken@example.com\r\nTo: bob@example.org\r\nMessage-ID: <nodate2@mail>\r\nSubject: nodate2\r\n\r\nx\r\n",
]
# Four and five a day in February; the till was silent on 1 and 2 March.
REPORTS = [
    letter(f"report-{day}-{n}", "machine@shop.example", TILL, f"{day:02} Feb 2026 {n:02}:00:00 +0000",
           "Auto-Submitted: auto-generated")
    for day in range(1, 29) for n in range(4 + day % 2)
]  # fmt: skip

# Mailbox, username, and what it held; the sales' username is no address.
HELD: list[tuple[str, str, list[bytes]]] = [
    ("ann", ANN, [PRICE[1], PRICE[2], *ORDER, *FIGURES[1:], LOOKALIKES[0], SECRET]),
    ("bob", BOB, [PRICE[2], *FIGURES, HOME, LOOKALIKES[1], SECRET, SECRET, *BROKEN, NEWS_AGAIN]),
    ("sales", "sales", [*PRICE, BCC]),
    ("till", TILL, REPORTS),
]

LEDGER = """
    insert into archive.ledger (delivery_id, step, session_id, message_id, octets, reason, at)
    select d.delivery_id, cast(:step as archive.step), d.session_id, null, :octets, :reason, '2026-03-10 09:00+00'
    from archive.delivery d where d.uidl = :uidl
"""
LISTED = """
    insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id, listed_octets, listed_at)
    select mailbox_id, epoch_id, cast(:uidl as text), 0, session_id, 5000, '2026-03-09 09:00+00'
    from archive.delivery where uidl = 'ann-1'
"""
ASKED = """
    insert into ops.session (run_id, mailbox_id, epoch_id, host, port, username, greeting, mechanism, utf8,
                             began_at, listed_at, failure)
    select run_id, mailbox_id, epoch_id, host, port, username, '', 'USER', false, cast(:at as timestamptz),
           cast(:at as timestamptz), cast(:failure as text)
    from ops.session where username = :username limit 1
"""


def build(engine: Engine) -> None:
    """Deliver all of it, to four mailboxes."""
    for mailbox, username, raws in HELD:
        deliver(engine, mailbox, *raws, username=username)
    with engine.begin() as connection:
        for uidl, step, octets, reason in (
            ("huge", "excluded", 200_000_000, "over message_bytes_max"),
            ("cursed", "quarantined", None, "broke off three times"),
            ("gone", "vanished", None, None),
            ("waiting", None, None, None),
        ):
            connection.execute(text(LISTED), {"uidl": uidl})
            if step:
                connection.execute(text(LEDGER), {"uidl": uidl, "step": step, "octets": octets, "reason": reason})
        for uidl, step in (("till-1", "delete sent"), ("till-1", "gone"), ("till-2", "delete sent")):
            connection.execute(text(LEDGER), {"uidl": uidl, "step": step, "octets": None, "reason": None})
        for day, failure in (("2026-02-27", None), ("2026-03-01", None), ("2026-03-02", "the line was cut")):
            connection.execute(text(ASKED), {"username": TILL, "at": f"{day} 23:00+00", "failure": failure})
