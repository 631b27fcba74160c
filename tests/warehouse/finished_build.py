"""A made-up finished build with the tables that readers of a release use, for tests of what is served from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from tests.warehouse.finished_review import review_rows
from warehouse.engine import quoted
from warehouse.lineage import rows as lineage_rows
from warehouse.models import declared_tables, measures

AS_OF = dt.date(2026, 6, 30)
LAST_MONTH = dt.date(2026, 6, 1)
T0 = dt.date(2026, 1, 1)
OUTCOMES = ("mutual_value", "supplier_value", "customer_value", "balance", "tilt", "nrr", "csat")
COMPARISONS = ("partnership_high_vs_low", "partnership_vs_transactional")
STYLES = ("Partnership", "Demanding partner", "Transactional", "Dormant", "Undetermined")
COVARIATES = ("log_mrr", "seats", "tenure_months", "logging_intensity", "industry=Media", "seats (not recorded)")

# What the models give; the tests compare the names with the models themselves.
MODEL_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "setting.run": {
        "as_of": "DATE", "currency": "VARCHAR", "timezone": "VARCHAR", "last_month": "DATE", "t0": "DATE",
        "low": "DOUBLE", "high": "DOUBLE",
    },
    "setting.leak": {
        "measure_id": "VARCHAR", "style_measure_id": "VARCHAR", "system": "VARCHAR", "entity": "VARCHAR",
        "source_column": "VARCHAR", "style_column": "VARCHAR", "value_column": "VARCHAR",
    },
    "mart.account": {
        "account_id": "VARCHAR", "name": "VARCHAR", "segment": "VARCHAR", "industry": "VARCHAR", "country": "VARCHAR",
        "region": "VARCHAR", "size_band": "VARCHAR", "customer_since": "DATE", "status": "VARCHAR",
        "owner_id": "VARCHAR", "systems": "VARCHAR", "group_id": "VARCHAR", "deleted_reason": "VARCHAR",
    },
    "mart.month": {
        "month": "DATE", "year": "INTEGER", "quarter": "INTEGER", "month_name": "VARCHAR", "is_complete": "BOOLEAN",
    },
    "mart.measure": {
        "measure_id": "VARCHAR", "label": "VARCHAR", "label_da": "VARCHAR", "description": "VARCHAR", "side": "VARCHAR",
        "window_months": "INTEGER", "unit": "VARCHAR", "direction": "VARCHAR", "weight": "DOUBLE",
        "minimum_evidence": "VARCHAR", "formula": "VARCHAR",
    },
    "mart.account_month_measure": {
        "account_id": "VARCHAR", "month": "DATE", "measure_id": "VARCHAR", "value": "DOUBLE", "raw_value": "DOUBLE",
        "raw_low": "DOUBLE", "raw_high": "DOUBLE", "numerator": "DOUBLE", "denominator": "DOUBLE", "standard_error": "DOUBLE", "n": "DOUBLE", "status": "VARCHAR",
        "reason": "VARCHAR", "known_at_source": "VARCHAR",
    },
    "mart.relationship_month": {
        "account_id": "VARCHAR", "month": "DATE", "partnership": "DOUBLE", "partnership_low": "DOUBLE",
        "partnership_high": "DOUBLE", "cost_focus_customer": "DOUBLE", "cost_focus_supplier": "DOUBLE",
        "cost_focus": "DOUBLE", "style": "VARCHAR", "supplier_value": "DOUBLE", "customer_value": "DOUBLE",
        "mutual_value": "DOUBLE", "mutual_value_low": "DOUBLE", "mutual_value_high": "DOUBLE", "balance": "DOUBLE",
        "tilt": "DOUBLE", "mrr": "DECIMAL(18,2)", "evidence": "VARCHAR", "reason": "VARCHAR",
    },
    "mart.score_change": {
        "account_id": "VARCHAR", "month": "DATE", "measure_id": "VARCHAR", "side": "VARCHAR", "contribution": "DOUBLE",
    },
    "audit.matching": {
        "system": "VARCHAR", "entity": "VARCHAR", "total": "DECIMAL(18,2)", "matched": "DECIMAL(18,2)",
        "matched_share": "DOUBLE",
    },
    "audit.purpose": {
        "system": "VARCHAR", "kind": "VARCHAR", "activities": "BIGINT", "by_field": "BIGINT", "by_rule": "BIGINT",
        "untagged": "BIGINT", "untagged_share": "DOUBLE",
    },
}  # fmt: skip


@dataclass
class FinishedBuild:
    """Rows by table; `write` makes the file. Change rows before writing to draw a case."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Make the database at `path` with every table, empty where no rows are given."""
        with duckdb.connect(str(path)) as connection:
            for schema in ("setting", "mart", "audit"):
                connection.execute(f"create schema {schema}")
            declared = {model.table: model.types for model in declared_tables()}
            for table, columns in {**MODEL_COLUMNS, **declared}.items():
                _create(connection, table, columns, self.rows.get(table, []))
        return path


def _create(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    connection.execute(
        f"create table {table} ({', '.join(f'{quoted(name)} {kind}' for name, kind in columns.items())})"
    )
    if rows:
        connection.register("given", pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows]))
        connection.execute(f"insert into {table} by name select * from given")
        connection.unregister("given")


def month_after(month: dt.date, count: int) -> dt.date:
    position = month.year * 12 + month.month - 1 + count
    return dt.date(position // 12, position % 12 + 1, 1)


def empty_build() -> FinishedBuild:
    """The first night of a project without a single file."""
    catalogue = [
        {"measure_id": name, "weight": None if facts["part"] == "none" else 1.0, **facts}
        for name, facts in measures().items()
    ]
    release = {
        "run_id": "20260701T020000Z-abcd", "as_of": AS_OF, "built_at": dt.datetime(2026, 7, 1, 0, 4, 11),
        "code_version": "0.1.0", "reference_version": "first_12_months", "protocol_hash": "9f" * 32,
    }  # fmt: skip
    run = {
        "as_of": AS_OF, "currency": "DKK", "timezone": "Europe/Copenhagen", "last_month": LAST_MONTH, "t0": T0,
        "low": 0.4, "high": 0.6,
    }  # fmt: skip
    return FinishedBuild({"mart.release": [release], "setting.run": [run], "mart.measure": catalogue})


def finished_build(
    accounts: int = 60, months: int = 12, *, word: str = "supported", goals: bool = True
) -> FinishedBuild:
    """A plausible build: accounts with styles and values over the months, a contrast with the verdict `word`."""
    build = empty_build()
    random = np.random.default_rng(7)
    spine = [month_after(LAST_MONTH, -back) for back in range(months - 1, -1, -1)]
    build.rows |= {
        "mart.account": [_account(number) for number in range(accounts)],
        "mart.month": [_month(month, is_complete=True) for month in spine]
        + [_month(dt.date(2026, 7, 1), is_complete=False)],
        "mart.relationship_month": _relationships(random, accounts, spine, goals),
        "mart.account_month_measure": _measures(accounts, spine),
        "mart.score_change": [
            {
                "account_id": f"crm:{number}",
                "month": LAST_MONTH,
                "measure_id": measure_id,
                "side": "customer",
                "contribution": 0.01 * place,
            }
            for number in range(accounts)
            for place, measure_id in enumerate(("csat", "reopen_rate"), start=1)
        ],
        "mart.contrast": contrast_rows(word),
        "mart.contrast_balance": _balance(),
        "mart.retention": _retention(),
        **review_rows(word, AS_OF),
        **_audit(accounts),
    }
    return build


def _account(number: int) -> dict[str, Any]:
    segment = ("Enterprise", "Mid-market", "Small")[number % 3]
    return {"account_id": f"crm:{number}", "name": f"Company {number:03d} A/S", "segment": segment, "status": "active"}


def _month(month: dt.date, *, is_complete: bool) -> dict[str, Any]:
    return {
        "month": month, "year": month.year, "quarter": (month.month + 2) // 3, "month_name": f"{month:%B}",
        "is_complete": is_complete,
    }  # fmt: skip


def _relationships(
    random: np.random.Generator, accounts: int, spine: Sequence[dt.date], goals: bool
) -> list[dict[str, Any]]:
    partnership = random.beta(2, 2, accounts)
    cost_focus = np.clip(random.beta(2, 2, accounts) - 0.25 * (partnership - 0.5), 0.02, 0.98)
    rows = []
    for month in spine:
        drift = random.normal(0, 0.02, (3, accounts))
        supplier = np.clip(0.4 + 0.25 * partnership + drift[0] + random.normal(0, 0.1, accounts), 0.05, 0.97)
        customer = np.clip(0.4 + 0.2 * partnership + drift[1] + random.normal(0, 0.1, accounts), 0.05, 0.97)
        rows += [
            _relationship(number, month, p, c, s, v, goals)
            for number, (p, c, s, v) in enumerate(zip(partnership, cost_focus, supplier, customer, strict=True))
        ]
    return rows


def _relationship(
    number: int, month: dt.date, partnership: float, cost_focus: float, supplier: float, customer: float, goals: bool
) -> dict[str, Any]:
    """One account-month; each tenth account has too little evidence, each eleventh no customer value."""
    is_placed, has_value = number % 10 != 9, number % 11 != 10
    return {
        "account_id": f"crm:{number}",
        "month": month,
        "partnership": partnership if is_placed else None,
        "cost_focus": cost_focus if is_placed else None,
        "style": style_of(partnership, cost_focus) if is_placed else None,
        "supplier_value": supplier,
        "customer_value": customer if has_value else None,
        "mutual_value": float(np.sqrt(supplier * customer)) if has_value else None,
        "mrr": round(1000 + 137.5 * number, 2),
        "evidence": ("goals" if goals else "no_goals") + ",cost_focus_customer",
        "reason": None if is_placed and has_value else "partnership: 2 of 3 indicators",
    }


def style_of(partnership: float, cost_focus: float) -> str:
    """The cell, with a gap between the thresholds."""
    if 0.4 < partnership < 0.6 or 0.4 < cost_focus < 0.6:
        return "Undetermined"
    cells = {(True, False): "Partnership", (True, True): "Demanding partner", (False, True): "Transactional"}
    return cells.get((partnership >= 0.6, cost_focus >= 0.6), "Dormant")


def _measures(accounts: int, spine: Sequence[dt.date]) -> list[dict[str, Any]]:
    """Every measure of the first ten accounts: known, thin, or missing."""
    states = (("ok", None), ("ok", None), ("thin", None), ("null", "source_not_connected"), ("null", "below_min_n"))
    return [
        {
            "account_id": f"crm:{number}",
            "month": month,
            "measure_id": measure_id,
            "value": 0.5 if states[(number + place) % 5][0] == "ok" else None,
            "status": states[(number + place) % 5][0],
            "reason": states[(number + place) % 5][1],
        }
        for number in range(min(accounts, 10))
        for month in spine[-3:]
        for place, measure_id in enumerate(measures())
    ]


EFFECTS = {
    "supported": (0.062, 0.031, 0.093),
    "contradicted": (-0.062, -0.093, -0.031),
    "inconclusive": (0.021, -0.012, 0.054),
    "practically_null": (0.002, -0.011, 0.015),
}


def contrast_rows(word: str) -> list[dict[str, Any]]:
    """mart.contrast with the verdict `word` throughout."""
    return [
        _contrast(word, comparison, outcome, estimator, shift)
        for comparison in COMPARISONS
        for outcome in OUTCOMES
        for estimator, shift in (("unadjusted", 0.02), ("overlap", 0.0), ("aipw", 0.004))
    ]


def _contrast(word: str, comparison: str, outcome: str, estimator: str, shift: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "as_of": AS_OF, "comparison": comparison, "outcome": outcome, "estimator": estimator, "verdict": word,
        "horizon_days": 181, "protocol_hash": "9f" * 32,
    }  # fmt: skip
    if word == "not_estimable":
        return {**row, "reason": "12 accounts in the high arm; 30 needed"}
    difference, low, high = (number + shift for number in EFFECTS[word])
    return {
        **row, "n_partnership": 142, "n_comparison": 130, "effective_n_partnership": 120.5,
        "effective_n_comparison": 111.2, "mean_partnership": 0.561 + shift,
        "mean_comparison": 0.561 - difference + shift,
        "difference": difference, "standard_error": (high - low) / 3.92, "ci_low": low, "ci_high": high,
        "hedges_g": EFFECTS[word][0] / 0.151, "cliffs_delta": 0.22, "p_value": 0.0004,
        "q_value": None if outcome == "mutual_value" else 0.0011,
        "max_smd_before": 0.44, "max_smd_after": 0.0, "e_value": 2.1, "reason": "the interval lies above 0",
    }  # fmt: skip


def _balance() -> list[dict[str, Any]]:
    return [
        {
            "as_of": AS_OF, "comparison": comparison, "outcome": outcome, "covariate": covariate,
            "smd_before": 0.44 - 0.13 * place, "smd_after": 0.0,
        }
        for comparison in COMPARISONS
        for outcome in OUTCOMES
        for place, covariate in enumerate(COVARIATES)
    ]  # fmt: skip


def _retention() -> list[dict[str, Any]]:
    rows = []
    for place, style in enumerate(STYLES):
        for day in range(0, 181, 30):
            survival = 1 - (0.0002 + 0.0003 * place) * day
            spread = 0.02 + 0.0002 * day if day else 0.0
            rows.append(
                {
                    "as_of": AS_OF, "style": style, "day": day, "survival": survival, "ci_low": survival - spread,
                    "ci_high": min(1.0, survival + spread), "at_risk": 80 - day // 10, "events": int(day * 0.04),
                }
            )  # fmt: skip
    return rows


def _audit(accounts: int) -> dict[str, list[dict[str, Any]]]:
    landed = dt.datetime(2026, 6, 30, 2)
    file = {"member": "", "landed_at": landed, "bytes": 1000, "status": "landed", "ignored_blank": 0}
    counts = {"rows_in": 1200, "rows_loaded": 1190, "rows_quarantined": 4, "rows_ignored": 6}
    quarantined = {"member": "", "severity": "cell", "status": "open", "raw_value": "3…2 (4)", "system": "zendesk"}
    identity = [("salesforce", 0), ("zendesk", 12), ("stripe", 20)]
    check = {"run_id": "20260701T020000Z-abcd", "column_name": ""}
    return {
        "audit.file": [
            {**file, **counts, "sha256": "a", "entity": "Account", "system": "salesforce", "name": "Account.csv"},
            {**file, **counts, "sha256": "b", "entity": "ticket", "system": "zendesk", "name": "tickets.json"},
            {
                "sha256": "c", "member": "", "entity": "", "system": "zendesk", "name": "notes.csv",
                "status": "unrecognised", "message": "no entity of zendesk has these headers",
            },
        ],
        "audit.quarantine": [
            {
                **quarantined, "sha256": "b", "entity": "ticket", "row_number": number, "rule": "negative_duration",
                "column_name": "ticket.first_response_min",
            }
            for number in range(4)
        ],
        "audit.coverage": [
            {
                "system": system, "entity": "all", "from_date": dt.date(2024, 1, 3), "to_date": dt.date(2026, 6, 29),
                "as_of": AS_OF, "scope": "window", "columns_missing": "csat, tags" if system == "zendesk" else None,
                "columns_unknown": "Mood" if system == "zendesk" else None,
                "columns_lost": "ticket.reopens" if system == "zendesk" else "",
            }
            for system, _ in identity
        ],
        "audit.full_drop": [
            {
                "system": "salesforce", "entity": "account", "drop_at": dt.datetime(2026, 6, 30, 12), "records": 30,
                "records_before": 60, "is_believed": False, "records_absent": None, "message": "it holds 30 records",
            },
            {
                "system": "salesforce", "entity": "account", "drop_at": dt.datetime(2026, 5, 31, 12), "records": 60,
                "records_before": 60, "is_believed": True, "records_absent": 0, "message": "",
            },
        ],
        "audit.lineage": lineage_rows(),
        "audit.purpose": [
            {
                "system": "salesforce", "kind": "meeting", "activities": 40, "by_field": 10, "by_rule": 20,
                "untagged": 10, "untagged_share": 0.25,
            },
        ],
        "audit.matching": [
            {
                "system": system, "entity": "account", "total": Decimal(accounts),
                "matched": Decimal(accounts - (accounts // step if step else 0)),
            }
            for system, step in identity
        ],
        "audit.expectation": [
            {**check, "suite": "mart.account", "expectation": "unique", "success": True, "severity": "critical"},
            {
                **check, "suite": "rules", "expectation": "coverage_gap", "success": False, "severity": "warning",
                "observed": "stripe: no invoices for 41 days",
            },
        ],
    }  # fmt: skip
