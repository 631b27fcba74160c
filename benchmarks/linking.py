"""Certain links and suggestions at scale, and how well they meet a planted truth.

    python -m benchmarks.linking            # 100,000 companies in three systems
    python -m benchmarks.linking 10000

Companies are made up with a fixed seed and written as Salesforce, Zendesk and Stripe export them. Helpdesk and billing
know most of them by the CRM's id, a CVR number or a domain, one in ten by none of these; names are shortened, shouted,
mistyped or new, numbers have a wrong digit, and some accounts are of no company. Landing and casting are not timed and
happen in a process of their own, so that peak memory is the linking's.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from demo import words

SEED = 1
COMPANIES = 100_000
CONFIGURATION = 'as_of = 2026-06-30\ncurrency = "DKK"\n[limits]\nmemory = "3GB"\n'
TRUTH = "truth.csv"

STEMS, ENDS, FORMS = words.ROOT_STARTS, words.ROOT_ENDS, (*words.FORMS, "I/S", "Holding ApS")
TRADES = tuple(sorted({trade for trades in words.TRADES.values() for trade in trades}))
SYSTEMS = ("zendesk", "stripe")


class Companies:
    """What is true of each company, with one place for each; numbers and domains begin at `first`."""

    def __init__(self, rng: np.random.Generator, count: int, first: int = 0) -> None:
        self.bare, self.new = _names(rng, count), _names(rng, count)
        form = rng.integers(0, len(FORMS), count)
        self.name = [f"{bare} {FORMS[place]}" for bare, place in zip(self.bare, form, strict=True)]
        self.cvr = _cvr_numbers(rng, count, first)
        self.domain = [f"{_ascii(bare.split()[0])}{number}.dk" for number, bare in enumerate(self.bare, first)]
        self.postal = rng.integers(1000, 9991, count)
        self.street = [
            f"{STEMS[place].capitalize()}vej {number}"
            for place, number in zip(rng.integers(0, len(STEMS), count), rng.integers(1, 200, count), strict=True)
        ]
        self.id = [_salesforce_id(number) for number in range(count)]


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """Names without their legal form: a compound and a trade. Three in ten compounds are short, and shared by more."""
    stem, second, end, trade = (rng.integers(0, len(each), count) for each in (STEMS, STEMS, ENDS, TRADES))
    is_long = rng.random(count) < 0.7
    return [
        f"{STEMS[a]}{STEMS[b].lower() if long else ''}{ENDS[c]} {TRADES[d]}"
        for a, b, c, d, long in zip(stem, second, end, trade, is_long, strict=True)
    ]


def _cvr_numbers(rng: np.random.Generator, count: int, first: int) -> list[str]:
    """Different numbers with a right check digit (weights 2 7 6 5 4 3 2 1, modulo 11)."""
    start = 1_000_000 + 40 * first
    numbers = rng.permutation(np.arange(start, start + 40 * count, 20))
    weights = (2, 7, 6, 5, 4, 3, 2)
    found = []
    for number in numbers.tolist():
        digit = -sum(int(each) * weight for each, weight in zip(str(number), weights, strict=True)) % 11
        if digit < 10:
            found.append(f"{number}{digit}")
        if len(found) == count:
            break
    return found


def _ascii(text: str) -> str:
    return text.lower().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")


def _salesforce_id(number: int) -> str:
    return f"0015i{number:010d}AAA"


def write_files(project: Path, count: int) -> None:
    """The three systems' exports and, beside them, which company each account is in truth."""
    rng = np.random.default_rng(SEED)
    companies = Companies(rng, count)
    project.mkdir(parents=True)
    (project / "mutual-value.toml").write_text(CONFIGURATION, encoding="utf-8")
    _write_salesforce(project / "inbox" / "salesforce", companies, rng)
    with (project / TRUTH).open("w", encoding="utf-8", newline="") as file:
        truth = csv.writer(file)
        truth.writerow(("system", "source_account_id", "account_id"))
        for system in SYSTEMS:
            _write_accounts(project / "inbox" / system, system, companies, rng, truth)


_HEADERS = (
    "Id",
    "Name",
    "ParentId",
    "Industry",
    "BillingStreet",
    "BillingPostalCode",
    "BillingCountry",
    "Website",
    "CVR__c",
)
_TIMES = dict.fromkeys(("CreatedDate", "SystemModstamp"), "2020-01-01 00:00:00")


def _write_salesforce(folder: Path, companies: Companies, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    has_cvr, has_site = (rng.random(len(companies.id)) < share for share in (0.85, 0.8))
    with (folder / "Account.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow((*_HEADERS, *_TIMES))
        for n, account in enumerate(companies.id):
            site, cvr = companies.domain[n] if has_site[n] else "", companies.cvr[n] if has_cvr[n] else ""
            facts = (companies.street[n], companies.postal[n], "Danmark", site, cvr)
            rows.writerow((account, companies.name[n], "", "Trade", *facts, *_TIMES.values()))


def _write_accounts(folder: Path, system: str, companies: Companies, rng: np.random.Generator, truth: Any) -> None:
    """Nineteen in twenty companies, and one account in forty that is of none."""
    folder.mkdir(parents=True)
    count = len(companies.id)
    strangers = Companies(rng, count // 40, first=count)
    name = "organizations.ndjson" if system == "zendesk" else "customers.ndjson"
    with (folder / name).open("w", encoding="utf-8") as file:
        for whose, ids in ((companies, companies.id), (strangers, [""] * (count // 40))):
            for n in np.flatnonzero(rng.random(len(ids)) < 0.95).tolist():
                account = f"{'1' if ids[n] else '2'}{n:08d}"
                account = account if system == "zendesk" else f"cus_{account}"
                file.write(json.dumps(_record(system, account, whose, n, ids[n], rng), ensure_ascii=False) + "\n")
                truth.writerow((system, account, f"salesforce:{ids[n]}" if ids[n] else ""))


def _record(
    system: str, account: str, companies: Companies, n: int, crm_id: str, rng: np.random.Generator
) -> dict[str, Any]:
    """The account as its system knows it: by one certain key, or none."""
    key, spelt, has_address, slip = rng.random(4)
    name = _spelt(companies, n, spelt, rng)
    cvr = (
        companies.cvr[n] if 0.45 <= key < 0.65 else _with_a_wrong_digit(companies.cvr[n], rng) if slip < 0.02 else None
    )
    keys: dict[str, Any] = {"crm_id": crm_id if key < 0.45 and crm_id else None, "cvr": cvr}
    domain = companies.domain[n] if 0.65 <= key < 0.9 else None
    if system == "zendesk":
        fields = {"cvr": keys["cvr"], "postnr": str(companies.postal[n]) if has_address < 0.3 else None}
        organization = {"id": int(account), "name": name, "external_id": keys["crm_id"], "organization_fields": fields}
        times = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
        return {"organization": {**organization, "domain_names": [domain] if domain else [], **times}}
    address = {"line1": companies.street[n], "postal_code": str(companies.postal[n]), "country": "DK"}
    return {
        "id": account,
        "object": "customer",
        "created": 1577836800,
        "name": name,
        "email": f"faktura@{domain}" if domain else None,
        "address": address if has_address < 0.7 else None,
        "metadata": {key: value for key, value in keys.items() if value},
    }


def _spelt(companies: Companies, n: int, u: float, rng: np.random.Generator) -> str:
    bare, name = companies.bare[n], companies.name[n]
    if u < 0.35:
        return name
    if u < 0.65:
        return bare
    if u < 0.75:
        return name.upper()
    if u < 0.8:
        return f"{bare} Danmark"
    if u < 0.96:
        place = int(rng.integers(1, len(bare) - 1))
        # A letter is left out, doubled, or changes places with its neighbour.
        return (bare[:place] + bare[place + 1 :], bare[:place] + bare[place - 1 :], _swapped(bare, place))[place % 3]
    return companies.new[n]


def _swapped(text: str, place: int) -> str:
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]


def _with_a_wrong_digit(number: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(0, len(number)))
    return number[:place] + str((int(number[place]) + 1 + int(rng.integers(0, 9))) % 10) + number[place + 1 :]


def prepare(project: Path) -> dict[str, float]:
    """Land and cast the files; nothing of it is timed."""
    from warehouse.build import stage, start
    from warehouse.contracts import SHIPPED, load_contracts
    from warehouse.landing import land_all, landing_done, landing_time
    from warehouse.project import Project

    opened, contracts = Project.open(project), load_contracts([SHIPPED])
    at = landing_time(opened, dt.datetime(2026, 6, 30))
    landed = land_all(opened, contracts, at)
    landing_done(opened)
    engine = start(project / "build", opened, contracts, opened.as_of())
    stage(engine, opened, contracts, landed, opened.as_of())
    engine.close()
    return {}


def link(project: Path) -> dict[str, float]:
    """Make the certain links and the suggestions; seconds of each, the pairs compared and how well both do."""
    from transforms.identity import read_accounts, suggest
    from warehouse.build import STAGED, WAREHOUSE
    from warehouse.engine import Engine, literal
    from warehouse.keys import project_key, use_key
    from warehouse.models import define_macros, find_models, run_model
    from warehouse.project import Project

    engine = Engine.open(project / "build" / WAREHOUSE, threads=2, memory="3GB", query_seconds=600)
    engine.execute(f"attach {literal(str(project / 'build' / STAGED))} as staged")
    define_macros(engine)
    use_key(engine.connection, project_key(Project.open(project)))
    models = find_models()
    wanted = {"canonical.account_xref", "canonical.account_domain"}
    for model in reversed(models):
        if model.table in wanted:
            wanted |= model.depends_on
    measured: dict[str, float] = {}
    started = time.monotonic()
    for model in models:
        if model.table in wanted:
            run_model(engine, model)
    measured["certain seconds"] = time.monotonic() - started
    started = time.monotonic()
    found = suggest(**read_accounts(engine.connection))
    measured["suggestion seconds"] = time.monotonic() - started
    measured["pairs"] = int(found.schema.metadata[b"pairs"])
    engine.connection.register("suggestion", found)
    engine.execute(f"create temp table truth as from read_csv({literal(str(project / TRUTH))}, all_varchar = true)")
    for name, query in QUESTIONS.items():
        measured[name] = float(engine.execute(query).fetchall()[0][0] or 0)
    engine.close()
    return measured


_LINKED = (
    "from canonical.account_xref as link join truth on truth.system = link.source_system "
    "and truth.source_account_id = link.source_account_id"
)
_SUGGESTED = f"{_LINKED} left join suggestion on suggestion.system = truth.system " + (
    "and suggestion.source_account_id = truth.source_account_id and suggestion.rank = 1 where link.account_id is null"
)
QUESTIONS = {
    "accounts": f"select count(*) {_LINKED}",
    "linked": f"select count(*) {_LINKED} where link.account_id is not null",
    "linked rightly": f"select count(*) {_LINKED} where link.account_id = truth.account_id",
    "unmatched": f"select count(*) {_SUGGESTED}",
    "unmatched with a company": f"select count(*) {_SUGGESTED} and truth.account_id is not null",
    "suggested": f"select count(*) {_SUGGESTED} and suggestion.rank = 1",
    "suggested rightly": f"select count(*) {_SUGGESTED} and suggestion.account_id = truth.account_id",
    "suggested from .99": f"select count(*) {_SUGGESTED} and suggestion.probability >= 0.99",
    "suggested from .99 rightly": (
        f"select count(*) {_SUGGESTED} and suggestion.probability >= 0.99 and suggestion.account_id = truth.account_id"
    ),
}


def _measured(step: str, project: Path) -> dict[str, float]:
    """Run one step in a process of its own; what it measured, and its peak memory in GB."""
    code = (
        "import json, resource, sys; from pathlib import Path; from benchmarks import linking; "
        f"measured = linking.{step}(Path(sys.argv[1])); "
        "measured['peak GB'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6; print(json.dumps(measured))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project)], check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def report(count: int, measured: dict[str, float]) -> str:
    """What was measured, as lines."""

    def share(part: str, whole: str) -> str:
        return f"{measured[part]:,.0f} of {measured[whole]:,.0f} ({measured[part] / max(measured[whole], 1):.1%})"

    seconds = measured["certain seconds"] + measured["suggestion seconds"]
    return "\n".join(
        (
            f"{count:,} companies in three systems, {measured['accounts']:,.0f} accounts to link",
            f"  certain links {measured['certain seconds']:.1f} s, suggestions {measured['suggestion seconds']:.1f} s, "
            f"together {seconds:.1f} s; {measured['pairs']:,.0f} pairs compared; peak {measured['peak GB']:.2f} GB",
            f"  linked {share('linked', 'accounts')}, rightly {share('linked rightly', 'linked')}",
            f"  with a company, but not linked: {share('unmatched with a company', 'unmatched')} of what is not linked",
            f"  recall: rightly suggested {share('suggested rightly', 'unmatched with a company')}",
            f"  precision: {share('suggested rightly', 'suggested')}, "
            f"from .99 on {share('suggested from .99 rightly', 'suggested from .99')}",
        )
    )


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        write_files(project, count)
        _measured("prepare", project)
        print(report(count, _measured("link", project)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMPANIES)
