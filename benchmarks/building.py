"""A build of a project for a benchmark to ask: staged and modelled as a night does it, without checks and report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from warehouse import build
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.engine import Engine
from warehouse.landing import LandedFile
from warehouse.project import Project


@contextmanager
def built(project: Project, folder: Path, layers: Sequence[str], landed: Sequence[LandedFile] = ()) -> Iterator[Engine]:
    """The engine with these layers made, in `folder`; closed afterwards."""
    contracts = load_contracts([SHIPPED])
    engine = build.start(folder, project, contracts, project.as_of())
    try:
        build.stage(engine, project, contracts, landed, project.as_of())
        for name in layers:
            build.layer(engine, name)
        yield engine
    finally:
        engine.close()
