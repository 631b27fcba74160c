"""How one table is read from lake files of one shape: a plan, and the SQL that follows from it.

A plan is made before any row is read, so that a contract's mistakes are told before the night's work. Its query has
levels: the texts as they came, the values of single texts, money (which needs its row's currency), then the contract's
own expressions, each after those that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from warehouse import cells, expressions
from warehouse.cells import SQL_TYPES, Place
from warehouse.contracts import (
    KEY_COLUMNS,
    Column,
    Entity,
    StagedType,
    SystemContract,
    Table,
    alike_formats,
    staged_tables,
)
from warehouse.engine import literal, quoted
from warehouse.errors import ConfigurationError
from warehouse.json_paths import each_item
from warehouse.locales import Spelling, locales
from warehouse.project import Project, SystemSettings
from warehouse.recognition import headers_read
from warehouse.sources import LakeFile

# What a contract's type may fill. A number never fills an amount: it has been through binary floating point.
_FITS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "texts": frozenset({"texts"}),
    "integer": frozenset({"integer", "number", "decimal"}),
    "number": frozenset({"number"}),
    "decimal": frozenset({"decimal", "number"}),
    "money": frozenset({"decimal", "number"}),
    "rate": frozenset({"rate", "number"}),
    "date": frozenset({"date", "timestamp"}),
    "timestamp": frozenset({"date", "timestamp"}),
    "boolean": frozenset({"boolean"}),
    "enum": frozenset({"text", "boolean"}),
    "duration": frozenset({"number"}),
    "salesforce_id": frozenset({"text"}),
}
_NUMBERS = ("integer", "number", "decimal", "money", "rate", "duration")
_AMOUNTS = ("money", "decimal")
_LISTABLE = ("integer", "number", "decimal", "money", "texts")
_LEVEL_OF_VALUES = 1
_LEVEL_OF_MONEY = 2
# The mask is a 64-bit integer.
_MOST_CHECKS = 64


@dataclass(frozen=True)
class Check:
    """What may be wrong with one column of a row: `condition` is SQL over the plan's last level."""

    column: str
    rule: str
    severity: str
    condition: str
    raw: str = "null"


@dataclass(frozen=True)
class Field:
    """One column of the plan: SQL of its text (None: it has none of its own) and of its value, and at which level.

    `read` is what the text says, as a column of its own, where the value takes more than that: an amount its currency,
    a duration its sign. `counts` is the column whose text the row's place is counted in.
    """

    name: str
    sql: str
    level: int
    text: str | None = None
    read: str | None = None
    checks: tuple[Check, ...] = ()
    counts: str | None = None


@dataclass(frozen=True)
class Source:
    """One table of one entity, as its contract and the project's settings declare it."""

    contract: SystemContract
    entity_name: str
    table_name: str
    settings: SystemSettings
    project_zone: str

    @property
    def entity(self) -> Entity:
        return self.contract.entities[self.entity_name]

    @property
    def table(self) -> Table:
        return self.entity.tables[self.table_name]

    @property
    def is_first(self) -> bool:
        """The entity's first table decides whether a record counts as loaded."""
        return next(iter(self.entity.tables)) == self.table_name

    @property
    def scope(self) -> str:
        return self.settings.scope or self.entity.scope

    @property
    def currency(self) -> str | None:
        """The currency of amounts that carry none."""
        return self.contract.currency or self.settings.currency

    @property
    def types(self) -> Mapping[str, StagedType]:
        return {**KEY_COLUMNS, **staged_tables()[self.table_name]}

    @property
    def where(self) -> str:
        """Where a message says the contract is."""
        return f"contract {self.contract.system}: entities.{self.entity_name}.tables.{self.table_name}"

    @property
    def locale(self) -> Spelling | None:
        """How its numbers and days are written, where contract or configuration says it."""
        name = self.settings.locale or self.contract.locale
        return locales()[name] if name else None

    def zone(self, column: Column) -> str | None:
        own = self.project_zone if self.contract.timezone == "project" else self.contract.timezone
        return column.timezone or own or self.settings.timezone


@dataclass(frozen=True)
class Plan:
    """One source read from files of one shape; `number` tells its rows apart while they are staged.

    `is_tried`: a text broke an expression of the contract, so each is tried row by row (`Column.sql`, `where`).
    """

    number: int
    source: Source
    files: tuple[LakeFile, ...]
    columns: Mapping[str, Column]
    fields: tuple[Field, ...]
    present: frozenset[str]
    is_tried: bool = False

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(check for each in self.fields for check in each.checks)

    @property
    def has_windows(self) -> bool:
        """Some column of a row is read from other rows of its file."""
        return any(column.fill_down or column.count_in is not None for column in self.columns.values())

    @property
    def lacks_currency(self) -> bool:
        """Amounts whose currency neither the files, the contract nor the configuration says."""
        said = self.source.currency or "currency" in self.present
        return _has_amounts(self.columns) and "currency" in self.source.types and not said


def make_plan(number: int, source: Source, files: Sequence[LakeFile], *, is_tried: bool = False) -> Plan:
    """Plan one table from files of one shape.

    Raises:
        ConfigurationError: the contract or the project's own columns do not fit the table.
    """
    columns = _columns(source, files[0])
    fields = tuple(_in_levels(source, columns, files[0], is_tried))
    present = _present(columns, files[0], source.table.each)
    plan = Plan(number, source, tuple(files), columns, fields, present, is_tried)
    if len(plan.checks) > _MOST_CHECKS:
        raise ConfigurationError(f"{source.where}: more than {_MOST_CHECKS} things to check; leave out helper columns")
    if source.table.each and source.is_first:
        raise ConfigurationError(f"{source.where}: the first table has a row for each record, so it has no `each`")
    if plan.has_windows and (source.entity.format == "json" or source.table.each):
        raise ConfigurationError(f"{source.where}: fill_down and count_in are for the rows of a CSV")
    return plan


def source_of(contract: SystemContract, entity: str, table: str, project: Project) -> Source:
    settings = project.settings.systems.get(contract.system, SystemSettings.model_validate({}))
    return Source(contract, entity, table, settings, project.settings.timezone)


def check_own_columns(project: Project, contracts: Mapping[str, SystemContract]) -> None:
    """Whether the columns exist that the project's settings add, or give values to.

    Raises:
        ConfigurationError: systems.<system>.columns or .values names a table or column that does not exist.
    """
    for system, settings in project.settings.systems.items():
        _check_values(system, settings, contracts.get(system))
        for table, columns in settings.columns.items():
            known = {**KEY_COLUMNS, **staged_tables().get(table, {})}
            for column in columns:
                if table not in staged_tables() or column not in known:
                    raise ConfigurationError(
                        f"mutual-value.toml: systems.{system}.columns.{table}.{column} is no canonical column; "
                        f"{table} has {', '.join(known)}"
                        if table in staged_tables()
                        else f"mutual-value.toml: systems.{system}.columns.{table} is no table; "
                        f"the tables are {', '.join(staged_tables())}"
                    )


def _check_values(system: str, settings: SystemSettings, contract: SystemContract | None) -> None:
    for table, columns in settings.values.items():
        for column in columns:
            declared = [
                entity.tables[table].columns.get(column)
                for entity in (contract.entities.values() if contract else ())
                if table in entity.tables
            ]
            if not any(each is not None and each.type == "enum" for each in declared):
                raise ConfigurationError(
                    f"mutual-value.toml: systems.{system}.values.{table}.{column}: the contract of {system} has no "
                    "such enum column; docs/exports.md lists them"
                )


def _columns(source: Source, file: LakeFile) -> dict[str, Column]:
    """The contract's columns in the system's locale, with the project's own headers and values put first."""
    columns = dict(source.table.columns)
    for name, header in source.settings.columns.get(source.table_name, {}).items():
        declared = columns.get(name)
        if declared is not None and declared.source:
            columns[name] = declared.model_copy(update={"source": (header, *declared.source)})
        elif source.entity.format == "json" or file.find((header,)) is not None:
            columns[name] = _own_column(source, header, source.types[name])
    return {name: _spelled(source, name, column, file) for name, column in columns.items()}


def _own_column(source: Source, header: str, kind: StagedType) -> Column:
    """A column that the contract does not have, with the canonical type; days are ISO, or as the locale writes them."""
    form = ("iso", "locale") if source.locale else ("iso",)
    return Column.model_validate(
        {
            "from": header,
            "type": "money" if kind == "decimal" else kind,
            "format": form if kind in ("date", "timestamp") else (),
        }
    )


def _spelled(source: Source, name: str, column: Column, file: LakeFile) -> Column:
    """The column with the locale's signs and patterns in their places, and the project's own values in its map."""
    # JSON has numbers of its own, whatever its user's locale.
    spelling = source.locale if source.entity.format == "csv" else None
    if column.format == ("locale",) and spelling is None and not file.has_types:
        raise ConfigurationError(
            f"{source.where}.columns.{name} is written as its user's locale has it. Say which, in mutual-value.toml, "
            f'for example:\n[systems.{source.contract.system}]\nlocale = "da"'
        )
    patterns: tuple[str, ...] = ()
    for form in column.format:
        if form != "locale":
            patterns += (form,)
        elif spelling:
            patterns += spelling.timestamp if column.type == "timestamp" else spelling.date
    alike = alike_formats(patterns)
    if alike:
        raise ConfigurationError(
            f"{source.where}.columns.{name}: under this locale a text may fit both {alike[0]} and {alike[1]} and mean "
            "two days: dates are never guessed"
        )
    own = source.settings.values.get(source.table_name, {}).get(name, {})
    told = {text.lower() for text in own}
    # Signs come together: a column with a decimal sign of its own has no thousands sign but its own.
    thousands = spelling.thousands if spelling and column.decimal is None else ""
    return column.model_copy(
        update={
            "decimal": column.decimal or (spelling.decimal if spelling else "."),
            "thousands": column.thousands if column.thousands is not None else thousands,
            # A sheet has days of its own; a text among them fits no pattern then, and is quarantined.
            "format": patterns or (("iso",) if column.format else ()),
            "map": {**own, **{text: meaning for text, meaning in column.map.items() if text.lower() not in told}},
        }
    )


def _present(columns: Mapping[str, Column], file: LakeFile, file_each: tuple[str, ...]) -> frozenset[str]:
    """The columns that the files deliver; of a JSON record only its values tell, so there all that are declared."""
    present = {
        name
        for name, column in columns.items()
        if column.source and (not file.headers or file.find(headers_read(column, file_each)) is not None)
    }
    present |= {name for name, column in columns.items() if column.count_in in present}
    present |= {name for name, column in columns.items() if column.value is not None}
    for name in _expressions_in_order(columns):
        read = expressions.columns_of(columns[name].sql or "")
        if not read or read & {each.lower() for each in present}:
            present.add(name)
    return frozenset(present)


def _in_levels(source: Source, columns: Mapping[str, Column], file: LakeFile, is_tried: bool) -> list[Field]:
    fields: dict[str, Field] = {}
    _check_types(source, columns)
    has_amounts = _has_amounts(columns)
    # An invoice that comes without its amounts still has the currency of its lines.
    holds_amounts = "decimal" in source.types.values()
    for name, column in columns.items():
        if column.value is not None:
            fields[name] = _constant(source, name, column)
        elif name == "currency" and column.source:
            fields[name] = _currency(source, column, _text(source, name, column, file), holds_amounts, has_amounts)
        elif column.source:
            fields[name] = _cell(source, name, column, _text(source, name, column, file), columns, file)
        elif column.count_in is not None:
            counted = quoted(f"_count_{name}")
            fields[name] = Field(name, counted, _LEVEL_OF_VALUES, counts=column.count_in)
    if holds_amounts and "currency" in source.types and "currency" not in columns and source.currency:
        fields["currency"] = Field("currency", literal(source.currency), _LEVEL_OF_VALUES)
    for name in _expressions_in_order(columns):
        fields[name] = _expression(source, name, columns, fields, is_tried)
    return sorted(fields.values(), key=lambda each: each.level)


def _has_amounts(columns: Mapping[str, Column]) -> bool:
    return any(column.type in _AMOUNTS for column in columns.values())


def _check_types(source: Source, columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        target = None if column.helper else source.types[name]
        if column.source and target and target not in _FITS[column.type]:
            raise ConfigurationError(f"{source.where}.columns.{name}: a {column.type} is no {target}")
        if column.count_in is not None and target not in (None, "integer"):
            raise ConfigurationError(f"{source.where}.columns.{name}: a place is no {target}")
        if column.sql and column.type == "enum":
            raise ConfigurationError(f"{source.where}.columns.{name}: an enum maps a text; give it `from`, not `sql`")
        if column.source and cells.needs_zone(column) and target != "date" and source.zone(column) is None:
            raise ConfigurationError(
                f"{source.where}.columns.{name} holds times without a zone. Say which one they are in, in "
                f'mutual-value.toml, for example:\n[systems.{source.contract.system}]\ntimezone = "Europe/Copenhagen"'
            )


def _text(source: Source, name: str, column: Column, file: LakeFile) -> str | None:
    """The SQL name of the column's text, None where files of this shape do not have it."""
    wanted = headers_read(column, source.table.each)
    if source.entity.format == "csv" and wanted and file.find(wanted) is None:
        return None
    return quoted(f"_raw_{name}")


def _constant(source: Source, name: str, column: Column) -> Field:
    kind = source.types[name] if not column.helper else column.type
    return Field(name, f"cast({literal(_as_text(column.value))} as {_sql_type(kind)})", _LEVEL_OF_VALUES)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sql_type(kind: str) -> str:
    own = {"money": SQL_TYPES["decimal"], "enum": SQL_TYPES["text"], "duration": SQL_TYPES["number"],
           "salesforce_id": SQL_TYPES["text"]}  # fmt: skip
    return own.get(kind) or SQL_TYPES[cast(StagedType, kind)]


def _target(source: Source, name: str, column: Column) -> StagedType | None:
    return None if column.helper else source.types[name]


_NOWHERE = Place(None, "UTC")


def _currency(source: Source, column: Column, text: str | None, holds_amounts: bool, has_amounts: bool) -> Field:
    """A currency code; an amount's missing one is the system's, never a guess."""
    default = literal(source.currency) if source.currency and holds_amounts else "cast(null as varchar)"
    if text is None:
        return Field("currency", default, _LEVEL_OF_VALUES)
    code = cells.currency_code(text)
    if column.type == "enum":
        # Dynamics exports a currency's name: https://learn.microsoft.com/power-platform/admin/manage-transactions-with-multiple-currencies
        code = f"nullif({cells.value(column.model_copy(update={'rest': None}), 'text', text, _NOWHERE)}, 'unknown')"
    sql = f"case when {text} is null then {default} else {code} end"
    severity = "row" if column.required else "cell"
    checks = [Check("currency", "not_a_currency", severity, f'{text} is not null and "currency" is null', text)]
    if has_amounts and not source.currency:
        checks.append(Check("currency", "currency_missing", severity, f"{text} is null"))
    return Field("currency", sql, _LEVEL_OF_VALUES, text, None, tuple(checks))


def _cell(
    source: Source, name: str, column: Column, text: str | None, columns: Mapping[str, Column], file: LakeFile
) -> Field:
    """A column that is read from one text."""
    target = _target(source, name, column)
    required = column.required or name == "source_id"
    sql_type = _sql_type(target or column.type)
    if text is None:
        missing = (Check(name, "required_empty", "row", "true"),) if required else ()
        return Field(name, f"cast(null as {sql_type})", _LEVEL_OF_VALUES, checks=missing)
    read = _read(source, name, column, text)
    checks = tuple(_cell_checks(name, column, target, text, required))
    if file.has_types:
        read = _read_sheet(source, name, column, text, read)
        checks += (Check(name, "sheet_error", "row" if required else "cell", f"{type_name(name)} in ('e', 'f')"),)
    if column.type == "money":
        value = cells.money(_read_name(name), _currency_sql(source, columns), column.unit)
        return Field(name, f"try_cast({value} as {sql_type})", _LEVEL_OF_MONEY, text, read, checks)
    if _is_duration(name, column, target):
        value = f"case when {_read_name(name)} >= 0 then {_read_name(name)} end"
        return Field(name, f"try_cast({value} as {sql_type})", _LEVEL_OF_VALUES, text, read, checks)
    return Field(name, f"try_cast({read} as {sql_type})", _LEVEL_OF_VALUES, text, None, checks)


def type_name(name: str) -> str:
    """The column that holds the letter of a sheet cell's type."""
    return quoted(f"_type_{name}")


def _read_sheet(source: Source, name: str, column: Column, text: str, read: str) -> str:
    """A sheet's own numbers and days are what they are; what it holds as text is read as in a CSV."""
    target = _target(source, name, column)
    if column.type in _NUMBERS and not (column.type == "duration" and column.format == ("h:mm",)):
        plain = column.model_copy(update={"decimal": ".", "thousands": "", "drop": ()})
        return f"case {type_name(name)} when 'n' then {_read(source, name, plain, text)} else {read} end"
    words = {token.lower() for token in (*column.true, *column.false)}
    if column.type == "boolean" and not words & {"true", "false"}:
        return f"case {type_name(name)} when 'b' then {text} = 'true' else {read} end"
    if column.type in ("date", "timestamp"):
        iso = column.model_copy(update={"format": ("iso",)})
        place = Place(source.zone(column), source.project_zone)
        return f"case {type_name(name)} when 'd' then {cells.value(iso, target, text, place)} else {read} end"
    return read


def _read_name(name: str) -> str:
    return quoted(f"_read_{name}")


def _read(source: Source, name: str, column: Column, text: str) -> str:
    place = Place(source.zone(column), source.project_zone)
    target = _target(source, name, column)
    listed = [path for path in column.source if "[*]" in path]
    if listed:
        return _list_value(source, name, column, text, listed[0])
    if column.type == "money":
        return cells.number(column, text, SQL_TYPES["decimal"])
    if column.type == "text" and _is_id(name):
        return cells.whole_id(text)
    if column.type == "salesforce_id":
        return cells.salesforce_id(cells.whole_id(text), text)
    return cells.value(column, target, text, place)


def _list_value(source: Source, name: str, column: Column, text: str, path: str) -> str:
    """`discount_amounts[*].amount`: texts are the list's, amounts and numbers its sum."""
    if column.type not in _LISTABLE or len(column.source) > 1:
        raise ConfigurationError(
            f"{source.where}.columns.{name}: a path with [*] stands alone and is one of {', '.join(_LISTABLE)}"
        )
    # Where a list should be, a text may stand that is no JSON; it is quarantined.
    items = f"try(json_extract_string({text}, {literal(each_item(path))}))"
    return items if column.type == "texts" else cells.amounts(items, _sql_type(column.type))


def _currency_sql(source: Source, columns: Mapping[str, Column]) -> str:
    if "currency" in columns or source.currency is None:
        return '"currency"' if "currency" in columns else "cast(null as varchar)"
    return literal(source.currency)


def _is_id(name: str) -> bool:
    return name in ("source_id", "source_account_id", "external_id") or name.endswith(("_source_id", "_external_id"))


def _is_duration(name: str, column: Column, target: str | None) -> bool:
    return column.type == "duration" or (target == "number" and name.endswith("_min"))


def _cell_checks(name: str, column: Column, target: str | None, text: str, required: bool) -> Iterable[Check]:
    """What may be wrong with a text: empty though required, no value of its type, outside its map, negative."""
    severity = "row" if required else "cell"
    has_read = column.type == "money" or _is_duration(name, column, target)
    read = _read_name(name) if has_read else quoted(name)
    if required:
        yield Check(name, "required_empty", "row", f"{text} is null")
    if column.type == "enum":
        if column.rest is None:
            yield Check(name, "enum_unmapped", "cell", _is_unmapped(name, column, target, text), text)
    elif column.type not in ("text", "texts") or (column.type == "text" and _is_id(name)):
        misfit = f"{text} is not null and {read} is null"
        exchanged = cells.fits_exchanged(column, text) if column.type in ("date", "timestamp") else None
        if exchanged:
            # Asked of the few that do not fit.
            is_ambiguous = f"case when {misfit} then {exchanged} else false end"
            yield Check(name, cells.AMBIGUOUS_DATE, severity, is_ambiguous, text)
            misfit = f"case when {misfit} then not ({exchanged}) else false end"
        yield Check(name, cells.RULES[column.type], severity, misfit, text)
    if column.type == "money" and column.unit == "minor":
        yield Check(name, "currency_missing", severity, f"{read} is not null and {quoted(name)} is null", text)
    if _is_duration(name, column, target):
        yield Check(name, "negative_duration", severity, f"{read} < 0", text)


def _is_unmapped(name: str, column: Column, target: str | None, text: str) -> str:
    """Whether an enum's text is not in its map, which may well map a text to `unknown`."""
    if target == "boolean":
        return f"{text} is not null and {quoted(name)} is null"
    known = [literal(raw.lower()) for raw, mapped in column.map.items() if mapped == "unknown"]
    declared = f" and lower({text}) not in ({', '.join(known)})" if known else ""
    return f"{quoted(name)} = 'unknown'{declared}"


def _expressions_in_order(columns: Mapping[str, Column]) -> list[str]:
    """The `sql` columns, each after those that it reads."""
    waiting = {name: expressions.columns_of(column.sql) for name, column in columns.items() if column.sql is not None}
    ordered: list[str] = []
    while waiting:
        ready = [name for name, read in waiting.items() if not read & {other.lower() for other in waiting}]
        if not ready:
            raise ConfigurationError(f"the `sql` of {', '.join(waiting)} read each other in a circle")
        ordered += ready
        waiting = {name: read for name, read in waiting.items() if name not in ready}
    return ordered


def _expression(
    source: Source, name: str, columns: Mapping[str, Column], fields: Mapping[str, Field], is_tried: bool
) -> Field:
    """A column that is computed from this row's other columns."""
    column = columns[name]
    try:
        text = expressions.check(column.sql or "", columns)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source.where}.columns.{name}: {error}") from None
    read = expressions.columns_of(text)
    level = 1 + max((each.level for each in fields.values() if each.name.lower() in read), default=_LEVEL_OF_VALUES)
    target = _target(source, name, column)
    kind = target or column.type
    value = f"{'try' if is_tried else ''}(\n{text}\n)"
    kept = f"case when {value} >= 0 then {value} end" if _is_duration(name, column, target) else value
    required = column.required or name == "source_id"
    severity = "row" if required else "cell"
    checks = []
    if required:
        checks.append(Check(name, "required_empty", "row", f"{quoted(name)} is null"))
    elif kind != "text":
        checks.append(Check(name, "out_of_range", severity, f"{value} is not null and {quoted(name)} is null"))
    if is_tried:
        # A struct is null only where its expression failed.
        checks.append(Check(name, "out_of_range", severity, f"try({{'value': (\n{text}\n)}}) is null"))
    return Field(name, f"try_cast({kept} as {_sql_type(kind)})", level, checks=tuple(checks))


def paths(plan: Plan) -> list[str]:
    """The parameter of the plan's queries."""
    return [str(file.path) for file in plan.files]


def staged(table: str) -> str:
    """A staged table's name in SQL, also where the main database has a schema called staged."""
    return f"staged.main.{quoted(table)}"


# The constants of every file that is being cast (casting.py makes it).
CASTING_FILE = staged("casting_file")
