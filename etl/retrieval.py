"""What comes off the wire: small messages whole to the intake, large ones in pieces, and who is to blame for a cut."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from etl.archive import ledger
from etl.archive.loader import Arrival
from etl.archive.recipe import CHUNK_OCTETS
from etl.errors import Busy, DatabaseAway, Failure, Retry, Skip, Stop
from etl.large import LargeDownload
from etl.pop3 import refusals
from etl.pop3.replies import Listed
from etl.pop3.session import WINDOW_OCTETS, InStep, Refused, Session
from etl.visit import Visit

log = logging.getLogger(__name__)

# Below this the window of what is asked for ahead does not shrink, however often the line is cut.
WINDOW_OCTETS_MIN = 64 * 1024
# So many sessions of one run may break off at one message.
CUTS_MAX = 2


class Retrieval:
    """The retrievals of one visit, one for each of its sessions."""

    def __init__(self, visit: Visit):
        self._visit, self._archive = visit, visit.archive
        self._window_octets = WINDOW_OCTETS
        # After a session that ended in doubt: one message at a time, to learn which one it is about.
        self._wary = False
        self._blamed: Counter[int] = Counter()
        self._outcomes: list[asyncio.Future[str]] = []
        self._unbelieved: list[tuple[int, Arrival | Refused]] = []
        self._retrieving: int | None = None
        self._large: LargeDownload | None = None

    def ask_for_less(self) -> None:
        """After a cut: what was on the way was in vain, so the next session has less of it."""
        self._window_octets = max(self._window_octets // 2, WINDOW_OCTETS_MIN)

    def _within_limits(self, wanted: Iterable[Listed]) -> Iterator[Listed]:
        """As many as one session may take; the rest is left for the next run."""
        octets, octets_max = 0, self._visit.mailbox.session_bytes_max or math.inf
        until = time.monotonic() + 60 * (self._visit.mailbox.session_minutes_max or math.inf)
        for place, entry in enumerate(wanted):
            octets += entry.octets or 0
            if place and (octets > octets_max or time.monotonic() > until):
                self._visit.count(left=1)
            else:
                yield entry

    async def take(self, session: Session, entries: Mapping[int, Listed], work: Mapping[int, int]) -> None:
        """Take what the archive lacks: small messages whole to the intake, large ones piece by piece."""
        pieces: list[bytes] = []
        octets = 0
        following = iter([*work.values(), None])
        self._retrieving = next(following)
        wanted = self._within_limits(entries[number] for number in work)
        async for got in session.retrieve(wanted, self._window_octets, self._wary):
            if isinstance(got, InStep):
                await self._believe()
                continue
            delivery_id = work[got.entry.number]
            if isinstance(got, Refused):
                self._unbelieved.append((delivery_id, got))
            else:
                pieces.append(got.data)
                octets += len(got.data)
                await self._refuse_too_large(delivery_id, octets, b"".join(pieces[:1]))
                if octets > CHUNK_OCTETS:
                    await self._feed_large(delivery_id, b"".join(pieces))
                    pieces = []
                if not got.last:
                    continue
                await self._came_whole(delivery_id, b"".join(pieces))
                pieces, octets = [], 0
            self._visit.shard.on_progress(self._visit.mailbox.name, 0, 1)
            self._retrieving = next(following)
        self._retrieving = None

    async def _refuse_too_large(self, delivery_id: int, octets: int, head: bytes) -> None:
        """Break off when a message is larger than it may be, whatever LIST said. Raises Retry: the rest goes on."""
        octets_max = self._visit.mailbox.message_bytes_max
        if octets_max is None or octets <= octets_max:
            return
        end = -1 if self._large else head.find(b"\r\n\r\n")
        await self._visit.exclude(delivery_id, octets, octets_max, head[: end + 4] if end >= 0 else None)
        self._visit.passed_by.add(delivery_id)
        # Nobody else is to blame; what came before and is not believed yet comes again.
        self._retrieving, self._unbelieved, self._visit.gained = None, [], True
        raise Retry(f"a message goes on beyond message_bytes_max = {octets_max}, though LIST called it smaller")

    async def _feed_large(self, delivery_id: int, data: bytes) -> None:
        if self._large is None:
            self._large = await LargeDownload.resume(self._archive, delivery_id, self._visit.session_id)
        await self._large.feed(data)

    async def _came_whole(self, delivery_id: int, raw: bytes) -> None:
        if self._large:
            arrival, self._large = await self._large.finish(), None
        else:
            arrival = Arrival.of(delivery_id, self._visit.session_id, raw)
        self._unbelieved.append((delivery_id, arrival))
        log.debug("session=%s delivery=%s octets=%d retrieved", self._visit.session_id, delivery_id, arrival.octets)

    async def _believe(self) -> None:
        """What came is what was asked for: messages go to the intake, refusals into the ledger."""
        believed, self._unbelieved = self._unbelieved, []
        for delivery_id, got in believed:
            if isinstance(got, Refused):
                if refusals.passes(got.text):
                    raise refusals.failure(f"RETR of UIDL {got.entry.uidl} refused", got.text)
                await self._visit.failed(delivery_id, got.entry, f"RETR refused: {got.text}")
            else:
                self._outcomes.append(await self._visit.shard.intake.put(got))
                self._visit.count(retrieved=1)

    async def settle(self) -> None:
        """Wait until all that was retrieved is committed, and count it."""
        self._visit.shard.intake.flush()
        futures, self._outcomes = self._outcomes, []
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        archived, duplicate = outcomes.count("archived"), outcomes.count("duplicate")
        self._visit.gained |= bool(archived or duplicate)
        self._visit.count(archived=archived, duplicate=duplicate)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome if isinstance(outcome, Failure) else Stop(f"cannot load: {outcome}") from outcome

    async def blame(self, failure: Failure) -> None:
        """The message that was under way when the line was cut: tried once more in vain, unless it gained pieces."""
        large, self._large = self._large, None
        delivery_id = self._suspect()
        if large:
            await large.close()
            self._visit.gained |= large.gained
        ours = isinstance(failure, DatabaseAway | Busy) or not isinstance(failure, Retry | Skip)
        if delivery_id is None or ours or (large and large.gained):
            return
        # Once may be the line's fault. After the second time it is passed by for the rest of this run.
        self._blamed[delivery_id] += 1
        if self._blamed[delivery_id] == CUTS_MAX:
            self._visit.passed_by.add(delivery_id)
            self._visit.count(failed=1)
        self._visit.gained |= await self._archive.do(
            ledger.note_failure, delivery_id, self._visit.session_id, str(failure)
        )

    def _suspect(self) -> int | None:
        """The delivery that ended the session: the one not believed, or the one under way; None where nobody knows."""
        retrieving, self._retrieving = self._retrieving, None
        unbelieved, self._unbelieved = self._unbelieved, []
        if not unbelieved:
            self._wary = False
            return retrieving
        if len(unbelieved) > 1 and not self._wary:
            self._visit.gained = self._wary = True  # the next session learns more
            return None
        self._wary = True
        return unbelieved[0][0]
