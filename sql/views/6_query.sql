-- Search: what a person typed, as terms and clauses.
-- Folding, words and terms are those of etl/mime/terms.py; tests hold the two together.

create or replace function search.separators() returns text language sql immutable parallel safe
return '\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02c2-\u02df'
    '\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030-\u303f\u30fb\ue000-\uf8ff\ufe00-\ufe6f\uff00-\uff0f'
    '\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff\U0001f000-\U0001faff';
comment on function search.separators is 'Characters between words, for a bracket of a regular expression.';

create or replace function search.unspaced() returns text language sql immutable parallel safe
return '\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff'
    '\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff';
comment on function search.unspaced is
    'Characters of Chinese, Japanese and Korean, whose words are pairs of neighbours; for a bracket.';

create or replace function search.folded(content text) returns text
language plpgsql immutable strict parallel safe as $$
begin
    -- Each step is for what few texts hold: translate takes a millisecond, asking a hundredth of one.
    if octet_length(content) = length(content) then
        return lower(content);
    end if;
    if content ~ '[\u00c0-\u052f\u1e00-\u1fff\u0300-\u036f]' then
        content := normalize(regexp_replace(normalize(content, nfd), '[\u0300-\u036f]', '', 'g'), nfc);
    end if;
    content := lower(content);
    if content ~ '[øłđıħŧς]' then
        content := translate(content, 'øłđıħŧς', 'oldihtσ');
    end if;
    if content ~ '[\uff01-\uff5e]' then
        content := translate(content,
            '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～',
            '!"#$%&''()*+,-./0123456789:;<=>?@[\]^_`abcdefghijklmnopqrstuvwxyz{|}~');
    end if;
    return content;
end
$$;
comment on function search.folded is 'The text in small letters without accents, a character for a character.';

create or replace function search.words(content text) returns text[] language sql immutable strict parallel safe
return (
    select coalesce(array_agg(run[1] order by place), '{}')
    from regexp_matches(search.folded(content),
        format('[^%1$s%2$s]+|[%2$s]+', search.separators(), search.unspaced()), 'g')
        with ordinality as runs (run, place)
);
comment on function search.words is 'The words of a text in order, folded; runs of unspaced scripts as they stand.';

create or replace function search.spelt(word text) returns text language sql immutable strict parallel safe
return replace(replace(replace(replace(word, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
comment on function search.spelt is 'A folded word with two letters for what is written with one or two.';

create or replace function search.term(name text) returns integer language plpgsql immutable strict parallel safe as $$
declare
    octets bytea := convert_to(name, 'UTF8');
    crc bigint := 4294967295;
begin
    -- CRC-32 as in zlib; Postgres has a function for it only since version 18.
    for i in 0 .. length(octets) - 1 loop
        crc := crc # get_byte(octets, i);
        for bit in 1 .. 8 loop
            crc := (crc >> 1) # (3988292384 * (crc & 1));
        end loop;
    end loop;
    crc := crc # 4294967295;
    return case when crc > 2147483647 then crc - 4294967296 else crc end;
end
$$;
comment on function search.term is 'The number that stands for a word, or for a word behind the name of its field.';

create or replace function search.pieces(words text[]) returns text[] language sql immutable strict parallel safe
return array(
    select distinct piece
    from unnest(words) as word, lateral (
        select search.spelt(word) as piece where word !~ format('^[%s]', search.unspaced())
        union all
        select substr(word, n, 2) from generate_series(1, greatest(length(word) - 1, 1)) as n
        where word ~ format('^[%s]', search.unspaced())
    ) as pieces
);
comment on function search.pieces is
    'Words as they are in the terms: of runs of unspaced scripts the pairs of neighbours.';

create or replace function search.terms(field text, words text[]) returns integer[]
language sql immutable strict parallel safe
return array(select search.term(field || piece) from unnest(search.pieces(words)) as piece);
comment on function search.terms is
    'The terms that a message has which has all these words in this field; any field: an empty name.';

create or replace function search.heads(asked search.alternative[]) returns integer[] language sql stable
return array(
    select distinct search.term('^' || piece)
    from unnest(asked) as a, unnest(search.pieces(search.words(a.value))) as piece
    where a.kind = 'words' and a.field is null and not a.excluded
);
comment on function search.heads is
    'The terms of a query''s plain words in the head of a message: subject, names, file names.';

create or replace function search.pattern(words text[]) returns text language sql immutable strict parallel safe
return (
    select concat(
        case when words[1] !~ unspaced then format('(?<![^%s%s])', search.separators(), search.unspaced()) end,
        string_agg(concat(
            case
                when place = 1 then ''
                when word ~ unspaced or words[place - 1] ~ unspaced then format('[%s]*', search.separators())
                else format('[%s]+', search.separators())
            end,
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(search.spelt(word),
                'ss', '(?:ss|ß)', 'g'), 'ae', '(?:ae|æ)', 'g'), 'oe', '(?:oe|œ)', 'g'), 'th', '(?:th|þ)', 'g')
        ), '' order by place),
        case when words[cardinality(words)] !~ unspaced
             then format('(?![^%s%s])', search.separators(), search.unspaced()) end)
    from unnest(words) with ordinality as w (word, place), format('^[%s]', search.unspaced()) as unspaced
    group by unspaced
);
comment on function search.pattern is 'A regular expression for these words in this order in folded text.';

create or replace function search.refuse(sentence text) returns void language plpgsql as $$
begin
    raise exception '%', sentence using errcode = 'invalid_parameter_value';
end
$$;
comment on function search.refuse is 'Refuses a query, in a sentence that says what to do.';

create or replace function search.date(field text, written text) returns timestamptz language plpgsql stable as $$
declare
    piece text[] := regexp_match(written, '^(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?$');
    sentence text := format('%s: wants a date such as 2026-03-31, 2026-03 or 2026, not %s', field, written);
begin
    if piece is null then
        perform search.refuse(sentence);
    end if;
    return make_timestamptz(
        piece[1]::integer, coalesce(piece[2], '1')::integer, coalesce(piece[3], '1')::integer, 0, 0, 0, 'UTC');
exception when datetime_field_overflow then
    perform search.refuse(sentence);
end
$$;
comment on function search.date is 'The first moment (UTC) of a day, month or year as written in a query.';

create or replace function search.items(query text) returns search.alternative[] language sql stable
return array(
    select row(
        null, sign = '-',
        case when not quoted and not sign = '-' and field is null and lower(value) = 'or' then 'or'
             when field in ('before', 'after', 'mailbox', 'label', 'saved') then field
             else 'words' end,
        -- The colon of a page's address.
        case when value not like '//%' then field end,
        case when value like '//%' then concat(field, value) when quoted then trim('"' from value) else value end,
        null, null)::search.alternative
    from regexp_matches(translate(query, '“”„', '"""'), '(-?)(?:([[:alpha:]]+):)?("[^"]*(?:"|$)|\S+)', 'g')
             with ordinality as items (item, place),
         lateral (
             select item[1] as sign, lower(item[2]) as field, item[3] as value, item[3] like '"%' as quoted
         ) as named
    order by place
);
comment on function search.items is
    'The pieces of a query as typed: signs, fields, values; without terms, clauses or doubt.';

create or replace function search.worded(item search.alternative) returns search.alternative
language plpgsql stable as $$
declare
    words text[] := search.words(item.value);
begin
    if item.field is null
       and item.value ~* '^(from|to|cc|bcc|subject|filename|has|mailbox|label|before|after|saved):$' then
        perform search.refuse(item.value || ' wants its value right behind the colon');
    elsif item.value ~ '[^*]\*$' then
        perform search.refuse(format(
            'a word is found whole: write out what %s stands for, with or between', item.value));
    elsif item.field = 'has' then
        if lower(item.value) not in ('attachment', 'attachments') then
            perform search.refuse(format('has: knows only has:attachment, not %s', item.value));
        end if;
        item.terms := array[search.term('has:attachment')];
    elsif item.field is not null and item.field not in ('from', 'to', 'cc', 'bcc', 'subject', 'filename') then
        perform search.refuse(format(
            'there is no operator %1$s:; known are from, to, cc, bcc, subject, filename, has, mailbox, label, before, '
            'after and saved; "%1$s:%2$s" in quotes are words', item.field, item.value));
    elsif item.field in ('from', 'to', 'cc', 'bcc') and item.value ~ '^[^@\s]+@[^@\s]+$' then
        item.terms := array[search.term(item.field || ':' || lower(item.value))];
    else
        item.terms := search.terms(coalesce(item.field || ':', ''), words);
        if cardinality(words) > 1 or words[1] ~ format('^[%s]{3}', search.unspaced()) then
            item.pattern := search.pattern(words);
        end if;
    end if;
    return item;
end
$$;
comment on function search.worded is 'Words of a query with their terms, and a pattern where their order counts.';

create or replace function search.named(item search.alternative) returns search.alternative
language plpgsql stable as $$
begin
    if item.kind in ('before', 'after') then
        item.value := search.date(item.kind, item.value);
        if item.excluded then
            perform search.refuse(item.kind || ': cannot be excluded');
        end if;
    elsif item.kind = 'mailbox' and not exists (select from archive.mailbox where name = item.value)
          or item.kind = 'label' and not exists (select from search.label where name = item.value) then
        perform search.refuse(format('there is no %s %s', item.kind, item.value));
    end if;
    return item;
end
$$;
comment on function search.named is 'A date, mailbox or label of a query, if there is such a one.';

create or replace function search.parsed(query text, saved boolean default false) returns search.alternative[]
language plpgsql stable as $$
declare
    asked search.alternative[] := '{}';
    item search.alternative;
    joined boolean := false;
    last search.alternative;
begin
    foreach item in array search.items(query) loop
        last := asked[cardinality(asked)];
        if item.kind = 'or' and last.clause is not null then
            joined := true;
            continue;
        elsif item.kind = 'saved' then
            if saved or item.excluded or joined then
                perform search.refuse('saved: stands by itself: not in a saved search, not behind - or or');
            end if;
            asked := asked || search.within(item.value, coalesce(last.clause, 0));
            continue;
        elsif item.kind in ('or', 'words') then
            item.kind := 'words';
            item := search.worded(item);
            -- Punctuation alone says nothing.
            continue when item.terms = '{}';
        else
            item := search.named(item);
        end if;
        if joined and (item.excluded or last.excluded or item.kind <> last.kind or item.kind in ('before', 'after'))
        then
            perform search.refuse(
                'or joins words with words, mailboxes with mailboxes, labels with labels, none of them excluded');
        end if;
        item.clause := coalesce(last.clause, 0) + case when joined then 0 else 1 end;
        asked := asked || item;
        joined := false;
    end loop;
    if asked = '{}' then
        perform search.refuse('a search wants a word or an operator');
    end if;
    return asked;
end
$$;
comment on function search.parsed is 'What a person typed as clauses, all of which are to be satisfied.';

create or replace function search.within(saved_name text, clauses integer) returns search.alternative[]
language plpgsql stable as $$
declare
    saved_query text := (select s.query from search.saved s where s.name = saved_name);
begin
    if saved_query is null then
        perform search.refuse('there is no saved search ' || saved_name);
    end if;
    return array(
        select row(a.clause + clauses, a.excluded, a.kind, a.field, a.value, a.terms, a.pattern)::search.alternative
        from unnest(search.parsed(saved_query, true)) as a
    );
end
$$;
comment on function search.within is 'The clauses of a saved search, numbered on.';
