"""Who may do what, tried statement by statement and table by table in a real Postgres."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etl.archive import rights
from etl.archive.database import driver, engine_for
from etl.archive.migrations import SQL
from etl.archive.questions import answer, question, questions
from etl.archive.statements import statement
from etl.errors import Misconfigured
from etl.pipeline import open_archive
from tests.archive.delivering import LETTER, WITH_FILE, deliver
from tests.behind import behind_the_triggers
from tests.system.command import Popvault

RELATIONS = """
    select format('%s.%s', relnamespace::regnamespace, relname) as name, relkind
    from pg_class where relkind in ('r', 'v', 'm', 'p') and relnamespace in (
        'archive'::regnamespace, 'ops'::regnamespace, 'search'::regnamespace, 'threads'::regnamespace,
        'mart'::regnamespace)
    order by 1
"""
BYTES = {"archive.head", "archive.segment", "archive.blob", "archive.blob_piece"}
OPEN_UNTIL_THEY_END = {"ops.run", "ops.session", "ops.verification", "archive.disposition"}
RECORD = {
    *("archive.mailbox", "archive.epoch", "archive.delivery", "archive.ledger", "archive.message", "archive.excerpt"),
    *("ops.enrolment", "ops.fault", "archive.seal", "archive.erasure", *BYTES, *OPEN_UNTIL_THEY_END),
}
READ = {
    *("archive.participant", "archive.part", "archive.defect", "archive.reading", "archive.manner"),
    *("archive.nested_message", "archive.report", "archive.event"),
}
THREADS = {"threads.key", "threads.member"}
TERMS = {"search.fresh", "search.segment", "search.stretch", "search.posting", "search.common"}
FOLDERS = {"search.label", "search.labelled", "search.saved"}
# Nobody puts under a label what he does not see, and here nobody sees anything.
UNSEEN = {"search.labelled"}
WORK = {"ops.pause", "ops.download_piece"}
MART = {"mart.message", "mart.delivery", "mart.participant", "mart.attachment", "mart.header", "mart.hop"} | {
    *(
        "mart.defect",
        "mart.session",
        "mart.verification",
        "mart.balance",
        "mart.date_candidate",
        "mart.label",
        "mart.saved_search",
        "archive.delivery_state",
    ),
    *("mart.part", "mart.nested_message", "mart.nested_header", "mart.report", "mart.event"),
    *(
        "mart.edge",
        "mart.address",
        "mart.domain",
        "mart.reply",
        "mart.thread",
        "mart.mailbox",
        "mart.step",
        "mart.volume",
    ),
}
METADATA = (
    MART
    | READ - {"archive.reading"}
    | FOLDERS
    | {
        *("archive.mailbox", "archive.epoch", "archive.delivery", "archive.ledger", "archive.message"),
        *("archive.head", "archive.disposition", "ops.session", "ops.verification", "ops.migration"),
        "threads.member",
    }
)
CONTENT = BYTES | {
    "mart.body",
    "mart.same_as",
    "archive.recipe",
    "archive.reading",
    "archive.excerpt",
}
VERIFIED = {"ops.verification", "ops.fault"}
LOADED = RECORD - VERIFIED - {"archive.seal", "archive.erasure"}
EVERYTHING = {
    *(RECORD | READ | TERMS | WORK | METADATA | CONTENT | THREADS),
    *("ops.mailbox_right", "ops.migration", "ops.rebuild", "ops.view", "ops.guard", "threads.pending"),
}

VIEWED = {"ops.migration", "archive.recipe", "mart.body", "archive.delivery_state", "mart.balance"}

# What each role may do; all else is refused.
MAY = {
    "popvault_loader": {
        "select": LOADED | READ | TERMS | WORK | VIEWED | THREADS | {"threads.pending"},
        "insert": LOADED - {"archive.disposition", "ops.enrolment"} | READ | TERMS | WORK | THREADS,
        "update": {"search.stretch", "ops.pause"} | THREADS,
        "delete": TERMS | {"ops.download_piece", "threads.pending"},
        "truncate": set(),
    },
    "popvault_analyst": {"select": METADATA, "insert": FOLDERS - UNSEEN, "update": {"search.saved"}, "delete": FOLDERS},
    "popvault_reader": {
        "select": METADATA | CONTENT,
        "insert": FOLDERS - UNSEEN,
        "update": {"search.saved"},
        "delete": FOLDERS,
    },
    "popvault_auditor": {"select": EVERYTHING, "insert": VERIFIED},
}


@pytest.fixture
def logged_in(engine: Engine, login: Callable[..., str]) -> Iterator[Callable[..., Connection]]:
    """Logs in as a member of roles; the connection commits each statement."""
    with ExitStack() as stack:

        def connect(name: str, *roles: str) -> Connection:
            theirs = engine_for(login(engine, name, *roles))
            stack.callback(theirs.dispose)
            connection = stack.enter_context(theirs.connect())
            return connection.execution_options(isolation_level="AUTOCOMMIT")

        yield connect


def outcome(connection: Connection, statement: str) -> str:
    """What becomes of a statement: done, refused (no right to it), or record (it may not be changed)."""
    transaction = connection.begin()
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            return "refused"
        if isinstance(error.orig, psycopg.errors.RestrictViolation):
            return "record"
        if isinstance(error.orig, psycopg.errors.IntegrityError):
            return "done"  # it would be, with better values
        raise
    finally:
        transaction.rollback()
    return "done"


def relations(connection: Connection) -> dict[str, str]:
    """Every table and view of the archive, with its kind."""
    return {row.name: row.relkind for row in connection.execute(text(RELATIONS))}


def statements(connection: Connection, relation: str, kind: str) -> dict[str, str]:
    """One statement of each sort on a table; of a view, which can only be read, SELECT."""
    tried = {"select": f"select * from {relation} limit 1"}  # noqa: S608
    if kind == "r":
        column = connection.scalar(
            text("select quote_ident(attname) from pg_attribute where attrelid = cast(:r as regclass) and attnum = 1"),
            {"r": relation},
        )
        tried |= {
            "insert": f"insert into {relation} default values",
            "update": f"update {relation} set {column} = default",  # noqa: S608
            "delete": f"delete from {relation}",  # noqa: S608
            "truncate": f"truncate {relation} cascade",
        }
    return tried


@pytest.mark.parametrize("role", MAY)
def test_each_role_may_do_what_is_decided_and_nothing_else(engine: Engine, role: str):
    """Each statement on each table and view; nobody but the loader changes anything, and it never the record."""
    deliver(engine, "ann", WITH_FILE)
    done: dict[str, set[str]] = {}
    with engine.connect() as connection:
        tried = {r: statements(connection, r, kind) for r, kind in relations(connection).items()}
        connection.execute(text(f"set role {role}"))
        connection.commit()
        for relation, each in tried.items():
            for sort, statement in each.items():
                if outcome(connection, statement) != "refused":
                    done.setdefault(sort, set()).add(relation)
    assert done == {sort: set(may) for sort, may in MAY[role].items() if may}


DISPOSED = """
    insert into archive.disposition (message_id, basis, requested_by, approved_by, approved_at)
    values (99, 'a case', 'ann', 'bob', now())
"""


def test_the_owner_may_not_change_the_record(engine: Engine):
    """UPDATE, DELETE and TRUNCATE raise on every record table, for a superuser too; inserting does not."""
    deliver(engine, "ann", WITH_FILE)
    with engine.begin() as connection:
        connection.execute(text("update ops.run set ended_at = now()"))
        connection.execute(text("update ops.session set ended_at = now()"))
        connection.execute(text("insert into ops.verification (asked, version, ended_at) values ('all', '0', now())"))
    refused: dict[str, set[str]] = {}
    with engine.connect() as connection:
        kinds = relations(connection)
        connection.execute(text("insert into archive.blob (sha256, octets) values (sha256(''), 0)"))
        connection.execute(text("insert into archive.blob_piece values (1, 0, 0, false, '')"))
        connection.execute(text("insert into archive.segment select 1, 9, 0, null, null, 1, 76, '', true"))
        connection.execute(text("insert into archive.message values (99, sha256(''), 0, sha256(''), 1)"))
        connection.execute(text(DISPOSED))
        connection.execute(text("insert into archive.excerpt (delivery_id, session_id, head) values (1, 1, 'x')"))
        connection.execute(text("insert into ops.fault (verification_id, place, fault) values (1, 'x', 'x')"))
        tried = {relation: statements(connection, relation, kinds[relation]) for relation in RECORD}
        connection.commit()
        for relation, each in tried.items():
            for sort, statement in each.items():
                if outcome(connection, statement) == "record":
                    refused.setdefault(sort, set()).add(relation)
    assert refused == {"update": RECORD, "delete": RECORD, "truncate": RECORD}


def test_the_refusal_is_one_sentence(engine: Engine):
    """It says what was refused, and why; replication's setting, which silences other triggers, does not help."""
    with engine.connect() as connection:
        connection.execute(text("set session_replication_role = replica"))
        with pytest.raises(DBAPIError) as raised:
            connection.execute(text("delete from archive.mailbox"))
    assert str(raised.value.orig).splitlines()[0] == (
        "archive.mailbox is record: its rows are added and never changed or deleted, and DELETE was refused"
    )


def test_every_table_and_view_has_decided_rights(engine: Engine):
    """What a later migration adds is not forgotten: some role may use it, and what is read is filtered by mailbox."""
    granted = """
        select has_any_column_privilege(r.rolname, c.oid, 'select')
            or has_table_privilege(r.rolname, c.oid, 'insert')
        from pg_class c, pg_roles r
        where c.oid = cast(:relation as regclass) and r.rolname in (
            'popvault_loader', 'popvault_analyst', 'popvault_reader', 'popvault_auditor')
    """
    unfiltered = """
        select c.oid::regclass::text from pg_class c
        where c.relkind = 'r' and has_any_column_privilege('popvault_reader', c.oid, 'select')
          and c.relnamespace in ('archive'::regnamespace, 'ops'::regnamespace, 'search'::regnamespace)
          and not (c.relrowsecurity and exists (
              select from pg_policy p where p.polrelid = c.oid and p.polname = 'by_mailbox'))
    """
    as_owner = """
        select oid::regclass::text from pg_class
        where relkind = 'v' and relnamespace in ('archive'::regnamespace, 'mart'::regnamespace)
          and not coalesce('security_invoker=true' = any (reloptions), false)
          and not coalesce('security_invoker=on' = any (reloptions), false)
    """
    with engine.connect() as connection:
        forgotten = [
            relation
            for relation in relations(connection)
            if not any(connection.scalars(text(granted), {"relation": relation}))
        ]
        assert forgotten == []
        assert sorted(connection.scalars(text(unfiltered))) == [
            *("ops.migration", "ops.verification"),
            # Folders are for all.
            *("search.label", "search.saved"),
        ]
        assert connection.scalars(text(as_owner)).all() == []


def seen(connection: Connection, query: str) -> set[object]:
    """The first column of what a query answers."""
    return set(connection.scalars(text(query)))


def test_a_role_sees_the_mailboxes_that_were_granted(engine: Engine, logged_in: Callable[..., Connection]):
    """A message in two mailboxes is seen by whoever may see either; deliveries only of one's own mailboxes."""
    deliver(engine, "ann", LETTER + b"Subject: both\r\n\r\n", LETTER + b"Subject: ann\r\n\r\n")
    deliver(engine, "bob", LETTER + b"Subject: both\r\n\r\n", LETTER + b"Subject: bob\r\n\r\n")
    reader = logged_in("rights_reader", "popvault_reader")
    assert seen(reader, "select mailbox from mart.balance") == set()
    subjects = "select subject from mart.message"
    assert seen(reader, subjects) == set()
    with engine.connect() as connection:
        rights.grant(connection, "rights_reader", ["ann"])
        assert seen(reader, subjects) == {"both", "ann"}
        assert seen(reader, "select mailbox from mart.delivery") == {"ann"}
        for table in ("reading", "participant", "head", "part"):
            assert seen(reader, f"select message_id from archive.{table}") == {1, 2}, table  # noqa: S608
        assert seen(reader, "select mailbox from mart.session") == {"ann"}
        reader.execute(text("insert into search.label (name) values ('tax')"))
        reader.commit()
        assert outcome(reader, "insert into search.labelled (label_id, message_id) values (1, 2)") == "done"
        assert outcome(reader, "insert into search.labelled (label_id, message_id) values (1, 3)") == "refused"
        rights.grant(connection, "rights_reader", [None])
        assert seen(reader, subjects) == {"both", "ann", "bob"}
        rights.revoke(connection, "rights_reader", [None])
        assert [(r["role"], r["mailbox"]) for r in rights.granted(connection)] == [("rights_reader", "ann")]
        rights.revoke(connection, "rights_reader", ["ann"])
        assert seen(reader, subjects) == set()


def test_seeing_all_mailboxes_costs_nothing(engine: Engine, logged_in: Callable[..., Connection]):
    """The planner makes the same plans as for the owner, whom row-level security does not bind."""
    deliver(engine, "ann", WITH_FILE)
    everywhere = logged_in("rights_everywhere", "popvault_reader")
    with engine.connect() as connection:
        rights.grant(connection, "rights_everywhere", [None])
        for view in (
            "mart.message",
            "mart.delivery",
            "mart.balance",
        ):
            plan = f"explain (costs off) select * from {view}"  # noqa: S608
            assert everywhere.scalars(text(plan)).all() == connection.scalars(text(plan)).all(), view


def test_a_loader_that_row_level_security_binds_is_not_taken(engine: Engine):
    """It could not COPY; popvault goes on as the login."""
    with engine.connect() as connection:
        named = {"role": rights.LOADER}
        assert connection.scalar(statement("rights", "may_take"), named)
        connection.execute(text("alter role popvault_loader nobypassrls"))
        assert not connection.scalar(statement("rights", "may_take"), named)


def test_whoever_may_not_make_roles_is_told_what_an_administrator_types(engine: Engine, login: Callable[..., str]):
    """In one sentence."""
    login(engine, "rights_plain")
    with engine.connect() as connection:
        connection.execute(text("alter role popvault_auditor rename to rights_elsewhere"))
        connection.execute(text("set local role rights_plain"))
        told = "rights_plain may not create; let an administrator say: create role .* to rights_plain$"
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=re.compile(told, re.M)):
            driver(connection).execute((SQL / "rights" / "1_roles.sql").read_bytes())


def test_every_analyst_query_may_be_asked_by_analysts(engine: Engine, logged_in: Callable[..., Connection]):
    """What ships as a question needs no right to content."""
    deliver(engine, "ann", WITH_FILE)
    analyst = logged_in("rights_asking", "popvault_analyst")
    with engine.connect() as connection:
        rights.grant(connection, "rights_asking", ["ann"])
    # Why two messages are the same mail is found in their texts: that is for readers.
    for name in set(questions()) - {"same_mail"}:
        told = {"address": "ann@example.org"}
        required = {p.name: told.get(p.name, "1") for p in question(name).parameters if p.default is None}
        answer(analyst, name, required)


def try_as(connection: Connection, setting: str) -> None:
    """Set something, then look."""
    connection.execute(text(setting))
    connection.execute(text("select * from mart.delivery"))


def test_rights_come_with_membership_and_never_by_a_setting(engine: Engine, logged_in: Callable[..., Connection]):
    """What a group was granted its members see, acting as whatever role; nobody is another by SET."""
    deliver(engine, "ann", LETTER + b"\r\n")
    deliver(engine, "bob", LETTER + b"Subject: bob\r\n\r\n")
    with engine.begin() as connection:
        if not connection.scalar(text("select to_regrole('rights_team')")):
            connection.execute(text("create role rights_team"))
    member = logged_in("rights_member", "popvault_analyst", "rights_team")
    stranger = logged_in("rights_stranger", "popvault_analyst")
    with engine.connect() as connection:
        rights.grant(connection, "rights_team", ["ann"])
    for connection, expected in ((member, {"ann"}), (stranger, set())):
        connection.execute(text("set role popvault_analyst"))
        assert seen(connection, "select mailbox from mart.delivery") == expected
    for attempt in ("set session authorization rights_team", "set role rights_team", "set row_security = off"):
        with pytest.raises(DBAPIError):
            try_as(stranger, attempt)


def test_an_unknown_role_or_mailbox_is_named(engine: Engine):
    """With what to do."""
    with engine.connect() as connection:
        with pytest.raises(Misconfigured, match="there is no role 'nobody else'"):
            rights.grant(connection, "nobody else", [None])
        with pytest.raises(Misconfigured, match="there is no mailbox 'carla'"):
            rights.grant(connection, "popvault_reader", ["carla"])


def test_mailboxes_are_granted_by_command(engine: Engine, login: Callable[..., str], tmp_path: Path):
    """`grant` and `revoke` say what they did, `rights` lists; who may not see content or grant is told so."""
    deliver(engine, "ann", LETTER + b"\r\nhello\r\n")
    popvault = Popvault(tmp_path, None, engine.url.render_as_string(hide_password=False))
    analyst = Popvault(tmp_path, None, login(engine, "rights_analyst", "popvault_analyst"))
    assert popvault("grant", "rights_analyst", "ann").stdout == "rights_analyst sees ann\n"
    assert (
        popvault("grant", "rights_analyst", "--all").stdout == "rights_analyst sees all mailboxes, those to come too\n"
    )
    assert popvault("revoke", "rights_analyst", "--all").stdout == "rights_analyst: taken back the right to see all\n"
    assert popvault("grant", "rights_analyst").returncode == 2
    assert ["rights_analyst", "ann"] in [line.split()[:2] for line in popvault("rights").stdout.splitlines()]
    assert '"listed": 1' in analyst("status", "--json").stdout
    for refused in (analyst("grant", "rights_analyst", "--all"), analyst("export", "--to", str(tmp_path / "out"))):
        assert refused.returncode == 1
        assert refused.stderr.startswith("popvault: this login may not do that: permission denied")
    assert analyst("label", "tax", "1").stdout == "tax: put on 1\n"
    assert analyst("save", "bills", "invoice").returncode == 0
    assert analyst("search", "hello").returncode == 1
    assert popvault("revoke", "rights_analyst", "ann").stdout == "rights_analyst: taken back ann\n"
    assert json.loads(analyst("status", "--json").stdout)["mailboxes"] == []


@pytest.mark.parametrize(("login_roles", "acts_as"), [((), "popvault_loader"), (("popvault_reader",), "rights_alone")])
def test_a_command_acts_as_the_role_where_it_may(
    engine: Engine,
    login: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    login_roles: tuple[str, ...],
    acts_as: str,
):
    """The owner loads as the loader; a login that may not be the loader goes on as itself."""
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("POPVAULT_DATABASE_URL", login(engine, acts_as, *login_roles) if login_roles else url)
    with open_archive(rights.LOADER) as opened, opened.connect() as connection:
        assert connection.scalar(text("select current_user")) == acts_as


TWO_LETTERS_ONE_FILE = """
    insert into archive.blob (sha256, octets) values (sha256('shared'), 6), (sha256('own'), 3);
    insert into archive.blob_piece values (1, 0, 6, false, 'shared'), (2, 0, 3, false, 'own');
    insert into archive.segment (message_id, position, octets, blob_id, line_octets, line_end, final_line_end)
    values (1, 8, 8, 1, 76, '', false), (1, 9, 4, 2, 76, '', false), (2, 8, 8, 1, 76, '', false);
"""


def test_a_disposition_needs_two_and_leaves_hash_ledger_and_tombstone(
    engine: Engine, logged_in: Callable[..., Connection]
):
    """One asks, another approves; then the bytes of that message go, and what others share with it stays."""
    deliver(engine, "ann", LETTER + b"\r\none\r\n", LETTER + b"\r\ntwo\r\n")
    with engine.begin() as connection:
        connection.execute(text(TWO_LETTERS_ONE_FILE))
        owner = connection.scalar(text("select current_user"))
    one, other = (logged_in(name, owner) for name in ("rights_one", "rights_other"))
    for connection in (one, other):
        connection.execute(text(f"set role {owner}"))
    asked = one.scalar(text("select archive.request_disposition(1, 'case 7')"))
    for who, attempt in (
        (one, f"select archive.approve_disposition({asked})"),
        (other, "delete from archive.segment where message_id = 1"),
        (other, "select archive.approve_disposition(99)"),
    ):
        with pytest.raises(DBAPIError):
            who.execute(text(attempt))
    other.execute(text(f"select archive.approve_disposition({asked})"))
    with engine.connect() as connection:
        holding = {
            relation
            for relation, kind in relations(connection).items()
            if kind == "r"
            and connection.scalar(
                text(
                    "select attname from pg_attribute where attrelid = cast(:r as regclass) and attname = 'message_id'"
                ),
                {"r": relation},
            )
            and connection.scalar(text(f"select count(*) from {relation} where message_id = 1"))  # noqa: S608
        }
        assert holding == {"archive.message", "archive.ledger", "archive.disposition"}
        assert seen(connection, "select blob_id from archive.blob") == {1}
        assert seen(connection, "select blob_id from archive.blob_piece") == {1}
        row = connection.execute(text("select requested_by, approved_by, basis from archive.disposition")).one()
        assert tuple(row) == ("rights_one", "rights_other", "case 7")
    with pytest.raises(DBAPIError, match="is closed and record now"):
        other.execute(text("update archive.disposition set basis = 'another'"))


def test_behind_the_triggers_all_of_them_come_back(engine: Engine):
    """The door that other tests use is shut behind them."""
    with behind_the_triggers(engine) as connection:
        connection.execute(text("delete from ops.enrolment"))
    with engine.connect() as connection:
        assert outcome(connection, "delete from ops.enrolment") == "record"
