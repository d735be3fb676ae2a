"""What is known of a message once it is read: plain values, one class for each table.

All strings are clean: valid Unicode without NUL, fit for Postgres. What every message has is a msgspec.Struct, made
and hashed several times as fast as a frozen dataclass.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["from", "sender", "reply-to", "to", "cc", "bcc", "delivered-to"]
DateSource = Literal["date", "received"]
Protection = Literal["signed", "encrypted"]
Packing = Literal["tnef", "uuencode"]
NestedKind = Literal["message", "headers"]
ReportKind = Literal["delivery", "disposition", "feedback"]


class Participant(msgspec.Struct, frozen=True):
    """One address of one address header; or who is named there without one, and then the address is "".

    address: as written; `addresses.normalised` gives the form to compare by.
    group: the name of the group it stands in (RFC 5322 section 3.4), "" for none; a group of nobody is one row.
    """

    role: Role
    name: str
    address: str
    group: str = ""


class Part(msgspec.Struct, frozen=True):
    """One node of the MIME tree, or one file that a node held packed; in document order.

    path: "1" for the message itself, "1.2" for its second child (RFC 3501 numbers alike), "1.2/1" for the first file
        that was packed in it.
    octets, sha256: of the decoded content; None for a container.
    safe_name: what a file may be called on a disk, where `filename` will not do.
    sniffed_type: the type that the content's first octets show; None where they show none.
    protection, protected_by: what keeps the content from change or from readers; by "pgp", "smime", "password" (a file
        locked by one), or the protocol that a multipart names.
    packing: how the part held a file; None for a part.
    """

    path: str
    content_type: str
    charset: str | None
    transfer_encoding: str | None
    disposition: str | None
    filename: str | None
    content_id: str | None
    octets: int | None
    sha256: bytes | None
    attachment: bool
    safe_name: str | None = None
    sniffed_type: str | None = None
    protection: Protection | None = None
    protected_by: str | None = None
    packing: Packing | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """One message inside the message: forwarded as attachment, in a digest, returned by a bounce.

    path: of its first node, so that all its parts' paths begin with it.
    kind: "headers" where only its header block was sent along.
    """

    path: str
    kind: NestedKind
    subject: str | None
    from_name: str | None
    from_address: str | None
    sent_at: datetime | None
    message_id: str | None
    headers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Report:
    """What one report says of one recipient: of delivery (RFC 3464), of reading (RFC 8098), of abuse (RFC 5965).

    action: what became of the mail: "failed", "delayed", "displayed", "abuse" and so on, as the report says.
    reporter: the MTA, mail client or operator that says so; remote_host: the host that it tells about.
    """

    path: str
    kind: ReportKind
    final_recipient: str | None
    original_recipient: str | None
    action: str | None
    status: str | None
    diagnostic: str | None
    reporter: str | None
    remote_host: str | None
    original_message_id: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a calendar (RFC 5545).

    starts_at, ends_at: in UTC; a time without a zone, and a date, are taken as if they were in UTC.
    zone: as written, "UTC", or None: then the time is that of wherever one is.
    answer: what the attendee of a reply says: "ACCEPTED" and so on.
    """

    path: str
    method: str | None
    uid: str | None
    sequence: int | None
    recurrence_id: str | None
    summary: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    all_day: bool
    zone: str | None
    recurrence: str | None
    organizer: str | None
    attendees: list[str]
    answer: str | None
    location: str | None


class Hop(msgspec.Struct, frozen=True):
    """One Received header: its clauses from, by, with, and its date."""

    from_host: str | None
    by_host: str | None
    protocol: str | None
    at: datetime | None


class Defect(msgspec.Struct, frozen=True):
    """One thing that is wrong with the message, and where.

    place: a part's path or a header's name in lower case.
    offset: where in the message that part or header begins, in octets; None where it is not known.
    """

    kind: str
    place: str
    detail: str
    offset: int | None = None


class Manner(msgspec.Struct, frozen=True):
    """How a message was sent. automatic: the header that tells of a machine; thread_index: Outlook's, decoded."""

    automatic: str | None
    thread_index: bytes | None


class Reading(msgspec.Struct, frozen=True):
    """One message as it was read.

    date_at, date_offset_minutes: the Date header in UTC, and the sender's offset from UTC.
    sent_at, sent_at_source: the date chosen and where it comes from; both None when none is known.
    text: the body as a reader sees it, HTML made text.
    canonical_sha256: the same for all copies of a mail that differ only by the way they came.
    manner: one, or none of most mail between people.
    """

    canonical_sha256: bytes
    subject: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] = []
    headers: list[tuple[str, str]] = []
    date_written: str | None = None
    date_at: datetime | None = None
    date_offset_minutes: int | None = None
    sent_at: datetime | None = None
    sent_at_source: DateSource | None = None
    participants: list[Participant] = []
    parts: list[Part] = []
    nested: list[Nested] = []
    reports: list[Report] = []
    events: list[Event] = []
    hops: list[Hop] = []
    defects: list[Defect] = []
    manner: list[Manner] = []
    text: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The decoded content of a part.

    whole: whether the skeleton has all of it; if not, `beginning` is what it begins with.
    """

    octets: int
    sha256: bytes
    whole: bool
    beginning: bytes = b""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A message without its large bodies. raw: to parse; leaves: by path, all of the message's, like its hash.

    starts: where in the message each part begins, in octets, by path.
    """

    raw: bytes
    leaves: dict[str, Leaf]
    canonical_sha256: bytes
    defects: list[Defect] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)


def clean(text: str) -> str:
    """The text with NULs and lone surrogates replaced: Postgres stores neither."""
    if text.isascii():
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
    text = text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def unread(canonical_sha256: bytes, reason: str) -> Reading:
    """The reading of a message that nothing could read."""
    return Reading(canonical_sha256, defects=[Defect("unreadable", "1", clean(reason))])
