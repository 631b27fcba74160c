"""What customers say and do for our name follows what is planted for them, and touches no score."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from demo import DemoTruth
from demo.clock import AS_OF
from demo.contacts import TicketTexts, draw_ticket_texts
from demo.customer_side import is_written
from demo.draws import STREAMS, Floats
from demo.people import draw_people
from demo.voices import ADVOCACY, WAVES, Answers, Deeds, draw_answers, draw_deeds, planted_value
from demo.world import World, draw_world
from tests.demo.exports import csv_rows, ndjson_records


@pytest.fixture(scope="module")
def drawn() -> tuple[World, TicketTexts, Floats, Answers, Deeds]:
    world = draw_world(300, 24, seed=1, effect=1.0)
    texts = draw_ticket_texts(world, draw_people(world.rngs["people"], world.companies))
    value = planted_value(world)
    return world, texts, value, draw_answers(world, value), draw_deeds(world, texts, value)


def mean_of(account: np.ndarray, what: np.ndarray, count: int) -> Floats:
    """The mean by account; nan for who has none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(account, what, count) / np.bincount(account, minlength=count))


def test_answers_follow_the_planted_value(drawn: tuple[World, TicketTexts, Floats, Answers, Deeds]) -> None:
    world, _, value, answers, _ = drawn
    scores = mean_of(answers.account, answers.score, world.companies.count)
    is_asked = np.bincount(answers.account, minlength=world.companies.count) >= 10
    assert spearmanr(scores[is_asked], value[is_asked]).statistic > 0.7
    assert (answers.score.min(), answers.score.max()) == (0, 10)
    # Promoters and detractors both: a score of the portfolio somewhere about the middle.
    promoters, detractors = np.mean(answers.score >= 9), np.mean(answers.score <= 6)
    assert 0.2 < promoters < 0.6
    assert 0.2 < detractors < 0.6


def test_only_paying_customers_are_asked_and_only_in_the_waves(
    drawn: tuple[World, TicketTexts, Floats, Answers, Deeds],
) -> None:
    world, _, _, answers, _ = drawn
    # Between 7:30 and 17:30 the month is the same in UTC.
    month = answers.moment.astype("M8[M]")
    assert set(month.astype(int) % 12 + 1) == set(WAVES)
    assert world.records.supplier.active[answers.account, (month - world.months[0]).astype(int)].all()
    assert (answers.person < world.companies.seats[answers.account]).all()
    assert (np.diff(answers.moment.astype(int)) >= 0).all()


def test_references_and_shipped_wishes_follow_the_planted_value(
    drawn: tuple[World, TicketTexts, Floats, Answers, Deeds],
) -> None:
    world, texts, value, _, deeds = drawn
    count, tickets = world.companies.count, world.records.tickets
    months = world.records.supplier.active.sum(axis=1)
    named = np.bincount(deeds.account[np.isin(deeds.kind, ADVOCACY)], minlength=count)
    is_long = months >= 12
    assert spearmanr(named[is_long] / months[is_long], value[is_long]).statistic > 0.4
    wishes = np.flatnonzero((texts.kind == "feature") & is_written(tickets, world.records.supplier.active))
    # Those that are old enough to have been shipped.
    wishes = wishes[tickets.created_local[wishes].astype("M8[D]") < AS_OF - np.timedelta64(365, "D")]
    is_shipped, high = np.isin(wishes, deeds.ticket), value[tickets.account[wishes]] > np.median(value)
    assert is_shipped[high].mean() > is_shipped[~high].mean() + 0.1


def test_a_wish_is_shipped_once_after_it_was_asked_for(
    drawn: tuple[World, TicketTexts, Floats, Answers, Deeds],
) -> None:
    world, texts, _, _, deeds = drawn
    is_wish = deeds.ticket >= 0
    tickets = deeds.ticket[is_wish]
    assert set(deeds.kind[is_wish]) == {"feature_shipped"}
    assert set(texts.kind[tickets]) == {"feature"}
    assert len(np.unique(tickets)) == len(tickets)
    assert (deeds.account[is_wish] == world.records.tickets.account[tickets]).all()
    assert (deeds.day[is_wish] > world.records.tickets.created_local[tickets].astype("M8[D]")).all()
    assert deeds.day.max() <= AS_OF
    assert set(deeds.kind[~is_wish]) == set(ADVOCACY)


def test_nothing_that_they_do_for_our_name_is_co_creation() -> None:
    """transforms/style/participation.sql counts these kinds; one of them would plant style where value was meant."""
    assert not {"beta", "pilot", "design_session", "advisory_board"} & {*ADVOCACY, "feature_shipped"}


def test_the_streams_of_the_voices_come_after_all_that_the_other_files_are_drawn_from() -> None:
    assert STREAMS[-2:] == ("answers", "deeds")


def test_the_lists_name_accounts_of_the_crm_and_tickets_of_the_helpdesk(
    written: tuple[Path, DemoTruth], inbox: Path
) -> None:
    answers = csv_rows(inbox / "surveys" / "surveys.csv")
    deeds = csv_rows(inbox / "events" / "cocreation_events.csv")
    known = {known["salesforce"][0] for known in written[1].companies.values()}
    assert {row["account_id"] for row in answers + deeds} <= known
    assert {row["instrument"] for row in answers} == {"nps"}
    files = ("tickets.ndjson", "tickets_late.ndjson")
    records = [ticket for name in files for ticket in ndjson_records(inbox / "zendesk" / name, "ticket")]
    wishes = {f"zendesk:{ticket['id']}" for ticket in records if "feature_request" in ticket["tags"]}
    requests = {row["request_id"] for row in deeds if row["kind"] == "feature_shipped"}
    # A damaged line of the helpdesk's may hide one.
    assert requests
    assert len(requests - wishes) <= 4
    assert Counter(bool(row["request_id"]) for row in deeds if row["kind"] in ADVOCACY).keys() <= {False}
