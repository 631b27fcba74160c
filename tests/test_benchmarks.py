"""The benchmark compares like with like: both sides read the same files and come to the same numbers."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks import night


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark") / "project"
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("ACCOUNTS", 20), ("TICKETS", 4_000), ("LINES", 3_600)):
            patch.setattr(night, name, size)
        night.write_files(folder, 1)
        night.bare(folder)
        night.ours(folder)
    return folder


def both(project: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"attach '{project}/bare.duckdb' as bare (read_only)")
    connection.execute(f"attach '{project}/build/warehouse.duckdb' as ours (read_only)")
    return connection


def test_medians_and_shares_are_those_of_the_bare_engine(project: Path) -> None:
    with both(project) as connection:
        compared = connection.execute(
            """
            select
                count(*),
                max(abs(value.raw_value - case measure_id
                    when 'first_response' then alone.first_response
                    when 'csat' then alone.csat
                    when 'reopen_rate' then alone.reopen_rate
                end))
            from ours.mart.account_month_measure as value
            join ours.audit.identity as identity
                on identity.account_id = value.account_id and identity.system = 'zendesk'
            join bare.measured as alone
                on cast(alone.account as varchar) = identity.source_account_id and alone.month = value.month
            where value.measure_id in ('first_response', 'csat', 'reopen_rate') and value.month >= '2024-01-01'
            """
        ).fetchall()[0]
    accounts_months_measures = 20 * 30 * 3
    assert compared[0] == accounts_months_measures
    assert compared[1] == pytest.approx(0, abs=1e-9)


def test_recurring_revenue_is_that_of_the_bare_engine(project: Path) -> None:
    with both(project) as connection:
        ours = connection.execute("select sum(mrr) from ours.value.revenue where month = '2025-03-01'").fetchall()[0][0]
        alone = connection.execute(
            "select sum(net) / 100.0 - 0.05 * sum(net) / 100.0 from bare.revenue where month = '2025-03-01'"
        ).fetchall()[0][0]
    assert float(ours) == pytest.approx(alone)
