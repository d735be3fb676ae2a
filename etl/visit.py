"""One mailbox in one run: what the steps of its sessions share."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from etl.archive import ledger
from etl.config import Mailbox
from etl.errors import Failure, Stop
from etl.hosts import Hosts
from etl.intake import Archive, Intake
from etl.pop3.replies import Listed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """What one run did with one mailbox, in messages.

    failed: refused by the server, or broke off a session. left: over a limit of the session, so for the next run.
    deletable: what a dry run would have deleted.
    failure: why something was left undone; None where nothing was.
    """

    mailbox: str
    retrieved: int = 0
    archived: int = 0
    duplicate: int = 0
    failed: int = 0
    excluded: int = 0
    left: int = 0
    deleted: int = 0
    deletable: int = 0
    failure: Failure | None = None

    @property
    def stop(self) -> bool:
        """Whether a person must act first."""
        return isinstance(self.failure, Stop)


@dataclass(frozen=True)
class Options:
    """What one run does otherwise than the mailboxes file says.

    delete: false sends no DELE and says what would have been deleted.
    quarantined: true tries again what is in quarantine.
    """

    delete: bool = True
    quarantined: bool = False


AS_CONFIGURED = Options()

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Shard:
    """What the mailboxes of one shard share.

    on_progress: called with (mailbox name, messages more to do, messages more done).
    """

    run_id: int
    archive: Archive
    hosts: Hosts
    intake: Intake
    on_progress: OnProgress
    options: Options


@dataclass
class Visit:
    """One mailbox in one run.

    counts: what the run did so far, by field of Done. session_id: of the session that is open. gained: whether it
    brought anything.
    passed_by: deliveries that broke off a session of this run; the rest matters more.
    """

    mailbox: Mailbox
    mailbox_id: int
    shard: Shard
    counts: Counter[str] = field(default_factory=Counter)
    session_id: int = 0
    gained: bool = False
    passed_by: set[int] = field(default_factory=set)

    @property
    def done(self) -> Done:
        """What the run did so far."""
        return Done(self.mailbox.name, failure=None, **self.counts)

    @property
    def archive(self) -> Archive:
        """The database."""
        return self.shard.archive

    def count(self, **messages: int) -> None:
        """Add to what is done: count(archived=3)."""
        self.counts.update(messages)

    async def exclude(self, delivery_id: int, octets: int, octets_max: int, head: bytes | None) -> None:
        """A message of so many octets at least is not retrieved."""
        await self.archive.do(ledger.exclude, delivery_id, self.session_id, octets, octets_max, head)
        self.count(excluded=1)

    async def failed(self, delivery_id: int, entry: Listed, reason: str) -> None:
        """A message was not to be had."""
        gave_up = await self.archive.do(ledger.note_failure, delivery_id, self.session_id, reason)
        what = "put in quarantine" if gave_up else "left for the next run"
        log.warning("mailbox=%s UIDL %s: %s; %s", self.mailbox.name, entry.uidl, reason, what)
        self.count(failed=1)
