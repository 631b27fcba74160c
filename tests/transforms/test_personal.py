"""No personal column (transforms/canonical/personal.yml) reaches a table: neither its text nor a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.tables import SQL_TYPES, Example
from warehouse.contracts import KEY_COLUMNS, SHIPPED, load_contracts, staged_tables
from warehouse.personal import paths_read, personal_columns, places

MakeExample = Callable[..., Example]

MARK = "Qvorxzmark"
# What stands in columns that are not personal, so that rows join and filters let them through.
VALUES = {
    "source_id": "1", "source_account_id": "1", "person_source_id": "1", "requester_source_id": "1",
    "author_source_id": "1", "ticket_source_id": "1", "side": "customer", "kind": "call", "status": "held",
    "author_side": "customer", "currency": "DKK",
}  # fmt: skip


@pytest.fixture
def filled(example: MakeExample) -> Example:
    """A warehouse with a row in every staged table, whose personal columns hold marked texts; all its models run."""
    world = example()
    for table, columns in staged_tables().items():
        cells = ", ".join(
            f'cast({_value(table, name, kind)} as {SQL_TYPES[kind]}) as "{name}"'
            for name, kind in {**KEY_COLUMNS, **columns}.items()
        )
        world.engine.execute(
            f"insert into staged.\"{table}\" by name select {cells}, 'crm' as source_system, "
            "timestamp '2026-01-01' as known_at, timestamp '2026-01-01' as landed_at, timestamp '2026-01-01' as drop_at"
        )
    world.engine.execute("insert into audit.file values ('crm', timestamp '2026-01-01')")
    return world.run()


def _value(table: str, name: str, kind: str) -> str:
    personal = personal_columns().get(table)
    if personal and name in personal.email:
        return f"'{MARK}.{name}@firma.example'"
    if personal and name in personal.text:
        return f"'{MARK} rabat klage {name}'"
    texts = {"text": f"'{VALUES.get(name, 'x')}'", "texts": "['x']", "boolean": "false"}
    return texts.get(kind) or {"date": "'2026-03-03'", "timestamp": "'2026-03-03 08:00:00'"}.get(kind, "1")


def test_no_published_table_has_any_of_it(filled: Example) -> None:
    tables = filled.rows(
        "select schema_name, table_name from duckdb_tables() where database_name <> 'staged' and not temporary"
    )
    found: list[str] = []
    rows = 0
    for schema, table in tables:
        for row in filled.rows(f'select * from "{schema}"."{table}"'):
            rows += schema == "canonical"
            found += [f"{schema}.{table}" for cell in row if MARK.lower() in str(cell).lower()]
    assert rows > 15, "the rows came through"
    assert found == []


def test_the_marked_texts_were_read_by_the_lexicon(filled: Example) -> None:
    assert filled.rows("select count(*) > 0 from canonical.signal") == [(True,)]


def _declared() -> list[tuple[str, str, Any, Any]]:
    return [
        (f"{system}.{name}", table_name, entity, table)
        for system, contract in load_contracts([SHIPPED]).items()
        for name, entity in contract.entities.items()
        for table_name, table in entity.tables.items()
    ]


# Whose exports have no name of a person: an address or a name is all that they tell of one, and it is the key.
NAMELESS = {"activities.activity"}


def test_every_contract_of_people_says_where_their_names_are() -> None:
    people = [
        (where, table.names)
        for where, name, entity, table in _declared()
        if name == "person" and next(iter(entity.tables)) == "person"
    ]
    assert [where for where, names in people if not names and where not in NAMELESS] == []


def test_every_contract_of_comments_says_where_their_texts_are() -> None:
    comments = [(where, places(name, table)) for where, name, _, table in _declared() if name == "ticket_comment"]
    assert [where for where, found in comments if not found.texts] == []


def test_no_model_reads_a_header_that_only_forget_knows() -> None:
    """Otherwise the person's own record, of which all but what models read is replaced, would keep it."""
    unread = [
        (where, header)
        for where, name, entity, table in _declared()
        if name == "person" and next(iter(entity.tables)) == "person"
        for header in table.names
        if header in paths_read(entity)
    ]
    assert unread == []
