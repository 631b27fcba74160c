"""`mutual-value serve`: the night on its schedule, in one process that stays."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.nightly import nightly
from warehouse.errors import ConfigurationError
from warehouse.project import Project

SERVER_SECONDS = 120


def serve_nightly(project: Project) -> None:
    """Run the project's night at schedule.at until the process is stopped."""
    with _server():
        serve(deployment(project))


def deployment(project: Project) -> RunnerDeployment:
    """The night as a Prefect deployment: daily in the project's zone, never two at once."""
    settings = project.settings
    hour, minute = settings.schedule.at.split(":")
    made = nightly.to_deployment(
        name=project.root.name,
        schedule=Cron(f"{int(minute)} {int(hour)} * * *", timezone=settings.timezone),
        # A night that is late is not caught up by a second one beside it; the project's lock guards the rest.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        parameters={"project": str(project.root)},
        description=f"Nightly release of {project.root}",
    )
    return cast("RunnerDeployment", made)  # a coroutine only where an event loop runs already


@contextmanager
def _server() -> Iterator[None]:
    """The configured Prefect server, else one for the length of the block.

    Prefect's own temporary server has no scheduler, so a schedule needs a whole one.
    """
    if PREFECT_API_URL.value():
        yield
        return
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    )
    try:
        address = f"http://127.0.0.1:{port}/api"
        _wait_for(address, process)
        os.environ["PREFECT_API_URL"] = address  # the flow runs in a process of its own
        with temporary_settings({PREFECT_API_URL: address}):
            yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=1):  # noqa: S310
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise ConfigurationError(
        f"a Prefect server did not start within {SERVER_SECONDS} s; start one with `prefect server start` and set "
        "PREFECT_API_URL to its address"
    )
