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

create or replace function search.marks() returns text language sql immutable parallel safe
return '\u0300-\u034e\u0350-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u0610-\u061a'
    '\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07eb-\u07f3\u07fd'
    '\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u082d\u0859-\u085b\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff\u093c'
    '\u094d\u0951-\u0954\u09bc\u09cd\u09fe\u0a3c\u0a4d\u0abc\u0acd\u0b3c\u0b4d\u0bcd\u0c3c\u0c4d\u0c55-\u0c56\u0cbc'
    '\u0ccd\u0d3b-\u0d3c\u0d4d\u0dca\u0e38-\u0e3a\u0e48-\u0e4b\u0eb8-\u0eba\u0ec8-\u0ecb\u0f18-\u0f19\u0f35\u0f37'
    '\u0f39\u0f71-\u0f72\u0f74\u0f7a-\u0f7d\u0f80\u0f82-\u0f84\u0f86-\u0f87\u0fc6\u1037\u1039-\u103a\u108d'
    '\u135d-\u135f\u1714-\u1715\u1734\u17d2\u17dd\u18a9\u1939-\u193b\u1a17-\u1a18\u1a60\u1a75-\u1a7c\u1a7f'
    '\u1ab0-\u1abd\u1abf-\u1ace\u1b34\u1b44\u1b6b-\u1b73\u1baa-\u1bab\u1be6\u1bf2-\u1bf3\u1c37\u1cd0-\u1cd2'
    '\u1cd4-\u1ce0\u1ce2-\u1ce8\u1ced\u1cf4\u1cf8-\u1cf9\u1dc0-\u1dff\u20d0-\u20dc\u20e1\u20e5-\u20f0\u2cef-\u2cf1'
    '\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099-\u309a\ua66f\ua674-\ua67d\ua69e-\ua69f\ua6f0-\ua6f1\ua806\ua82c\ua8c4'
    '\ua8e0-\ua8f1\ua92b-\ua92d\ua953\ua9b3\ua9c0\uaab0\uaab2-\uaab4\uaab7-\uaab8\uaabe-\uaabf\uaac1\uaaf6\uabed'
    '\ufb1e\ufe20-\ufe2f\U000101fd\U000102e0\U00010376-\U0001037a\U00010a0d\U00010a0f\U00010a38-\U00010a3a\U00010a3f'
    '\U00010ae5-\U00010ae6\U00010d24-\U00010d27\U00010eab-\U00010eac\U00010f46-\U00010f50\U00010f82-\U00010f85'
    '\U00011046\U00011070\U0001107f\U000110b9-\U000110ba\U00011100-\U00011102\U00011133-\U00011134\U00011173'
    '\U000111c0\U000111ca\U00011235-\U00011236\U000112e9-\U000112ea\U0001133b-\U0001133c\U0001134d'
    '\U00011366-\U0001136c\U00011370-\U00011374\U00011442\U00011446\U0001145e\U000114c2-\U000114c3'
    '\U000115bf-\U000115c0\U0001163f\U000116b6-\U000116b7\U0001172b\U00011839-\U0001183a\U0001193d-\U0001193e'
    '\U00011943\U000119e0\U00011a34\U00011a47\U00011a99\U00011c3f\U00011d42\U00011d44-\U00011d45\U00011d97'
    '\U00016af0-\U00016af4\U00016b30-\U00016b36\U00016ff0-\U00016ff1\U0001bc9e\U0001d165-\U0001d169'
    '\U0001d16d-\U0001d172\U0001d17b-\U0001d182\U0001d185-\U0001d18b\U0001d1aa-\U0001d1ad\U0001d242-\U0001d244'
    '\U0001e000-\U0001e006\U0001e008-\U0001e018\U0001e01b-\U0001e021\U0001e023-\U0001e024\U0001e026-\U0001e02a'
    '\U0001e130-\U0001e136\U0001e2ae\U0001e2ec-\U0001e2ef\U0001e8d0-\U0001e8d6\U0001e944-\U0001e94a';
comment on function search.marks is
    'Characters that stand on the one before, in an order that normalization makes (of a combining class), for a bracket.';

create or replace function search.folded(content text) returns text
language plpgsql immutable strict parallel safe as $$
begin
    -- Each step is for what few texts hold: translate takes a millisecond, asking a hundredth of one.
    if octet_length(content) = length(content) then
        return lower(content);
    end if;
    -- Normalization puts marks in their order one by one: of a letter with a thousand times as many as anybody writes
    -- that takes hours (etl/mime/composed.py).
    if content ~ '[\u00c0-\u052f\u1e00-\u1fff\u0300-\u036f]' and content !~ format('[%s]{64}', search.marks()) then
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

create or replace function search.refuse_long(query text) returns void language plpgsql stable as $$
declare
    -- A pasted paragraph, or a word as long as mail has some; each word more costs a look into each segment.
    characters_max constant integer := 20000;
    words_max constant integer := 128;
    count integer;
begin
    if length(query) > characters_max then
        perform search.refuse(format(
            'a search has at most %s characters, and this one has %s: leave some out', characters_max, length(query)));
    end if;
    count := (select coalesce(sum(case when word ~ format('^[%s]', search.unspaced()) then length(word) else 1 end), 0)
              from unnest(search.words(query)) as word);
    count := greatest(count, regexp_count(query, '\S+'));
    if count > words_max then
        perform search.refuse(format(
            'a search has at most %s words (of unspaced scripts characters), and this one has %s: leave some out',
            words_max, count));
    end if;
end
$$;
comment on function search.refuse_long is 'Refuses a query that is longer than anybody types.';

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
    perform search.refuse_long(query);
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
            if (select count(*) > 512 from unnest(asked) as a, unnest(a.terms)) then
                perform search.refuse('its saved searches have too many words together: ask fewer of them at once');
            end if;
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
