"""Contracts: what a YAML may say, and what is wrong with one that cannot be read."""

from __future__ import annotations

import csv
import datetime as dt
from itertools import combinations
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse import cells, expressions
from warehouse.contracts import KEY_COLUMNS, SHIPPED, Column, alike_formats, load_contracts, staged_tables
from warehouse.errors import ConfigurationError
from warehouse.headers import Headers, exact, loose

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
        (
            "{from: id}",
            "{from: id}\n          due_on: {from: due, type: date, format: ['%d-%m-%Y', '%m-%d-%Y']}",
            "columns.due_on: Value error, a text may fit both %d-%m-%Y and %m-%d-%Y and mean two days",
        ),
        ("{from: id}", "{from: id, extract: '[0-9]+'}", "extract needs a pattern with exactly one group"),
        ("{from: id}", "{from: id, extract: '([0-9]+)-([0-9]+)'}", "extract needs a pattern with exactly one group"),
        ("{from: id}", "{from: id, count_in: number}", "give exactly one of from, sql, value, count_in"),
        ("{from: id}", "{value: 1, sql: '1'}", "give exactly one of from, sql, value, count_in"),
        ("{from: id}", "{required: true}", "give exactly one of from, sql, value, count_in"),
        (
            "{from: id}",
            "{from: id}\n          terms_days: {count_in: number}",
            "tables.invoice: columns.terms_days: count_in names 'number', which is no column with `from`",
        ),
        (
            "{from: id}",
            "{from: id}\n          number: {sql: source_id}\n          terms_days: {count_in: number}",
            "tables.invoice: columns.terms_days: count_in names 'number', which is no column with `from`",
        ),
        (
            "{from: id}",
            "{from: id}\n      invoice_line:\n        part_of: invoice\n        columns: {source_id: {from: line}}",
            "tables.invoice_line: part_of: invoice_source_id, which says of which record a row is a part, is missing",
        ),
        (
            "{from: id}",
            "{from: id}\n      ticket_comment:\n        part_of: ticket\n"
            "        columns: {source_id: {from: line}, ticket_source_id: {from: id}}",
            "tables.ticket_comment: part_of: the entity has no table ticket",
        ),
        ("headers: [id]", "headers: [id]}\n    dialect: {title_lines: -1", "title_lines: Input should be greater than"),
        (
            "kind: billing",
            "kind: billing\nlocale: dk",
            "'dk' is no known locale; known are da, de, es, sv, en_GB, en_US",
        ),
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
    conditions = [text for text in (declared.where, declared.totals) if text]
    texts = [column.sql for column in declared.columns.values() if column.sql] + conditions
    for text in texts:
        expressions.check(text, declared.columns)
    # A text that only `forget` reads is named in `texts`.
    helpers = {
        name.lower()
        for name, column in declared.columns.items()
        if column.helper and not set(column.source) <= set(declared.texts)
    }
    counted = {column.count_in.lower() for column in declared.columns.values() if column.count_in}
    read = counted.union(*map(expressions.columns_of, texts))
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
        for system in ("goals", "activities", "events", "usage", "fx", "surveys")
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


def test_a_contract_may_say_of_what_its_rows_are_parts_and_count_them(tmp_path: Path) -> None:
    columns = "{source_id: {from: line}, invoice_source_id: {from: id}, line_no: {count_in: invoice_source_id}}"
    load(tmp_path, f"{SHOP}      invoice_line: {{part_of: invoice, columns: {columns}}}\n")
    table = load_contracts([tmp_path])["shop"].entities["bill"].tables["invoice_line"]
    assert (table.part_of, table.columns["line_no"].count_in) == ("invoice", "invoice_source_id")


def test_a_pattern_that_is_none_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"shop\.yml is no valid contract: .*columns\.source_id"):
        load(tmp_path, SHOP.replace("{from: id}", "{from: id, extract: '(abc'}"))


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ("%d-%m-%Y", "%m-%d-%Y", True),
        ("%d/%m/%y", "%y/%m/%d", True),
        ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", True),
        ("%-d.%-m.%Y", "%-m.%-d.%Y", True),
        ("%d-%m-%Y %H:%M", "%d-%m-%Y %I:%M", True),
        # What parts the numbers, or how many there are, tells these apart.
        ("%d-%m-%Y", "%d/%m/%Y", False),
        ("%d-%m-%Y", "%m/%d/%Y", False),
        ("%d-%m-%Y", "%Y-%m-%d", False),
        ("%d/%m/%Y", "%d/%m/%y", False),
        ("%d/%b/%y", "%b/%d/%y", False),
        ("%d-%m-%Y", "%d-%m-%Y %H:%M", False),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", False),
        ("iso", "unix", False),
        # The same twice is one meaning.
        ("%d-%m-%Y", "%d-%m-%Y", False),
    ],
)
def test_two_patterns_are_alike_when_one_text_may_mean_two_days(one: str, other: str, are_alike: bool) -> None:
    assert (alike_formats([one, other]) is not None) == are_alike
    assert (alike_formats(["iso", other, "unix", one]) is not None) == are_alike


def test_patterns_that_are_not_alike_never_read_one_text_as_two_days() -> None:
    """Every pair of patterns that vendors use, on texts that each of them writes."""
    patterns = [
        "%d-%m-%Y", "%m-%d-%Y", "%Y-%m-%d", "%Y-%d-%m", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d/%m/%Y", "%d.%m.%Y",
        "%d/%b/%y", "%b/%d/%y", "%d. %B %Y", "%B %d, %Y",
    ]  # fmt: skip
    days = [dt.date(2001 + number % 12, number % 12 + 1, 1 + number * 5 % 28) for number in range(60)]
    texts = sorted({day.strftime(pattern) for day in days for pattern in patterns})
    read = {pattern: dict(zip(texts, days_of(pattern, texts), strict=True)) for pattern in patterns}
    for one, other in combinations(patterns, 2):
        both = [
            text for text in texts if read[one][text] and read[other][text] and read[one][text] != read[other][text]
        ]
        assert bool(both) == (alike_formats([one, other]) is not None), (one, other, both[:3])


def days_of(pattern: str, texts: list[str]) -> list[dt.date | None]:
    column = Column.model_validate({"from": "x", "type": "date", "format": pattern})
    sql = cells.value(column, "date", "text", cells.Place("UTC", "UTC"))
    rows = duckdb.execute(
        f"select {sql} from (select unnest(?::varchar[]) as text, unnest(range(?)) as place) order by place",
        [texts, len(texts)],
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("headers", "aliases", "found"),
    [
        # One spelt exactly so goes before one that is only much like it.
        (["CompanyName", "Company Name"], ["Company Name"], "Company Name"),
        (["Company Name", "CompanyName"], ["companyname"], "CompanyName"),
        # The first alias that is there wins, however it is spelt, and wherever its header stands.
        (["Navn", "Kundenavn"], ["Kundenavn", "Navn"], "Kundenavn"),
        (["Name", "company_name"], ["Company Name", "Name"], "company_name"),
        (["Name"], ["Company Name", "Name"], "Name"),
        # Case, blanks, signs and the underscore of connectors do not tell headers apart.
        (["*ContactName"], ["ContactName"], "*ContactName"),
        (["contact_name"], ["Contact Name"], "contact_name"),
        ([" CONTACT NAME "], ["ContactName"], " CONTACT NAME "),
        (["Fakturanr."], ["Fakturanr"], "Fakturanr."),
        (["BELØB"], ["Beløb"], "BELØB"),
        (["Custom field (Epic Link)"], ["Custom field (Epic Link)"], "Custom field (Epic Link)"),
        # Letters do.
        (["Belob"], ["Beløb"], None),
        (["Names"], ["Name"], None),
        (["Name 2"], ["Name"], None),
        # A header of signs alone is itself only.
        (["#"], ["#"], "#"),
        (["#", "%"], ["%"], "%"),
        (["#"], ["%"], None),
        # Of two alike the first.
        (["Id", "ID"], ["id"], "Id"),
        ([], ["id"], None),
        (["id"], [], None),
    ],
)
def test_a_header_is_found_by_the_first_of_its_spellings(
    headers: list[str], aliases: list[str], found: str | None
) -> None:
    assert Headers(headers).find(aliases) == found


NAMES = st.text("aB _-*.#", min_size=1, max_size=5)


@given(st.lists(NAMES, max_size=5), st.lists(NAMES, max_size=3))
def test_what_is_found_is_a_header_that_one_alias_names_and_no_earlier_alias_names_any(
    headers: list[str], aliases: list[str]
) -> None:
    found = Headers(headers).find(aliases)
    named = [[name for name in headers if loose(name) == loose(alias)] for alias in aliases]
    expected = next((names for names in named if names), [])
    assert (found in expected) if expected else (found is None)
    for alias in aliases[: next((place for place, names in enumerate(named) if names), 0) + 1]:
        spelt = [name for name in headers if exact(name) == exact(alias)]
        assert not spelt or found == spelt[0]
