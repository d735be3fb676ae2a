"""The canonical hash: what it forgives, and what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime import canonical
from etl.mime.canonical import Canonical, canonical_sha256
from etl.mime.large import LargeReader, read_large
from etl.mime.reading import read

MAIL = b"From: ann@example.org\r\nSubject: the bill\r\n of March\r\n\r\nDear Bob,\r\n\r\nhere it is.\r\n"


@pytest.mark.parametrize(
    "copy",
    [
        MAIL.replace(b"\r\n", b"\n"),
        MAIL.replace(b"\r\n", b"\r"),
        MAIL.rstrip(b"\r\n"),
        MAIL + b"\r\n\r\n",
        b"Received: from a by b;\r\n Tue, 3 Mar 2026 09:30:00 +0000\r\n" + MAIL,
        b"From ann Tue Mar  3 09:30:00 2026\nReturn-Path: <ann@example.org>\nDelivered-To: bob\n" + MAIL,
        MAIL.replace(b"\r\n\r\nDear", b"\r\nX-UIDL: 17\r\nStatus: RO\r\n\r\nDear"),
        MAIL.replace(b"\r\n of", b" of"),
        MAIL.replace(b"\r\n of", b"\r\n\tof"),
    ],
)
def test_copies_that_came_another_way_are_alike(copy: bytes):
    """Line ends, the newline at the end, folds, trace, delivery, and the marks of a mail store."""
    assert canonical_sha256(copy) == canonical_sha256(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"bill", b"bell"),
        MAIL.replace(b"here it is", b"here  it is"),
        MAIL.replace(b"Dear Bob,\r\n\r\n", b"Dear Bob,\r\n"),
        MAIL.replace(b"Subject", b"X-Received-By: c\r\nSubject"),
        MAIL.replace(b"\r\n\r\nDear", b"\r\nDear"),
        MAIL + b"Received: in the body\r\n",
        b"",
        b"\r\n" + MAIL,
    ],
)
def test_other_mail_is_not(other: bytes):
    """A word, a line, a header of the sender's."""
    assert canonical_sha256(other) != canonical_sha256(MAIL)


PIECES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"Received: x", b" y", b"B: c", b"Lines:"]), max_size=40
)


@given(PIECES, st.integers(1, 7))
def test_it_does_not_matter_how_a_message_is_cut(pieces: list[bytes], octets: int):
    """Between CR and LF, in a field, behind the head, in a head of any length."""
    raw = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "HEAD_OCTETS_MAX", 50)
        cut = Canonical()
        for start in range(0, len(raw), octets):
            cut.feed(raw[start : start + octets])
        assert cut.close() == canonical_sha256(raw)


def test_a_large_message_has_the_hash_of_all_its_bytes():
    """And not of the skeleton that the parser sees."""
    raw = MAIL + b"0123456789\r\n" * 100_000
    reader = LargeReader()
    reader.feed(raw)
    assert read_large(reader.close()).canonical_sha256 == canonical_sha256(raw) == read(raw).canonical_sha256
