"""What a message is found by: its words as numbers, folded, split and hashed.

The same in SQL for queries (`search.folded`, `search.words`, `search.term`); tests hold the two together.
"""

import re
import struct
from functools import lru_cache
from unicodedata import normalize
from zlib import crc32

from etl.mime.addresses import normalised
from etl.mime.composed import overloaded
from etl.mime.rows import Reading

# Letters that differ from a plain one by more than a mark, and wide forms of Latin letters and digits: one for one,
# so that a place in folded text is the same place in the text.
_PLAIN = str.maketrans(
    "øłđıħŧς" + "".join(chr(c + 0xFEE0) for c in range(0x21, 0x7F)),
    "oldiht\u03c3" + "".join(map(chr, range(0x21, 0x7F))),
)
# What becomes two letters: in words only, so that folded text keeps its places.
_TWO = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
_MARK = re.compile("[\u0300-\u036f]")
_MAY_BEAR_MARKS = re.compile("[\u00c0-\u052f\u1e00-\u1fff]|[\u0300-\u036f]")
_SPELT_TWO = re.compile("[ßæœþ]")

# Between words: all but letters, digits and the marks on them. Ranges, not classes: those differ from one Unicode
# version to the next, and between Python and Postgres.
SEPARATORS = (
    "\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02c2-\u02df\u2000-\u2bff"
    "\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030-\u303f\u30fb\ue000-\uf8ff\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20"
    "\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff\U0001f000-\U0001faff"
)
# Scripts that put no blanks between words, or many particles behind them: pairs of neighbours are their words.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)

_WORD = re.compile(f"[^{SEPARATORS}{UNSPACED}]+|[{UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
# Of UTF-8: letters small, all that separates in ASCII a blank, the octets of other characters as they are.
_PIECES = bytes(c if c > 127 else ord(chr(c).lower()) if chr(c).isalnum() else 32 for c in range(256))


def folded(text: str) -> str:
    """The text in small letters without accents, as many characters as in NFC; `search.folded` in SQL."""
    if text.isascii():
        return text.lower()
    if _MAY_BEAR_MARKS.search(text) and not overloaded(text):
        text = normalize("NFC", _MARK.sub("", normalize("NFD", text)))
    return text.lower().translate(_PLAIN)


def words(text: str) -> set[bytes]:
    """The words of a text, and of unspaced scripts each character and each pair; in UTF-8."""
    found = set(text.encode().translate(_PIECES).split())
    if text.isascii():
        return found
    # Most of most mail is ASCII: only the pieces that are not go the long way.
    others = {piece for piece in found if not piece.isascii()}
    found -= others
    for run in set(_WORD.findall(folded(b" ".join(others).decode()))):
        if _IS_UNSPACED.match(run):
            found.update(map(str.encode, run), map(_pair, run, run[1:]))
        else:
            found.add(_SPELT_TWO.sub(lambda letter: _TWO[letter[0]], run).encode())
    return found


def _pair(first: str, second: str) -> bytes:
    return (first + second).encode()


def of(reading: Reading) -> bytes:
    """The terms of a message, 4 octets each: each word; behind ^ in its head; behind a field's name."""
    terms = set(map(crc32, words(reading.text)))
    terms.update(_of_field(b"subject:", reading.subject or ""))
    for p in reading.participants:
        if field := _FIELDS.get(p.role):
            of_person = _of_person_again if len(p.name) + len(p.address) < 200 else _of_person
            terms.update(of_person(field, p.name, p.address))
    attachments = [part.filename or "" for part in reading.parts if part.attachment]
    if attachments:
        terms.add(crc32(b"has:attachment"))
        terms.update(_of_field(b"filename:", " ".join(attachments)))
    for n in reading.nested:  # by plain words; a field's name asks for the outer message's
        terms.update(_of_field(b"", f"{n.subject or ''} {n.from_name or ''} {n.from_address or ''}"))
    return struct.pack(f">{len(terms)}I", *terms)


def _of_field(field: bytes, text: str) -> list[int]:
    return [crc32(before + word) for word in words(text) for before in (b"", b"^", field)]


def _of_person(field: bytes, name: str, address: str) -> list[int]:
    # As written, and as everything else shows it.
    forms = {address.lower(), normalised(address)}
    return [*_of_field(field, f"{name} {address}"), *(crc32(field + form.encode()) for form in forms)]


# The same few people come again and again.
_of_person_again = lru_cache(maxsize=4096)(_of_person)

_FIELDS = {"from": b"from:", "sender": b"from:", "to": b"to:", "cc": b"cc:", "bcc": b"bcc:"}
