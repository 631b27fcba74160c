"""From a measure down to the columns of the exports; what both sides read stops the build or silences the measure."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.lake import contract, project, staged, write_csv, write_json
from tests.tables import Example
from transforms.contrast.protocol import Protocol
from warehouse import build, expressions, lineage, shared_columns
from warehouse.contracts import SHIPPED, Table, load_contracts
from warehouse.errors import ConfigurationError
from warehouse.lineage import Firewall, Lineage, Trace
from warehouse.models import TRANSFORMS, Model, read_model

MakeExample = Callable[..., Example]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the models that may be changed."""
    return Path(shutil.copytree(TRANSFORMS, tmp_path / "transforms"))


def models(folder: Path, **texts: str) -> list[Model]:
    """Models `schema__name` of one SELECT each; the columns need no comment here."""
    made = []
    for name, sql in texts.items():
        schema, table = name.split("__")
        path = folder / f"{table}.sql"
        path.write_text(f"-- grain: account_id\n{sql}\n", encoding="utf-8")
        made.append(read_model(path, schema))
    return made


def traced(folder: Path, **texts: str) -> Mapping[str, Trace]:
    return Lineage(models(folder, **texts), Firewall.load()).of_measure("m")


def test_the_shipped_models_share_no_column_between_style_and_value() -> None:
    assert [str(leak) for leak in lineage.leaks()] == []


def test_every_measure_of_a_score_rests_on_some_column_of_its_own_side() -> None:
    for side, measures in lineage.bound().items():
        assert measures, side
        for measure_id, own in measures.items():
            assert own, measure_id


def test_every_outcome_of_the_contrast_stands_on_the_side_of_value() -> None:
    scores = {"mutual_value", "supplier_value", "customer_value", "balance", "tilt"}
    assert {outcome.name for outcome in Protocol.load([]).outcomes} - scores <= lineage.bound()["value"].keys()


def test_a_column_is_traced_through_common_table_expressions_and_models(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        canonical__ticket="select source_id as account_id, -- a\n    csat / 5 as rating -- b\nfrom staged.ticket",
        value__m=(
            "with rated as (select account_id, rating from canonical.ticket)\n"
            "select account_id, -- a\n    avg(rating) as raw_value -- b\nfrom rated group by account_id"
        ),
    )
    path = ("value.m.raw_value", "canonical.ticket.rating", "ticket.csat")
    assert found["ticket.csat"] == Trace("value", path)


def test_a_column_by_which_rows_are_chosen_or_matched_is_read_too(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        value__m=(
            "select ticket.source_id as account_id, -- a\n    count(*) as raw_value -- b\n"
            "from staged.ticket as ticket join staged.person as person on person.email = ticket.requester_email\n"
            "where ticket.priority = 'high' group by ticket.source_id having max(ticket.effort_min) > 1"
        ),
    )
    uses = {column: trace.use for column, trace in found.items()}
    assert uses == {
        "ticket.source_id": "filter",
        "ticket.priority": "filter",
        "ticket.effort_min": "filter",
        "ticket.requester_email": "join",
        "person.email": "join",
    }


def test_a_left_join_is_read_only_where_a_column_of_it_is(tmp_path: Path) -> None:
    sql = (
        "select ticket.source_id as account_id, -- a\n    {} as raw_value -- b\nfrom staged.ticket as ticket\n"
        "left join (select email, title from staged.person where side = 'customer') as person "
        "on person.email = ticket.requester_email"
    )
    assert set(traced(tmp_path, value__m=sql.format("ticket.csat"))) == {"ticket.csat"}
    found = traced(tmp_path, value__m=sql.format("max(person.title)"))
    assert {column: trace.use for column, trace in found.items()} == {
        "person.title": "value",
        "person.side": "filter",
        "person.email": "join",
        "ticket.requester_email": "join",
    }


def test_both_branches_of_a_union_and_a_subquery_are_read(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        style__m=(
            "with every as (\n    select source_id, subject as word from staged.ticket\n    union all\n"
            "    select source_id, title from staged.goal\n)\n"
            "select source_id as account_id, -- a\n    word as raw_value -- b\nfrom every\n"
            "where source_id in (select source_id from staged.plan where status = 'open')"
        ),
    )
    assert {"ticket.subject", "goal.title", "plan.status"} <= set(found)


def test_a_measure_without_a_model_of_its_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="measure m: there is no model style/m"):
        traced(tmp_path, value__other="select source_id as account_id -- a\nfrom staged.ticket")


def rewritten(root: Path, model: str, condition: str) -> Path:
    """A measure that counts tickets under a condition, in the place of a shipped one."""
    columns = "\n    ".join(
        f"{value} as {name}{',' if name != 'raw_error' else ''} -- it"
        for name, value in {
            "account_id": "account_id", "month": "month", "numerator": "1.0", "denominator": "1.0", "n": "1",
            "raw_value": "count(*)", "raw_error": "0.0",
        }.items()
    )  # fmt: skip
    (root / f"{model}.sql").write_text(
        f"-- grain: account_id, month\nselect\n    {columns}\nfrom canonical.ticket as ticket\n"
        f"where {condition}\ngroup by account_id, month\n",
        encoding="utf-8",
    )
    return root


def test_a_leak_in_a_model_stops_the_build_and_names_the_column_and_both_paths(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = rewritten(root, "style/dispute_rate", "ticket.solved_at is null")
    monkeypatch.setattr(build, "ensure_sealed", partial(lineage.ensure_sealed, leaky))
    with pytest.raises(ConfigurationError) as error:
        build.start(tmp_path / "build", project(tmp_path), {}, dt.date(2026, 6, 30))
    message = str(error.value)
    assert "ticket.solved_at feeds dispute_rate (style.dispute_rate" in message
    assert "< canonical.ticket.solved_at < ticket.solved_at)" in message
    assert "and full_resolution (value.full_resolution" in message
    assert not (tmp_path / "build").exists()


def test_a_measure_that_enters_no_score_may_share_columns(root: Path) -> None:
    catalogue = root / "measures.yml"
    measures = yaml.safe_load(catalogue.read_text(encoding="utf-8"))
    measures["dispute_rate"]["part"] = "none"
    catalogue.write_text(yaml.safe_dump(measures), encoding="utf-8")
    assert lineage.leaks(rewritten(root, "style/dispute_rate", "ticket.solved_at is null")) == []


def test_the_state_of_a_record_may_say_that_it_is_none_but_not_feed_a_measure(root: Path) -> None:
    rewritten(root, "style/dispute_rate", "ticket.status = 'open'")
    assert lineage.leaks(root) == []
    copy = Path(shutil.copytree(root, root.parent / "both"))
    rewritten(copy, "value/csat", "ticket.status <> 'open'")
    assert {leak.column for leak in lineage.leaks(copy)} == {"ticket.status"}


# What contracts and projects map ---------------------------------------------------------------------------------------


def _origins(table: Table, name: str, above: frozenset[str] = frozenset()) -> set[str]:
    """All headers or paths that a contract's column may be read from."""
    column = table.columns[name]
    if column.source:
        each = table.each[0] if table.each else ""
        return {
            path.removeprefix("^.") if path.startswith("^.") or not each else f"{each}[].{path}"
            for path in column.source
        }
    read = expressions.columns_of(column.sql) if column.sql is not None else {column.count_in}
    inner = [each for each in table.columns if each.lower() in read and each not in {*above, name}]
    return {origin for each in inner for origin in _origins(table, each, above | {name})}


def test_no_shipped_contract_reads_one_column_of_an_export_on_both_sides() -> None:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for system, each in load_contracts([SHIPPED]).items():
        for entity_name, entity in each.entities.items():
            for table_name, table in entity.tables.items():
                for name in (name for name, column in table.columns.items() if not column.helper):
                    for origin in _origins(table, name):
                        found[system, entity_name, origin].add(f"{table_name}.{name}")
    assert shared_columns.leaks({key: frozenset(columns) for key, columns in found.items()}) == []


TICKET = {
    "source_id": {"from": "id", "required": True},
    "created_at": {"from": "opened", "type": "timestamp", "format": "iso"},
    "mood": {"from": "Mood", "helper": True},
    "csat": {"sql": "try_cast(mood as double)"},
}


def leaks_of(folder: Path, **settings: object) -> list[tuple[object, ...]]:
    """(measure, style measure, column of the export, style column, value column) in a project with one helpdesk."""
    here = project(folder, **settings)
    write_csv(here, "desk", "records", ["id", "opened", "Mood"], [["1", "2026-06-01 10:00:00", "1"]])
    connection = staged(here, contract("desk", {"ticket": {"columns": TICKET}}))
    return connection.execute(
        "select measure_id, style_measure_id, source_column, style_column, value_column from setting.leak"
    ).fetchall()


def test_a_mapping_that_reads_one_column_into_both_sides_is_found(tmp_path: Path) -> None:
    assert leaks_of(tmp_path / "apart") == []
    own = {"desk": {"columns": {"ticket": {"subject": "Mood"}}}}
    found = leaks_of(tmp_path / "mixed", systems=own)
    assert ("csat", "price_pressure", "Mood", "ticket.subject", "ticket.csat") in found
    assert {row[0] for row in found} == {"csat"}


def test_a_date_of_the_event_may_be_read_into_both(tmp_path: Path) -> None:
    own = {"desk": {"columns": {"ticket": {"first_response_at": "opened"}}}}
    assert leaks_of(tmp_path, systems=own) == []


def test_a_path_of_json_inside_a_list_is_told_from_the_same_name_above_it(tmp_path: Path) -> None:
    tables = {
        "ticket": {"columns": {"source_id": {"from": "id"}, "csat": {"from": "mood", "type": "number"}}},
        "ticket_comment": {
            "each": "parts",
            "columns": {
                "source_id": {"from": "id"},
                "ticket_source_id": {"from": "^.id"},
                "author_side": {"from": "mood"},
            },
        },
    }
    here = project(tmp_path)
    write_json(here, "desk", "records", [{"id": "1", "mood": 1, "parts": [{"id": "2", "mood": "x"}]}])
    own = contract("desk", tables, format="json", recognise={"fields": ["id"]})
    assert staged(here, own).execute("select * from setting.leak").fetchall() == []
    tables["ticket_comment"]["columns"]["author_side"] = {"from": "^.mood"}  # type: ignore[index]
    mixed = contract("desk", tables, format="json", recognise={"fields": ["id"]})
    found = staged(here, mixed).execute("select distinct measure_id, source_column from setting.leak").fetchall()
    assert found == [("csat", "mood")]


def test_a_measure_of_value_that_shares_a_column_is_null_with_the_reason_and_the_rest_goes_on(
    example: MakeExample,
) -> None:
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2024-01-01")
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    rows = "\n".join(f"desk | t{day} | o1 | solved | 2026-05-{day:02} 10:00 | 10 | 1" for day in range(1, 7))
    world.put(
        "ticket",
        f"source_system | source_id | source_account_id | status | created_at | first_response_min | csat\n{rows}",
    )
    world.put(
        "ticket",
        "source_system | source_id | source_account_id | status | created_at\ndesk | t0 | o1 | solved | 2024-01-02 10:00",
    )
    world.engine.execute("insert into setting.leak (measure_id, style_measure_id) values ('csat', 'price_pressure')")
    world.run("mart.account_month_measure")
    found = world.rows(
        "select measure_id, status, reason, value is null from mart.account_month_measure "
        "where month = '2026-06-01' and measure_id in ('csat', 'first_response') order by measure_id"
    )
    assert found == [("csat", "null", "firewall_shared_column", True), ("first_response", "ok", None, False)]
