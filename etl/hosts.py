"""How many sessions one host has from us at once, counted over all workers.

A host has numbered slots; a taken slot is an advisory lock on the shard's connection, so a killed
run frees its slots by its death.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection

from etl.archive import ledger
from etl.intake import Archive

# How soon we look again for a slot that another worker may have freed.
LOOK_SECONDS = 1.0


class Hosts:
    """The slots that this shard has taken."""

    def __init__(self, archive: Archive):
        self._archive = archive
        self._mine: defaultdict[str, set[int]] = defaultdict(set)

    @asynccontextmanager
    async def slot(self, host: str, sessions_max: int) -> AsyncIterator[None]:
        """Wait for one of the host's slots and hold it."""
        while (slot := await self._archive.do(self._take, host, sessions_max)) is None:
            await asyncio.sleep(LOOK_SECONDS)
        try:
            yield
        finally:
            await self._archive.do(self._free, host, slot)

    def _take(self, connection: Connection, host: str, sessions_max: int) -> int | None:
        # In the archive's one thread, so no two of our own mailboxes take the same slot.
        slot = ledger.take_slot(connection, host, sessions_max, sorted(self._mine[host]))
        if slot is not None:
            self._mine[host].add(slot)
        return slot

    def _free(self, connection: Connection, host: str, slot: int) -> None:
        ledger.free_slot(connection, host, slot)
        self._mine[host].discard(slot)
