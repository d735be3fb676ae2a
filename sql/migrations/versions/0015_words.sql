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

create or replace function search.purge(segment integer) returns void language plpgsql as $$
declare
    gone constant boolean[] := array(
        select u.message_id is null
        from search.stretch s, unnest(s.message_ids) with ordinality as u (message_id, at)
        where s.segment_id = segment order by s.number, u.at);
    p record;
begin
    for p in
        select g.bucket, g.terms, g.ends, g.places, array(
            select at from unnest(g.places) with ordinality as u (place, at) where gone[place] order by at) as removed
        from search.posting g where g.segment_id = segment
    loop
        continue when p.removed = '{}';
        p.places := array(
            select place from unnest(p.places) with ordinality as u (place, at) where not gone[place] order by at);
        select array_agg(term order by n), array_agg(upto order by n) into p.terms, p.ends
        from (
            select n, term, upto, coalesce(lag(upto) over (order by n), 0) as since
            from unnest(p.terms, p.ends) with ordinality as lists (term, old, n), lateral (
                select old - width_bucket(old::bigint, p.removed)::integer as upto) as shortened
        ) as lists
        where upto > since;
        delete from search.posting g where g.segment_id = segment and g.bucket = p.bucket;
        insert into search.posting (segment_id, bucket, terms, ends, places)
        select segment, p.bucket, p.terms, p.ends, p.places where p.terms is not null;
    end loop;
    update search.common c set holders = c.holders & (
        select string_agg(case when is_gone then '0' else '1' end, '' order by place)::bit varying
        from unnest(gone) with ordinality as u (is_gone, place))
    where c.segment_id = segment;
    delete from search.common c where c.segment_id = segment and bit_count(c.holders) = 0;
    -- Dates stay in order: what is gone gets that of the one before it.
    update search.stretch s set sent_ats = dated.sent_ats
    from (
        select number, array_agg(coalesce(latest, '-infinity') order by at) as sent_ats
        from (
            select t.number, u.at,
                   max(u.sent_at) filter (where u.message_id is not null) over (order by t.number, u.at) as latest
            from search.stretch t, unnest(t.message_ids, t.sent_ats) with ordinality as u (message_id, sent_at, at)
            where t.segment_id = segment
        ) as each
        group by number
    ) as dated
    where s.segment_id = segment and s.number = dated.number;
    update search.segment s set (oldest, newest) = (
        select min(u.sent_at), max(u.sent_at)
        from search.stretch t, unnest(t.message_ids, t.sent_ats) as u (message_id, sent_at)
        where t.segment_id = segment and u.message_id is not null and u.sent_at > '-infinity')
    where s.segment_id = segment;
end $$;

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
