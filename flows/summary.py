"""What a run came to, in few words: for the terminal and for Prefect's artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from flows.runs import RunRecord

PRIMARY = "comparison = 'partnership_high_vs_low' and outcome = 'mutual_value' and estimator = 'overlap'"

VERDICTS = """
    select comparison, outcome, estimator, n_partnership, n_comparison, difference, ci_low, ci_high, verdict, reason
    from mart.contrast order by comparison, outcome, estimator
"""


def verdict_sentence(database: Path) -> str:
    """The verdict on mutual value, its size in points of 100 and the reason, from the overlap row."""
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(
            f"select verdict, difference, ci_low, ci_high, reason from mart.contrast where {PRIMARY}"
        ).fetchone()
    if row is None:
        return "No verdict: mart.contrast has no row for partnership on mutual value."
    verdict, difference, low, high, reason = row
    size = "" if difference is None else f" ({_points(difference)} points, 95 % {_points(low)} to {_points(high)})"
    return f"Partnership and mutual value: {verdict.replace('_', ' ')}{size}. {reason or ''}".rstrip()


def _points(share: float | None) -> str:
    return "?" if share is None else f"{share * 100:+.1f}"


def verdicts(database: Path) -> list[dict[str, Any]]:
    """The rows of mart.contrast, the columns that a terminal has room for."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(VERDICTS)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
