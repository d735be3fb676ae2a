"""Every golden gives the rows that were written for it by hand."""

import pytest

from etl.mime.reading import read
from tests.mime.golden import Golden, expected, found, goldens, octets

GOLDENS = list(goldens())


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_golden(golden: Golden):
    """The message gives these rows, and each defect lies where the golden says."""
    assert found(golden) == expected(golden), f"{golden.nasty} {golden.decides}"
    placed = [told for told in golden.rows.get("defects", []) if isinstance(told[-1], str) and len(told) > 2]
    told = {(kind, place, golden.raw.index(octets(at))) for kind, place, at in placed}
    assert told <= {(defect.kind, defect.place, defect.offset) for defect in read(golden.raw).defects}


def test_there_are_enough():
    """A hundred at least, each with a message of its own."""
    assert len({golden.raw for golden in GOLDENS}) == len(GOLDENS) >= 100
