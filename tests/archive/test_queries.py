"""The analysts' questions: each has its answer, written by hand, of a house whose mail is known.

And each finds by indexes what can be found by them.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, text

from etl.archive.database import driver, engine_for
from etl.archive.questions import answer, question, questions, values
from etl.cli import main
from etl.errors import Misconfigured
from tests.archive import house, many
from tests.archive.delivering import deliver, deliver_again, rows


@pytest.fixture(scope="module")
def archive(new_database: Callable[[], str]) -> Iterator[Engine]:
    """The house's mail."""
    engine = engine_for(new_database())
    house.build(engine)
    yield engine
    engine.dispose()


def ask(engine: Engine, name: str, *columns: str, **told: str) -> list[tuple[Any, ...]]:
    """These columns of what a question answers; messages by their subjects, times as in "03-02 09:00"."""
    with engine.connect() as connection:
        found = answer(connection, name, told).rows
    subjects = dict(rows(engine, "select message_id, subject from mart.message"))
    return [tuple(_shown(column, row[column], subjects) for column in columns) for row in found]


def _shown(column: str, value: Any, subjects: dict[Any, Any]) -> Any:
    if column in ("message_id", "for_example", "parent_message_id") and value in subjects:
        return subjects[value]
    if isinstance(value, Decimal):
        return float(value)
    return f"{value:%m-%d %H:%M}" if column.endswith("_at") and value else value


def test_who_writes_to_whom(archive: Engine):
    """A pair is counted by messages, not by the mailboxes that hold them."""
    found = ask(archive, "who_writes_to_whom", "sender", "recipient", "messages", "first_at", "last_at")
    assert found[:4] == [
        ("machine@shop.example", house.TILL, 126, "02-01 00:00", "02-28 03:00"),
        (house.ANN, house.BOB, 2, "03-05 09:00", "03-06 08:00"),
        (house.ANN, house.DORA, 2, "03-04 10:00", "03-06 08:00"),
        (house.BOB, house.ANN, 2, "03-02 11:00", "03-05 18:00"),
    ]


def test_who_wrote_to_whom_by_month(archive: Engine):
    """The newest month first, of each the first pairs."""
    found = ask(archive, "who_wrote_to_whom_by_month", "month", "sender", "recipient", "messages", pairs="1")
    assert found == [("2026-03", house.ANN, house.BOB, 2), ("2026-02", "machine@shop.example", house.TILL, 126)]


def test_first_contact(archive: Engine):
    """Each domain outside with its first mail, whoever wrote; the newest first."""
    assert ask(archive, "first_contact", "domain", "first_at", "direction", "message_id") == [
        ("exmaple.net", "03-07 11:00", "from them", "bank"),
        ("exarnple.org", "03-07 10:00", "from them", "bill"),
        ("private.example", "03-06 20:00", "to them", "home"),
        ("example.com", "03-04 10:00", "from them", "order"),
        ("example.net", "03-02 09:00", "from them", "price"),
        ("shop.example", "02-01 00:00", "from them", "report-1-0"),
    ]
    new = ask(archive, "first_contact", "domain", since="2026-03-07", house="example.org, exarnple.org")
    assert new == [("exmaple.net",)]


def test_response_times(archive: Engine):
    """Without the automatic answer after five seconds, and without who adds to his own."""
    columns = ("address", "replies", "median_business_hours", "p95_business_hours", "median_hours")
    # Ann: 6 hours to Carl; 14 to Bob's evening letter of which none is of business. Bob: 2 to Carl, 9 (8) to Ann, and
    # from Tuesday 15:30 to the Monday after, 12:00: 1.5, three days of 8 and 3 hours.
    # The 95th percentile of 2, 8 and 28.5 lies nine tenths of the way from 8 to 28.5.
    assert ask(archive, "response_times", *columns) == [
        (house.BOB, 3, 8.0, 26.5, 9.0),
        (house.ANN, 2, 3.0, 5.7, 10.0),
    ]


def test_unanswered(archive: Engine):
    """A machine's answer is none; lists and machines wait for none."""
    found = ask(archive, "unanswered", "message_id", "from_address", "recipients")
    assert found == [
        ("order", house.DORA, house.ANN),
        ("bill", "billing@exarnple.org", house.ANN),
        ("bank", "carl@exmaple.net", house.BOB),
        ("secret", house.ERIK, house.BOB),
    ]
    assert ask(archive, "unanswered", "message_id", days="100000") == []


def test_volume(archive: Engine):
    """A message in two mailboxes is volume in both; the day is compared with those before it."""
    found = ask(archive, "volume_by_mailbox_and_day", "mailbox", "day", "messages", "mean", "z", rows="1000")
    told = [(mailbox, f"{day:%m-%d}", *rest) for mailbox, day, *rest in found]
    assert told[:3] == [("sales", "03-09", 1, 0.6, 0.4), ("ann", "03-08", 1, 1.3, -0.4), ("bob", "03-08", 2, 1.4, 1.1)]
    # The first day has none before it; before the third were five and four.
    tills = [row[1:] for row in told if row[0] == "till"]
    assert (tills[-1], tills[-3]) == (("02-01", 5, None, None), ("02-03", 5, 4.5, 0.7))


def test_silent_gaps(archive: Engine):
    """A day without mail, asked without a failure; the next day's session failed, and 27 February was as ever."""
    found = ask(archive, "silent_gaps", "mailbox", "day", "messages", "mean")
    assert [(mailbox, str(day), *rest) for mailbox, day, *rest in found] == [("till", "2026-03-01", 0, 4.5)]


def test_a_silence_that_lasts(engine: Engine):
    """Told once, from the first silent day until the mailbox was asked last, though it was first asked in between."""
    deliver(engine, "till", *house.REPORTS, username=house.TILL)
    deliver(engine, "shop", *house.REPORTS[:2], username=house.SALES)
    with engine.begin() as connection:
        for username, day in ((house.TILL, "2026-04-20"), (house.TILL, "2026-04-22"), (house.SALES, "2026-04-22")):
            connection.execute(text(house.ASKED), {"username": username, "at": f"{day} 12:00+00", "failure": None})
    found = ask(engine, "silent_gaps", "mailbox", "day", "until", "messages", "mean")
    assert [(mailbox, str(day), str(until), *rest) for mailbox, day, until, *rest in found] == [
        ("till", "2026-03-01", "2026-04-22", 0, 4.5)
    ]


def test_attachments_unlike_their_names(archive: Engine):
    """A name of one kind, a type of another; or bytes that do not begin as name or type say."""
    columns = ("message_id", "filename", "content_type", "sniffed_type")
    assert ask(archive, "attachments_unlike_their_names", *columns) == [
        ("bank", "invoice.pdf", "application/zip", "application/x-msdownload"),
        ("bank", "empty.pdf", "application/pdf", None),
        ("bank", "figures", "application/zip", None),
    ]


def test_one_file_across_mailboxes(archive: Engine):
    """The same content is found under different names, in different messages."""
    found = ask(archive, "attachments_across_mailboxes", "filename", "octets", "messages", "mailboxes")
    assert found == [("list of customers.csv", len(house.PRICES), 2, ["ann", "bob", "sales"])]
    (sha256,) = {row[0] for row in ask(archive, "attachments_across_mailboxes", "sha256")}
    assert ask(archive, "attachments_across_mailboxes", "octets", sha256=sha256.upper()) == [(len(house.PRICES),)]


def test_internal_to_private(archive: Engine):
    """Domains of free mail are the ones that are told."""
    found = ask(archive, "internal_to_private", "sender", "recipient", "attachments", private="private.example")
    assert found == [(house.BOB, "bob@private.example", 1)]
    assert ask(archive, "internal_to_private", "sender") == []


def test_threads_that_left(archive: Engine):
    """The one that began among Ann and Bob; not those that came from outside, nor a single letter to outside."""
    found = ask(archive, "threads_that_left", "subject", "first_at", "left_at", "sender", "outside", "message_id")
    assert found == [("figures", "03-05 09:00", "03-06 08:00", house.ANN, house.DORA, "figures-out")]


def test_blind_copies(archive: Engine):
    """Ann has a letter that names Bob alone; a Bcc is still named."""
    assert ask(archive, "blind_copies", "message_id", "recipient", "how") == [
        ("bcc", "auditor@example.org", "named in Bcc"),
        ("bcc", house.SALES, "not named in To or Cc"),
        ("secret", house.ANN, "not named in To or Cc"),
        ("price-rebate", house.SALES, "not named in To or Cc"),
        ("price-more", house.SALES, "not named in To or Cc"),
        ("price-list", house.SALES, "not named in To or Cc"),
    ]


def test_after_hours(archive: Engine):
    """On the clock of who sends: Ann's half past four in the east is within hours, eight in the morning is not."""
    found = ask(archive, "after_hours", "address", "messages", "after_hours", "percent")
    assert found == [(house.BOB, 4, 2, 50.0), (house.ANN, 3, 1, 33.3)]
    assert ask(archive, "after_hours", "address", "after_hours", opens="08:00")[1] == (house.ANN, 0)


def test_lookalike_domains(archive: Engine):
    """rn for m of the house; two letters that changed places of a partner that is well known."""
    found = ask(archive, "lookalike_domains", "domain", "looks_like", "house", "sent", known="2")
    assert found == [("exarnple.org", "example.org", True, 1), ("exmaple.net", "example.net", False, 1)]
    assert ask(archive, "lookalike_domains", "domain") == [("exarnple.org",)]


def test_defects_by_source(archive: Engine):
    """Each domain and kind, by messages."""
    found = ask(archive, "defects_by_source", "from_domain", "kind", "messages")
    assert found == [("example.com", "date", 2)]


def test_defects_by_kind(archive: Engine):
    """Each kind with an example."""
    found = ask(archive, "defects_by_kind", "kind", "messages", "detail")
    assert found == [("date", 2, "no Date header")]


def test_duplicates(archive: Engine):
    """With why they came again."""
    found = ask(archive, "duplicates", "message_id", "mailbox", "uidl", "reason")
    ann = "mailbox ann had it before, as UIDL ann-"
    assert sorted(found) == [
        ("figures-bob", "bob", "bob-3", ann + "6"),
        ("figures-out", "bob", "bob-4", ann + "7"),
        ("price-list", "sales", "sales-2", ann + "1"),
        ("price-more", "bob", "bob-1", ann + "2"),
        ("price-more", "sales", "sales-3", ann + "2"),
        ("secret", "bob", "bob-7", ann + "9"),
        ("secret", "bob", "bob-8", "the mailbox holds it more than once: first as UIDL bob-7"),
    ]
    told = "select mailbox, uidl, reason from mart.delivery where outcome = 'duplicate'"
    assert sorted(row[1:] for row in found) == sorted(rows(archive, told))


def test_a_duplicate_of_an_earlier_epoch(engine: Engine):
    """A mailbox whose server gave all new UIDLs explains itself, though another had the message first."""
    deliver(engine, "ann", house.SECRET)
    deliver(engine, "bob", house.SECRET)
    deliver_again(engine, "bob", house.SECRET)
    assert rows(
        engine, "select mailbox, reason from mart.delivery where outcome = 'duplicate' order by delivery_id"
    ) == [
        ("bob", "mailbox ann had it before, as UIDL ann-1"),
        ("bob", "the server gave its mail new UIDLs: before it was bob-1"),
    ]


def test_same_mail(archive: Engine):
    """Its bytes differ by what a server added."""
    found = ask(archive, "same_mail", "message_id", "identity", "reason")
    assert found == [("news", "canonical", "new Received")]


def test_not_archived(archive: Engine):
    """Whatever became of it."""
    found = ask(archive, "not_archived", "mailbox", "uidl", "outcome", "reason", "octets", "present")
    assert found == [
        ("ann", "cursed", "quarantined", "broke off three times", 5000, True),
        ("ann", "gone", "vanished", None, 5000, False),
        ("ann", "huge", "excluded", "over message_bytes_max", 200_000_000, True),
        ("ann", "waiting", "pending", None, 5000, True),
    ]
    assert ask(archive, "not_archived", "uidl", mailbox="bob") == []


def test_largest_senders(archive: Engine):
    """By bytes, in a span."""
    found = ask(archive, "largest_senders", "from_address", "messages", "octets", "largest")
    size = sum(map(len, house.REPORTS))
    assert found[0] == ("machine@shop.example", 126, size, max(map(len, house.REPORTS)))
    two = ask(archive, "largest_senders", "from_address", "messages", since="2026-03-07", until="2026-03-08")
    assert two == [("carl@exmaple.net", 1), ("billing@exarnple.org", 1)]


def test_deleted_on_servers(archive: Engine):
    """With whether the next listing confirmed it."""
    found = ask(archive, "deleted_on_servers", "mailbox", "uidl", "confirmed_gone")
    assert found == [("till", "till-2", False), ("till", "till-1", True)]


def test_about_address(archive: Engine):
    """In every role, with the mailboxes."""
    found = ask(archive, "about_address", "message_id", "named", "mailboxes", address="Dora@Example.com")
    assert found == [
        ("order", "from", ["ann"]),
        ("order-absent", "to", ["ann"]),
        ("figures-out", "to", ["ann", "bob"]),
    ]


GIL = "gil@club.example"
NAMING_GIL = {
    "forwards": "Content-Type: message/rfc822\r\n\r\nFrom: Gil <gil@club.example>\r\nSubject: x\r\n\r\nx\r\n",
    "forwards what he got": "Content-Type: message/rfc822\r\n\r\nTo: (Gil) <Gil@Club.example>, x@y\r\n\r\nx\r\n",
    "forwards what others got": "Content-Type: message/rfc822\r\n\r\nTo: x.gil@club.example\r\n"
    "Cc: gil@club.example.net\r\n\r\nx\r\n",
    "bounce": "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    "Final-Recipient: rfc822; gil@club.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n",
    "invitation": "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "ORGANIZER:mailto:gil@club.example\r\nATTENDEE:mailto:gil@club.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "names him in its text": "\r\ngil@club.example\r\n",
}  # fmt: skip


def test_about_address_looks_wherever_one_can_stand(new_database: Callable[[], str]):
    """In messages inside, reports, events; and into the mailbox of the address, whatever lies there."""
    engine = engine_for(new_database())
    mail = [f"From: a@b\r\nSubject: {subject}\r\n{rest}".encode() for subject, rest in NAMING_GIL.items()]
    deliver(engine, "ann", *mail)
    deliver(engine, "gil", b"From: a@b\r\nSubject: blind\r\n\r\nx\r\n", username=GIL)
    found = ask(engine, "about_address", "message_id", "named", "mailboxes", address=GIL.title())
    assert sorted(found) == [
        ("blind", "in its mailbox", ["gil"]),
        ("bounce", "reported on", ["ann"]),
        ("forwards", "named in a message inside, wrote a message inside", ["ann"]),
        ("forwards what he got", "named in a message inside", ["ann"]),
        ("invitation", "attendee, organizer", ["ann"]),
    ]
    engine.dispose()


def test_a_mailbox_without_a_domain_changes_no_house(new_database: Callable[[], str]):
    """A login without @ that no mail names: nothing is in a list with a null."""
    engine = engine_for(new_database())
    house.build(engine)
    told = (
        "threads_that_left",
        "lookalike_domains",
        "first_contact",
        "unanswered",
        "internal_to_private",
        "after_hours",
    )
    with engine.connect() as connection:
        before = [answer(connection, name, {}) for name in told]
    deliver(engine, "scanner", b"Subject: page\r\n\r\nx\r\n", username="scanner")
    with engine.connect() as connection:
        assert [answer(connection, name, {}) for name in told] == before
    engine.dispose()


def test_domains_beyond_ascii_are_asked_for_as_they_are_written(new_database: Callable[[], str]):
    """mart has them as DNS does."""
    engine = engine_for(new_database())
    deliver(engine, "ann", house.letter("hello", "info@münchen.example", house.ANN, "02 Mar 2026 09:00:00 +0000"))
    for address in ("Info@München.example", "info@xn--mnchen-3ya.example"):
        assert ask(engine, "about_address", "named", address=address) == [("from",)]
    assert ask(engine, "first_contact", "domain", house="example.org, münchen.example") == []
    for query in ("from:info@münchen.example", "from:info@xn--mnchen-3ya.example"):
        assert rows(engine, "select message_id from mart.search(:query)", query=query) == [(1,)]
    engine.dispose()


def test_a_login_beyond_ascii_has_the_domain_that_its_mail_names(new_database: Callable[[], str]):
    """Senders see its address as DNS has it; of no mail the domain is not known."""
    engine = engine_for(new_database())
    for username in ("Info@München.example", "jörg@example.org", "eve@bücher.example"):
        mail = house.letter(username, house.ANN, username.lower(), "02 Mar 2026 09:00:00 +0000")
        deliver(engine, username, *([mail] if "eve" not in username else []), username=username)
    assert rows(engine, "select address, domain from mart.mailbox order by domain") == [
        ("jörg@example.org", "example.org"),
        ("info@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        (None, None),
    ]
    engine.dispose()


def test_thread_of(archive: Engine):
    """All of it, from any message of it."""
    (message,) = (
        number for number, name in rows(archive, "select message_id, subject from mart.message") if name == "price-more"
    )
    found = ask(archive, "thread_of", "message_id", "parent_message_id", "hours_later", message=str(message))
    assert found == [
        ("price", None, None),
        ("price-list", "price", 2.0),
        ("price-more", "price-list", 22.5),
        ("price-rebate", "price-more", 6.0),
        ("bcc", "price-rebate", 140.5),
    ]


def test_what_can_be_null_says_so(archive: Engine):
    """A newcomer's `not in` depends on it. What this mail leaves empty anywhere must be told."""
    quiet = """
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v' and a.attnum > 0
          and col_description(c.oid, a.attnum) !~* '\\mnull\\M|likewise'
    """
    with archive.connect() as connection:
        cursor = driver(connection).cursor()
        asked = SQL("select exists (select from mart.{} where {} is null)")
        columns = cursor.execute(quiet).fetchall()
        silent = [c for c in columns if cursor.execute(asked.format(*map(Identifier, c))).fetchone() == (True,)]
    assert silent == []


# What each answers of its mail, the numbers of messages as subjects.
ABOUT_MAIL = {
    "about_address": ("message_id", "named", "mailboxes"),
    "after_hours": ("address", "messages", "after_hours"),
    "attachments_across_mailboxes": ("sha256", "messages", "mailboxes"),
    "attachments_unlike_their_names": ("message_id", "filename"),
    "blind_copies": ("message_id", "recipient", "how"),
    "bounces_by_recipient": ("recipient", "bounces"),
    "defects_by_kind": ("kind", "messages", "for_example"),
    "defects_by_source": ("from_domain", "kind", "messages"),
    "first_contact": ("domain", "first_at", "message_id"),
    "internal_to_private": ("message_id", "recipient"),
    "lookalike_domains": ("domain", "looks_like", "sent"),
    "response_times": ("address", "replies", "median_hours"),
    "thread_of": ("message_id", "parent_message_id", "hours_later"),
    "threads_that_left": ("message_id", "subject", "outside"),
    "unanswered": ("message_id", "recipients"),
    "who_writes_to_whom": ("sender", "recipient", "messages"),
    "who_wrote_to_whom_by_month": ("month", "sender", "recipient", "messages"),
}  # fmt: skip
ABOUT_COPIES = {
    "deleted_on_servers", "duplicates", "largest_senders", "not_archived", "same_mail", "silent_gaps",
    "volume_by_mailbox_and_day",
}  # fmt: skip


def test_copies_of_a_mail_count_once(new_database: Callable[[], str]):
    """Whoever has all mail a second time, by another way, is answered the same; the rest says that it counts copies."""
    engine = engine_for(new_database())
    house.build(engine)
    bounce = house.letter(
        "bounce",
        "postmaster@example.net",
        house.ANN,
        "Tue, 10 Mar 2026 12:00:00 +0000",
        "Content-Type: message/delivery-status",
    ).partition(b"This is")[0]
    bounce += b"Final-Recipient: rfc822; nobody@example.net\r\nAction: failed\r\n"
    deliver_again(engine, "ann", bounce, username=house.ANN)
    told = {
        "about_address": {"address": house.CARL}, "thread_of": {"message": str(one(engine, "price-more"))},
        "lookalike_domains": {"known": "3"}, "internal_to_private": {"private": "private.example"},
    }  # fmt: skip
    before = {name: ask(engine, name, *columns, **told.get(name, {})) for name, columns in ABOUT_MAIL.items()}
    assert all(before.values())
    for mailbox, username, raws in house.HELD:
        again = [b"X-Spam-Status: no\r\n" + raw for raw in (*raws, *([bounce] if mailbox == "ann" else []))]
        deliver_again(engine, mailbox, *again, username=username)
    told["thread_of"] = {"message": str(max(found for (found,) in rows(engine, OF, subject="price-more")))}
    after = {name: ask(engine, name, *columns, **told.get(name, {})) for name, columns in ABOUT_MAIL.items()}
    assert after == before
    assert set(questions()) == {*ABOUT_MAIL, *ABOUT_COPIES}
    engine.dispose()


OF = "select message_id from mart.message where subject = :subject"


def one(engine: Engine, subject: str) -> Any:
    """The number of the first message with this subject."""
    return min(found for (found,) in rows(engine, OF, subject=subject))


def test_an_answer_is_found_whichever_copy_it_hangs_on(engine: Engine):
    """Both of an answer and of what it answers the first copy stands for all."""
    deliver(engine, "ann", *house.PRICE[:2])
    deliver(engine, "bob", *(b"X-Spam-Status: no\r\n" + raw for raw in house.PRICE[:2]))
    found = "select message_id, parent_message_id, seconds from mart.reply"
    assert rows(engine, found) == [(one(engine, "price-list"), one(engine, "price"), 7200)]
    copies = "select count(*) from mart.message m join mart.reply r on m.mail_id = r.parent_message_id"
    assert rows(engine, copies) == [(2,)]


def test_mail_without_a_date_counts_unless_a_span_is_asked_for(engine: Engine):
    """Nobody knows when it was sent, but it was."""
    deliver(engine, "ann", b"From: ann@example.org\r\n\r\nhello\r\n")
    assert ask(engine, "largest_senders", "from_address", "messages") == [("ann@example.org", 1)]
    assert ask(engine, "largest_senders", "from_address", since="2000-01-01") == []


def test_every_question_is_tested_and_says_what_it_answers():
    """A sentence first, and a test that asks it, here or where the views are tested that it asks."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert len(questions()) >= 15
    for name, asked in questions().items():
        assert asked.answers.endswith((".", "?")), name
        assert re.search(rf'(ask\(archive|answer\(connection), "{name}"', tests), name


def test_every_parameter_is_described():
    """Each that the SQL names, and no other."""
    for asked in questions().values():
        named = set(re.findall(r"(?<!:):([a-z]\w*)", re.sub(r"'[^']*'", "''", asked.sql)))
        assert named == {parameter.name for parameter in asked.parameters}, asked.name


def test_what_a_question_cannot_be_told(archive: Engine):
    """Each mistake in one sentence that says what to do."""
    with pytest.raises(Misconfigured, match=r"there is no query 'unanswred'; do you mean unanswered\?"):
        question("unanswred")
    with pytest.raises(
        Misconfigured, match=r"has no 'day'; do you mean days\?; it can be told days, since, rows, house"
    ):
        values(question("unanswered"), {"day": "3"})
    with pytest.raises(Misconfigured, match=r"query thread_of needs --set message=\.\.\. \(number of the message\)"):
        values(question("thread_of"), {})
    for name, told, says in (
        ("unanswered", {"since": "2026", "days": "three"}, "cannot be told --set since=2026: say a day, as 2026-03-01"),
        ("unanswered", {"since": "2026-03-01", "days": "three"}, "cannot be told --set days=three: say a whole number"),
        ("about_address", {"address": "ann"}, "--set address=ann: say one address, as ann@example.org"),
        ("about_address", {"address": "Ann <ann@example.org>"}, "say one address"),
        ("unanswered", {"days": "2147483647"}, "query unanswered cannot be told --set days=2147483647: .*out of range"),
        ("unanswered", {"rows": "-1"}, "--set rows=-1: say how many rows, as 100"),
        ("unanswered", {"rows": "0"}, "--set rows=0: say how many rows, as 100"),
        (
            "not_archived",
            {"mailbox": "anne"},
            "there is no mailbox anne in the archive that this login may see; popvault",
        ),
        (
            "attachments_across_mailboxes",
            {"sha256": "00"},
            "there is no attachment with this SHA-256: 00 in the archive",
        ),
        ("thread_of", {"message": "99999"}, "there is no message 99999 in the archive"),
    ):
        with pytest.raises(Misconfigured, match=says):
            ask(archive, name, "message_id", **told)


@pytest.fixture(scope="module")
def large(new_database: Callable[[], str]) -> Iterator[Engine]:
    """Twenty thousand messages of no content: enough that Postgres does not read a table whole without need."""
    engine = engine_for(new_database())
    many.build(engine, messages=20_000)
    yield engine
    engine.dispose()


# Two hours of the many, and what a question has to be told.
TOLD = {
    "since": "2026-01-01 22:00", "until": "2026-01-02", "address": "user7@d7.example", "message": "1000",
    "sha256": "00" * 32,
}  # fmt: skip


LARGE = {"message", "reading", "head", "participant", "part", "delivery", "ledger", "member", "key"}


def read_whole(engine: Engine, name: str, told: dict[str, str]) -> set[str]:
    """The large tables that the plan for a question reads from end to end, be it in the order of an index."""
    asked = question(name)
    told = values(asked, {key: value for key, value in told.items() if key in {p.name for p in asked.parameters}})
    return scanned(engine, asked.sql, told)


def scanned(engine: Engine, sql: str, told: dict[str, str]) -> set[str]:
    """The large tables that the plan for this SQL reads from end to end."""
    with engine.connect() as connection:
        # As for an archive that is too large to be read from memory as fast as by an index.
        connection.execute(text("set local random_page_cost = 1.1"))
        (plan,) = connection.scalar(text(f"explain (format json) {sql}"), told)
    return {
        node["Relation Name"]
        for node in _nodes(plan["Plan"])
        if node["Node Type"].endswith("Scan") and "Index Cond" not in node and "Recheck Cond" not in node
        and node.get("Relation Name") in LARGE
    }  # fmt: skip


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


LOOKUPS = [
    "select * from mart.message where message_id = 1000",
    "select * from mart.message where thread_id = 1000",
    "select * from mart.message where sent_at >= '2026-01-01 22:00'",
    "select * from mart.message where sha256 = 'ab'",
    "select * from mart.message where message_id_header = '<1>'",
    "select * from mart.participant where address = 'user7@d7.example'",
    "select * from mart.address where address = 'user7@d7.example'",
    "select * from mart.edge where sender = 'user7@d7.example'",
    "select * from mart.edge where recipient = 'user7@d7.example'",
    "select * from mart.attachment where sha256 = 'ab'",
    "select * from mart.attachment where filename = 'other.pdf'",
    "select * from mart.reply where message_id = 1000",
    "select * from mart.delivery where message_id = 1000",
    "select * from mart.delivery where delivery_id = 1000",
    "select * from mart.step where delivery_id = 1000",
    "select * from mart.message join mart.participant using (message_id) where address = 'user7@d7.example'",
]


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_what_the_dictionary_calls_fast_is_found_by_an_index(large: Engine, lookup: str):
    """By its natural keys."""
    assert scanned(large, lookup, {}) == set()


def test_what_the_dictionary_calls_slow_reads_all(large: Engine):
    """Where an index came to it, the dictionary should say so."""
    for sql in (
        "select * from mart.message where from_address = 'user7@d7.example'",
        "select * from mart.edge where sender_domain = 'd7.example'",
    ):
        assert scanned(large, sql, {})


READING_ALL = {
    "who_writes_to_whom", "first_contact", "volume_by_mailbox_and_day", "silent_gaps", "attachments_unlike_their_names",
    "attachments_across_mailboxes", "lookalike_domains", "defects_by_source", "defects_by_kind", "duplicates",
    "same_mail", "not_archived", "deleted_on_servers", "bounces_by_recipient", "about_address",
}  # fmt: skip


def test_which_questions_read_all():
    """Those that are about all of something; each says so in its file."""
    assert {name for name, asked in questions().items() if asked.reads_all} == READING_ALL


@pytest.mark.parametrize("name", sorted(set(questions()) - READING_ALL | {"attachments_across_mailboxes"}))
def test_no_question_reads_more_than_it_must(large: Engine, name: str):
    """What is asked of a span, a message, an address or a file is found by indexes."""
    assert read_whole(large, name, TOLD) == set()


def test_about_an_address_only_messages_inside_are_all_read(large: Engine):
    """And of a mailbox with this address what it holds, which may be most of all."""
    assert read_whole(large, "about_address", TOLD) <= {"delivery", "ledger"}


def test_the_command_lists_and_asks(archive: Engine):
    """All questions with what each can be told; one with its answer; a mistake is one sentence and exit code 2."""

    def popvault(*arguments: str) -> Result:
        url = archive.url.render_as_string(hide_password=False)
        return CliRunner().invoke(main, ["query", *arguments], env={"POPVAULT_DATABASE_URL": url})

    listed = popvault().stdout
    assert "unanswered\n    Mail from outside" in listed
    assert "    --set days=3  unanswered for so many days\n" in listed
    found = json.loads(popvault("about_address", "--set", f"address={house.DORA}", "--json").stdout)
    assert [row["subject"] for row in found] == ["order", "order-absent", "figures-out"]
    cut = popvault("unanswered", "--set", "rows=3").stdout.splitlines()
    assert cut[-2:] == [
        "house: example.org, of the mailboxes that this login sees",
        "cut after rows=3: more by --set rows=NUMBER",
    ]
    whole = popvault("unanswered", "--set", "rows=4", "--set", "house=Example.org, ,example.net").stdout.splitlines()
    assert whole[-1] == "house: example.net, example.org"
    programs = popvault("unanswered", "--set", "rows=3", "--json")
    assert (len(json.loads(programs.stdout)), programs.stderr.splitlines()) == (3, cut[-2:])
    wrong = popvault("about_address", "--set", "address")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "popvault: --set address says nothing; write --set address=VALUE\n",
    )
