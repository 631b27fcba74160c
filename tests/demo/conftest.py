"""One small demo on disk, one larger world in memory; both drawn once."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import DemoTruth, write_demo
from demo.world import World, draw_world


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    """A project folder with the exports of 20 accounts over 18 months, and its truth."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, write_demo(folder, accounts=20, months=18, seed=7)


@pytest.fixture(scope="session")
def inbox(written: tuple[Path, DemoTruth]) -> Path:
    return written[0] / "inbox"


@pytest.fixture(scope="session")
def truth(written: tuple[Path, DemoTruth]) -> DemoTruth:
    return written[1]


@pytest.fixture(scope="session")
def world() -> World:
    """A world large enough for shares and correlations."""
    return draw_world(600, 36, seed=1, effect=1.0)
