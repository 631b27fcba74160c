"""An explanation in words: `mutual-value explain`."""

from __future__ import annotations

from collections.abc import Iterator

from warehouse.explanation import CLIPPED, Component, Explanation, Reading, Record
from warehouse.serving import formats

# A component that moved less is not worth its records.
LEAST_POINTS = 0.05
SHOWN = 12
STATES = {"entered": "+", "left": "-", "stayed": " "}


def lines(found: Explanation) -> Iterator[str]:
    """The explanation, line by line: the value, what moved it, how the relationship is run, and the records behind."""
    yield f"{found.name} ({found.account_id}), {formats.month(found.month)}"
    yield from _value(found)
    yield from _table("What moved it, in points of 100", found.components)
    yield from _table("How the relationship is run", found.indicators)
    yield from _behind(found)


def _value(found: Explanation) -> Iterator[str]:
    now, before = found.now, found.before
    if now["mutual_value"] is None:
        yield f"Mutual value is not known: {formats.text(now['reason'])}."
        return
    low, high = (formats.points(now[f"mutual_value_{end}"]) for end in ("low", "high"))
    value = f"Mutual value {formats.points(now['mutual_value'])} of 100 (95 % {low} to {high})"
    if found.change is None:
        yield f"{value}; of the month before none is known, so there is no change to explain."
    else:
        yield f"{value}, {_moved(found.change)} (before: {formats.points(before['mutual_value'])})."
    for side, name in (("customer_value", "They get"), ("supplier_value", "We get")):
        yield f"{name} {formats.points(now[side])} (before: {formats.points(before.get(side))})."
    if found.change is not None:
        yield from _sentence(found)


def _moved(points: float) -> str:
    if abs(points) < LEAST_POINTS:
        return "as in the month before"
    return f"{formats.fixed(abs(points), 1)} {'more' if points > 0 else 'less'} than in the month before"


def _sentence(found: Explanation) -> Iterator[str]:
    """The weightiest movements as one sentence."""
    moved = [each for each in found.components if each.points is not None and abs(each.points) >= LEAST_POINTS]
    if moved:
        told = [f"{each.label} {formats.fixed(each.points, 1, signed=True)}" for each in moved[:3]]
        yield f"Moved most by: {', '.join(told)}."


def _table(title: str, components: tuple[Component, ...]) -> Iterator[str]:
    shown = [each for each in components if each.measure_id == CLIPPED or each.now or each.before]
    if not shown:
        return
    yield ""
    yield f"{title}:"
    for each in shown:
        moved = f"{formats.fixed(each.points, 2, signed=True):>7} {_share(each):>7}  " if each.side != "style" else "  "
        yield f"{moved}{each.label}{_weight(each)}{_readings(each)}"


def _weight(component: Component) -> str:
    """How much it counts, where that is configured."""
    return "" if component.weight is None or component.weight == 1 else f" (weight {component.weight:g})"


def _share(component: Component) -> str:
    return formats.ABSENT if component.share is None else f"{formats.fixed(100 * component.share, 0)} %"


def _readings(component: Component) -> str:
    if component.measure_id == CLIPPED:
        return ""
    before, now = (_reading(each, component.unit) for each in (component.before, component.now))
    evidence = " -> ".join(formats.count(each.n if each else None) for each in (component.before, component.now))
    return f": {before} -> {now} (evidence {evidence})"


def _reading(reading: Reading | None, unit: str) -> str:
    if reading is None:
        return "not there"
    if reading.value is None:
        standing = " (stands at its segment's mean)" if reading.status == "thin" else ""
        return f"{formats.text(reading.reason)}{standing}"
    return f"{formats.fixed(reading.value, 3)} {unit}"


def _behind(found: Explanation) -> Iterator[str]:
    """The records behind what moved: `+` entered the window since the month before, `-` left it."""
    moved = [each for each in found.components if abs(each.points or 0) >= LEAST_POINTS]
    for each in (*moved, *found.indicators):
        if each.records:
            yield ""
            yield f"Behind {each.label} (+ entered the window, - left it):"
            yield from map(_record, each.records[:SHOWN])
            if len(each.records) > SHOWN:
                more = formats.count(len(each.records) - SHOWN)
                yield f"  and {more} more: transforms/evidence/{each.measure_id}.sql"


def _record(record: Record) -> str:
    day = formats.ABSENT if record.day is None else record.day.isoformat()
    number = formats.ABSENT if record.number is None else f"{record.number:,.2f}".rstrip("0").rstrip(".")
    return f"  {STATES[record.state]} {record.kind} {record.id}  {day}  {number} {record.what}"
