"""Fixtures that several folders of tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import flows  # noqa: F401  its setting for numpy, which must be there before numpy is
from tests.tables import Example

# The same examples on every machine and run; a slow machine is no failure.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("project")

# One key for all projects of tests, so that the hashes in their tables are the same on every machine and run.
os.environ["MUTUAL_VALUE_KEY"] = "the key of the tests, no secret"

REAL_FILES = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Callable[..., Example]]:
    """Makes examples: `example(as_of="2026-06-30")`."""
    made: list[Example] = []

    def make(as_of: str = "2026-06-30", **settings: Any) -> Example:
        folder = tmp_path / f"example{len(made)}"
        folder.mkdir()
        made.append(Example(folder, as_of, **settings))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


@pytest.fixture(scope="session")
def real_files() -> Path:
    """Real exports made by others, which lie beside the checkout and not in it."""
    if not REAL_FILES.is_dir():
        pytest.skip("the real export files are not beside the checkout (../shared/data)")
    return REAL_FILES
