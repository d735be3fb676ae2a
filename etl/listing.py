"""What a mailbox holds: its listing, recorded and understood, and what of it the archive lacks."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from etl.archive import ledger
from etl.archive.loader import head_sha256
from etl.errors import Failure
from etl.pop3.replies import Listed, twins
from etl.pop3.session import Session
from etl.visit import Visit

log = logging.getLogger(__name__)

UIDLS_CHANGED = "the UIDLs changed"
NEW_EPOCH = "an epoch began"
# QUIRK(popa3d): a UIDL is made of some headers, so new mail may come under that of a deleted one.
UIDL_REUSED = "a UIDL came back with other mail"


class Listing:
    """The listings of one visit, one for each of its sessions."""

    def __init__(self, visit: Visit):
        self._visit, self._archive = visit, visit.archive
        # False once TOP broke off a session: it is of use, and not needed.
        self._asks_top = True
        # Messages without a UIDL of their own that broke off a session when they were read for a name.
        self._unreadable: set[Listed] = set()
        # Numbers of this session's messages that could not be read for a name.
        self._unread: set[int] = set()

    async def record(self, session: Session, epoch_id: int) -> dict[int, Listed]:
        """What the mailbox holds, recorded; old mail under new UIDLs is recognised and begins an epoch."""
        listing, self._unread = await session.listing(), set()
        if any(entry.uidl is None for entry in listing):
            listing = await self._named(session, listing)
        entries = {entry.number: entry for entry in listing}
        rows = [(e.number, str(e.uidl), e.twin, e.octets) for e in listing]
        await self._archive.do(ledger.note_entries, self._visit.session_id, rows)
        changed = await self._what_changed(session, entries, epoch_id)
        old = await self._old_mail(session, entries) if changed else {}
        if changed == UIDL_REUSED or (changed == UIDLS_CHANGED and old):
            named = (self._visit.mailbox_id, self._visit.session_id, epoch_id, changed)
            epoch_id = await self._archive.do(ledger.change_epoch, *named)
        await self._archive.do(ledger.record_listing, self._visit.mailbox_id, epoch_id, self._visit.session_id, rows)
        log.info("session=%s mailbox=%s listed=%d", self._visit.session_id, self._visit.mailbox.name, len(entries))
        if old:
            await self._archive.do(ledger.recognise, self._visit.session_id, old)
        return entries

    async def _what_changed(self, session: Session, entries: Mapping[int, Listed], epoch_id: int) -> str | None:
        """Why UIDLs may not mean what they meant before; None where nothing speaks for it."""
        known = await self._archive.do(ledger.doubtful, self._visit.session_id, epoch_id)
        async for entry, head in self._heads(session, [entries[number] for number in known]):
            if head is None or head_sha256(head) != known[entry.number]:
                return UIDL_REUSED
        if await self._archive.do(ledger.all_unknown, self._visit.session_id, epoch_id):
            return UIDLS_CHANGED
        return NEW_EPOCH if await self._archive.do(ledger.is_new_epoch, self._visit.mailbox_id, epoch_id) else None

    async def _old_mail(self, session: Session, entries: Mapping[int, Listed]) -> dict[int, int]:
        """What the archive has under another UIDL, by size and header block: {message number: message id}.

        Where two messages, of the archive or of the listing, have both in common, neither is recognised.
        """
        known = await self._archive.do(ledger.old_mail, self._visit.mailbox_id, self._visit.session_id)
        sizes = {octets for octets, _ in known}
        found: dict[int, list[int]] = {}
        async for entry, head in self._heads(session, [e for e in entries.values() if e.octets in sizes]):
            message_id = known.get((entry.octets or 0, head_sha256(head))) if head else None
            if message_id is not None:
                found.setdefault(message_id, []).append(entry.number)
        return {numbers[0]: message_id for message_id, numbers in found.items() if len(numbers) == 1}

    async def _named(self, session: Session, listing: list[Listed]) -> list[Listed]:
        """The listing, each message without a UIDL of its own named by the SHA-256 of its bytes.

        What cannot be read is named by its size: it gets an outcome too, which is never that it was archived, for
        that name may be another message's the next time.
        """
        nameless = [entry for entry in listing if entry.uidl is None]
        cost = "each is downloaded in every run, and new ones twice"
        log.warning(
            "mailbox=%s: %d messages have no UIDL of their own: %s", self._visit.mailbox.name, len(nameless), cost
        )
        names = {entry.number: f"octets:{entry.octets}" for entry in nameless}
        left = [entry for entry in nameless if entry not in self._unreadable]
        try:
            async for entry, sha256 in session.digests(left.copy()):
                left.remove(entry)
                if sha256:
                    names[entry.number] = f"sha256:{sha256}"
        except Failure:
            # The next session does without it: one message must not keep the whole listing away.
            self._unreadable.update(left[:1])
            self._visit.gained = True
            raise
        self._unread = {number for number, name in names.items() if name.startswith("octets:")}
        return twins(replace(entry, uidl=names.get(entry.number, entry.uidl)) for entry in listing)

    async def _heads(self, session: Session, entries: Sequence[Listed]) -> AsyncIterator[tuple[Listed, bytes | None]]:
        """The header block of each entry, or None; none at all once a session broke off over TOP."""
        if not self._asks_top:
            for entry in entries:
                yield entry, None
            return
        self._asks_top = False
        async for entry, head in session.heads(entries):
            yield entry, head
        self._asks_top = True

    async def work(self, session: Session, entries: Mapping[int, Listed]) -> dict[int, int]:
        """What is to be retrieved, {message number: delivery id}; of what is too large, the header block is kept."""
        octets_max, quarantined = self._visit.mailbox.message_bytes_max, self._visit.shard.options.quarantined
        work = await self._archive.do(
            ledger.work, self._visit.session_id, octets_max=octets_max, quarantined=quarantined
        )
        for number in work.keys() & self._unread:
            await self._visit.failed(work.pop(number), entries[number], "without a UIDL of its own, and not to be read")
        for number in [number for number, delivery_id in work.items() if delivery_id in self._visit.passed_by]:
            del work[number]
        if octets_max is None:
            return work
        too_large = [entries[number] for number in work if (entries[number].octets or 0) > octets_max]
        async for entry, head in self._heads(session, too_large):
            await self._visit.exclude(work.pop(entry.number), entry.octets or 0, octets_max, head)
        return work
