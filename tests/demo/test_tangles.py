"""Dirt: what makes it hard to know one company in three systems, and what it never does."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from stdnum.dk import cvr

from demo.draws import streams
from demo.links import BY_ID, BY_NOTHING, Links, draw_links
from demo.tangles import tangled
from demo.words import FREE_MAIL
from demo.world import World


@pytest.fixture(scope="module")
def clean(world: World) -> Links:
    return draw_links(streams(5), world.companies)


def dirty(world: World, clean: Links, more: float) -> Links:
    return tangled(np.random.default_rng(5), clean, world.companies, more)


def test_a_well_kept_house_is_left_as_it_is(world: World, clean: Links) -> None:
    assert dirty(world, clean, 0) is clean


def test_ids_and_companies_stay_so_that_the_truth_does(world: World, clean: Links) -> None:
    tangle = dirty(world, clean, 2)
    for name in ("crm", "organization", "organization_company", "customer"):
        assert np.array_equal(getattr(tangle, name), getattr(clean, name))
    assert {field.name for field in fields(Links) if getattr(tangle, field.name) is not getattr(clean, field.name)} >= {
        "organization_key", "organization_name", "organization_cvr", "customer_key", "customer_name", "customer_email",
        "website",
    }  # fmt: skip


def test_the_more_dirt_the_more_keys_are_left_out(world: World, clean: Links) -> None:
    left_out = [np.mean(dirty(world, clean, more).customer_key == BY_NOTHING) for more in (0, 1, 3)]
    assert left_out[0] == pytest.approx(0.03, abs=0.02)
    assert left_out == sorted(left_out)
    assert left_out[2] == pytest.approx(0.12, abs=0.03)


def test_who_has_no_key_left_writes_from_a_free_mail_box(world: World, clean: Links) -> None:
    tangle = dirty(world, clean, 3)
    addresses = tangle.customer_email[tangle.customer_key == BY_NOTHING]
    assert len(addresses)
    assert all(address.endswith(f"@{FREE_MAIL}") for address in addresses.tolist())


def test_a_mistyped_name_or_number_has_its_letters_in_another_order(world: World, clean: Links) -> None:
    tangle = dirty(world, clean, 2)
    for typed, meant in ((tangle.customer_name, clean.customer_name), (tangle.customer_cvr, clean.customer_cvr)):
        assert np.mean(typed != meant) == pytest.approx(0.18, abs=0.05)
        assert all(sorted(a) == sorted(b) for a, b in zip(typed.tolist(), meant.tolist(), strict=True))
    wrong = tangle.customer_cvr[tangle.customer_cvr != clean.customer_cvr]
    # A check digit that weighs its neighbours differently finds every such swap.
    assert not any(cvr.is_valid(number) for number in wrong.tolist())


def test_a_borrowed_domain_is_another_customers(world: World, clean: Links) -> None:
    tangle = dirty(world, clean, 3)
    domains = [address.split("@")[1] for address in tangle.customer_email.tolist()]
    others = set(world.companies.domain.tolist())
    borrowed = [
        number for number, domain in enumerate(domains) if domain in others and domain != world.companies.domain[number]
    ]
    assert len(borrowed) > 0.1 * world.companies.count
    assert BY_ID in tangle.customer_key[borrowed]


def test_a_shared_website_is_the_parents(world: World, clean: Links) -> None:
    tangle = dirty(world, clean, 2)
    shared = np.flatnonzero(tangle.website != world.companies.domain)
    assert len(shared)
    assert np.array_equal(tangle.website[shared], world.companies.domain[world.companies.parent[shared]])
