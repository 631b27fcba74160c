"""The gate over whole files, with Great Expectations; one run costs seconds, so each answers several questions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from expectations.gate import CheckResult, UncheckableRelease, check, failures, observed
from tests.expectations.conftest import Plant
from warehouse.errors import CheckFailure
from warehouse.models import Model


def failed(results: Sequence[CheckResult]) -> dict[tuple[str, str, str], CheckResult]:
    """The failed checks by suite, expectation and column."""
    return {(row.suite, row.expectation, row.column_name): row for row in results if not row.success}


def test_a_true_release_passes_untouched_and_leaves_data_docs_only(
    release: Plant, models: list[Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder whose name looks like a variable, an escape and a comment of the formats that it passes through.
    monkeypatch.setenv("PLACE", str(tmp_path / "elsewhere"))
    folder = tmp_path / "run $PLACE 100% #1 é"
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    database = release()
    before = hashlib.sha256(database.read_bytes()).hexdigest()

    results = check(database, models, folder, "20240316T020000Z")

    assert [row for row in results if not row.success] == []
    assert {row.suite for row in results} == {"rules", *(model.table for model in models)}
    assert {row.run_id for row in results} == {"20240316T020000Z"}
    keys = [(row.suite, row.expectation, row.column_name) for row in results]
    assert len(keys) == len(set(keys))
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert [path.name for path in folder.iterdir()] == ["data_docs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name, "warehouse.duckdb"]
    pages = {path.stem for path in (folder / "data_docs" / "validations").rglob("*.html")}
    assert pages == {f"warehouse-{suite}" for suite in {row.suite for row in results}}
    with duckdb.connect(str(database)) as connection:
        # Nobody holds the file: a writer may open it.
        connection.execute("create table mart.scratch (a integer)")


def test_what_is_planted_is_found_counted_and_named_by_its_keys(
    release: Plant, models: list[Model], tmp_path: Path
) -> None:
    database = release(
        "insert into mart.account values ('crm:1', 'Alpha Again', 'asleep'), (null, 'Nobody', 'active')",
        "update mart.relationship_month set partnership = 1.5, partnership_high = 1.5 where account_id = 'crm:1'",
        "update mart.relationship_month set account_id = 'someone@example.com' where account_id = 'crm:2'",
        "alter table mart.mrr_bridge drop new",
        "alter table mart.account_month_measure alter n type hugeint",
        "insert into audit.identity select 'billing', printf('%03d', i), null, null, null, null from range(100) as t(i)",
        "update audit.coverage set to_date = '2023-01-01'",
        "update mart.contrast set verdict = 'proven' where verdict = 'supported'",
    )
    results = check(database, models, tmp_path / "run", "r1")
    seen = {key: (row.severity, row.observed) for key, row in failed(results).items()}

    in_set, between = "expect_column_values_to_be_in_set", "expect_column_values_to_be_between"
    first_twenty = "; ".join(f"system=billing, source_account_id={i:03d}, identities=1" for i in range(20))
    assert seen == {
        # suite, expectation, column: severity, observed
        ("mart.account", "expect_column_values_to_not_be_null", "account_id"): (
            "critical",
            "1 of 5 rows: account_id=None",
        ),
        ("mart.account", "grain_is_unique", ""): ("critical", "1 row: account_id=crm:1, copies=2"),
        ("mart.account", in_set, "status"): ("critical", "1 of 5 rows: account_id=crm:1"),
        ("mart.relationship_month", between, "partnership"): (
            "critical",
            "1 of 4 rows: account_id=crm:1, month=2024-02-01",
        ),
        ("mart.relationship_month", between, "partnership_high"): (
            "critical",
            "1 of 4 rows: account_id=crm:1, month=2024-02-01",
        ),
        ("mart.relationship_month", "account_id_is_in_mart.account", "account_id"): (
            "critical",
            "1 row: account_id=s…m (19), copies=1",
        ),
        ("mart.mrr_bridge", "expect_table_columns_to_match_ordered_list", ""): ("critical", "8 columns; missing new"),
        ("mart.contrast", in_set, "verdict"): (
            "critical",
            "1 of 2 rows: as_of=2024-03-15, comparison=partnership_high_vs_low, outcome=mutual_value, "
            "estimator=overlap",
        ),
        ("rules", "mrr_bridge_closes", ""): (
            "critical",
            'could not run: Binder Error: Referenced column "new" not found in FROM clause!',
        ),
        ("rules", "columns_have_types_for_bi", ""): (
            "critical",
            "1 row: table_name=mart.account_month_measure, column_name=n, data_type=HUGEINT",
        ),
        ("rules", "every_account_has_one_identity", ""): ("critical", f"100 rows: {first_twenty}"),
        ("rules", "accounts_are_matched", ""): ("warning", "1 row: system=billing, accounts=100, unmatched=100"),
        ("rules", "systems_deliver", ""): ("warning", "1 row: system=crm, newest=2023-01-01, as_of=2024-03-15"),
    }
    assert len(failures(results)) == len(seen) - 2
    docs = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "run").rglob("*.html"))
    assert "someone@example.com" not in docs
    assert "Nobody" not in docs
    assert "asleep" not in docs


def test_a_warning_that_cannot_run_stops_the_release(release: Plant, models: list[Model], tmp_path: Path) -> None:
    """And the message of an engine that quotes data is not passed on."""
    database = release(
        "alter table audit.coverage alter to_date type varchar",
        "update audit.coverage set to_date = 'someone@example.com'",
        "drop table canonical.account_source",
        "create view canonical.account_source as select 'crm' as source_system, "
        "cast(cast(name as integer) as varchar) as source_account_id from mart.account",
    )
    stopped = failed(check(database, models, tmp_path / "run", "r1"))
    late = stopped["rules", "systems_deliver", ""]
    assert (late.severity, late.observed.startswith("could not run: Binder Error")) == ("critical", True)
    identity = stopped["rules", "every_account_has_one_identity", ""]
    assert (identity.severity, identity.observed) == ("critical", "could not run: Conversion Error")


@pytest.mark.parametrize(
    ("drop", "message"),
    [
        ("mart.retention", r"warehouse.duckdb lacks mart.retention \(suite mart.retention\)"),
        ("canonical.account_source", r"canonical.account_source \(suite canonical.account_source\)"),
    ],
)
def test_a_missing_table_is_an_error_and_no_silent_skip(
    drop: str, message: str, release: Plant, models: list[Model], tmp_path: Path
) -> None:
    with pytest.raises(UncheckableRelease, match=message) as raised:
        check(release(f"drop table {drop}"), models, tmp_path / "run", "r1")
    assert isinstance(raised.value, CheckFailure)
    assert raised.value.exit_code == 1


def test_a_table_that_only_a_rule_reads_must_be_there_too(release: Plant, models: list[Model], tmp_path: Path) -> None:
    others = [model for model in models if model.table != "canonical.account_source"]
    with pytest.raises(UncheckableRelease, match=r"canonical.account_source \(suite rules\)"):
        check(release("drop table canonical.account_source"), others, tmp_path / "run", "r1")


def test_an_empty_table_passes_where_it_may_be_empty_and_fails_where_it_must_not(
    release: Plant, models: list[Model], tmp_path: Path
) -> None:
    empty = ("mart.retention", "mart.contrast_balance", "mart.account", "mart.month", "audit.quarantine")
    results = check(release(*(f"delete from {table}" for table in empty)), models, tmp_path / "run", "r1")
    rows = "expect_table_row_count_to_be_between"
    emptied = {key: row.observed for key, row in failed(results).items() if key[0] in empty}
    assert emptied == {("mart.account", rows, ""): "0 rows", ("mart.month", rows, ""): "0 rows"}


def test_only_critical_failures_stop_a_release() -> None:
    def result(success: bool, severity: str) -> CheckResult:
        return CheckResult("r1", "rules", f"{success} {severity}", "", success, severity, "")  # type: ignore[arg-type]

    every = [result(success, severity) for success in (True, False) for severity in ("critical", "warning")]
    assert [row.expectation for row in failures(every)] == ["False critical"]


@pytest.mark.parametrize(
    ("wanted", "found", "text"),
    [
        # columns wanted | columns found | what is said
        ({"column_list": ["a", "b"]}, ["a", "b"], "2 columns"),
        ({"column_list": ["a", "b"]}, ["b", "a"], "2 columns; in another order: b, a"),
        ({"column_list": ["a", "b"]}, ["a", "c"], "2 columns; missing b; unknown c"),
        ({"column_set": ["a", "b"]}, ["c", "b"], "2 columns; missing a"),
        ({"column_set": ["a", "b"]}, ["c", "b", "a"], "3 columns"),
    ],
)
def test_a_difference_of_columns_is_spelled_out(wanted: dict[str, list[str]], found: list[str], text: str) -> None:
    assert observed(wanted, {"observed_value": found}, "", []) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("(duckdb.BinderException) Binder Error: no column x\nLINE 1: select", "Binder Error: no column x"),
        ("(duckdb.ConversionException) Conversion Error: Could not convert string 'Jane Roe'", "Conversion Error"),
        ("something odd about Jane Roe", "see the run's log"),
    ],
)
def test_an_error_is_told_without_data(error: str, text: str) -> None:
    assert observed({}, {}, error, []) == f"could not run: {text}"


def test_great_expectations_is_imported_only_when_something_is_checked() -> None:
    """It costs 5-8 s, which `mutual-value --help` must not."""
    code = "import sys, expectations.gate, expectations.checks; print('great_expectations' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "False"
