"""The SQL that a plan stands for: one pass over its files, and the second looks that only a few rows need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import duckdb

from warehouse import cells, expressions
from warehouse.cells import SQL_TYPES
from warehouse.contracts import Column, StagedType
from warehouse.engine import literal, quoted
from warehouse.errors import ConfigurationError
from warehouse.json_paths import Paths, json_path, plain
from warehouse.plans import CASTING_FILE, Check, Field, Plan, paths, type_name
from warehouse.recognition import headers_read
from warehouse.records import FOOTER

# Constants of a file, from the table of files that casting makes.
_FACTS = (
    "facts.number as _file, facts.sha256 as _sha256, facts.member as _member, facts.landed_at as _landed_at, "
    "facts.known_at as _known_at, facts.drop_at as _drop_at"
)
_LAKE = (
    "from read_parquet(?, filename = '_path', file_row_number = true, hive_partitioning = false) as lake "
    f"join {CASTING_FILE} as facts on facts.path = lake._path"
)
_KEPT = "_file, _sha256, _member, _landed_at, _known_at, _drop_at, _row"


def select_rows(plan: Plan, columns: Mapping[str, StagedType]) -> str:
    """The rows to stage: `columns`, and what the staging itself needs until it is done.

    _plan and _file say where a row comes from, _position which element of its record it is, _hash is that of its texts,
    _mask says which checks failed, _is_out whether one of them costs the row.
    One parameter: the list of the files' paths.
    """
    names = {each.name for each in plan.fields}
    outputs = [
        quoted(name) if name in names else f"cast(null as {SQL_TYPES[kind]}) as {quoted(name)}"
        for name, kind in columns.items()
    ]
    texts = [each.text for each in plan.fields if each.text] or ["_row"]
    kept = f"where {_kept(plan)}"
    return f"""
        with {_levels(plan, plan.fields)}
        select
            {literal(plan.source.contract.system)} as source_system, _sha256 as sha256, _member as member,
            _row as row_number, _landed_at as landed_at, _known_at as known_at, _drop_at as drop_at,
            {literal(plan.source.scope)} as scope, cast(null as varchar) as deleted_reason,
            {", ".join(outputs)},
            {plan.number} as _plan, _file, _position, hash({", ".join(texts)}) as _hash,
            {_mask(plan.checks)} as _mask,
            {_any(check.condition for check in plan.checks if check.severity == "row")} as _is_out
        from levels {kept}
    """


def select_left_out(plan: Plan) -> str:
    """The records that the contract's `totals` and `where` leave out, by file and row, and whether they are totals.

    Reads only the columns that those need.
    """
    needed = _closure(
        expressions.columns_of(plan.source.table.where or "true")
        | expressions.columns_of(plan.source.table.totals or "false"),
        plan,
    )
    fields = [each for each in plan.fields if each.name.lower() in needed]
    return f"""
        with {_levels(plan, fields)}
        select _file, _row, {_condition(plan, "totals", "false")} as is_total from levels where not ({_kept(plan)})
    """


def select_failures(plan: Plan, bad: str) -> str:
    """What is wrong with the rows of `bad` (_file, _row, _position, _mask, _is_out), with the texts as they came.

    All that is wrong with a row that is out is said of the row: a required value may be missing because a cell that it
    is computed from did not fit.
    """
    entries = ", ".join(_entry(plan, bit, check) for bit, check in enumerate(plan.checks))
    texts = [each for each in plan.fields if each.text]
    only = f"and exists (from {bad} as bad where bad._file = facts.number and bad._row = {_row(plan)})"
    return f"""
        with texts as ({_texts(plan, texts, "" if plan.has_windows else only)}),
        failure as (
            select _file, _row, _position, _mask, _is_out, unnest([{entries}]) as entry
            from texts
            join {bad} as bad using (_file, _row, _position)
        )
        select
            _file,
            _row,
            entry.column_name as column_name,
            entry.rule as rule,
            case when _is_out then 'row' else entry.severity end as severity,
            arg_min(coalesce(entry.raw, ''), _position) as raw
        from failure
        where (_mask & entry.bit) <> 0
        group by all
    """


def _entry(plan: Plan, bit: int, check: Check) -> str:
    return (
        f"{{'bit': cast({1 << bit} as ubigint), 'column_name': {literal(f'{plan.source.table_name}.{check.column}')}, "
        f"'rule': {literal(check.rule)}, 'severity': {literal(check.severity)}, 'raw': cast({check.raw} as varchar)}}"
    )


# A JSON key that is always null is an empty column, a key that no record has an absent one: asked of these many.
SAMPLE = 2000


def seen(connection: duckdb.DuckDBPyConnection, plan: Plan, names: Sequence[str]) -> dict[int, dict[str, bool | None]]:
    """Of each file of a JSON plan, which of the named columns some record has the key of; None: its lists are empty."""
    rows = connection.execute(select_seen(plan, names, SAMPLE), [paths(plan), paths(plan)]).fetchall()
    return {file: dict(zip(names, answers, strict=True)) for file, *answers in rows}


def select_seen(plan: Plan, names: Sequence[str], sample: int) -> str:
    """For each file, and each of the named columns, whether a record among its first `sample` has the key at all.

    Columns: _file, then one for each name; null where an empty list leaves it open. Parameters: the paths, twice.
    """
    each, base = _list_path(plan), _base(plan)
    value = "record" if each is None else "_element"
    tests = []
    for name in names:
        paths = [path for path in plan.columns[name].source if not path.startswith(("^", "#"))]
        keys = ", ".join(literal(json_path(plain(path), base if each is None else "$")) for path in paths)
        tests.append(f"bool_or(list_contains(json_exists({value}, [{keys}]), true))" if keys else "true")
    records = f"{_LAKE} where lake.file_row_number < {sample} and lake.record is not null"
    every = literal(f"{json_path(each, base)}[*]") if each is not None else ""
    items = f"json_extract(lake.record, {every})" if each is not None else "[lake.record]"
    # Outside, so that a file whose lists are all empty has a row as well.
    return f"""
        with value as (select facts.number as _file, unnest({items}) as {value} {records})
        select facts.number as _file, {", ".join(tests)}
        from {CASTING_FILE} as facts
        left join value on value._file = facts.number
        where list_contains(?, facts.path)
        group by facts.number
    """


def select_defects(plan: Plan) -> str:
    """The records that landing could not split into cells, with their text; columns as of select_failures."""
    return f"""
        select facts.number as _file, {_row(plan)} as _row, '' as column_name, lake._defect as rule,
            'row' as severity, coalesce(lake._raw, '') as raw
        {_LAKE} where lake._defect <> {literal(FOOTER)}
    """


def count_defects() -> str:
    """How many records of each file landing could not split, and how many are lines of its footer."""
    return f"""
        select
            facts.number as _file,
            count(case when lake._defect <> {literal(FOOTER)} then 1 end) as defective,
            count(case when lake._defect = {literal(FOOTER)} then 1 end) as total
        {_LAKE} where lake._defect is not null group by all
    """


def _mask(checks: Sequence[Check]) -> str:
    """A number with one bit for each check that failed; 0 for a row without fault."""
    bits = [f"case when {check.condition} then {1 << bit} else 0 end" for bit, check in enumerate(checks)]
    return " | ".join(f"cast({bit} as ubigint)" for bit in bits) or "cast(0 as ubigint)"


def _any(conditions: Iterable[str]) -> str:
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or "false"


def _kept(plan: Plan) -> str:
    """Whether the contract counts the row as a record."""
    parts = [_condition(plan, "where", "true")] if plan.source.table.where else []
    parts += [f"not {_condition(plan, 'totals', 'false')}"] if plan.source.table.totals else []
    return " and ".join(parts) or "true"


def _condition(plan: Plan, name: str, otherwise: str) -> str:
    """The contract's expression of that name; not known is not true."""
    source = plan.source
    try:
        text = expressions.check(getattr(source.table, name) or otherwise, plan.columns)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source.where}.{name}: {error}") from None
    return f"coalesce({'try' if plan.is_tried else ''}(\n{text}\n), false)"


def _closure(names: Collection[str], plan: Plan) -> set[str]:
    """The columns with all that they are computed from, in lower case."""
    columns = {name.lower(): column for name, column in plan.columns.items()}
    needed: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        column = columns.get(name)
        read = expressions.columns_of(column.sql) if column and column.sql else frozenset()
        read |= {column.count_in.lower()} if column and column.count_in else frozenset()
        waiting |= (read | {"currency"} if column and column.type == "money" else read) - needed
    return needed


def _levels(plan: Plan, fields: Sequence[Field]) -> str:
    """`texts` as they came, then one level after the other of values, the last one called `levels`."""
    ctes = [("texts", _texts(plan, [each for each in fields if each.text]))]
    counts = [each for each in fields if each.counts]
    if counts:
        ctes.append(("counts", f"select *{''.join(_place(plan, each) for each in counts)} from texts"))
    reads = [f"{each.read} as {quoted(f'_read_{each.name}')}" for each in fields if each.read]
    if reads:
        ctes.append(("reads", f"select *, {', '.join(reads)} from {ctes[-1][0]}"))
    for level in sorted({each.level for each in fields}):
        added = ", ".join(f"{each.sql} as {quoted(each.name)}" for each in fields if each.level == level)
        ctes.append((f"level_{level}", f"select *, {added} from {ctes[-1][0]}"))
    ctes.append(("levels", f"select * from {ctes[-1][0]}"))
    return ", ".join(f"{name} as ({sql})" for name, sql in ctes)


def _place(plan: Plan, field: Field) -> str:
    """The row's place among those of its file with the same text of another column."""
    text = next((each.text for each in plan.fields if each.name == field.counts), None)
    if text is None:
        return f", cast(null as bigint) as {field.sql}"
    return f", row_number() over (partition by _file, {text} order by _row) as {field.sql}"


def _row(plan: Plan) -> str:
    """The record's number in its file, from 1; landing writes it where it is not the position."""
    position = "lake.file_row_number + 1"
    return f"coalesce(lake._row, {position})" if plan.files[0].has_row_numbers else position


def _texts(plan: Plan, fields: Sequence[Field], only: str = "") -> str:
    """The texts of the fields as they came, one row for each record or element; `only` narrows the records."""
    defects = "lake._defect is null" if plan.files[0].has_defects else "true"
    lake = f"{_LAKE} where {defects} {only}"
    if plan.source.entity.format == "json":
        read = _json_texts(plan, fields, lake)
    elif not plan.source.table.each:
        read = f"select {_FACTS}, {_row(plan)} as _row, 1 as _position{_csv_texts(plan, fields)} {lake}"
    else:
        read = _csv_elements(plan, fields, lake)
    types = [type_name(each.name) for each in fields] if plan.files[0].has_types else []
    # Taken out of its list first: a text is looked at several times.
    tidy = "".join(f", {_tidy(str(each.text), plan.columns[each.name], types)} as {each.text}" for each in fields)
    kept = "".join(f", {each}" for each in types)
    tidied = f"select {_KEPT}, _position{tidy}{kept} from ({read})"
    patterns = [each for each in fields if plan.columns[each.name].extract]
    if not patterns:
        return tidied
    # After the blanks are off, so that a pattern's `^` and `$` are those of the text.
    parts = ", ".join(f"{cells.extracted(plan.columns[each.name], str(each.text))} as {each.text}" for each in patterns)
    return f"select * replace ({parts}) from ({tidied})"


def _csv_texts(plan: Plan, fields: Sequence[Field]) -> str:
    texts = ""
    for each in fields:
        column = plan.columns[each.name]
        texts += f", {_csv_text(plan, column, headers_read(column, plan.source.table.each))} as {each.text}"
        texts += _cell_type(plan, each, column)
    return texts


def _csv_text(plan: Plan, column: Column, aliases: Iterable[str]) -> str:
    cell = f"lake.{quoted(str(plan.files[0].find(aliases)))}"
    return _filled_down(plan, cells.trimmed(cell)) if column.fill_down else cell


def _filled_down(plan: Plan, value: str) -> str:
    """The nearest value above that is not null, or the row's own."""
    rows = f"partition by facts.number order by {_row(plan)} rows between unbounded preceding and current row"
    return f"last_value({value} ignore nulls) over ({rows})"


def _cell_type(plan: Plan, field: Field, column: Column) -> str:
    """The letter of a sheet cell's type, beside its text."""
    file = plan.files[0]
    if not file.has_types:
        return ""
    header = str(file.find(headers_read(column, plan.source.table.each)))
    letter = f"substr(lake._types, {file.headers.index(header) + 1}, 1)"
    if column.fill_down:
        letter = _filled_down(
            plan, f"case when {cells.trimmed(f'lake.{quoted(header)}')} is not null then {letter} end"
        )
    return f", {letter} as {type_name(field.name)}"


def _csv_elements(plan: Plan, fields: Sequence[Field], lake: str) -> str:
    """One row for each cell of a header that repeats (landing makes them a JSON list), or for the one cell it has."""
    file, each = plan.files[0], plan.source.table.each
    header = file.find(each)
    if header is None:
        items = "cast([] as varchar[])"
    elif header in file.folded:
        items = f"coalesce(json_extract_string(lake.{quoted(header)}, '$[*]'), [])"
    else:
        items = f"list_filter([lake.{quoted(header)}], lambda cell: cell is not null)"
    outer, inner = "", ""
    for planned in fields:
        column = plan.columns[planned.name]
        if column.source == (".",):
            inner += f", _element as {planned.text}"
        elif column.source == ("#",):
            inner += f", cast(_position as varchar) as {planned.text}"
        else:
            outer += f", {_csv_text(plan, column, headers_read(column, each))} as {planned.text}"
            inner += f", {planned.text}"
        if file.has_types:
            inner += f", 's' as {type_name(planned.name)}"
    rows = f"select {_FACTS}, {_row(plan)} as _row, {items} as _items{outer} {lake}"
    elements = f"select *, unnest(_items) as _element, unnest(range(1, len(_items) + 1)) as _position from ({rows})"
    return f"select {_KEPT}, _position{inner} from ({elements})"


def _tidy(text: str, column: Column, types: Collection[str]) -> str:
    tidy = cells.without(cells.trimmed(text), column.null)
    kind = text.replace("_raw_", "_type_", 1)
    return f"case when {kind} in ('e', 'f') then null else {tidy} end" if kind in types else tidy


def _json_texts(plan: Plan, fields: Sequence[Field], lake: str) -> str:
    """One parse of each record for all paths, and one of each element where there is a row for each."""
    each, base = _list_path(plan), _base(plan)
    outer, inner = Paths("_cells" if each is None else "_parents"), Paths("_cells")
    texts = ""
    for planned in fields:
        column = plan.columns[planned.name]
        found = [_json_text(path, each, base, outer, inner) for path in column.source]
        # An empty text says no more than a key that is not there.
        told = ", ".join(f"nullif({each}, '')" for each in found)
        first = found[0] if len(found) == 1 else f"coalesce({told})"
        texts += f", {first} as {planned.text}"
    if each is None:
        records = f"select {_FACTS}, {_row(plan)} as _row, 1 as _position, {outer.extract('record')} {lake}"
        return f"select {_KEPT}, _position{texts} from ({records})"
    items = outer.add(json_path(each, base))
    records = f"select {_FACTS}, {_row(plan)} as _row, {outer.extract('record')} {lake}"
    # Where a list should be, a text may stand that is no JSON.
    listed = f"select {_KEPT}, _parents, try(json_extract({items}, '$[*]')) as _items from ({records})"
    elements = (
        f"select {_KEPT}, _parents, unnest(_items) as _element, unnest(range(1, len(_items) + 1)) as _position "
        f"from ({listed})"
    )
    parsed = f"select {_KEPT}, _parents, _position, {inner.extract('_element')} from ({elements})"
    return f"select {_KEPT}, _position{texts} from ({parsed})"


def _json_text(path: str, each: str | None, base: str, outer: Paths, inner: Paths) -> str:
    """Where the text of a path is found: in the record, in its element, or (`^.`) in the element's record.

    `#` is the element's place in its list, from 1.
    """
    if path == "#":
        return "cast(_position as varchar)"
    if each is None:
        return outer.add(json_path(plain(path), base))
    if path.startswith("^."):
        return outer.add(json_path(plain(path.removeprefix("^.")), base))
    return inner.add(json_path(plain(path)))


def _list_path(plan: Plan) -> str | None:
    """The path of the list of a JSON record that gives a row for each element."""
    return next(iter(plan.source.table.each), None)


def _base(plan: Plan) -> str:
    """Where a record's own keys are: inside its wrapper."""
    wrapper = plan.source.entity.recognise.wrapper
    return json_path(wrapper) if wrapper else "$"
