"""What parts hold, in the archive: found in SQL, shown by the command, the same when read again."""

import json
import random
from typing import Any

from click.testing import CliRunner
from sqlalchemy import Engine, text

from etl.archive.questions import answer
from etl.archive.search import show
from etl.cli import main
from etl.mime.headers import ADDRESS_CHARACTERS_MAX
from etl.rebuild import Result, rebuild
from tests.archive.delivering import deliver
from tests.mime.mail import file, mail, multipart
from tests.mime.test_calendars import calendar
from tests.mime.test_nested import INNER
from tests.mime.test_packed import BEGIN, CODEPAGE_1251, CONTENT, TITLE, outlook, plain, stream, uuencoded
from tests.mime.test_protection import ARMOURED, SIGNATURE, TEXT
from tests.mime.test_reports import RETURNED, STATUS, report

FORWARD = multipart("mixed", TEXT, mail("Content-Type: message/rfc822", body=INNER), headers=("Subject: forward",))
SENT = mail("From: me@example.org", "Message-ID: <sent@example.org>", "Subject: hello")
DISGUISED = multipart("mixed", TEXT, file("application/pdf; name=invoice.pdf", b"MZ" + bytes(100)))
LOCKED = multipart("mixed", TEXT, file("application/pdf; name=a.pdf", b"%PDF-1.7 /Encrypt"))


def ask(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """What SQL answers."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_longest_address_has_room_in_the_index(engine: Engine):
    """Of letters of four octets each, in no order that could be compressed."""
    deseret = [chr(letter) for letter in range(0x10400, 0x10428)]
    longest = "".join(random.Random(1).choices(deseret, k=ADDRESS_CHARACTERS_MAX - 12)) + "@example.org"
    deliver(engine, "ann", mail(f"From: {longest}"))
    assert ask(engine, "select address, written from mart.participant") == [(longest.lower(), longest)]


def test_a_forwarded_mail_is_found_by_its_inner_sender(engine: Engine):
    """And by its subject, and by any header of it."""
    deliver(engine, "ann", FORWARD, SENT)
    found = ask(
        engine,
        """
        select m.subject, n.subject, n.from_domain, n.path
        from mart.nested_message n join mart.message m using (message_id)
        where n.from_address = 'zoe@example.net'
        """,
    )
    assert found == [("forward", "café", "example.net", "1.2.1")]
    headers = ask(engine, "select position, value from mart.nested_header where lower(name) = 'x-same' order by 1")
    assert headers == [(3, "1"), (4, "2")]


def test_a_bounce_is_joined_with_the_mail_that_bounced(engine: Engine):
    """Who did not get what, and why."""
    deliver(engine, "ann", SENT, report(STATUS, RETURNED))
    found = ask(
        engine,
        """
        select m.subject, r.final_recipient, r.action, r.status, r.diagnostic
        from mart.report r join mart.message m on m.message_id_header = r.original_message_id order by r.final_recipient
        """,
    )
    assert found == [
        ("hello", "ann@mail.example.net", "failed", "5.1.1", "550 5.1.1 no such user"),
        ("hello", "bob@example.net", "delayed", "4.2.2", None),
    ]
    with engine.connect() as connection:
        (row,) = answer(connection, "bounces_by_recipient", {}).rows
    assert (row["recipient"], row["bounces"], row["status"]) == ("ann@mail.example.net", 1, "5.1.1")


def test_events_by_attendee(engine: Engine):
    """An invitation, found by whom it invites."""
    content = calendar("UID:1", "SUMMARY:walk", "DTSTART:20260303T093000Z", "ATTENDEE:mailto:bob@example.net")
    deliver(engine, "ann", mail("Content-Type: text/calendar", body=content))
    found = ask(engine, "select summary, starts_at from mart.event where 'bob@example.net' = any(attendees)")
    assert [(summary, str(at)) for summary, at in found] == [("walk", "2026-03-03 09:30:00+00:00")]


def test_files_that_are_packed_are_attachments(engine: Engine):
    """Of winmail.dat, and in the text: each with its hash and a name for a disk."""
    deliver(
        engine, "ann", outlook(stream(CODEPAGE_1251, BEGIN, TITLE, CONTENT)), plain(uuencoded(b"hello", "../a b.txt"))
    )
    rows = ask(engine, "select path, packing, safe_name, octets, sha256 from mart.attachment where packing is not null")
    assert sorted(row[1:4] for row in rows) == [("tnef", "отчёт.txt", 5), ("uuencode", "_.._a b.txt", 5)]
    assert len({row[4] for row in rows}) == 1


def test_what_is_protected_is_marked(engine: Engine):
    """On the message by what protects mail; an encrypted file, and one under a password, mark themselves."""
    signed = multipart("signed", TEXT, SIGNATURE, headers=("Subject: signed",))
    encrypted = mail("Subject: encrypted", body=ARMOURED)
    carrying = multipart("mixed", TEXT, file("a/b; name=a.asc", ARMOURED), headers=("Subject: carrying",))
    deliver(engine, "ann", signed, encrypted, carrying, b"Subject: locked\r\n" + LOCKED)
    assert ask(engine, "select subject, protection, protected_by from mart.message order by subject") == [
        ("carrying", None, None),
        ("encrypted", "encrypted", "pgp"),
        ("locked", None, None),
        ("signed", "signed", "pgp"),
    ]
    files = ask(engine, "select filename, protection, protected_by from mart.attachment where protection is not null")
    assert sorted(files) == [("a.asc", "encrypted", "pgp"), ("a.pdf", "encrypted", "password")]


def test_programs_called_documents_are_found(engine: Engine):
    """The shipped query names what content is not what its name says."""
    deliver(engine, "ann", DISGUISED, LOCKED)
    with engine.connect() as connection:
        (row,) = answer(connection, "attachments_unlike_their_names", {}).rows
    assert (row["filename"], row["sniffed_type"]) == ("invoice.pdf", "application/x-msdownload")


def test_a_message_is_shown_with_what_it_holds(engine: Engine):
    """As JSON, all of it; parts in their order, of which the tenth follows the ninth."""
    parts = [file(f"image/gif; name={n}.gif", b"GIF89a") for n in range(10)]
    content = calendar("UID:1", "SUMMARY:walk")
    held = (mail("Content-Type: message/rfc822", body=INNER), mail("Content-Type: text/calendar", body=content))
    deliver(engine, "ann", multipart("mixed", TEXT, *parts, *held, report(STATUS)))
    with engine.connect() as connection:
        shown = json.loads(json.dumps(show(connection, "1"), default=str))
    assert [p["path"] for p in shown["parts"]][:12] == ["1", *(f"1.{n}" for n in range(1, 12))]
    assert [(n["subject"], n["headers"][2]) for n in shown["nested_messages"]] == [("café", ["X-Same", "1"])]
    assert [r["action"] for r in shown["reports"]] == ["failed", "delayed"]
    assert [e["summary"] for e in shown["events"]] == ["walk"]


def test_a_person_is_shown_it_line_by_line(engine: Engine):
    """Attachments with what is strange about them, messages inside, reports, events."""
    content = calendar("UID:1", "SUMMARY:walk", "DTSTART:20260303T093000Z", "DTEND:20260303T103000Z")
    program = file("application/pdf; name=invoice.pdf", b"MZ" + bytes(100))
    held = (mail("Content-Type: message/rfc822", body=INNER), mail("Content-Type: text/calendar", body=content))
    deliver(engine, "ann", multipart("mixed", mail(body=ARMOURED), program, *held, report(STATUS)))
    url = engine.url.render_as_string(hide_password=False)
    shown = CliRunner().invoke(main, ["show", "1"], env={"POPVAULT_DATABASE_URL": url})
    for line in (
        "part 1.1: encrypted by pgp",
        "attachment 1.2: invoice.pdf, 102 bytes, declared application/pdf, looks like application/x-msdownload",
        "message inside 1.3.1: café, from zoe@example.net",
        "delivery report 1.5.2: bob@example.net, delayed, 4.2.2",
        "event 1.4: REQUEST, walk, 2026-03-03T09:30:00+00:00 to 2026-03-03T10:30:00+00:00",
    ):
        assert line in shown.output.splitlines(), shown.output


def test_what_parts_hold_is_read_alike_again(engine: Engine):
    """A rebuild compares these rows too."""
    content = calendar("UID:1", "DTSTART;TZID=Europe/Berlin:20260303T093000", "ATTENDEE:mailto:b@example.net")
    invitation = mail("Content-Type: text/calendar", body=content)
    letters = (FORWARD, report(STATUS, RETURNED), invitation, outlook(stream(BEGIN, TITLE, CONTENT)), DISGUISED)
    deliver(engine, "ann", *letters)
    told: list[object] = []
    assert rebuild(engine, True, True, told.extend) == Result(messages=len(letters))
    assert told == []
