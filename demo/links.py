"""How the helpdesk and billing know a company: by the CRM's id, its CVR number, its mail domain, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo import words
from demo.addresses import Addresses, draw_addresses, some_moved
from demo.companies import Companies
from demo.draws import Flags, Floats, Ints, Texts
from demo.identifiers import salesforce_ids, stripe_ids, zendesk_ids

BY_ID, BY_CVR, BY_DOMAIN, BY_NOTHING = 0, 1, 2, 3
BOOKKEEPER_DOMAIN = "bogholderhuset.example"  # keeps the books of many companies, so it identifies none


@dataclass(frozen=True)
class Links:
    """Each system's id and name of the companies, and the key by which it can be found again.

    Organisations are the companies' own first, then a second one for a few companies (`organization_company`).
    """

    crm: Texts
    organization: Ints
    organization_company: Ints
    organization_name: Texts
    organization_key: Ints
    customer: Texts
    customer_name: Texts
    customer_email: Texts
    customer_key: Ints
    website: Texts
    organization_cvr: Texts
    customer_cvr: Texts
    crm_address: Addresses
    customer_address: Addresses


def draw_links(rngs: Mapping[str, np.random.Generator], companies: Companies) -> Links:
    """Keys as people enter them in a well-kept house: most by the CRM's id, some otherwise, three in a hundred not."""
    rng, count = rngs["links"], companies.count
    address = draw_addresses(rngs["addresses"], count)
    second = np.flatnonzero(rng.random(count) < 0.012)
    company = np.concatenate([np.arange(count), second])
    customer_key = _keys(rng.random(count), (0.73, 0.86, 0.97))
    return Links(
        crm=salesforce_ids("Account", count),
        organization=zendesk_ids(360_000_412_000, len(company)),
        organization_company=company,
        organization_name=_renamed(rng, companies.name[company]),
        organization_key=np.concatenate([_keys(rng.random(count), (0.75, 0.87, 0.97)), np.full(len(second), BY_ID)]),
        customer=stripe_ids(rngs["identifiers"], "cus_", count),
        customer_name=_renamed(rng, companies.name),
        customer_email=_billing_addresses(rng.random(count) < 0.2, customer_key, companies),
        customer_key=customer_key,
        website=companies.domain,
        organization_cvr=companies.cvr[company],
        customer_cvr=companies.cvr,
        crm_address=address,
        customer_address=some_moved(rngs["addresses"], address),
    )


def _keys(u: Floats, ends: tuple[float, float, float]) -> Ints:
    return np.digitize(u, ends).astype(np.int64)


def _renamed(rng: np.random.Generator, names: Texts) -> Texts:
    """Names as another department writes them: without the legal form, or in capitals."""
    u = rng.random(len(names))
    bare = np.array([name.rsplit(" ", 1)[0] for name in names.tolist()])
    return np.select([u < 0.4, u < 0.55], [bare, np.strings.upper(names)], names)


def _billing_addresses(is_outside: Flags, key: Ints, companies: Companies) -> Texts:
    """An own domain where that is the key, else sometimes the bookkeeper's, and a free mail box where nothing links."""
    own = np.strings.add("regnskab@", companies.domain)
    bookkeeper = np.strings.add(local_parts(companies), "@" + BOOKKEEPER_DOMAIN)
    return np.select(
        [key == BY_NOTHING, (key == BY_CVR) | ((key == BY_ID) & is_outside)],
        [free_addresses(companies), bookkeeper],
        own,
    )


def local_parts(companies: Companies) -> Texts:
    """What stands before the @ in the addresses that others keep for a company."""
    return np.strings.replace(
        np.array([domain.removesuffix(".example") for domain in companies.domain.tolist()]), " ", "-"
    )


def free_addresses(companies: Companies) -> Texts:
    """A free mail box of each company's."""
    return np.strings.add(np.strings.add(local_parts(companies), "-regnskab@"), words.FREE_MAIL)
