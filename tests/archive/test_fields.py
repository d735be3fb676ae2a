"""The fields of a head, read alike by Python and by SQL."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.archive.fields import fields, told
from etl.mime.reading import read

HEADS = [
    "A: b\n\n",
    "A: b\nA: c\n\n",
    "A:b\n  folded\n\tagain \nB:\n\n",
    "no colon\n\n",
    "\n\n",
    "A: b\n\x0bc: d\n\n",
    "A: \u2028b\x85c\n\n",
    ": x\n\n",
    "A : b:c \t\n\n",
]


@pytest.mark.parametrize("head", HEADS)
def test_sql_reads_as_python_does(engine: Engine, head: str):
    """Or analysts would see other headers than the parser read."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("select name, value from archive.fields(:head) order by position"), {"head": head}
        )
        assert [tuple(row) for row in rows] == fields(head)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.text(st.sampled_from("aB:ü \t\n\x0b\u2028"), max_size=60), min_size=1, max_size=40))
def test_sql_reads_any_head_as_python_does(engine: Engine, heads: list[str]):
    """Blanks, folds and colons in any order."""
    query = text("""
        select h.n, f.name, f.value
        from unnest(cast(:heads as text[])) with ordinality as h (head, n), archive.fields(h.head) f
        order by h.n, f.position
    """)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query, {"heads": heads})]
    assert rows == [(n, *field) for n, head in enumerate(heads, start=1) for field in fields(head)]


PLAIN = st.lists(
    st.tuples(st.text("aB-", min_size=1, max_size=3), st.text("bC :\t=?(", max_size=8), st.booleans()), min_size=1
)


@given(PLAIN)
def test_a_plain_head_reads_as_written(parts: list[tuple[str, str, bool]]):
    """The short way says what the long way would."""
    head = (
        "".join(f"{' ' if fold and i else name + ':'}{value}\n" for i, (name, value, fold) in enumerate(parts)) + "\n"
    )
    if told(read(head.replace("\n", "\r\n").encode()), head) == (None, None):
        assert fields(head) == read(head.replace("\n", "\r\n").encode()).headers


def test_what_reads_as_written_is_not_stored_again():
    """Of an encoded subject its text, by its place; of a head that Python's parser splits otherwise, all."""
    head = "From: ann@example.org\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n"
    assert told(read(head.replace("\n", "\r\n").encode()), head) == (None, {"2": "Grüße"})
    assert told(read(b"From: ann@example.org\r\n\r\n"), "From: ann@example.org\n\n") == (None, None)
    odd = "From: ann@example.org\nthis is no header\nSubject: x\n\n"
    assert told(read(odd.replace("\n", "\r\n").encode()), odd) == ([("From", "ann@example.org")], None)
    assert told(read(b"Subject: x\r\n\r\n"), None) == ([("Subject", "x")], None)
