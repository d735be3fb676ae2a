-- Domains that look like one of the house, or like one that is well known here, and are another.
-- Alike are two that differ by one character more, less or changed, or by two that changed places, after
-- 0 and o, 1 and l, rn and m, vv and w are taken for the same.
-- Reads the whole archive: it needs all domains.
-- :known = 10   a domain with so many mails sent to it is well known
-- :house =      domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
), domains as (
    select d.domain, d.sent, d.received, d.first_sent_at, d.domain in (select domain from house) as house,
           d.domain in (select domain from house) or d.received >= cast(:known as integer) as known,
           translate(replace(replace(d.domain, 'rn', 'm'), 'vv', 'w'), '01', 'ol') as looks
    from mart.domain d
), shapes as (
    -- Two are alike where they are equal once each has lost one character at most (Garbe's symmetric deletion).
    select domain, overlay(looks placing '' from n for 1) as shape from domains, generate_series(1, length(looks)) as n
    union select domain, looks from domains
)
select o.domain, k.domain as looks_like, k.house, o.sent, o.first_sent_at
from (select distinct a.domain as known, b.domain as other from shapes a join shapes b using (shape)) as pairs
join domains k on k.domain = pairs.known and k.known
join domains o on o.domain = pairs.other and not o.known
where o.sent > 0
order by k.house desc, o.first_sent_at desc nulls last, o.domain;
