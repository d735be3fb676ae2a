"""Views of schema mart: what analysts see of dates, addresses and defects."""

from sqlalchemy import Engine, text

from tests.archive.delivering import deliver

FIRST = "Received: from ann.example.org by mx.example.org; Tue, 03 Mar 2026 06:01:00 -0330"
LAST = "Received: from mx.example.org by pop.example.org; Tue, 03 Mar 2026 09:32:00 +0000 (GMT)"
DATE = "Date: Tue, 03 Mar 2026 10:30:00 +0100"


def mail(*headers: str) -> bytes:
    """A message of these header lines."""
    return "".join(f"{header}\r\n" for header in headers).encode() + b"\r\nhello\r\n"


def ask(engine: Engine, query: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_dates_are_candidates(engine: Engine):
    """The Date, each hop and the archiving, as written, with their offsets; one is chosen."""
    deliver(engine, "ann", mail(LAST, FIRST, DATE))
    query = "select source, position, written, cast(at at time zone 'utc' as text), offset_minutes, chosen, reason"
    assert ask(engine, f"{query} from mart.date_candidate where source <> 'archived' order by source, position") == [
        ("date", 0, "Tue, 03 Mar 2026 10:30:00 +0100", "2026-03-03 09:30:00", 60, True, "a hop agrees"),
        ("received", 0, "Tue, 03 Mar 2026 06:01:00 -0330", "2026-03-03 09:31:00", -210, False, None),
        ("received", 1, "Tue, 03 Mar 2026 09:32:00 +0000 (GMT)", "2026-03-03 09:32:00", 0, False, None),
    ]
    archived = "select chosen, at = m.archived_at from mart.date_candidate join mart.message m using (message_id)"
    assert ask(engine, f"{archived} where source = 'archived'") == [(False, True)]


def test_the_chosen_date_has_a_reason(engine: Engine):
    """At most one is chosen, it is sent_at, and why is told; the archiving never is."""
    letters = [
        *([DATE], [DATE, FIRST], [FIRST], ["Date: soon", FIRST], ["Date: soon"], []),
        [DATE.replace("2026", "2099"), LAST, FIRST, "Received: by mx.example.org"],
    ]
    deliver(engine, "ann", *(mail(f"Subject: {number}", *letter) for number, letter in enumerate(letters)))
    query = """
        select d.source, d.position, d.reason from mart.message m
        left join mart.date_candidate d on d.message_id = m.message_id and d.chosen and d.at = m.sent_at
        order by m.subject
    """
    assert ask(engine, query) == [
        ("date", 0, "no hop says when"),
        ("date", 0, "a hop agrees"),
        ("received", 0, "there is no Date"),
        ("received", 0, "the Date is none"),
        (None, None, None),
        (None, None, None),
        ("received", 1, "no hop agrees to the Date"),
    ]
    assert ask(engine, "select count(*) from mart.date_candidate where chosen") == [(5,)]


def test_addresses_in_one_form(engine: Engine):
    """Compared as DNS has the domain; as written beside it; groups, and names alone, without an address."""
    deliver(engine, "ann", mail("From: root", "To: Zoë <Zoe@BÜCHER.example>, Cooks: bob@example.org;, nobody:;"))
    query = "select role, name, address, domain, written, group_name from mart.participant order by position"
    assert ask(engine, query) == [
        ("from", "root", None, None, None, None),
        ("to", "Zoë", "zoe@xn--bcher-kva.example", "xn--bcher-kva.example", "Zoe@BÜCHER.example", None),
        ("to", "", "bob@example.org", "example.org", "bob@example.org", "Cooks"),
        ("to", "", None, None, None, "nobody"),
    ]
    assert ask(engine, "select from_name, from_address, from_domain from mart.message") == [("root", None, None)]


def test_a_defect_says_where_it_lies(engine: Engine):
    """The octet at which its header begins; nothing where there is no such header."""
    deliver(engine, "ann", b"X: y\r\nSubject: caf\xe9\r\n\r\nhello\r\n")
    query = "select kind, place, offset_octets from mart.defect order by kind"
    assert ask(engine, query) == [("date", "date", None), ("eight_bit_header", "subject", 6)]
