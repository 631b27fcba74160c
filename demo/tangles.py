"""What makes it hard to know one company in three systems: keys left out, mistyped, shared and borrowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demo.companies import Companies
from demo.draws import Flags, Ints, Texts
from demo.links import BY_CVR, BY_ID, BY_NOTHING, Links, free_addresses, local_parts

# Shares for each unit of dirt beyond the first.
LEFT_OUT = 0.03
MISTYPED_NAME = 0.1
MISTYPED_NUMBER = 0.1
BORROWED_DOMAIN = 0.1
SHARED_WEBSITE = 0.5


def tangled(rng: np.random.Generator, links: Links, companies: Companies, more: float) -> Links:
    """The links with `more` times as much that is wrong with them; 0 changes nothing.

    A borrowed domain is that of another customer who keeps the books of this one; a shared website is the parent's. No
    key names a wrong company by itself: nobody could tell such a one from a right one.
    """
    if more <= 0:
        return links
    company = links.organization_company
    organization_key, _ = _left_out(rng, links.organization_key, more)
    customer_key, is_left_out = _left_out(rng, links.customer_key, more)
    email = np.where(is_left_out, free_addresses(companies), links.customer_email)
    return replace(
        links,
        organization_key=organization_key,
        organization_name=_mistyped(rng, links.organization_name, MISTYPED_NAME * more),
        organization_cvr=_mistyped(rng, companies.cvr[company], MISTYPED_NUMBER * more),
        customer_key=customer_key,
        customer_name=_mistyped(rng, links.customer_name, MISTYPED_NAME * more),
        customer_cvr=_mistyped(rng, companies.cvr, MISTYPED_NUMBER * more),
        customer_email=_borrowed(rng, email, customer_key, companies, more),
        website=_shared(rng, companies, more),
    )


def _left_out(rng: np.random.Generator, key: Ints, more: float) -> tuple[Ints, Flags]:
    is_left_out = (rng.random(len(key)) < LEFT_OUT * more) & (key != BY_NOTHING)
    return np.where(is_left_out, BY_NOTHING, key), is_left_out


def _mistyped(rng: np.random.Generator, texts: Texts, share: float) -> Texts:
    """Some of the texts with two neighbouring letters the other way round."""
    chosen = rng.random(len(texts)) < share
    places = rng.random(len(texts))
    return np.array(
        [
            _swapped(text, 1 + int(place * (len(text) - 2))) if is_chosen else text
            for text, is_chosen, place in zip(texts.tolist(), chosen.tolist(), places.tolist(), strict=True)
        ]
    )


def _swapped(text: str, place: int) -> str:
    return text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]


def _borrowed(rng: np.random.Generator, email: Texts, key: Ints, companies: Companies, more: float) -> Texts:
    lender = companies.domain[rng.integers(companies.count, size=companies.count)]
    is_borrowed = (rng.random(companies.count) < BORROWED_DOMAIN * more) & ((key == BY_ID) | (key == BY_CVR))
    return np.where(is_borrowed, np.strings.add(np.strings.add(local_parts(companies), "@"), lender), email)


def _shared(rng: np.random.Generator, companies: Companies, more: float) -> Texts:
    is_shared = (companies.parent >= 0) & (rng.random(companies.count) < SHARED_WEBSITE * more)
    return np.where(is_shared, companies.domain[companies.parent], companies.domain)
