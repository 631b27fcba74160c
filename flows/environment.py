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
    # The steps' own lines go into the flow run's log too.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows.runs",
}

# One run at a terminal shows its steps and its error in our own form, once.
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


def prepare(root: Path, *, quiet: bool = False) -> None:
    """Set what Prefect needs, unless the environment says otherwise already; its state stays in the project folder."""
    settings = {**SETTINGS, **(QUIET if quiet else {}), "PREFECT_HOME": str(root.resolve() / ".prefect")}
    for key, value in settings.items():
        os.environ.setdefault(key, value)
