"""Lines that a mailer broke, joined again (format=flowed, RFC 3676).

No library: formatflowed, the only one, had its last release in November 2016.
"""

_SIGNATURE = "-- "


def joined(text: str, delsp: bool) -> str:
    """The text with a line for each paragraph. delsp: whether the blank that marks a soft break is to go too."""
    if " \n" not in text:  # nothing is broken; a blank that stuffs a line may stay
        return text
    text, last = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    lines: list[str] = []
    paragraph: list[str] = []
    open_depth = 0
    for line in text.split("\n"):
        depth, content = _unquoted(line)
        if paragraph and (depth != open_depth or content == _SIGNATURE):
            lines.append(_quoted(open_depth, paragraph))
            paragraph = []
        open_depth = depth
        soft = content.endswith(" ") and content != _SIGNATURE
        paragraph.append(content[:-1] if soft and delsp else content)
        if not soft:
            lines.append(_quoted(depth, paragraph))
            paragraph = []
    if paragraph:
        lines.append(_quoted(open_depth, paragraph))
    return "\n".join(lines) + last


def _unquoted(line: str) -> tuple[int, str]:
    """How deep a line is quoted, and what it says without the blank that stuffs it (section 4.4)."""
    content = line.lstrip(">") if line.startswith(">") else line
    return len(line) - len(content), content.removeprefix(" ")


def _quoted(depth: int, paragraph: list[str]) -> str:
    content = "".join(paragraph)
    return ">" * depth + (" " if depth and content else "") + content
