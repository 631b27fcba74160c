"""Why an account's mutual value moved: points that add up, and the records that entered and left the window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows.explaining import lines
from tests.tables import Example
from warehouse.errors import ConfigurationError
from warehouse.explanation import EVIDENCE, explain, log_mean
from warehouse.lineage import side_of
from warehouse.models import measures

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)

RELEASE = """
create schema mart; create schema setting; create schema canonical; create schema value;
create table setting.run as select date '2026-06-01' as last_month;
create table setting.measure as select * from (values ('csat', 'customer_value'), ('nrr', 'supplier_value'),
    ('mrr', 'none')) as m(measure_id, part);
create table mart.measure as select * from (values ('csat', 'Satisfaction', 'share', 1::double),
    ('nrr', 'Retention', 'ratio', 1), ('mrr', 'Revenue', 'currency', null)) as m(measure_id, label, unit, weight);
create table mart.account as select * from (values ('crm:1', 'Alfa A/S'), ('crm:2', 'Beta'), ('crm:3', 'Beta'))
    as a(account_id, name);
create table mart.relationship_month as select * from (values
    ('crm:1', date '2026-05-01', 4e-1, 3e-1, 5e-1, 4e-1, 4e-1, null),
    ('crm:1', date '2026-06-01', 5e-1, 4e-1, 6e-1, 5e-1, 5e-1, null),
    ('crm:2', date '2026-06-01', null, null, null, 0.5, null, 'customer_value: 1 of 2 components'))
    as r(account_id, month, mutual_value, mutual_value_low, mutual_value_high, supplier_value, customer_value, reason);
create table mart.account_month_measure as select * from (values
    ('crm:1', date '2026-05-01', 'csat', 0.6, 2, 'ok', null), ('crm:1', date '2026-06-01', 'csat', 0.8, 3, 'ok', null),
    ('crm:1', date '2026-05-01', 'nrr', 1.0, 1, 'ok', null),
    ('crm:1', date '2026-06-01', 'nrr', null, 0, 'thin', 'below_min_n'))
    as m(account_id, month, measure_id, value, n, status, reason);
create table mart.score_change as select * from (values
    ('crm:1', date '2026-06-01', 'csat', 'customer', ln(1.25) * 1.5),
    ('crm:1', date '2026-06-01', 'nrr', 'supplier', ln(1.25) * -0.4),
    ('crm:1', date '2026-06-01', 'clipped', 'supplier', ln(1.25) * -0.1))
    as c(account_id, month, measure_id, side, contribution);
create table value.window as select * from (values
    ('crm:1', date '2026-05-01', date '2025-12-01', date '2026-05-01'),
    ('crm:1', date '2026-06-01', date '2026-01-01', date '2026-06-01'))
    as w(account_id, month, window_start, window_end);
create table canonical.ticket as select * from (values
    ('desk:1', 'crm:1', date '2025-12-05', date '2025-12-01', 0.0), ('desk:2', 'crm:1', date '2026-02-05', date '2026-02-01', 1.0),
    ('desk:3', 'crm:1', date '2026-06-09', date '2026-06-01', 1.0), ('desk:4', 'crm:1', date '2026-06-09', date '2026-06-01', null),
    ('desk:5', 'crm:2', date '2026-06-09', date '2026-06-01', 1.0))
    as t(ticket_id, account_id, day, month, csat);
create table value.revenue (account_id varchar, month date, mrr decimal(18, 2));
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(RELEASE)
    return path


def test_points_add_up_to_the_change_and_shares_to_one(release: Path) -> None:
    found = explain(release, "crm:1")
    assert found.change == pytest.approx(10)
    assert {each.measure_id: each.points for each in found.components} == pytest.approx(
        {"csat": 15.0, "nrr": -4.0, "clipped": -1.0}
    )
    assert sum(each.share or 0 for each in found.components) == pytest.approx(1)


def test_a_configured_weight_stands_behind_the_measures_name(release: Path) -> None:
    with duckdb.connect(str(release)) as connection:
        connection.execute("update mart.measure set weight = 2.5 where measure_id = 'csat'")
    text = "\n".join(lines(explain(release, "crm:1")))
    assert "Satisfaction (weight 2.5): 0.600 share -> 0.800 share" in text
    assert "Retention: " in text


def test_the_records_that_entered_and_left_the_window_are_told_from_those_that_stayed(release: Path) -> None:
    csat = explain(release, "Alfa A/S", JUNE).components[0]
    assert [(each.state, each.id, each.number) for each in csat.records] == [
        ("entered", "desk:3", 1.0),
        ("left", "desk:1", 0.0),
        ("stayed", "desk:2", 1.0),
    ]


def test_the_words_say_the_value_what_moved_it_and_the_records(release: Path) -> None:
    text = "\n".join(lines(explain(release, "crm:1")))
    assert "Alfa A/S (crm:1), June 2026" in text
    assert "Mutual value 50.0 of 100 (95 % 40.0 to 60.0), 10.0 more than in the month before (before: 40.0)." in text
    assert "Moved most by: Satisfaction +15.0, Retention −4.0, Held at the edge of the scale −1.0." in text
    assert "Satisfaction: 0.600 share -> 0.800 share (evidence 2 -> 3)" in text
    assert "below_min_n (stands at its segment's mean)" in text
    assert "  + ticket desk:3  2026-06-09  1 rating, 0 to 1" in text


def test_without_a_value_or_a_month_before_that_is_said(release: Path) -> None:
    assert "Mutual value is not known: customer_value: 1 of 2 components." in list(lines(explain(release, "crm:2")))
    first = list(lines(explain(release, "crm:1", MAY)))
    assert "of the month before none is known, so there is no change to explain." in first[1]


@pytest.mark.parametrize(
    ("account", "month", "says"),
    [
        ("Gamma", JUNE, "there is no company 'Gamma'"),
        ("Beta", JUNE, "'Beta' is 2 companies: crm:2, crm:3"),
        ("crm:1", dt.date(2020, 1, 1), "has no scores in 2020-01"),
    ],
)
def test_what_cannot_be_found_is_named(release: Path, account: str, month: dt.date, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        explain(release, account, month)


def test_a_release_of_another_version_is_said_to_be_one(release: Path) -> None:
    with duckdb.connect(str(release)) as connection:
        connection.execute("drop table mart.score_change")
    with pytest.raises(ConfigurationError, match="made by another version"):
        explain(release, "crm:1")


def test_a_unit_of_the_logarithm_is_worth_the_logarithmic_mean() -> None:
    assert log_mean(0.4, 0.5) == pytest.approx(0.1 / 0.22314355)
    assert log_mean(0.4, 0.4) == 0.4
    assert log_mean(None, 0.4) == 0


def test_every_measure_of_a_score_has_its_records_and_they_bind_to_the_models(
    example: Callable[..., Example],
) -> None:
    wanted = {name for name, measure in measures().items() if side_of(measure)}
    assert {path.stem for path in EVIDENCE.glob("*.sql")} >= wanted
    world = example().run()
    for path in sorted(EVIDENCE.glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        assert sql.startswith("-- "), path.name
        cursor = world.engine.connection.execute(sql, {"account_id": "a", "month": JUNE})
        assert [column[0] for column in cursor.description or ()] == ["kind", "id", "day", "number", "what"], path.name
