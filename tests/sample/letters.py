"""What lies in the mailboxes, told in order. `mailboxes()` gives {"ann": [bytes, ...], ...}."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.sample.outside import a_customer, a_swindler, a_thread_that_leaves, orders, out_of_sight
from tests.sample.post import ANN, BOB, CARLA, PRICES, Post
from tests.sample.writing import attachment, encoded, message, multipart, noise, part, png, text

# Over 20 MB when written in base64: larger than what small messages may take together in memory.
DRAWINGS_OCTETS = 16 * 1024 * 1024

ROUTE = "name,km,climb_m\nmill,12.4,80\nford,27.9,145\nhill chapel,41.0,390\nback at the mill,58.6,0\n"


def mailboxes() -> dict[str, list[bytes]]:
    """All of it."""
    post = Post()
    for chapter in CHAPTERS:
        chapter(post)
    return post.mailboxes


def the_spring_ride(post: Post) -> None:
    """A thread between the three, with an invitation and its answers."""
    first = post.letter(
        ANN, [BOB, CARLA], "Spring ride on 18 April?",
        text("Dear both,\n\nthe mill would open its yard for us on Saturday, 18 April. Shall we?\n\nAnn\n"),
        "2026-03-02 09:14 +0100",
    )  # fmt: skip
    second = post.letter(
        BOB, [ANN], "Re: Spring ride on 18 April?",
        text("Gladly. I bring two Kestrels for whoever wants to try one – and the good pump.\n\n> Shall we?\n\nBob\n"),
        "2026-03-02 10:40 +0000", cc=[CARLA], answers=first,
    )  # fmt: skip
    third = post.letter(
        CARLA, [ANN, BOB], "Re: Spring ride on 18 April?",
        text("The club pays the soup, up to 300 €. I need the number of riders by the end of March.\n\nCarla\n"),
        "2026-03-02 19:03 +0100", answers=second, thread=first,
    )  # fmt: skip
    invitation = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.org//workshop//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\n"
        "UID:spring-ride-2026@example.org\nDTSTAMP:20260303T080000Z\nDTSTART:20260418T070000Z\nDTEND:20260418T150000Z\n"
        "SUMMARY:Spring ride\nLOCATION:The mill\nORGANIZER:mailto:ann@example.org\n"
        "ATTENDEE:mailto:bob@example.com\nATTENDEE:mailto:carla@example.net\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    post.letter(
        ANN, [BOB, CARLA], "Invitation: Spring ride",
        multipart(
            "mixed",
            multipart("alternative", text("Saturday, 18 April, from 9 to 5, at the mill.\n", encoding="7bit"),
                      part('text/calendar; charset="utf-8"; method=REQUEST', invitation.encode())),
            attachment("spring ride.ics", "application/ics", invitation.encode()),
            attachment("route.csv", "text/csv", ROUTE.encode()),
        ),
        "2026-03-03 09:00 +0100", answers=third, thread=f"{first} {second}",
    )  # fmt: skip
    post.letter(
        CARLA, [ANN], "Re: Invitation: Spring ride", text("I come.\n", encoding="7bit"), "2026-03-03 12:31 +0100"
    )
    post.letter(
        BOB, [ANN, CARLA], "The yard", text("One question: is there shade for the folding bikes?\n"),
        "2026-03-03 13:02 +0000", answers="<lost-on-the-way@example.com>",
    )  # fmt: skip


def prices(post: Post) -> None:
    """One file that travels: to Ann, from her to Carla inside a forwarded letter, and to Carla again."""
    offer = multipart(
        "mixed",
        text("Ann,\n\nhere is the list for spring. The Wren folds in nine seconds now.\n\nBob\n", encoding="7bit"),
        attachment("Preisliste Frühjahr.pdf", "application/pdf", PRICES),
    )  # fmt: skip
    post.letter(BOB, [ANN], "Prices, spring", offer, "2026-03-05 08:15 +0000")
    inner = message({"From": BOB, "To": ANN, "Subject": "Prices, spring", "MIME-Version": "1.0"}, offer)
    post.letter(
        ANN, [CARLA], "Fwd: Prices, spring",
        multipart("mixed", text("For the treasurer. Is ten too many?\n"), part("message/rfc822", inner)),
        "2026-03-05 11:50 +0100",
    )  # fmt: skip
    post.letter(
        BOB, [CARLA], "Offer for the club",
        multipart("mixed",
                  text("Here’s the offer – €4,000 for ten “Kestrel” frames.\n", "windows-1252", "8bit"),
                  attachment("prices.pdf", "application/pdf", PRICES)),
        "2026-03-06 09:30 +0000",
    )  # fmt: skip
    signed = text("We take ten. This letter is signed.\n", encoding="7bit")
    signature = attachment("signature.asc", "application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----\nnot one\n")
    post.letter(
        CARLA, [BOB], "Order 2026-7", multipart("signed", signed, signature, protocol="application/pgp-signature"),
        "2026-03-09 18:20 +0100",
    )  # fmt: skip


def from_abroad(post: Post) -> None:
    """Riders write in their languages, and their programs in their charsets."""
    for sender, to, charset, encoding, at, subject, words in (
        ("mei", [ANN], "gb18030", "base64", "2026-03-06 16:00 +0800",
         "关于零件报价", "您好，\n\n会议改到周三下午，请带上报价单。𠮷\n"),
        ("lin", [BOB], "gb2312", "8bit", "2026-03-07 10:05 +0800",
         "车架", "请寄两个车架的图纸。谢谢！\n"),
        ("yuki", [ANN, CARLA], "iso-2022-jp", "7bit", "2026-03-08 21:10 +0900",
         "春の宿のこと", "こんにちは。\n宿は二部屋お願いします。\n"),
        ("jisu", [CARLA], "euc-kr", "base64", "2026-03-09 08:45 +0900",
         "참가 신청", "봄 자전거 행사에 두 명 참가합니다.\n"),
        ("olga", [ANN], "koi8-r", "8bit", "2026-03-09 14:30 +0300",
         "Весенний заезд", "Добрый день! Мы приедем вдвоём, с палаткой.\n"),
        ("zoe", [ANN, BOB], "iso-8859-1", "quoted-printable", "2026-03-10 07:55 +0100",
         "Fête du vélo", "Bonjour,\n\nnous serons huit à la fête, peut-être neuf.\n"),
        ("kosta", [BOB], "iso-8859-7", "base64", "2026-03-10 10:00 +0200",
         "Ποδήλατα", "Καλημέρα, πότε ανοίγει το εργαστήριο;\n"),
        ("noa", [CARLA], "utf-8", "base64", "2026-03-11 11:11 +0200",
         "רכיבת אביב", "שלום, כמה עולה המרק?\n"),
        ("pawel", [ANN], "iso-8859-2", "8bit", "2026-03-11 12:00 +0100",
         "Rower składany", "Dzień dobry, ile waży Wren?\n"),
        ("ines", [CARLA], "utf-8", "8bit", "2026-03-12 22:40 +0000",
         "Inscrição 🚲", "Olá! Somos três. Até lá! 🚲\n"),
    ):  # fmt: skip
        name = f"{sender.title()} <{sender}@example.net>"
        post.letter(name, to, encoded(subject, charset), text(words, charset, encoding), at)


def without_a_word_of_mime(post: Post) -> None:
    """Old programs: bytes above 127 in header and body, and nothing that says what they are."""
    at = "Thu, 12 Mar 2026 06:30:00 +0100"
    head = f"From: klaus@example.net\nTo: bob@example.com\nDate: {at}\nMessage-ID: <old-1@example.net>\n".encode()
    post.drop("bob", head + "Subject: Größe\n\nWelche Größe brauche ich bei 1,90 m?\n".encode("iso-8859-1"))
    post.letter(
        "shop@example.net", [ANN], "Größe 54 ist da".encode(), text("Heute gekommen.\n"), "2026-03-12 09:00 +0100"
    )


def the_newsletter(post: Post) -> None:
    """HTML, alone and beside text, with a picture inside; and the same bytes in two mailboxes."""
    logo = part("image/png", png(30, 120, 60), "base64", content_id="<logo@example.org>", content_disposition="inline")
    for month, words in (
        ("March", "New tyres are in."),
        ("April", "The ride is near."),
        ("May", "Thanks to all 41 riders!"),
    ):
        html = f'<html><img src="cid:logo@example.org"><h1>{month}</h1><p>{words}<br>See you&nbsp;soon.</p></html>'
        post.letter(
            "Workshop news <news@example.org>", [BOB, CARLA], f"News of {month}",
            multipart("alternative", text(f"{month}: {words}\n", encoding="7bit"),
                      multipart("related", text(html, kind="html"), logo, type="text/html")),
            f"2026-{3 + ['March', 'April', 'May'].index(month):02}-01 06:00 +0000",
            List_Unsubscribe="<mailto:news@example.org?subject=off>", Precedence="bulk",
        )  # fmt: skip
    post.letter(
        "Billing <billing@example.net>", [CARLA], "Your invoice",
        text("<p>Invoice <b>2026-113</b>: 48.00 EUR<script>ignored()</script></p>", encoding="7bit", kind="html"),
        "2026-03-13 05:00 +0000",
    )  # fmt: skip
    notice = message(
        {"From": "Mill <mill@example.net>", "To": "riders@example.net", "Subject": "The mill pond is deep",
         "Date": "Fri, 13 Mar 2026 08:00:00 +0100", "Message-ID": "<pond@example.net>"},
        b"\nPlease do not ride into it again.\n",
    )  # fmt: skip
    for holder in ("ann", "bob", "carla", "carla"):  # and Carla has it twice
        post.drop(holder, notice)


def the_till(post: Post) -> None:
    """A machine that writes every evening, for volume by day."""
    first = datetime(2026, 3, 16)
    for day in range(14):
        date = first + timedelta(days=day)
        table = "hour,sales,total\n" + "".join(
            f"{hour}:00,{(day * 7 + hour * 13) % 29},{(day * hour * 31) % 900 + 100}.00\n" for hour in range(9, 18)
        )
        post.letter(
            "Till <till@example.org>", [ANN] if day % 3 else [ANN, CARLA], f"Takings of {date:%d.%m.%Y}",
            multipart("mixed", text("The day is attached.\n", encoding="7bit"),
                      attachment(f"takings-{date:%Y-%m-%d}.csv", "text/csv; charset=us-ascii", table.encode())),
            f"{date:%Y-%m-%d} 18:05 +0100",
        )  # fmt: skip


def hard_for_the_wire(post: Post) -> None:
    """Lines that begin with dots, very long lines, nothing at all, and a message of over 20 MB."""
    dots = ".\n..\n...and a path: ./run\n\n.\n\nThe line above holds one dot only.\n"
    post.letter(ANN, [BOB], "dots", text(dots, encoding="7bit"), "2026-03-17 08:00 +0100")
    post.drop("bob", b".hidden: a header that begins with a dot\nSubject: dotted\n\n.\n")
    post.letter(BOB, [ANN], "one long line", text("x" * 6000 + "\n", encoding="8bit"), "2026-03-17 09:00 +0000")
    post.letter(CARLA, [ANN], "", b"\n", "2026-03-17 10:00 +0100")
    post.letter(
        BOB, [ANN], "The drawings, all of them",
        multipart("mixed", text("Sorry for the size.\n", encoding="7bit"),
                  attachment("drawings.zip", "application/zip", noise(DRAWINGS_OCTETS, "drawings"))),
        "2026-03-18 17:45 +0000",
    )  # fmt: skip


def returned(post: Post) -> None:
    """A letter that came back, with the report of why."""
    asked = post.letter(
        ANN,
        ["nobody@example.net"],
        "Are you coming?",
        text("We have one bed left.\n"),
        "2026-03-19 07:55 +0100",
        cc=[CARLA],
    )
    report = (
        b"Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; nobody@example.net\nAction: failed\n"
        b"Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user here\n"
    )
    sent = message({"From": ANN, "To": "nobody@example.net", "Subject": "Are you coming?", "Message-ID": asked}, b"\n")
    post.letter(
        "Mail system <mailer-daemon@example.org>", [ANN], "Undelivered: Are you coming?",
        multipart("report", text("There is no nobody.\n", encoding="7bit"), part("message/delivery-status", report),
                  part("text/rfc822-headers", sent), report_type="delivery-status"),
        "2026-03-19 07:00 +0000", Return_Path="<>", Auto_Submitted="auto-replied",
    )  # fmt: skip


def broken(post: Post) -> None:
    """What should not be, and is. Each is archived like any other, with its defects as rows."""
    post.drop("carla", b"From: nodate@example.net\nTo: carla@example.net\nSubject: no date at all\n\nWhen was this?\n")
    post.drop("carla", b"From: nul@example.net\nSubject: a NUL \0 in the subject\n\nand \0 one here\n")
    damaged = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0x*!?Lj\n=QK===\n%%\n"
    post.drop(
        "bob", b"From: torn@example.net\nSubject: damaged base64\nDate: Fri, 20 Mar 2026 10:00:00 +0000\n" + damaged
    )
    post.drop(
        "ann",
        b"From: a@example.net\nSubject: the boundary never comes\nDate: Sat, 21 Mar 2026 25:61:00 +0000\n"
        b'Content-Type: multipart/mixed; boundary="here"\n\n--there\nContent-Type: text/plain\n\nlost?\n--there--\n',
    )
    post.drop(
        "ann",
        b'From: =?utf-8?B?broken word\nTo: ann@example.org, , <@>, "unclosed <x@example.org>\n'
        b"Subject: =?x-none?Q?=FF=ZZ?=\n"
        b"this line is no header\nDate: yesterday\n\nstill a body\n",
    )
    post.drop("bob", b"not a single header, just a line of text\n")
    post.drop(
        "carla",
        b"Subject: \xd5\xe5\xff raw bytes of no charset\nFrom: \xff\xfe@example.net\nDate: 1 Apr 26\n\n\x80\x81\n",
    )


CHAPTERS: list[Callable[[Post], None]] = [
    the_spring_ride, prices, from_abroad, without_a_word_of_mime, the_newsletter,
    the_till, hard_for_the_wire, returned, broken, a_customer, a_thread_that_leaves, a_swindler, out_of_sight,
    orders,
]  # fmt: skip
