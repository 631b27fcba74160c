"""The data dictionary: pages and database comments say what the models, contracts and settings say."""

from __future__ import annotations

import math
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.contracts import SystemContract
from warehouse.models import Model, declared_tables, find_models, measures
from warehouse.project import Settings
from warehouse.serving.dictionary import (
    comment,
    configuration_keys,
    configuration_page,
    exports_page,
    measures_page,
    stale,
    tables_page,
    write,
)

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["configuration.md", "exports.md", "measures.md", "tables.md"]

ACCOUNT = Model(
    schema="mart",
    name="account",
    grain=("account_id",),
    description="The companies.",
    columns={"account_id": "id in the CRM", "status": "active | churned"},
    depends_on=frozenset({"canonical.person", "canonical.account"}),
    sql="select 1",
    path=Path("account.sql"),
)
TICKET = Model("value", "ticket", ("id", "month"), "Tickets.", {"id": "the id"}, frozenset(), "", Path("ticket.sql"))

DESK = SystemContract.model_validate(
    {
        "system": "desk",
        "title": "A helpdesk",
        "kind": "helpdesk",
        "timezone": None,
        "documentation": "https://desk.example/docs",
        "entities": {
            "ticket": {
                "format": "json",
                "recognise": {"wrapper": "ticket"},
                "documentation": "Closed tickets never change.",
                "tables": {
                    "ticket": {
                        "where": "kind is not null",
                        "columns": {
                            "source_id": {"from": "id", "required": True},
                            "created_at": {"from": ["created_at", "opened"], "type": "timestamp", "format": "iso"},
                            "kind": {"from": "kind", "helper": True},
                            "priority": {"sql": "lower(kind)"},
                            "channel": {"value": "web"},
                        },
                    },
                    "ticket_comment": {"each": "comments", "columns": {"source_id": {"from": "id"}}},
                },
            },
            "invoice": {
                "recognise": {"headers": ["Number", "Net"]},
                "tables": {
                    "invoice": {
                        "columns": {
                            "source_id": {"from": "Number"},
                            "net": {"from": "Net", "type": "money", "unit": "minor"},
                        }
                    }
                },
            },
        },
    }
)


# --- the pages of the checkout ---------------------------------------------------------------------------------------


def test_the_pages_in_docs_are_what_the_sources_say_today() -> None:
    assert [path.name for path in stale(DOCS)] == [], "run `mutual-value docs` in the checkout"


def test_writing_makes_the_four_pages_and_nothing_else(tmp_path: Path) -> None:
    written = write(tmp_path / "docs")
    assert sorted(path.name for path in written) == PAGES
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == PAGES
    assert stale(tmp_path / "docs") == []


def test_a_changed_and_a_missing_page_are_stale(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "exports.md").unlink()
    (tmp_path / "tables.md").write_text("edited by hand", encoding="utf-8")
    assert sorted(path.name for path in stale(tmp_path)) == ["exports.md", "tables.md"]


def test_hand_written_pages_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "operations.md").write_text("mine", encoding="utf-8")
    write(tmp_path)
    assert (tmp_path / "operations.md").read_text(encoding="utf-8") == "mine"
    assert stale(tmp_path) == []


# --- measures --------------------------------------------------------------------------------------------------------


def test_a_measure_shows_its_formula_labels_evidence_and_the_columns_behind_it() -> None:
    page = measures_page()
    own = page.split("### Satisfaction (`csat`)", 1)[1].split("\n### ", 1)[0]
    assert "| Danish | Tilfredshed |" in own
    assert "| formula | `good / (good + bad)` |" in own
    assert "| minimum evidence | 3 ratings |" in own
    computed = next(line for line in own.splitlines() if line.startswith("| computed from"))
    assert "`ticket.csat`" in computed
    assert "ticket.created_at" not in own


def test_every_measure_stands_once_under_its_side() -> None:
    page = measures_page()
    for name in measures():
        assert page.count(f"(`{name}`)") == 1, name


# --- tables ----------------------------------------------------------------------------------------------------------


def test_a_table_shows_its_grain_description_sources_and_columns() -> None:
    page = tables_page([TICKET, ACCOUNT])
    assert (
        "### `mart.account`\n\nThe companies.\n\nOne row per `account_id`.\n\nReads `canonical.account`, "
        "`canonical.person`.\n\n| column | what it holds |\n| --- | --- |\n| `account_id` | id in the CRM |\n"
    ) in page
    assert "One row per `id`, `month`.\n\n|" in page


def test_schemas_for_people_come_before_the_inner_ones() -> None:
    page = tables_page([TICKET, ACCOUNT])
    assert re.findall(r"## Schema `(\w+)`", page) == ["mart", "value"]


def test_a_bar_or_line_break_in_a_description_does_not_break_the_table() -> None:
    assert "| `status` | active \\| churned |" in tables_page([ACCOUNT])


def test_every_table_of_the_warehouse_is_described_column_by_column() -> None:
    models = [*find_models(), *declared_tables()]
    page = tables_page(models)
    for model in models:
        entry = page.split(f"### `{model.table}`")[1].split("\n### ")[0]
        assert all(f"| `{column}` |" in entry for column in model.columns), model.table


# --- exports ---------------------------------------------------------------------------------------------------------


def test_a_system_says_its_folder_kind_and_what_must_be_configured() -> None:
    page = exports_page({"desk": DESK})
    assert "## A helpdesk" in page
    assert "| folder | `inbox/desk/` |" in page
    assert "| time zone of times without one | `systems.desk.timezone` must say it |" in page
    assert "| currency of amounts without one | none, or `systems.desk.currency` |" in page
    assert "https://desk.example/docs" in page


def test_a_time_zone_is_the_contracts_or_the_projects() -> None:
    def shown(zone: str) -> str:
        page = exports_page({"desk": DESK.model_copy(update={"timezone": zone})})
        return page.split("| time zone of times without one | ")[1].split(" |")[0]

    assert shown("Europe/Copenhagen") == "Europe/Copenhagen"
    assert shown("project") == "the project's `timezone`"


def test_an_entity_says_how_it_is_recognised_and_which_header_feeds_which_column() -> None:
    ticket = exports_page({"desk": DESK}).split("### `ticket`")[1].split("### `invoice`")[0]
    assert 'JSON, recognised by the wrapper `{"ticket": ...}`. Scope of a file: window.' in ticket
    assert "Closed tickets never change." in ticket
    assert "| `source_id` | `id` | text, required |" in ticket
    assert "| `created_at` | `created_at`, else `opened` | timestamp `iso` |" in ticket
    assert "| `kind` (input only) | `kind` | text |" in ticket
    assert "| `priority` | `lower(kind)` | text |" in ticket
    assert "| `channel` | always `web` | text |" in ticket
    assert "Only where `kind is not null`." in ticket
    assert "Fills `ticket_comment`, one row per element of `comments`:" in ticket


def test_what_an_export_cannot_give_is_listed() -> None:
    invoice = exports_page({"desk": DESK}).split("### `invoice`")[1]
    assert "CSV or XLSX, recognised by the headers `Number`, `Net`." in invoice
    assert "| `net` | `Net` | money in minor units |" in invoice
    limits = invoice.split("Not in this export: ")[1].split(". Measures")[0]
    assert "`due_on`" in limits
    assert "`net`" not in limits


# --- configuration ---------------------------------------------------------------------------------------------------


def test_every_key_has_a_type_default_and_meaning() -> None:
    keys = {key: facts for key, *facts in configuration_keys(Settings)}
    assert keys["limits.threads"] == ["whole number", "`2`", "DuckDB's threads"]
    assert keys["currency"][:2] == ["text", '`"DKK"`']
    assert keys["as_of"][:2] == ["date", "unset"]
    assert keys["systems.<system>.scope"][:2] == ["`full`, `window`, `delta`", "unset"]
    assert keys["shared_domains"][:2] == ["list of text", "empty"]
    for key, (kind, default, meaning) in keys.items():
        assert kind, key
        assert default, key
        assert meaning, key


def test_a_default_that_the_page_shows_is_the_default_that_a_project_gets() -> None:
    settings = Settings.model_validate({})
    for key, _, default, _ in configuration_keys(Settings):
        if "<" in key:
            continue
        value: object = settings
        for part in key.split("."):
            value = getattr(value, part)
        shown = {"unset": None, "empty": ""}.get(default, default.strip("`").strip('"'))
        assert (str(value) if value not in (None, [], {}) else value or "") == (shown or ""), key


def test_the_page_lists_each_key_once() -> None:
    keys = [key for key, *_ in configuration_keys(Settings)]
    assert len(keys) == len(set(keys))
    page = configuration_page()
    assert all(page.count(f"| `{key}` |") == 1 for key in keys)


# --- comments inside the database ------------------------------------------------------------------------------------


def _commented(description: str, column: str) -> tuple[str, str]:
    """What the database then says of the table and of its column."""
    model = Model("mart", "odd name", ("key",), description, {"key": column}, frozenset(), "", Path("x.sql"))
    with duckdb.connect() as connection:
        connection.execute('create schema mart; create table mart."odd name" (key integer)')
        comment(connection, [model])
        table = connection.execute("select comment from duckdb_tables()").fetchone()
        key = connection.execute("select comment from duckdb_columns() where not internal").fetchone()
    assert table is not None
    assert key is not None
    return str(table[0]), str(key[0])


def test_the_database_explains_its_tables_and_columns() -> None:
    assert _commented("It's a table.", "the customer's key; -- not a comment") == (
        "It's a table. One row per key.",
        "the customer's key; -- not a comment",
    )


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_description_arrives_as_it_is(text: str) -> None:
    assert _commented("", text)[1] == text


def test_a_column_that_the_table_lacks_is_an_error() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema mart; create table mart.account (account_id varchar)")
        with pytest.raises(duckdb.Error, match="status"):
            comment(connection, [ACCOUNT])


def test_declared_tables_have_a_type_and_a_description_for_each_column() -> None:
    for model in declared_tables():
        assert model.types.keys() == model.columns.keys(), model.table
        assert all(model.columns.values()), model.table


EXAMPLES = {name: facts["example"] for name, facts in measures().items()}


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if " = " in example])
def test_the_example_of_a_measure_comes_out_as_it_says(name: str) -> None:
    expression, value = EXAMPLES[name].rsplit(": ", 1)[1].split(" = ")
    written = expression.replace(",", "").replace(";", ",")
    assert re.fullmatch(r"[0-9+*/().,\- ]*", re.sub("sqrt|min|max", "", written))
    found = eval(written, {"__builtins__": {}, "sqrt": math.sqrt, "min": min, "max": max})
    assert found == pytest.approx(float(value.replace(",", "")), abs=0.005)


def test_only_medians_have_an_example_in_words() -> None:
    assert {name for name, example in EXAMPLES.items() if " = " not in example} == {
        "first_response",
        "first_response_business",
        "full_resolution",
        "full_resolution_business",
    }
