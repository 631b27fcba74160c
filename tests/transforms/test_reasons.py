"""Why a value is missing: days that could be others, systems that contradict each other, and every reason there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.lake import contract, drop
from tests.tables import Example
from warehouse import cells
from warehouse.casting import stage
from warehouse.contracts import Column

MakeExample = Callable[..., Example]


def day(header: str, form: str) -> dict[str, str]:
    return {"from": header, "type": "date", "format": form}


CRM = contract(
    "crm",
    {
        "account": {
            "columns": {
                "source_id": {"from": "id"},
                "name": {"from": "name"},
                "customer_since": day("since", "iso"),
            }
        }
    },
    kind="crm",
)
# Declared American; what the tests deliver is not always so.
BILL = contract(
    "bill",
    {
        "invoice": {
            "columns": {
                "source_id": {"from": "id"},
                "source_account_id": {"from": "customer"},
                "kind": {"value": "invoice"},
                "status": {"value": "paid"},
                "issued_on": day("issued", "%m/%d/%Y"),
                "due_on": day("due", "%m/%d/%Y"),
                "paid_on": day("paid", "iso"),
                "gross": {"from": "gross", "type": "money"},
            }
        },
        "account": {"columns": {"source_id": {"from": "customer"}, "external_id": {"from": "customer"}}},
    },
    kind="billing",
    currency="DKK",
)


def billed(world: Example, issued: list[str], due: list[str]) -> Example:
    """Land and cast one company and its invoices."""
    drop(world.project, CRM, "accounts.csv", "id,name,since\nA,Alfa,2026-01-01\n")
    days = enumerate(zip(issued, due, strict=True), start=1)
    lines = [f"i{place},A,{first},{last},2026-06-05,100" for place, (first, last) in days]
    drop(world.project, BILL, "invoices.csv", "\n".join(["id,customer,issued,due,paid,gross", *lines, ""]))
    stage(world.engine.connection, world.project, {"crm": CRM, "bill": BILL})
    return world


def ambiguous(world: Example) -> list[tuple[Any, ...]]:
    return world.rows("select system, table_name, column_name, is_event_time from setting.ambiguous_date")


def reasons(world: Example, account: str = "A") -> dict[str, str | None]:
    world.run("scores.judged")
    return dict(
        world.rows(
            f"select measure_id, reason from scores.judged where month = '2026-06-01' and account_id = 'crm:{account}'"
        )
    )


JANUARY = "01/13/2026"
AMERICAN = ["04/13/2026", "04/14/2026", "04/15/2026", "04/16/2026"]


@pytest.mark.parametrize(
    ("due", "is_ambiguous"),
    [
        # 3 April or 4 March? The others say that in this file the day comes first.
        (["25/04/2026", "26/04/2026", "03/04/2026"], True),
        (["25/04/2026", "26/04/2026", "soon"], True),
        (["25/04/2026", "soon", "later"], False),
        # One in five is what somebody mistyped.
        ([*AMERICAN, "25/04/2026"], False),
        ([*AMERICAN[:3], "25/04/2026"], True),
        # No day in either order.
        ([AMERICAN[0], "31/31/2026"], False),
    ],
)
def test_days_could_be_others_where_over_a_fifth_fits_with_day_and_month_exchanged_only(
    example: MakeExample, due: list[str], is_ambiguous: bool
) -> None:
    world = billed(example(), [JANUARY] * len(due), due)
    assert ambiguous(world) == ([("bill", "invoice", "due_on", False)] if is_ambiguous else [])


def test_of_a_whole_year_exchanged_221_days_of_365_tell_and_the_others_are_read_as_other_days() -> None:
    column = Column.model_validate(day("due", "%m/%d/%Y"))
    texts = [(dt.date(2026, 1, 1) + dt.timedelta(days=step)).strftime("%d/%m/%Y") for step in range(365)]
    read = cells.value(column, "date", "text", cells.Place(None, "UTC"))
    with duckdb.connect() as connection:
        connection.execute("create table written as select unnest(?) as text", [texts])
        [(told, silent)] = connection.execute(
            f"select count(case when {read} is null and {cells.fits_exchanged(column, 'text')} then 1 end), count({read}) "
            "from written"
        ).fetchall()
    assert (told, silent) == (221, 144)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%b %d, %Y", "iso"])
def test_a_pattern_that_nobody_writes_the_other_way_round_is_not_asked(form: str) -> None:
    assert cells.fits_exchanged(Column.model_validate(day("due", form)), "text") is None


def test_due_days_that_could_be_others_make_no_lateness(example: MakeExample) -> None:
    found = reasons(billed(example(), [JANUARY] * 3, ["25/04/2026", "26/04/2026", "03/04/2026"]))
    # What does not read the due day speaks.
    assert (found["days_beyond_terms"], found["dso"]) == ("ambiguous_date", None)


def test_where_no_due_day_is_left_the_commoner_fault_is_the_reason(example: MakeExample) -> None:
    found = reasons(billed(example(), [JANUARY] * 3, ["25/04/2026", "soon", "later"]))
    assert (found["days_beyond_terms"], found["dso"]) == ("unparseable", None)


def test_an_ambiguous_day_of_the_record_itself_silences_all_that_counts_the_records(example: MakeExample) -> None:
    world = billed(example(), ["05/04/2026", "25/05/2026"], AMERICAN[:2])
    assert ambiguous(world) == [("bill", "invoice", "issued_on", True)]
    found = reasons(world)
    assert (found["days_beyond_terms"], found["dso"]) == ("ambiguous_date", "ambiguous_date")


def test_quarantine_tells_exchanged_days_from_no_days_and_a_person_may_waive_them(example: MakeExample) -> None:
    world = example()
    world.project.decisions.mkdir(parents=True)
    (world.project.decisions / "waivers.csv").write_text(
        "decided_on,system,entity,column_name,rule,sha256,reason\n2026-06-30,bill,,,ambiguous_date,,known\n"
    )
    billed(world, [JANUARY] * 3, ["25/04/2026", "03/04/2026", "soon"])
    assert ambiguous(world) == []
    assert world.rows("select row_number, rule, status from audit.quarantine order by row_number") == [
        (1, "ambiguous_date", "waived"),
        (3, "unparseable_date", "open"),
    ]


# Two systems that bill ------------------------------------------------------------------------------------------------

KNOWN = """
source_system | source_id | external_id
bill          | b1        | A
newer         | n1        | A
"""
INVOICES = """
source_system | source_id | source_account_id | kind    | issued_on  | currency
bill          | i1        | b1                | invoice | 2025-07-01 | DKK
newer         | i2        | n1                | invoice | 2025-07-01 | DKK
"""
LINE = (
    "source_system | source_id | invoice_source_id | kind | product | net | period_start_on | period_end_on | currency | "
    "quantity\n"
)
YEAR = "2025-07-01 | 2026-07-01"


def bought(example: MakeExample, *lines: str) -> Example:
    """Alfa's lines: `system | product | net | from | until`."""
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2025-01-01").put("account", KNOWN)
    rows = []
    for place, line in enumerate(lines):
        system, told = line.split(" | ", 1)
        invoice = "i1" if system == "bill" else "i2"
        rows.append(f"{system} | l{place} | {invoice} | recurring | {told} | DKK | 5")
    return world.put("invoice", INVOICES).put("invoice_line", LINE + "\n".join(rows))


def revenue(world: Example, month: str = "2026-06-01") -> tuple[Any, ...]:
    return next(iter(world.rows(f"select mrr, reason from value.revenue where month = '{month}'")))


def test_one_product_that_two_systems_bill_differently_is_no_known_revenue(example: MakeExample) -> None:
    """
    | month | bill: Base | newer: Base | revenue |
    |-------|------------|-------------|---------|
    | May   | 1000       | -           | 1000    |
    | June  | 1000       | 700         | neither |
    """
    world = bought(example, f"bill | Base | 12000 | {YEAR}", "newer | Base | 700 | 2026-06-01 | 2026-07-01")
    world.run("scores.judged", "mart.account")
    assert (revenue(world, "2026-05-01"), revenue(world)) == ((1000, None), (None, "conflicting_sources"))
    found = dict(
        world.rows(
            "select measure_id, status from scores.judged where month = '2026-06-01' and reason = 'conflicting_sources'"
        )
    )
    assert found == dict.fromkeys(("mrr", "nrr", "grr", "expansion_rate", "price_uplift", "clv"), "null")
    # What two systems bill is paid for, however much it is.
    assert world.rows("select status from mart.account") == [("active",)]


def test_retention_since_a_month_in_conflict_says_so(example: MakeExample) -> None:
    world = bought(example, f"bill | Base | 12000 | {YEAR}", "newer | Base | 700 | 2025-12-01 | 2026-01-01")
    found = reasons(world)
    assert (found["mrr"], found["nrr"], found["logo_churn"]) == (None, "conflicting_sources", "conflicting_sources")


def test_one_product_that_two_systems_bill_alike_is_one_sale(example: MakeExample) -> None:
    """A bookkeeping system repeats what the payment system bills; a hundredth is for cents and broken periods."""
    world = bought(example, f"bill | Base | 12000 | {YEAR}", f"newer | Base | 11900 | {YEAR}").run("value.revenue")
    assert revenue(world) == (1000, None)
    assert world.rows("select quantity, lines from value.product_month where month = '2026-06-01'") == [(5.0, 2)]


@pytest.mark.parametrize(
    ("lines", "mrr"),
    [
        pytest.param(("bill | Base | 12000", "newer | Support | 6000"), 1500, id="different products"),
        pytest.param(("bill | - | 12000", "newer | - | 6000"), 1500, id="products that nobody names"),
        pytest.param(("bill | Base | 12000", "bill | Base | 6000"), 1500, id="two lines of one system"),
        pytest.param(("bill | Base | 12000", "newer | Base | 0"), 1000, id="a free line"),
        pytest.param(("bill | Base | 12000", "newer | Base | -6000"), 500, id="a credit in the other system"),
    ],
)
def test_what_two_systems_may_well_bill_side_by_side_is_added(
    example: MakeExample, lines: tuple[str, str], mrr: int
) -> None:
    world = bought(example, *(f"{line} | {YEAR}" for line in lines)).run("value.revenue")
    assert revenue(world) == (mrr, None)


def test_a_move_from_one_billing_system_to_another_is_no_conflict(example: MakeExample) -> None:
    world = bought(
        example,
        "bill | Base | 6000 | 2025-07-01 | 2026-01-01",
        "newer | Base | 9000 | 2026-01-01 | 2026-07-01",
    ).run("value.revenue")
    assert (revenue(world, "2025-12-01"), revenue(world)) == ((1000, None), (1500, None))


# All of them ----------------------------------------------------------------------------------------------------------

SUITE = Path(__file__).parents[2] / "expectations" / "suites" / "mart.yml"


def declared() -> set[str]:
    """The reasons that the checks of a release allow."""
    checks = yaml.safe_load(SUITE.read_text(encoding="utf-8"))["mart.account_month_measure"]["checks"]
    return set(next(check["kwargs"]["value_set"] for check in checks if check.get("columns") == "reason"))


def test_every_reason_is_given_to_somebody(example: MakeExample) -> None:
    """Alfa is billed in kroner and asks for help, the others are each billed with one thing wrong."""
    world = example()
    world.put(
        "account",
        """
        source_id | name    | customer_since
        A         | Alfa    | 2025-07-01
        B         | Beta    | 2025-07-01
        C         | Centum  | 2025-07-01
        D         | Delta   | 2025-07-01
        E         | Epsilon | 2015-01-01
        """,
    )
    world.put(
        "account",
        """
        source_system | source_id | external_id
        desk          | A         | A
        bill          | A         | A
        bill          | B         | B
        bill          | C         | C
        bill          | D         | D
        desk          | D         | D
        """,
    )
    world.put(
        "invoice",
        """
        source_system | source_id | source_account_id | kind    | issued_on  | due_on     | paid_on    | gross | net | currency | collection | status
        bill          | A         | A                 | invoice | 2026-01-01 | 2026-05-09 | 2026-05-09 | 100   | 100 | DKK      | auto       | paid
        bill          | B         | B                 | invoice | 2026-05-01 | 2026-05-09 | 2026-05-09 | 100   | 100 | -        | sent       | paid
        bill          | C         | C                 | invoice | 2026-05-01 | 2026-05-09 | 2026-05-09 | 100   | 100 | EUR      | sent       | paid
        bill          | D         | D                 | invoice | 2026-05-01 | 2026-05-09 | 2026-05-09 | 100   | 100 | DKK      | sent       | paid
        desk          | D         | D                 | invoice | 2026-05-01 | 2026-05-09 | 2026-05-09 | 50    | 50  | DKK      | sent       | paid
        """,
    )
    world.put(
        "invoice_line",
        """
        source_system | source_id | invoice_source_id | kind      | product | net | period_start_on | period_end_on
        bill          | A         | A                 | recurring | Base    | 100 | 2026-05-01      | 2026-07-01
        bill          | B         | B                 | recurring | Base    | 100 | 2026-05-01      | 2026-07-01
        bill          | C         | C                 | recurring | Base    | 100 | 2026-05-01      | 2026-07-01
        bill          | D         | D                 | recurring | Base    | 100 | 2026-05-01      | 2026-07-01
        desk          | D         | D                 | recurring | Base    | 50  | 2026-05-01      | 2026-07-01
        """,
    )
    world.put(
        "ticket",
        """
        source_system | source_id | source_account_id | status | created_at       | csat | solved_at        | first_response_min | full_resolution_business_min | first_response_business_min
        desk          | 1         | A                 | solved | 2025-09-05 10:00 | -    | 2025-09-05 11:00 | 10                 | -                            | -
        desk          | 2         | A                 | solved | 2026-06-05 10:00 | 1    | 2026-06-05 11:00 | 10                 | -                            | -
        """,
    )
    world.put(
        "activity",
        """
        source_id | source_account_id | kind | started_at       | status | initiated_by | subject
        1         | A                 | call | 2025-09-02 10:00 | held   | unknown      | Hej
        """,
    )
    world.put(
        "goal", "source_id | source_account_id | due_on | beneficiary | customer_owner_source_id\n1 | A | - | joint | p"
    )
    world.put(
        "opportunity", "source_system | source_id | type | closed_on | name\nnewer | 1 | renewal | 2026-01-01 | x"
    )
    world.engine.execute("insert into audit.coverage values ('newer', '', '2026-01-31')")
    world.engine.execute("insert into audit.quarantine values ('ticket.full_resolution_business_min', 'not_a_number')")
    world.engine.execute("insert into setting.ambiguous_date values ('crm', '', 'goal', 'due_on', false)")
    world.engine.execute("insert into setting.leak (measure_id) values ('first_response')")
    world.run("scores.judged")
    assert {
        reason for (reason,) in world.rows("select distinct reason from scores.judged where reason is not null")
    } == declared()
