"""A DAG of somebody who waits for new mail: it runs when archive_mail announces some, and knows how much."""

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, Asset, get_current_context, task

with DAG("on_new_mail", schedule=[Asset("popvault://mail-archive")], start_date=datetime(2026, 1, 1)):

    @task
    def count() -> dict[str, Any]:
        """What the events that started this run tell, in all."""
        events = [event for of_asset in get_current_context()["triggering_asset_events"].values() for event in of_asset]
        return {"events": len(events), "retrieved": sum(event.extra["retrieved"] for event in events)}

    count()
