"""The report page: what it says in each case, and that it is one safe, readable, self-contained file."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.tables import Example
from tests.warehouse.finished_build import (
    MODEL_COLUMNS,
    FinishedBuild,
    contrast_rows,
    empty_build,
    finished_build,
    month_after,
)
from warehouse.build import Run, contrast, finish
from warehouse.engine import quoted
from warehouse.models import declared_tables, find_models
from warehouse.serving import findings
from warehouse.serving.page import TEMPLATES
from warehouse.serving.publish import UnfinishedBuild
from warehouse.serving.report import render
from warehouse.serving.wording import GOALS_LEFT_OUT, LABELS, NO_GOALS, UnknownVerdict

Render = Callable[[FinishedBuild], "Page"]
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart: its elements with attributes, and the text inside them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.headings: list[str] = []
        self.unclosed: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.unclosed:
            return
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")
        if {"td", "th"} & set(self.unclosed):
            self.rows[-1][-1] += data.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def paragraph(self, css_class: str) -> str:
        found = re.search(rf'<p class="{css_class}">(.*?)</p>', self.source, re.S)
        assert found
        return found[1].replace("\N{NO-BREAK SPACE}", " ")

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first)


@pytest.fixture
def rendered(tmp_path: Path) -> Render:
    """Writes the build, renders it and takes the page apart; each time in a folder of its own."""
    folders = (tmp_path / str(number) for number in count())

    def make(build: FinishedBuild) -> Page:
        folder = next(folders)
        folder.mkdir()
        database = build.write(folder / "warehouse.duckdb")
        return Page(render(database, folder / "report").read_text(encoding="utf-8"))

    return make


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a plausible build of 60 accounts over a year."""
    folder = tmp_path_factory.mktemp("report")
    database = finished_build().write(folder / "warehouse.duckdb")
    return Page(render(database, folder / "report").read_text(encoding="utf-8"))


def test_the_made_up_build_has_the_columns_of_the_models() -> None:
    models = {model.table: model for model in find_models()}
    for table in (
        "mart.account",
        "mart.month",
        "mart.measure",
        "mart.account_month_measure",
        "mart.relationship_month",
    ):
        assert list(MODEL_COLUMNS[table]) == list(models[table].columns), table
    assert set(MODEL_COLUMNS["audit.matching"]) <= set(models["audit.matching"].columns)


# --- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (
            "supported",
            "Accounts run as partnerships had 6.2 points more mutual value than comparable accounts that are not "
            "(95 % interval +3.1 to +9.3).",
        ),
        (
            "contradicted",
            "Accounts run as partnerships had 6.2 points less mutual value than comparable accounts that are not "
            "(95 % interval −9.3 to −3.1).",
        ),
        (
            "inconclusive",
            "The data do not settle whether partnership goes with more mutual value: +2.1 points "
            "(95 % interval −1.2 to +5.4), which fits with more, with less and with no difference.",
        ),
        (
            "practically_null",
            "Partnership made no difference that matters to mutual value: +0.2 points (95 % interval −1.1 to +1.5).",
        ),
        (
            "not_estimable",
            "Whether partnership goes with more mutual value cannot be told yet: 12 accounts in the high arm; "
            "30 needed.",
        ),
    ],
)
def test_the_first_sentence_says_the_verdict_with_its_size_and_interval(
    rendered: Render, word: str, sentence: str
) -> None:
    page = rendered(finished_build(word=word, months=2))
    assert page.paragraph("headline") == sentence
    assert page.paragraph("word") == LABELS[word]


def test_every_verdict_stands_in_the_same_place_in_the_same_dress(rendered: Render) -> None:
    def top(word: str) -> list[str]:
        source = rendered(finished_build(word=word, months=1)).source
        return re.findall(r"<(?:section|p|dl)[^>]*>", source[source.index("<main>") : source.index("</dl>")])

    tops = {
        word: [tag.replace(word, "…") for tag in top(word)] for word in ("supported", "contradicted", "not_estimable")
    }
    assert tops["supported"] == tops["contradicted"] == tops["not_estimable"]
    assert tops["supported"][1:3] == ['<p class="word">', '<p class="headline">']


def test_an_inconclusive_difference_above_zero_names_the_disagreeing_method(rendered: Render) -> None:
    build = finished_build(word="inconclusive", months=1)
    for row in build.rows["mart.contrast"]:
        row |= {"difference": 0.05, "ci_low": 0.01, "ci_high": 0.09}
    assert "a second method of comparing points the other way" in rendered(build).paragraph("headline")


def test_the_page_opens_by_saying_that_goals_were_not_measured(rendered: Render) -> None:
    assert rendered(finished_build(goals=False, months=7)).paragraph("headline").startswith(NO_GOALS)


def test_weights_are_told_where_they_were_configured(page: Page, rendered: Render) -> None:
    assert "given weights" not in page.text
    build = finished_build(goals=False, months=7)
    weights = {"shared_goal_coverage": 0.0, "mutual_responsibility": 0.0, "csat": 2.5}
    for row in build.rows["mart.measure"]:
        row["weight"] = weights.get(row["measure_id"], row["weight"])
    weighted = rendered(build)
    assert weighted.paragraph("headline").startswith(GOALS_LEFT_OUT)
    assert (
        "The measures in the scores were given weights: Mutual responsibility 0, Shared goals 0, Satisfaction 2.5; "
        "every other one weighs 1." in weighted.text
    )


def test_goals_measured_for_some_accounts_are_counted_below_the_headline(rendered: Render) -> None:
    build = finished_build(months=7)
    for row in build.rows["mart.relationship_month"]:
        if int(row["account_id"].removeprefix("crm:")) >= 20:
            row["evidence"] = "no_goals"
    page = rendered(build)
    assert not page.paragraph("headline").startswith(NO_GOALS)
    # 60 accounts, every tenth without a partnership; of the first 20, two.
    assert "Shared goals were measured for 18 of the 54 accounts whose partnership could be measured." in page.text


def test_goals_count_at_the_end_of_the_style_window_not_today(rendered: Render) -> None:
    build = finished_build(months=7)
    for row in build.rows["mart.relationship_month"]:
        is_style_month = row["month"] == month_after(build.rows["setting.run"][0]["t0"], -1)
        row["evidence"] = "no_goals" if is_style_month else "goals"
    assert rendered(build).paragraph("headline").startswith(NO_GOALS)


def test_what_cannot_be_told_comes_with_what_would_be_needed(rendered: Render) -> None:
    page = rendered(finished_build(word="not_estimable", months=7))
    assert "Just before January 2026, 54 of 60 accounts had enough evidence to say how they are run" in page.text
    assert "What would be needed: enough comparable accounts both high and low in partnership" in page.text
    assert page.text.count("cannot be told yet") >= 3


def test_mostly_missing_signs_of_style_are_named_with_their_reasons(rendered: Render) -> None:
    build = finished_build(word="not_estimable", months=7)
    for row in build.rows["mart.account_month_measure"]:
        is_goals = row["measure_id"] == "shared_goal_coverage"
        row |= {"status": "null", "reason": "source_not_connected"} if is_goals else {"status": "ok", "reason": None}
    # Ten accounts over three months.
    assert "Mostly missing today, in account-months: Shared goals (source not connected (30))." in rendered(build).text


def test_the_two_groups_and_windows_are_named(page: Page) -> None:
    assert "the 142 accounts run most as partnerships (partnership of 60 points or more)" in page.text
    assert "the 130 accounts run least so (40 or less)" in page.text
    assert "over the 12 months before January 2026" in page.text
    assert "from then to June 2026" in page.text


def test_both_parties_shares_stand_beside_the_whole(rendered: Render) -> None:
    build = finished_build(months=1)
    for row in build.rows["mart.contrast"]:
        if row["outcome"] == "customer_value":
            row |= {"difference": -0.011, "ci_low": -0.04, "ci_high": 0.018}
    tiles = rendered(build).source.split('<dl class="tiles">')[1].split("</dl>")[0]
    assert re.findall(r"<dt>(.*?)</dt>", tiles) == ["Mutual value", "What customers get", "What we get"]
    assert re.findall(r'class="size">(\S+)', tiles) == ["+6.2", "−1.1", "+6.2"]


def test_only_the_last_complete_month_is_on_the_map(page: Page) -> None:
    # 54 of 60 accounts have both axes.
    assert "All 54 accounts on the map" in page.text
    assert "Each circle is an account at the end of June 2026" in page.text


def test_extremes_are_listed_best_and_least_first(page: Page) -> None:
    best = page.source.split("<caption>Most mutual value")[1].split("</table>")[0]
    least = page.source.split("<caption>Least mutual value")[1].split("</table>")[0]
    highest, lowest = _mutual_values(best), _mutual_values(least)
    assert len(highest) == len(lowest) == 8
    assert highest == sorted(highest, reverse=True)
    assert lowest == sorted(lowest)
    assert min(highest) >= max(lowest)


def _mutual_values(table: str) -> list[int]:
    """Of each row of accounts, the cell behind segment, style, partnership and cost focus."""
    rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.S)
    return [int(re.findall(r"<td[^>]*>(.*?)</td>", row)[4]) for row in rows]


def test_an_unknown_value_is_a_dash_and_never_a_zero(rendered: Render) -> None:
    build = finished_build(accounts=3, months=1)
    build.rows["mart.relationship_month"][0] |= {"mutual_value": None, "customer_value": None, "mrr": None}
    *_, partnership, cost_focus, mutual, they, we, mrr = rendered(build).row("Company 000 A/S")
    assert (mutual, they, mrr) == ("–", "–", "–")
    assert "–" not in (partnership, cost_focus, we)


def test_more_accounts_than_can_be_drawn_are_drawn_in_bins(rendered: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "POINTS_AT_MOST", 20)
    page = rendered(finished_build(accounts=60, months=1))
    binned = page.source.split("<caption>The map, by cell")[1].split("</table>")[0]
    counts = [int(row[1]) for row in (re.findall(r"<td[^>]*>(.*?)</td>", each) for each in binned.split("<tr>")[2:])]
    assert sum(counts) == 54
    assert "All 54 accounts" not in page.text


def test_the_running_month_and_small_groups_are_left_out_of_the_trend(rendered: Render) -> None:
    build = finished_build(accounts=60, months=2)
    running = build.rows["mart.month"][-1]["month"]
    build.rows["mart.relationship_month"] += [
        {**row, "month": running} for row in build.rows["mart.relationship_month"] if row["month"].month == 6
    ]
    for row in build.rows["mart.relationship_month"]:
        is_first = int(row["account_id"].removeprefix("crm:")) < 4
        row["style"] = "Dormant" if is_first else "Partnership"
    page = rendered(build)
    trend = page.source.split("<caption>Median mutual value by style and month")[1].split("</table>")[0]
    assert re.findall(r"<td>(.*?)</td>", trend) == ["May 2026", "June 2026"]
    assert "Dormant" not in trend


def test_every_outcome_and_method_is_in_the_table_in_its_own_unit(page: Page) -> None:
    primary = page.source.split("<caption>Most against least partnership: every outcome and method")[1]
    rows = primary.split("</table>")[0].split("<tr>")[2:]
    assert len(rows) == 7 * 3
    nrr = next(row for row in rows if "Net revenue retention" in row and "Like with like" in row)
    satisfaction = next(row for row in rows if "Satisfaction (points)" in row and "Like with like" in row)
    assert ">0.062<" in nrr
    assert ">6.2<" in satisfaction


def test_the_data_section_counts_what_came_in_and_what_did_not(page: Page) -> None:
    assert page.row("salesforce") == ["salesforce", "1", "0", "0", "1,200", "1,190", "4", "6"]
    assert page.row("notes.csv") == ["notes.csv", "zendesk", "no entity of zendesk has these headers"]
    assert page.row("negative duration")[-1] == "4"
    assert ["zendesk", "accounts", "60", "5", "8 %"] in page.rows
    assert page.row("coverage gap")[-1] == "stripe: no invoices for 41 days"
    assert ["zendesk", "all", "3 January 2024", "29 June 2026", "window", "csat, tags", "Mood"] in page.rows


def test_what_changed_in_the_exports_is_said_and_what_did_not_is_not(page: Page) -> None:
    assert ["zendesk", "all", "–", "ticket.reopens", "–", "–"] in page.rows
    assert ["salesforce", "account", "30 June 2026", "30", "60", "–", "it holds 30 records"] in page.rows
    assert not [row for row in page.rows if row[:3] == ["salesforce", "account", "31 May 2026"]]


def test_how_many_contacts_have_no_known_purpose_is_said(page: Page) -> None:
    assert ["salesforce", "meeting", "40", "10", "20", "10", "25 %"] in page.rows


def test_measures_are_counted_as_known_thin_and_missing(page: Page) -> None:
    # Ten accounts over three months, two of five states known, one thin, two missing.
    assert page.row("Shared goals")[1:5] == ["style", "12", "6", "12"]
    assert page.row("Shared goals")[5] == "below min n (6), source not connected (6)"


def test_the_page_names_the_protocol_run_and_code(page: Page) -> None:
    for fact in (
        "9f" * 32,
        "20260701T020000Z-abcd",
        "0.1.0",
        "first_12_months",
        "30 June 2026",
        "1 July 2026 00:04 UTC",
    ):
        assert fact in page.text


def test_the_first_night_without_files_gives_sentences_and_no_broken_pictures(rendered: Render) -> None:
    page = rendered(empty_build())
    assert page.all("svg") == []
    for sentence in (
        "No account has enough evidence for a style yet.",
        "The comparison has not been computed.",
        "No account with a style was followed long enough",
        "No month has 5 accounts of one style",
        "No file has been landed.",
        "No check of this run is on record.",
    ):
        assert sentence in page.text


def test_accounts_left_out_are_counted_by_reason_where_no_style_is_known(rendered: Render) -> None:
    build = empty_build()
    key = {"comparison": "partnership_high_vs_low", "outcome": "mutual_value"}
    build.rows["mart.contrast_flow"] = [
        {**key, "step": "in", "reason": "", "accounts": 500},
        {**key, "step": "excluded", "reason": "partnership: 1 of 3 indicators", "accounts": 500},
    ]
    build.rows["mart.contrast"] = contrast_rows("not_estimable")
    text = rendered(build).text
    assert "No account has enough evidence for a style yet: partnership: 1 of 3 indicators (500 accounts)." in text
    assert "Of 500 accounts on record 0 stand in the comparison" in text


def test_all_checks_passed_is_said_in_one_sentence(rendered: Render) -> None:
    build = finished_build(months=1)
    for row in build.rows["audit.expectation"]:
        row["success"] = True
    assert "All 2 checks passed." in rendered(build).text


def test_a_build_by_the_models_themselves_renders(example: Callable[..., Example], tmp_path: Path) -> None:
    """Not the made-up tables: the SQL models and the contrast over drawn source rows, closed as a night closes them."""
    world = example().put("account", "source_id | name | customer_since\nA | Alfa | 2024-01-01\nB | Beta | 2024-03-01")
    world.run()
    for model in declared_tables():
        if model.schema == "audit":
            columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in model.types.items())
            world.engine.execute(f"create or replace table {model.table} ({columns})")
    contrast(world.engine, world.project, world.as_of)
    started = dt.datetime(2026, 6, 30, 2)
    database = finish(world.engine, world.project, Run("20260630T020000Z-1", started, world.as_of))
    page = Page(render(database, tmp_path / "report").read_text(encoding="utf-8"))
    assert page.paragraph("word") == LABELS["not_estimable"]
    assert page.all("svg") == []
    assert page.row("Shared goals")[2] == "0"
    assert "source not connected" in page.row("Shared goals")[5]


# --- how it is made -------------------------------------------------------------------------------------------------


def test_the_page_asks_the_network_for_nothing(page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
    for _, attributes in page.elements:
        assert not {"src", "srcset", "style", "xlink:href"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    addresses = set(re.findall(r'https?://[^\s"<]+', page.source))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page.source))


def test_the_policy_allows_the_one_style_sheet_by_its_hash_and_nothing_else(page: Page) -> None:
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    style = page.source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_text_from_data_is_escaped_wherever_it_shows(rendered: Render) -> None:
    evil = '<script>alert("x")</script>&\'$title'
    build = finished_build(accounts=12, months=1)
    build.rows["mart.account"][1] |= {"name": evil, "segment": evil}
    for row in build.rows["audit.file"] + build.rows["audit.matching"] + build.rows["audit.coverage"]:
        row |= {"system": evil}
    build.rows["audit.file"][2] |= {"name": evil, "message": evil}
    build.rows["audit.quarantine"][0] |= {"rule": evil, "entity": evil}
    build.rows["audit.expectation"][1] |= {"observed": evil, "suite": evil}
    for table in ("mart.contrast_flow", "mart.contrast_segment"):
        for row in build.rows[table]:
            row["reason"] = evil
    for table in ("mart.contrast_sensitivity", "mart.contrast_test"):
        for row in build.rows[table]:
            row["note"] = evil
    for row in build.rows["mart.contrast_segment"]:
        row["level"] = evil + row["level"]
    for row in build.rows["mart.contrast_balance"]:
        row["covariate"] = evil + row["covariate"]
    for row in build.rows["mart.retention"]:
        row["style"] = evil
    page = rendered(build)
    assert "<script" not in page.source
    assert page.text.count("<script>alert") > 8


def test_the_page_is_well_formed_and_its_ids_are_unique(page: Page) -> None:
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if "href" in attributes:
            assert (attributes["href"] or "").removeprefix("#") in ids


def test_a_screen_reader_finds_landmarks_headings_and_names(page: Page) -> None:
    for landmark in ("header", "main", "nav", "footer", "h1"):
        assert len(page.all(landmark)) == 1, landmark
    levels = [int(heading[1]) for heading in page.headings]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("svg")) == len(page.all("figure")) == len(page.all("figcaption")) == 10
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"


def test_every_picture_has_its_numbers_in_a_table_beside_it(page: Page) -> None:
    for figure in page.source.split("<figure>")[1:]:
        assert "<table>" in figure.split("</section>")[0]


def _colours(sheet: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", sheet))


def _luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _ratio(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_has_contrast_aa_and_lines_three_to_one(scheme: str) -> None:
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, dark = sheet.split("@media (prefers-color-scheme: dark)")
    colours = _colours(light)
    if scheme != "light":
        colours |= _colours(dark.split("* {")[0] if scheme == "dark" else sheet.split("@media print")[1])
    for ground in ("page", "panel"):
        assert all(_ratio(colours[text], colours[ground]) >= 4.5 for text in ("ink", "soft", "accent"))
    assert all(_ratio(colours[f"style-{number}"], colours["page"]) >= 3 for number in range(1, 6))


def test_pictures_take_their_colours_from_the_page(page: Page) -> None:
    """Else they would not follow the dark scheme. Invisible marks of Vega's own may keep theirs."""
    drawn = "".join(re.findall(r"<svg.*?</svg>", page.source, re.S))
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn))
    assert {each for each in used if not each.startswith("var(--")} <= {"currentColor", "none", "transparent"}
    known = set(re.findall(r"(--[\w-]+):", page.source))
    assert {each[4:-1] for each in used if each.startswith("var(")} <= known


def test_six_hundred_accounts_stay_under_600_kilobytes(tmp_path: Path) -> None:
    database = finished_build(accounts=600, months=24).write(tmp_path / "warehouse.duckdb")
    assert render(database, tmp_path / "report").stat().st_size < 600_000


def test_the_same_build_gives_the_same_page_in_any_time_zone(tmp_path: Path) -> None:
    database = finished_build(accounts=20, months=12).write(tmp_path / "warehouse.duckdb")
    here = render(database, tmp_path / "here").read_bytes()
    assert render(database, tmp_path / "again").read_bytes() == here
    code = (
        "import sys; from pathlib import Path; from warehouse.serving.report import render; "
        "render(*map(Path, sys.argv[1:]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(database), str(tmp_path / "there")],
        check=True,
        env={**os.environ, "TZ": "America/Los_Angeles"},
        cwd=Path(__file__).parents[2],
    )
    assert (tmp_path / "there" / "index.html").read_bytes() == here


def test_rendering_changes_nothing_in_the_build(tmp_path: Path) -> None:
    database = finished_build(accounts=5, months=1).write(tmp_path / "warehouse.duckdb")
    database.chmod(0o444)
    before = database.read_bytes()
    path = render(database, tmp_path / "deep" / "report")
    assert path == tmp_path / "deep" / "report" / "index.html"
    assert database.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["deep", "warehouse.duckdb"]


def test_a_database_that_is_no_build_is_refused_by_name(tmp_path: Path) -> None:
    database = tmp_path / "other.duckdb"
    duckdb.connect(str(database)).close()
    with pytest.raises(UnfinishedBuild, match=r"other\.duckdb is no finished build: .*mart.*mutual-value run"):
        render(database, tmp_path / "report")


def test_a_build_without_its_release_row_is_refused(tmp_path: Path) -> None:
    build = empty_build()
    build.rows["mart.release"] = []
    with pytest.raises(UnfinishedBuild, match=r"mart\.release has 0 rows instead of one"):
        render(build.write(tmp_path / "warehouse.duckdb"), tmp_path / "report")


def test_a_verdict_that_is_no_word_of_the_protocol_is_refused(tmp_path: Path) -> None:
    build = finished_build(accounts=5, months=1)
    rows: list[dict[str, Any]] = build.rows["mart.contrast"]
    for row in rows:
        row["verdict"] = "proven"
    with pytest.raises(UnknownVerdict, match="'proven' is none of supported, contradicted"):
        render(build.write(tmp_path / "warehouse.duckdb"), tmp_path / "report")


# The firewall and what moved -----------------------------------------------------------------------------------------


def test_the_proof_counts_both_sides_and_says_that_nothing_is_in_both(rendered: Render) -> None:
    page = rendered(finished_build())
    assert re.search(r"\d+ measures of style rest on \d+ columns of the exports", page.text)
    assert "no column is in both" in page.text


def test_a_shared_column_and_a_mapping_that_leaks_are_named(rendered: Render) -> None:
    build = finished_build()
    shared = {"source_column": "ticket.csat", "use": "value", "may_be_shared": False, "path": ""}
    build.rows["audit.lineage"] = [
        {**shared, "measure_id": "csat", "side": "customer", "part": "customer_value"},
        {**shared, "measure_id": "dispute_rate", "side": "style", "part": "cost_focus_customer"},
        # The same column in a harmless use on one side hides nothing.
        {
            **shared,
            "measure_id": "price_pressure",
            "side": "style",
            "part": "cost_focus_customer",
            "may_be_shared": True,
        },
    ]
    build.rows["setting.leak"] = [
        {
            "measure_id": "csat", "style_measure_id": "price_pressure", "system": "zendesk", "entity": "ticket",
            "source_column": "Mood", "style_column": "ticket.subject", "value_column": "ticket.csat",
        }
    ]  # fmt: skip
    page = rendered(build)
    assert "shared are ticket.csat" in page.text
    assert ["csat", "price_pressure", "zendesk, ticket", "Mood", "ticket.subject", "ticket.csat"] in page.rows


def test_the_accounts_that_moved_most_show_their_components(rendered: Render) -> None:
    build = finished_build()
    page = rendered(build)
    moved = [row for row in page.rows if row[:2] == ["Reopened tickets", "customer"] and len(row) == 3]
    assert len(moved) == 10
    build.rows["mart.score_change"] = []
    assert "For no account is mutual value known in the last two months." in rendered(build).text
