"""Export contracts: one YAML per system says which files it delivers and what their columns mean.

A contract is data. It declares dialect, encoding, headers with their aliases, types and formats; nothing in it
is inferred from the rows, because two readers infer differently (`03-04-2024` is 3 April to one, 4 March to another).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import ConfigurationError
from warehouse.locales import Locale
from warehouse.project import Currency, Zone

SHIPPED = Path(__file__).parents[1] / "transforms" / "exports"
STAGED = Path(__file__).parents[1] / "transforms" / "canonical" / "staged.yml"

StagedType = Literal["text", "texts", "integer", "number", "decimal", "rate", "date", "timestamp", "boolean"]


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Dialect(_Strict):
    """How a CSV file is written. Declared, never sniffed."""

    delimiter: str = ","
    quote: str = '"'
    encoding: Names = Field(
        ("utf-8",),
        description="Python codecs: the first that all of the file's bytes fit; a byte-order mark goes before them",
    )
    title_lines: int = Field(
        0, ge=0, le=100, description="lines that may stand above the header, which is known by recognise.headers"
    )
    footer: Names = Field(
        (), description="how a line of the footer begins; the lines of one cell around such a line are the footer"
    )


class Recognise(_Strict):
    """How a file's entity is known from its content, never from its name. Exactly one way is given."""

    headers: tuple[Names, ...] = Field(
        (), description="CSV/XLSX: all of these headers are there; a list within the list is one of several spellings"
    )
    wrapper: str | None = Field(None, description='JSON: each record is {"<wrapper>": {...}}')
    object: str | None = Field(None, description='JSON: each record has "object": "<object>"')
    fields: Names = Field((), description="JSON: each record has all of these paths")

    @model_validator(mode="after")
    def _one_way(self) -> Recognise:
        ways = [name for name in ("headers", "wrapper", "object", "fields") if getattr(self, name)]
        if len(ways) != 1:
            raise ValueError(f"give exactly one of headers, wrapper, object, fields (there are {len(ways)})")
        return self


class Column(_Strict):
    """One canonical column: where it comes from and how its text becomes a value.

    Exactly one of `source` (YAML: `from`), `sql`, `value` and `count_in` is given.
    """

    source: Names = Field(
        (),
        alias="from",
        description="header or JSON path (a.b.c; a[0].b; a[*].b of each item: their list or sum; with `each`: `^.a` is "
        "the parent's, `#` the element's place, `.` the element itself); first present alias wins",
    )
    sql: str | None = Field(None, description="an expression over this table's other columns")
    value: str | int | float | bool | None = Field(None, description="a constant")
    count_in: str | None = Field(
        None, description="CSV: the row's place, from 1, among the file's rows with the same text of that column"
    )
    type: Literal[
        "text", "texts", "integer", "number", "decimal", "money", "rate", "date", "timestamp", "boolean", "enum",
        "duration", "salesforce_id",
    ] = "text"  # fmt: skip
    required: bool = Field(False, description="no value: the row is quarantined; no column: the file is refused")
    helper: bool = Field(False, description="an input of `sql` only, not a column of the canonical table")
    format: Names = Field(
        (),
        description="date, timestamp: strptime pattern, `iso`, `unix` (seconds), `unix_ms`, `locale` (the system's), "
        "or several that no text fits alike; duration: `h:mm`, `hours`, `seconds`, `milliseconds`, else minutes",
    )
    extract: str | None = Field(None, description="RE2 pattern with one group: what of the cell is its text")
    fill_down: bool = Field(False, description="CSV: an empty cell has the text of the nearest one above it")
    timezone: Zone | None = Field(None, description="zone of times that carry none; default the system's")
    map: Mapping[str, str] = Field(default_factory=dict, description="enum: raw text (any case) -> canonical value")
    rest: str | None = Field(
        None,
        description="enum: the value of texts that the map lacks, where each customer makes its own; "
        "without it such a text is `unknown` and in quarantine",
    )
    unit: Literal["major", "minor"] = Field(
        "major", description="money: minor units are divided by the currency's own exponent"
    )
    decimal: str | None = Field(None, max_length=1, description="decimal sign; the locale's, else a point")
    thousands: str | None = Field(None, max_length=1, description="thousands sign; the locale's, else none")
    drop: Names = Field((), description="numbers: texts that are left out of it, such as a currency's sign")
    separator: str | None = Field(None, description="texts: splits one cell; a JSON list needs none")
    true: Names = ("true", "1", "yes")
    false: Names = ("false", "0", "no")
    null: Names = Field((), description="texts that mean `not recorded`, besides the empty cell")

    @model_validator(mode="after")
    def _complete(self) -> Column:
        ways = (bool(self.source), self.sql is not None, self.value is not None, self.count_in is not None)
        if sum(ways) != 1:
            raise ValueError("give exactly one of from, sql, value, count_in")
        if self.source and self.type in ("date", "timestamp") and not self.format:
            raise ValueError("a date or timestamp needs its format: dates are never guessed")
        if self.source and self.type == "enum" and not self.map and self.rest is None:
            raise ValueError("an enum needs its map")
        if self.extract is not None:
            _check_pattern(self.extract)
        alike = alike_formats(self.format)
        if alike:
            raise ValueError(
                f"a text may fit both {alike[0]} and {alike[1]} and mean two days: dates are never guessed"
            )
        return self


@cache
def _check_pattern(pattern: str) -> None:
    """Whether the engine takes the pattern, and it has one group; most patterns stand in a contract several times.

    Raises:
        ValueError: it does not, or has more or fewer.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute("select regexp_extract('', ?, 1)", [pattern])
        groups = re.compile(pattern).groups
    except (duckdb.Error, re.error) as error:
        raise ValueError(f"extract is no pattern that RE2 knows ({error})") from None
    if groups != 1:
        raise ValueError("extract needs a pattern with exactly one group")


_DIRECTIVE = re.compile(r"%-?([A-Za-z])")
# What a directive reads, as a kind of text: two patterns of the same kinds in another order are one to a reader.
_READS = {
    **dict.fromkeys("dmyHIMSj", "n"),
    "Y": "Y",
    **dict.fromkeys("bB", "a"),
    "p": "p",
    "z": "z",
    "f": "n",
    "g": "n",
}


def alike_formats(formats: Sequence[str]) -> tuple[str, str] | None:
    """Two patterns that one text may fit with two meanings, such as `%d-%m-%Y` and `%m-%d-%Y`; None if none do."""
    for place, one in enumerate(formats):
        for other in formats[place + 1 :]:
            if _shape(one) == _shape(other) and _DIRECTIVE.findall(one) != _DIRECTIVE.findall(other):
                return one, other
    return None


def _shape(pattern: str) -> str:
    return _DIRECTIVE.sub(lambda found: _READS.get(found[1], found[1]), pattern)


class Table(_Strict):
    """How one entity's records become rows of one canonical table."""

    columns: dict[str, Column]
    each: Names = Field(
        (),
        description="JSON path of a nested list, or a CSV header that repeats (with its other spellings): one row for "
        "each of its elements",
    )
    where: str | None = Field(
        None, description="an expression over the columns: rows where it is not true are ignored (counted)"
    )
    totals: str | None = Field(
        None, description="an expression over the columns: rows where it is true are group or total rows (counted)"
    )
    once: bool = Field(False, description="the file repeats the record on several rows: the first of each key counts")
    part_of: str | None = Field(
        None,
        description="the table of the same entity whose records these rows are parts of, by "
        "`<table>_source_id`: only those from the file with the record's newest version count",
    )
    names: Names = Field(
        (), description="headers or paths of the names of the record's person, which no table keeps: to forget them"
    )
    texts: Names = Field(
        (), description="headers or paths of what the record's person wrote, which no table keeps: to forget it"
    )


class Entity(_Strict):
    """One kind of file of a system."""

    format: Literal["csv", "json"] = Field(
        "csv", description="csv also means a sheet of XLSX; json means NDJSON or one list"
    )
    recognise: Recognise
    dialect: Dialect = Dialect.model_construct()
    scope: Literal["full", "window", "delta"] = "window"
    tables: dict[str, Table]
    documentation: str = ""


class SystemContract(_Strict):
    """All that is known of one system's exports."""

    system: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    kind: Literal["crm", "helpdesk", "billing", "other"] = Field(
        description="the accounts of a crm are the master accounts"
    )
    timezone: Zone | Literal["project"] | None = Field(
        None,
        description="zone of times that carry none; `project`: the project's own; null: the configuration must say it",
    )
    currency: Currency | None = Field(None, description="currency of amounts that carry none")
    locale: Locale | None = Field(None, description="how numbers and `locale` dates are written")
    limits: Names = Field((), description="what its exports cannot tell, for people")
    documentation: str = ""
    entities: dict[str, Entity]


@cache
def staged_tables() -> Mapping[str, Mapping[str, StagedType]]:
    """The canonical tables that a contract may fill: table -> column -> type."""
    tables: dict[str, dict[str, StagedType]] = yaml.safe_load(STAGED.read_text(encoding="utf-8"))
    return tables


# In every table besides its own columns; a contract gives source_id always, the others where the source has them.
KEY_COLUMNS: Mapping[str, StagedType] = {
    "source_id": "text",
    "source_updated_at": "timestamp",
    "is_deleted": "boolean",
}


def load_contracts(folders: Iterable[Path]) -> dict[str, SystemContract]:
    """Read every *.yml of the folders; a later folder's system replaces an earlier one's.

    Raises:
        ConfigurationError: a file that is no contract, or names a table or column that does not exist.
    """
    contracts: dict[str, SystemContract] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yml")):
            contract = _load(path)
            contracts[contract.system] = contract
    return contracts


# The parser in C reads the shipped contracts ten times as fast; not every build of the library has it.
_Safe: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc, valid-type]  # chosen at run time
    """YAML whose keys are the text as written: `null`, `true`, `no` and `0` are names in a contract, not values."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
        return dict(super().construct_mapping(node, deep=deep))


def _load(path: Path) -> SystemContract:
    try:
        contract = SystemContract.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"{path} is no valid contract: {problems}") from None
    problems_found = _unknown_targets(contract)
    if problems_found:
        raise ConfigurationError(f"{path}: {'; '.join(problems_found)}")
    return contract


def _unknown_targets(contract: SystemContract) -> Sequence[str]:
    """What the contract fills that no canonical table has, and keys that it leaves out."""
    problems = []
    for entity_name, entity in contract.entities.items():
        for table_name, table in entity.tables.items():
            where = f"entities.{entity_name}.tables.{table_name}"
            known = staged_tables().get(table_name)
            if known is None:
                problems.append(f"{where}: there is no such table; the tables are {', '.join(staged_tables())}")
                continue
            targets = {name for name, column in table.columns.items() if not column.helper}
            problems += [
                f"{where}.columns.{name}: the table has no such column (mark an input of `sql` as helper: true)"
                for name in sorted(targets - set(known) - set(KEY_COLUMNS))
            ]
            if "source_id" not in targets:
                problems.append(f"{where}: source_id, the record's own key, is missing")
            problems += [f"{where}: {problem}" for problem in _parts_problems(table, targets, entity)]
    return problems


def _parts_problems(table: Table, targets: Collection[str], entity: Entity) -> Iterator[str]:
    """What is missing for `part_of` and `count_in`."""
    if table.part_of is not None:
        if table.part_of not in entity.tables:
            yield f"part_of: the entity has no table {table.part_of}"
        if f"{table.part_of}_source_id" not in targets:
            yield f"part_of: {table.part_of}_source_id, which says of which record a row is a part, is missing"
    for name, column in table.columns.items():
        if column.count_in is not None and (
            column.count_in not in table.columns or not table.columns[column.count_in].source
        ):
            yield f"columns.{name}: count_in names {column.count_in!r}, which is no column with `from`"
