"""The steps of `archive_mail` as plain functions, and which of their errors Airflow retries.

No credential passes here: a task is given names, and reads the mailboxes file itself.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

import etl
from etl import config
from etl.archive import ledger
from etl.errors import Retry, Stop
from etl.pipeline import archive_shard, open_archive

# Airflow maps at most 1,024 tasks and costs about 0.3 s for each; a shard runs many mailboxes at once.
SHARDS_MAX = 256


def plan(mailboxes: str, shard_mailboxes: int, dag_run_id: str) -> list[dict[str, Any]]:
    """Open a run and deal the enabled mailboxes to shards: [{run_id, names}], JSON values only."""
    names = [mailbox.name for mailbox in _configured(mailboxes, ())]
    count = min(len(names), max(1, math.ceil(len(names) / shard_mailboxes)), SHARDS_MAX)
    with open_archive() as engine, engine.connect() as connection:
        run_id = ledger.begin_run(connection, "airflow", etl.__version__, dag_run_id)
    return [{"run_id": run_id, "names": names[shard::count]} for shard in range(count)]


def archive(mailboxes: str, run_id: int, names: Sequence[str]) -> dict[str, int]:
    """Archive one shard; its counts.

    A mailbox that a person must look at does not hold the others up; it fails the task at once.
    One that is merely busy has the task retried.
    """
    chosen = _configured(mailboxes, tuple(names))
    with open_archive() as engine:
        results = archive_shard(engine, chosen, run_id)
    stopped = [f"{done.mailbox}: {done.failure}" for done in results if done.stop]
    passing = [f"{done.mailbox}: {done.failure}" for done in results if done.failure and not done.stop]
    if passing:
        raise Retry("; ".join(passing + stopped))
    if stopped:
        raise AirflowFailException("; ".join(stopped))
    return {
        key: sum(getattr(done, key) for done in results)
        for key in ("retrieved", "archived", "duplicate", "failed", "deleted")
    }


def summarise(run_id: int, shards: Sequence[dict[str, int]]) -> dict[str, Any]:
    """Close the run; its counts and whether the books balance. Raises Stop where they do not."""
    with open_archive() as engine, engine.connect() as connection:
        ledger.end_run(connection, run_id)
        unbalanced = [row["name"] for row in ledger.balance(connection) if not row["balanced"]]
    if unbalanced:
        raise Stop(f"the books of {', '.join(unbalanced)} do not balance; see popvault verify")
    keys = ("retrieved", "archived", "duplicate", "failed", "deleted")
    return {"run_id": run_id, **{key: sum(shard[key] for shard in shards) for key in keys}}


def _configured(mailboxes: str, names: tuple[str, ...]) -> list[config.Mailbox]:
    try:
        return config.mailboxes(Path(mailboxes), names)
    except Stop as error:
        raise AirflowFailException(str(error)) from error
