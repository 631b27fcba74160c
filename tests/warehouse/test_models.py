"""Models are found, documented, ordered by what they read, and made."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from warehouse.engine import Engine
from warehouse.errors import ConfigurationError
from warehouse.models import declared_tables, find_models, in_order, read_model, run_model

# What differs silently or fails on another engine after translation, and what to write instead.
BANNED = {
    "date_diff": "months_between(a, b), or a plain subtraction of dates",
    "percentile_cont": "median()",
    "quantile_cont": "median()",
    "list_aggregate": "a join on the unnested rows",
}


def write(folder: Path, name: str, sql: str) -> Path:
    path = folder / f"{name}.sql"
    path.write_text(sql, encoding="utf-8")
    return path


def test_comments_become_grain_description_and_columns(tmp_path: Path) -> None:
    model = read_model(
        write(
            tmp_path,
            "ticket",
            "-- grain: account_id, month\n-- What a row is,\n-- in two lines.\n"
            "with source as (select * from staged.ticket)\n"
            "select\n    account_id, -- the company\n    month, -- the month\n    count(*) as tickets -- number of them\n"
            "from source join canonical.account using (account_id) group by account_id, month\n",
        ),
        "value",
    )
    assert model.table == "value.ticket"
    assert model.grain == ("account_id", "month")
    assert model.description == "What a row is, in two lines."
    assert model.columns == {"account_id": "the company", "month": "the month", "tickets": "number of them"}
    assert model.depends_on == {"staged.ticket", "canonical.account"}


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select 1 as a -- one\n", "first line must be `-- grain"),
        ("-- grain: a\nselect 1 as a, 2 as b -- two\n", "no trailing comment says what a holds"),
        ("-- grain: z\nselect 1 as a -- one\n", "the grain names z"),
        ("-- grain: a\nselect 1 as a; -- one\nselect 2 as a -- two\n", "a model is one SELECT"),
        ("-- grain: a\ndelete from x\n", "a model is one SELECT"),
    ],
)
def test_a_file_that_is_no_documented_select_is_refused(tmp_path: Path, sql: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read_model(write(tmp_path, "bad", sql), "value")


def test_models_run_after_what_they_read_and_never_in_a_circle(tmp_path: Path) -> None:
    last = read_model(write(tmp_path, "a", "-- grain: x\nselect x -- it\nfrom value.b\n"), "value")
    first = read_model(write(tmp_path, "b", "-- grain: x\nselect 1 as x -- it\n"), "value")
    assert [model.name for model in in_order([last, first])] == ["b", "a"]
    circle = read_model(write(tmp_path, "b", "-- grain: x\nselect x -- it\nfrom value.a\n"), "value")
    with pytest.raises(ConfigurationError, match="circle"):
        in_order([last, circle])


def test_a_marts_rows_lie_in_the_order_of_its_grain(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path / "warehouse.duckdb", threads=2, memory="500MB", query_seconds=30)
    sql = "-- grain: x\nselect unnest([3, 1, 2]) as x -- a number\n"
    assert run_model(engine, read_model(write(tmp_path, "numbers", sql), "mart")) == 3
    assert engine.execute("select x from mart.numbers").fetchall() == [(1,), (2,), (3,)]
    engine.close()


def test_every_shipped_model_reads_only_tables_that_exist() -> None:
    known = {model.table for model in (*find_models(), *declared_tables())}
    for model in find_models():
        own = {table for table in model.depends_on if table.split(".")[0] not in ("staged", "setting")}
        assert own <= known, model.table


@pytest.mark.parametrize("model", find_models(), ids=lambda model: model.table)
def test_every_shipped_model_keeps_to_the_portable_subset(model) -> None:  # type: ignore[no-untyped-def]
    query = sqlglot.parse_one(model.sql, read="duckdb")
    called = {node.sql_name().lower() for node in query.find_all(exp.Func)} | {
        node.name.lower() for node in query.find_all(exp.Anonymous)
    }
    for name, instead in BANNED.items():
        assert name not in called, f"{model.table}: instead of {name} write {instead}"
    assert not query.find(exp.Qualify), f"{model.table}: instead of qualify write a CTE with row_number()"
    replaced = [node for node in query.find_all(exp.RegexpReplace) if node.args.get("modifiers") is None]
    assert not replaced, f"{model.table}: regexp_replace needs an explicit 'g'"
    assert not any(isinstance(column, exp.Star) for column in query.selects), f"{model.table}: list the columns"


@pytest.mark.parametrize("model", find_models(), ids=lambda model: model.table)
def test_no_shipped_model_adds_floating_point_in_parallel(model) -> None:  # type: ignore[no-untyped-def]
    """A sum over DOUBLE depends on the order in which threads add: sum counts, decimals or exact(...)."""
    query = sqlglot.parse_one(model.sql, read="duckdb")
    floating = {
        "estimate",
        "z",
        "z_error",
        "z_sum",
        "variance_sum",
        "raw_value",
        "x",
        "e",
        "k",
        "m",
        "minutes",
        "error",
    }
    for total in query.find_all(exp.Sum, exp.Avg):
        inside = total.this
        if isinstance(inside, exp.Anonymous) and inside.name == "exact":
            continue
        if inside.find(exp.Anonymous) and any(node.name == "exact" for node in inside.find_all(exp.Anonymous)):
            continue
        names = {column.name for column in inside.find_all(exp.Column)}
        assert not names & floating, f"{model.table}: {total.sql()}"


def test_the_firewall_no_value_model_reads_style_and_no_style_model_reads_value() -> None:
    by_table = {model.table: model for model in find_models()}

    def ancestors(table: str) -> set[str]:
        direct = by_table[table].depends_on & by_table.keys() if table in by_table else set()
        return set(direct).union(*(ancestors(each) for each in direct))

    for model in find_models():
        if model.schema in ("style", "value"):
            other = "value." if model.schema == "style" else "style."
            assert not [table for table in ancestors(model.table) if table.startswith(other)], model.table
