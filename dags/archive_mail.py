"""archive_mail: every hour, all mailboxes of a file into the archive. What runs when, and no more."""

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, ExceptionRetryPolicy, Param, RetryAction, RetryRule, get_current_context, task

from etl.airflow import tasks

# Whoever waits for new mail schedules on this; an event's extra holds the counts of the run.
MAIL_ARCHIVE = Asset("popvault://mail-archive")

ONLY_A_PERSON_CAN_HELP = RetryRule("etl.errors.Stop", RetryAction.FAIL, reason="a retry would not help")

with DAG(
    "archive_mail",
    description=__doc__,
    schedule="@hourly",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": 2,
        "retry_policy": ExceptionRetryPolicy([ONLY_A_PERSON_CAN_HELP]),
    },
    params={
        "mailboxes": Param(os.environ.get("POPVAULT_MAILBOXES", ""), type="string", title="The mailboxes file"),
        "shard_mailboxes": Param(100, type="integer", minimum=1, title="Mailboxes of one task"),
    },
    tags=["popvault"],
):

    @task
    def plan() -> list[dict[str, Any]]:
        """Deal the mailboxes to shards."""
        context = get_current_context()
        params = context["params"]
        return tasks.plan(params["mailboxes"], params["shard_mailboxes"], context["run_id"])

    # The pool bounds how many shards run at once, over all runs and DAGs that name it.
    @task(pool=os.environ.get("POPVAULT_POOL", "default_pool"), map_index_template="{{ shard_label }}")
    def archive(shard: dict[str, Any]) -> None:
        """Archive the mailboxes of one shard; busy servers are tried again, and only they."""
        context = get_current_context()
        context["shard_label"] = shard["label"]
        reports = tasks.archive(context["params"]["mailboxes"], shard, context["task_state_store"])
        context["ti"].xcom_push("reports", reports)  # kept also when this try fails
        tasks.raise_for(reports)

    @task(trigger_rule="all_done", outlets=[MAIL_ARCHIVE])
    def summarise(planned: list[dict[str, Any]] | None, shards: Any) -> dict[str, Any]:
        """Close the run, however it went, and tell those who wait for new mail how much there is."""
        summary = tasks.summarise(planned, shards[:] if shards else [])  # one request for all, not one each
        get_current_context()["outlet_events"][MAIL_ARCHIVE].extra = tasks.announcement(summary)
        return summary

    @task
    def verdict(summary: dict[str, Any]) -> None:
        """Fail the run where a mailbox was left undone: after the mail of the others is announced."""
        tasks.verdict(summary)

    planned = plan()
    verdict(summarise(planned, archive.expand(shard=planned)["reports"]))
