"""What holds of every style measure, whatever the records: shares are shares, too little is null, order and empty sources
do not matter. And each measure says why it is silent."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import Example
from warehouse.models import measures

MakeExample = Callable[..., Example]
Rows = dict[str, list[str]]

HEADERS = {
    "account": "source_id | name | segment | industry | owner_source_id | customer_since",
    "person": "source_id | side | source_account_id | email",
    "activity": "source_id | source_account_id | kind | started_at | status | initiated_by | subject | thread_id | "
    "person_source_id | owner_source_id",
    "goal": "source_id | source_account_id | title | target | beneficiary | due_on | customer_owner_source_id | start_on | "
    "confirmed_on | reviewed_on | status | created_at",
    "plan_action": "source_id | source_account_id | owner_side | first_due_on | due_on | done_on | status | created_at",
    "relationship_event": "source_id | source_account_id | kind | by_side | announced_on | effective_on | joint_review_on | "
    "is_exempt",
    "opportunity": "source_id | source_account_id | name | type | status | closed_on | has_rfp | created_at",
}
ACCOUNTS = [
    "A | Alfa | s | Retail | m1 | 2026-01-01",
    "B | Beta | s | Kommune | m1 | 2026-01-01",
    "C | Gamma | s | Food | m2 | 2026-03-01",
]
PEOPLE = [
    "c1 | customer | A | anna@alfa.example",
    "c2 | customer | B | bo@beta.example",
    "v1 | vendor | - | us@supplier.example",
]
SUBJECTS = ("Forslag", "Kan vi få rabat?", "Udbud af aftalen", "Designmøde", "Rykker nr. 1", "Automatisk svar: ferie")

account = st.sampled_from("ABC")
day = st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 30)).map(str)
side = st.sampled_from(["vendor", "customer"])
maybe_day = st.one_of(day, st.just("-"))


def lines(*cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Up to twelve rows of the cells, without their id."""
    return st.lists(st.tuples(*cells).map(" | ".join), max_size=12)


worlds = st.fixed_dictionaries(
    {
        "activity": lines(
            account, st.sampled_from(["email", "call", "meeting"]), day.map(lambda text: f"{text} 10:00"), st.just("held"),
            st.sampled_from(["vendor", "customer", "unknown"]), st.sampled_from(SUBJECTS),
            st.sampled_from(["-", "th1", "th2"]), st.sampled_from(["c1", "c2"]), st.just("v1"),
        ),
        "goal": lines(
            account, st.sampled_from(["Et", "To", "Tre"]), st.sampled_from(["-", "10"]),
            st.sampled_from(["joint", "supplier", "customer", "unknown"]), day, st.sampled_from(["c1", "v1", "-"]), day,
            maybe_day, maybe_day, st.sampled_from(["active", "draft", "achieved"]), day.map(lambda text: f"{text} 09:00"),
        ),
        "plan_action": lines(
            account, side, maybe_day, day, maybe_day, st.sampled_from(["open", "done", "cancelled"]),
            st.one_of(day.map(lambda text: f"{text} 09:00"), st.just("-")),
        ),
        "relationship_event": lines(
            account, st.sampled_from(["price_change", "scope_change", "volume_plan", "roadmap"]), side, day, maybe_day,
            maybe_day, st.sampled_from(["yes", "no", "-"]),
        ),
        "opportunity": lines(
            account, st.sampled_from(["Fornyelse", "EU-udbud", "Upgrade"]), st.sampled_from(["renewal", "expansion"]),
            st.sampled_from(["won", "lost"]), day, st.sampled_from(["true", "false", "-"]),
            day.map(lambda text: f"{text} 09:00"),
        ),
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("laws"), "2026-06-30")


def measured(world: Example, rows: Rows, *more: str) -> list[tuple[object, ...]]:
    """Every value of the style measures from these rows alone; `more` SQL comes between the rows and the models."""
    for table in HEADERS:
        world.engine.execute(f"delete from staged.{table}")
    world.engine.execute("delete from audit.file")
    world.engine.execute("delete from setting.connected")
    for table, cells in {"account": ACCOUNTS, "person": PEOPLE, **rows}.items():
        if cells:
            world.put(table, HEADERS[table] + "\n" + "\n".join(cells))
    for statement in more:
        world.engine.execute(statement)
    world.run("mart.account_month_measure")
    return world.rows(
        "select account_id, month, measure_id, value, raw_value, numerator, denominator, standard_error, n, reason "
        "from mart.account_month_measure join mart.measure using (measure_id) "
        "where side = 'style' or measure_id in ('effort_deflection', 'logging_intensity') order by all"
    )


def numbered(rows: Rows) -> Rows:
    return {table: [f"{table}{place} | {row}" for place, row in enumerate(each)] for table, each in rows.items()}


@settings(max_examples=8)
@given(drawn=worlds)
def test_the_laws_of_style(shared: Example, drawn: Rows) -> None:
    rows = numbered(drawn)
    shared.run("mart.measure")
    found = measured(shared, rows)
    for _, _, measure, value, raw, numerator, denominator, error, n, reason in found:
        facts = measures()[str(measure)]
        assert (value is None) == (reason is not None), (measure, reason)
        if float(n) < facts["minimum"]:  # type: ignore[arg-type]
            assert value is None, measure
        if facts["unit"] in ("share", "index") and raw is not None:
            assert 0 <= raw <= 1, (measure, raw)  # type: ignore[operator]
            assert value is None or 0 <= value <= 1, (measure, value)  # type: ignore[operator]
        if facts["kind"] == "share" and raw is not None:
            assert raw == pytest.approx(numerator / denominator)  # type: ignore[operator]
        assert error is None or error >= 0, measure  # type: ignore[operator]
    shuffled = {table: random.Random(1).sample(each, len(each)) for table, each in rows.items()}
    assert measured(shared, shuffled) == found
    assert measured(shared, rows, "insert into audit.file values ('events', '2026-06-30 02:00')") == found


def test_before_any_evidence_every_measure_is_null_and_none_is_zero(shared: Example) -> None:
    found = measured(shared, {})
    assert {row[9] for row in found} == {"source_not_connected"}
    assert {row[3] for row in found} == {None}


# Why a measure is silent ---------------------------------------------------------------------------------------------


def reasons(world: Example, account_id: str = "crm:A", month: str = "2026-06-01") -> dict[str, str | None]:
    world.run("mart.account_month_measure")
    return dict(
        world.rows(
            "select measure_id, reason from mart.account_month_measure "
            f"where month = '{month}' and account_id = '{account_id}'"
        )
    )


@pytest.fixture
def world(example: MakeExample) -> Example:
    return example().put("account", HEADERS["account"] + "\n" + "\n".join(ACCOUNTS))


def test_words_that_nobody_mapped_are_no_zero(world: Example) -> None:
    """Events of kinds, actions of sides, goals for people and deals of types that no contract knows."""
    world.put(
        "relationship_event",
        HEADERS["relationship_event"] + "\ne | A | unknown | vendor | 2026-01-05 | 2026-02-01 | 2026-01-09 | no",
    )
    world.put(
        "plan_action",
        HEADERS["plan_action"] + "\np | A | unknown | 2026-01-05 | 2026-01-05 | 2026-01-04 | done | 2026-01-02 09:00",
    )
    world.put(
        "opportunity", HEADERS["opportunity"] + "\no | A | Deal | unknown | won | 2026-01-05 | false | 2026-01-02 09:00"
    )
    world.put(
        "goal",
        "source_id | source_account_id | title | beneficiary | due_on | status | created_at\ng | A | Et | unknown | 2026-05-05 | active | 2026-01-02 09:00",
    )
    found = reasons(world)
    silent = ("mutual_responsibility", "forward_openness", "unilateral_change", "tender_rate", "own_viewpoint")
    assert {found[name] for name in silent} == {"enum_unmapped"}


def test_a_list_without_the_column_or_with_an_empty_one_says_so(world: Example) -> None:
    world.put(
        "relationship_event",
        "source_id | source_account_id | kind | by_side | announced_on | joint_review_on\ne | A | price_change | vendor | 2026-01-05 | -",
    )
    found = reasons(world)
    assert (found["forward_openness"], found["unilateral_change"]) == ("column_absent", "column_empty")


def test_what_the_law_or_an_agreed_rule_does_is_not_applicable_and_too_little_is_too_little(world: Example) -> None:
    """Beta is a municipality and its prices follow an index; Alfa has neither a renewal nor a change."""
    world.put(
        "opportunity",
        HEADERS["opportunity"] + "\no | B | Fornyelse | renewal | won | 2026-02-05 | true | 2026-01-02 09:00",
    )
    world.put(
        "relationship_event",
        HEADERS["relationship_event"]
        + "\ne | B | price_change | vendor | 2026-01-05 | 2026-02-01 | 2026-01-20 | yes"
        + "\nf | B | roadmap | vendor | 2026-01-05 | 2026-02-01 | - | no",
    )
    beta, alfa = reasons(world, "crm:B"), reasons(world)
    assert (beta["tender_rate"], beta["unilateral_change"], beta["forward_openness"]) == (
        "not_applicable",
        "not_applicable",
        "below_min_n",
    )
    assert (alfa["tender_rate"], alfa["unilateral_change"]) == ("below_min_n", "below_min_n")


def test_an_account_without_a_manager_or_whose_manager_has_no_other_says_which(world: Example) -> None:
    world.put("account", HEADERS["account"] + "\nD | Delta | s | Food | - | 2026-01-01")
    world.put("activity", HEADERS["activity"] + "\na | A | call | 2026-01-05 10:00 | held | vendor | Hej | - | c1 | v1")
    found = [reasons(world, account_id)["logging_intensity"] for account_id in ("crm:A", "crm:C", "crm:D")]
    assert found == [None, "denominator_zero", "not_applicable"]


def test_of_the_columns_of_one_need_any_one_will_do(world: Example) -> None:
    """Comments of a helpdesk carry reciprocity where no mail is exported."""
    world.put("account", "source_system | source_id | external_id\ndesk | o1 | A")
    world.put(
        "ticket",
        "source_system | source_id | source_account_id | type | status | created_at\ndesk | t1 | o1 | task | open | 2026-01-04 10:00",
    )
    world.put(
        "ticket_comment",
        "source_system | source_id | ticket_source_id | author_side | is_public | created_at\n"
        + "\n".join(
            f"desk | k{place} | t1 | {who} | true | 2026-01-{place:02d} 12:00"
            for place, who in enumerate(["vendor", "customer"] * 5, start=5)
        ),
    )
    found = reasons(world)
    assert found["reciprocity"] is None
    assert found["voluntary_initiative"] == "source_not_connected"
