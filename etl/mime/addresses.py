"""Addresses to compare by, and those of lists that no grammar takes.

`detours.addresses` asks mail-parser first; what it refuses is read here as a person would.
"""

import re

from etl.mime.composed import composed

# DNS allows 253 characters (RFC 1035 section 2.3.4); what is longer is no domain.
_DOMAIN_CHARACTERS_MAX = 253

# Name, address as written, name of the group.
Member = tuple[str, str, str]

# A quote or an angle that ends far away was never meant to; so the time stays linear.
_QUOTED = r"\"(?:[^\"\\]|\\.){0,250}+\""
_CLOSED = r"<[^<>]{0,500}+>|\([^()]{0,500}+\)"
_MEMBER = re.compile(rf"((?:{_QUOTED}|{_CLOSED}|[^,;])*+)([,;]|\Z)", re.DOTALL)
_MEMBER_WITHOUT_QUOTES = re.compile(rf"((?:{_CLOSED}|[^,;])*+)([,;]|\Z)", re.DOTALL)
_GROUP = re.compile(rf"\s*+({_QUOTED}|[^\"<>@:]*+):")
_ANGLE = re.compile(r"<+([^<>]*+)(?:>+|\Z)")
_WHOLE = re.compile(r"[^\s,;]++")
_BARE = re.compile(r"[^\s<>,;:\"()\[\]@]++(?:@[^\s<>,;:\"()@]++)++")
_COMMENT = re.compile(r"\s*+\(([^()]*+)\)")
_ROUTE = re.compile(r"@[^:]*+:")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def normalised(address: str) -> str:
    """The form in which an address is compared: lower case, and the domain as DNS has it (RFC 5890, A-labels).

    A-labels, because one domain comes in both forms, traces and DNS have this one, and in it a look-alike of
    other letters looks like nothing. What IDNA refuses is lower case and nothing more.
    """
    lower = address.lower()
    if lower.isascii():
        return lower
    mailbox, at, domain = lower.rpartition("@")
    return composed(mailbox) + at + _a_labels(domain)


def _a_labels(domain: str) -> str:
    if domain.isascii() or len(domain) > _DOMAIN_CHARACTERS_MAX:
        return domain
    import idna  # little mail has such domains

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return domain


def salvaged(text: str) -> list[Member]:
    """Who is named in an address list that is broken: its members between commas and semicolons.

    What stands in angles is the address and what is before it the name; without angles, what has an @. A member
    with neither is a name alone.
    """
    # With a quote that has no other, the quotes say nothing of where a member ends.
    split = _MEMBER_WITHOUT_QUOTES if _ESCAPED.sub("", text).count('"') % 2 else _MEMBER
    found: list[Member] = []
    group, empty = "", False
    for member in split.finditer(text):
        piece, end = member.groups()
        if opened := _GROUP.match(piece):
            # The link of a web form (RFC 6068) leaks into addresses, and is no group.
            group = "" if opened[1].strip().lower() == "mailto" else _name(opened[1])
            empty = bool(group)
            piece = piece[opened.end() :]
        people = _people(piece)
        found += [(name, address, group) for name, address in people]
        empty = empty and not people
        if end != "," and group:
            found += [("", "", group)] if empty else []
            group, empty = "", False
    return found


def _people(piece: str) -> list[tuple[str, str]]:
    angles = [angle for angle in _ANGLE.finditer(piece) if _WHOLE.fullmatch(_written(angle[1]))]
    specs = angles or ([] if "<" in piece else list(_BARE.finditer(piece)))
    if not specs:
        name = _name(piece.strip(" \t\r\n<>;,"))
        return [(name, "")] if name else []
    found = []
    at = 0
    for spec in specs:
        name, at = _name(piece[at : spec.start()]), spec.end()
        if comment := _COMMENT.match(piece, at):
            at = comment.end()
        found.append((name or _name(comment[1] if comment else ""), _written(spec[1] if angles else spec[0])))
    return found


def _written(address: str) -> str:
    """An address out of its angles: without quotes around it, a route (RFC 5322 section 4.4), the scheme of a link."""
    address = address.strip()
    if address.startswith('"') and address.endswith('"'):
        address = address.strip('"').strip()
    address = address[7:] if address[:7].lower() == "mailto:" else address
    return _ROUTE.sub("", address, count=1) if address.startswith("@") else address


def _name(text: str) -> str:
    text = text.strip(" \t\r\n\"'")
    return " ".join(_ESCAPED.sub(r"\1", text).split())
