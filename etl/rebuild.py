"""Read again what is stored, and replace, or only report, what is read otherwise now.

The same parsers and rows as at first. Each batch is one transaction, so that a rebuild that was cut short goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from etl.archive import projection, search, threads
from etl.archive.projection import Again, Difference
from etl.intake import Archive
from etl.mime.version import PARSER
from etl.parsers import Parsers
from etl.parsing import Job

# Called with (messages more to do, messages more done).
OnProgress = Callable[[int, int], None]


@dataclass(slots=True)
class Result:
    """What came of it. faults: messages whose bytes are not as recorded; they are left as they were read."""

    messages: int = 0
    changed: int = 0
    faults: dict[int, str] = field(default_factory=dict)


# Called with what differs, batch by batch.
OnDifferences = Callable[[Sequence[Difference]], None]
# What was read of messages: for each its number and its rows.
Read = list[tuple[int, list[bytes]]]
# The batch behind one, empty at the end; behind none the first.
Following = Callable[[Sequence[Again]], Awaitable[Sequence[Again]]]
# Called with the last message that was read, and what was: compares or replaces.
_Settle = Callable[[int, Read], Awaitable[list[Difference]]]


def rebuild(
    engine: Engine, every: bool, report: bool, tell: OnDifferences, advance: OnProgress = lambda *_: None
) -> Result:
    """Read messages again: all, or those that another parser had read. report: only tell what would change."""

    async def work() -> Result:
        async with Archive(engine) as archive, Parsers() as parsers:
            if report:
                return await _over(0, lambda _, read: archive.do(projection.compare, read), archive, parsers)
            rebuild_id, after = await archive.do(projection.begin, PARSER, every)
            try:

                async def replace(up_to: int, read: Read) -> list[Difference]:
                    found = await archive.do(projection.replace, rebuild_id, PARSER, every, read, up_to)
                    # What is laid in anew is looked through message by message until it is folded.
                    while await archive.do(search.fold):
                        pass
                    return found

                result = await _over(after, replace, archive, parsers)
                if await archive.do(projection.has_replaced, rebuild_id):
                    await archive.do(threads.remake)
                await archive.do(projection.finish, rebuild_id)
            finally:
                await archive.do(projection.release)
            return result

    async def _over(after: int, settle: _Settle, archive: Archive, parsers: Parsers) -> Result:
        result = Result()
        advance(await archive.do(projection.count, after, PARSER, every), 0)

        async def following(batch: Sequence[Again]) -> Sequence[Again]:
            return await archive.do(projection.take, batch[-1].message_id if batch else after, PARSER, every)

        async for batch, read in reread(parsers, following):
            found = await settle(batch[-1].message_id, read)
            result.messages += len(read)
            result.changed += len({difference.message_id for difference in found})
            result.faults |= {again.message_id: again.fault for again in batch if again.fault}
            tell(found)
            advance(0, len(batch))
        return result

    return asyncio.run(work())


async def reread(parsers: Parsers, following: Following) -> AsyncIterator[tuple[Sequence[Again], Read]]:
    """Batches of messages with their rows as they are read now; the next one is fetched while one is read."""
    batch = await following([])
    while batch:
        read, after = await asyncio.gather(_read(parsers, batch), following(batch))
        yield batch, read
        batch = after


async def _read(parsers: Parsers, batch: Sequence[Again]) -> Read:
    """Number and rows of each message of a batch whose bytes are as recorded."""
    whole = [again for again in batch if again.fault is None]
    jobs = [Job(again.message_id, again.raw, again.skeleton, again.kept) for again in whole]
    half = -(-len(jobs) // 2)  # a batch keeps two parsers busy
    answers = await asyncio.gather(parsers.parse(jobs[:half]), parsers.parse(jobs[half:]))
    return [(job.message_id, blocks.read) for job, blocks in zip(jobs, [*answers[0], *answers[1]], strict=True)]
