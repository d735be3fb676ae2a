"""Who is not of the house writes to the three, and they write back: a dealer, a swindler, a printer, a private mailbox.

`mailboxes()` of letters lays these in behind the rest. Each is there for a question of analysts: `popvault query`.
"""

from tests.sample.post import ANN, BOB, CARLA, ORDERS, PRICES, Post
from tests.sample.writing import attachment, message, multipart, noise, part, text

DORA = "Dora of the bicycle shop <dora@velo.example>"
PRINTER = "Printer <emil@print.example>"
# No program's first octets but those of one: `MZ`.
PROGRAM = b"MZ" + bytes(200)
# Larger than what the mailboxes file lets Carla's mailbox take in.
POSTERS_OCTETS = 1_500_000


def a_customer(post: Post) -> None:
    """Dora asks and is answered: in time, late in the evening, of which she sends a receipt, and not at all."""
    asked = post.letter(
        DORA, [ANN], "Two Wrens", text("Dear Ann,\n\ndo you have two Wrens in May?\n\nDora\n"), "2026-04-07 09:10 +0200"
    )
    told = post.letter(
        ANN, [DORA], "Re: Two Wrens", text("One now, one in the last week of May.\n\nAnn\n"),
        "2026-04-07 11:40 +0200", cc=[BOB], answers=asked,
    )  # fmt: skip
    more = post.letter(
        DORA, [ANN], "Re: Two Wrens", text("Good. What do both cost us?\n\nDora\n"), "2026-04-08 14:00 +0200",
        cc=[BOB], answers=told, thread=asked,
    )  # fmt: skip
    told = post.letter(
        BOB, [DORA], "Re: Two Wrens", text("780.00 for both; sorry that it got so late.\n\nBob\n"),
        "2026-04-08 21:30 +0100", cc=[ANN], answers=more, thread=f"{asked} {told}",
    )  # fmt: skip
    read = (
        "Reporting-UA: velo.example\nFinal-Recipient: rfc822; dora@velo.example\n"
        f"Original-Message-ID: {told}\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    )
    post.letter(
        DORA, [BOB], "Read: Re: Two Wrens",
        multipart("report", text("It was displayed.\n", encoding="7bit"),
                  part("message/disposition-notification", read.encode()),
                  part("text/rfc822-headers", message({"From": BOB, "Subject": "Re: Two Wrens"}, b"\n")),
                  report_type="disposition-notification"),
        "2026-04-09 08:00 +0200",
    )  # fmt: skip
    post.letter(DORA, [BOB], "A bent fork", text("May I send it back?\n\nDora\n"), "2026-04-14 10:20 +0200")


def orders(post: Post) -> None:
    """What the shop's page sends to a mailbox that is emptied once it is archived."""
    for number in range(1, 4):
        post.letter(
            "Shop <shop@velo.example>", [ORDERS], f"Order {number}", text(f"{number} saddle bags, please.\n"),
            f"2026-04-{number:02} 10:00 +0200", Auto_Submitted="auto-generated",
        )  # fmt: skip


def a_thread_that_leaves(post: Post) -> None:
    """What the three calculate among themselves, Bob sends to Dora; and a list of riders to a mailbox of his own."""
    first = post.letter(
        ANN,
        [BOB, CARLA],
        "What a Wren costs us",
        text("Tubes 96, wheels 88, work 110. Right?\n"),
        "2026-04-09 09:00 +0200",
    )
    second = post.letter(
        CARLA,
        [ANN, BOB],
        "Re: What a Wren costs us",
        text("And 12 for the box.\n"),
        "2026-04-09 12:15 +0200",
        answers=first,
    )
    post.letter(
        BOB, [DORA], "Re: What a Wren costs us", text("Dora, you see that there is no room for a rebate.\n"),
        "2026-04-10 08:30 +0100", cc=[ANN], answers=second, thread=first,
    )  # fmt: skip
    # No mailbox of that provider has a name of three letters.
    post.letter(
        BOB, ["bob@gmail.com"], "riders",
        multipart("mixed", text("For the weekend.\n", encoding="7bit"),
                  attachment("riders.csv", "text/csv", b"name;phone\nZoe;555-0101\nPawel;555-0102\n")),
        "2026-04-11 19:50 +0100", cc=[BOB],
    )  # fmt: skip


def a_swindler(post: Post) -> None:
    """rn for m: the domain of a bill whose PDF is a program."""
    post.letter(
        "Workshop billing <billing@exarnple.org>", [CARLA], "Our new bank account",
        multipart("mixed", text("Please pay the frames to the account in the attached bill.\n", encoding="7bit"),
                  attachment("bill.pdf", "application/pdf", PROGRAM),
                  attachment("photos.zip", "application/zip", b"these are no photos\n")),
        "2026-04-13 03:12 +0000",
    )  # fmt: skip


def out_of_sight(post: Post) -> None:
    """A blind copy: Ann has what names Bob alone. An answer to an invitation, and what is too large."""
    post.letter(
        PRINTER, [BOB], "Posters", text("Ready on Thursday. I let the workshop know.\n"), "2026-04-15 15:00 +0200",
        bcc=[ANN],
    )  # fmt: skip
    answer = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//frames//EN\nMETHOD:REPLY\nBEGIN:VEVENT\n"
        "UID:spring-ride-2026@example.org\nDTSTAMP:20260304T080000Z\nDTSTART:20260418T070000Z\nDTEND:20260418T150000Z\n"
        "SUMMARY:Spring ride\nORGANIZER:mailto:ann@example.org\n"
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.com\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    post.letter(
        BOB, [ANN], "Accepted: Spring ride",
        part('text/calendar; charset="utf-8"; method=REPLY', answer.encode()), "2026-03-04 08:00 +0000",
    )  # fmt: skip
    post.letter(
        PRINTER, [CARLA], "The posters as printed",
        multipart("mixed", text("For the club's wall.\n", encoding="7bit"),
                  attachment("posters.pdf", "application/pdf", PRICES + noise(POSTERS_OCTETS, "posters"))),
        "2026-04-16 09:00 +0200",
    )  # fmt: skip
