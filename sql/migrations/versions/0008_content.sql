-- What parts hold beside text and files. Messages read before have none of it until `popvault rebuild`.

alter table archive.part
    add safe_name text,
    add sniffed_type text,
    add protection text,
    add protected_by text,
    add packing text;
comment on table archive.part is 'One row for each node of a message''s MIME tree, and for each file that a node held packed.';
comment on column archive.part.path is 'Place in the tree: 1 is the message, 1.2 its second child, 1.2/1 the first file packed in that.';
comment on column archive.part.safe_name is 'Name for a disk, where filename will not do; null where it does, or where it is no attachment.';
comment on column archive.part.sniffed_type is 'Type that the content''s first bytes show; null where they show none.';
comment on column archive.part.protection is 'signed or encrypted; null for neither.';
comment on column archive.part.protected_by is 'pgp, smime, password (a locked file), or the protocol that a multipart names.';
comment on column archive.part.packing is 'How a part held the file: tnef or uuencode; null for a part.';

-- One row for each message inside a message: forwarded as attachment, in a digest, returned by a bounce.
create table archive.nested_message (
    message_id bigint not null references archive.message,
    path text not null,
    kind text not null,
    subject text,
    from_name text,
    from_address text,
    sent_at timestamptz,
    message_id_header text,
    headers jsonb not null,
    primary key (message_id, path)
);
create index on archive.nested_message using hash (from_address);
create index on archive.nested_message using hash (message_id_header);
comment on column archive.nested_message.message_id is 'The message that holds it.';
comment on column archive.nested_message.path is 'Its first part; the paths of all its parts begin so.';
comment on column archive.nested_message.kind is 'message, or headers where only its header block was sent along.';
comment on column archive.nested_message.subject is 'Its subject, decoded.';
comment on column archive.nested_message.from_name is 'Display name of its first From address.';
comment on column archive.nested_message.from_address is 'Its first From address, in lower case.';
comment on column archive.nested_message.sent_at is 'Its Date header as a time.';
comment on column archive.nested_message.message_id_header is 'Its Message-ID as written.';
comment on column archive.nested_message.headers is 'Every header of it as [name, decoded value], in order and repeated as it came.';

-- One row for each recipient that a report tells of: of delivery (RFC 3464), of reading (RFC 8098), of abuse (RFC 5965).
create table archive.report (
    message_id bigint not null references archive.message,
    position integer not null,
    path text not null,
    kind text not null,
    final_recipient text,
    original_recipient text,
    action text,
    status text,
    diagnostic text,
    reporter text,
    remote_host text,
    original_message_id text,
    primary key (message_id, position)
);
create index on archive.report using hash (final_recipient);
create index on archive.report using hash (original_message_id);
comment on column archive.report.message_id is 'The message that is the report.';
comment on column archive.report.position is 'Place among all recipients of its reports, from 0.';
comment on column archive.report.path is 'The part that says so.';
comment on column archive.report.kind is 'delivery, disposition (a read receipt) or feedback (a complaint).';
comment on column archive.report.final_recipient is 'Address at which it ended, in lower case; null where the report does not say.';
comment on column archive.report.original_recipient is 'Address that the sender gave, in lower case.';
comment on column archive.report.action is 'What became of the mail: failed, delayed, delivered, relayed, expanded; displayed, deleted; abuse, ….';
comment on column archive.report.status is 'Status code (RFC 3463): 5.1.1 is an unknown mailbox.';
comment on column archive.report.diagnostic is 'What the server said, or what failed.';
comment on column archive.report.reporter is 'Server, mail client or operator that reports.';
comment on column archive.report.remote_host is 'Server that refused, or of a complaint, the sender''s IP address.';
comment on column archive.report.original_message_id is 'Message-ID of the mail that it is about, as the report or what it returns says.';

-- One row for each event of a calendar in a message (RFC 5545): invitations, answers, cancellations.
create table archive.event (
    message_id bigint not null references archive.message,
    position integer not null,
    path text not null,
    method text,
    uid text,
    sequence integer,
    recurrence_id text,
    summary text,
    starts_at timestamptz,
    ends_at timestamptz,
    all_day boolean not null,
    zone text,
    recurrence text,
    organizer text,
    attendees text[] not null,
    answer text,
    location text,
    primary key (message_id, position)
);
create index on archive.event using hash (uid);
create index on archive.event (starts_at);
comment on column archive.event.message_id is 'The message.';
comment on column archive.event.position is 'Place among the events of the message, from 0.';
comment on column archive.event.path is 'The part that has it.';
comment on column archive.event.method is 'What the mail is for: REQUEST, REPLY, CANCEL, PUBLISH, COUNTER, …; null where it does not say.';
comment on column archive.event.uid is 'Name of the event, the same in all mail about it.';
comment on column archive.event.sequence is 'Its revision.';
comment on column archive.event.recurrence_id is 'Which occurrence of a series it is about, as written; null for all.';
comment on column archive.event.summary is 'Title.';
comment on column archive.event.starts_at is 'Start; where zone is null, the clock''s time as if it were UTC.';
comment on column archive.event.ends_at is 'End, likewise; of whole days, the day after.';
comment on column archive.event.all_day is 'Whether it has dates and no times.';
comment on column archive.event.zone is 'Its time zone as written; null for a date, and for a time of wherever one is.';
comment on column archive.event.recurrence is 'How it recurs (RRULE), as written; null where it does not.';
comment on column archive.event.organizer is 'Address of who invites, in lower case.';
comment on column archive.event.attendees is 'Addresses of who is invited, in lower case.';
comment on column archive.event.answer is 'Of a reply, what the attendee says: ACCEPTED, DECLINED, TENTATIVE, ….';
comment on column archive.event.location is 'Where it takes place.';
