"""One run of `archive_mail` in this process, by Airflow's own `DAG.test`: the same tasks, no scheduler.

`python -m etl.airflow.once prepare` makes the metadata database ready; `run FILE` does so, runs the DAG,
and writes to FILE, as JSON, what became of it. A process of its own: Airflow talks on both outputs.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from etl.airflow.local import DAGS, POOL, POOL_SLOTS

DAG_ID = "archive_mail"
# Somebody waits in front of the screen: one more try soon, and not three over a quarter of an hour.
RETRIES = 1
RETRY_SECONDS = 5


def main(arguments: list[str]) -> None:
    """See above."""
    prepare()
    if arguments[0] == "run":
        Path(arguments[1]).write_text(json.dumps(run()))


def prepare() -> None:
    """The metadata's schema and our pool; runs that were killed are closed."""
    from airflow.models.pool import Pool
    from airflow.utils import db

    db.initdb()
    Pool.create_or_update_pool(POOL, POOL_SLOTS, "popvault: shards of mailboxes at once", include_deferred=False)
    fail_unfinished()


def run() -> dict[str, Any]:
    """Run the DAG: {state, reports of the mailboxes, summary or null}."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    dag = bag.get_dag(DAG_ID)
    if dag is None:
        raise SystemExit(f"{DAGS} has no DAG {DAG_ID}: {bag.import_errors}")
    for task in dag.tasks:
        task.retries, task.retry_delay = RETRIES, timedelta(seconds=RETRY_SECONDS)
    done = dag.test()
    told = xcoms(done.run_id, "archive", "reports")
    reports = {name: report for shard in told for name, report in shard.items()}
    summary = next(iter(xcoms(done.run_id, "summarise", "return_value")), None)
    return {"state": str(done.state), "run_id": done.run_id, "reports": reports, "summary": summary}


def xcoms(run_id: str, task_id: str, key: str) -> list[Any]:
    """What the tries of a task left under a key, one value for each map index."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = XComModel.get_many(run_id=run_id, key=key, dag_ids=DAG_ID, task_ids=task_id)
        return [XComModel.deserialize_value(found) for found in session.scalars(query)]


def fail_unfinished() -> None:
    """Close runs of `DAG.test` that were killed: a scheduler would take them up, and wait for their tasks."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, State, TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import select, update

    unfinished = select(DagRun.run_id).where(
        DagRun.dag_id == DAG_ID,
        DagRun.state.in_(State.unfinished_dr_states),
        DagRun.triggered_by == DagRunTriggeredByType.TEST,
    )
    with create_session() as session:
        runs = session.scalars(unfinished).all()
        which = TaskInstance.dag_id == DAG_ID, TaskInstance.run_id.in_(runs)
        open_state = TaskInstance.state.is_(None) | TaskInstance.state.in_([s for s in State.unfinished if s])
        session.execute(update(TaskInstance).where(*which, open_state).values(state=TaskInstanceState.FAILED))
        session.execute(update(DagRun).where(DagRun.run_id.in_(runs)).values(state=DagRunState.FAILED))


if __name__ == "__main__":
    main(sys.argv[1:])
