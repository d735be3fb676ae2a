"""archive_mail: every hour, all mailboxes of a file into the archive. What runs when, and no more."""

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, get_current_context, task

from etl.airflow import tasks

MAIL_ARCHIVE = Asset("popvault://mail-archive")

with DAG(
    "archive_mail",
    description=__doc__,
    schedule="@hourly",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "retry_exponential_backoff": True},
    params={
        "mailboxes": Param(os.environ.get("POPVAULT_MAILBOXES", ""), type="string", title="The mailboxes file"),
        "shard_mailboxes": Param(50, type="integer", minimum=1, title="Mailboxes of one task"),
    },
    tags=["popvault"],
):

    @task
    def plan() -> list[dict[str, Any]]:
        """Deal the mailboxes to shards."""
        context = get_current_context()
        params = context["params"]
        return tasks.plan(params["mailboxes"], params["shard_mailboxes"], context["run_id"])

    @task(map_index_template="{{ shard_label }}")
    def archive(shard: dict[str, Any]) -> dict[str, int]:
        """Archive the mailboxes of one shard."""
        context = get_current_context()
        context["shard_label"] = f"{shard['names'][0]} and {len(shard['names']) - 1} more"
        return tasks.archive(context["params"]["mailboxes"], shard["run_id"], shard["names"])

    @task(outlets=[MAIL_ARCHIVE])
    def summarise(planned: list[dict[str, Any]], shards: list[dict[str, int]]) -> dict[str, Any]:
        """Check the books; tell those who wait for new mail how much there is."""
        summary = tasks.summarise(planned[0]["run_id"], list(shards))
        get_current_context()["outlet_events"][MAIL_ARCHIVE].extra = summary
        return summary

    shards = plan()
    summarise(shards, archive.expand(shard=shards))
