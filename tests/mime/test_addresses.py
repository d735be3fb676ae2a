"""Addresses: one form to compare by, and what broken lists still say. Whole headers are among the goldens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.addresses import normalised, salvaged


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
        ("ann@\u0430pple.example", "ann@xn--pple-43d.example"),  # its first letter is Cyrillic
        ("Пётр@example.org", "пётр@example.org"),
        ("Zoë@example.org", "zoë@example.org"),  # e and a diaeresis, composed
        ("ann@" + "ü" * 300, "ann@" + "ü" * 300),
        ("ann@ü..example", "ann@ü..example"),
        ("ann", "ann"),
        ("", ""),
    ],
)
def test_one_form_to_compare_by(written: str, compared: str):
    """Lower case, and the domain as DNS has it where it can be a domain at all."""
    assert normalised(written) == compared


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Bob <bob@a.example", [("Bob", "bob@a.example", "")]),
        ("Bob Smith bob@a.example (x), c@a.example", [("Bob Smith", "bob@a.example", ""), ("", "c@a.example", "")]),
        ("b@a.example; c@a.example", [("", "b@a.example", ""), ("", "c@a.example", "")]),
        ("b@a.example c@a.example", [("", "b@a.example", ""), ("", "c@a.example", "")]),
        ('"B <b@a.example>; "C" <c@a.example>', [("B", "b@a.example", ""), ("C", "c@a.example", "")]),
        ("boss@a.example <b@a.example> x", [("boss@a.example", "b@a.example", "")]),
        ("G: b@a.example; c@a.example", [("", "b@a.example", "G"), ("", "c@a.example", "")]),
        ("G: H: b@a.example", [("H:", "b@a.example", "G")]),
        ("G:; H:", [("", "", "G"), ("", "", "H")]),
        ("mailto:b@a.example", [("", "b@a.example", "")]),
        ("<root>", [("", "root", "")]),
        ("Bob <3 soup", [("Bob <3 soup", "", "")]),
        (", ;<>", []),
    ],
)
def test_who_is_named_in_a_broken_list(text: str, people: list[tuple[str, str, str]]):
    """What a person makes of it: names, addresses, groups."""
    assert salvaged(text) == people


@given(st.text('ab@.<>()[],;:"\\ \u00fc', max_size=60))
def test_any_list_gives_people(text: str):
    """Nobody is named by nothing, and an address has no blanks."""
    for name, address, group in salvaged(text):
        assert name or address or group
        assert not any(between in address for between in " ,;<>")
    assert normalised(normalised(text)) == normalised(text)
