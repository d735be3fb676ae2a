"""The text that a reader sees: of HTML, and of lines that a mailer broke."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.mime.flowed import joined
from etl.mime.reading import read
from etl.mime.text import html_text
from tests.mime.mail import mail


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one\n   two three<p>four", "one\ntwo three\nfour"),
        ("<p>re<b>mo</b>ve me<br>now", "remove me\nnow"),
        ('see <a href="x">this</a>, or <FONT size=2\ncolor=red>that</FONT>.', "see this, or that."),
        ("via<!-- x -->gra", "viagra"),
        ("<table><tr><td>a<td>b<tr><td>&nbsp;<td>c</table>", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<pre>a\n  b\n</pre>", "a\nb"),
        ("caf&eacute; &amp; &#x4f60;&#22909;&hellip;", "café & 你好…"),
        ("Donau&shy;dampf&#8203;schiff", "Donaudampfschiff"),
        ("a&nbsp;b<p>&nbsp;", "a b"),
        ("<head><title>t</title><style>p{}</style></head><script>if (a<b) x()</script>seen", "seen"),
        ('<a title="1 > 0">sum</a>med', "summed"),
        ('<img alt="<b>"><p>kept', "kept"),
        ('<p title="not closed <b>x</b>">seen', "seen"),
        ("<<font size=2>kept</font>", "<\nkept"),
        ('<font face="x" <b>kept</b> too', "kept too"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ],
)
def test_pages(html: str, text: str):
    """A line for each block and cell; words are whole, whatever stands in them; nothing that is seen is lost."""
    assert html_text(html) == text


@given(st.lists(st.sampled_from(["<p>", "<b>", "</b>", "<a x='", "'>", "<!--", "-->", "<td>", "<", ">", "w", "&"])))
def test_no_page_raises(pieces: list[str]):
    """Tags in any order."""
    html_text("".join(pieces))


@pytest.mark.parametrize(
    "html",
    [
        "<a '" * 2900 + "x" * 10**6,
        '<a "' * 250_000,
        "<!--" * 250_000,
        "<" * 10**6,
        "\xa0 " * 500_000,
        "<b><i>" * 150_000,
        "<a><b>" * 1400 + "<" + "x" * 10**6,
        "<div " + " ".join(f"a{i}='>'" for i in range(100_000)) + ">x",
    ],
)
def test_no_page_takes_long(html: str):
    """Time grows with the size."""
    started = time.process_time()
    html_text(html)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("one \ntwo\nthree\n", "one two\nthree\n"),
        ("> one \n> two\n>> deep \n> shallow", "> one two\n>> deep \n> shallow"),
        (" From here \non\n >stuffed \n", "From here on\n>stuffed \n"),
        ("text \n-- \nAnn \nB\n", "text \n-- \nAnn B\n"),
        (">\n> x \n", ">\n> x \n"),
        ("end \n", "end \n"),
        ("as\n it\n is\n", "as\n it\n is\n"),
    ],
)
def test_flowed_lines_are_joined(text: str, whole: str):
    """RFC 3676: by a blank at the end, within one depth of quotation, and never into a signature."""
    assert joined(text, delsp=False) == whole


def test_the_blank_goes_where_the_mailer_says_so():
    """DelSp: scripts without blanks between words, and addresses that were broken."""
    headers = "Content-Type: text/plain; charset=utf-8; Format=Flowed; DelSp=Yes", "Content-Transfer-Encoding: 8bit"
    raw = mail(*headers, body="こんに \r\nちは\r\nhttps://example.org/ \r\npage\r\n".encode())
    assert read(raw).text == "こんにちは\nhttps://example.org/page\n"


def test_lines_that_are_not_flowed_stay():
    """A blank at a line's end means nothing there; nor in HTML."""
    assert read(mail("Content-Type: text/plain", body=b"one \r\ntwo\r\n")).text == "one \ntwo\n"
    assert read(mail("Content-Type: text/plain; format=fixed", body=b"one \r\ntwo\r\n")).text == "one \ntwo\n"


@given(st.text("> a\n-", max_size=60), st.booleans())
def test_joining_loses_no_word(text: str, delsp: bool):
    """Only blanks and line ends come and go, and the marks of quotation before them."""
    assert joined(text, delsp).replace(" ", "").replace("\n", "").replace(">", "") == text.replace(" ", "").replace(
        "\n", ""
    ).replace(">", "")
