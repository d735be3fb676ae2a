"""A message too large to be held in memory: its pieces are committed as they come off the wire.

What an earlier try committed is compared and not stored again, on whatever worker that was.
"""

import asyncio
import hashlib
from contextlib import suppress

from etl.archive import downloads, loader
from etl.archive.downloads import Held
from etl.archive.loader import Arrival
from etl.archive.recipe import Piece, Recipe
from etl.errors import Failure
from etl.intake import Archive
from etl.mime.large import LargeReader
from etl.mime.splitter import Event


class LargeDownload:
    """One large message under way: `feed` it, then `finish`; or `close`, when the line is cut."""

    def __init__(self, archive: Archive, delivery_id: int, session_id: int, held: list[Held]):
        self._archive, self._delivery_id, self._session_id = archive, delivery_id, session_id
        self._held, self._held_before = held, len(held)
        self._events: list[Event] = []
        self._reader = LargeReader(self._events.append)
        self._recipe = Recipe()
        self._position = 0
        self._digest = hashlib.sha256()
        self._octets = 0
        self._storing: asyncio.Task[None] | None = None
        self.gained = False

    @classmethod
    async def resume(cls, archive: Archive, delivery_id: int, session_id: int) -> "LargeDownload":
        """Go on where an earlier try was cut, or begin."""
        return cls(archive, delivery_id, session_id, await archive.do(downloads.held, delivery_id))

    async def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire."""
        self._digest.update(data)
        self._octets += len(data)
        self._reader.feed(data)
        await self._take(self._recipe.take(self._events))
        self._events.clear()

    async def finish(self) -> Arrival:
        """The message is whole: what the intake is to be given of it."""
        skeleton = self._reader.close()
        await self._take([*self._recipe.take(self._events), *self._recipe.close()])
        await self._stored()
        if self._position < len(self._held):  # it is shorter than it was
            await self._restart()
        return Arrival(
            self._delivery_id, self._session_id, self._digest.digest(), loader.head_sha256(skeleton.raw),
            self._octets, None, skeleton, tuple(self._recipe.blobs),
        )  # fmt: skip

    async def _take(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            await self._take_one(piece)

    async def _take_one(self, piece: Piece) -> None:
        if self._position < len(self._held):
            if self._held[self._position] == Held.of(piece):
                self._position += 1
                return
            await self._restart()
        # One piece is stored while the next one comes.
        await self._stored()
        self._storing = asyncio.create_task(self._archive.do(downloads.add, self._delivery_id, self._position, piece))
        self._position += 1

    async def _stored(self) -> None:
        """Wait until the piece under way is committed."""
        if self._storing:
            storing, self._storing = self._storing, None
            await storing
            # More than was held before: a server that sends other bytes each time must not keep us for ever.
            self.gained |= self._position > self._held_before

    async def _restart(self) -> None:
        del self._held[self._position :]
        await self._archive.do(downloads.restart, self._delivery_id, self._session_id, self._position)

    async def close(self) -> None:
        """Let the piece under way be committed; what is held stays for the next try."""
        with suppress(Failure):
            await self._stored()
