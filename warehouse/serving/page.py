"""The building blocks of the report's HTML. Whatever comes from data is escaped here and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from warehouse.serving.findings import Row

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Column:
    """A table's column: its heading, how a row shows in it, and whether it holds numbers (set flush right)."""

    heading: str
    cell: Callable[[Row], str]
    is_number: bool = False


def escaped(text: str) -> str:
    """Text from anywhere as HTML text or attribute; a number is not parted from its percent sign."""
    return html.escape(text, quote=True).replace(" %", "\N{NO-BREAK SPACE}%")


def paragraph(text: str, css_class: str = "") -> str:
    attribute = f' class="{css_class}"' if css_class else ""
    return f"<p{attribute}>{escaped(text)}</p>"


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """A table with a caption and scopes; the first column names the row. It scrolls by itself where it is too wide."""
    head = "".join(f'<th scope="col"{_flush(column)}>{escaped(column.heading)}</th>' for column in columns)
    body = "".join(f"<tr>{_cells(columns, row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" role="region" aria-label="{escaped(caption)}" tabindex="0"><table>\n'
        f"<caption>{escaped(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _cells(columns: Sequence[Column], row: Row) -> str:
    first, *others = columns
    cells = "".join(f"<td{_flush(column)}>{escaped(column.cell(row))}</td>" for column in others)
    return f'<th scope="row">{escaped(first.cell(row))}</th>{cells}'


def _flush(column: Column) -> str:
    return ' class="number"' if column.is_number else ""


def figure(svg: str, caption: str, *, is_narrow: bool = False) -> str:
    """A rendered picture (trusted markup) with its caption; one that is not narrow scrolls by itself on a telephone."""
    css_class = "picture" if is_narrow else "picture wide"
    return f'<figure>\n<div class="{css_class}">{svg}</div>\n<figcaption>{escaped(caption)}</figcaption>\n</figure>\n'


def fold(summary: str, content: str) -> str:
    """Content that opens on a click, without a script."""
    return f"<details><summary>{escaped(summary)}</summary>\n{content}</details>\n"


def section(anchor: str, heading: str, *content: str) -> str:
    body = "\n".join(part for part in content if part)
    title = f'<h2 id="{anchor}-h">{escaped(heading)}</h2>'
    return f'<section id="{anchor}" aria-labelledby="{anchor}-h">\n{title}\n{body}\n</section>\n'


def contents(sections: Sequence[tuple[str, str]]) -> str:
    """The list of links to the sections, given as (anchor, heading)."""
    items = "".join(f'<li><a href="#{anchor}">{escaped(heading)}</a></li>' for anchor, heading in sections)
    return f'<nav aria-label="Contents"><ul>{items}</ul></nav>\n'


def page(title: str, body: str) -> str:
    """The whole page. Its policy allows the style sheet inside it, by hash, and nothing else: no script, no request."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = Template((TEMPLATES / "report.html").read_text(encoding="utf-8"))
    return template.substitute(title=escaped(title), style=style, digest=digest, body=body)
