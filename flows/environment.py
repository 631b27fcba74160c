"""Settings that Prefect reads when it is imported; call `prepare` before that."""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = {
    # A temporary server has 20 s by default; on a busy machine it needs more.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Nothing is sent anywhere.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The steps' own lines go to the flow run's log; the terminal shows them in our form, and errors once.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows.runs",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


def prepare(root: Path) -> None:
    """Set what Prefect needs, unless the environment says otherwise already; its state stays in the project folder."""
    for key, value in {**SETTINGS, "PREFECT_HOME": str(root.resolve() / ".prefect")}.items():
        os.environ.setdefault(key, value)
