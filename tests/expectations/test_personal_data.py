"""What checks leave on the disk tells of no person: not what they observed, not their pages."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from expectations.gate import check
from tests.expectations.conftest import Plant
from warehouse.models import Model

ADDRESS = "anna.hansen@firma.example"


def test_neither_results_nor_pages_quote_an_address_whatever_rows_fail(
    release: Plant, models: list[Model], tmp_path: Path
) -> None:
    database = release(
        # An account or a company whose id in its system is an address, in rows that critical and warning rules return.
        f"insert into audit.identity select 'billing', '{ADDRESS}', null, null, null, null from range(2)",
        "insert into audit.identity select 'billing', 'x' || i, null, null, null, null from range(9) as t(i)",
        f"update mart.relationship_month set account_id = '{ADDRESS}', partnership = 7 where account_id = 'crm:2'",
        f"update mart.mrr_bridge set account_id = 'crm:{ADDRESS}', closing = 999 where account_id = 'crm:2'",
        f"update mart.account set status = '{ADDRESS}' where account_id = 'crm:1'",
    )
    results = check(database, models, tmp_path / "run", "r1")
    failed = {(row.suite, row.severity) for row in results if not row.success}
    assert {("rules", "critical"), ("rules", "warning"), ("mart.account", "critical")} <= failed
    kept = json.dumps([asdict(row) for row in results], ensure_ascii=False)
    kept += "".join(
        path.read_text(encoding="utf-8") for path in (tmp_path / "run").rglob("*") if path.suffix in (".html", ".json")
    )
    for part in (ADDRESS, "anna", "hansen", "firma.example"):
        assert part not in kept
