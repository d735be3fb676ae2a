"""The body as a reader sees it: plain text, or HTML made text."""

from email.message import Message

from selectolax.lexbor import LexborHTMLParser

from etl.mime.parts import decoded_content, walk
from etl.mime.rows import clean


def of_bodies(plain: list[str], html: list[str]) -> str:
    """The plain bodies, or the HTML bodies as text where there is no plain one."""
    text = "\n".join(body for body in plain if body.strip())
    if not text:
        text = "\n".join(html_text(body) for body in html)
    return clean(text.replace("\r\n", "\n"))


def html_text(html: str) -> str:
    """The text of an HTML page, without scripts and styles; blocks stand on lines of their own."""
    tree = LexborHTMLParser(clean(html))
    tree.strip_tags(["script", "style", "head"], recursive=True)
    return tree.text(separator="\n", strip=True)


def of_message(message: Message) -> str:
    """The text of a message that mail-parser could not take: its text leaves, decoded by us."""
    plain: list[str] = []
    html: list[str] = []
    for _, part in walk(message):
        if part.is_multipart() or part.get_content_maintype() != "text" or part.get_filename():
            continue
        bodies = html if part.get_content_subtype() == "html" else plain
        bodies.append(_decode(decoded_content(part), part))
    return of_bodies(plain, html)


def _decode(content: bytes, part: Message) -> str:
    try:
        return content.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeError):
        return content.decode("utf-8", "replace")
