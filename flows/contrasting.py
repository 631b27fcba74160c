"""The contrast in a terminal: `mutual-value contrast`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.table import Table

from flows.summary import verdict_on
from transforms.contrast.changes import changes, flat
from transforms.contrast.changes import told as text_of
from warehouse import protocols
from warehouse.engine import named_rows
from warehouse.errors import ConfigurationError
from warehouse.project import Project
from warehouse.serving import formats
from warehouse.serving.publish import DATABASE

Row = dict[str, Any]

# The estimator whose interval decides; the others stand beside it.
DECIDES = "overlap"
SHORT = 12


@dataclass(frozen=True)
class Contrast:
    """What a release says of the contrast: rows of its tables, the current protocol first."""

    contrast: list[Row]
    flow: list[Row]
    power: list[Row]
    protocols: list[Row]

    @property
    def protocol(self) -> Row:
        return self.protocols[0]

    def primary(self, rows: Sequence[Row], comparison: str | None = None) -> list[Row]:
        """The rows on the primary outcome, of the primary comparison unless another is named."""
        wanted = (comparison or self.protocol["comparison"], self.protocol["outcome"])
        return [row for row in rows if (row["comparison"], row["outcome"]) == wanted]

    @property
    def comparisons(self) -> list[str]:
        """The primary one first."""
        every = dict.fromkeys([self.protocol["comparison"], *(row["comparison"] for row in self.contrast)])
        return list(every)


def read(database: Path) -> Contrast:
    """Read what a release says of the contrast.

    Raises:
        ConfigurationError: the release was made before its tables were.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        try:
            return Contrast(
                named_rows(connection, "from mart.contrast order by comparison, outcome, estimator"),
                named_rows(
                    connection, "from mart.contrast_flow order by comparison, outcome, step, accounts desc, reason"
                ),
                named_rows(connection, "from mart.contrast_power order by comparison, outcome"),
                named_rows(connection, "from audit.protocol order by is_current desc, last_run_id desc"),
            )
        except duckdb.CatalogException:
            raise ConfigurationError(
                f"{database} was made by an earlier version. Make a new release with: mutual-value run"
            ) from None


def told(found: Contrast) -> Iterator[str | Table]:
    """The verdict, who was compared, what could be found, the estimates, and what a reader must know of them."""
    yield from _verdict(found)
    yield from _flow(found)
    yield from _power(found)
    yield from _estimators(found)
    for comparison in found.comparisons:
        yield from _outcomes(found, comparison)
    yield from _notes(found)


# --- the verdict ------------------------------------------------------------------------------------------------------


def _verdict(found: Contrast) -> Iterator[str]:
    protocol = found.protocol
    yield verdict_on(*(protocol[name] for name in ("outcome", "verdict", "difference", "ci_low", "ci_high")))
    yield from (f"  {_sentence(reason)}" for reason in _reasons(found)[:1])


def _reasons(found: Contrast) -> list[str]:
    """The verdict's reason, and the notes behind it where there are estimates to note something of."""
    reason = next((row["reason"] or "" for row in found.primary(found.contrast)), "")
    return reason.split("; ") if found.protocol["difference"] is not None else [reason]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


# --- who and how many -------------------------------------------------------------------------------------------------


def _flow(found: Contrast) -> Iterator[str]:
    rows = found.primary(found.flow)
    steps = ("in", "excluded", "compared")
    yield ""
    yield f"Accounts, {_named(found.protocol)}:"
    for row in sorted(rows, key=lambda row: steps.index(row["step"])):
        yield f"  {formats.count(row['accounts']):>6} {row['step']}{': ' if row['reason'] else ''}{row['reason']}"


def _named(row: Row) -> str:
    return f"{row['comparison']}, {row['outcome']}"


def _power(found: Contrast) -> Iterator[str]:
    yield ""
    yield "What could be found, by the number of accounts alone (two-sided 5 %):"
    for comparison in found.comparisons:
        for row in found.primary(found.power, comparison):
            yield f"  {_named(row)}: {_both(row, 'n')} accounts{_effective(row)}"
            yield from (f"    {line}" for line in _findable(row))


def _effective(row: Row) -> str:
    is_known = row["effective_n_partnership"] is not None
    return f", weighted they count as {_both(row, 'effective_n')}" if is_known else ""


def _findable(row: Row) -> Iterator[str]:
    if row["detectable_g"] is not None:
        yield f"find {formats.fixed(row['detectable_g'])} standard deviations or more 8 times of 10"
    needed, smallest = formats.count(row["needed_per_arm"]), formats.fixed(row["smallest_effect"])
    yield f"{smallest}, the smallest effect of interest, needs {needed} in each arm: {_both(row, 'more')} more"
    if row["more_to_compare"]:
        yield f"{formats.count(row['more_to_compare'])} more are needed before anything is estimated"


def _both(row: Row, prefix: str) -> str:
    return " and ".join(formats.count(row[f"{prefix}_{arm}"]) for arm in ("partnership", "comparison"))


# --- the estimates ----------------------------------------------------------------------------------------------------


def _estimators(found: Contrast) -> Iterator[str | Table]:
    rows = [row for row in found.primary(found.contrast) if row["difference"] is not None]
    if rows:
        yield ""
        yield f"Every estimator, {_named(found.protocol)} ({DECIDES} decides):"
        yield _table(
            ("estimator", "accounts", "difference", "95 % interval", "g", "p"),
            [(row["estimator"], _arms(row), *_sizes(row), _chance(row["p_value"])) for row in rows],
        )


def _arms(row: Row) -> str:
    return f"{formats.count(row['n_partnership'])} / {formats.count(row['n_comparison'])}"


def _outcomes(found: Contrast, comparison: str) -> Iterator[str | Table]:
    rows = [row for row in found.contrast if row["comparison"] == comparison and row["estimator"] == DECIDES]
    if any(row["difference"] is not None for row in rows):
        yield ""
        yield f"Every outcome, {comparison}:"
        yield _table(
            ("outcome", "difference", "95 % interval", "g", "q", "verdict"),
            [(row["outcome"], *_sizes(row), _chance(row["q_value"]), formats.words(row["verdict"])) for row in rows],
        )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table that fits into 80 columns."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for place, heading in enumerate(headings):
        is_text = place == 0 or heading == "verdict"
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _sizes(row: Row) -> tuple[str, ...]:
    """The difference with its interval, and Hedges' g; nothing where it is not estimable."""
    if row["difference"] is None:
        return ("", "", "")
    interval = f"{_number(row['ci_low'])} to {_number(row['ci_high'])}"
    return (_number(row["difference"]), interval, formats.fixed(row["hedges_g"], signed=True))


def _chance(p: float | None) -> str:
    return "" if p is None else "<.001" if p < 0.001 else formats.fixed(p, 3)


def _number(value: float) -> str:
    """Three digits that count: a terminal has room for no more."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return formats.fixed(value, digits, signed=True)


# --- notes ------------------------------------------------------------------------------------------------------------


def _notes(found: Contrast) -> Iterator[str]:
    protocol = found.protocol
    yield ""
    yield "Notes:"
    yield from (f"  {_sentence(reason)}" for reason in _reasons(found)[1:])
    yield from (f"  {line}" for line in _not_estimable(found))
    held = f"since the night as of {protocol['since_as_of']}"
    yield f"  Protocol {protocol['protocol_hash'][:SHORT]}, {held}; see all of it with --protocol."
    yield from (f"  {line}" for line in _earlier(found))


def _not_estimable(found: Contrast) -> Iterator[str]:
    """Why the other comparisons are not estimable on the primary outcome, and where the rest is told."""
    for comparison in found.comparisons[1:]:
        blank = [row for row in found.primary(found.contrast, comparison) if row["difference"] is None]
        yield from (f"{_named(row)}: {_sentence(row['reason'] or '')}" for row in blank[:1])
    if any(row["difference"] is None for row in found.contrast):
        yield "Why an outcome is not estimable is told in mart.contrast and on the report page."


def _earlier(found: Contrast) -> Iterator[str]:
    """What was changed, and what earlier protocols decided last."""
    if found.protocol["changed"]:
        yield f"It was changed: {found.protocol['changed']}."
    for row in found.protocols[1:]:
        size = verdict_on(*(row[name] for name in ("outcome", "verdict", "difference", "ci_low", "ci_high")))
        yield f"Under {row['protocol_hash'][:SHORT]}, last as of {row['last_as_of']}: {size}"


# --- the protocol -----------------------------------------------------------------------------------------------------


def protocol_lines(project: Project) -> Iterator[str]:
    """The protocol that the next night will have, and how it differs from the published release's and earlier ones."""
    protocol = protocols.load(project)
    yield f"Protocol {protocol.hash}"
    yield from (f"  {key} = {text_of(value)}" for key, value in flat(protocol.content).items())
    if not (project.current / DATABASE).exists():
        yield "No release yet: it holds from the first night on."
        return
    found = read(project.current / DATABASE)
    if protocol.hash == found.protocol["protocol_hash"]:
        yield f"The published release has it, since the night as of {found.protocol['since_as_of']}."
    else:
        last = found.protocol
        changed = "; ".join(changes(json.loads(last["protocol"]), protocol.content))
        yield f"The published release has another, {last['protocol_hash'][:SHORT]}; from the next night on: {changed}."
    yield from _earlier(found)
