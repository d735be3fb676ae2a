-- What parts hold, for analysts. Rights are the caller's (security_invoker).

create view mart.part with (security_invoker) as
select message_id, path, content_type, sniffed_type, charset, transfer_encoding, disposition, filename, content_id, octets,
       encode(sha256, 'hex') as sha256, attachment, protection, protected_by, packing
from archive.part;
comment on view mart.part is 'One row for each part of a message (text, file, or what holds others), and each file packed in one.';
comment on column mart.part.message_id is 'The message.';
comment on column mart.part.path is 'Its place: 1 is the message, 1.2 its second part, 1.2/1 the first file packed in that.';
comment on column mart.part.content_type is 'Declared type.';
comment on column mart.part.sniffed_type is 'Type that its first bytes show; null where they show none: of plain text, and of a PDF, ZIP or picture that does not begin as one. A type has several names: that it differs from content_type proves nothing alone.';
comment on column mart.part.charset is 'Declared charset; null where none is.';
comment on column mart.part.transfer_encoding is 'Declared transfer encoding; null where none is.';
comment on column mart.part.disposition is 'inline, attachment or other; null where not declared.';
comment on column mart.part.filename is 'File name, decoded; null where it has none; not safe as a path, see mart.attachment.safe_name.';
comment on column mart.part.content_id is 'Content-ID, by which a page shows an image; null where it has none.';
comment on column mart.part.octets is 'Size in bytes, decoded; null for what holds others.';
comment on column mart.part.sha256 is 'SHA-256 of the decoded content, in hexadecimal; null for what holds others.';
comment on column mart.part.attachment is 'Whether a reader would list it as a file.';
comment on column mart.part.protection is 'signed or encrypted; null for neither.';
comment on column mart.part.protected_by is 'By what: pgp, smime, password (a locked ZIP, PDF or Office file), or another protocol; null for nothing.';
comment on column mart.part.packing is 'How a part held the file: tnef (winmail.dat) or uuencode; null for a part.';

create view mart.nested_message with (security_invoker) as
select message_id, path, kind, subject, from_name, from_address, archive.domain_of(from_address) as from_domain, sent_at,
       message_id_header
from archive.nested_message;
comment on view mart.nested_message is
    'One row for each message inside a message: forwarded as attachment, in a digest, returned by a bounce.';
comment on column mart.nested_message.message_id is 'The message that holds it.';
comment on column mart.nested_message.path is 'Its first part: all its parts have paths that begin so.';
comment on column mart.nested_message.kind is 'message, or headers where only its headers were sent along.';
comment on column mart.nested_message.subject is 'Its subject, decoded; null where there is none.';
comment on column mart.nested_message.from_name is 'Display name of its first From address; null or empty where there is none.';
comment on column mart.nested_message.from_address is 'Its first From address, in lower case; null where there is none.';
comment on column mart.nested_message.from_domain is 'Domain of that address; null where that is, or has no @.';
comment on column mart.nested_message.sent_at is 'When it was sent, by its Date header; null where that is missing or unreadable.';
comment on column mart.nested_message.message_id_header is 'Its Message-ID as written: joins mart.message.message_id_header; null where there is none.';

create view mart.nested_header with (security_invoker) as
select n.message_id, n.path, h.position, h.pair ->> 0 as name, h.pair ->> 1 as value
from archive.nested_message n, jsonb_array_elements(n.headers) with ordinality as h (pair, position);
comment on view mart.nested_header is 'One row for each header of a message inside a message, in order and repeated as it came.';
comment on column mart.nested_header.message_id is 'The message that holds it.';
comment on column mart.nested_header.path is 'The message inside, as in mart.nested_message.';
comment on column mart.nested_header.position is 'Place of the header, from 1.';
comment on column mart.nested_header.name is 'Name as written; compare with lower(name).';
comment on column mart.nested_header.value is 'Value, unfolded and decoded.';

create view mart.report with (security_invoker) as
select message_id, path, kind, final_recipient, original_recipient, action, status, diagnostic, reporter, remote_host,
       original_message_id
from archive.report;
comment on view mart.report is
    'One row for each recipient that a report tells of: a bounce, a read receipt, a complaint.';
comment on column mart.report.message_id is 'The message that is the report.';
comment on column mart.report.path is 'The part that says so.';
comment on column mart.report.kind is 'delivery (a bounce, or word that it went well), disposition (a read receipt) or feedback (a complaint).';
comment on column mart.report.final_recipient is 'Address at which it ended, in lower case; null where the report does not say.';
comment on column mart.report.original_recipient is 'Address that the sender gave, in lower case; null where the report does not say.';
comment on column mart.report.action is 'failed, delayed, delivered, relayed, expanded; displayed, deleted; abuse and so on; null where it does not say.';
comment on column mart.report.status is 'Status code: 4.x.x for now, 5.x.x for good; 5.1.1 is an unknown mailbox, 5.2.2 a full one; null where it does not say.';
comment on column mart.report.diagnostic is 'What the server said, or what failed; null where it does not say.';
comment on column mart.report.reporter is 'Server, mail client or operator that reports; null where it does not say.';
comment on column mart.report.remote_host is 'Server that refused; of a complaint, the sender''s IP address; null where it does not say.';
comment on column mart.report.original_message_id is 'The mail that it is about: joins mart.message.message_id_header; null where it does not say.';

create view mart.event with (security_invoker) as
select message_id, path, method, uid, sequence, recurrence_id, summary, starts_at, ends_at, all_day, zone, recurrence,
       organizer, attendees, answer, location
from archive.event;
comment on view mart.event is 'One row for each calendar event in a message: invitations, answers, cancellations.';
comment on column mart.event.message_id is 'The message.';
comment on column mart.event.path is 'The part that has it.';
comment on column mart.event.method is 'REQUEST invites, REPLY answers, CANCEL calls off; PUBLISH, COUNTER and others; null where it does not say.';
comment on column mart.event.uid is 'Name of the event, the same in all mail about it; null where it has none.';
comment on column mart.event.sequence is 'Its revision; null where it does not say.';
comment on column mart.event.recurrence_id is 'Which occurrence of a series it is about, as written; null for all of it.';
comment on column mart.event.summary is 'Title; null where it has none.';
comment on column mart.event.starts_at is 'Start; where zone is null, the clock''s time as if it were UTC; null where there is none.';
comment on column mart.event.ends_at is 'End, likewise; of whole days, the day after; null where there is none.';
comment on column mart.event.all_day is 'Whether it has dates and no times.';
comment on column mart.event.zone is 'Its time zone as written; null for a date, and for a time of wherever one is.';
comment on column mart.event.recurrence is 'How it recurs (RRULE), as written; null where it does not.';
comment on column mart.event.organizer is 'Address of who invites, in lower case; null where it does not say.';
comment on column mart.event.attendees is 'Addresses of who is invited, in lower case; of a reply, who answers.';
comment on column mart.event.answer is 'Of a reply, what the attendee says: ACCEPTED, DECLINED, TENTATIVE and so on; null for what is no reply.';
comment on column mart.event.location is 'Where it takes place; null where it does not say.';
