"""From evidence to scores: reasons, shrinkage, reference, mutual value; each against a number from outside."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from tests.tables import Example
from warehouse.models import find_models, run_model

MakeExample = Callable[..., Example]


def only(world: Example, table: str) -> None:
    """Run one model over tables that the test has put in the place of those that it reads."""
    run_model(world.engine, next(model for model in find_models() if model.table == table))


def test_the_normal_distribution_function_is_scipys(example: MakeExample) -> None:
    world = example()
    points = np.linspace(-40, 40, 4001)
    world.engine.execute("create table points as select unnest(?) as z", [points.tolist()])
    found = np.array([value for (value,) in world.rows("select normal_cdf(z) from points order by z")])
    np.testing.assert_allclose(found, ndtr(points), rtol=1e-9, atol=1e-15)


# Why a value may not speak -------------------------------------------------------------------------------------------


def reasons(world: Example, month: str = "2026-06-01") -> dict[str, str | None]:
    world.run("mart.account_month_measure")
    return dict(world.rows(f"select measure_id, reason from mart.account_month_measure where month = '{month}'"))


def customer(world: Example, since: str = "2024-01-01") -> Example:
    return world.put("account", f"source_id | name | customer_since\nA | Alfa | {since}")


LONG_AGO = """
source_id | source_account_id | kind | started_at       | status | initiated_by | subject | person_source_id | owner_source_id
a0        | A                 | call | 2024-01-02 10:00 | held   | vendor       | Hej     | p                | v
"""


def test_without_a_source_a_measure_says_so_and_is_not_zero(example: MakeExample) -> None:
    world = customer(example()).put("activity", LONG_AGO)
    found = reasons(world)
    assert found["shared_goal_coverage"] == "source_not_connected"
    assert found["first_response"] == "source_not_connected"
    assert found["nrr"] == "source_not_connected"
    assert world.rows(
        "select count(*) from mart.account_month_measure where reason is not null and value is not null"
    ) == [(0,)]


def test_a_connected_source_without_requests_is_a_real_zero(example: MakeExample) -> None:
    world = customer(example()).put("activity", LONG_AGO)
    assert reasons(world)["price_pressure"] is None
    value = world.rows(
        "select raw_value, status from mart.account_month_measure "
        "where measure_id = 'price_pressure' and month = '2026-06-01'"
    )
    assert value == [(0.0, "ok")]


def test_a_column_that_the_export_lacks_or_leaves_empty_is_named(example: MakeExample) -> None:
    world = customer(example()).put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put("activity", LONG_AGO)
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | status | created_at       | csat | first_response_min
        desk          | t1        | o1                | open   | 2024-01-05 10:00 | -    | 10
        """,
    )
    found = reasons(world)
    assert found["csat"] == "column_empty"
    assert found["reopen_rate"] == "column_absent"
    assert found["first_response"] == "below_min_n"


def test_a_column_of_which_no_value_fits_its_contract_is_unparseable(example: MakeExample) -> None:
    world = customer(example()).put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put("activity", LONG_AGO)
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | status | created_at       | csat | reopens
        desk          | t1        | o1                | open   | 2024-01-05 10:00 | -    | -
        """,
    )
    world.engine.execute(
        "insert into audit.quarantine values ('ticket.csat', 'not_a_number'), ('ticket.created_at', 'x')"
    )
    found = reasons(world)
    assert found["csat"] == "unparseable"
    assert found["reopen_rate"] == "column_empty"


@pytest.mark.parametrize(("collected", "reason"), [("2026-06-22", "stale_export"), ("2026-06-23", None)])
def test_an_export_that_ended_a_week_before_the_month_makes_no_zero(
    example: MakeExample, collected: str, reason: str | None
) -> None:
    world = customer(example()).put("activity", LONG_AGO)
    world.engine.execute("insert into audit.coverage values ('crm', '', '2026-03-01'), ('crm', '', ?)", [collected])
    assert reasons(world)["price_pressure"] == reason
    assert reasons(world, "2026-05-01")["price_pressure"] is None


def test_an_account_that_the_helpdesk_does_not_know_is_unmatched(example: MakeExample) -> None:
    world = customer(example()).put("account", "source_system | source_id | external_id\ndesk | o1 | X")
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | status | created_at       | first_response_min
        desk          | t1        | o1                | open   | 2024-01-05 10:00 | 10
        """,
    )
    assert reasons(world)["first_response"] == "account_unmatched"


@pytest.mark.parametrize(("strangers", "reason"), [(1, "below_min_n"), (2, "account_unmatched")])
def test_where_more_than_a_fifth_is_of_no_known_company_nobodys_value_speaks(
    example: MakeExample, strangers: int, reason: str
) -> None:
    """Alfa has four tickets: one of a stranger beside them is exactly a fifth, two are more."""
    world = customer(example()).put("account", "source_system | source_id | external_id\ndesk | o1 | A\ndesk | o2 | X")
    world.put("activity", LONG_AGO)
    tickets = [("o1", number) for number in range(4)] + [("o2", 4), ("-", 5)][:strangers]
    rows = "\n".join(f"desk | t{number} | {org} | open | 2024-01-05 10:00 | 10" for org, number in tickets)
    world.put(
        "ticket", f"source_system | source_id | source_account_id | status | created_at | first_response_min\n{rows}"
    )
    found = reasons(world)
    assert found["first_response"] == reason
    assert found["price_pressure"] is None
    status = "select distinct status from mart.account_month_measure where measure_id = 'first_response'"
    assert world.rows(status) == [("thin",)]
    world.run("audit.matching")
    assert world.rows("select total, matched from audit.matching where system = 'desk' and entity = 'ticket'") == [
        (4 + strangers, 4)
    ]


def test_revenue_of_nobody_known_counts_by_its_amount(example: MakeExample) -> None:
    """A large invoice of a stranger outweighs three of Alfa's; a contact that names nobody is not counted at all."""
    world = customer(example()).put("account", "source_system | source_id | external_id\nbill | b1 | A\nbill | b2 | X")
    world.put(
        "invoice",
        """
        source_system | source_id | source_account_id | kind        | issued_on  | net  | currency
        bill          | i1        | b1                | invoice     | 2026-01-01 | 100  | DKK
        bill          | i2        | b1                | invoice     | 2026-02-01 | 100  | DKK
        bill          | i3        | b1                | credit_note | 2026-02-01 | -100 | DKK
        bill          | i4        | b2                | invoice     | 2026-02-01 | 700  | DKK
        """,
    )
    world.put("invoice_line", "source_system | source_id | invoice_source_id | net\nbill | l1 | i1 | 100")
    world.put("activity", f"{LONG_AGO.strip()}\na1 | - | call | 2024-01-03 10:00 | held | vendor | Hej | - | v")
    assert reasons(world)["nrr"] == "account_unmatched"
    world.run("audit.matching")
    shares = (
        "select entity, total, matched, matched_share from audit.matching where entity <> 'account' order by entity"
    )
    assert world.rows(shares) == [("activity", 1, 1, 1.0), ("revenue", 1000, 300, 0.3)]


def test_a_window_that_begins_before_the_data_is_outside_coverage(example: MakeExample) -> None:
    world = customer(example(), since="2020-01-01")
    world.put("activity", LONG_AGO.replace("2024-01-02", "2025-09-02"))
    assert reasons(world)["price_pressure"] == "outside_coverage"
    assert reasons(world, "2026-05-01")["price_pressure"] == "outside_coverage"


def test_lateness_is_not_applicable_where_payment_is_collected(example: MakeExample) -> None:
    world = customer(example(), since="2025-06-01").put(
        "account", "source_system | source_id | external_id\nbill | b1 | A"
    )
    world.put(
        "invoice",
        """
        source_system | source_id | source_account_id | kind    | issued_on  | due_on     | paid_on    | gross | currency | status | collection
        bill          | i1        | b1                | invoice | 2025-06-01 | 2026-02-01 | 2026-02-02 | 100   | DKK      | paid   | auto
        """,
    )
    assert reasons(world)["days_beyond_terms"] == "not_applicable"


# Shrinkage -----------------------------------------------------------------------------------------------------------


def judged(world: Example, kind: str, rows: list[tuple[float, float]]) -> None:
    """scores.judged with one measure of the given kind: (numerator, denominator) for each account."""
    world.engine.execute(
        "create or replace table scores.judged (account_id varchar, month date, measure_id varchar, kind varchar, "
        "segment varchar, numerator double, denominator double, n bigint, raw_value double, raw_error double, "
        "status varchar, reason varchar)"
    )
    world.engine.connection.executemany(
        "insert into scores.judged values (?, '2026-06-01', 'm', ?, 's', ?, ?, ?, ?, null, 'ok', null)",
        [(f"a{place:04d}", kind, k, m, int(m), k / m) for place, (k, m) in enumerate(rows)],
    )
    only(world, "scores.pool")
    only(world, "scores.shrunk")


def estimates(world: Example) -> tuple[np.ndarray, np.ndarray]:
    rows = world.rows("select estimate, estimate_error from scores.shrunk order by account_id")
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def test_shrunk_shares_are_nearer_the_truth_and_their_intervals_cover_it(example: MakeExample) -> None:
    draw = np.random.default_rng(7)
    truth = draw.beta(4, 6, 600)
    trials = draw.integers(1, 30, 600)
    hits = draw.binomial(trials, truth)
    world = example()
    judged(world, "share", list(zip(hits.tolist(), trials.tolist(), strict=True)))
    found, error = estimates(world)
    raw_miss, shrunk_miss = (np.sqrt(np.mean((each - truth) ** 2)) for each in (hits / trials, found))
    assert shrunk_miss < 0.8 * raw_miss
    assert 0.92 < np.mean(np.abs(found - truth) < 1.96 * error) < 0.98


def test_one_trial_an_account_cannot_tell_accounts_from_chance(example: MakeExample) -> None:
    """A renewal a year: a fifth of the accounts called for a tender. A tenth of p(1 - p) is taken for the accounts' own."""
    world = example()
    judged(world, "share", [(float(place % 5 == 0), 1.0) for place in range(100)])
    between = world.rows("select between_variance from scores.pool where segment = '*'")[0][0]
    assert between == pytest.approx(0.1 * 0.2 * 0.8)
    found, _ = estimates(world)
    assert sorted({round(float(each), 9) for each in found}) == [0.18, 0.28]  # nine trials at .2 beside the one


def test_shrunk_rates_are_nearer_the_truth_and_their_intervals_cover_it(example: MakeExample) -> None:
    draw = np.random.default_rng(8)
    truth = draw.gamma(2, 0.5, 600)
    exposure = draw.uniform(0.5, 4, 600)
    events = draw.poisson(truth * exposure)
    world = example()
    judged(world, "rate", list(zip(events.tolist(), exposure.tolist(), strict=True)))
    found, error = estimates(world)
    raw_miss, shrunk_miss = (np.sqrt(np.mean((each - truth) ** 2)) for each in (events / exposure, found))
    assert shrunk_miss < 0.9 * raw_miss
    assert 0.91 < np.mean(np.abs(found - truth) < 1.96 * error) < 0.98


def test_the_beta_binomial_posterior_is_the_textbook_one(example: MakeExample) -> None:
    world = example()
    rows = [(float(place % 5), 8.0) for place in range(40)]
    judged(world, "share", rows)
    center, between = world.rows("select center, between_variance from scores.pool where segment = '*'")[0]
    strength = center * (1 - center) / between - 1
    alpha, beta = center * strength, (1 - center) * strength
    found, error = estimates(world)
    for place in range(5):
        a, b = alpha + place, beta + 8 - place
        assert found[place] == pytest.approx(a / (a + b), rel=1e-9)
        assert error[place] == pytest.approx(math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), rel=1e-9)


# Scores --------------------------------------------------------------------------------------------------------------


def scored(world: Example, supplier: float, customer_side: float, error: float = 0.1) -> tuple[float, ...]:
    world.engine.execute(
        "create or replace table scores.relationship as select 'a' as account_id, date '2026-06-01' as month, "
        "4 as indicators, 3 as supplier_ok, 4 as customer_ok, "
        "1.5::double as partnership_z, 0.2::double as partnership_error, -1.5::double as cost_customer_z, "
        "null::double as cost_supplier_z, -1.5::double as cost_focus_z, 0.2::double as cost_focus_error, "
        "?::double as supplier_z, ?::double as supplier_error, "
        "?::double as customer_z, ?::double as customer_error",
        [supplier, error, customer_side, error],
    )
    world.engine.execute(
        "create or replace table scores.component (account_id varchar, month date, measure_id varchar, weight double)"
    )
    world.engine.execute("create or replace table value.revenue (account_id varchar, month date, mrr decimal(18, 2))")
    world.engine.execute(
        "create or replace table style.shared_goal_coverage (account_id varchar, month date, goal_evidence varchar)"
    )
    only(world, "mart.relationship_month")
    return world.rows(
        "select mutual_value, balance, tilt, supplier_value, customer_value, mutual_value_low, mutual_value_high "
        "from mart.relationship_month"
    )[0]


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("scores"), "2026-06-30")


PROBIT = st.floats(-2.326, 2.326)


@given(supplier=PROBIT, customer_side=PROBIT)
def test_mutual_value_is_size_times_balance(shared_world: Example, supplier: float, customer_side: float) -> None:
    mutual, balance, tilt, vs, vc, low, high = scored(shared_world, supplier, customer_side)
    assert mutual == pytest.approx(math.sqrt(ndtr(supplier) * ndtr(customer_side)), rel=1e-9)
    assert mutual == pytest.approx((vs + vc) / 2 * balance, rel=1e-9)
    assert balance == pytest.approx(1 / math.cosh(tilt), rel=1e-9)
    assert low <= mutual <= high <= 1


@given(supplier=PROBIT, customer_side=PROBIT, step=st.floats(0.01, 1))
def test_mutual_value_rises_with_either_side(
    shared_world: Example, supplier: float, customer_side: float, step: float
) -> None:
    before = scored(shared_world, supplier, customer_side)[0]
    assert scored(shared_world, supplier + step, customer_side)[0] > before
    assert scored(shared_world, supplier, customer_side + step)[0] > before


def test_a_cell_is_named_only_when_it_is_likely(shared_world: Example) -> None:
    scored(shared_world, 0, 0)
    assert shared_world.rows("select style from mart.relationship_month") == [("Partnership",)]
    shared_world.engine.execute("update scores.relationship set cost_focus_z = -0.1, cost_customer_z = -0.1")
    only(shared_world, "mart.relationship_month")
    assert shared_world.rows("select style from mart.relationship_month") == [("Undetermined",)]


def test_without_goals_the_evidence_says_so(shared_world: Example) -> None:
    scored(shared_world, 0, 0)
    assert shared_world.rows("select evidence from mart.relationship_month") == [("no_goals,cost_focus_customer",)]


def evidence_with(world: Example, measure: str, goal_evidence: str) -> str:
    """The evidence of an account of which one measure is in a score, and whose goals rest on so much."""
    scored(world, 0, 0)
    world.engine.execute(f"insert into scores.component values ('a', '2026-06-01', '{measure}', 1)")
    world.engine.execute(f"insert into style.shared_goal_coverage values ('a', '2026-06-01', '{goal_evidence}')")
    only(world, "mart.relationship_month")
    return str(world.rows("select evidence from mart.relationship_month")[0][0])


def test_the_evidence_says_what_the_scores_rest_on(shared_world: Example) -> None:
    assert evidence_with(shared_world, "shared_goal_coverage", "confirmed") == "goals,cost_focus_customer"
    assert evidence_with(shared_world, "mutual_responsibility", "confirmed") == "goals,cost_focus_customer"
    assert evidence_with(shared_world, "cocreation_rate", "confirmed") == "no_goals,cost_focus_customer"
    assert evidence_with(shared_world, "shared_goal_coverage", "owner_only") == "goals,owner_only,cost_focus_customer"


def test_cost_focus_is_the_mean_of_the_sides_there_are(shared_world: Example) -> None:
    scored(shared_world, 0, 0)
    query = "select cost_focus_customer, cost_focus_supplier, cost_focus, evidence from mart.relationship_month"
    customer, supplier, both, _ = shared_world.rows(query)[0]
    assert (supplier, both) == (None, customer)
    assert customer == pytest.approx(ndtr(-1.5))
    shared_world.engine.execute("update scores.relationship set cost_supplier_z = 0.5")
    only(shared_world, "mart.relationship_month")
    assert shared_world.rows(query) == [
        (
            customer,
            pytest.approx(ndtr(0.5)),
            pytest.approx((ndtr(-1.5) + ndtr(0.5)) / 2),
            "no_goals,cost_focus_customer,cost_focus_supplier",
        )
    ]
    shared_world.engine.execute("update scores.relationship set cost_customer_z = null")
    only(shared_world, "mart.relationship_month")
    assert shared_world.rows(query) == [
        (None, pytest.approx(ndtr(0.5)), pytest.approx(ndtr(0.5)), "no_goals,cost_focus_supplier")
    ]


def parts(world: Example, rows: str) -> list[tuple[object, ...]]:
    """scores.relationship of one account from its parts, whose components all weigh 1: part, components, ok components,
    sum of z, sum of variances.
    """
    world.engine.execute(
        "create or replace table canonical.account_month as "
        "select 'a' as account_id, date '2026-06-01' as month, date '2020-01-01' as customer_month"
    )
    world.engine.execute(
        "create or replace table scores.part (account_id varchar, month date, part varchar, components bigint, "
        "ok_components bigint, weight_sum double, z_sum double, variance_sum double)"
    )
    for row in rows.strip().splitlines():
        name, *numbers = (cell.strip() for cell in row.split("|"))
        world.engine.execute(
            "insert into scores.part select 'a', date '2026-06-01', $1, $2, $3, $2, $4, $5",
            [name, *map(float, numbers)],
        )
    only(world, "scores.relationship")
    return world.rows("select partnership_z, cost_focus_z, supplier_z, customer_z from scores.relationship")


def test_partnership_needs_three_indicators_of_both_kinds(shared_world: Example) -> None:
    assert parts(shared_world, "partnership_goals | 2 | 2 | 1.0 | 0.1\npartnership_conduct | 1 | 1 | 0.5 | 0.1") == [
        (0.5, None, None, None)
    ]
    assert parts(shared_world, "partnership_conduct | 3 | 3 | 1.0 | 0.1") == [(None, None, None, None)]
    assert parts(shared_world, "partnership_goals | 1 | 1 | 1.0 | 0.1\npartnership_conduct | 1 | 1 | 1.0 | 0.1") == [
        (None, None, None, None)
    ]


def test_openness_counts_as_one_of_three_but_is_of_neither_kind(shared_world: Example) -> None:
    goals, conduct = "partnership_goals | 1 | 1 | 1.0 | 0.1\n", "partnership_conduct | 1 | 1 | 0.5 | 0.1\n"
    openness = "partnership_openness | 1 | 1 | 0.3 | 0.1"
    assert parts(shared_world, goals + conduct + openness)[0][0] == pytest.approx(0.6)
    assert parts(shared_world, goals.replace("1 | 1 | 1.0", "2 | 2 | 1.0") + openness)[0][0] is None


def test_the_customers_cost_focus_needs_two_signs_and_ours_one(shared_world: Example) -> None:
    theirs, ours = "cost_focus_customer | {n} | {n} | 1.0 | 0.02\n", "cost_focus_supplier | 1 | 1 | -0.5 | 0.09"
    query = "select cost_customer_z, cost_supplier_z, cost_focus_z, cost_focus_error from scores.relationship"
    parts(shared_world, theirs.format(n=1) + ours)
    assert shared_world.rows(query) == [(None, -0.5, -0.5, pytest.approx(0.3))]
    parts(shared_world, theirs.format(n=2) + ours)
    # Errors of the two means: sqrt(.02) / 2 and .3; of their mean: half the root of the sum of squares.
    assert shared_world.rows(query) == [(0.5, -0.5, 0.0, pytest.approx(math.sqrt(0.02 / 4 + 0.09) / 2))]
    parts(shared_world, theirs.format(n=2))
    assert shared_world.rows(query) == [(0.5, None, 0.5, pytest.approx(math.sqrt(0.02) / 2))]


def test_a_side_needs_two_components_of_its_own_and_is_clipped(shared_world: Example) -> None:
    assert parts(shared_world, "supplier_value | 3 | 2 | 9.0 | 0.1\ncustomer_value | 4 | 1 | 1.0 | 0.1") == [
        (None, None, 2.326, None)
    ]


# The reference -------------------------------------------------------------------------------------------------------


def reference(world: Example, values: list[float]) -> tuple[float, float | None, str]:
    world.engine.execute(
        "create or replace table scores.shrunk (measure_id varchar, segment varchar, account_id varchar, month date, "
        "status varchar, estimate double, raw_value double)"
    )
    world.engine.execute("create or replace table setting.measure as select 'm' as measure_id, 'index' as kind")
    world.engine.connection.executemany(
        "insert into scores.shrunk values ('m', 's', ?, '2025-01-01', 'ok', ?, ?)",
        [(f"a{place}", value, value) for place, value in enumerate(values)],
    )
    only(world, "scores.reference")
    return world.rows("select center, scale, method from scores.reference where segment = '*'")[0]


def test_the_reference_is_the_median_and_the_scaled_mad(shared_world: Example) -> None:
    center, scale, method = reference(shared_world, [1, 2, 3, 4, 100])
    assert (center, method) == (3, "robust")
    assert scale == pytest.approx(1.4826)


def test_where_a_quarter_ties_mean_and_deviation_serve(shared_world: Example) -> None:
    values = [0.0, 0, 0, 1, 2, 3, 4, 5]
    center, scale, method = reference(shared_world, values)
    assert method == "moments"
    assert center == pytest.approx(np.mean(values))
    assert scale == pytest.approx(np.std(values, ddof=1))


def test_equal_raw_values_tie_although_shrinkage_drew_them_apart(shared_world: Example) -> None:
    reference(shared_world, [float(value) for value in range(8)])
    shared_world.engine.execute("update scores.shrunk set raw_value = 0, estimate = estimate / 1000 where estimate < 3")
    only(shared_world, "scores.reference")
    assert shared_world.rows("select method from scores.reference where segment = '*'") == [("moments",)]


def test_values_that_were_drawn_together_keep_a_fifth_of_their_spread(shared_world: Example) -> None:
    reference(shared_world, [1.0, 2, 3, 4, 100])
    shared_world.engine.execute("update scores.shrunk set estimate = 3 + raw_value / 1000")
    only(shared_world, "scores.reference")
    assert shared_world.rows("select scale from scores.reference where segment = '*'") == [
        (pytest.approx(0.2 * 1.4826),)
    ]
    reference(shared_world, [0.0, 0, 0, 1, 2, 3])
    shared_world.engine.execute("update scores.shrunk set estimate = raw_value / 1000")
    only(shared_world, "scores.reference")
    (scale,) = shared_world.rows("select scale from scores.reference where segment = '*'")[0]
    assert scale == pytest.approx(0.2 * np.std([0.0, 0, 0, 1, 2, 3], ddof=1))


def test_the_base_period_begins_when_thirty_accounts_can_speak(shared_world: Example) -> None:
    reference(shared_world, [float(value) for value in range(30)])
    shared_world.engine.execute("insert into scores.shrunk values ('m', 's', 'early', '2023-01-01', 'ok', 1000, 1000)")
    only(shared_world, "scores.reference")
    assert shared_world.rows("select n from scores.reference where segment = '*'") == [(30,)]


def test_values_without_any_spread_have_no_scale(shared_world: Example) -> None:
    assert reference(shared_world, [2.0, 2, 2, 2])[1:] == (None, "moments")


def test_only_a_segment_of_thirty_accounts_is_its_own_reference(shared_world: Example) -> None:
    reference(shared_world, [float(value) for value in range(29)])
    assert shared_world.rows("select segment from scores.reference") == [("*",)]
    reference(shared_world, [float(value) for value in range(30)])
    assert shared_world.rows("select segment from scores.reference order by segment") == [("*",), ("s",)]
