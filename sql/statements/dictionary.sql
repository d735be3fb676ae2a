-- What the database says of itself, a statement a name.

-- name: columns
-- Each column of each view of mart, in order, with what is said of both.
select c.relname as view, obj_description(c.oid) as says, a.attname as column,
       case format_type(a.atttypid, a.atttypmod)
           when 'timestamp with time zone' then 'timestamptz' when 'double precision' then 'float8'
           else format_type(a.atttypid, a.atttypmod) end as type,
       col_description(c.oid, a.attnum) as meaning
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = cast('mart' as regnamespace) and c.relkind = 'v' and a.attnum > 0
  and c.oid in (select to_regclass(name) from ops.view)
order by c.relname, a.attnum;
