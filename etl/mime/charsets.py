"""Octets to text, whatever the label says.

A label is tried first; where it cannot be right, what is known to hide behind it (the superset that
browsers use, windows-1252 for latin-1, UTF-8 for anything); octets that nothing fits give U+FFFD.
"""

import codecs
import re
from functools import lru_cache

# What decodes where the label fails; or, for latin-1, where it would give control characters.
# WHATWG's Encoding standard reads these labels alike.
_SUPERSETS = {
    "iso8859-1": ["cp1252"],
    "iso8859-9": ["cp1254"],
    "iso8859-11": ["cp874"],
    "tis-620": ["cp874"],
    "gb2312": ["gb18030"],
    "gbk": ["gb18030"],
    "hz": ["gb18030"],
    "big5": ["cp950", "big5hkscs"],
    "cp950": ["big5hkscs"],
    "euc_kr": ["cp949"],
    "shift_jis": ["cp932", "shift_jis_2004"],
    "cp932": ["shift_jis_2004"],
    "euc_jp": ["euc_jis_2004"],
    "iso2022_jp": ["iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_3"],
    "iso2022_kr": ["cp949"],
    "iso8859-8": ["cp1255"],
}

# Labels of mail that Python does not know.
_ALIASES = {
    "x-gbk": "gbk",
    "gb_2312-80": "gb2312",
    "euc-cn": "gb2312",
    "chinesebig5": "big5",
    "cn-big5": "big5",
    "x-big5": "big5",
    "x-x-big5": "big5",
    "ks_c_5601": "cp949",
    "windows-949": "cp949",
    "x-windows-949": "cp949",
    "windows-31j": "cp932",
    "x-sjis": "shift_jis",
    "x-euc-jp": "euc_jp",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "unicode-1-1-utf-7": "utf-7",
    "x-unicode-2-0-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-utf-8": "utf-8",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "win-1251": "cp1251",
    "koi8-ru": "koi8_u",
}

# Codecs of Python that are no charset of anybody's mail; some take quadratic time.
_NO_CHARSETS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}

_STATEFUL = ("iso2022", "hz", "utf-7", "utf-16", "utf-32", "cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500")

_WIDE = ("utf-16", "utf-32")

_LATIN = {"ascii", "iso8859-1", "cp1252"}
_C1_CONTROLS = re.compile(rb"[\x80-\x9f]")
_CESU = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JIS_X_0208 = re.compile(rb"\x1b\$[@B]([^\x1b]*)")


def decode(octets: bytes, label: str | None, fallback: str | None = None) -> tuple[str, str]:
    """The text, and what was wrong with the label ("" when nothing).

    fallback: the charset that the rest of the message speaks, for octets without a usable label.
    """
    name = codec(label)
    if octets.isascii() and not (name and name.startswith(_STATEFUL)):
        return octets.decode("ascii"), ""
    if name and name.startswith(_WIDE) and octets.isascii() and b"\0" not in octets:
        return octets.decode("ascii"), f"{label} is ASCII"  # two by two it would be Chinese at random
    if name in _LATIN and (text := _utf8(octets)) is not None:
        return text, f"{label} is UTF-8"
    if name and (text := _strict(octets, name)) is not None:
        return text, ""
    for superset in _SUPERSETS.get(name, []) if name else []:
        if (text := _strict(octets, superset)) is not None:
            return text, "" if superset == "cp1252" and name == "iso8859-1" else f"{label} is {superset}"
    if name and name not in _LATIN and name != "utf-8":
        return _damaged(octets, label, name)
    if name == "utf-8" and (text := _damaged_utf8(octets, damage_max=1)):
        return text, "damaged utf-8"
    text, guessed = guess(octets, fallback)
    return text, f"{label or 'no charset'}, read as {guessed}"


def guess(octets: bytes, fallback: str | None = None) -> tuple[str, str]:
    """The text of octets without a label, and the charset they seem to be in."""
    if (text := _utf8(octets)) is not None:
        return text, "utf-8"
    name = codec(fallback)
    if name and name not in _LATIN and name != "utf-8":
        for candidate in [name, *_SUPERSETS.get(name, [])]:
            if (text := _strict(octets, candidate)) is not None:
                return text, candidate
    if text := _damaged_utf8(octets, damage_max=1 / 6):  # other charsets give UTF-8 by chance only
        return text, "damaged utf-8"
    try:
        return octets.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return octets.decode("latin-1"), "latin-1"


@lru_cache(maxsize=256)
def codec(label: str | None) -> str | None:
    """Python's name of a charset, or None where the label is unknown."""
    label = (label or "").split("*", 1)[0].strip(" \t\"'").lower()[:60]
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
        "".encode(name)  # raises for what is a codec of Python and no charset, like rot13
    except (LookupError, UnicodeError, ValueError):
        return None
    return None if name.replace("_", "-") in _NO_CHARSETS else name


def _utf8(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def _damaged_utf8(octets: bytes, damage_max: float) -> str | None:
    """UTF-8 that is cut or spoilt in some places, for so many that are not."""
    # Pairs of surrogates in UTF-8 (CESU-8, Unicode TR 26) are the characters that they mean; one alone is spoilt.
    text = octets.decode("utf-8", "popvault.surrogates")
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    damage = text.count("\N{REPLACEMENT CHARACTER}")
    whole = len(text) - len(text.encode("ascii", "ignore")) - damage
    return text if damage <= whole * damage_max else None


def _surrogate(error: UnicodeError) -> tuple[str, int]:
    """What UTF-8 forbids: three octets that are a surrogate as one, else what is no character as U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)
    octets = error.object[error.start : error.start + 3]
    if _CESU.fullmatch(octets):
        return octets.decode("utf-8", "surrogatepass"), error.start + 3
    return "\N{REPLACEMENT CHARACTER}", error.end


codecs.register_error("popvault.surrogates", _surrogate)


def _strict(octets: bytes, name: str) -> str | None:
    if name == "iso8859-1" and _C1_CONTROLS.search(octets):
        return None
    try:
        text = octets.decode(name)
        text.encode()  # UTF-7 and UTF-16 can make lone surrogates
    except (LookupError, UnicodeError):
        return None
    return text


def _damaged(octets: bytes, label: str | None, name: str) -> tuple[str, str]:
    """Octets that their own charset does not take: cut, spoilt, or UTF-8 after all."""
    if not octets.isascii() and (text := _utf8(octets)) is not None:
        return text, f"{label} is UTF-8"
    if name == "iso2022_jp":
        # Rows that only vendors know: the same code points lie in EUC.
        octets = _JIS_X_0208.sub(lambda run: bytes(b | 0x80 if 0x21 <= b <= 0x7E else b for b in run[1]), octets)
        return octets.replace(b"\x1b(B", b"").replace(b"\x1b(J", b"").decode("euc_jis_2004", "replace"), f"bad {label}"
    return octets.decode(_SUPERSETS.get(name, [name])[0], "replace"), f"bad {label}"
