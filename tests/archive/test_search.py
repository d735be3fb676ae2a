"""Search: what is found, in which order, page by page, before and after its terms are folded."""

import hashlib
import itertools
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from etl.archive import labels, search, threads
from etl.archive.search import show
from etl.cli import main
from etl.errors import Misconfigured
from etl.rebuild import rebuild
from tests.archive.delivering import deliver

LETTERS = {
    "invoice": b"From: Ann Lee <ann@example.org>\r\nTo: bob@example.net\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\n"
    b"Subject: Invoice 17\r\n\r\nThe amount is due next week.\r\n",
    "draft": b"From: Bob <bob@example.net>\r\nTo: ann@example.org\r\nCc: Carl <carl@example.com>\r\n"
    b"Date: Wed, 4 Mar 2026 10:00:00 +0100\r\nSubject: A draft\r\n\r\nThe invoice is a draft, due last\r\nweek.\r\n",
    "file": b"From: Carl <carl@example.com>\r\nDate: Thu, 5 Mar 2026 23:30:00 -0500\r\nSubject: File\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the file\r\n--b\r\n"
    b"Content-Type: application/pdf; name=Q3_report.pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
    "chinese": "From: 王伟 <wei@example.cn>\r\nDate: Fri, 6 Mar 2026 10:00:00 +0800\r\nSubject: 会议通知\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n明天的会议改到下午三点\r\n".encode(),
    "accents": "From: Søren <soren@example.dk>\r\nDate: Sat, 7 Mar 2026 10:00:00 +0100\r\nSubject: Café\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nStraße nach Łódź, déjà vu\r\n".encode(),
    "undated": b"Subject: undated\r\n\r\nno date at all; week after week, the last one is due\r\n",
}

NAMES = dict(zip(("Invoice 17", "A draft", "File", "会议通知", "Café", "undated"), LETTERS, strict=True))

QUERIES = {
    "invoice": "invoice draft",
    "INVOICE -draft": "invoice",
    "invoice draft": "draft",
    "invoice or file": "invoice file draft",
    "invoice or 会议 week": "invoice draft",
    '"last week"': "draft",
    "“last week”": "draft",
    'week -"last week"': "undated invoice",
    '"last week': "draft",
    '"next week" or 三点': "chinese invoice",
    '"invoice 17"': "invoice",
    '"ann lee" or "last one"': "invoice undated",
    'due -"invoice 17"': "undated draft",
    '"due last week" "is a draft"': "draft",
    '"due last week" "next week"': "",
    '"last week" mailbox:ann': "draft",
    '"last week" mailbox:bob': "",
    "from:ann": "invoice",
    "from:ann@example.org": "invoice",
    'from:"Ann Lee"': "invoice",
    "from:example.org": "invoice",
    "to:ann": "draft",
    "cc:carl": "draft",
    "-from:ann to:bob": "",
    "subject:invoice": "invoice",
    "ann@example.org": "draft invoice",
    "carl": "file draft",
    "has:attachment": "file",
    "-has:attachment due": "undated draft invoice",
    "filename:report": "file",
    "filename:q3_report.pdf": "file",
    "pdf": "file",
    "会议": "chinese",
    "会": "chinese",
    "会议改到": "chinese",
    "会议改下": "",
    "会议通知": "chinese",
    "王伟": "chinese",
    "cafe": "accents",
    "CAFÉ": "accents",
    "strasse": "accents",
    "straße nach": "accents",
    '"strasse nach lodz"': "accents",
    "soren": "accents",
    "after:2026-03-06": "accents chinese file",
    "before:2026-03-04": "invoice",
    "after:2026-03-04 before:2026-3-5": "draft",
    "after:2026 due": "draft invoice",
    "mailbox:ann draft": "draft",
    "mailbox:bob": "file chinese accents undated",
    "-mailbox:ann week": "undated",
    "mailbox:ann or mailbox:bob due": "undated draft invoice",
    "nothing": "",
}


@pytest.fixture
def archive(engine: Engine) -> Engine:
    """Six letters in two mailboxes."""
    letters = list(LETTERS.values())
    deliver(engine, "ann", *letters[:2])
    deliver(engine, "bob", *letters[2:])
    return engine


def find(engine: Engine, query: str, matches: int = 20) -> list[dict[str, Any]]:
    """What a query finds."""
    with engine.connect() as connection:
        return search.find(connection, query, matches)


def names(rows: list[dict[str, Any]]) -> list[str]:
    """The letters that were found, by their names."""
    return [NAMES[str(row["subject"])] for row in rows]


def fold(engine: Engine, monkeypatch: pytest.MonkeyPatch, messages: int) -> int:
    """Fold terms into segments of so many messages; how many segments."""
    monkeypatch.setattr(search, "SEGMENT_MESSAGES", messages)
    with engine.connect() as connection:
        return len(list(itertools.takewhile(bool, iter(lambda: search.fold(connection), None))))


@pytest.mark.parametrize("segments_of", [None, 2, 3, 6])
@pytest.mark.parametrize("common", [1, 3, 100])
def test_what_queries_find(archive: Engine, monkeypatch: pytest.MonkeyPatch, segments_of: int | None, common: int):
    """Each query finds the same before and after terms are folded, into whatever segments, as lists or as bits."""
    monkeypatch.setattr(search, "COMMON_FRACTION", common)
    if segments_of:
        assert fold(archive, monkeypatch, segments_of) == 6 // segments_of
    found = {query: " ".join(names(find(archive, query))) for query in QUERIES}
    assert {q: sorted(n.split()) for q, n in found.items()} == {q: sorted(n.split()) for q, n in QUERIES.items()}


@pytest.mark.parametrize("segments_of", [None, 3])
def test_subject_and_names_stand_above_text_and_new_above_old(
    archive: Engine, monkeypatch: pytest.MonkeyPatch, segments_of: int | None
):
    """Then by date; what has none comes last."""
    if segments_of:
        fold(archive, monkeypatch, segments_of)
    assert names(find(archive, "invoice")) == ["invoice", "draft"]
    assert names(find(archive, "due")) == ["draft", "invoice", "undated"]


def test_a_key_is_the_same_however_dates_are_written(archive: Engine):
    """For psql with a DateStyle of its own."""
    query = "select key from mart.search('due', 1, cast(:key as text))"
    with archive.connect() as connection:
        first = connection.scalar(text(query), {"key": None})
        second = connection.scalar(text(query), {"key": first})
        connection.execute(text("set datestyle = 'German'"))
        assert connection.scalar(text(query), {"key": None}) == first
        assert connection.scalar(text(query), {"key": first}) == second
    assert second != first


@pytest.mark.parametrize("matches", [1, 2, 5])
def test_pages_follow_each_other_without_gap_or_double(engine: Engine, monkeypatch: pytest.MonkeyPatch, matches: int):
    """Also where terms are folded and mail arrives between two pages."""
    deliver(engine, "ann", *(b"Subject: word %d\r\n\r\nword\r\n" % n for n in range(20)))
    expected = [row["message_id"] for row in find(engine, "word")]
    seen: list[object] = []
    key = None
    for page in itertools.count():
        with engine.connect() as connection:
            rows = search.find(connection, "word", matches, key)
        if not rows:
            break
        seen += [row["message_id"] for row in rows]
        key = str(rows[-1]["key"])
        fold(engine, monkeypatch, 3)
        deliver(engine, f"more {page}", b"Subject: word later %d\r\n\r\nword\r\n" % page)
    assert seen[: len(expected)] == expected == sorted(expected, reverse=True)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("segments_of", [None, 50])
def test_a_phrase_is_looked_for_in_all_that_have_its_words(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, segments_of: int | None
):
    """In the best first, and without gap or double where a page ends among them."""
    letters = [
        b"Date: Thu, 5 Mar 2026 %02d:%02d:00 +0000\r\nSubject: %s %d\r\n\r\n%s\r\n"
        % (*divmod(n, 60), b"red" if n % 3 else b"letter", n, b"red tape" if n % 7 == 3 else b"tape is red")
        for n in range(240)
    ]
    deliver(engine, "ann", *letters)
    if segments_of:
        fold(engine, monkeypatch, segments_of)
    with_phrase = [f"{'red' if n % 3 else 'letter'} {n}" for n in range(239, -1, -1) if n % 7 == 3]
    expected = sorted(with_phrase, key=lambda subject: subject.startswith("letter"))
    rows: list[dict[str, Any]] = []
    with engine.connect() as connection:
        while page := search.find(connection, '"red tape"', 8, str(rows[-1]["key"]) if rows else None):
            rows += page
    assert [row["subject"] for row in rows] == expected
    assert all("«red tape»" in row["snippet"] for row in rows)


def test_the_match_is_shown_where_it_stands(archive: Engine):
    """Hits are marked as the text has them; elsewhere than in the text too."""
    queries = ("due week", "strasse", "q3", "会议", "from:carl", "has:attachment")
    shown = {query: [row["snippet"] for row in find(archive, query)] for query in queries}
    assert shown["due week"][1] == "The amount is «due» next «week»."
    assert shown["strasse"] == ["«Straße» nach Łódź, déjà vu"]
    assert shown["q3"] == ["«Q3»_report.pdf"]
    assert shown["会议"] == ["明天的«会议»改到下午三点"]
    # In the field that was asked for, and of one field alone.
    assert shown["from:carl"] == ["«Carl» «carl»@example.com"]
    assert shown["has:attachment"] == ["see the file"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("form:ann", "there is no operator form:; known are from, to,"),
        ("before:yesterday", "before: wants a date such as 2026-03-31, 2026-03 or 2026, not yesterday"),
        ("after:2026-02-30", "after: wants a date"),
        ("from: ann", "from: wants its value right behind the colon"),
        ("has:money", "has: knows only has:attachment, not money"),
        ("mailbox:nobody", "there is no mailbox nobody"),
        ("label:none", "there is no label none"),
        ("saved:none", "there is no saved search none"),
        ("invoice or before:2026", "or joins words with words"),
        ("-before:2026", "before: cannot be excluded"),
        ("inv*", "a word is found whole"),
        ("...", "a search wants a word or an operator"),
    ],
)
def test_a_mistake_gets_one_sentence(archive: Engine, query: str, says: str):
    """It says what to do instead."""
    with pytest.raises(Misconfigured) as raised:
        find(archive, query)
    assert str(raised.value).startswith(says)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("word " * 4_000, "a search has at most 128 words (of unspaced scripts characters), and this one has 4000: l"),
        (f'"{"one two " * 65}"', "a search has at most 128 words"),
        ("a or " * 65 + "b", "a search has at most 128 words"),
        ("-a " * 129, "a search has at most 128 words"),
        ("- " * 129, "a search has at most 128 words"),
        ("会议改到" * 33, "a search has at most 128 words"),
        ("-" * 1_000_000, "a search has at most 20000 characters, and this one has 1000000: leave some out"),
        ("saved:long " * 60, "its saved searches have too many words together: ask fewer of them at once"),
    ],
)
def test_a_query_without_end_is_refused(archive: Engine, query: str, says: str):
    """At once, in a sentence; a paragraph is none."""
    with archive.connect() as connection:
        labels.save(connection, "long", " or ".join(f"word{n}" for n in range(64)))
        connection.execute(text("set statement_timeout = '3s'"))
        connection.commit()
        with pytest.raises(Misconfigured) as raised:
            search.find(connection, query, 20)
    assert str(raised.value).startswith(says)
    assert find(archive, "-draft " * 128)
    assert find(archive, f'"{"one two " * 63}one two"') == []


def test_what_only_looks_like_an_operator_is_words(archive: Engine):
    """Addresses of pages, times, a colon behind a word, an or with nothing before it."""
    for query in ("http://example.org/x", "10:30", "Re: nothing", "or nothing", "\0nothing"):
        assert find(archive, query) == []


def test_a_key_that_is_none_is_refused(archive: Engine):
    """With a sentence."""
    with archive.connect() as connection, pytest.raises(Misconfigured, match="the key 7 is none"):
        search.find(connection, "due", 1, "7")


def test_newer_terms_of_a_message_count(archive: Engine, monkeypatch: pytest.MonkeyPatch):
    """A message read again is found by its new terms alone, before and after they are folded."""
    fold(archive, monkeypatch, 3)
    again = """
        insert into search.fresh select message_id, null, int4send(search.term('anew')) from archive.reading
        where subject = 'Invoice 17'
    """
    with archive.begin() as connection:
        connection.execute(text(again))
    assert names(find(archive, "anew")) == ["invoice"]
    assert names(find(archive, "17")) == []
    fold(archive, monkeypatch, 1)
    assert names(find(archive, "anew")) == ["invoice"]
    assert names(find(archive, "17")) == []


def test_a_rebuild_makes_lost_terms_again(archive: Engine, monkeypatch: pytest.MonkeyPatch):
    """And lays in anew those that are there; it folds them as a run does."""
    for segments_of in (None, 3):
        with archive.begin() as connection:
            connection.execute(
                text("truncate search.fresh, search.segment, search.posting, search.common, search.stretch")
            )
        assert find(archive, "invoice") == []
        rebuild(archive, every=True, report=False, tell=lambda _: None)
        assert names(find(archive, "invoice")) == ["invoice", "draft"]
        if segments_of:
            fold(archive, monkeypatch, segments_of)
        rebuild(archive, every=True, report=False, tell=lambda _: None)
        with archive.connect() as connection:
            count = connection.scalar(text("select count(*) from search.fresh"))
        assert count == (0 if segments_of else 6)
        assert names(find(archive, "invoice")) == ["invoice", "draft"]


def test_long_words_and_long_texts_are_found(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """A word of 16 kB, and the last of a megabyte of words."""
    many = " ".join(map(str, range(150_000)))
    deliver(
        engine, "ann", b"Subject: long\r\n\r\n" + b"x" * 16_384 + b"\r\n", f"Subject: many\r\n\r\n{many}\r\n".encode()
    )
    for _ in range(2):
        assert [row["subject"] for row in find(engine, "x" * 16_384)] == ["long"]
        assert next(row["snippet"] for row in find(engine, "149998")).endswith("«149998» 149999")
        assert fold(engine, monkeypatch, 2) in (0, 1)


def test_minus_stands_before_any_word(archive: Engine):
    """Also where its letters are those of an option."""
    url = archive.url.render_as_string(hide_password=False)
    for word, number in (("-chapel", "4 found"), ("-have", "4 found"), ("-draft", "3 found")):
        shown = CliRunner().invoke(main, ["search", "due", "or", "the", word], env={"POPVAULT_DATABASE_URL": url})
        assert number in shown.output, shown.output
    for words in (["-h"], ["--help"]):
        assert "Find messages" in CliRunner().invoke(main, ["search", *words]).output


def test_labels(archive: Engine):
    """Put on messages and on what a search finds, found by, taken off, removed."""
    with archive.connect() as connection:
        first = search.find(connection, "subject:invoice", 1)[0]["message_id"]
        assert labels.put(connection, "to pay", [first], "draft") == 2
        assert labels.put(connection, "to pay", [first]) == 0
        assert names(search.find(connection, 'label:"to pay"', 20)) == ["draft", "invoice"]
        assert names(search.find(connection, '-label:"to pay" week', 20)) == ["undated"]
        assert labels.take(connection, "to pay", [], "draft") == 1
        assert [(row["name"], row["messages"]) for row in labels.labels(connection)] == [("to pay", 1)]
        with pytest.raises(Misconfigured, match="there is no message 998, 999"):
            labels.put(connection, "to pay", [999, 998, first])
        labels.remove(connection, "to pay")
        assert labels.labels(connection) == []
        with pytest.raises(Misconfigured, match="there is no label to pay"):
            labels.remove(connection, "to pay")


def test_saved_searches(archive: Engine):
    """Asked by name, alone or with more; one that is none is not saved."""
    with archive.connect() as connection:
        labels.save(connection, "bills", "invoice or amount")
        labels.save(connection, "bills", "due invoice or amount")
        assert names(search.find(connection, "saved:bills", 20)) == ["invoice", "draft"]
        assert names(search.find(connection, "saved:bills -draft", 20)) == ["invoice"]
        for wrong in ("saved:bills", "form:ann"):
            with pytest.raises(Misconfigured):
                labels.save(connection, "wrong", wrong)
        assert [(row["name"], row["query"]) for row in labels.saved(connection)] == [("bills", "due invoice or amount")]
        labels.forget(connection, "bills")
        with pytest.raises(Misconfigured, match="there is no saved search bills"):
            labels.forget(connection, "bills")


def test_a_message_is_shown_by_its_number_or_its_hash(engine: Engine):
    """With the thread that it stands in; of a hash eight digits or more, of any case."""
    parent = b"Message-ID: <1@example.org>\r\nSubject: one\r\n\r\nhello\r\n"
    deliver(engine, "ann", parent, b"In-Reply-To: <1@example.org>\r\nSubject: two\r\n\r\nhello\r\n")
    digits = hashlib.sha256(parent).hexdigest()
    with engine.connect() as connection:
        while threads.join_pending(connection):
            pass
        for name in ("1", digits, digits[:8].upper()):
            assert {m["subject"] for m in show(connection, name)["thread"]} == {"one", "two"}, name
        for name in (digits[:7], "3", "x", "9" * 30, ""):
            with pytest.raises(Misconfigured, match="there is no message"):
                show(connection, name)


def test_what_was_disposed_of_leaves_lists_and_bits(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """Of a segment with words that few have, and that many have."""
    monkeypatch.setattr(search, "SEGMENT_MESSAGES", 70)
    deliver(engine, "ann", *(b"Subject: word%d\r\n\r\nhello\r\n" % n for n in range(70)))
    lists = "select sum(cardinality(places)) from search.posting"
    bits = "select sum(bit_count(holders)) from search.common"
    with engine.connect() as connection:
        assert search.fold(connection) == 70
        before = [connection.scalar(text(query)) for query in (lists, bits)]
        assert all(before)
        connection.commit()
        (gone,) = [row["message_id"] for row in search.find(connection, "word65", 9)]
        request = "insert into archive.disposition (message_id, basis, requested_by) values (:gone, 'case', 'ann')"
        connection.execute(text(request), {"gone": gone})
        connection.execute(text("select archive.approve_disposition(1)"))
        after = [connection.scalar(text(query)) for query in (lists, bits)]
        connection.commit()
        # Each message has as many terms.
        assert [70 * (b - a) for b, a in zip(before, after, strict=True)] == before
        assert search.find(connection, "word65", 9) == []
        found = [row["message_id"] for row in search.find(connection, "hello", 99)]
    assert found == [n for n in range(70, 0, -1) if n != gone]


def test_what_was_disposed_of_leaves_the_index(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """Its terms, which are left among those of others, are nobody's any more."""
    monkeypatch.setattr(search, "SEGMENT_MESSAGES", 2)
    deliver(engine, "ann", b"Subject: one\r\n\r\nhello\r\n", b"Subject: two\r\n\r\nhello\r\n")
    with engine.connect() as connection:
        assert search.fold(connection) == 2
        with connection.begin():
            connection.execute(
                text("insert into archive.disposition (message_id, basis, requested_by) values (1, 'case', 'ann')")
            )
            connection.execute(text("select archive.approve_disposition(1)"))
        assert connection.scalar(text("select array_remove(message_ids, null) from search.stretch")) == [2]
        connection.commit()
        assert [row["message_id"] for row in search.find(connection, "hello", 9)] == [2]


INSIDE = (
    b"From: Ann <ann@example.org>\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nsee\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.com>\r\nTo: hidden@example.com\r\n"
    b"Subject: Bridge toll\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nthe inner text\r\n--c\r\n"
    b"Content-Type: application/pdf; name=tariff.pdf\r\n\r\nx\r\n--c--\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    "query",
    ["bridge", '"bridge toll"', "zoe", "zoe@example.com", "tariff", "filename:tariff", "inner", "from:ann toll"],
)
def test_plain_words_find_what_is_in_a_message_inside(engine: Engine, query: str):
    """Its subject, sender, text and file names."""
    deliver(engine, "ann", INSIDE)
    assert [row["subject"] for row in find(engine, query)] == ["Fwd"]


@pytest.mark.parametrize(
    "query", ["from:zoe", "subject:bridge", 'subject:"bridge toll"', '"toll zoe tariff"', "-bridge"]
)
def test_fields_ask_for_the_outer_message(engine: Engine, query: str):
    """And what is excluded is excluded wherever it stands."""
    deliver(engine, "ann", INSIDE)
    assert find(engine, query) == []
