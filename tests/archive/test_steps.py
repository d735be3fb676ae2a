"""Small messages as the steps that give them again, each text in one place."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.archive import recipe, steps
from etl.archive.rows import Blocks, Kept
from etl.archive.steps import Steps, given_back
from etl.mime.reading import read
from etl.parsing import Job, answer

HEAD = b"From: ann@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
BODY = b"The frame is ready, and so is the bill.\r\n" * 5


def made(raw: bytes) -> Steps:
    """The steps of a message, which must give its bytes."""
    result = steps.steps(1, raw, read(raw))
    assert given_back(result) == raw
    return result


def test_a_plain_letter_is_text_alone():
    """Head and body are kept as text, and nothing is kept beside them."""
    result = made(HEAD + b"\r\n" + BODY)
    assert result.head == (HEAD + b"\r\n").decode().replace("\r\n", "\n")
    assert [(s.text, s.content) for s in result.segments] == [(BODY.decode().replace("\r\n", "\n"), None)]


def test_the_text_of_one_part_among_others_is_kept_as_text():
    """What stands around it is literal."""
    page = b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n"
    result = made(HEAD + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n" + BODY + page)
    assert [s.text is not None for s in result.segments] == [False, True, False]


def test_a_body_in_another_charset_is_literal():
    """Its bytes are not those of the text."""
    result = made(HEAD + b"Content-Type: text/plain; charset=latin-1\r\n\r\n" + b"Stra\xdfe\r\n" * 50)
    assert [(s.text, s.content is not None) for s in result.segments] == [(None, True)]


@pytest.mark.parametrize(
    "head", [b"Subject: caf\xe9\r\n", b"Subject: a\nTo: b\r\n", b"Subject: \0\r\n", b"A: \r b\r\n"]
)
def test_a_head_that_is_no_text_is_literal(head: bytes):
    """Other octets than UTF-8, line ends other than CRLF, NUL: Postgres could not give them back."""
    assert made(head + b"\r\n" + BODY).head is None


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\n\r\n", b"no head at all", b"Subject: x\r\n", b"\r\n\r\n" + BODY])
def test_odd_messages_are_given_back(raw: bytes):
    """Nothing, blank lines, no body."""
    made(raw)


def test_an_attachment_becomes_a_blob(monkeypatch: pytest.MonkeyPatch):
    """Decoded, with the shape that its base64 had; in the order of the message."""
    content = bytes(range(256)) * 8
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    part = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
    result = made(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part % encoded * 2 + b"--b--\r\n")
    assert [blob.content for blob in result.blobs] == [content, content]
    monkeypatch.setattr(recipe, "BLOB_OCTETS_MIN", 10_000)
    assert made(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded).blobs == []


def test_a_mistake_in_the_steps_does_not_cost_the_message(monkeypatch: pytest.MonkeyPatch):
    """Where they would give other bytes, the message is kept as it is."""
    monkeypatch.setattr(steps, "plain", lambda octets: "something else")
    raw = HEAD + b"\r\n" + BODY
    result = steps.steps(1, raw, read(raw))
    assert (result.head, [s.content for s in result.segments]) == (None, [raw])


def test_read_again_it_gives_the_same_rows():
    """What the bytes say as text is stored no second time, at first and ever after."""
    raw = HEAD + b"\r\n" + BODY
    (first,) = answer([Job(1, raw)])
    result = made(raw)
    (again,) = answer([Job(1, raw, kept=Kept(result.head, result.text))])
    assert again == Blocks(first.read, [], [b"", b""])
    assert b"bill" not in b"".join(first.read)


LINES = st.lists(
    st.sampled_from([b"", b"a: b", b" c", b"\xff", b"=?utf-8?q?=C3=BC?=", b"--b", b"\0", b"x" * 200, b"\r"])
)


@given(LINES, LINES, st.sampled_from([b"\r\n", b"\n"]), st.binary(max_size=400), st.booleans())
def test_any_message_is_given_back(head: list[bytes], body: list[bytes], end: bytes, content: bytes, encoded: bool):
    """Whatever the lines and their ends."""
    mime = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n"
    rest = base64.encodebytes(content * 10).replace(b"\n", end) if encoded else content
    made((mime if encoded else b"") + end.join(head) + b"\r\n\r\n" + end.join(body) + rest)
