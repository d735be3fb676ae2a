-- The index of words in smaller rows. A query that asks for a rare word and a common one had to read, for the two messages
-- of a segment that have the rare one, the numbers and dates of all 8,192, and the list of all that have the common one.

-- One row for each 64 places of a segment: the messages there.
create table search.stretch (
    segment_id integer not null references search.segment,
    number integer not null,
    message_ids bigint[] not null,
    sent_ats timestamptz[] not null,
    primary key (segment_id, number)
);
comment on column search.stretch.segment_id is 'The segment.';
comment on column search.stretch.number is '0 has the places from 1 to 64, 1 those from 65, and so on.';
comment on column search.stretch.message_ids is
    'The messages, by their place; null for one whose terms are in another segment since.';
comment on column search.stretch.sent_ats is 'Their dates, ascending; -infinity for none.';

-- In segments made before this table was, terms that much mail has are in search.posting as the others are.
-- One row for each term that more than a sixteenth of a segment's messages have: a list of them would be longer.
create table search.common (
    segment_id integer not null references search.segment,
    term integer not null,
    holders bit varying not null,
    primary key (segment_id, term)
);
comment on column search.common.segment_id is 'The segment.';
comment on column search.common.term is 'The term, as a signed number.';
comment on column search.common.holders is 'A bit for each place: 1 where the message has the term.';

insert into search.stretch (segment_id, number, message_ids, sent_ats)
select s.segment_id, (u.place - 1) / 64,
       array_agg(u.message_id order by u.place), array_agg(u.sent_at order by u.place)
from search.segment s, unnest(s.message_ids, s.sent_ats) with ordinality as u (message_id, sent_at, place)
group by s.segment_id, (u.place - 1) / 64;

alter table search.segment drop column message_ids, drop column sent_ats;

-- Compressing saves nothing of them, and was tried each time.
alter table search.posting alter places set storage external;

-- search.purge, which it calls, is made anew at each upgrade (sql/views).
create or replace function search.forget(gone bigint) returns void language plpgsql as $$
begin
    update search.stretch t set message_ids = array_replace(t.message_ids, gone, null)
    from search.segment s
    where s.segment_id = t.segment_id and gone between s.first_message_id and s.last_message_id
      and gone = any (t.message_ids);
    -- Also where its terms were laid in anew: which of the places without a number was its own is not known.
    perform search.purge(s.segment_id) from search.segment s
    where gone between s.first_message_id and s.last_message_id and exists (
        select from search.stretch t where t.segment_id = s.segment_id and array_position(t.message_ids, null) is not null);
end $$;
