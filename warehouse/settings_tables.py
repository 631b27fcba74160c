"""The run's constants as tables: as-of, measures, lexicon, systems; so that every model is plain SQL."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import yaml

from warehouse import links, reference
from warehouse.contracts import SystemContract
from warehouse.coverage import AMBIGUOUS_COLUMNS
from warehouse.engine import Engine, literal, quoted
from warehouse.identifiers import shared_domains
from warehouse.models import TRANSFORMS, measures
from warehouse.project import Calendar, Project
from warehouse.shared_columns import LEAK_COLUMNS
from warehouse.weights import every_weight

STYLE_MONTHS = 12
VALUE_MONTHS = 6

# What the lexicon's classes say of a contact's purpose, the more telling first.
PURPOSES = ("dunning", "negotiation", "co_design", "training", "review", "planning", "support", "social")

_NO_LETTER = "[^a-zæøåäöü0-9]"


@dataclass(frozen=True)
class Windows:
    """The months that an as-of day decides (measures.yml has the lengths that single measures use)."""

    last_month: dt.date
    t0: dt.date

    @classmethod
    def at(cls, as_of: dt.date) -> Windows:
        """The last complete month, and t0: the start of the value window that ends with it."""
        after = as_of + dt.timedelta(days=1)
        last_month = _months_after(after.replace(day=1), -1)
        return cls(last_month, _months_after(last_month, 1 - VALUE_MONTHS))


def _months_after(month: dt.date, count: int) -> dt.date:
    position = month.year * 12 + month.month - 1 + count
    return dt.date(position // 12, position % 12 + 1, 1)


def write_settings(
    engine: Engine,
    project: Project,
    contracts: Mapping[str, SystemContract],
    as_of: dt.date,
    thresholds: tuple[float, float],
) -> None:
    """Make the tables of schema `setting`; `thresholds` are the protocol's (low, high) of both axes."""
    engine.execute("create schema if not exists setting")
    windows = Windows.at(as_of)
    low, high = thresholds
    _table(
        engine,
        "run",
        [
            {
                "as_of": as_of,
                "name": project.settings.name,
                "currency": project.settings.currency,
                "timezone": project.settings.timezone,
                "last_month": windows.last_month,
                "t0": windows.t0,
                "fx_days": project.settings.fx_days,
                "support_hour": project.settings.costs.support_hour,
                "discount_rate": project.settings.costs.discount_rate,
                "low": low,
                "high": high,
            }
        ],
    )
    weights = every_weight(project.settings.weights)
    _table(
        engine,
        "measure",
        [
            {"measure_id": name, **_scalars(measure), "weight": weights.get(name)}
            for name, measure in measures().items()
        ],
    )
    _table(engine, "measure_source", _sources())
    # Filled when it is known how the delivered files are read (warehouse/shared_columns.py, warehouse/coverage.py).
    _table(engine, "leak", [], LEAK_COLUMNS)
    _table(engine, "ambiguous_date", [], AMBIGUOUS_COLUMNS)
    _table(engine, "reference", reference.rows(project, as_of), reference.COLUMNS)
    patterns = lexicon_patterns(project.settings.lexicon)
    _table(engine, "lexicon", patterns)
    engine.prepare(lambda connection: define_lexicon(connection, patterns))
    _table(
        engine,
        "shared_domain",
        [{"domain": domain} for domain in sorted(shared_domains(project.settings.shared_domains))],
    )
    _table(
        engine,
        "system",
        [
            {
                "system": contract.system,
                "kind": contract.kind,
                "calendar": getattr(project.settings.systems.get(contract.system), "calendar", None),
                "position": _position(project.settings.crm_order, contract.system),
            }
            for contract in contracts.values()
        ],
        {"system": "varchar", "kind": "varchar", "calendar": "varchar", "position": "integer"},
    )
    _table(
        engine,
        "link_decision",
        [
            {
                "system": link.system,
                "source_account_id": link.source_account_id,
                "account_id": link.account_id,
                "decision": link.decision,
                "decided_on": link.decided_on,
            }
            for link in links.settled(links.read(project.identity))
        ],
        {
            "system": "varchar",
            "source_account_id": "varchar",
            "account_id": "varchar",
            "decision": "varchar",
            "decided_on": "date",
        },
    )
    _table(engine, "purpose", [{"class": name, "purpose": name, "rank": rank} for rank, name in enumerate(PURPOSES)])
    write_calendars(engine, project.settings.calendars, as_of)


# Business days are laid out from here on: older than any helpdesk that exports.
_FIRST_DAY = dt.date(2000, 1, 1)


def write_calendars(engine: Engine, calendars: Mapping[str, Calendar], as_of: dt.date) -> None:
    """Make setting.calendar, .business_day (minutes open before each day) and .business_span (its hours in UTC)."""
    laid_out = {name: _days(calendar, as_of + dt.timedelta(days=366)) for name, calendar in sorted(calendars.items())}
    _table(
        engine,
        "calendar",
        [{"calendar": name, "timezone": calendar.timezone} for name, calendar in sorted(calendars.items())],
        {"calendar": "varchar", "timezone": "varchar"},
    )
    days, spans = [], []
    for name, laid in laid_out.items():
        minutes = 0.0
        for day, hours in laid:
            days.append({"calendar": name, "day": day, "minutes_before": minutes})
            spans += [{"calendar": name, "day": day, "opens_at": start, "closes_at": end} for start, end in hours]
            minutes += sum((end - start).total_seconds() for start, end in hours) / 60
    _table(engine, "business_day", days, {"calendar": "varchar", "day": "date", "minutes_before": "double"})
    _table(
        engine,
        "business_span",
        spans,
        {"calendar": "varchar", "day": "date", "opens_at": "timestamp", "closes_at": "timestamp"},
    )


def _days(calendar: Calendar, last: dt.date) -> list[tuple[dt.date, list[tuple[dt.datetime, dt.datetime]]]]:
    """Every day with its opening hours in UTC (without zone); none on weekends, holidays and closed days."""
    closed = set(calendar.closed)
    if calendar.holidays:
        import holidays  # slow to import, and seldom needed

        closed |= set(holidays.country_holidays(calendar.holidays, years=range(_FIRST_DAY.year, last.year + 1)))
    zone = ZoneInfo(calendar.timezone)
    days = (_FIRST_DAY + dt.timedelta(days=step) for step in range((last - _FIRST_DAY).days + 1))
    hours = [calendar.hours.get(name, []) for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    return [(day, [] if day in closed else [_span(day, span, zone) for span in hours[day.weekday()]]) for day in days]


def _span(day: dt.date, hours: str, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    start, end = (_utc(day, time, zone) for time in hours.split("-"))
    return start, end


def _utc(day: dt.date, time: str, zone: ZoneInfo) -> dt.datetime:
    hour, minute = map(int, time.split(":"))
    local = dt.datetime.combine(day, dt.time(hour % 24, minute)) + dt.timedelta(days=hour // 24)
    return local.replace(tzinfo=zone).astimezone(dt.UTC).replace(tzinfo=None)


def _position(order: Sequence[str], name: str) -> int | None:
    return order.index(name) if name in order else None


def _scalars(measure: Mapping[str, Any]) -> dict[str, Any]:
    """What SQL reads of a measure: not its lists, nor what only its page in docs says."""
    return {
        key: value
        for key, value in measure.items()
        if not isinstance(value, list) and key not in ("example", "literature")
    }


def _sources() -> list[dict[str, Any]]:
    """What each measure needs: of the columns of one `need` (`a.b or c.d`) any one will do."""
    return [
        {"measure_id": name, "need": need, "table_name": table, "column_name": column}
        for name, measure in measures().items()
        for need, source in enumerate(measure["sources"])
        for table, column in (each.split(".") for each in source.split(" or "))
    ]


def lexicon_patterns(own: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Two regular expressions (RE2) per class of transforms/lexicon.yml, for lower-case text: what gives the class, and
    what takes it away again ('' where nothing does); and `any` for all that give one.

    `own` adds stems to a class, or makes a new class.
    """
    shipped: dict[str, list[str]] = yaml.safe_load((TRANSFORMS / "lexicon.yml").read_text(encoding="utf-8"))
    stems = {
        name: [*shipped.get(name, ()), *own.get(name, ())] for name in [*shipped, *sorted(own.keys() - shipped.keys())]
    }
    stems["any"] = sorted({stem for each in stems.values() for stem in each if not stem.startswith("!")})
    return [
        {
            "class": name,
            "pattern": _pattern([stem for stem in each if not stem.startswith("!")]),
            "but_not": _pattern([stem.removeprefix("!") for stem in each if stem.startswith("!")]),
        }
        for name, each in stems.items()
    ]


def _pattern(stems: Sequence[str]) -> str:
    """Any of the stems, each at the start of a word, or anywhere where it begins with `~`; '' of none."""
    at_start = "|".join(_alternative(stem.lower()) for stem in stems if not stem.startswith("~"))
    inside = "|".join(_alternative(stem.lower()[1:]) for stem in stems if stem.startswith("~"))
    parts = [f"(^|{_NO_LETTER})({at_start})" if at_start else "", f"({inside})" if inside else ""]
    return "|".join(filter(None, parts))


# How far apart the two halves of a stem with `*` may stand: some four words.
_APART = 25


def _alternative(stem: str) -> str:
    ends = f"($|{_NO_LETTER})" if stem.endswith(".") else ""
    words = re.escape(stem.removesuffix(".")).replace("_", "[ _-]")
    return words.replace(r"\*", f".{{0,{_APART}}}") + ends


def define_lexicon(connection: duckdb.DuckDBPyConnection, patterns: Sequence[Mapping[str, str]]) -> None:
    """The functions has_signal(words) and signals(words), for this connection.

    The patterns stand in the functions as constants: the engine compiles a constant pattern once, and one that comes
    from a table anew for every row (60 s against half a second on 130,000 subjects).
    """
    cases = [
        f"case when {_is_class(row)} then {literal(row['class'])} end" for row in patterns if row["class"] != "any"
    ]
    every = next(row["pattern"] for row in patterns if row["class"] == "any")
    connection.execute(f"create or replace temp macro has_signal(words) as regexp_matches(words, {literal(every)})")
    connection.execute(
        "create or replace temp macro signals(words) as "
        f"list_filter([{', '.join(cases)}], lambda class: class is not null)"
    )


def _is_class(row: Mapping[str, str]) -> str:
    given = f"regexp_matches(words, {literal(row['pattern'])})"
    return f"{given} and not regexp_matches(words, {literal(row['but_not'])})" if row["but_not"] else given


def _table(
    engine: Engine, name: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] | None = None
) -> None:
    """Make setting.<name> of the rows; `columns` (name: type) where there may be none, or none with a value."""
    table = f"setting.{quoted(name)}"
    if columns:
        typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        engine.execute(f"create or replace table {table} ({typed})")
    if rows:
        engine.connection.register("settings_rows", pa.Table.from_pylist([dict(row) for row in rows]))
        fill = f"insert into {table} by name" if columns else f"create or replace table {table} as"
        engine.execute(f"{fill} select * from settings_rows")
        engine.connection.unregister("settings_rows")
