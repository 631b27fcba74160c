"""What the contrast reads: half-years that do not overlap, and value from before the style window."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from tests.tables import Example, drawn
from warehouse.models import find_models, run_model

MakeExample = Callable[..., Example]
SCORES = ("partnership", "cost_focus", "mutual_value", "supplier_value", "customer_value", "balance", "tilt")
RELATIONSHIP = {
    "account_id": "varchar",
    "month": "date",
    "style": "varchar",
    "reason": "varchar",
    **dict.fromkeys(SCORES, "double"),
}


def relationships(world: Example, table: str, text: str) -> None:
    """Run one model over a mart.relationship_month that is drawn; columns that are not drawn are null."""
    rows = drawn(text)
    world.engine.connection.register("drawn_months", pa.Table.from_pylist(rows))
    columns = ", ".join(
        f"cast({name if name in rows[0] else 'null'} as {kind}) as {name}" for name, kind in RELATIONSHIP.items()
    )
    world.engine.execute(f"create or replace table mart.relationship_month as select {columns} from drawn_months")
    run_model(world.engine, next(model for model in find_models() if model.table == table))


PANEL = "select period, first_month::varchar, partnership, style, mutual_value from mart.contrast_panel order by period"


def test_value_is_of_each_half_year_and_style_of_the_month_before_it(example: MakeExample) -> None:
    world = example()
    relationships(
        world,
        "mart.contrast_panel",
        """
        account_id | month      | partnership | style        | mutual_value
        A          | 2024-12-01 | 0.30        | Dormant      | 0.40
        A          | 2025-05-01 | 0.35        | Dormant      | 0.45
        A          | 2025-06-01 | 0.50        | Undetermined | 0.55
        A          | 2025-12-01 | 0.70        | Partnership  | 0.60
        A          | 2026-01-01 | 0.75        | Partnership  | 0.65
        A          | 2026-06-01 | 0.80        | Partnership  | 0.70
        """,
    )
    assert world.rows(PANEL) == [
        (-3, "2024-07-01", None, None, 0.40),
        (-2, "2025-01-01", 0.30, "Dormant", 0.55),
        (-1, "2025-07-01", 0.50, "Undetermined", 0.60),
        (0, "2026-01-01", 0.70, "Partnership", 0.70),
    ]


def test_a_company_has_a_half_year_only_where_it_was_one_of_ours_at_its_end(example: MakeExample) -> None:
    world = example()
    relationships(
        world,
        "mart.contrast_panel",
        """
        account_id | month      | partnership | mutual_value
        came_late  | 2026-06-01 | 0.5         | 0.5
        left_early | 2025-06-01 | 0.5         | 0.5
        left_early | 2025-12-01 | 0.5         | -
        """,
    )
    assert world.rows("select account_id, period, partnership, mutual_value from mart.contrast_panel order by all") == [
        ("came_late", 0, None, 0.5),
        ("left_early", -2, None, 0.5),
        ("left_early", -1, 0.5, None),
    ]


def test_half_years_go_back_from_the_last_complete_month(example: MakeExample) -> None:
    world = example("2026-07-15")
    relationships(
        world,
        "mart.contrast_panel",
        """
        account_id | month      | partnership | mutual_value
        A          | 2025-12-01 | 0.3         | 0.4
        A          | 2026-06-01 | 0.5         | 0.6
        A          | 2026-07-01 | 0.7         | 0.8
        """,
    )
    assert world.rows(PANEL) == [(-1, "2025-07-01", None, None, 0.4), (0, "2026-01-01", 0.3, None, 0.6)]


def test_no_months_make_an_empty_panel(example: MakeExample) -> None:
    world = example()
    relationships(world, "mart.contrast_panel", "account_id | month\nA | 2026-05-01")
    assert world.rows("select * from mart.contrast_panel") == []


def test_value_before_is_of_the_six_months_that_end_where_the_style_window_begins(example: MakeExample) -> None:
    world = example().put(
        "account",
        """
        source_id | name  | customer_since
        A         | Alfa  | 2023-01-01
        B         | Beta  | 2025-06-01
        """,
    )
    world.run("mart.contrast_input")
    # t0 is the first of January 2026: style is of 2025, value before it of July to December 2024.
    relationships(
        world,
        "mart.contrast_input",
        """
        account_id | month      | partnership | mutual_value
        crm:A      | 2024-11-01 | 0.1         | 0.11
        crm:A      | 2024-12-01 | 0.2         | 0.22
        crm:A      | 2025-01-01 | 0.3         | 0.33
        crm:A      | 2025-12-01 | 0.4         | 0.44
        crm:A      | 2026-06-01 | 0.5         | 0.55
        crm:B      | 2025-12-01 | 0.6         | 0.66
        crm:B      | 2026-06-01 | 0.7         | 0.77
        """,
    )
    assert world.rows(
        "select account_id, partnership, mutual_value_before, mutual_value from mart.contrast_input order by account_id"
    ) == [("crm:A", 0.4, 0.22, 0.55), ("crm:B", 0.6, None, 0.77)]
