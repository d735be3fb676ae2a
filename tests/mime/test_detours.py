"""Detours: equal to mail-parser where it is right, righter where it is not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailparser.dates import parse_mail_date
from mailparser.utils import get_addresses, receiveds_parsing

from etl.mime import detours

DATES = st.tuples(
    st.sampled_from(["Tue, ", "Tue,", "tue, ", "Wed,\r\n\t", "", "Tue "]),
    st.sampled_from(["3", "03", "31", "0", " 3"]),
    st.sampled_from([" Mar ", " Feb ", "  mar\r\n ", "-Mar-"]),
    st.sampled_from(["2026", "26", "126", "1899", "99999"]),
    st.sampled_from([" 09:30:00", " 09:30", " 23:59:60", " 24:00:00", "\r\n 9:30"]),
    st.sampled_from([" +0000", " -0330", " GMT", " EST", " +0060", " Z", " +1400 (x)", " (UT)", "+0100", ""]),
).map("".join)


@given(DATES)
def test_dates_that_mail_parser_reads_are_read_alike(written: str):
    """The same instant, and the same complaints."""
    theirs = parse_mail_date(written)
    ours = detours.date(written)
    if theirs.value is not None:
        assert (ours.at, ours.reasons) == (theirs.value, theirs.reasons)
        assert ours.offset_minutes == round(float(theirs.timezone) * 60)


@pytest.mark.parametrize(
    ("written", "at", "offset"),
    [
        ("Mon, 02 Sep 2002 01:07:29 -08:00", "2002-09-02 09:07:29", -480),
        ("Mon, 02 Sep 2002 01:07:29 GMT+1", "2002-09-02 00:07:29", 60),
        ("Mon, 02 Sep 2002 1:07:29 +0545", "2002-09-01 19:22:29", 345),
        ("Mon, 02 Sep 2002 01:07:29 +0545", "2002-09-01 19:22:29", 345),
        ("Mon, 02 Sep 2002 01:07:29", "2002-09-02 01:07:29", None),
        ("Mon Sep  2 01:07:29 2002", "2002-09-02 01:07:29", None),
        ("Mon, 02 Sep 2002 01:07:29 PM -0400", "2002-09-02 17:07:29", -240),
        ("Mon, 02 Sep 2002 12:07:29 AM", "2002-09-02 00:07:29", None),
        ("2002-09-02T01:07:29+02:00", "2002-09-01 23:07:29", 120),
        ("2 Sep 2002 01:07:29 01800", "2002-09-02 01:07:29", None),
    ],
)
def test_dates_that_a_person_reads(written: str, at: str, offset: int | None):
    """Zones missing or odd, one-digit hours, halves of the day, ctime, ISO 8601; the offset to the minute."""
    found = detours.date(written)
    assert (found.at, found.offset_minutes) == (datetime.fromisoformat(at).replace(tzinfo=UTC), offset)


@pytest.mark.parametrize("written", ["yesterday", "", "31 Feb 2026 09:30:00 +0000", "1 Jan 0001 00:00:00 +1400"])
def test_no_date_is_made_up(written: str):
    """What is no date stays None."""
    assert detours.date(written).at is None


ADDRESSES = st.lists(
    st.sampled_from(
        [
            *(
                "a@b.c",
                "<a@b.c>",
                "A B <a@b.c>",
                "A. B-C <a@b.c>",
                '"B, A" <a@b.c>',
                "a@b.c (A B)",
                " A  B\r\n <a@b.c>",
            ),
            *(
                '"" <a@b.c>',
                "a@b.c <a@b.c>",
                "=?utf-8?q?=C3=A9?= <a@b.c>",
                "root",
                "a b",
                "<a@b.c",
                "a@b.c>",
                "A <a@b.c> x",
            ),
            *(
                '"a" b <a@b.c>',
                "G: a@b.c;",
                "G:;",
                '"a\\"b" <a@b.c>',
                "(c) a@b.c",
                "a@[1.2.3.4]",
                "a.@b.c",
                "é <a@b.c>",
            ),
            *("", " ", "a@b.c (x (y))", "A.B. <a@b.c>", "'A' <a@b.c>", "a@b.c\r\n (A)", '"A" (b) <a@b.c>', "a @b.c"),
        ]
    ),
    max_size=5,
).map(",".join)


@given(ADDRESSES)
def test_addresses_are_those_of_mail_parser(value: str):
    """The same names and addresses in the same order, and the same complaints; where it complains, perhaps more."""
    theirs: list[dict[str, object]] = []
    expected = [pair for pair in get_addresses(value, defects=theirs, decode_names=True) if pair[1]]
    members, problems = detours.addresses(value)
    found = [(name, address) for name, address, _ in members if address]
    assert {address for _, address in expected} <= {address for _, address in found}
    if not problems:
        assert found == expected
    complaints = [(complaint["reason"], str(complaint["raw"]).strip()) for complaint in theirs]
    right = ("structural-recovery", "a@[1.2.3.4]")  # what newer releases of Python refuse
    assert [reason for reason, _ in problems] == [each[0] for each in complaints if each != right]


def test_more_addresses_than_anybody_writes():
    """Fifty thousand of them are fifty thousand; what is too long for the scanner still gives its addresses."""
    plain = ", ".join(f"User {i} <user{i}@example.org>" for i in range(50_000))
    assert len(detours.addresses(plain)[0]) == 50_000
    odd = ", ".join(f"User\\ {i} <user{i}@example.org>" for i in range(50_000))
    pairs, problems = detours.addresses(odd)
    assert len(pairs) == 50_000
    assert problems[-1][0] == "too-long"


TRACES = st.lists(
    st.sampled_from(
        [
            *("from a.b", "by c.d", "with ESMTP", "id 1A", "for <x@y>", "via UUCP", "envelope-from <e@f>", "FROM g"),
            *(
                "(a [1.2.3.4])",
                "(x (y) z)",
                "(x;y)",
                "(by h)",
                "[1.2.3.4]",
                "with cipher X",
                "\r\n\t",
                "  ",
                '"q  q"',
                "\\",
            ),
            *(
                "; Tue, 3 Mar 2026 09:30:00 +0100",
                "; x (y)",
                ";",
                "(",
                ")",
                "<",
                ">",
                "[",
                "word",
                "(x)by i",
                "é",
                "\x1c",
            ),
            *("2026-03-03 09:30:00.123456789 +0000 UTC m=+1.2", "for <x@y>; id 2", "by", "from", "envelope-sender x"),
        ]
    ),
    max_size=9,
).map(" ".join)


@given(TRACES)
def test_received_is_read_as_by_mail_parser(value: str):
    """The same clauses, date and complaints."""
    problems: list[dict[str, object]] = []
    (theirs,) = receiveds_parsing([value], defects=problems)
    ours, reason = detours.trace(value)
    assert ours == tuple(theirs.get(key) or None for key in ("from", "by", "with", "date"))
    assert reason == (problems[0]["reason"] if problems else None)
