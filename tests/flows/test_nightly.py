"""The night under Prefect: same steps, same errors, and states and an artifact to look at."""

import time

import pytest
from prefect import State
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, TaskRun
from prefect.client.schemas.sorting import TaskRunSort

from flows import nightly as module
from flows.nightly import nightly
from flows.runs import read_runs
from flows.schedule import deployment
from tests.flows.conftest import Parts
from warehouse.errors import CheckFailure, LockHeld
from warehouse.lock import hold
from warehouse.models import LAYERS
from warehouse.project import Project
from warehouse.serving.publish import current_run_id

pytestmark = pytest.mark.usefixtures("prefect_server")


def ended_task_runs(state: State, count: int) -> list[TaskRun]:
    """The flow run's task runs, when `count` have ended: the server writes them down a little later."""
    flow_run_id = state.state_details.flow_run_id
    assert flow_run_id is not None
    mine = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    deadline = time.monotonic() + 15
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            runs = client.read_task_runs(flow_run_filter=mine, sort=TaskRunSort.EXPECTED_START_TIME_ASC, limit=50)
            ended = [run for run in runs if run.state is not None and run.state.is_final()]
            if len(ended) >= count:
                return ended
            time.sleep(0.1)
    raise AssertionError(
        f"{count} task runs did not end; these are there: {[(run.name, run.state_name) for run in runs]}"
    )


def artifacts() -> list[str]:
    # By the plain request: Artifact.get sends nulls, which the server's newer FastAPI refuses with 422.
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/artifacts/filter", json={"artifacts": {"key": {"any_": ["nightly"]}}})
    return [artifact["data"] for artifact in answer.json()]


def test_a_good_night_publishes_and_every_step_is_a_task_run(project: Project, parts: Parts) -> None:
    state = nightly(project.root, return_state=True)
    assert state.is_completed()
    assert current_run_id(project) == read_runs(project)[0].run_id
    steps = {"land intranet", "stage", *LAYERS, "suggest", "links", "contrast", "finish", "check", "report", "release"}
    runs = ended_task_runs(state, len(steps))
    assert {run.name for run in runs} == steps
    assert {run.state_name for run in runs} == {"Completed"}


def test_a_failed_check_fails_the_flow_and_its_artifact_says_why(project: Project, parts: Parts) -> None:
    parts.failed_checks = ["mrr_bridge_closes"]
    state = nightly(project.root, return_state=True)
    assert state.is_failed()
    with pytest.raises(CheckFailure, match="mrr_bridge_closes"):
        state.result()
    assert current_run_id(project) is None
    run_id = read_runs(project)[0].run_id
    [page] = [page for page in artifacts() if run_id in page]
    assert f"# Run {run_id}: failed" in page
    assert "mrr_bridge_closes" in page
    assert "| check | failed |" in page


def test_an_error_leaves_the_flow_as_it_was_raised(project: Project, parts: Parts) -> None:
    parts.failed_checks = ["mrr_bridge_closes"]
    with pytest.raises(CheckFailure) as failure:
        nightly(project.root)
    assert failure.value.exit_code == 1


def test_a_second_night_at_once_is_refused(project: Project, parts: Parts) -> None:
    with hold(project.root, "other", "2026-06-30T02:00:00"), pytest.raises(LockHeld, match="run other"):
        nightly(project.root)
    assert parts.calls == []


def test_a_file_that_is_busy_is_tried_again(project: Project, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def land(*_: object) -> list[object]:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("text file busy")
        return []

    monkeypatch.setattr("warehouse.landing.land", land)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)
    assert nightly(project.root, return_state=True).is_completed()
    assert len(tries) == 3


@pytest.mark.parametrize(("call", "error"), [("value", OSError("no space left")), ("stage", ValueError("a defect"))])
def test_a_step_that_gives_the_same_answer_again_is_not(
    project: Project, parts: Parts, call: str, error: Exception
) -> None:
    def fail() -> None:
        raise error

    parts.failing[call] = fail
    assert nightly(project.root, return_state=True).is_failed()
    assert parts.calls.count(call) == 1


def test_a_defect_in_landing_is_not_tried_again(
    project: Project, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def land(*_: object) -> list[object]:
        tries.append(1)
        raise ValueError("a defect")

    monkeypatch.setattr("warehouse.landing.land", land)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)
    assert nightly(project.root, return_state=True).is_failed()
    assert len(tries) == 1


def test_the_schedule_is_daily_in_the_projects_zone_and_never_two_at_once(project: Project) -> None:
    (project.root / "mutual-value.toml").write_text(
        'timezone = "Europe/London"\n[schedule]\nat = "03:05"\n', encoding="utf-8"
    )
    made = deployment(Project.open(project.root))
    [scheduled] = made.schedules or []
    assert (scheduled.schedule.cron, scheduled.schedule.timezone) == ("5 3 * * *", "Europe/London")  # type: ignore[union-attr]
    assert made.concurrency_limit == 1
    assert made.concurrency_options is not None
    assert made.concurrency_options.collision_strategy == ConcurrencyLimitStrategy.CANCEL_NEW
    assert made.parameters == {"project": str(project.root)}
