"""The records of people in the lake: found by their addresses, through the contracts that say which record is whose.

The lake is cast as a night does, with every version and every row that does not fit, in a folder that is thrown away.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import numpy.typing as npt

from warehouse.casting import cast_rows
from warehouse.contracts import SystemContract
from warehouse.engine import connect, literal, quoted
from warehouse.lake_rows import places_of_rows, rows_at, texts_at
from warehouse.personal import Personal, paths_read, personal_columns, places
from warehouse.plans import Plan, staged
from warehouse.project import Project
from warehouse.redaction import Redaction
from warehouse.serving.publish import BUILD
from warehouse.sources import LakeFile

# A shorter text may be anybody's; it is replaced in the records of its writer only.
_QUOTED_FROM = 40
_REPLACED = "'^forgotten-([0-9a-f]{12})@'"
# What a row is that is no record of theirs: of nobody known, of somebody else, the own record of somebody else.
NOBODYS, ANOTHERS, ANOTHER = 0, 1, 2


@dataclass
class Marks:
    """What is known of one lake file's rows, by their place in it (from 0).

    Attributes:
        theirs: of each record of theirs, the names and texts in it that are theirs.
        own: the rows that are a person's own record and nothing else.
        others: of each row NOBODYS, ANOTHERS or ANOTHER.
        names: headers or paths of the name in a person's own record.
        read: headers or paths that models read; in an own record the rest is replaced.
    """

    theirs: dict[int, set[str]] = field(default_factory=dict)
    own: set[int] = field(default_factory=set)
    others: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    plan: Plan | None = None
    read: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """Everything by which the lake is redacted: what is replaced anywhere, and what is known of single files."""

    redaction: Redaction
    marks: Mapping[int, Marks]

    @property
    def is_empty(self) -> bool:
        return not any(marks.theirs for marks in self.marks.values())


def find(
    project: Project,
    contracts: Mapping[str, SystemContract],
    files: Sequence[LakeFile],
    addresses: Mapping[str, str],
    tokens: Collection[str],
    names: Collection[str] = (),
) -> Found:
    """The records of those whose address is one of `addresses`, or was replaced by one of the tokens before.

    Args:
        addresses: in lower case -> what stands in its place.
        names: full names of theirs, besides those that the records tell.

    Raises:
        ConfigurationError: the files cannot be cast with the contracts and settings that there are.
    """
    every_row = {name: _with_every_row(contract) for name, contract in contracts.items()}
    with _connection(project) as connection:
        plans = cast_rows(connection, project, every_row, files, _tables())
        return _Search(connection, plans, addresses, tokens).run(names)


def _with_every_row(contract: SystemContract) -> SystemContract:
    """The contract without its filters: what models leave out may be a person's record as well."""
    entities = {
        name: entity.model_copy(
            update={
                "tables": {
                    table: each.model_copy(update={"where": None, "totals": None})
                    for table, each in entity.tables.items()
                }
            }
        )
        for name, entity in contract.entities.items()
    }
    return contract.model_copy(update={"entities": entities})


def _tables() -> list[str]:
    return [name for name, each in personal_columns().items() if each.people or each.email]


@contextmanager
def _connection(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    limits = project.settings.limits
    with (
        # Called like a build, so that the next run removes what a killed one left.
        TemporaryDirectory(prefix=f"{BUILD}people-", dir=project.root) as folder,
        connect(limits.threads, limits.memory, Path(folder) / "spill") as connection,
    ):
        connection.execute(f"attach {literal(str(Path(folder) / 'staged.duckdb'))} as staged")
        yield connection


class _Search:
    """One search over the cast rows."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plans: Sequence[Plan],
        addresses: Mapping[str, str],
        tokens: Collection[str],
    ) -> None:
        self.connection = connection
        self.plans = {plan.number: plan for plan in plans}
        self.tables = sorted({plan.source.table_name for plan in plans})
        self.files = {file.number: file for plan in plans for file in plan.files}
        self.addresses = addresses
        connection.execute("create temp table who (system varchar, id varchar)")
        for name, values in (("address", addresses), ("token", tokens), ("anywhere", ())):
            connection.execute(f"create temp table {name} (value varchar)")
            self._add(name, values)

    def run(self, known: Collection[str]) -> Found:
        if "person" in self.tables:
            self.connection.execute(
                f"insert into who select distinct source_system, source_id from {staged('person')} as row "
                f"where source_id is not null and {_is_address('row.email')}"
            )
        self._know(self.addresses)
        marks, told = self._look()
        names = _full_names([*told, list(known)]) - self._companies()
        if names:
            # Some exports know people by their names only.
            self._know(names)
            marks, _ = self._look()
        for number, file in self.files.items():
            self._add_others(marks.setdefault(number, Marks()), file)
        texts = {text for each in marks.values() for theirs in each.theirs.values() for text in theirs}
        quoted_texts = frozenset(text for text in texts if len(text) >= _QUOTED_FROM)
        return Found(Redaction(self.addresses, frozenset(names), quoted_texts - names), marks)

    def _add(self, table: str, values: Iterable[str]) -> None:
        rows = [(value,) for value in sorted(values)]
        if rows:
            self.connection.executemany(f"insert into {table} values (?)", rows)

    def _know(self, texts: Iterable[str]) -> None:
        """Contracts make a person's id of the address or name where the export has none: `sha256(lower(...))`."""
        lower = {text.lower() for text in texts}
        self._add("anywhere", lower | {hashlib.sha256(text.encode()).hexdigest() for text in lower})

    def _companies(self) -> set[str]:
        """Names of accounts that are not theirs: the contact may be called like the company, and that name stays."""
        if "account" not in self.tables:
            return set()
        rows = self.connection.execute(
            f"select distinct name from {staged('account')} as row where name is not null "
            f"and not coalesce({_is_address('row.email')}, false)"
        ).fetchall()
        return {_one_line(name) for (name,) in rows}

    def _look(self) -> tuple[dict[int, Marks], list[list[str]]]:
        """The rows of theirs, by file; and of each record the names in it."""
        wanted: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for table in self.tables:
            rows = self.connection.execute(
                f"select distinct _file, row_number, _plan, _position from {staged(table)} as row "
                f"where {_is_theirs(personal_columns()[table])} order by all"
            ).fetchall()
            for file, row, plan, position in rows:
                wanted[file][row].append((plan, position))
        marks: dict[int, Marks] = {}
        told: list[list[str]] = []
        for number, by_row in sorted(wanted.items()):
            marks[number] = Marks()
            for place, row, cells in rows_at(self.files[number], by_row):
                theirs = marks[number].theirs.setdefault(place, set())
                for plan, position in by_row[row]:
                    names, texts = self._told(self.plans[plan], self.files[number], cells, position)
                    # A number is no name: `1` may be a last name of a test, and is every second flag.
                    theirs.update(filter(_has_letters, names), texts)
                    told.append(names)
                    if _is_own(self.plans[plan]):
                        marks[number].own.add(place)
        return marks, told

    def _told(
        self, plan: Plan, file: LakeFile, cells: Mapping[str, str | None], position: int
    ) -> tuple[list[str], list[str]]:
        """The names and the texts of one record of theirs."""
        where = places(plan.source.table_name, plan.source.table)
        names, texts = (
            [text for path in paths for text in texts_at(plan.source, file, cells, path, position)]
            for paths in (where.names, where.texts)
        )
        return names, texts

    def _add_others(self, marks: Marks, file: LakeFile) -> None:
        """What the rows are that are not theirs, and what the models read of the file's records."""
        marks.others = np.zeros(file.rows, np.uint8)
        plans = [plan for plan in self.plans.values() if file in plan.files]
        for plan in plans:
            kind, has_address = (ANOTHER, "row.email is not null") if _is_own(plan) else (ANOTHERS, "true")
            rows = self.connection.execute(
                f"select distinct row_number from {staged(plan.source.table_name)} as row "
                f"where _file = ? and _plan = ? and {has_address} "
                f"and not {_is_theirs(personal_columns()[plan.source.table_name])}",
                [file.number, plan.number],
            ).fetchnumpy()["row_number"]
            marks.others[places_of_rows(file, np.asarray(rows, np.int64))] = kind
            marks.plan = plan if _is_own(plan) else marks.plan
        marks.others[sorted(marks.theirs)] = NOBODYS
        headers = {
            header for plan in plans for header in plan.source.settings.columns.get(plan.source.table_name, {}).values()
        }
        marks.read = frozenset({path for plan in plans for path in paths_read(plan.source.entity)} | headers)


def _is_own(plan: Plan) -> bool:
    """Whether a record of the entity is a person, and nothing else."""
    return plan.source.table_name == "person" and plan.source.is_first


def _is_address(column: str) -> str:
    text = f"lower(trim({column}))"
    return f"({text} in (from address) or regexp_extract({text}, {_REPLACED}, 1) in (from token))"


def _is_theirs(personal: Personal) -> str:
    people = (
        f"(exists (from who where who.system = row.source_system and who.id = row.{quoted(column)}) "
        f"or lower(row.{quoted(column)}) in (from anywhere))"
        for column in personal.people
    )
    emails = (_is_address(f"row.{quoted(column)}") for column in personal.email)
    return f"coalesce({' or '.join([*people, *emails])}, false)"


def _full_names(told: Iterable[Sequence[str]]) -> set[str]:
    """The names of two words or more; the single words of one record, first name and last, are one as well."""
    found: set[str] = set()
    for names in told:
        words = [name for name in dict.fromkeys(map(_one_line, names)) if len(name.split()) == 1]
        found |= {_one_line(name) for name in names if len(name.split()) > 1}
        found |= {" ".join(words)} if len(words) > 1 else set()
    return {name for name in found if "@" not in name and not name.startswith("[")}


def _has_letters(name: str) -> bool:
    return sum(map(str.isalpha, name)) > 1


def _one_line(name: str) -> str:
    return " ".join(name.split())
