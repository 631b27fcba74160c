"""The report page: one self-contained HTML file for the head of customers, with the evidence below the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from warehouse.serving import comparison, firewall, formats, guide, health, relationships, wording
from warehouse.serving.findings import Findings, Row, read
from warehouse.serving.page import contents, escaped, page, paragraph, section


def render(database: Path, target: Path) -> Path:
    """Write `target`/index.html from the finished build or release `database`; the page's path.

    The page depends on the database alone and asks the network for nothing.

    Raises:
        UnfinishedBuild: a table or row of a finished build is missing.
        UnknownVerdict: the contrast carries a verdict that is none of the five words.
    """
    findings = read(database)
    target.mkdir(parents=True, exist_ok=True)
    path = target / "index.html"
    path.write_text(html_of(findings), encoding="utf-8", newline="\n")
    return path


def html_of(findings: Findings) -> str:
    """The whole page as text."""
    title = " · ".join(part for part in (findings.run.get("name"), "Mutual value") if part)
    sections = "".join(section(anchor, heading, *content(findings)) for anchor, (heading, content) in SECTIONS.items())
    links = contents([(anchor, heading) for anchor, (heading, _) in SECTIONS.items()])
    body = f"{_header(findings, title)}<main>\n{_answer(findings)}{links}{sections}</main>\n{_footer(findings)}"
    return page(title, body)


def _header(findings: Findings, title: str) -> str:
    as_of = paragraph(f"What is known up to {formats.day(findings.release['as_of'])}", "meta")
    return f"<header>\n<h1>{escaped(title)}</h1>\n{as_of}\n</header>\n"


def _footer(findings: Findings) -> str:
    release = findings.release
    line = f"Run {release['run_id']}, built {formats.moment(release['built_at'])}."
    return f"<footer>\n{paragraph(line, 'meta')}\n</footer>\n"


def _answer(findings: Findings) -> str:
    answer = wording.answer(findings)
    details = "\n".join(paragraph(sentence) for sentence in answer.details)
    return (
        f'<section id="answer" class="verdict" aria-label="The answer" data-verdict="{answer.word}">\n'
        f"{paragraph(wording.LABELS[answer.word], 'word')}\n{paragraph(answer.headline, 'headline')}\n"
        f"{_tiles(findings)}{details}\n</section>\n"
    )


def _tiles(findings: Findings) -> str:
    """What partnership goes with for each party, side by side: a bigger whole helps nobody whose share shrinks."""
    tiles = "".join(_tile(outcome, findings.estimate(wording.PRIMARY, outcome)) for outcome in wording.PARTIES)
    return f'<dl class="tiles">{tiles}</dl>\n'


def _tile(outcome: str, row: Row | None) -> str:
    name = wording.OUTCOMES[outcome]
    if row is None or row["difference"] is None:
        size, spread = "–", "cannot be told yet"
    else:
        size = f"{formats.points(row['difference'], signed=True)} <small>points</small>"
        spread = f"95 % interval {formats.point_interval(row['ci_low'], row['ci_high'])}"
    return f'<div><dt>{escaped(name)}</dt><dd class="size">{size}</dd><dd class="range">{escaped(spread)}</dd></div>'


SECTIONS: dict[str, tuple[str, Callable[[Findings], tuple[str, ...]]]] = {
    "map": ("The accounts", relationships.accounts_map),
    "comparison": ("The comparison", comparison.contrast),
    "retention": ("Who stays", relationships.retention),
    "months": ("Over the months", relationships.months),
    "movers": ("What moved", relationships.movers),
    "firewall": ("Style and value apart", firewall.firewall),
    "data": ("The data behind it", health.data),
    "guide": ("How to read this", guide.guide),
}
