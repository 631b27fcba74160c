"""The report page: one self-contained HTML file for the head of customers, with the evidence below the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from warehouse.serving import (
    evidence,
    firewall,
    flow,
    formats,
    forwhom,
    guide,
    health,
    objections,
    relationships,
    staying,
)
from warehouse.serving.answer import answer
from warehouse.serving.findings import Findings, read
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
    body = f"{_header(findings, title)}<main>\n{answer(findings)}{links}{sections}</main>\n{_footer(findings)}"
    return page(title, body)


def _header(findings: Findings, title: str) -> str:
    as_of = paragraph(f"What is known up to {formats.day(findings.release['as_of'])}", "meta")
    return f"<header>\n<h1>{escaped(title)}</h1>\n{as_of}\n</header>\n"


def _footer(findings: Findings) -> str:
    release = findings.release
    line = f"Run {release['run_id']}, built {formats.moment(release['built_at'])}."
    return f"<footer>\n{paragraph(line, 'meta')}\n</footer>\n"


SECTIONS: dict[str, tuple[str, Callable[[Findings], tuple[str, ...]]]] = {
    "flow": ("Before the numbers", flow.flow),
    "objections": ("Five objections, and what the data say", objections.objections),
    "for-whom": ("For whom", forwhom.for_whom),
    "retention": ("Do they stay", staying.staying),
    "changes": ("Those who changed", staying.changing),
    "statistics": ("For statisticians", evidence.statistics),
    "map": ("The accounts", relationships.accounts_map),
    "months": ("Over the months", relationships.months),
    "movers": ("What moved", relationships.movers),
    "firewall": ("Style and value apart", firewall.firewall),
    "data": ("The data behind it", health.data),
    "guide": ("How to read this", guide.guide),
}
