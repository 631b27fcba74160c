"""JSON files -> finished lake files: each object's text as it came in one column `record`, one file for each entity."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from warehouse.contracts import Dialect, SystemContract
from warehouse.counting import HEAD, Count, count_lines, count_list
from warehouse.drafts import ENGINE_ERRORS, Content, Drafted, stage, told
from warehouse.engine import literal
from warehouse.lake import Draft, LostRecordsError
from warehouse.recognition import Kind, UnrecognisedError, entity_of_record_sql, unknown_records_message
from warehouse.records import JsonElements, JsonLines, UnreadableError, is_said_of_page, page_list

NO_RECORDS = "it has no records"
# What follows a page's list (has_more, url) is short.
_TAIL = 1 << 16
# JSON is UTF-8 (RFC 8259, section 8.1), whatever the contract's dialect says of CSV.
_JSON_DIALECT = Dialect.model_construct()


@dataclass(frozen=True)
class _Records:
    """A file's records as a query gives them, how many there must be, and whether each is known to be valid JSON."""

    columns: str  # record, _defect, _raw
    number: str  # the record's number in the file
    relation: str
    counted: Callable[[], Count]
    is_checked: bool

    def query(self, *, numbered: bool) -> str:
        """The records; numbering them takes time, so only where it is asked for."""
        return f"select {self.columns}{f', {self.number} as _row' if numbered else ''} from {self.relation}"


def draft_json(draft: Draft, content: Content, kind: Kind, contract: SystemContract) -> list[Drafted]:
    """The lake files of a JSON file, by entity; none when it has no records.

    Records that cannot be read, or that no entity of the contract fits, stay with the entity that has the most records.

    Raises:
        UnrecognisedError: no record fits any entity of the contract.
        UnreadableError: nothing in the file is a JSON object.
    """
    path = draft.link(content.path)
    quick = _quick(draft, path, kind)
    if quick is not None:
        try:
            # The engine reads a list on one thread; with a second one that writes in order, it buffers all of the list.
            with nullcontext() if kind == "json lines" else draft.one_thread():
                return _Writing(draft, content, contract, quick).files()
        except duckdb.InterruptException:
            raise
        except ENGINE_ERRORS:
            pass
    reader = JsonLines(path) if kind == "json lines" else JsonElements(path, kind.removeprefix("json "))
    staged = stage(draft, reader, 1, _JSON_DIALECT)
    count = Count(staged.rows, staged.blank)
    columns = "c0 as record, _defect, _raw"
    records = _Records(columns, "file_row_number + 1", staged.relation, lambda: count, is_checked=False)
    files = _Writing(draft, content, contract, records).files()
    if isinstance(reader, JsonElements) and reader.unclosed and files:
        cut = "its list is not closed: the file was cut short; export it again"
        files[0] = replace(files[0], message="; ".join(part for part in (files[0].message, cut) if part))
    return files


def _quick(draft: Draft, path: Path, kind: Kind) -> _Records | None:
    """The file as the engine reads it, each record checked to be JSON; None where it has no reader for the kind."""
    listed = _list_of_page(draft, path) if kind == "json pages" else path
    if kind == "json objects" or listed is None:
        return None
    form = "newline_delimited" if kind == "json lines" else "array"
    read = f"read_json_objects({literal(str(listed))}, format = '{form}', compression = 'uncompressed')"
    columns = "cast(json as varchar) as record, cast(null as varchar) as _defect, cast(null as varchar) as _raw"

    def counted() -> Count:
        return count_lines(listed) if kind == "json lines" else Count(count_list(listed), 0)

    return _Records(columns, "row_number() over ()", read, counted, is_checked=True)


def _list_of_page(draft: Draft, path: Path) -> Path | None:
    """The `data` list of a file that is one page, cut out for the engine; None where the page is not as pages are."""
    with path.open("rb") as file:
        start = page_list(file)
        tail_begins = max(start or 0, path.stat().st_size - _TAIL)
        file.seek(tail_begins)
        tail = file.read()
        end = tail.rfind(b"]") + 1
        if start is None or not end or not is_said_of_page(tail[end:]):
            return None
        target = draft.path("list.json")
        with target.open("wb") as cut:
            file.seek(start - 1)
            shutil.copyfileobj(file, cut, HEAD)
            cut.truncate(tail_begins + end - start + 1)
    return target


class _Writing:
    """Sorts the records by entity and writes one file for each."""

    def __init__(self, draft: Draft, content: Content, contract: SystemContract, records: _Records) -> None:
        self._draft = draft
        self._content = content
        self._contract = contract
        self._records = records

    def files(self) -> list[Drafted]:
        # The bytes are counted while the engine reads them: both let go of the interpreter's lock.
        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(self._records.counted)
            tally = self._tally()
            count = counting.result()
        if tally.total() != count.records:
            raise LostRecordsError(f"{count.records} records were counted, {tally.total()} read")
        if not tally:
            return []
        entities: Counter[str] = Counter()
        defects: Counter[str] = Counter()
        for (entity, defect), records in tally.items():
            (defects if defect else entities)[defect or entity] += records
        if not entities:
            self._refuse(defects)
        ranked = Counter(dict(entities.most_common()))
        return [self._file(entity, ranked, defects, count) for entity in ranked]

    def _tally(self) -> Counter[tuple[str, str]]:
        """Records by (entity, ''), or ('', defect); in the contract's order."""
        rows = self._draft.connection.execute(
            f"select coalesce(entity, ''), coalesce(defect, ''), count(*) from ({self._judged()}) group by 1, 2"
        ).fetchall()
        order = ["", *self._contract.entities]
        return Counter({(entity, defect): n for entity, defect, n in sorted(rows, key=lambda row: order.index(row[0]))})

    def _judged(self, *, numbered: bool = False) -> str:
        """The records, each with its entity or its defect."""
        valid = self._records.query(numbered=numbered)
        number = ", _row" if numbered else ""
        if not self._records.is_checked:
            valid = f"""
                select
                    case when json_valid(record) then record end as record,
                    coalesce(_defect, case when not json_valid(record) then 'malformed_json' end) as _defect,
                    coalesce(_raw, case when not json_valid(record) then record end) as _raw
                    {number}
                from ({valid})
            """
        return f"""
            select
                record,
                {entity_of_record_sql(self._contract)} as entity,
                case
                    when _defect is not null then _defect
                    when entity is not null then null
                    when json_type(record) = 'OBJECT' then 'unrecognised_record'
                    else 'not_an_object'
                end as defect,
                _raw
                {number}
            from ({valid})
        """

    def _refuse(self, defects: Counter[str]) -> None:
        if defects["unrecognised_record"]:
            (first,) = self._draft.connection.execute(
                f"select arg_min(record, _row) from ({self._judged(numbered=True)}) "
                "where defect = 'unrecognised_record'"
            ).fetchall()[0]
            raise UnrecognisedError(unknown_records_message(first, self._contract))
        kinds = ", ".join(f"{defect} {count}" for defect, count in sorted(defects.items()))
        raise UnreadableError(f"no record of it is a JSON object ({kinds}); export it as NDJSON or one JSON list")

    def _file(self, entity: str, entities: Counter[str], defects: Counter[str], count: Count) -> Drafted:
        """The entity's file; the first entity's takes the defective and blank records as well."""
        is_first = entity == next(iter(entities))
        defects = defects if is_first else Counter()
        blank = count.blank if is_first else 0
        rows = entities[entity] + defects.total()
        facts = replace(
            self._content.facts(entity, "json"),
            rows_in=rows + blank,
            rows_blank=blank,
            rows_defective=defects.total(),
            entities=tuple(sorted(entities)),
        )
        select = self._select(entity, is_mixed=len(entities) > 1, has_defects=bool(defects))
        return Drafted(self._draft.write(select, facts), facts, told(rows, defects, NO_RECORDS, _JSON_DIALECT))

    def _select(self, entity: str, *, is_mixed: bool, has_defects: bool) -> str:
        if not is_mixed and not has_defects:
            return f"select record from ({self._records.query(numbered=False)})"
        columns = ["case when defect is null then record end as record"]
        if is_mixed:
            columns.append("_row")
        if has_defects:
            columns += ["defect as _defect", "case when defect is not null then coalesce(_raw, record) end as _raw"]
        mine = f"entity = {literal(entity)}" + (" or defect is not null" if has_defects else "")
        return f"select {', '.join(columns)} from ({self._judged(numbered=is_mixed)}) where {mine}"
