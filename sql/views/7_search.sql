-- Search: the messages that a query finds, a page of them, and where the hits stand.
-- The index of words is one for all mailboxes, and the owner's alone: search.window reads it with the owner's rights, and
-- nothing leaves it that the login does not see. All else is done with the caller's rights (sql/rights/2_grants.sql).

create or replace function search.places(segment integer, term integer) returns integer[]
language sql stable parallel safe
return coalesce((
    select p.places[coalesce(p.ends[at - 1], 0) + 1 : p.ends[at]]::integer[]
    from search.posting p, array_position(p.terms, term) as at
    where p.segment_id = segment and p.bucket = term >> 21 and at is not null
), (
    select array(select place from generate_series(1, length(c.holders)) as place where get_bit(c.holders, place - 1) = 1)
    from search.common c where c.segment_id = segment and c.term = places.term
));
comment on function search.places is 'The places in a segment of the messages that have the term; null for none.';

create or replace function search.spread(segment integer, term integer) returns bigint
language sql stable parallel safe
return coalesce((
    select p.ends[at] - coalesce(p.ends[at - 1], 0)
    from search.posting p, array_position(p.terms, term) as at
    where p.segment_id = segment and p.bucket = term >> 21 and at is not null
), (
    select bit_count(c.holders) from search.common c where c.segment_id = segment and c.term = spread.term
), 0);
comment on function search.spread is 'How many messages of a segment have the term.';

create or replace function search.among(segment integer, kept integer[], terms integer[]) returns integer[]
language plpgsql stable as $$
declare
    wanted integer;
    bits bit varying;
    list integer[];
begin
    foreach wanted in array terms loop
        exit when kept = '{}';
        select c.holders into bits from search.common c where c.segment_id = segment and c.term = wanted;
        if bits is not null then
            -- A segment may have fewer places than are asked for.
            kept := array(
                select place from unnest(kept) as place
                where case when place <= length(bits) then get_bit(bits, place - 1) end = 1);
            continue;
        end if;
        select p.places[coalesce(p.ends[at - 1], 0) + 1 : p.ends[at]] into list
        from search.posting p, array_position(p.terms, wanted) as at
        where p.segment_id = segment and p.bucket = wanted >> 21 and at is not null;
        kept := kept operator(search.&) coalesce(list, '{}');
    end loop;
    return kept;
end
$$;
comment on function search.among is 'Of these places in a segment, those of messages that have all the terms.';

create or replace function search.places_asked(segment integer, places integer[], asked search.alternative[])
returns integer[] language plpgsql stable as $$
declare
    kept integer[] := places;
    satisfying integer[] := '{}';
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        continue when a.kind <> 'words';
        if a.excluded then
            -- Where the order of words counts, only the text can tell.
            if a.pattern is null then
                kept := kept operator(search.-) search.among(segment, kept, a.terms);
            end if;
        else
            satisfying := satisfying operator(search.|) search.among(segment, kept, a.terms);
            continue when asked[i + 1].clause = a.clause;
            kept := satisfying;
            satisfying := '{}';
        end if;
        exit when kept = '{}';
    end loop;
    return kept;
end
$$;
comment on function search.places_asked is 'Of these places in a segment, those whose terms satisfy all clauses.';

create or replace function search.rarest(asked search.alternative[]) returns integer language sql stable
return (
    select term
    from unnest(asked) as a, unnest(a.terms) as term
    where a.kind = 'words' and not a.excluded and (select count(*) from unnest(asked) where clause = a.clause) = 1
    order by search.spread((select max(segment_id) from search.segment), term) limit 1
);
comment on function search.rarest is
    'Of the terms that all matches have the rarest, by the newest segment; null where there is none.';

create or replace function search.has_asked(terms bytea, asked search.alternative[]) returns boolean
language plpgsql immutable as $$
declare
    satisfied boolean := false;
    has boolean;
    term integer;
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        continue when a.kind <> 'words' or a.excluded and a.pattern is not null;
        has := true;
        foreach term in array a.terms loop
            has := position(int4send(term) in terms) > 0;
            exit when not has;
        end loop;
        satisfied := satisfied or has <> a.excluded;
        continue when asked[i + 1].clause = a.clause;
        if not satisfied then
            return false;
        end if;
        satisfied := false;
    end loop;
    return true;
end
$$;
comment on function search.has_asked is 'Whether these terms satisfy all clauses.';

create or replace function search.scores(segment integer, kept integer[], heads integer[]) returns integer[]
language plpgsql stable as $$
declare
    hits integer[] := '{}';
begin
    for i in 1 .. cardinality(heads) loop
        hits := hits || search.among(segment, kept, heads[i : i]);
    end loop;
    if hits = '{}' then
        return array_fill(0, array[cardinality(kept)]);
    end if;
    return array(select count(*) - 1 from unnest(kept || hits) as place group by place order by place);
end
$$;
comment on function search.scores is
    'For each place, how many plain words of the query are in the head of its message.';

create or replace function search.score(terms bytea, heads integer[]) returns integer
language plpgsql immutable as $$
declare
    score integer := 0;
begin
    for i in 1 .. cardinality(heads) loop
        score := score + (position(int4send(heads[i]) in terms) > 0)::integer;
    end loop;
    return score;
end
$$;
comment on function search.score is 'How many plain words of the query are in the head of a message with these terms.';

create or replace function search.held(mailboxes bigint[]) returns bigint[] language sql stable
return case
    when (select count(*) from (select from archive.delivery where mailbox_id = any (mailboxes) limit 20001) as d) <= 20000
    -- Offset 0: one by one, for the whole ledger, that Postgres would rather read, has no bound.
    then array(
        select distinct l.message_id from archive.delivery d, lateral (
            select message_id from archive.ledger where delivery_id = d.delivery_id and message_id is not null offset 0) as l
        where d.mailbox_id = any (mailboxes) order by l.message_id)
end;
comment on function search.held is 'The messages that these mailboxes held, ascending; null for too many to list.';

create or replace function search.sees_all() returns boolean language sql stable
return pg_has_role(session_user, 'popvault_auditor', 'member')
    or (select rolbypassrls from pg_roles where rolname = session_user)
    or (select pg_has_role(session_user, relowner, 'member') from pg_class where oid = 'archive.message'::regclass)
    or exists (
        select from ops.mailbox_right where mailbox_id is null and pg_has_role(session_user, role, 'member'));
comment on function search.sees_all is
    'Whether row-level security hides nothing from the role that logged in: ops.mailboxes_seen names what else it sees.';

create or replace function search.chosen(asked search.alternative[]) returns bigint[] language plpgsql stable as $$
declare
    few constant integer := 20000;
    one_clause integer := (select min(clause) from unnest(asked) where kind in ('mailbox', 'label') and not excluded);
    values text[] := array(select value from unnest(asked) where clause = one_clause);
    ids bigint[];
begin
    if (select kind from unnest(asked) where clause = one_clause limit 1) = 'mailbox' then
        return search.held(array(select mailbox_id from archive.mailbox where name = any (values)));
    elsif one_clause is not null then
        ids := array(select message_id from search.labelled join search.label using (label_id)
                     where name = any (values) limit few + 1);
        return case when cardinality(ids) <= few then array(select distinct unnest(ids) order by 1) end;
    end if;
    return null;
end
$$;
comment on function search.chosen is
    'The messages of the mailbox or label asked for, ascending; null for too many to list, or where none is asked for.';

create or replace function search.window(
    asked search.alternative[], heads integer[], within bigint[], inout top bigint, inout bottom bigint,
    out ids bigint[], out sent_ats timestamptz[], out scores integer[]
) language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    -- So many matches are ranked among each other: enough that a page holds the best of a long time.
    ranked constant integer := 250;
    -- Of what the login does not see nothing counts below, not even for how far the window reaches.
    sees_all constant boolean := search.sees_all();
    mailboxes constant bigint[] := ops.mailboxes_seen();
    seen constant bigint[] := case when not sees_all then search.held(mailboxes) end;
    one_by_one constant boolean := not sees_all and seen is null;
    chosen constant bigint[] := case
        when seen is null or within is null then coalesce(seen, within)
        else array(select unnest(seen) intersect select unnest(within) order by 1) end;
    everything constant integer[] := array(select generate_series(1, 8192));
    since constant timestamptz := (select max(value::timestamptz) from unnest(asked) where kind = 'after');
    until constant timestamptz := (select min(value::timestamptz) from unnest(asked) where kind = 'before');
    a_moment constant interval := '1 microsecond';
    -- Terms that all matches have, or have not, and whether that is all there is to ask: nearly always.
    wanted constant bytea[] := array(
        select int4send(term) from unnest(asked) as a, unnest(a.terms) as term
        where not a.excluded and (select count(*) from unnest(asked) where clause = a.clause) = 1 limit 4);
    unwanted constant bytea[] := array(
        select int4send(terms[1]) from unnest(asked)
        where excluded and pattern is null and cardinality(terms) = 1 limit 2);
    rarest constant integer := search.rarest(asked);
    plain constant boolean := cardinality(wanted || unwanted)
        = (select coalesce(sum(cardinality(terms)), 0) from unnest(asked));
    read_again constant boolean := (select min(f.message_id) from search.fresh f)
        <= (select max(last_message_id) from search.segment);
    -- All that are looked at have the rarest term.
    others constant search.alternative[] := array(
        select row(clause, excluded, kind, field, value, array_remove(terms, rarest), pattern)::search.alternative
        from unnest(asked) with ordinality as a (clause, excluded, kind, field, value, terms, pattern, place) order by place);
    -- Not all that a segment has counts: seldom so, and to ask takes as long as all the rest.
    picked constant boolean := read_again or chosen is not null or one_by_one;
    last_ranked bigint;
    s record;
    kept integer[];
    chosen_here bigint[];
    here record;
begin
    select coalesce(array_agg(f.message_id), '{}'), coalesce(array_agg(coalesce(f.sent_at, '-infinity')), '{}'),
           coalesce(array_agg(search.score(f.terms, heads)), '{}')
    into ids, sent_ats, scores
    from (
        select * from search.fresh f
        where f.message_id < top and f.message_id >= coalesce(bottom, 0)
          and (since is null or f.sent_at >= since) and (until is null or f.sent_at < until)
          and (wanted[1] is null or position(wanted[1] in f.terms) > 0)
          and (wanted[2] is null or position(wanted[2] in f.terms) > 0)
          and (wanted[3] is null or position(wanted[3] in f.terms) > 0)
          and (wanted[4] is null or position(wanted[4] in f.terms) > 0)
          and (unwanted[1] is null or position(unwanted[1] in f.terms) = 0)
          and (unwanted[2] is null or position(unwanted[2] in f.terms) = 0)
          and (plain or search.has_asked(f.terms, asked))
          and (chosen is null or f.message_id in (select unnest(chosen)))
          and (not one_by_one or exists (
              select from archive.ledger l join archive.delivery d using (delivery_id)
              where l.message_id = f.message_id and d.mailbox_id = any (mailboxes)))
        order by f.message_id desc limit case when bottom is null then ranked end
    ) as f;
    for s in
        select g.segment_id, g.first_message_id, g.last_message_id from search.segment g
        where g.first_message_id < top and g.last_message_id >= coalesce(bottom, 0)
          and (since is null or g.newest >= since) and (until is null or g.oldest < until)
          and (chosen is null
               or width_bucket(g.first_message_id - 1, chosen) < width_bucket(g.last_message_id, chosen))
        order by g.last_message_id desc
    loop
        if bottom is null and cardinality(ids) >= ranked then
            last_ranked := (select id from unnest(ids) as id order by id desc offset ranked - 1 limit 1);
            exit when last_ranked > s.last_message_id;
        end if;
        kept := case when rarest is null then everything else search.places(s.segment_id, rarest) end;
        continue when kept is null;
        if since is not null or until is not null then
            kept := kept operator(search.&) (
                select everything[
                    sum(width_bucket(coalesce(since - a_moment, '-infinity'), t.sent_ats)) + 1
                    : sum(width_bucket(coalesce(until - a_moment, 'infinity'), t.sent_ats))]
                from search.stretch t where t.segment_id = s.segment_id);
        end if;
        kept := search.places_asked(s.segment_id, kept, others);
        continue when kept = '{}';
        -- A place whose terms count no longer has no number.
        select array_agg(t.message_ids[k.place - 64 * t.number]) as ids,
               array_agg(t.sent_ats[k.place - 64 * t.number]) as sent_ats, array_agg(k.score) as scores
        into here
        from unnest(kept, search.scores(s.segment_id, kept, heads)) as k (place, score)
        join search.stretch t on t.segment_id = s.segment_id and t.number = (k.place - 1) / 64
        where t.message_ids[k.place - 64 * t.number] between coalesce(bottom, 0) and top - 1;
        if picked then
            chosen_here := chosen[
                width_bucket(s.first_message_id - 1, chosen) + 1 : width_bucket(s.last_message_id, chosen)];
            select array_agg(m.id) as ids, array_agg(m.sent_at) as sent_ats, array_agg(m.score) as scores into here
            from unnest(here.ids, here.sent_ats, here.scores) as m (id, sent_at, score)
            -- Read again since: what the segment says of it counts no longer.
            where (not read_again or not exists (select from search.fresh f where f.message_id = m.id))
              and (chosen is null or m.id in (select unnest(chosen_here)))
              and (not one_by_one or exists (
                  select from archive.ledger l join archive.delivery d using (delivery_id)
                  where l.message_id = m.id and d.mailbox_id = any (mailboxes)));
        end if;
        ids := ids || here.ids;
        sent_ats := sent_ats || here.sent_ats;
        scores := scores || here.scores;
    end loop;
    top := least(top, (select max(id) + 1 from unnest(ids) as id));
    bottom := coalesce(bottom, (select id from unnest(ids) as id order by id desc offset ranked - 1 limit 1), 0);
    -- Where segments end, which others' mail decides, must not be seen either.
    select array_agg(u.id), array_agg(u.sent_at), array_agg(u.score) into ids, sent_ats, scores
    from unnest(ids, sent_ats, scores) as u (id, sent_at, score) where u.id >= bottom;
end
$$;
comment on function search.window is
    'The next matches below a message number that are ranked among each other, of those that the login sees and that are '
    'within a list, if there is one; and from which number down to which they reach.';

create or replace function search.text(id bigint, field text) returns text language plpgsql stable as $$
begin
    return case
        when field = 'subject' then (select r.subject from archive.reading r where r.message_id = id)
        when field = 'filename' then (
            select string_agg(a.filename, E'\n' order by a.path) from mart.attachment a where a.message_id = id)
        when field in ('from', 'to', 'cc', 'bcc') then (
            select string_agg(concat_ws(' ', p.name, p.written), E'\n' order by p.position) from mart.participant p
            where p.message_id = id and (p.role = field or (field = 'from' and p.role = 'sender')))
        when field = 'inside' then (
            select string_agg(concat_ws(' ', n.subject, n.from_name, n.from_address), E'\n' order by n.path)
            from mart.nested_message n where n.message_id = id)
        when field = 'body' then (select b.body from mart.body b where b.message_id = id)
        else (select string_agg(search.text(id, each), E'\n')
              from unnest('{subject,from,to,cc,bcc,filename,inside}'::text[]) as each)
    end;
end
$$;
comment on function search.text is 'A field of a message; its text: body; who wrote messages inside it, and of what: inside; all but the text: null.';

create or replace function search.unsure(asked search.alternative[]) returns search.alternative[] language sql immutable
return array(
    select a from unnest(asked) as a
    where a.clause in (
        select b.clause from unnest(asked) as b where b.pattern is not null or b.kind in ('mailbox', 'label'))
    order by a.clause
);
comment on function search.unsure is 'The clauses of which terms do not tell whether a message satisfies them.';

create or replace function search.standing(ids bigint[], scores integer[], asked search.alternative) returns bigint[]
language plpgsql stable as $$
declare
    pattern constant text := coalesce(asked.pattern, search.pattern(search.words(asked.value)));
    -- Of a message whose head has not all of the words the head need not be read.
    least constant integer := case when asked.excluded then 0 else cardinality(search.heads(array[asked])) end;
    standing bigint[];
begin
    if asked.field is not null then
        return array(select id from unnest(ids) as id where search.folded(search.text(id, asked.field)) ~ pattern);
    end if;
    standing := array(
        select b.message_id from mart.body b where b.message_id = any (ids) and search.folded(b.body) ~ pattern);
    return standing || array(
        select id from unnest(ids, scores) as u (id, score)
        where score >= least and id <> all (standing) and search.folded(search.text(id, null)) ~ pattern);
end
$$;
comment on function search.standing is
    'Of these messages, those in whose field, or text or head, the words stand in their order.';

create or replace function search.satisfying(ids bigint[], scores integer[], asked search.alternative[])
returns bigint[] language plpgsql stable as $$
declare
    satisfying bigint[] := '{}';
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        satisfying := satisfying || case coalesce(nullif(a.kind, 'words'), a.field)
            when 'mailbox' then array(
                select l.message_id from archive.ledger l join archive.delivery d using (delivery_id)
                join archive.mailbox b using (mailbox_id)
                where l.message_id = any (ids) and b.name = a.value)
            when 'label' then array(
                select l.message_id from search.labelled l join search.label b using (label_id)
                where l.message_id = any (ids) and b.name = a.value)
            when 'has' then array(select f.message_id from mart.attachment f where f.message_id = any (ids))
            else search.standing(ids, scores, a)
        end;
        continue when asked[i + 1].clause = a.clause;
        select array_agg(id), array_agg(score) into ids, scores
        from unnest(ids, scores) as u (id, score) where (id = any (satisfying)) <> a.excluded;
        exit when ids is null;
        satisfying := '{}';
    end loop;
    return ids;
end
$$;
comment on function search.satisfying is
    'Of these messages, those that themselves satisfy the clauses (order of words, mailboxes, labels); null for none.';

create or replace function search.cut(content text, hits text) returns text language plpgsql immutable strict as $$
declare
    near constant integer := 60;
    whole constant integer := 160;
    plain text := search.folded(content);
    at integer;
    upto integer;
    shown text := '';
begin
    -- Marks that are letters of their own are lost in folding: then the folded text is shown.
    content := case when length(plain) = length(content) then content else plain end;
    at := regexp_instr(plain, hits);
    if at = 0 then
        return null;
    end if;
    at := greatest(1, at - near);
    content := substr(content, at, whole);
    plain := substr(plain, at, whole);
    loop
        at := regexp_instr(plain, hits);
        exit when at = 0;
        upto := regexp_instr(plain, hits, 1, 1, 1);
        shown := shown || left(content, at - 1) || '«' || substr(content, at, upto - at) || '»';
        content := substr(content, upto);
        plain := substr(plain, upto);
    end loop;
    return trim(regexp_replace(shown || content, '\s+', ' ', 'g'));
end
$$;
comment on function search.cut is 'The text around the first hit, hits marked «so»; null where there is none.';

create or replace function search.hits(asked search.alternative[]) returns text language sql stable
return (
    select string_agg(hit, '|')
    from unnest(asked) as a, lateral (
        select a.pattern as hit where a.pattern is not null
        union all
        select search.pattern(array[word]) from unnest(search.words(a.value)) as word where a.pattern is null
    ) as patterns
    where a.kind = 'words' and not a.excluded and a.field is distinct from 'has'
);
comment on function search.hits is 'A regular expression for what a query finds.';

create or replace function search.fields(asked search.alternative[]) returns text[] language sql immutable
return (
    select coalesce(array_agg(distinct field) filter (where field <> 'has'), '{}')
    from unnest(asked) where kind = 'words' and not excluded having bool_and(field is not null)
);
comment on function search.fields is 'The fields that a query names, if all of its words are sought in one.';

create or replace function search.snippet(id bigint, hits text, fields text[]) returns text
language plpgsql stable as $$
declare
    -- Folding takes a millisecond for so many characters; the hit is seldom behind them.
    first constant integer := 20000;
    body constant text := search.text(id, 'body');
    field text;
    shown text;
begin
    foreach field in array fields || '{body,subject,filename,from,to,cc,bcc,inside}'::text[] loop
        shown := search.cut(case when field = 'body' then left(body, first) else search.text(id, field) end, hits);
        if shown is not null then
            return shown;
        end if;
    end loop;
    return coalesce(
        case when length(body) > first then search.cut(body, hits) end,
        trim(regexp_replace(left(body, 160), '\s+', ' ', 'g')));
end
$$;
comment on function search.snippet is
    'A message around what was found, «marked»: in the fields asked for, else in its text, else in its head; else its beginning.';

create or replace function search.page_after(key text) returns search.page language plpgsql immutable as $$
declare
    piece text[] := regexp_match(key, '^(\d{1,18})_(\d{1,18})_(\d{1,9})_(\d{1,18})_([-+:.T\da-z]+)$');
begin
    if key is null then
        return (9223372036854775807, null, null, null, null)::search.page;
    end if;
    if piece is null then
        raise invalid_parameter_value;
    end if;
    return (piece[1], piece[2], piece[3], piece[5], piece[4])::search.page;
exception when data_exception then
    raise exception 'the key % is none that a search has given', key using errcode = 'invalid_parameter_value';
end
$$;
comment on function search.page_after is 'Where the page begins that follows the row with this key.';

create or replace function search.ranked(
    ids bigint[], sent_ats timestamptz[], scores integer[], page search.page, at_once integer,
    out these bigint[], out sent timestamptz[], out score integer[]
) returns setof record language sql immutable
begin atomic
    select array_agg(r.id order by r.place), array_agg(r.sent_at order by r.place), array_agg(r.score order by r.place)
    from (
        select *, row_number() over (order by u.score desc, u.sent_at desc, u.id desc) - 1 as place
        from unnest(ids, sent_ats, scores) as u (id, sent_at, score)
        where page.id is null or (u.score, u.sent_at, u.id) < (page.score, page.sent_at, page.id)
    ) as r
    group by r.place / at_once order by r.place / at_once;
end;
comment on function search.ranked is 'The matches of a window that follow a page, the best first, so many in a row.';

create or replace function mart.search(query text, matches integer default 20, after_key text default null)
returns table (
    message_id bigint, sent_at timestamptz, from_name text, from_address text, subject text, snippet text,
    score integer, key text
) language plpgsql stable rows 20
-- Dates as in the key; and a plan for its values would call what it reads to guess how many rows that gives.
set datestyle = 'ISO, YMD' set plan_cache_mode = force_generic_plan as $$
declare
    -- So many are read at once, where only what is in a message tells whether it matches.
    at_once constant integer := 64;
    asked constant search.alternative[] := search.parsed(query);
    heads constant integer[] := search.heads(asked);
    unsure constant search.alternative[] := search.unsure(asked);
    hits constant text := search.hits(asked);
    fields constant text[] := coalesce(search.fields(asked), '{}');
    within constant bigint[] := search.chosen(asked);
    page search.page := search.page_after(after_key);
    w record;
    r record;
    c record;
begin
    while matches > 0 loop
        w := search.window(asked, heads, within, page.top, page.bottom);
        for r in select * from search.ranked(w.ids, w.sent_ats, w.scores, page, at_once) loop
            for c in
                select u.* from unnest(r.these, r.sent, r.score) as u (id, sent, score)
                where unsure = '{}' or u.id in (select unnest(search.satisfying(r.these, r.score, unsure)))
                order by u.score desc, u.sent desc, u.id desc
            loop
                select m.message_id, m.sent_at, m.from_name, m.from_address, m.subject
                into message_id, sent_at, from_name, from_address, subject
                from mart.message m where m.message_id = c.id;
                continue when not found;
                snippet := search.snippet(c.id, hits, fields);
                score := c.score;
                key := concat_ws('_', w.top, w.bottom, c.score, c.id, replace(c.sent::text, ' ', 'T'));
                return next;
                matches := matches - 1;
                exit when matches = 0;
            end loop;
            exit when matches = 0;
        end loop;
        exit when w.bottom = 0;
        page := (w.bottom, null, null, null, null)::search.page;
    end loop;
end
$$;
comment on function mart.search is
    'Messages that a query finds, a page of them: mart.search(''from:ann invoice -draft'', 20, key of the last row). '
    'Of the 250 archived last that match, those come first that have most of the words in subject, names or file names, '
    'the newest of equals first; then come the 250 before them, and so on.';

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
comment on function search.purge is 'Takes out of a segment what is left of messages that it does not name any longer.';

create view mart.label with (security_invoker) as
select b.name as label, l.message_id, l.labelled_by, l.labelled_at
from search.labelled l join search.label b using (label_id);
comment on view mart.label is 'One row for each message with a label; a message may have many.';
comment on column mart.label.label is 'Name of the label.';
comment on column mart.label.message_id is 'The message.';
comment on column mart.label.labelled_by is 'Database role that put it there.';
comment on column mart.label.labelled_at is 'When.';

create view mart.saved_search with (security_invoker) as
select name, query, saved_by, saved_at from search.saved;
comment on view mart.saved_search is 'One row for each saved search; mart.search(''saved:NAME'') asks it.';
comment on column mart.saved_search.name is 'What it is called.';
comment on column mart.saved_search.query is 'What it asks.';
comment on column mart.saved_search.saved_by is 'Database role that saved it last.';
comment on column mart.saved_search.saved_at is 'When.';
