"""What an owner can do and nobody should: change the record while its triggers are off."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

TRIGGERS = """
    select format('%s', tgrelid::regclass) as relation, tgname, tgenabled
    from pg_trigger join pg_class c on c.oid = tgrelid
    where c.relnamespace in ('archive'::regnamespace, 'ops'::regnamespace)
"""


@contextmanager
def triggers_off(connection: Connection) -> Iterator[None]:
    """No trigger sees what happens, nor a foreign key. Afterwards all are on again; for the caller's transaction."""
    triggers = connection.execute(text(TRIGGERS)).all()
    for relation in {trigger.relation for trigger in triggers}:
        connection.execute(text(f"alter table {relation} disable trigger all"))
    yield
    for relation in {trigger.relation for trigger in triggers}:
        connection.execute(text(f"alter table {relation} enable trigger all"))
    for trigger in triggers:
        if trigger.tgenabled == "A":
            connection.execute(text(f"alter table {trigger.relation} enable always trigger {trigger.tgname}"))


@contextmanager
def behind_the_triggers(engine: Engine) -> Iterator[Connection]:
    """A transaction that no trigger sees."""
    with engine.begin() as connection, triggers_off(connection):
        yield connection
