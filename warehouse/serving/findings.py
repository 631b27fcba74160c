"""What the report page says, read from a finished warehouse: small result sets, one query each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.engine import named_rows
from warehouse.serving.publish import UnfinishedBuild

Row = dict[str, Any]

# A picture of more points than this is a blot, and a page of them no longer loads quickly; beyond it the map is binned.
POINTS_AT_MOST = 1000
# A median of fewer accounts says more about one of them than about the group.
SMALLEST_GROUP = 5
EXTREMES = 8
SCORES = ("mutual_value", "supplier_value", "customer_value", "balance")


@dataclass(frozen=True)
class Findings:
    """Result sets as lists of rows (column name -> value). Scores are 0-1, money is in `run["currency"]`.

    `accounts` has one row per account placed on the map; it is empty when there are more than `POINTS_AT_MOST`, and
    `bins` (cells of a twentieth by a twentieth) takes its place.
    """

    release: Row
    run: Row
    groups: Row
    accounts: list[Row]
    bins: list[Row]
    highest: list[Row]
    lowest: list[Row]
    contrast: list[Row]
    balance: list[Row]
    power: list[Row]
    flow: list[Row]
    sensitivity: list[Row]
    tests: list[Row]
    dose: list[Row]
    segments: list[Row]
    switching: list[Row]
    retention: list[Row]
    months: list[Row]
    measures: list[Row]
    files: list[Row]
    unread: list[Row]
    quarantine: list[Row]
    coverage: list[Row]
    drift: list[Row]
    drops: list[Row]
    purposes: list[Row]
    identity: list[Row]
    checks: list[Row]
    movers: list[Row]
    sides: list[Row]
    either_side: list[Row]
    leaks: list[Row]
    protocols: list[Row]

    def estimate(self, comparison: str, outcome: str, estimator: str = "overlap") -> Row | None:
        """The contrast's row, or None where that contrast was not computed."""
        key = (comparison, outcome, estimator)
        return next((row for row in self.contrast if _key(row) == key), None)

    def deviation(self, comparison: str, outcome: str) -> float | None:
        """One standard deviation within the groups, in the outcome's unit: what turns Hedges' g into a difference."""
        row = self.estimate(comparison, outcome)
        return float(row["difference"] / row["hedges_g"]) if row is not None and row["hedges_g"] else None

    def arms(self, comparison: str, outcome: str) -> Row | None:
        """What the contrast's arms can find: the row of mart.contrast_power."""
        return next((row for row in self.power if (row["comparison"], row["outcome"]) == (comparison, outcome)), None)

    def smallest(self, comparison: str, outcome: str) -> float | None:
        """The smallest difference that matters, in the outcome's unit."""
        arms, deviation = self.arms(comparison, outcome), self.deviation(comparison, outcome)
        return None if arms is None or deviation is None else float(arms["smallest_effect"] * deviation)

    def withstood(self, analysis: str) -> Row | None:
        """The row of mart.contrast_sensitivity, or None where its value is not known."""
        return next((row for row in self.sensitivity if row["analysis"] == analysis and row["value"] is not None), None)

    def tested(self, test: str, outcome: str = "mutual_value") -> Row | None:
        """The row of mart.contrast_test, or None where it holds no number."""
        row = self._test(test, outcome)
        return None if row is None or (row["estimate"], row["p_value"]) == (None, None) else row

    def refused(self, test: str, outcome: str = "mutual_value") -> str:
        """Why the test holds no number."""
        row = self._test(test, outcome)
        return "it has not been computed" if row is None else str(row["note"]).removeprefix("not estimable: ")

    def _test(self, test: str, outcome: str) -> Row | None:
        return next((row for row in self.tests if (row["test"], row["outcome"]) == (test, outcome)), None)

    def label(self, measure_id: str) -> str:
        """The measure's name for people; its id where the catalogue does not have it."""
        return next((str(row["label"]) for row in self.measures if row["measure_id"] == measure_id), measure_id)

    def is_share(self, outcome: str) -> bool:
        """Whether the outcome is a number of 0-1, which the page shows in points."""
        units = {row["measure_id"]: row["unit"] for row in self.measures}
        return outcome in SCORES or units.get(outcome) in ("share", "0-1")


def _key(row: Row) -> tuple[str, str, str]:
    return row["comparison"], row["outcome"], row["estimator"]


GROUPS = """
    select
        count(*) as accounts,
        count(partnership) as placed,
        count(partnership) filter (
            where not list_contains(string_split(coalesce(evidence, ''), ','), 'no_goals')
        ) as with_goals,
        count(*) filter (where partnership >= run.high) as high,
        count(*) filter (where partnership <= run.low) as low,
        count(*) filter (where mrr > 0 and (partnership >= run.high or partnership <= run.low)) as paying,
        cast(median(mrr) filter (where mrr > 0 and (partnership >= run.high or partnership <= run.low)) as double)
            as median_mrr
    from mart.relationship_month
    cross join setting.run as run
    where month = cast(run.t0 - to_months(1) as date)
"""

ACCOUNTS = """
    select
        account.name, account.segment, relationship.style, relationship.partnership, relationship.cost_focus,
        relationship.mutual_value, relationship.supplier_value, relationship.customer_value, relationship.mrr
    from mart.relationship_month as relationship
    join mart.account as account on account.account_id = relationship.account_id
    cross join setting.run as run
    where relationship.month = run.last_month
"""

PLACED = f"{ACCOUNTS} and relationship.partnership is not null and relationship.cost_focus is not null"
VALUED = f"{ACCOUNTS} and relationship.mutual_value is not null"

BINS = f"""
    with placed as ({PLACED})
    select
        (least(floor(partnership * 20), 19) + 0.5) / 20 as partnership,
        (least(floor(cost_focus * 20), 19) + 0.5) / 20 as cost_focus,
        median(mutual_value) as mutual_value,
        count(*) as accounts
    from placed
    group by 1, 2
    order by 1, 2
"""

MONTHS = """
    select
        relationship.month, relationship.style, median(relationship.mutual_value) as mutual_value, count(*) as accounts
    from mart.relationship_month as relationship
    join mart.month as month on month.month = relationship.month and month.is_complete
    where relationship.style is not null and relationship.mutual_value is not null
    group by relationship.month, relationship.style
    having count(*) >= $smallest
    order by relationship.style, relationship.month
"""

MEASURES = """
    with counted as (
        select measure_id, status, reason, count(*) as account_months
        from mart.account_month_measure
        group by measure_id, status, reason
    ),
    ranked as (
        select
            measure_id, reason, sum(account_months)::bigint as account_months,
            row_number() over (partition by measure_id order by sum(account_months) desc, reason) as place
        from counted
        where reason is not null
        group by measure_id, reason
    ),
    reasons as (
        select measure_id, string_agg(format('{} ({:,})', reason, account_months), ', ' order by place) as reasons
        from ranked
        where place <= 3
        group by measure_id
    ),
    totals as (
        select
            measure_id,
            sum(account_months) filter (where status = 'ok')::bigint as ok,
            sum(account_months) filter (where status = 'thin')::bigint as thin,
            sum(account_months) filter (where status = 'null')::bigint as missing
        from counted
        group by measure_id
    )
    select
        measure.measure_id, measure.label, measure.side, measure.unit, measure.weight, measure.minimum_evidence,
        coalesce(totals.ok, 0) as ok, coalesce(totals.thin, 0) as thin, coalesce(totals.missing, 0) as missing,
        reasons.reasons
    from mart.measure as measure
    left join totals on totals.measure_id = measure.measure_id
    left join reasons on reasons.measure_id = measure.measure_id
    where measure.side <> 'score'
    order by list_position(['style', 'supplier', 'customer', 'secondary', 'score'], measure.side), measure.label
"""

FILES = """
    select
        system,
        count(*) filter (where status not in ('unrecognised', 'unreadable')) as files,
        count(*) filter (where status = 'unrecognised') as unrecognised,
        count(*) filter (where status = 'unreadable') as unreadable,
        sum(rows_in)::bigint as rows_in,
        sum(rows_loaded)::bigint as rows_loaded,
        sum(rows_quarantined)::bigint as rows_quarantined,
        sum(rows_ignored)::bigint as rows_ignored
    from audit.file
    group by system
    order by system
"""

UNREAD = """
    select system, name, status, message
    from audit.file
    where status in ('unrecognised', 'unreadable')
    order by system, name
    limit 30
"""

QUARANTINE = """
    select system, entity, coalesce(column_name, '') as column_name, rule, severity, count(*) as cells
    from audit.quarantine
    where status = 'open'
    group by all
    order by cells desc, system, entity, column_name, rule, severity
    limit 30
"""

COVERAGE = """
    select system, entity, from_date, to_date, as_of, scope, columns_missing, columns_unknown
    from audit.coverage
    order by system, entity
"""

DRIFT = """
    select system, entity, columns_refused, columns_lost, columns_renamed, columns_type_changed
    from audit.coverage
    where concat(columns_refused, columns_lost, columns_renamed, columns_type_changed) <> ''
    order by system, entity
"""

DROPS = """
    select system, entity, drop_at, records, records_before, records_absent, is_believed, message
    from audit.full_drop
    where not is_believed or records_absent > 0
    order by system, entity, drop_at
"""

PURPOSES = """
    select system, kind, activities, by_field, by_rule, untagged from audit.purpose order by system, kind
"""

IDENTITY = """
    select system, entity, total, total - matched as unmatched
    from audit.matching
    order by system, case entity when 'account' then 1 when 'ticket' then 2 when 'activity' then 3 else 4 end
"""

CHECKS = """
    select suite, expectation, column_name, success, severity, observed
    from audit.expectation
    where run_id = $run_id
    order by success, severity, suite, expectation, column_name
"""

# The ten accounts whose mutual value moved most in the last month, one row per component: in points of 100, so that a
# unit of ln mutual value is worth (b - a) / (ln b - ln a).
MOVERS = """
    with moved as (
        select
            now.account_id, now.month, before.mutual_value as before, now.mutual_value as now,
            case
                when abs(ln(now.mutual_value / before.mutual_value)) < 1e-12 then now.mutual_value
                else (now.mutual_value - before.mutual_value) / ln(now.mutual_value / before.mutual_value)
            end as scale
        from mart.relationship_month as now
        join setting.run as run on run.last_month = now.month
        join mart.relationship_month as before
            on before.account_id = now.account_id and before.month = cast(now.month - to_months(1) as date)
        where now.mutual_value is not null and before.mutual_value is not null
        order by abs(now.mutual_value - before.mutual_value) desc, now.account_id
        limit 10
    )
    select
        account.name, moved.account_id, moved.before, moved.now, measure.label, change.side,
        change.contribution * moved.scale as contribution
    from moved
    join mart.account as account on account.account_id = moved.account_id
    join mart.score_change as change on change.account_id = moved.account_id and change.month = moved.month
    join mart.measure as measure on measure.measure_id = change.measure_id
    order by
        abs(moved.now - moved.before) desc, moved.account_id, abs(change.contribution) desc, change.measure_id
"""

# What enters a score stands on one side of the firewall: style, or value.
SIDED = """
    select
        measure_id, source_column, may_be_shared, path,
        case when part in ('supplier_value', 'customer_value') then 'value' else 'style' end as side
    from audit.lineage
    where part <> 'none'
"""

SIDES = f"""
    with sided as ({SIDED})
    select
        side, count(distinct measure_id) as measures,
        count(distinct source_column) filter (where not may_be_shared) as columns,
        string_agg(distinct source_column, ', ' order by source_column) filter (where not may_be_shared) as names
    from sided
    group by side
    order by side
"""

EITHER_SIDE = f"""
    with sided as ({SIDED}),
    counted as (
        select
            source_column, count(distinct side) as sides, bool_and(may_be_shared) as may_be_shared,
            count(distinct side) filter (where not may_be_shared) as closed_sides
        from sided
        group by source_column
    )
    select source_column, may_be_shared
    from counted
    where sides = 2 and (may_be_shared or closed_sides = 2)
    order by source_column
"""

LEAKS = """
    select
        leak.measure_id, leak.style_measure_id, leak.system, leak.entity, leak.source_column, leak.style_column,
        leak.value_column
    from setting.leak as leak
    order by leak.measure_id, leak.style_measure_id, leak.source_column
"""

CONTRAST = "select * from mart.contrast order by comparison, outcome, estimator"
BALANCE = "select * from mart.contrast_balance order by comparison, outcome, abs(smd_before) desc, covariate"
POWER = "select * from mart.contrast_power order by comparison, outcome"
FLOW = """
    select comparison, outcome, step, reason, accounts
    from mart.contrast_flow
    order by comparison, outcome, accounts desc, reason
"""
SENSITIVITY = "select * from mart.contrast_sensitivity order by comparison, outcome, analysis"
TESTS = "select * from mart.contrast_test order by outcome, test"
DOSE = "select * from mart.dose_response where outcome = $outcome order by partnership"
SEGMENTS = "select * from mart.contrast_segment order by moderator, level"
SWITCHING = "select * from mart.switcher_effect order by outcome, event_month"
PROTOCOLS = "select * from audit.protocol order by is_current desc, last_run_id desc"
RETENTION = "select style, day, survival, ci_low, ci_high, at_risk, events from mart.retention order by style, day"


def read(database: Path) -> Findings:
    """Read all that the report shows from a finished build or release; the file is opened read-only.

    Raises:
        UnfinishedBuild: a table is missing, or mart.release has no row.
    """
    options: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(str(database), read_only=True, config=options) as connection:
        try:
            return _read(connection)
        except duckdb.CatalogException as error:
            raise UnfinishedBuild(
                f"{database} is no finished build: {str(error).splitlines()[0]}. Make one with: mutual-value run"
            ) from error


def _read(connection: duckdb.DuckDBPyConnection) -> Findings:
    release = _only(connection, "mart.release")
    accounts = named_rows(connection, f"{PLACED} order by account.name, account.account_id limit {POINTS_AT_MOST + 1}")
    is_binned = len(accounts) > POINTS_AT_MOST
    best_first = "relationship.mutual_value desc, account.account_id"
    worst_first = "relationship.mutual_value, account.account_id"
    return Findings(
        release=release,
        run=_only(connection, "setting.run"),
        groups=named_rows(connection, GROUPS)[0],
        accounts=[] if is_binned else accounts,
        bins=named_rows(connection, BINS) if is_binned else [],
        highest=named_rows(connection, f"{VALUED} order by {best_first} limit {EXTREMES}"),
        lowest=named_rows(connection, f"{VALUED} order by {worst_first} limit {EXTREMES}"),
        contrast=named_rows(connection, CONTRAST),
        balance=named_rows(connection, BALANCE),
        power=named_rows(connection, POWER),
        flow=named_rows(connection, FLOW),
        sensitivity=named_rows(connection, SENSITIVITY),
        tests=named_rows(connection, TESTS),
        dose=named_rows(connection, DOSE, {"outcome": "mutual_value"}),
        segments=named_rows(connection, SEGMENTS),
        switching=named_rows(connection, SWITCHING),
        retention=named_rows(connection, RETENTION),
        months=named_rows(connection, MONTHS, {"smallest": SMALLEST_GROUP}),
        measures=named_rows(connection, MEASURES),
        files=named_rows(connection, FILES),
        unread=named_rows(connection, UNREAD),
        quarantine=named_rows(connection, QUARANTINE),
        coverage=named_rows(connection, COVERAGE),
        drift=named_rows(connection, DRIFT),
        drops=named_rows(connection, DROPS),
        purposes=named_rows(connection, PURPOSES),
        identity=named_rows(connection, IDENTITY),
        checks=named_rows(connection, CHECKS, {"run_id": release["run_id"]}),
        movers=named_rows(connection, MOVERS),
        sides=named_rows(connection, SIDES),
        either_side=named_rows(connection, EITHER_SIDE),
        leaks=named_rows(connection, LEAKS),
        protocols=named_rows(connection, PROTOCOLS),
    )


def _only(connection: duckdb.DuckDBPyConnection, table: str) -> Row:
    rows = named_rows(connection, f"select * from {table}")
    if len(rows) != 1:
        raise UnfinishedBuild(f"{table} has {len(rows)} rows instead of one: the build was not finished")
    return rows[0]
