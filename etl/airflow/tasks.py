"""The steps of `archive_mail` as plain functions over JSON values; Airflow itself is not imported.

No credential passes here: a task is given names and reads the mailboxes file itself. What a step raises
says what Airflow is to do: Retry to try again later, Stop to fail at once (see `dags/archive_mail.py`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import etl
from etl import config
from etl.archive import ledger
from etl.archive.rights import LOADER
from etl.errors import Misconfigured, Retry, Stop
from etl.pipeline import archive_shard, open_archive
from etl.visit import Done

# Airflow maps at most 1,024 tasks and costs about 0.3 s for each; a shard runs many mailboxes at once.
SHARDS_MAX = 256
# So few mailboxes have a task each: each its own log, and its own row on the page.
SHARDS_OF_ONE_MAX = 4
# How many failures are told in full; a server that is down may fail ten thousand mailboxes.
SENTENCES_MAX = 20

COUNTS = ("retrieved", "archived", "duplicate", "failed", "excluded", "left", "deleted")

# What became of mailboxes: {name: {count: messages, "failure": sentence, "stop": true}}, zeros left out.
Reports = dict[str, dict[str, Any]]


class Store(Protocol):
    """What a task remembers from one try to the next."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default."""

    def set(self, key: str, value: Any) -> None:
        """Remember a value."""


def plan(mailboxes: str, shard_mailboxes: int, dag_run_id: str) -> list[dict[str, Any]]:
    """Open a run and deal the enabled mailboxes to shards: [{run_id, names, label}]."""
    names = [mailbox.name for mailbox in config.mailboxes(Path(mailboxes))]
    if not names:
        raise Misconfigured(f"{mailboxes}: no mailbox is enabled")
    count = min(len(names), max(SHARDS_OF_ONE_MAX, math.ceil(len(names) / shard_mailboxes)), SHARDS_MAX)
    with open_archive(LOADER, new=True) as engine, engine.connect() as connection:
        run_id = ledger.begin_run(connection, "airflow", etl.__version__, dag_run_id)
    dealt = [names[shard::count] for shard in range(count)]
    return [{"run_id": run_id, "names": shard, "label": _label(shard)} for shard in dealt]


def archive(mailboxes: str, shard: Mapping[str, Any], store: Store) -> Reports:
    """Archive what of a shard is not done yet; the reports of all tries so far.

    A later try leaves alone what is done, and what only a person can put right: a wrong password that
    is sent again and again locks the account.
    """
    reports: Reports = store.get("reports", {})
    names = [name for name in shard["names"] if name not in reports or _is_passing(reports[name])]
    chosen = config.mailboxes(Path(mailboxes), tuple(names)) if names else []
    with open_archive(LOADER, new=True) as engine:
        results = archive_shard(engine, chosen, shard["run_id"])
    for mailbox, done in zip(chosen, results, strict=True):
        reports[mailbox.name] = _report(mailbox.name, done, reports.get(mailbox.name, {}))
    store.set("reports", reports)
    return reports


def raise_for(reports: Reports) -> None:
    """Raise Retry where a later try may help some mailbox, else Stop where any was left undone."""
    undone = [report["failure"] for report in reports.values() if "failure" in report]
    passing = [report["failure"] for report in reports.values() if _is_passing(report)]
    if passing:
        raise Retry(_sentence(passing, len(passing)))
    if undone:
        raise Stop(_sentence(undone, len(undone)))


def summarise(planned: Sequence[Mapping[str, Any]] | None, shards: Iterable[Reports]) -> dict[str, Any]:
    """Close the run, however it went; its counts, what failed, and whose books do not balance."""
    if not planned:
        raise Stop("nothing was planned: the log of the task plan says why")
    reports = {name: report for shard in shards for name, report in shard.items()}
    for shard in planned:
        for name in shard["names"]:
            # The worker was killed, and each retry of it too.
            reports.setdefault(name, {"failure": f"{name}: its task ended without a word; see the log of archive"})
    run_id = planned[0]["run_id"]
    with open_archive(LOADER, new=True) as engine, engine.connect() as connection:
        ledger.end_run(connection, run_id)
        unbalanced = [row["name"] for row in ledger.balance(connection) if not row["balanced"]]
    failures = {name: report["failure"] for name, report in reports.items() if "failure" in report}
    return {
        "run_id": run_id,
        "mailboxes": len(reports),
        **{count: sum(report.get(count, 0) for report in reports.values()) for count in COUNTS},
        "undone": len(failures),
        "failures": dict(islice(failures.items(), SENTENCES_MAX)),
        "unbalanced": unbalanced,
    }


def announcement(summary: Mapping[str, Any]) -> dict[str, int]:
    """What those are told who wait for new mail: the run and its counts."""
    return {key: summary[key] for key in ("run_id", "mailboxes", "undone", *COUNTS)}


def verdict(summary: Mapping[str, Any]) -> None:
    """Raise Stop, in one sentence that names the mailboxes, unless all went well."""
    if summary["undone"]:
        told = _sentence(list(summary["failures"].values()), summary["undone"])
        raise Stop(f"{summary['undone']} of {summary['mailboxes']} mailboxes not archived to the end: {told}")
    if summary["unbalanced"]:
        raise Stop(f"the books of {', '.join(summary['unbalanced'])} do not balance; see popvault verify")


def _report(mailbox: str, done: Done, before: Mapping[str, Any]) -> dict[str, Any]:
    """One mailbox after one more try; what it counted before is counted in."""
    counts = {count: before.get(count, 0) + getattr(done, count) for count in COUNTS}
    report: dict[str, Any] = {count: number for count, number in counts.items() if number}
    if done.failure:
        report["failure"] = f"{mailbox}: {done.failure}"
        report["stop"] = done.stop
    return report


def _is_passing(report: Mapping[str, Any]) -> bool:
    return "failure" in report and not report["stop"]


def _sentence(failures: Sequence[str], count: int) -> str:
    told = failures[:SENTENCES_MAX]
    return "; ".join(told) + (f"; and {count - len(told)} more" if count > len(told) else "")


def _label(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
