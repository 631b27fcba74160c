"""The report's top: the verdict, its size in points and in money, and its uncertainty as a picture."""

from __future__ import annotations

from warehouse.serving import comparison, effect_charts, formats, money, wording
from warehouse.serving.findings import Findings, Row
from warehouse.serving.page import escaped, figure, fold, paragraph


def answer(findings: Findings) -> str:
    """The section; every verdict stands in the same place in the same dress."""
    said = wording.answer(findings)
    details = "\n".join(paragraph(sentence) for sentence in said.details)
    return (
        f'<section id="answer" class="verdict" aria-label="The answer" data-verdict="{said.word}">\n'
        f"{paragraph(wording.LABELS[said.word], 'word')}\n{paragraph(said.headline, 'headline')}\n"
        f"{_tiles(findings)}{_money(findings)}{_picture(findings)}{details}\n</section>\n"
    )


def _tiles(findings: Findings) -> str:
    """What partnership goes with for each party, side by side: a bigger whole helps nobody whose share shrinks."""
    tiles = "".join(_tile(outcome, findings.estimate(wording.PRIMARY, outcome)) for outcome in wording.PARTIES)
    return f'<dl class="tiles">{tiles}</dl>\n'


def _tile(outcome: str, row: Row | None) -> str:
    name = wording.OUTCOMES[outcome]
    if row is None or row["difference"] is None:
        return _marked(name, formats.ABSENT, "", "cannot be told yet")
    spread = f"95 % interval {formats.point_interval(row['ci_low'], row['ci_high'])}"
    return _marked(name, formats.points(row["difference"], signed=True), "points", spread)


def _marked(name: str, size: str, unit: str, spread: str) -> str:
    of_unit = f" <small>{escaped(unit)}</small>" if unit else ""
    return (
        f'<div><dt>{escaped(name)}</dt><dd class="size">{escaped(size)}{of_unit}</dd>'
        f'<dd class="range">{escaped(spread)}</dd></div>'
    )


def _money(findings: Findings) -> str:
    """The yearly worth of the differences that are a share of revenue, and how it was computed."""
    worths = money.worths(findings)
    tiles = "".join(
        _marked(f"{each.name}, account of median size", each.amount, "a year", f"95 % interval {each.interval}")
        for each in worths
    )
    sentences = "\n".join(paragraph(sentence) for sentence in money.told(findings, worths))
    return (f'<dl class="tiles money">{tiles}</dl>\n' if tiles else "") + f"{sentences}\n"


def _picture(findings: Findings) -> str:
    rows = wording.of_primary(findings.contrast)
    drawn = effect_charts.drawable(rows)
    if not drawn:
        return ""
    smallest = findings.smallest(wording.PRIMARY, "mutual_value")
    matter = (
        f" Shaded are differences of less than {formats.points(smallest)} points, which are too small to matter."
        if smallest
        else ""
    )
    caption = (
        "The same difference computed in several ways; the line through each mark is its 95 % interval, the range of "
        f"differences that fits the data. “Like with like” decides, “Second method” must point the same way.{matter}"
    )
    numbers = comparison.estimates(findings, "Mutual value by each method", rows)
    return figure(effect_charts.estimates(drawn, smallest), caption, is_narrow=True) + fold(
        "The numbers of the picture", numbers
    )
