"""The night as a Prefect flow. Its steps, their order and their errors are those of steps.py."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.runs import Journal
from flows.steps import Outcome, Step, run_night
from flows.summary import as_markdown
from warehouse.project import Project

RETRY_SECONDS = 10


@flow(name="mutual-value-nightly", log_prints=False)
def nightly(project: Path = Path(), as_of: dt.date | None = None, keep_build: bool = False) -> Outcome:
    """Land, build, check and publish one project folder.

    Raises what `run_night` raises, so that a night with a failed critical check ends as Failed.
    """
    opened = Project.open(project)
    journal = Journal.begin(opened, as_of)
    try:
        return run_night(opened, journal, keep_build=keep_build, execute=as_task)
    finally:
        if journal.opened:
            create_markdown_artifact(
                as_markdown(journal.record, journal.folder), key="nightly", description=journal.record.run_id
            )


def as_task(step: Step) -> int | None:
    """Run the step as a task run.

    The task takes no parameters: a connection as one would be hashed for the cache, or kept on disk.
    """
    return _task(step)()


def _task(step: Step) -> Task[[], int | None]:
    # A second try can help a file that is busy; a model or a check gives the same answer again.
    made: Task[[], int | None] = Task(
        step.work,
        name=step.name,
        task_run_name=step.name,
        retries=step.retries,
        retry_delay_seconds=RETRY_SECONDS,
        retry_condition_fn=_may_pass,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return made


def _may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), OSError)
