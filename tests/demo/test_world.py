"""What the made-up world is like: confounded, overlapping, and moved by partnership as far as `effect` says."""

from __future__ import annotations

import numpy as np
import pytest

from demo.agreements import NOTICE, draw_actions, draw_changes
from demo.clock import month_starts
from demo.companies import SEGMENTS, draw_companies
from demo.contacts import draw_calls, draw_mails, draw_meetings, draw_ticket_texts
from demo.customer_side import BAD, GOOD, is_written
from demo.draws import STREAMS, events, streams
from demo.goals import draw_goals
from demo.people import People, draw_people
from demo.truth import expected_mutual_value
from demo.world import World, draw_world


@pytest.fixture(scope="module")
def people(world: World) -> People:
    return draw_people(streams(99)["people"], world.companies)


def split(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Accounts of high and of low partnership over the whole time."""
    mean = world.latent.partnership.mean(axis=1)
    return mean >= 0.6, mean <= 0.4


def per_month(world: World, account: np.ndarray, who: np.ndarray) -> float:
    """Events per month of paid service."""
    return float(np.isin(account, np.flatnonzero(who)).sum() / world.records.supplier.active[who].sum())


def test_streams_are_independent_of_one_another() -> None:
    first, again = streams(5), streams(5)
    first["tickets"].random(1000)
    assert first["growth"].random() == again["growth"].random()
    assert len({float(rng.random()) for rng in streams(5).values()}) == len(STREAMS)


def test_events_unfold_from_counts() -> None:
    account, month = events(np.array([[0, 2], [1, 0]]))
    assert account.tolist() == [0, 0, 1]
    assert month.tolist() == [1, 1, 0]


def test_larger_customers_are_more_often_partners(world: World) -> None:
    level = np.log(world.latent.partnership[:, 0] / (1 - world.latent.partnership[:, 0]))
    assert 0.25 < np.corrcoef(world.companies.size, level)[0, 1] < 0.6


def test_partnership_and_cost_focus_are_weakly_opposed_axes(world: World) -> None:
    correlation = np.corrcoef(world.latent.partnership[:, 0], world.latent.cost_focus[:, 0])[0, 1]
    assert -0.45 < correlation < -0.15


def test_every_segment_has_both_partners_and_others(world: World) -> None:
    high, low = split(world)
    for number in range(len(SEGMENTS)):
        inside = world.companies.segment == number
        assert (high & inside).sum() >= 15
        assert (low & inside).sum() >= 10
    assert high.sum() >= 120
    assert low.sum() >= 120


def test_switchers_change_once_at_their_month_and_others_drift(world: World) -> None:
    odds = np.log(world.latent.partnership / (1 - world.latent.partnership))
    jumps = np.abs(np.diff(odds, axis=1)) > 1
    assert 0.08 < world.latent.is_switcher.mean() < 0.16
    assert (jumps.sum(axis=1) == world.latent.is_switcher).all()
    switcher = np.flatnonzero(world.latent.is_switcher)
    assert (np.argmax(jumps[switcher], axis=1) + 1 == world.latent.switch_month[switcher]).all()


def test_between_three_and_ten_in_a_hundred_leave_in_a_year(world: World) -> None:
    active = world.records.supplier.active
    assert 0.03 < 1 - (active[:, -1] & active[:, -13]).sum() / active[:, -13].sum() < 0.1


def test_nobody_comes_back_and_nobody_is_there_before_the_start(world: World) -> None:
    active = world.records.supplier.active.astype(int)
    assert (np.diff(active, axis=1) == 1).sum(axis=1).max() <= 1
    first = np.argmax(active, axis=1)
    assert (first == np.maximum(world.companies.start, 0))[active.any(axis=1)].all()


def test_most_customers_have_enough_tickets_and_ratings_in_half_a_year(world: World) -> None:
    tickets, last = world.records.tickets, len(world.months)
    recent = is_written(tickets, world.records.supplier.active) & (tickets.month >= last - 6)
    rated = recent & np.isin(world.records.customer.rating, [BAD, GOOD])
    stayed = world.records.supplier.active[:, -6:].all(axis=1)
    count = world.companies.count
    assert (np.bincount(tickets.account[recent], minlength=count)[stayed] >= 5).mean() > 0.9
    assert (np.bincount(tickets.account[rated], minlength=count)[stayed] >= 3).mean() > 0.8


def test_partners_meet_more_and_shape_the_product_more(world: World, people: People) -> None:
    high, low = split(world)
    meetings = draw_meetings(world, people)
    designs = meetings.account[meetings.kind == "design"]
    assert per_month(world, designs, high) > 3 * per_month(world, designs, low)


def test_partners_start_more_of_the_contacts_themselves(world: World, people: People) -> None:
    high, low = split(world)
    calls = draw_calls(world, people)
    share = [calls.is_inbound[np.isin(calls.account, np.flatnonzero(who))].mean() for who in (high, low)]
    assert share[0] > share[1] + 0.15


def test_partners_bring_more_different_people(world: World, people: People) -> None:
    high, low = split(world)
    mails = draw_mails(world, people)
    seen = [
        np.mean([len(set(mails.contact[mails.account == number].tolist())) for number in np.flatnonzero(who)[:80]])
        for who in (high, low)
    ]
    assert seen[0] > 1.3 * seen[1]


def test_a_mail_thread_is_one_account_and_alternates(world: World, people: People) -> None:
    mails = draw_mails(world, people)
    order = np.lexsort((mails.moment, mails.thread))
    same = np.diff(mails.thread[order]) == 0
    assert (np.diff(mails.account[order])[same] == 0).all()
    assert (mails.is_incoming[order][1:] != mails.is_incoming[order][:-1])[same].all()


def test_partners_have_more_goals_that_a_customer_owns_and_confirmed(world: World, people: People) -> None:
    high, low = split(world)
    goals = draw_goals(world, people)
    qualified = goals.account[(goals.stakeholder >= 0) & ~np.isnat(goals.confirmed) & goals.has_target]
    assert per_month(world, qualified, high) > 4 * per_month(world, qualified, low)


def test_a_goal_is_confirmed_after_it_was_written_down_and_reviewed_before_as_of(world: World, people: People) -> None:
    goals = draw_goals(world, people)
    confirmed, reviewed = ~np.isnat(goals.confirmed), ~np.isnat(goals.reviewed)
    entered = world.months[0].astype("M8[D]") + 10  # goals older than the exports were entered in the first days
    assert ((goals.created <= goals.starts) | (goals.created < entered)).all()
    assert (goals.created < goals.due).all()
    assert (goals.confirmed >= goals.created)[confirmed].all()
    assert (goals.reviewed >= goals.starts)[reviewed].all()
    assert (goals.reviewed <= np.minimum(goals.due, np.datetime64("2026-06-30")))[reviewed].all()


def test_partners_own_more_of_the_actions_and_both_sides_keep_more_of_them(world: World) -> None:
    high, low = split(world)
    actions = draw_actions(world)
    kept = ~np.isnat(actions.done) & (actions.done <= actions.first_due)
    past = actions.first_due <= np.datetime64("2026-06-30")
    for side in (True, False):
        mine = past & (actions.is_customers == side)
        shares = [kept[mine & np.isin(actions.account, np.flatnonzero(who))].mean() for who in (high, low)]
        assert shares[0] > shares[1] + 0.2
    owned = [actions.is_customers[np.isin(actions.account, np.flatnonzero(who))].mean() for who in (high, low)]
    assert owned[0] > owned[1] + 0.1
    assert (actions.due >= actions.first_due).all()
    assert (actions.created < actions.first_due).all()


def test_partners_tell_each_other_of_changes_ahead(world: World) -> None:
    high, low = split(world)
    changes = draw_changes(world)
    plans = np.isin(changes.kind, ["volume_plan", "roadmap"])
    ahead = (changes.effective - changes.announced).astype(int) >= NOTICE
    shares = [ahead[plans & np.isin(changes.account, np.flatnonzero(who))].mean() for who in (high, low)]
    assert shares[0] > shares[1] + 0.3
    assert (np.diff(changes.announced.astype(int)) >= 0).all()


def test_prices_change_without_a_review_where_costs_are_looked_at(world: World) -> None:
    focused = world.latent.cost_focus[:, 0] > 0.7
    relaxed = world.latent.cost_focus[:, 0] < 0.3
    changes = draw_changes(world)
    ours = np.isin(changes.kind, ["price_change", "scope_change"]) & (changes.effective < np.datetime64("2026-06-01"))
    reviewed = ~np.isnat(changes.reviewed)
    shares = [reviewed[ours & np.isin(changes.account, np.flatnonzero(who))].mean() for who in (focused, relaxed)]
    assert shares[0] < shares[1] - 0.2
    assert not changes.by_customer[ours].any()


def test_cost_focused_customers_ask_for_discounts_and_dispute(world: World, people: People) -> None:
    focused = world.latent.cost_focus[:, 0] > 0.7
    relaxed = world.latent.cost_focus[:, 0] < 0.3
    texts, account = draw_ticket_texts(world, people), world.records.tickets.account
    for kind in ("discount", "dispute"):
        chosen = account[texts.kind == kind]
        assert per_month(world, chosen, focused) > 1.5 * per_month(world, chosen, relaxed)


def test_more_tickets_move_no_invoice() -> None:
    """Entities draw from streams of their own."""
    some, other = draw_world(50, 24, 3, 1.0), draw_world(50, 24, 3, 0.0)
    assert (some.records.tickets.created_local == other.records.tickets.created_local).all()
    assert (some.records.supplier_draws.lateness == other.records.supplier_draws.lateness).all()


def test_a_better_partner_is_never_worse_served_in_any_single_ticket(world: World) -> None:
    """Twins share every draw, so each ticket can be compared with itself."""
    low, high = world.twin(0.2).customer, world.twin(0.8).customer
    assert (high.response_minutes <= low.response_minutes).all()
    assert (high.resolution_minutes <= low.resolution_minutes).all()
    assert (high.reopens <= low.reopens).all()
    assert (high.rating >= low.rating).all()


def test_a_better_partner_pays_earlier_for_a_smaller_discount_and_stays(world: World) -> None:
    low, high = world.twin(0.2).supplier, world.twin(0.8).supplier
    assert (high.late_days <= low.late_days).all()
    assert (high.discount / high.price <= low.discount / low.price + 1e-4).all()
    assert (high.active | ~low.active).all()
    assert (high.seats >= low.seats).all()


@pytest.mark.parametrize("effect", [0.5, 1.0, 2.0])
def test_the_expected_mutual_value_rises_with_partnership(effect: float) -> None:
    curves, _ = expected_mutual_value(draw_world(150, 24, 4, effect))
    assert curves["grid"][0] == 0.0
    assert curves["grid"][-1] == 1.0
    for side in ("mutual_value", "supplier_value", "customer_value"):
        assert curves[side][-1] > curves[side][0] + 0.1 * effect
        assert (np.diff(curves[side]) > -0.002 * effect).all()


def test_without_effect_the_truth_is_exactly_flat() -> None:
    curves, _ = expected_mutual_value(draw_world(100, 24, 4, 0.0))
    for side in ("mutual_value", "supplier_value", "customer_value"):
        assert len(set(curves[side])) == 1


def test_the_effect_is_half_to_eight_tenths_of_a_standard_deviation(world: World) -> None:
    curves, spread = expected_mutual_value(world)
    at = dict(zip(curves["grid"], curves["mutual_value"], strict=True))
    assert 0.5 <= (at[0.8] - at[0.2]) / spread <= 0.85


def test_a_naive_comparison_is_fooled_by_size_where_nothing_is_true() -> None:
    """Over several null worlds: partners do look better, and do not once size is held fixed."""
    naive, adjusted = zip(*(null_comparison(seed) for seed in range(11, 17)), strict=True)
    assert np.mean(naive) > 0.015
    assert abs(np.mean(adjusted)) < 0.015


def null_comparison(seed: int) -> tuple[float, float]:
    from demo.scoring import COMPONENTS, count_window, pool, references, value

    null = draw_world(500, 24, seed, 0.0)
    counts = count_window(null.records, 23)
    pools = {name: pool(component, counts[name], null.companies.segment) for name, component in COMPONENTS.items()}
    mutual = value(counts, pools, references(null.records)).mutual
    p = null.latent.partnership[:, 6:18].mean(axis=1)
    kept = null.records.supplier.active[:, 17] & ((p >= 0.6) | (p <= 0.4))
    partner = (p >= 0.6)[kept].astype(float)
    design = np.column_stack([np.ones(kept.sum()), partner, null.companies.size[kept]])
    fit = np.linalg.lstsq(design, mutual[kept], rcond=None)[0]
    return float(mutual[kept][partner == 1].mean() - mutual[kept][partner == 0].mean()), float(fit[1])


def test_companies_have_names_and_domains_of_their_own() -> None:
    companies = draw_companies(np.random.default_rng(1), 1_500, 36)
    assert len(set(companies.name.tolist())) == 1_500
    assert len(set(companies.domain.tolist())) == 1_500
    assert all(domain.endswith(".example") and domain.isascii() and " " not in domain for domain in companies.domain)


def test_a_parent_company_is_another_company_without_a_parent() -> None:
    companies = draw_companies(np.random.default_rng(1), 600, 36)
    children = np.flatnonzero(companies.parent >= 0)
    assert len(children) > 10
    assert (companies.parent[companies.parent[children]] == -1).all()


def test_no_two_people_of_one_company_share_an_address(people: People) -> None:
    assert len(set(people.emails.tolist())) == len(people.emails)
    assert len(set(people.own_emails.tolist())) == len(people.own_emails)


def test_the_first_month_is_so_many_months_back() -> None:
    assert str(month_starts(36)[0]) == "2023-07"
