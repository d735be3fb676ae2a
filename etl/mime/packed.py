"""Files that a part holds packed, as rows: of winmail.dat (TNEF), with what that says, and uuencoded in a text."""

import hashlib
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from etl.mime import charsets, names, protection, sniffing, uuencode
from etl.mime import tnef as stream
from etl.mime.bounds import FILES_MAX, Room
from etl.mime.parts import Body, Held
from etl.mime.rows import Defect, Packing, Part, clean

_CHARACTERS_MAX = 1000


# Of a text in a stream: the rest of it stays there. Letters have some kB.
TEXT_OCTETS_MAX = 256 * 1024


def tnef(
    held: Held, room: Room, alone: bool, fallback: str | None, defects: list[Defect]
) -> tuple[list[Part], list[Body]]:
    """The files of a TNEF stream, and what the messages in it say.

    Files of a message that is a file have paths below its own. alone: whether the mail has no other text; one that has
    says there what the stream itself says.
    """
    opened = stream.open_stream(held.content or b"", room.files)
    room.files -= opened.count
    defects += [Defect("tnef", held.path, problem) for problem in dict.fromkeys(opened.problems)]
    charset = f"cp{opened.codepage}" if opened.codepage else None
    files = list(_tnef_rows(held.path, opened.files, charset, fallback))
    texts = [text for text in opened.texts if alone or text.depth > 1]
    return files, [body for text in texts for body in _bodies(held.path, text, charset, defects)]


def _bodies(holder: str, text: stream.Text, charset: str | None, defects: list[Defect]) -> Iterator[Body]:
    if text.only_rtf:
        defects.append(Defect("tnef", holder, "a text in RTF alone, which is not read"))
    content = text.plain or text.html
    if isinstance(content, str):
        content, charset = content.encode("utf-8", "surrogatepass"), "utf-8"
    elif not text.plain:
        charset = None  # a page says so itself
    if len(content) > TEXT_OCTETS_MAX:
        detail = f"a long text in a stream; its first {TEXT_OCTETS_MAX} octets are shown"
        defects.append(Defect("text_cut", holder, detail))
    if content.strip():
        yield Body(holder, not text.plain, content[:TEXT_OCTETS_MAX], charset, None, named=False)


def _tnef_rows(holder: str, files: list[stream.File], charset: str | None, fallback: str | None) -> Iterator[Part]:
    def text(value: bytes | str | None) -> str | None:
        if isinstance(value, bytes):
            value = charsets.decode(value, charset, fallback)[0]
        return clean(value[:_CHARACTERS_MAX].strip()) or None if value else None

    for number, file in enumerate(files, start=1):
        path = f"{holder}/{number}"
        declared = "application/ms-tnef" if file.is_message else (text(file.content_type) or "").lower()
        row = _row(path, declared, text(file.name), file.content, "tnef")
        yield replace(row, content_id=text(file.content_id))
        yield from _tnef_rows(path, file.inside, charset, fallback)


def uuencoded_files(holder: str, files: Sequence[uuencode.File], room: Room, defects: list[Defect]) -> list[Part]:
    """The files of a text."""
    if len(files) > room.files:
        defects.append(Defect("uuencode", holder, f"over {FILES_MAX} files; those behind are not listed"))
    files = files[: room.files]
    room.files -= len(files)
    defects += [
        Defect("uuencode", f"{holder}/{number}", "its end is missing")
        for number, file in enumerate(files, start=1)
        if not file.whole
    ]
    return [
        _row(f"{holder}/{number}", "", clean(charsets.guess(file.name, None)[0]), file.content, "uuencode")
        for number, file in enumerate(files, start=1)
    ]


def _row(path: str, declared: str, filename: str | None, content: bytes, packing: Packing) -> Part:
    content_type = declared if "/" in declared else "application/octet-stream"
    marked = protection.of_file(content_type, None, content)
    safe = names.safe(filename, path, content_type)
    return Part(
        path=path,
        content_type=content_type,
        charset=None,
        transfer_encoding=None,
        disposition=None,
        filename=filename,
        content_id=None,
        octets=len(content),
        sha256=hashlib.sha256(content).digest(),
        attachment=True,
        safe_name=None if safe == filename else safe,
        sniffed_type=sniffing.sniffed(content) if content else None,
        protection=marked[0] if marked else None,
        protected_by=marked[1] if marked else None,
        packing=packing,
    )
