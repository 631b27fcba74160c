"""Each rule passes on a true release and finds the row that is planted for it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from expectations.checks import ROWS_SHOWN, RULES, TOTAL, Check, offending, read_rules
from tests.expectations.conftest import Plant

RULE_CHECKS = {check.name: check for check in read_rules().checks}

# rule | what is planted | what the rule must say of it (some columns of its one row)
PLANTED: list[tuple[str, str, dict[str, str]]] = [
    # A record too few, a record too many, counts never taken, one part of the sum unknown.
    (
        "every_record_is_accounted_for",
        "update audit.file set rows_loaded = 94 where sha256 = 'aa11'",
        {"sha256": "aa11", "rows_in": "100", "rows_loaded": "94"},
    ),
    (
        "every_record_is_accounted_for",
        "update audit.file set rows_ignored = 3 where sha256 = 'aa11'",
        {"sha256": "aa11", "rows_ignored": "3"},
    ),
    (
        "every_record_is_accounted_for",
        "update audit.file set (rows_in, rows_loaded, rows_quarantined, rows_ignored) = (null, null, null, null) "
        "where sha256 = 'aa11'",
        {"sha256": "aa11", "rows_in": "None"},
    ),
    (
        "every_record_is_accounted_for",
        "update audit.file set rows_ignored = null where sha256 = 'aa11'",
        {"sha256": "aa11", "rows_ignored": "None"},
    ),
    # Movements that do not add up; a sign turned twice, so that they do; a movement unknown.
    (
        "mrr_bridge_closes",
        "update mart.mrr_bridge set closing = 120.01 where month = '2024-02-01' and account_id = 'crm:1'",
        {"account_id": "crm:1", "month": "2024-02-01"},
    ),
    (
        "mrr_bridge_closes",
        "update mart.mrr_bridge set expanded = -20, contracted = 40 where expanded = 20",
        {"account_id": "crm:1"},
    ),
    ("mrr_bridge_closes", "update mart.mrr_bridge set churned = null where churned <> 0", {"account_id": "crm:2"}),
    (
        "mrr_bridge_continues",
        "update mart.mrr_bridge set opening = 90, expanded = 30 where month = '2024-02-01' and account_id = 'crm:1'",
        {"account_id": "crm:1", "month": "2024-02-01", "closing_before": "100.00", "opening": "90.00"},
    ),
    # Not the mean; a side filled from the other; a balance of another pair.
    (
        "mutual_value_is_the_geometric_mean",
        "update mart.relationship_month set mutual_value = 0.5, balance = 1 where account_id = 'crm:1'",
        {"account_id": "crm:1"},
    ),
    (
        "mutual_value_is_the_geometric_mean",
        "update mart.relationship_month set mutual_value = 0.5, balance = 1 where account_id = 'crm:2'",
        {"account_id": "crm:2", "customer_value": "None"},
    ),
    (
        "mutual_value_is_the_geometric_mean",
        "update mart.relationship_month set balance = 0.97 where account_id = 'crm:1'",
        {"account_id": "crm:1"},
    ),
    (
        "mutual_value_is_the_geometric_mean",
        "update mart.relationship_month set mutual_value = null, balance = null where account_id = 'crm:1'",
        {"account_id": "crm:1"},
    ),
    # A contribution too many, one missing, one of a change that there was not.
    (
        "score_changes_add_up",
        "insert into mart.score_change values ('crm:3', '2024-02-01', 'late', 'supplier', 0.00000001)",
        {"account_id": "crm:3", "month": "2024-02-01"},
    ),
    ("score_changes_add_up", "delete from mart.score_change", {"account_id": "crm:3", "month": "2024-02-01"}),
    (
        "score_changes_add_up",
        "insert into mart.score_change values ('crm:2', '2024-02-01', 'nrr', 'supplier', 0)",
        {"account_id": "crm:2", "month": "2024-02-01"},
    ),
    (
        "scores_lie_in_their_intervals",
        "update mart.relationship_month set mutual_value_low = 0.481 where account_id = 'crm:1'",
        {"account_id": "crm:1", "mutual_value_low": "0.481"},
    ),
    (
        "scores_lie_in_their_intervals",
        "update mart.relationship_month set partnership_high = 0.69 where account_id = 'crm:1'",
        {"account_id": "crm:1", "partnership_high": "0.69"},
    ),
    (
        "missing_scores_have_a_reason",
        "update mart.relationship_month set reason = ' ' where account_id = 'crm:2'",
        {"account_id": "crm:2"},
    ),
    (
        "grr_is_at_most_one_and_nrr",
        "update mart.account_month_measure set value = 1.01 where measure_id = 'grr' and value = 1",
        {"account_id": "crm:1", "grr": "1.01"},
    ),
    (
        "grr_is_at_most_one_and_nrr",
        "update mart.account_month_measure set value = 0.9 where measure_id = 'nrr'",
        {"account_id": "crm:1", "nrr": "0.9"},
    ),
    (
        "missing_values_have_a_reason",
        "update mart.account_month_measure set reason = null where measure_id = 'csat' and account_id = 'crm:2'",
        {"account_id": "crm:2", "measure_id": "csat"},
    ),
    (
        "missing_values_have_a_reason",
        "update mart.account_month_measure set value = 0 where status = 'null'",
        {"account_id": "crm:2", "measure_id": "grr"},
    ),
    (
        "missing_values_have_a_reason",
        "update mart.account_month_measure set status = 'ok' where status = 'null'",
        {"account_id": "crm:2", "measure_id": "grr"},
    ),
    (
        "shares_lie_between_zero_and_one",
        "update mart.account_month_measure set value = 1.1 where measure_id = 'csat' and account_id = 'crm:1'",
        {"measure_id": "csat", "value": "1.1"},
    ),
    (
        "shares_lie_between_zero_and_one",
        "update mart.account_month_measure set raw_value = -0.1 where measure_id = 'csat' and account_id = 'crm:2'",
        {"measure_id": "csat", "raw_value": "-0.1"},
    ),
    (
        "incomplete_months_are_flagged",
        "update mart.month set is_complete = true where month = '2024-03-01'",
        {"month": "2024-03-01", "is_complete": "True"},
    ),
    (
        "incomplete_months_are_flagged",
        "update mart.month set is_complete = null where month = '2024-01-01'",
        {"month": "2024-01-01", "is_complete": "None"},
    ),
    (
        "no_measures_after_the_last_complete_month",
        "update mart.account_month_measure set month = '2024-03-01' where measure_id = 'nrr'",
        {"table_name": "mart.account_month_measure", "month": "2024-03-01", "copies": "1"},
    ),
    (
        "no_measures_after_the_last_complete_month",
        "update mart.relationship_month set month = '2024-04-01' where account_id = 'crm:2'",
        {"table_name": "mart.relationship_month", "month": "2024-04-01"},
    ),
    (
        "every_account_has_one_identity",
        "delete from audit.identity where system = 'helpdesk'",
        {"system": "helpdesk", "source_account_id": "10", "identities": "0"},
    ),
    (
        "every_account_has_one_identity",
        "insert into audit.identity values ('helpdesk', '10', 'crm:1', 'domain', 1, null)",
        {"system": "helpdesk", "source_account_id": "10", "identities": "2"},
    ),
    (
        "every_account_has_one_identity",
        "insert into audit.identity values ('billing', 'c9', 'crm:2', 'vat', 1, null)",
        {"system": "billing", "source_account_id": "c9", "identities": "1"},
    ),
    (
        "accounts_are_matched",
        "update audit.identity set account_id = null where system = 'helpdesk'; delete from setting.link_decision",
        {"system": "helpdesk", "accounts": "1", "unmatched": "1"},
    ),
    (
        "records_are_matched",
        "update audit.matching set matched = 79.99 where system = 'helpdesk' and entity = 'ticket'",
        {"entity": "ticket", "total": "110.00", "unmatched": "22.01"},
    ),
    (
        "links_are_not_contradicted",
        "update audit.identity set contradicting_id = 'crm:2' where system = 'helpdesk'",
        {"system": "helpdesk", "source_account_id": "10", "account_id": "crm:1", "contradicting_id": "crm:2"},
    ),
    (
        "decisions_name_known_accounts",
        "insert into setting.link_decision values ('helpdesk', '11', 'crm:1', 'accept')",
        {"system": "helpdesk", "source_account_id": "11", "account_id": "crm:1"},
    ),
    (
        "decisions_name_known_accounts",
        "update setting.link_decision set account_id = 'crm:9'",
        {"system": "helpdesk", "source_account_id": "10", "account_id": "crm:9"},
    ),
    (
        "quarantine_is_small",
        "update audit.file set rows_loaded = 92, rows_quarantined = 6 where sha256 = 'aa11'",
        {"sha256": "aa11", "rows_quarantined": "6"},
    ),
    (
        "files_are_recognised",
        "insert into audit.file (sha256, member, system, status) values ('cc33', '', 'crm', 'unrecognised')",
        {"sha256": "cc33", "status": "unrecognised"},
    ),
    (
        "files_are_recognised",
        "insert into audit.file (sha256, member, system, status) values ('dd44', 'a.csv', 'crm', 'unreadable')",
        {"sha256": "dd44", "member": "a.csv"},
    ),
    (
        "credit_notes_are_negative",
        "update canonical.invoice set net = 10 where kind = 'credit_note'",
        {"invoice_id": "bill:2"},
    ),
    (
        "credit_notes_are_negative",
        "insert into canonical.invoice values ('bill:3', 'credit_note', null, 12.5)",
        {"invoice_id": "bill:3"},
    ),
    (
        "full_drops_are_believed",
        "update audit.full_drop set records = 40, is_believed = false where records_before is not null",
        {"system": "crm", "entity": "account", "records": "40", "records_before": "100"},
    ),
    (
        "exports_keep_their_shape",
        "update audit.coverage set columns_lost = 'activity.subject' where entity = 'activity'",
        {"system": "crm", "entity": "activity", "columns_lost": "activity.subject"},
    ),
    (
        "exports_keep_their_shape",
        "update audit.coverage set columns_refused = 'account.source_id' where entity = 'account'",
        {"entity": "account", "columns_refused": "account.source_id"},
    ),
    (
        "systems_deliver",
        "update audit.coverage set to_date = '2024-02-08' where entity = 'activity'",
        {"system": "crm", "newest": "2024-02-08", "as_of": "2024-03-15"},
    ),
    (
        "inestimable_contrasts_have_no_numbers",
        "update mart.contrast set difference = 0 where verdict = 'not_estimable'",
        {"outcome": "tilt", "verdict": "not_estimable"},
    ),
    (
        "inestimable_contrasts_have_no_numbers",
        "update mart.contrast set reason = null where verdict = 'not_estimable'",
        {"outcome": "tilt"},
    ),
    (
        "inestimable_contrasts_have_no_numbers",
        "update mart.contrast set ci_low = null where verdict = 'supported'",
        {"outcome": "mutual_value", "verdict": "supported"},
    ),
    (
        "contrasts_lie_in_their_intervals",
        "update mart.contrast set difference = -0.1 where verdict = 'supported'",
        {"outcome": "mutual_value", "difference": "-0.1"},
    ),
    (
        "survival_never_rises",
        "insert into mart.retention values ('2024-03-15', 'Partnership', 60, 0.91, 0.8, 1, 30, 0)",
        {"style": "Partnership", "day": "60"},
    ),
    (
        "survival_never_rises",
        "update mart.retention set survival = 1.1 where style = 'Transactional'",
        {"style": "Transactional", "day": "0"},
    ),
    *(
        (
            "columns_have_types_for_bi",
            f"alter table mart.account add column odd {type_name}",
            {"table_name": "mart.account", "column_name": "odd"},
        )
        for type_name in (
            "hugeint", "varchar[]", "struct(a integer)", "map(varchar, integer)", "uuid", "enum('a')", "interval",
            "time", "uinteger", "timestamp with time zone", "decimal(4, 1)[]", "blob",
        )
    ),
]  # fmt: skip


def found(database: Path, rule: Check) -> list[dict[str, str]]:
    """The rule's rows as the gate sees them, by plain DuckDB."""
    sql = rule.kwargs["unexpected_rows_query"].format(batch="any")
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(str, row), strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize("rule", RULE_CHECKS.values(), ids=RULE_CHECKS)
def test_a_rule_finds_nothing_in_a_true_release(rule: Check, release: Plant) -> None:
    assert found(release(), rule) == []


@pytest.mark.parametrize(("name", "plant", "says"), PLANTED, ids=[f"{row[0]}-{row[1][:60]}" for row in PLANTED])
def test_a_rule_finds_the_planted_row(name: str, plant: str, says: dict[str, str], release: Plant) -> None:
    [row] = found(release(plant), RULE_CHECKS[name])
    assert {key: row[key] for key in says} == says
    assert row[TOTAL] == "1"


def test_every_rule_has_a_planted_row() -> None:
    """A rule that cannot fail is a defect."""
    assert {name for name, _, _ in PLANTED} == RULE_CHECKS.keys() == {path.stem for path in RULES.glob("*.sql")}


# Boundaries: what a rule must leave alone.
@pytest.mark.parametrize(
    ("name", "plant"),
    [
        # A file that was never split into records has no counts.
        (
            "every_record_is_accounted_for",
            "insert into audit.file (sha256, member, system, status) values ('ee55', '', 'crm', 'unreadable')",
        ),
        # Half a cent, by DECIMAL(18,2) only ever a whole one: exactly equal passes.
        ("mrr_bridge_closes", "update mart.mrr_bridge set closing = 100.00 where month = '2024-01-01' and new = 100"),
        # An account with a month missing between two rows is not compared across the gap.
        ("mrr_bridge_continues", "update mart.mrr_bridge set month = '2024-04-01' where churned <> 0"),
        # Exactly one in five accounts unmatched, exactly one in twenty records quarantined.
        (
            "accounts_are_matched",
            "insert into audit.identity "
            "select 'billing', cast(i as varchar), case when i > 0 then 'crm:1' end, 'vat', 1, null from range(5) as t(i)",
        ),
        ("quarantine_is_small", "update audit.file set rows_quarantined = 5, rows_loaded = 93 where sha256 = 'aa11'"),
        # 35 days are not yet late.
        ("systems_deliver", "update audit.coverage set to_date = '2024-02-09' where entity = 'activity'"),
        # Retention of a company that grew may exceed 1 where the unit is a ratio.
        ("shares_lie_between_zero_and_one", "update mart.account_month_measure set value = 3 where measure_id = 'nrr'"),
        # On the last day of March, March is complete.
        (
            "incomplete_months_are_flagged",
            "update mart.release set as_of = '2024-03-31'; update mart.month set is_complete = true",
        ),
        # AIPW may fail where overlap weights give the verdict.
        (
            "inestimable_contrasts_have_no_numbers",
            "insert into mart.contrast (as_of, comparison, outcome, estimator, verdict) "
            "values ('2024-03-15', 'partnership_high_vs_low', 'mutual_value', 'aipw', 'inconclusive')",
        ),
    ],
)
def test_a_rule_leaves_the_boundary_alone(name: str, plant: str, release: Plant) -> None:
    assert found(release(plant), RULE_CHECKS[name]) == []


def test_a_rule_shows_the_first_twenty_rows_in_order_and_the_number_of_all(release: Plant) -> None:
    plant = (
        "insert into audit.identity select 'billing', printf('%03d', i), null, null, null, null from range(100) as t(i)"
    )
    rows = found(release(plant), RULE_CHECKS["every_account_has_one_identity"])
    assert [row["source_account_id"] for row in rows] == [f"{i:03d}" for i in range(ROWS_SHOWN)]
    assert {row[TOTAL] for row in rows} == {"100"}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.sql")), ids=lambda path: path.stem)
def test_a_rule_returns_keys_and_numbers_only(path: Path) -> None:
    """Names, addresses and free text are personal or may be: no rule returns them, nor reads the quarantined cells."""
    [query] = sqlglot.parse(path.read_text(encoding="utf-8"), read="duckdb")
    assert isinstance(query, exp.Query)
    returned = set(query.named_selects)
    assert "*" not in returned
    assert "quarantine" not in {table.name for table in query.find_all(exp.Table)}
    assert not returned & {"name", "email", "subject", "owner_id", "message", "website", "vat"}


def test_braces_in_a_rule_reach_the_engine_as_they_are() -> None:
    [(value, total)] = duckdb.execute(offending("select '{a}' as value;").format(batch="any")).fetchall()
    assert (value, total) == ("{a}", 1)


def test_the_severities_are_as_declared() -> None:
    warnings = {name for name, rule in RULE_CHECKS.items() if rule.severity == "warning"}
    assert warnings == {
        "accounts_are_matched",
        "records_are_matched",
        "links_are_not_contradicted",
        "decisions_name_known_accounts",
        "quarantine_is_small",
        "files_are_recognised",
        "systems_deliver",
        "full_drops_are_believed",
        "exports_keep_their_shape",
    }
