"""File names that are safe as paths, on every system.

No library: pathvalidate 3.3, the best kept, lets "..", the empty name, "NUL .txt" and characters that turn the
direction of text pass, drops the extension where it shortens, and raises on surrogates.
"""

import re
from unicodedata import category, normalize

# File systems take 255 octets; an export may put a number before a name.
NAME_OCTETS_MAX = 200
_EXTENSION_OCTETS_MAX = 20

# Names that nearly all files have.
_SAFE = re.compile(r"[A-Za-z0-9_(\[](?:[A-Za-z0-9_()\[\],+=@#%&'! -]|\.(?!\.)){0,98}[A-Za-z0-9_)\]]")
# Separators, what Windows forbids, and what its old programs take for separators.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\uff0f\uff3c\uff1a\u2044\u2215\u2216]')
# Windows opens a device by such a name, whatever the extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|\Z)", re.I)

_EXTENSIONS = {
    "application/ms-tnef": ".dat",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/zip": ".zip",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
}


def safe(filename: str | None, path: str, content_type: str) -> str:
    """A name without separators, controls or tricks of direction, that no system takes for a device; never empty.

    Two files of a message may have the same one. One without a name is called by its path and type.
    """
    if filename and _SAFE.fullmatch(filename) and not _DEVICE.match(filename):
        return filename
    kept = "".join(map(_kept, normalize("NFC", (filename or "")[:1000])))
    name = " ".join(_FORBIDDEN.sub("_", kept).split()).rstrip(". ")
    if not name:
        return f"part-{path.replace('/', '-')}{_EXTENSIONS.get(content_type, '')}"
    # Hidden files, options of programs, devices.
    if name[0] in ".-" or _DEVICE.match(name):
        name = "_" + name
    return _shortened(name)


def _kept(character: str) -> str:
    """The character, a blank for what ends a line, nothing for controls and for what cannot be seen."""
    kind = category(character)
    if kind in ("Zl", "Zp") or character in "\r\n\t":
        return " "
    return "" if kind in ("Cc", "Cf", "Cs", "Cn", "Co") else character


def _shortened(name: str) -> str:
    """The name within its limit, its extension kept."""
    if len(name.encode()) <= NAME_OCTETS_MAX:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _EXTENSION_OCTETS_MAX:
        stem, dot, extension = name, "", ""
    room = NAME_OCTETS_MAX - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + extension
