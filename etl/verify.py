"""Messages verified: each made again from its recipe, hashed, read again, and compared with what was read of it.

Fetching, reading and comparing run at the same time, each on a connection of its own.
"""

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from etl.archive import projection
from etl.archive.projection import Again, Difference
from etl.archive.stored import Chosen
from etl.intake import Archive
from etl.mime.version import PARSER
from etl.parsers import Parsers
from etl.rebuild import reread

# Called with some messages, what is stored of them otherwise than it is read, and those that another parser read.
OnBatch = Callable[[Sequence[Again], Sequence[Difference], set[int]], None]


def verify_messages(engine: Engine, asked: Chosen, tell: OnBatch) -> None:
    """Verify the messages asked for, and tell what was found, batch by batch.

    What another parser read is not compared: it may read otherwise now, and `popvault rebuild` says where.
    """

    async def work() -> None:
        async with Archive(engine) as fetching, Archive(engine) as comparing, Parsers() as parsers:
            batches = await fetching.do(projection.batches, asked)

            async def following(_: Sequence[Again]) -> Sequence[Again]:
                return await fetching.do(lambda _: next(batches, []))

            async for batch, read in reread(parsers, following):
                others = await comparing.do(projection.read_by_others, [message_id for message_id, _ in read], PARSER)
                same = [(message_id, rows) for message_id, rows in read if message_id not in others]
                tell(batch, await comparing.do(projection.compare, same), others)

    asyncio.run(work())
