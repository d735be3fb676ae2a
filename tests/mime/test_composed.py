"""Composed text, whatever the marks."""

import pytest

from etl.mime import terms
from etl.mime.composed import MARKS_MAX, composed
from etl.mime.reading import read

FLOOD = "a" + "\u0300\u0323" * 120_000


def test_marks_are_composed_in_order():
    """A letter with what people write on it."""
    assert composed("e\u0301 a\u0302\u0301 \u05d0\u05b7\u05bc") == "é ấ \u05d0\u05b7\u05bc"
    assert composed("a" + "\u0301" * (MARKS_MAX - 1))[0] == "á"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + FLOOD.encode() + b"\r\n",
        b"Subject: " + FLOOD.encode() + b"\r\nFrom: " + FLOOD.encode() + b"@example.org\r\n\r\n",
        b"Content-Type: application/pdf; name*=utf-8''" + FLOOD.encode().hex("%").encode() + b"\r\n\r\nx",
    ],
)
def test_a_flood_of_marks_takes_no_more_time_than_other_text(raw: bytes):
    """Normalization is quadratic in the marks on a letter; such text stays as it is."""
    terms.of(read(raw))
