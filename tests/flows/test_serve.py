"""`mutual-value serve` really runs the night when its time comes."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest

from flows.runs import read_runs
from warehouse.project import Project

SECONDS = 300


@pytest.mark.slow
def test_serve_runs_the_night_at_its_time_without_a_server_of_ones_own(project: Project) -> None:
    # Prefect's scheduler writes no run with SQLAlchemy 2.1 ("please supply a bulk_dml decorated function"), and serve
    # waits for ever: then this test is what says so.
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=150)
    (project.root / "mutual-value.toml").write_text(
        f'timezone = "UTC"\n[schedule]\nat = "{at:%H:%M}"\n', encoding="utf-8"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "serve", "--project", str(project.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        deadline = time.monotonic() + SECONDS
        while not read_runs(project) and time.monotonic() < deadline:
            assert process.poll() is None, "serve ended by itself"
            time.sleep(0.5)
        assert read_runs(project), f"no run within {SECONDS} s; serve was to run at {at:%H:%M} UTC"
        started_at = dt.datetime.fromisoformat(read_runs(project)[0].started_at)
        assert started_at >= at.replace(tzinfo=None, second=0, microsecond=0) - dt.timedelta(seconds=1)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
