"""The data dictionary: the views of mart with what their comments say, as Markdown.

For people who know SQL and not mail: sql/preface.md says what they need of it, sql/examples.sql asks something of each
and shows how what is often sought is found; sql/search.md is about the one function.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from etl.archive.statements import SQL, statement

# The order in which they are best read.
CHAPTERS = {
    "Messages and people": ("message", "body", "participant", "edge", "address", "domain", "same_as"),
    "Threads": ("thread", "reply"),
    "What is in a message": ("attachment", "part", "header", "hop", "date_candidate", "defect"),
    "What its parts hold": ("nested_message", "nested_header", "report", "event"),
    "Mailboxes": ("mailbox", "delivery", "step", "volume", "session", "balance", "verification"),
    "Folders": ("label", "saved_search"),
}
# Columns by which views are joined.
JOINED_BY = ("message_id", "thread_id", "delivery_id", "session_id", "mailbox", "address", "domain")
IDIOMS = "How to find"
SEARCH = "Search"
OTHER_NAMES = """\
`mail_id`, `parent_message_id`, `first_message_id` and `original_id` are a `message_id`; `from_address`, `sender` and
`recipient` an `address`; what ends in `_domain` is a `domain`."""


def dictionary(connection: Connection) -> str:
    """All of it. Raises KeyError where a view has no chapter or no example."""
    columns: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(statement("dictionary", "columns")):
        columns.setdefault(row.view, []).append(row)
    shown = examples()
    order = {view: chapter for chapter, views in CHAPTERS.items() for view in views}
    for view in columns:
        order[view], shown[view]  # each has its place
    pieces = [(SQL / "preface.md").read_text(), _contents(), _joins(columns), _idioms()]
    for chapter, views in CHAPTERS.items():
        pieces.append(f"## {chapter}\n")
        pieces += [_view(view, columns[view], *shown[view]) for view in views]
    pieces.append((SQL / "search.md").read_text())
    return "\n".join(pieces)


def examples() -> dict[str, tuple[str, str]]:
    """By view: what its example asks, and the SQL."""
    found = re.findall(r"^-- mart\.(\w+): (.*)\n((?:.+\n)+)", (SQL / "examples.sql").read_text(), flags=re.MULTILINE)
    return {view: (asks, sql) for view, asks, sql in found}


def idioms() -> dict[str, str]:
    """What is often sought, and the SQL that finds it."""
    return dict(re.findall(r"^-- find: (.*)\n((?:.+\n)+)", (SQL / "examples.sql").read_text(), flags=re.MULTILINE))


def _idioms() -> str:
    return "\n".join([f"## {IDIOMS}\n", *(f"{asks}:\n\n```sql\n{sql}```\n" for asks, sql in idioms().items())])


def _contents() -> str:
    lines = [
        f"- {chapter}: " + ", ".join(f"[{view}](#mart{view})" for view in views) for chapter, views in CHAPTERS.items()
    ]
    others = ("Joins", IDIOMS, SEARCH)
    lines += [f"- [{chapter}](#{chapter.lower().replace(' ', '-')})" for chapter in others]
    return "\n".join([*lines, ""])


def _joins(columns: dict[str, list[Row[Any]]]) -> str:
    return "\n".join(["## Joins\n", *_table(("column", "joins"), _joined(columns)), "", OTHER_NAMES, ""])


def _joined(columns: dict[str, list[Row[Any]]]) -> Iterable[tuple[str, str]]:
    for key in JOINED_BY:
        views = [v for views in CHAPTERS.values() for v in views if key in (row.column for row in columns[v])]
        yield f"`{key}`", ", ".join(views)


def _view(view: str, columns: Sequence[Row[Any]], asks: str, example: str) -> str:
    rows = [(f"`{row.column}`", row.type, row.meaning) for row in columns]
    lines = [f"### mart.{view}\n", f"{columns[0].says}\n", *_table(("column", "type", "meaning"), rows)]
    return "\n".join([*lines, "", f"Example: {asks}.\n", f"```sql\n{example}```\n"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines]
