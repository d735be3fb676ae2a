"""The bodies as a reader sees them: plain text, or HTML made text."""

import html as entities
import re
from collections import Counter
from collections.abc import Sequence

from etl.mime import charsets, flowed
from etl.mime.composed import composed
from etl.mime.parts import Body
from etl.mime.rows import Defect, clean

# Lexbor takes quadratic time in the depth: 0.1 s for 5,000 open blocks, 10 s for 40,000. Pages nest some tens.
HTML_DEPTH_MAX = 3_000

_TAG = re.compile(r"<(/?)(?!(?:br|p|img|hr|input|meta|link)\b)([a-z][a-z0-9]{0,20})", re.I)
_ANY_TAG = re.compile(r"<[^<>]*+>")
# Lexbor compares each attribute of a tag with all before it: 0.1 s for 8,000 of them, minutes for a megabyte.
TAG_CHARACTERS_MAX = 32_000
_ATTRIBUTE = r"[^\s/>=][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>\"'][^\s>]*+)?+)?+"
_WHOLE_TAG = re.compile(rf"(<[a-zA-Z][^\s/>]*+)(?:[\s/=]++|{_ATTRIBUTE})*+>?+")

# Tags that stand inside a line, and short comments: without them, a word is not cut where its looks change.
_NAMES = "(?:[abiuABIU]|font|FONT|span|SPAN|strong|STRONG|em|EM|sub|SUB|sup|SUP)"
_VALUES = r"[^<>\"']*+(?:\"[^<\"]*+\"[^<>\"']*+|'[^<']*+'[^<>\"']*+)*+"
_INLINE = re.compile(rf"<(?:/?{_NAMES}(?:>|\s{_VALUES}>)|!--[^<>]{{0,200}}-->)")
# Where tags may stand in tags: all are stepped over one after the other, and what is not inline is kept.
_BETWEEN_INLINE = re.compile(rf"(?:{_INLINE.pattern})*+((?:<(?!/?{_NAMES}[\s>]|!--)[^>]*+>?|[^<]++)++|<[^>]*+>?|\Z)")
# What a page sets between letters to break words by, or to pad its preview: no reader sees it, and no word has it.
_UNSEEN = "\u00ad\u034f\u200b\u2060\ufeff"
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", re.I)
_META_OCTETS = 4096


def of_bodies(bodies: Sequence[Body], fallback: str | None, defects: list[Defect]) -> str:
    """All text in the order of the parts; of HTML and plain text offered as a choice, the plain text."""
    # What has a name is a file, and text only when there is nothing else to read.
    chosen = [body for body in bodies if not body.named] or bodies
    texts = [_decoded(body, fallback, defects).replace("\r\n", "\n") for body in chosen]
    plain = {b.alternative for b, text in zip(chosen, texts, strict=True) if not b.html and text.strip()}
    found = []
    for body, text in zip(chosen, texts, strict=True):
        if not body.html:
            found.append(flowed.joined(text, body.delsp) if body.flowed else text)
        elif body.alternative is None or body.alternative not in plain:
            found.append(html_text(text))
    return clean("\n".join(text for text in found if text.strip()))


def html_text(html: str) -> str:
    """The text of an HTML page, without scripts and styles: a line for each block and cell, or as the page has it."""
    if html.count("<") > HTML_DEPTH_MAX and _depth(html) > HTML_DEPTH_MAX:
        lines = entities.unescape(_ANY_TAG.sub("\n", html)).splitlines()
        return "\n".join(stripped for line in lines if (stripped := line.strip()))
    from selectolax.lexbor import LexborHTMLParser  # much mail has no HTML

    html = clean(html)
    if len(html) > TAG_CHARACTERS_MAX:  # no attribute is text
        html = _WHOLE_TAG.sub(lambda tag: tag[0] if len(tag[0]) < TAG_CHARACTERS_MAX else tag[1] + ">", html)
    regular = html.count("<") == html.count(">")
    flat = _INLINE.sub("", html) if regular else "".join(_BETWEEN_INLINE.findall(html))
    tree = LexborHTMLParser(flat)
    tree.strip_tags(["script", "style", "head"], recursive=True)
    return _tidied(tree.text(separator="\n", strip=True))


def _tidied(text: str) -> str:
    """Lines without blanks at their ends, no empty ones, and nothing that no reader sees."""
    if not text.isascii():
        text = text.replace("\xa0", " ")
        for unseen in _UNSEEN:
            text = text.replace(unseen, "")
    return "\n".join([stripped for line in text.split("\n") if (stripped := line.strip())])


def _depth(html: str) -> int:
    """How deep elements nest at most; never less than that, but more where end tags are left out."""
    open_elements: Counter[str] = Counter()
    depth = deepest = 0
    for end, name in _TAG.findall(html):
        name = name.lower()
        if not end:
            open_elements[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif open_elements[name]:
            open_elements[name] -= 1
            depth -= 1
    return deepest


def _decoded(body: Body, fallback: str | None, defects: list[Defect]) -> str:
    label = body.charset
    if body.html and charsets.codec(label) in (None, "ascii") and not body.content.isascii():
        meta = _META.search(body.content[:_META_OCTETS])
        label = meta[1].decode("ascii") if meta else label
    text, problem = charsets.decode(body.content, label, fallback)
    if problem:
        defects.append(Defect("charset", body.path, clean(problem)))
    if "\0" in text:
        defects.append(Defect("nul", body.path, "NUL in a text; shown as U+FFFD"))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # A byte order mark is a signature and no text (RFC 3629 section 6).
    return text if text.isascii() else composed(text.removeprefix("\ufeff"))
