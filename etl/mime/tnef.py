"""TNEF, Outlook's winmail.dat: bytes in, files and text out (MS-OXTNEF, MS-OXCMSG, MS-OXPROPS).

Our own reader, for there is no library to trust: tnefparse, the only one, had its last release in January 2021; 29
octets that claim four billion properties keep it busy for hours, and it copies all that follows for every attribute.
This one reads what belongs to files, and what messages say, in one pass, and whatever a length claims, it goes forward
or stops.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SIGNATURE = b"\x78\x9f\x3e\x22"
# Messages in messages; Outlook shows some three.
DEPTH_MAX = 8

_ATTRIBUTE = struct.Struct("<BII")  # level, id, length; a checksum of two octets follows the data
_CHECKSUM_OCTETS = 2
_U32 = struct.Struct("<I")
_PROPERTY = struct.Struct("<HH")  # type, id

_ATTACH_REND_DATA = 0x00069002  # begins a file
_ATTACH_TITLE = 0x00018010
_ATTACH_DATA = 0x0006800F
_ATTACHMENT = 0x00069005  # the file's properties
_OEM_CODEPAGE = 0x00069007
_BODY = 0x0002800C
_MESSAGE_PROPERTIES = 0x00069003

_DISPLAY_NAME = 0x3001
_DATA = 0x3701
_FILENAME = 0x3704
_LONG_FILENAME = 0x3707
_MIME_TAG = 0x370E
_CONTENT_ID = 0x3712
_PLAIN_TEXT = 0x1000
_RTF = 0x1009  # compressed
_HTML = 0x1013
_READ = {
    *(_DISPLAY_NAME, _DATA, _FILENAME, _LONG_FILENAME, _MIME_TAG, _CONTENT_ID),
    *(_PLAIN_TEXT, _RTF, _HTML),
}

_MULTIPLE = 0x1000
_NAMED_MIN = 0x8000
_STRING8, _UNICODE, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0x0D
_VARIABLE = (_STRING8, _UNICODE, _BINARY, _OBJECT)
_FIXED_OCTETS = {1: 0, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
# What an embedded object begins with when it is a message (IID_IMessage), a TNEF stream itself.
_MESSAGE = b"\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"
# And when it is another program's document (IID_IStorage), an OLE file.
_STORAGE = b"\x0b\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"


class BrokenTnef(Exception):
    """The stream does not go on as it should; what was read before is good."""


@dataclass(slots=True)
class File:
    """One file. names: by property, as octets or text; inside: the files of a message that is a file."""

    names: dict[int, bytes | str] = field(default_factory=dict)
    content: bytes = b""
    inside: "list[File]" = field(default_factory=list)
    is_message: bool = False

    def first(self, *properties: int) -> bytes | str | None:
        """The first of these that the file has."""
        return next((self.names[p] for p in properties if self.names.get(p)), None)

    @property
    def name(self) -> bytes | str | None:
        """Its name, the longest form first."""
        return self.first(_LONG_FILENAME, _ATTACH_TITLE, _FILENAME, _DISPLAY_NAME)

    @property
    def content_type(self) -> bytes | str | None:
        """Its type as Outlook declares it."""
        return self.first(_MIME_TAG)

    @property
    def content_id(self) -> bytes | str | None:
        """What a page shows it by."""
        return self.first(_CONTENT_ID)


@dataclass(slots=True)
class Text:
    """What a message in a stream says, each form as octets or text; only_rtf: in a form that is not read.

    depth: 1 for the message that the stream is, more for those inside.
    """

    depth: int
    plain: bytes | str = b""
    html: bytes | str = b""
    only_rtf: bool = False


@dataclass(slots=True)
class Opened:
    """A stream's files; how many, those inside of others counted; the code page of its octets; what was wrong."""

    files: list[File] = field(default_factory=list)
    count: int = 0
    texts: list[Text] = field(default_factory=list)
    codepage: int | None = None
    problems: list[str] = field(default_factory=list)


def open_stream(data: bytes, files_max: int) -> Opened:
    """The files of a stream, so many at most. Never raises."""
    opened = Opened()
    opened.files = _files(data, opened, 1, files_max)
    return opened


def _files(data: bytes, opened: Opened, depth: int, files_max: int) -> list[File]:
    files: list[File] = []
    text = Text(depth)
    try:
        for kind, content in _attributes(data):
            if kind == _ATTACH_REND_DATA:
                if opened.count == files_max:
                    raise BrokenTnef("too many files; those behind are not listed")
                opened.count += 1
                files.append(File())
            elif kind == _OEM_CODEPAGE and len(content) >= 4 and opened.codepage is None:
                opened.codepage = _U32.unpack_from(content)[0]
            elif kind == _BODY:
                text.plain = content.partition(b"\0")[0]
            elif kind == _MESSAGE_PROPERTIES:
                _take_text(text, content, opened)
            elif files:
                _take(files[-1], kind, content, opened, depth, files_max)
    except BrokenTnef as broken:
        opened.problems.append(str(broken))
    if text.plain or text.html or text.only_rtf:
        opened.texts.append(text)
    return files


def _take_text(text: Text, content: bytes, opened: Opened) -> None:
    rtf = False
    try:
        for identifier, value in _properties(content):
            if identifier == _PLAIN_TEXT:
                text.plain = value or text.plain
            elif identifier == _HTML:
                text.html = value.partition(b"\0")[0] if isinstance(value, bytes) else value
            rtf = rtf or identifier == _RTF
    except BrokenTnef as broken:
        opened.problems.append(str(broken))
    text.only_rtf = rtf and not (text.plain or text.html)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    if not data.startswith(SIGNATURE):
        raise BrokenTnef("it does not begin as TNEF does")
    at = len(SIGNATURE) + 2  # a key, to no use
    while at + _ATTRIBUTE.size <= len(data):
        level, kind, octets = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size
        if level not in (1, 2):
            return  # garbage at the end; some gateways add it
        if octets > len(data) - at:
            raise BrokenTnef(f"an attribute claims {octets} octets where {len(data) - at} are left")
        yield kind, data[at : at + octets]
        at += octets + _CHECKSUM_OCTETS


def _take(file: File, kind: int, content: bytes, opened: Opened, depth: int, files_max: int) -> None:
    try:
        _add(file, kind, content, opened, depth, files_max)
    except BrokenTnef as broken:  # the next attribute begins where this one's length says
        opened.problems.append(str(broken))


def _add(file: File, kind: int, content: bytes, opened: Opened, depth: int, files_max: int) -> None:
    if kind == _ATTACH_TITLE:
        file.names[_ATTACH_TITLE] = content.partition(b"\0")[0]
    elif kind == _ATTACH_DATA:
        file.content = content
    elif kind == _ATTACHMENT:
        for identifier, value in _properties(content):
            if identifier != _DATA:
                file.names[identifier] = value
            elif isinstance(value, bytes) and value.startswith(_MESSAGE):
                file.content, file.is_message = value[len(_MESSAGE) :], True
            elif isinstance(value, bytes) and value:
                file.content = value.removeprefix(_STORAGE)
        if file.is_message and depth < DEPTH_MAX:
            file.inside = _files(file.content, opened, depth + 1, files_max)
        elif file.is_message:
            opened.problems.append(f"over {DEPTH_MAX} messages in one another; not opened")


def _properties(data: bytes) -> Iterator[tuple[int, bytes | str]]:
    """What names a file, holds it, or is a text. Each property takes four octets at least, so no count can keep us."""
    reader = _Reader(data)
    for _ in range(reader.number()):
        if reader.at_end():
            return
        kind, identifier = reader.pair()
        if identifier >= _NAMED_MIN:
            reader.skip_name()
        multiple, kind = bool(kind & _MULTIPLE), kind & ~_MULTIPLE
        if kind in _VARIABLE:
            for value in reader.variable():
                if identifier in _READ:
                    yield identifier, _value(kind, value)
        elif kind in _FIXED_OCTETS:
            reader.skip((reader.number() if multiple else 1) * _FIXED_OCTETS[kind])
        else:
            raise BrokenTnef(f"a property of the unknown type {kind:#06x}")


def _value(kind: int, value: bytes) -> bytes | str:
    if kind == _UNICODE:
        return value.decode("utf-16-le", "replace").partition("\0")[0]
    return value.partition(b"\0")[0] if kind == _STRING8 else value


class _Reader:
    """Octets read from the front, in steps padded to four. Raises BrokenTnef where there are no more."""

    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def skip(self, octets: int) -> None:
        self.take(octets)

    def take(self, octets: int) -> bytes:
        if octets > len(self._data) - self._at:
            raise BrokenTnef(f"a property claims {octets} octets where {len(self._data) - self._at} are left")
        taken = self._data[self._at : self._at + octets]
        self._at += octets + -octets % 4
        return taken

    def number(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def pair(self) -> tuple[int, int]:
        kind, identifier = _PROPERTY.unpack(self.take(4))
        return kind, identifier

    def skip_name(self) -> None:
        """A named property's set, and its number or name."""
        self.skip(16)
        is_text = self.number()
        octets = self.number()
        if is_text:
            self.skip(octets)

    def variable(self) -> Iterator[bytes]:
        for _ in range(self.number()):
            yield self.take(self.number())
