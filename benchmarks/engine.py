"""How long the engine works on the demo's build: from the lake to the closed database, step by step.

    python -m benchmarks.engine [--accounts N] [--months N] [--seed N]

What a night does besides is left out: Python that is loaded, the trace of the lineage, landing, checks and the page.
The clock's seconds hold Python as well (plans, estimators); the engine's are those in which DuckDB has a statement to
work on, with the threads that the configuration gives it (two).
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Loaded before anything is timed.
import transforms.contrast.study
import transforms.reliability
import transforms.robustness  # noqa: F401
from demo import write_demo
from warehouse import build
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.landing import land_all
from warehouse.models import LAYERS
from warehouse.project import Project

LANDED = dt.datetime(2026, 7, 1)


Interval = tuple[float, float]


class Watched:
    """A connection that notes from when to when each of its statements ran, and those of its cursors."""

    def __init__(self, connection: Any, intervals: list[Interval]) -> None:
        self._connection, self._intervals = connection, intervals

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Watched:
        return Watched(self._connection.cursor(), self._intervals)

    def execute(self, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return self._connection.execute(*arguments)
        finally:
            self._intervals.append((started, time.perf_counter()))


@dataclass(frozen=True)
class Step:
    """A step's seconds by the clock, and those in which the engine worked."""

    name: str
    clock: float
    engine: float


def covered(intervals: Sequence[Interval]) -> float:
    """How long at least one of the intervals lasts.

    >>> covered([(0, 2), (1, 3), (5, 6)])
    4.0
    """
    total, until = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def timed(folder: Path, accounts: int, months: int, seed: int) -> Iterator[Step]:
    """Write a demo into `folder`, land it and build it step by step."""
    write_demo(folder, accounts=accounts, months=months, seed=seed)
    project = Project.open(folder)
    contracts, as_of = load_contracts([SHIPPED]), project.as_of()
    landed = land_all(project, contracts, LANDED)
    engine = build.start(folder / "build", project, contracts, as_of)
    intervals: list[Interval] = []
    engine.connection = Watched(engine.connection, intervals)  # type: ignore[assignment]
    steps: dict[str, Callable[[], Any]] = {
        "stage": lambda: build.stage(engine, project, contracts, landed, as_of),
        **{name: lambda name=name: build.layer(engine, name) for name in LAYERS},
        "contrast": lambda: build.contrast(engine, project, as_of),
        "finish": lambda: build.finish(engine, project, build.Run("benchmark", LANDED, as_of)),
    }
    try:
        for name, work in steps.items():
            intervals.clear()
            started = time.perf_counter()
            work()
            yield Step(name, time.perf_counter() - started, covered(intervals))
    finally:
        engine.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=600)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    print("| step | seconds by the clock | of the engine |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        steps = []
        for step in timed(Path(folder) / "demo", chosen.accounts, chosen.months, chosen.seed):
            print(f"| {step.name} | {step.clock:.2f} | {step.engine:.2f} |")
            steps.append(step)
    print(f"| together | {sum(step.clock for step in steps):.2f} | {sum(step.engine for step in steps):.2f} |")


if __name__ == "__main__":
    main()
