"""What a run came to, in few words: for the terminal and for Prefect's artifact."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.runs import RunRecord
from warehouse.serving.findings import SCORES

PRIMARY = """
    select outcome, verdict, contrast.difference, contrast.ci_low, contrast.ci_high, reason
    from mart.contrast as contrast
    join (from audit.protocol where is_current) as protocol using (comparison, outcome, verdict)
    where estimator = 'overlap'
"""


def verdict_sentence(database: Path) -> str:
    """The verdict on the primary outcome, its size and the reason, from the overlap row."""
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(PRIMARY).fetchone()
    if row is None:
        return "No verdict: mart.contrast has no row for the primary outcome."
    outcome, verdict, difference, low, high, reason = row
    return f"{verdict_on(outcome, verdict, difference, low, high)} {reason or ''}".rstrip()


def verdict_on(outcome: str, verdict: str, difference: float | None, low: float | None, high: float | None) -> str:
    """`Partnership and mutual value: supported (+8.1 points, 95 % +2.0 to +14.2).`"""
    size = "" if difference is None else f" ({_size(outcome, difference, low, high)})"
    return f"Partnership and {outcome.replace('_', ' ')}: {verdict.replace('_', ' ')}{size}."


def _size(outcome: str, difference: float | None, low: float | None, high: float | None) -> str:
    """Scores in points of 100, everything else in its own unit."""
    if outcome in SCORES:
        return f"{_points(difference)} points, 95 % {_points(low)} to {_points(high)}"
    return f"{_own(difference)}, 95 % {_own(low)} to {_own(high)}"


def _points(share: float | None) -> str:
    return "?" if share is None else f"{share * 100:+.1f}"


def _own(value: float | None) -> str:
    return "?" if value is None else f"{value:+.3g}"


def counts(database: Path) -> dict[str, int]:
    """Files, rows and quarantined rows of a release, from audit.file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(
            "select count(*), coalesce(sum(rows_in), 0)::bigint, coalesce(sum(rows_quarantined), 0)::bigint "
            "from audit.file"
        ).fetchone()
    return dict(zip(("files", "rows", "quarantined"), row or (0, 0, 0), strict=True))


def as_markdown(record: RunRecord, folder: Path) -> str:
    """A run as a markdown page: how it ended and a table of its steps."""
    lines = [
        f"# Run {record.run_id}: {record.status}",
        "",
        f"As of {record.as_of}; code {record.code_version}. {record.message}",
        "",
        f"Files, checks and log: `{folder}`",
        "",
        "| step | status | seconds | rows |",
        "|---|---|---:|---:|",
        *(f"| {step.name} | {step.status} | {_cell(step.seconds)} | {_cell(step.rows)} |" for step in record.steps),
    ]
    return "\n".join(lines)


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:,}"
