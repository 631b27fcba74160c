"""`mutual-value links`: what waits for a person, what a person says, and what is said back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import app
from warehouse.links import LinkDecision, read
from warehouse.lock import hold
from warehouse.project import Project
from warehouse.suggestions import COLUMNS, write

RELEASE = """
create schema audit;
create schema canonical;
create table canonical.account_source as select * from (values
    ('crm', '1', true, 'Alfa A/S'), ('crm', '2', true, 'Beta A/S'), ('crm', '3', true, 'Alfa Holding'),
    ('bill', 'c1', false, 'ALFA'), ('bill', 'c2', false, 'Beta'), ('desk', '7', false, 'Alfa'), ('desk', '8', false, null)
) as account(source_system, source_account_id, is_master, name);
create table audit.identity as select * from (values
    ('crm', '1', 'crm:1', 'exact_id', null, null), ('crm', '2', 'crm:2', 'exact_id', null, null),
    ('crm', '3', 'crm:3', 'exact_id', null, null), ('bill', 'c1', null, 'unmatched', null, null),
    ('bill', 'c2', 'crm:2', 'vat', timestamp '2026-03-01 02:00:00', 'crm:3'),
    ('desk', '7', null, 'unmatched', null, null), ('desk', '8', null, 'conflict', null, null)
) as link(system, source_account_id, account_id, method, linked_at, contradicting_id);
create table canonical.invoice as select * from (values
    ('bill', 'c1', 1200000.0), ('bill', 'c1', 500.5), ('bill', 'c2', 9.0)
) as invoice(source_system, source_account_id, net_base);
create table canonical.ticket as select 'desk' as source_system, '7' as source_account_id from range(1200);
"""


def suggestion(system: str, account: str, company: str, probability: float, rank: int = 1) -> dict[str, object]:
    name = {"bill": "ALFA", "desk": "Alfa"}[system]
    company_name = {"crm:1": "Alfa A/S", "crm:2": "Beta A/S", "crm:3": "Alfa\x1b[2J Holding"}[company]
    words = (system, account, company, probability, f"evidence {rank}", name, company_name, rank)
    return dict(zip(COLUMNS, words, strict=True))


WAITING = [
    suggestion("bill", "c1", "crm:1", 0.99),
    suggestion("bill", "c1", "crm:3", 0.60, 2),
    suggestion("desk", "7", "crm:1", 0.9999),
    suggestion("desk", "8", "crm:1", 0.999),
    suggestion("desk", "8", "crm:3", 0.97, 2),
]


@pytest.fixture
def acme(project: Project) -> Project:
    """A project with a release of seven accounts, and three of them waiting."""
    release = project.releases / "r1"
    release.mkdir(parents=True)
    with duckdb.connect(str(release / "warehouse.duckdb")) as connection:
        connection.execute(RELEASE)
    project.current.symlink_to(release)
    write(project.identity, WAITING)
    return project


def links(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["links", *arguments, "--project", str(project.root)])


def said(project: Project) -> list[tuple[str, str, str, str]]:
    return [(link.decision, link.system, link.source_account_id, link.account_id) for link in read(project.identity)]


class TestHelp:
    SUBCOMMANDS = ("list", "accept", "reject", "show")

    def test_each_subcommand_has_an_example_that_the_program_takes(self) -> None:
        group = get_command(app).commands["links"]  # type: ignore[attr-defined]
        assert set(group.commands) == set(self.SUBCOMMANDS)
        for name in self.SUBCOMMANDS:
            _, words = group.commands[name].epilog.split("mutual-value links ")
            assert words.split()[0] == name
            assert group.commands[name].make_context(name, words.split()[1:]).params
        assert "Example: mutual-value links list" in CliRunner().invoke(app, ["links", "--help"]).stdout

    @pytest.mark.parametrize("words", [("list",), ("accept", "a", "b"), ("reject", "a", "b"), ("show", "a", "b")])
    def test_without_a_project_is_exit_2(self, words: tuple[str, ...], tmp_path: Path) -> None:
        result = CliRunner().invoke(app, ["links", *words, "--project", str(tmp_path)])
        assert result.exit_code == 2
        assert f"mutual-value init --project {tmp_path}" in result.stderr


class TestList:
    def test_shows_the_likeliest_first_with_evidence_and_what_hangs_on_it(self, acme: Project) -> None:
        result = links(acme, "list")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:11] == [
            'desk 7  "Alfa"',
            '  0.9999  crm:1  "Alfa A/S"',
            "          evidence 1",
            "  on it hang 1,200 tickets",
            "",
            'desk 8  "Alfa"',
            '  0.9990  crm:1  "Alfa A/S"',
            "          evidence 1",
            '  0.9700  crm:3  "Alfa [2J Holding"',
            "          evidence 2",
            "  nothing hangs on it yet",
        ]
        assert "on it hang 1,200,500 DKK invoiced" in result.stdout
        assert "3 accounts wait for a decision; 3 had no company in the published release." in result.stdout

    def test_of_equally_likely_ones_shows_the_heaviest_first(self, acme: Project) -> None:
        write(acme.identity, [suggestion("desk", "7", "crm:1", 1.0), suggestion("bill", "c1", "crm:1", 1.0)])
        shown = links(acme, "list").stdout
        assert shown.index("bill c1") < shown.index("desk 7")

    def test_shows_one_system_and_no_more_than_a_screen_unless_asked(self, acme: Project) -> None:
        write(acme.identity, [suggestion("desk", f"{number}", "crm:1", 0.9) for number in range(12)])
        assert links(acme, "list", "--system", "bill").stdout.startswith("0 accounts wait")
        shown = links(acme, "list").stdout
        assert shown.count("evidence") == 10
        assert "... and 2 more: --all" in shown
        assert links(acme, "list", "--all").stdout.count("evidence") == 12

    def test_says_what_to_do_before_the_first_run_and_when_nothing_was_found(self, project: Project) -> None:
        assert links(project, "list").stdout == (
            f"No run has looked for suggestions yet. Next: mutual-value run --project {project.root}\n"
        )
        write(project.identity, [])
        assert links(project, "list").stdout.startswith("0 accounts wait for a decision; 0 had no company")


class TestAccept:
    def test_writes_the_suggested_company_with_the_day_and_says_what_happens_next(self, acme: Project) -> None:
        result = links(acme, "accept", "bill", "c1", "--reason", "same phone")
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            'bill c1 "ALFA" is crm:1 "Alfa A/S"',
            f"1 decision added to {acme.identity / 'links.csv'}. What was decided counts from the next run on.",
        ]
        today = dt.datetime.now(ZoneInfo("Europe/Copenhagen")).date()
        assert read(acme.identity) == [LinkDecision(today, "bill", "c1", "crm:1", "accept", "same phone")]
        assert "bill c1" not in links(acme, "list").stdout

    def test_of_a_close_choice_asks_which_is_meant(self, acme: Project) -> None:
        result = links(acme, "accept", "desk", "8")
        assert result.exit_code == 2
        assert 'may be crm:1 "Alfa A/S" (0.9990) or crm:3 "Alfa [2J Holding" (0.9700)' in result.stderr
        assert said(acme) == []
        assert links(acme, "accept", "desk", "8", "crm:3").exit_code == 0
        assert said(acme) == [("accept", "desk", "8", "crm:3")]

    def test_twice_writes_once(self, acme: Project) -> None:
        links(acme, "accept", "bill", "c1")
        result = links(acme, "accept", "bill", "c1")
        assert result.stdout.splitlines() == [
            'bill c1 "ALFA" is crm:1 "Alfa A/S" (as decided before)',
            "Nothing new to decide.",
        ]
        assert len(said(acme)) == 1

    def test_a_changed_mind_is_a_new_line(self, acme: Project) -> None:
        links(acme, "accept", "bill", "c1")
        assert links(acme, "reject", "bill", "c1").exit_code == 0
        assert said(acme) == [("accept", "bill", "c1", "crm:1"), ("reject", "bill", "c1", "crm:1")]

    def test_all_from_a_probability_on_but_leaves_close_choices(self, acme: Project) -> None:
        result = links(acme, "accept", "--from-probability", "0.99")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert lines[0].startswith("left: desk 8 may be crm:1")
        assert lines[1:3] == [
            '0.9999  desk 7 "Alfa" is crm:1 "Alfa A/S"',
            '0.9900  bill c1 "ALFA" is crm:1 "Alfa A/S"',
        ]
        assert lines[3].startswith("2 decisions added")
        assert {link.reason for link in read(acme.identity)} == {"accepted all from 0.99 on"}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("accept",), "name one account (SYSTEM SOURCE_ACCOUNT_ID), or give --from-probability"),
            (("accept", "bill"), "name one account"),
            (("accept", "bill", "c1", "--from-probability", "0.9"), "name one account"),
            (("accept", "bill", "c9"), "the published release has no account 'c9' of 'bill'"),
            (
                ("accept", "bill", "c1", "crm:9"),
                "no CRM has the account 'crm:9'; a company is named as in mart.account",
            ),
            (("accept", "bill", "c2"), 'is crm:2 "Beta A/S" by its VAT number, since 2026-03-01); name the company'),
            (("reject", "bill", "c2"), "name the company: mutual-value links reject bill c2 COMPANY"),
            (("show", "bill", "c9"), "the published release has no account 'c9' of 'bill'"),
        ],
    )
    def test_what_is_not_clear_is_exit_2_and_writes_nothing(
        self, acme: Project, words: tuple[str, ...], message: str
    ) -> None:
        result = links(acme, *words)
        assert (result.exit_code, said(acme)) == (2, [])
        assert message in result.stderr

    def test_while_a_run_works_is_exit_3(self, acme: Project) -> None:
        with hold(acme.root, "a-night", "2026-06-30T02:00:00"):
            result = links(acme, "accept", "bill", "c1")
        assert (result.exit_code, said(acme)) == (3, [])
        assert "run a-night" in result.stderr


class TestReject:
    def test_takes_the_suggestion_away_and_the_next_one_comes_forward(self, acme: Project) -> None:
        result = links(acme, "reject", "bill", "c1")
        assert result.stdout.splitlines()[0] == 'bill c1 "ALFA" is not crm:1 "Alfa A/S"'
        assert said(acme) == [("reject", "bill", "c1", "crm:1")]
        assert links(acme, "accept", "bill", "c1").exit_code == 0
        assert said(acme)[1] == ("accept", "bill", "c1", "crm:3")

    def test_undoes_a_certain_link_that_is_named(self, acme: Project) -> None:
        assert links(acme, "reject", "bill", "c2", "crm:2").exit_code == 0
        assert said(acme) == [("reject", "bill", "c2", "crm:2")]


class TestShow:
    def test_says_by_which_key_since_when_and_what_speaks_against_it(self, acme: Project) -> None:
        assert links(acme, "show", "bill", "c2").stdout.splitlines() == [
            'bill c2 "Beta" is crm:2 "Beta A/S" by its VAT number, since 2026-03-01',
            '  but its keys name crm:3 "Alfa Holding" as well: accept the one that it is',
        ]
        assert links(acme, "show", "crm", "1").stdout == 'crm 1 "Alfa A/S" is a company itself\n'
        assert links(acme, "show", "desk", "8").stdout.startswith("desk 8 has no company: its certain keys disagree")

    def test_says_what_was_decided_and_what_it_will_be(self, acme: Project) -> None:
        links(acme, "reject", "bill", "c1", "--reason", "sold")
        links(acme, "accept", "bill", "c1", "crm:3")
        today = dt.datetime.now(ZoneInfo("Europe/Copenhagen")).date()
        assert links(acme, "show", "bill", "c1").stdout.splitlines() == [
            'bill c1 "ALFA" has no company: no certain key says which',
            f"  {today} a person said reject crm:1: sold",
            f"  {today} a person said accept crm:3",
            "  from the next run on it is crm:3",
        ]

    def test_says_what_waits(self, acme: Project) -> None:
        assert '  0.9900 it may be crm:1 "Alfa A/S": evidence 1' in links(acme, "show", "bill", "c1").stdout
