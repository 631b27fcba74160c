"""How long the engine works on the demo's build: from the lake to the closed database, step by step.

    python -m benchmarks.engine [--accounts N] [--months N] [--seed N]

What a night does besides is left out: Python that is loaded, the trace of the lineage, landing, checks and the page. A
step's time is the clock's, with DuckDB's threads as the configuration has them (two).
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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


def timed(folder: Path, accounts: int, months: int, seed: int) -> Iterator[tuple[str, float]]:
    """Write a demo into `folder`, land it and build it; each step and its seconds."""
    write_demo(folder, accounts=accounts, months=months, seed=seed)
    project = Project.open(folder)
    contracts, as_of = load_contracts([SHIPPED]), project.as_of()
    landed = land_all(project, contracts, LANDED)
    engine = build.start(folder / "build", project, contracts, as_of)
    steps: dict[str, Callable[[], Any]] = {
        "stage": lambda: build.stage(engine, project, contracts, landed, as_of),
        **{name: lambda name=name: build.layer(engine, name) for name in LAYERS},
        "contrast": lambda: build.contrast(engine, project, as_of),
        "finish": lambda: build.finish(engine, project, build.Run("benchmark", LANDED, as_of)),
    }
    try:
        for name, work in steps.items():
            started = time.perf_counter()
            work()
            yield name, time.perf_counter() - started
    finally:
        engine.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=600)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    total = 0.0
    print("| step | seconds |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, seconds in timed(Path(folder) / "demo", chosen.accounts, chosen.months, chosen.seed):
            total += seconds
            print(f"| {name} | {seconds:.2f} |")
    print(f"| together | {total:.2f} |")


if __name__ == "__main__":
    main()
