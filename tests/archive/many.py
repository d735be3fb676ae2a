"""An archive of many messages without content, made by SQL alone: for plans, and for time.

A message every three minutes, up to 1 January 2026 and a day; a third of them answer one of the 900 before them; 5,000
addresses of 200 domains.
"""

from sqlalchemy import Engine, text

from tests.archive.delivering import EPOCH, MAILBOX, SESSION, join_all

_MAKE = """
create temporary table made as
select i, format('<%s.id@d%s.example>', i, mod(i, 97)) as id, p,
       case when p > 0 then format('<%s.id@d%s.example>', p, mod(p, 97)) end as parent,
       timestamptz '2026-01-02' - (:messages - i) * interval '3 minutes' as sent_at
from generate_series(1, cast(:messages as integer)) as i
cross join lateral (
    select case when mod(abs(hashint4(i)), 3) = 0 then i - 1 - mod(abs(hashint4(i * 7)), 900) end as p) as answered
"""
_ROWS = """
insert into archive.message (message_id, sha256, octets, head_sha256, session_id)
select i, sha256(convert_to(id, 'UTF8')), 3000, sha256(''), :session from made;
insert into archive.head (message_id, octets, content)
select i, 100, format(E'Message-ID: %s\\nSubject: subject %s\\nReceived: by d7.example\\n\\n', id, i) from made;
insert into archive.reading (message_id, parser, subject, message_id_header, in_reply_to, "references", sent_at,
                             sent_at_source, date_offset_minutes, hops, body)
select i, 'none', 'subject ' || i, id, parent, array_remove(array[parent], null), sent_at, 'date', 60, '{}', 'body'
from made;
insert into archive.participant (message_id, position, role, name, written, address)
select i, place, case place when 0 then 'from' when 1 then 'to' else 'cc' end::archive.role, '', null,
       format('user%s@d%s.example', who, mod(who, 200))
from made, generate_series(0, 2) as place, lateral (select mod(abs(hashint4(i * 3 + place)), 5000) as who) as w;
insert into archive.part (message_id, path, content_type, filename, octets, sha256, attachment)
select i, '1', case when mod(i, 20) = 0 then 'application/pdf' else 'text/plain' end,
       case when mod(i, 20) = 0 then 'file.pdf' end, 100, sha256(convert_to(mod(i, 300)::text, 'UTF8')), mod(i, 20) = 0
from made;
insert into archive.defect (message_id, position, kind, place, detail)
select i, 0, 'date', 'date', 'no Date header' from made where mod(i, 50) = 0;
insert into archive.delivery (mailbox_id, epoch_id, uidl, twin, session_id)
select :mailbox, :epoch, i::text, 0, :session from made;
insert into archive.ledger (delivery_id, step, session_id, message_id, octets)
select delivery_id, 'archived', session_id, uidl::bigint, 3000 from archive.delivery;
drop table made
"""


def build(engine: Engine, messages: int) -> None:
    """Make them, join their threads, and let Postgres know what there is."""
    with engine.begin() as connection:
        named = {"name": "many", "username": "user1@d1.example", "messages": messages}
        named["mailbox"] = connection.scalar(text(MAILBOX), named)
        named["epoch"] = connection.scalar(text(EPOCH), named)
        named["session"] = connection.scalar(text(SESSION), named)
        for statement in (_MAKE, *_ROWS.split(";")):
            connection.execute(text(statement.replace("::", "\\:\\:")), named)
        # As a load leaves them in line.
        await_all = (
            "insert into threads.pending select array_agg(i) from generate_series(1, :messages) i group by i / 128"
        )
        connection.execute(text("delete from threads.pending"))
        connection.execute(text(await_all), named)
    join_all(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
