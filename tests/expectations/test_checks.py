"""Suites are computed from models, read from YAML and SQL; a wrong file is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from expectations.checks import Suite, find_suites, masked, read_rules
from warehouse.errors import ConfigurationError
from warehouse.models import Model, declared_tables, find_models


def model(table: str, grain: tuple[str, ...], *columns: str) -> Model:
    schema, name = table.split(".")
    described = dict.fromkeys((*grain, *columns), "described")
    return Model(schema, name, grain, "", described, frozenset(), "select", Path(f"{name}.sql"))


def suite_of(table: str, suites: list[Suite]) -> Suite:
    [suite] = [suite for suite in suites if suite.name == table]
    return suite


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Empty folders for suites and rules."""
    suites, rules = tmp_path / "suites", tmp_path / "rules"
    suites.mkdir()
    rules.mkdir()
    return suites, rules


def test_a_mart_gets_columns_grain_and_references(folders: tuple[Path, Path]) -> None:
    made = find_suites([model("mart.bridge", ("account_id", "month"), "opening")], *folders)
    # check | column
    assert [(check.name, check.column) for check in suite_of("mart.bridge", made).checks] == [
        ("expect_table_columns_to_match_ordered_list", ""),
        ("expect_column_values_to_not_be_null", "account_id"),
        ("expect_column_values_to_not_be_null", "month"),
        ("grain_is_unique", ""),
        ("account_id_is_in_mart.account", "account_id"),
        ("month_is_in_mart.month", "month"),
    ]


def test_a_table_is_not_checked_against_itself(folders: tuple[Path, Path]) -> None:
    made = find_suites([model("mart.account", ("account_id",), "name")], *folders)
    assert not [check for check in suite_of("mart.account", made).checks if "_is_in_" in check.name]


def test_an_inner_table_may_know_accounts_that_no_mart_has(folders: tuple[Path, Path]) -> None:
    made = find_suites([model("value.nrr", ("account_id", "month"))], *folders)
    assert not [check for check in suite_of("value.nrr", made).checks if "_is_in_" in check.name]


def test_a_declared_check_becomes_one_check_per_column(folders: tuple[Path, Path]) -> None:
    (folders[0] / "mart.yml").write_text(
        """
        mart.bridge:
          checks:
            - expect: expect_column_values_to_be_between
              columns: [opening, closing]
              kwargs: {min_value: 0}
              severity: warning
            - {expect: expect_table_row_count_to_be_between, kwargs: {min_value: 1}}
        """
    )
    made = find_suites([model("mart.bridge", ("account_id",), "opening", "closing")], *folders)
    declared = suite_of("mart.bridge", made).checks[-3:]
    assert [(check.expect, check.column, check.severity, dict(check.kwargs)) for check in declared] == [
        ("expect_column_values_to_be_between", "opening", "warning", {"min_value": 0, "column": "opening"}),
        ("expect_column_values_to_be_between", "closing", "warning", {"min_value": 0, "column": "closing"}),
        ("expect_table_row_count_to_be_between", "", "critical", {"min_value": 1}),
    ]


def test_a_table_that_python_fills_may_have_more_columns(folders: tuple[Path, Path]) -> None:
    filled = replace(model("audit.file", ("sha256",), "bytes"), sql="")
    [columns, *_] = suite_of("audit.file", find_suites([filled], *folders)).checks
    assert columns.expect == "expect_table_columns_to_match_set"
    assert columns.kwargs == {"column_set": ["sha256", "bytes"], "exact_match": False}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mart.brigde: {checks: []}", "no model makes mart.brigde"),
        ("mart.bridge: {grain: account_id}", "wrong.yml is no valid suite: grain: Extra inputs"),
        ("mart.bridge: [", "wrong.yml is not valid YAML"),
        ("mart.bridge: {checks: [{expect: x, severity: fatal}]}", "checks.0.severity"),
    ],
)
def test_a_wrong_suite_is_named(text: str, message: str, folders: tuple[Path, Path]) -> None:
    (folders[0] / "wrong.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        find_suites([model("mart.bridge", ("account_id",))], *folders)


def test_a_rule_says_severity_and_reason_in_its_first_comment(folders: tuple[Path, Path]) -> None:
    (folders[1] / "money_is_there.sql").write_text(
        "-- severity: warning\n-- Money is there;\n-- or not.\nwith a as (select 1) select 1 from a join mart.c on true"
    )
    rules = read_rules(folders[1])
    [rule] = rules.checks
    assert (rule.name, rule.severity, rule.notes) == ("money_is_there", "warning", "Money is there; or not.")
    assert rules.reads == {"mart.c"}


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "first line must be"),
        ("select 1", "first line must be"),
        ("-- severity: fatal\n-- why\nselect 1", "first line must be"),
        ("-- severity: critical\nselect 1", "second line must say"),
        ("-- severity: critical\n-- why\nselect 1; select 2", "one SELECT"),
        ("-- severity: critical\n-- why\ndelete from mart.account", "one SELECT"),
        ("-- severity: critical\n-- why\nselect (", "rule.sql"),
    ],
)
def test_a_wrong_rule_is_named(sql: str, message: str, folders: tuple[Path, Path]) -> None:
    (folders[1] / "rule.sql").write_text(sql)
    with pytest.raises(ConfigurationError, match=message):
        read_rules(folders[1])


def test_the_shipped_suites_cover_every_model_and_have_unique_keys() -> None:
    models = [*find_models(), *declared_tables()]
    suites = find_suites(models)
    assert {model.table for model in models} <= {suite.table for suite in suites}
    keys = Counter((suite.name, check.name, check.column) for suite in suites for check in suite.checks)
    assert [key for key, count in keys.items() if count > 1] == []


def test_the_shipped_suites_name_only_columns_that_the_models_have() -> None:
    """A check on a column that is no longer there would fail at night instead of here."""
    by_table = {model.table: model for model in (*find_models(), *declared_tables())}
    unknown = [
        (suite.table, check.column)
        for suite in find_suites(list(by_table.values()))
        for check in suite.checks
        if check.column and check.column not in by_table[suite.table].columns
    ]
    assert unknown == []


def test_every_reason_that_the_models_give_is_a_declared_code() -> None:
    models = find_models()
    declared = suite_of("mart.account_month_measure", find_suites([*models, *declared_tables()])).checks
    [codes] = [set(check.kwargs["value_set"]) for check in declared if check.column == "reason"]
    given = {
        literal.name
        for judge in models
        if judge.table in ("scores.source_gap", "scores.account_gap", "scores.judged", "scores.shrunk")
        for alias in sqlglot.parse_one(judge.sql, read="duckdb").find_all(exp.Alias)
        if alias.alias == "reason"
        for branch in [*alias.find_all(exp.If), *alias.find_all(exp.Case)]
        if isinstance(literal := branch.args.get("true") or branch.args.get("default"), exp.Literal)
    }
    assert {"source_not_connected", "below_min_n"} <= given <= codes


@pytest.mark.parametrize(
    ("value", "text"),
    [("crm:1", "crm:1"), (None, "None"), (7, "7"), ("someone@example.com", "s…m (19)"), ("@", "@…@ (1)")],
)
def test_a_key_that_looks_like_an_address_keeps_its_ends_only(value: object, text: str) -> None:
    assert masked(value) == text
