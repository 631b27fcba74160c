"""The steps of a run on the terminal: one live line while a step works, one plain line when it has ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from flows.runs import LOGGER, StepRecord


class Progress(logging.Handler):
    """Shows what the journal logs; on anything but a terminal only the plain lines."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console
        self._live: Status | None = None

    def emit(self, record: logging.LogRecord) -> None:
        step: StepRecord | None = getattr(record, "step", None)
        if step is not None and step.status == "running":
            self._begin(step.name)
            return
        self.end()
        # How a run failed is the command's own last line.
        if step is not None or record.levelno < logging.ERROR:
            self._console.print(
                record.getMessage(), style=_style(record), markup=False, highlight=False, soft_wrap=True
            )

    def _begin(self, name: str) -> None:
        self.end()
        if self._console.is_terminal:
            self._live = self._console.status(name)
            self._live.start()

    def end(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _style(record: logging.LogRecord) -> str:
    if record.levelno >= logging.ERROR:
        return "red"
    return "yellow" if record.levelno >= logging.WARNING else ""


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the journal's lines on `console` for the length of the block."""
    logger = logging.getLogger(LOGGER)
    progress = Progress(console)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(progress)
    try:
        yield
    finally:
        progress.end()
        logger.removeHandler(progress)
        logger.setLevel(level)
