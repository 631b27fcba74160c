"""Contracts: what a YAML may say, and what is wrong with one that cannot be read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from warehouse import expressions
from warehouse.contracts import KEY_COLUMNS, SHIPPED, Column, load_contracts, staged_tables
from warehouse.errors import ConfigurationError

SHOP = """
system: shop
title: Shop
kind: billing
entities:
  bill:
    recognise: {headers: [id]}
    tables:
      invoice:
        columns:
          source_id: {from: id}
"""


def load(folder: Path, text: str) -> None:
    (folder / "shop.yml").write_text(text, encoding="utf-8")
    load_contracts([folder])


def test_a_projects_contract_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(SHOP.replace("system: shop", "system: stripe"), encoding="utf-8")
    contracts = load_contracts([SHIPPED, tmp_path])
    assert list(contracts["stripe"].entities) == ["bill"]
    assert "salesforce" in contracts


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("system: shop", "system: My Shop", "system: String should match pattern"),
        ("kind: billing", "kind: cash register", "kind: Input should be 'crm', 'helpdesk', 'billing' or 'other'"),
        ("kind: billing", "kind: billing\ntimezone: Copenhagen", "'Copenhagen' is not an IANA time zone"),
        ("headers: [id]", "headers: [id], wrapper: bill", "give exactly one of headers, wrapper, object, fields"),
        ("      invoice:", "      invoices:", "there is no such table; the tables are account, person"),
        ("source_id: {from: id}", "id: {from: id}", "columns.id: the table has no such column"),
        ("source_id: {from: id}", "net: {from: id}", "source_id, the record's own key, is missing"),
        ("{from: id}", "{from: id, sql: id}", "give exactly one of from, sql, value"),
        ("{from: id}", "{from: id, colour: red}", "columns.source_id.colour: Extra inputs are not permitted"),
        ("{from: id}", "{from: id}\n          due_on: {from: due, type: date}", "dates are never guessed"),
        ("{from: id}", "{from: id}\n          status: {from: s, type: enum}", "an enum needs its map"),
        ("entities:", "entities: [", "is not valid YAML"),
    ],
)
def test_a_contract_with_a_mistake_names_the_file_and_the_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"shop\.yml") as told:
        load(tmp_path, SHOP.replace(old, new))
    assert message in str(told.value)


def test_yaml_words_are_names_in_a_contract(tmp_path: Path) -> None:
    """`null`, `true` and `no` are keys as written; plain YAML would read a nothing and two truth values."""
    column = "{from: s, type: enum, map: {no: closed, 0: open, ~: unknown}, null: ['-'], true: SAND}"
    (tmp_path / "shop.yml").write_text(f"{SHOP}          status: {column}\n", encoding="utf-8")
    status = load_contracts([tmp_path])["shop"].entities["bill"].tables["invoice"].columns["status"]
    assert status.map == {"no": "closed", "0": "open", "~": "unknown"}
    assert status.null == ("-",)
    assert status.true == ("SAND",)


CONTRACTS = load_contracts([SHIPPED])
SHIPPED_COLUMNS = [
    pytest.param(system, entity, table, id=f"{system}.{entity}.{table}")
    for system, contract in CONTRACTS.items()
    for entity, declared in contract.entities.items()
    for table in declared.tables
]


@pytest.mark.parametrize(("system", "entity", "table"), SHIPPED_COLUMNS)
def test_a_shipped_contract_reads_only_what_it_declares(system: str, entity: str, table: str) -> None:
    declared = CONTRACTS[system].entities[entity].tables[table]
    for text in [column.sql for column in declared.columns.values() if column.sql] + [declared.where or "true"]:
        expressions.check(text, declared.columns)
    helpers = {name.lower() for name, column in declared.columns.items() if column.helper}
    read = set().union(
        *(expressions.columns_of(column.sql) for column in declared.columns.values() if column.sql),
        expressions.columns_of(declared.where or "true"),
    )
    assert helpers <= read, f"helpers that nothing reads: {helpers - read}"


@pytest.mark.parametrize(("system", "entity", "table"), SHIPPED_COLUMNS)
def test_a_shipped_enum_maps_to_the_values_that_the_canonical_column_has(system: str, entity: str, table: str) -> None:
    allowed = canonical_values(table)
    for name, column in CONTRACTS[system].entities[entity].tables[table].columns.items():
        if column.type == "enum" and name in allowed:
            assert set(column.map.values()) <= allowed[name] | {"unknown"}, name


def canonical_values(table: str) -> dict[str, set[str]]:
    """The values that staged.yml lists in the comment behind a column."""
    text = (SHIPPED.parent / "canonical" / "staged.yml").read_text(encoding="utf-8")
    section = text.split(f"\n{table}:", 1)[1].split("\n\n", 1)[0]
    found = {}
    for line in section.splitlines():
        column, separator, comment = line.partition("#")
        words = [word.strip() for word in comment.split(",")]
        if separator and len(words) > 1 and all(word.isidentifier() for word in words):
            found[column.split(":")[0].strip()] = set(words)
    return found


def test_the_values_of_canonical_columns_are_found_in_their_comments() -> None:
    assert canonical_values("activity")["kind"] == {"meeting", "call", "email", "note", "task"}


def test_every_shipped_column_names_a_canonical_one() -> None:
    for contract in CONTRACTS.values():
        for entity in contract.entities.values():
            for table, declared in entity.tables.items():
                targets = {name for name, column in declared.columns.items() if not column.helper}
                assert targets <= {*staged_tables()[table], *KEY_COLUMNS}


def test_the_templates_have_exactly_the_headers_that_their_contracts_read() -> None:
    read = {
        frozenset(
            alias for table in entity.tables.values() for column in table.columns.values() for alias in column.source
        )
        for system in ("goals", "activities", "events", "usage", "fx")
        for entity in CONTRACTS[system].entities.values()
    }
    templates = sorted((SHIPPED / "templates").glob("*.csv"))
    written = set()
    for template in templates:
        lines = list(csv.reader(template.read_text(encoding="utf-8").splitlines()))
        assert len(lines) == 1, f"{template.name} is a header and nothing else"
        written.add(frozenset(lines[0]))
    assert written == read


def test_a_column_says_where_it_comes_from_in_one_way() -> None:
    assert Column.model_validate({"from": ["a", "b"]}).source == ("a", "b")
    assert Column.model_validate({"value": 0}).value == 0
    with pytest.raises(ValueError, match="give exactly one"):
        Column.model_validate({})
