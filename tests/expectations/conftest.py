"""A small release in which everything is true, to plant one untruth at a time into."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from warehouse.models import Model, declared_tables

# The tables of the public contract that a SELECT makes, and a few rows in each table; every rule and suite passes.
TRUE_ROWS = """
insert into mart.release values ('r1', '2024-03-15', '2024-03-16 02:00', '0.1', null, 'abc');

create table mart.account (account_id varchar, name varchar, status varchar);
insert into mart.account values ('crm:1', 'Alpha', 'active'), ('crm:2', 'Beta', 'churned'),
    ('crm:3', 'Gamma', 'active');

create table mart.month (month date, year integer, quarter integer, month_name varchar, is_complete boolean);
insert into mart.month values ('2024-01-01', 2024, 1, 'January', true), ('2024-02-01', 2024, 1, 'February', true),
    ('2024-03-01', 2024, 1, 'March', false);

create table mart.measure (measure_id varchar, label varchar, label_da varchar, description varchar, side varchar,
    window_months integer, unit varchar, direction varchar);
insert into mart.measure values
    ('csat', 'Satisfaction', 'Tilfredshed', 'Good of rated', 'customer', 6, 'share', 'up'),
    ('nrr', 'Net retention', 'Nettofastholdelse', 'Closing of opening', 'supplier', 6, 'ratio', 'up'),
    ('grr', 'Gross retention', 'Bruttofastholdelse', 'Kept of opening', 'secondary', 6, 'share', 'up');

create table mart.account_month_measure (account_id varchar, month date, measure_id varchar, value double,
    raw_value double, numerator double, denominator double, standard_error double, n bigint, status varchar,
    reason varchar, known_at_source varchar);
insert into mart.account_month_measure values
    ('crm:1', '2024-02-01', 'csat', 0.8, 0.9, 9, 10, 0.1, 10, 'ok', null, 'event'),
    ('crm:1', '2024-02-01', 'nrr', 1.2, 1.2, 120, 100, null, 1, 'ok', null, 'event'),
    ('crm:1', '2024-02-01', 'grr', 1.0, 1.0, 100, 100, null, 1, 'ok', null, 'event'),
    ('crm:2', '2024-02-01', 'csat', null, 1.0, 2, 2, null, 2, 'thin', 'below_min_n', 'event'),
    ('crm:2', '2024-02-01', 'grr', null, null, null, null, null, null, 'null', 'source_not_connected', null);

create table mart.relationship_month (account_id varchar, month date, partnership double, partnership_low double,
    partnership_high double, cost_focus_customer double, cost_focus_supplier double, cost_focus double, style varchar,
    supplier_value double, customer_value double, mutual_value double, mutual_value_low double,
    mutual_value_high double, balance double, mrr decimal(18, 2), reason varchar);
insert into mart.relationship_month values
    ('crm:1', '2024-02-01', 0.7, 0.6, 0.8, 0.3, null, 0.3, 'Partnership', 0.64, 0.36, 0.48, 0.4, 0.6, 0.96, 120, null),
    ('crm:2', '2024-02-01', null, null, null, null, null, null, null, 0.5, null, null, null, null, null, null,
     'customer_value: 1 of 2 components');

insert into mart.relationship_month (account_id, month, supplier_value, customer_value, mutual_value, mutual_value_low,
    mutual_value_high, balance, reason) values
    ('crm:3', '2024-01-01', 0.16, 0.36, 0.24, 0.2, 0.3, 0.24 / 0.26, 'partnership: 1 of 3 indicators'),
    ('crm:3', '2024-02-01', 0.64, 0.36, 0.48, 0.4, 0.6, 0.96, 'partnership: 1 of 3 indicators');
create table mart.score_change (account_id varchar, month date, measure_id varchar, side varchar, contribution double);
insert into mart.score_change values ('crm:3', '2024-02-01', 'nrr', 'supplier', ln(2) + 0.1),
    ('crm:3', '2024-02-01', 'csat', 'customer', -0.1);

create table mart.mrr_bridge (account_id varchar, month date, opening decimal(18, 2), new decimal(18, 2),
    reactivated decimal(18, 2), expanded decimal(18, 2), contracted decimal(18, 2), churned decimal(18, 2),
    closing decimal(18, 2));
insert into mart.mrr_bridge values
    ('crm:1', '2024-01-01', 0, 100, 0, 0, 0, 0, 100), ('crm:1', '2024-02-01', 100, 0, 0, 20, 0, 0, 120),
    ('crm:2', '2024-01-01', 50, 0, 0, 0, -10, 0, 40), ('crm:2', '2024-02-01', 40, 0, 0, 0, 0, -40, 0);

insert into mart.contrast by name select date '2024-03-15' as as_of, 'partnership_high_vs_low' as comparison,
    'mutual_value' as outcome, 'overlap' as estimator, 0.1 as difference, 0.02 as standard_error, 0.06 as ci_low,
    0.14 as ci_high, 'supported' as verdict, 'abc' as protocol_hash;
insert into mart.contrast by name select date '2024-03-15' as as_of, 'partnership_high_vs_low' as comparison,
    'tilt' as outcome, 'overlap' as estimator, 4 as n_partnership, 'not_estimable' as verdict,
    '4 accounts in the high arm; 30 needed' as reason, 'abc' as protocol_hash;

insert into mart.contrast_power values ('2024-03-15', 'partnership_high_vs_low', 'mutual_value', 40, 50, 35.5, 44.5,
    0.64, 0.2, 394, 359, 350, 0), ('2024-03-15', 'partnership_high_vs_low', 'tilt', 4, 50, null, null, 1.4, 0.2, 394,
    390, 344, 26);
insert into audit.protocol values ('abc', 'r1', '2024-03-15', 'r1', '2024-03-15', '2024-03-15', true, '',
    'partnership_high_vs_low', 'mutual_value', 'supported', 0.1, 0.06, 0.14, '{}');

insert into mart.retention values ('2024-03-15', 'Partnership', 0, 1, 1, 1, 40, 0),
    ('2024-03-15', 'Partnership', 30, 0.9, 0.8, 0.96, 40, 4), ('2024-03-15', 'Transactional', 0, 1, 1, 1, 30, 0);

insert into audit.file
    (sha256, member, entity, system, name, rows_in, rows_loaded, rows_quarantined, rows_ignored, status) values
    ('aa11', '', 'account', 'crm', 'account.csv', 100, 95, 3, 2, 'landed'),
    ('bb22', '', 'ticket', 'helpdesk', 'ticket.json', 0, 0, 0, 0, 'empty');

insert into audit.quarantine values ('aa11', '', 7, 'created_at', 'unparseable_date', 'crm', 'account', '3…4 (10)',
    'cell', 'open', '2024-03-16', '2024-03-16');

insert into audit.coverage (system, entity, from_date, to_date, as_of, scope, columns_missing) values
    ('crm', 'account', '2020-01-01', '2023-01-01', '2024-03-16', 'full', ''),
    ('crm', 'activity', '2020-01-01', '2024-03-10', '2024-03-16', 'window', '');

insert into audit.full_drop values ('crm', 'account', '2024-02-16 12:00:00', 100, null, true, null, ''),
    ('crm', 'account', '2024-03-16 12:00:00', 95, 100, true, 5, '');

create table audit.identity (system varchar, source_account_id varchar, account_id varchar, method varchar,
    probability double, contradicting_id varchar);
insert into audit.identity values ('crm', '1', 'crm:1', 'exact_id', 1, null), ('crm', '2', 'crm:2', 'exact_id', 1, null),
    ('helpdesk', '10', 'crm:1', 'manual', 1, null);
create table setting.link_decision (system varchar, source_account_id varchar, account_id varchar, decision varchar);
insert into setting.link_decision values ('helpdesk', '10', 'crm:1', 'accept'), ('helpdesk', '77', 'crm:2', 'reject');
create table audit.matching (system varchar, entity varchar, total decimal(18, 2), matched decimal(18, 2),
    matched_share double);
insert into audit.matching values ('helpdesk', 'account', 2, 1, 0.5), ('helpdesk', 'ticket', 100, 80, 0.8),
    ('chat', 'ticket', 10, 8, 0.8), ('billing', 'revenue', 5000.50, 5000.50, 1), ('crm', 'activity', 0, 0, null);
create table audit.purpose (system varchar, kind varchar, untagged_share double);
insert into audit.purpose values ('crm', 'meeting', 0.25);
create table canonical.invoice (invoice_id varchar, kind varchar, net decimal(18, 4), gross decimal(18, 4));
insert into canonical.invoice values ('bill:1', 'invoice', 100, 125), ('bill:2', 'credit_note', -10, -12.5);
create table canonical.account_source (source_system varchar, source_account_id varchar);
insert into canonical.account_source values ('crm', '1'), ('crm', '2'), ('helpdesk', '10');
"""

GRAINS = {
    "mart.account": ("account_id",),
    "mart.month": ("month",),
    "mart.measure": ("measure_id",),
    "mart.account_month_measure": ("account_id", "month", "measure_id"),
    "mart.relationship_month": ("account_id", "month"),
    "mart.score_change": ("account_id", "month", "measure_id"),
    "mart.mrr_bridge": ("account_id", "month"),
    "audit.identity": ("system", "source_account_id"),
    "audit.purpose": ("system", "kind"),
    "audit.matching": ("system", "entity"),
    "canonical.invoice": ("invoice_id",),
    "canonical.account_source": ("source_system", "source_account_id"),
}

Plant = Callable[..., Path]


@pytest.fixture(scope="session")
def true_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true release as a file; `release` copies it."""
    path = tmp_path_factory.mktemp("true") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        make_true(connection)
    return path


@pytest.fixture
def release(true_release: Path, tmp_path: Path) -> Plant:
    """Makes the true release, then runs the statements given; returns the closed file."""

    def make(*statements: str) -> Path:
        path = tmp_path / "warehouse.duckdb"
        shutil.copyfile(true_release, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return make


@pytest.fixture(scope="session")
def models() -> list[Model]:
    """The models of the true release, with the columns that its tables have, and the declared tables."""
    with duckdb.connect() as connection:
        make_true(connection)
        return [*(_model(connection, table, grain) for table, grain in GRAINS.items()), *declared_tables()]


def make_true(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill an empty database with the true release; the tables that Python fills are made as they are declared."""
    connection.execute("create schema mart; create schema audit; create schema canonical; create schema setting")
    for table in declared_tables():
        columns = ", ".join(f'"{name}" {kind}' for name, kind in table.types.items())
        connection.execute(f"create table {table.table} ({columns})")
    connection.execute(TRUE_ROWS)


def _model(connection: duckdb.DuckDBPyConnection, table: str, grain: tuple[str, ...]) -> Model:
    columns = {row[0]: row[0] for row in connection.execute(f"describe {table}").fetchall()}
    schema, name = table.split(".")
    return Model(schema, name, grain, "", columns, frozenset(), "select", Path(f"{name}.sql"))
