"""How often does the contrast err? Worlds whose truth is known, and what the verdict says of them.

    python -m benchmarks.contrast [--worlds N] [--seed N] [--write] [--nights N]

Worlds are drawn at the level of measures, as the frame that `study.run` reads, and only the primary comparison is made.
Every account's size moves both its partnership and its value; managers look after accounts of unequal number, and some
accounts share a parent. `--write` puts the tables into docs/contrast.md; `--nights` draws whole demos instead, with and
without an effect, and builds them as a night does.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks import few_clusters
from benchmarks.building import built
from demo import write_demo
from transforms.contrast import study, switchers
from transforms.contrast.clusters import connected
from transforms.contrast.protocol import Protocol
from warehouse import build, lineage
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.errors import ConfigurationError
from warehouse.landing import land_all
from warehouse.models import LAYERS, TRANSFORMS
from warehouse.project import Project

Floats = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "contrast.md"
ACCOUNTS, MANAGERS, FAMILIES = 500, 40, 12
# 8 points of mutual value, the difference that the demo plants too.
EFFECT = 0.08
HALF_YEARS = range(-11, 1)
GROUPS = (6, 10, 20, 30)
T0, AS_OF, LANDED = dt.date(2026, 1, 1), dt.date(2026, 6, 30), dt.datetime(2026, 7, 1)
VERDICTS = ("supported", "contradicted", "practically_null", "inconclusive", "not_estimable")
# How many half-years the switchers' base is the mean of, and how many before the switch are left out of it.
SWITCHERS = {
    "switchers, the two half-years of the style left out": (2, 2),
    "switchers, and the bad one before them": (2, 3),
    "switchers, and one more (protocol)": (2, 4),
}


@dataclass(frozen=True)
class Found:
    """What one estimator said of one world; numbers are NaN where it could not be computed."""

    world: str
    truth: float
    estimator: str
    effect: float
    error: float
    low: float
    high: float
    verdict: str


# --- worlds -----------------------------------------------------------------------------------------------------------


def draw(generator: np.random.Generator, effect: float = 0.0, leak: float = 0.0) -> pd.DataFrame:
    """Accounts in whom size moves partnership and value, each against the reference of its segment.

    Partnership of .60 and more adds `effect` to mutual value. One indicator of style, free of anything else, moves
    partnership; `leak` times it enters mutual value too.
    """
    accounts = _accounts(generator)
    size, manager = accounts["log_mrr"] - accounts.pop("reference"), accounts.pop("manager")
    indicator, inclined = generator.normal(size=ACCOUNTS), generator.normal(size=MANAGERS)[manager]
    busy = (accounts["logging_intensity"] - 5) / 1.5
    style = 0.5 * size + 0.3 * busy + 0.4 * inclined + 0.5 * indicator + generator.normal(0, 0.6, ACCOUNTS)
    partnership = ndtr(style)
    # Where there is partnership there is less noise: variances differ between the arms.
    noise = generator.normal(size=ACCOUNTS) * (0.13 - 0.05 * partnership)
    generous = generator.normal(size=MANAGERS)[manager]
    value = ndtr(0.25 * size + 0.1 * busy + 0.15 * generous) + effect * (partnership >= 0.6) + leak * indicator + noise
    unknown = generator.random((2, ACCOUNTS)) < 0.05
    return _incomplete(accounts, generator).assign(
        partnership=np.where(unknown[0], np.nan, partnership),
        style=None,
        mutual_value=np.where(unknown[1], np.nan, value),
    )


def _accounts(generator: np.random.Generator) -> pd.DataFrame:
    segment = generator.choice(3, ACCOUNTS, p=(0.5, 0.3, 0.2))
    reference = np.array([6.0, 7.5, 9.0])[segment]
    log_mrr = reference + generator.normal(size=ACCOUNTS)
    share = generator.lognormal(0, 0.6, MANAGERS)
    manager = generator.choice(MANAGERS, ACCOUNTS, p=share / share.sum())
    family = np.full(ACCOUNTS, None, dtype=object)
    family[generator.permutation(ACCOUNTS)[: 2 * FAMILIES]] = [f"p{number // 2}" for number in range(2 * FAMILIES)]
    return pd.DataFrame(
        {
            "account_id": [f"a{number:03d}" for number in range(ACCOUNTS)],
            "segment": np.array(["small", "middle", "large"])[segment],
            "reference": reference,
            "log_mrr": log_mrr,
            "seats": np.exp(log_mrr / 3 + generator.normal(0, 0.3, ACCOUNTS)),
            "tenure_months": generator.integers(13, 120, ACCOUNTS).astype(float),
            "logging_intensity": 5 + 1.5 * generator.normal(size=MANAGERS)[manager],
            "industry": generator.choice(["energy", "retail", "banking", "public"], ACCOUNTS),
            "region": generator.choice(["north", "south", "west"], ACCOUNTS),
            "days_to_renewal": generator.integers(0, 365, ACCOUNTS).astype(float),
            "sla_tier": generator.choice(["base", "gold"], ACCOUNTS),
            "manager": manager,
            "owner_id": [f"m{number}" for number in manager],
            "parent_id": family,
        }
    )


def _incomplete(accounts: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Covariates as they come: each unknown for some, the end of the term for many."""
    shares = {"seats": 0.1, "tenure_months": 0.05, "industry": 0.05, "days_to_renewal": 0.3, "sla_tier": 0.1}
    gone = {name: generator.random(ACCOUNTS) < share for name, share in shares.items()}
    return accounts.assign(**{name: accounts[name].mask(absent) for name, absent in gone.items()})


def draw_switching(generator: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accounts that turn to partnership after a bad half-year, which passes of itself; the frame and the panel.

    Half-year 0 is the value window of the contrast; its partnership is that of the two half-years before.
    """
    accounts = draw(generator)
    level = ndtr(0.25 * generator.normal(size=ACCOUNTS))
    shock = _passing(generator.normal(size=(ACCOUNTS, len(HALF_YEARS))))
    bad = shock < -1
    turns = generator.random(shock.shape) < np.where(bad, 0.25, 0.02)
    # The half-year after the turn is the first as a partner; style, of two half-years, shows it in the third.
    first = np.where(turns[:, :-3].any(axis=1), turns[:, :-3].argmax(axis=1) + 3, -1)
    since = np.where(first >= 0, np.array(HALF_YEARS)[first], np.nan)
    value = level[:, None] + 0.08 * shock
    partner = since <= 0
    panel = pd.DataFrame(
        {
            "account_id": np.repeat(accounts["account_id"], len(HALF_YEARS)),
            "period": np.tile(HALF_YEARS, ACCOUNTS),
            "mutual_value": value.ravel(),
            "first_treated": np.repeat(since, len(HALF_YEARS)),
            "cluster": np.repeat(connected(accounts, "account_id", "owner_id", "parent_id"), len(HALF_YEARS)),
        }
    )
    return accounts.assign(partnership=np.where(partner, 0.8, 0.2), mutual_value=value[:, -1]), panel


def _passing(innovation: Floats) -> Floats:
    """A series in which .3 of each half-year's shock is left in the next, of variance 1."""
    shock = innovation.copy()
    for number in range(1, shock.shape[1]):
        shock[:, number] = 0.3 * shock[:, number - 1] + math.sqrt(1 - 0.3**2) * innovation[:, number]
    return shock


# --- what is found in them --------------------------------------------------------------------------------------------


def primary() -> Protocol:
    """The shipped protocol with the primary contrast alone."""
    protocol = Protocol.load()
    return protocol.model_copy(
        update={
            "comparisons": tuple(one for one in protocol.comparisons if one.name == protocol.primary_comparison),
            "outcomes": tuple(one for one in protocol.outcomes if one.name == protocol.primary_outcome),
        }
    )


def one_world(seed: int, number: int) -> list[Found]:
    """The four worlds of this number, by every estimator."""
    generator = np.random.default_rng([seed, number])
    found = compared("nothing, size confounds", 0.0, draw(generator))
    found += compared("8 points", EFFECT, draw(generator, effect=EFFECT))
    found += compared("nothing, but a column of style leaks into value", 0.0, draw(generator, leak=0.05))
    world = "nothing, partners after a bad half-year"
    frame, panel = draw_switching(generator)
    return found + compared(world, 0.0, frame) + [_switched(world, panel, name) for name in SWITCHERS]


def compared(world: str, truth: float, frame: pd.DataFrame) -> list[Found]:
    rows = study.run(frame, primary(), AS_OF, T0).contrast
    numbers = rows[["difference", "standard_error", "ci_low", "ci_high"]].to_numpy(dtype=float)
    words = rows[["estimator", "verdict"]].itertuples(index=False)
    return [
        Found(world, truth, estimator, effect, error, low, high, verdict)
        for (estimator, verdict), (effect, error, low, high) in zip(words, numbers.tolist(), strict=True)
    ]


def _switched(world: str, panel: pd.DataFrame, name: str) -> Found:
    base_periods, anticipation = SWITCHERS[name]
    result = switchers.group_time_att(
        panel,
        "account_id",
        "period",
        "mutual_value",
        "first_treated",
        base_periods=base_periods,
        anticipation=anticipation,
        cluster="cluster",
    )
    row = switchers.aggregate(result).iloc[0]
    return Found(world, 0.0, name, row["att"], row["standard_error"], row["ci_low"], row["ci_high"], "")


def refusal() -> str:
    """What the firewall says to a measure of value that reads a column of style."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(TRANSFORMS, Path(folder) / "transforms"))
        (root / "value" / "csat.sql").write_text(LEAKY, encoding="utf-8")
        try:
            lineage.ensure_sealed(root)
        except ConfigurationError as error:
            return str(error)
    raise AssertionError("the firewall let a column of style into value")


LEAKY = """\
-- grain: account_id, month
-- A rating that counts actions done: a column of style in a measure of value.
select
    account_id,                         -- the company
    month,                              -- last month of the window
    1.0 as numerator,                   -- it
    1.0 as denominator,                 -- it
    1 as n,                             -- it
    count(done_on) as raw_value,        -- actions done
    0.0 as raw_error                    -- it
from canonical.plan_action
group by account_id, month
"""


# --- tables -----------------------------------------------------------------------------------------------------------


def table(found: Sequence[Found]) -> str:
    """Per world and estimator: how often an effect was seen, how often the truth was held, bias, error."""
    lines = [
        "| world | estimator | worlds | 0 outside the interval | truth inside | bias, points | error / spread |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (world, estimator), rows in _grouped(found, lambda one: (one.world, one.estimator)).items():
        numbers = np.array([(one.effect, one.error, one.low, one.high) for one in rows])
        effect, error, low, high = numbers[~np.isnan(numbers[:, 0])].T
        truth = rows[0].truth
        bias = 100 * (effect.mean() - truth)
        part = f" ({bias / truth:+.0f} %)" if truth else ""
        seen, held = (low > 0) | (high < 0), (low <= truth) & (truth <= high)
        relative = f"{error.mean() / effect.std(ddof=1):.2f}"
        cells = [world, estimator, f"{len(effect)}", _share(seen), _share(held), f"{bias:+.2f}{part}", relative]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def verdict_table(found: Sequence[Found]) -> str:
    """Per world, how often each word was said."""
    lines = [f"| world | {' | '.join(VERDICTS)} |", f"| --- |{' --- |' * len(VERDICTS)}"]
    judged = [one for one in found if one.estimator == "overlap"]
    for world, rows in _grouped(judged, lambda one: (one.world,)).items():
        cells = [_share(np.array([one.verdict == word for one in rows])) for word in VERDICTS]
        lines.append(f"| {world[0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def clusters_table(found: dict[int, list[few_clusters.Held]]) -> str:
    """Per number of clusters and method, how often each interval held the truth."""
    kinds = {"sandwich": "sandwich", "bootstrap": "score wild bootstrap", "jackknife": "jackknife"}
    lines = [f"| clusters | estimator | {' | '.join(kinds.values())} |", "| --- | --- | --- | --- | --- |"]
    for clusters, worlds in found.items():
        for method in few_clusters.METHODS:
            rows = [one for one in worlds if one.method == method]
            cells = [_share(np.array([getattr(one, kind) for one in rows])) for kind in kinds]
            lines.append(f"| {clusters} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _grouped(found: Iterable[Found], key: Callable[[Found], tuple[str, ...]]) -> dict[tuple[str, ...], list[Found]]:
    groups: dict[tuple[str, ...], list[Found]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups


def _share(happened: NDArray[np.bool_]) -> str:
    """A share in % with its Monte Carlo error."""
    share = float(happened.mean())
    return f"{100 * share:.1f} ± {100 * math.sqrt(share * (1 - share) / len(happened)):.1f}"


# --- whole nights -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Night:
    """One demo: the true difference between its groups and what was found."""

    seed: int
    planted: float
    truth: float
    difference: float
    low: float
    high: float
    verdict: str


def one_night(seed: int, planted: float, accounts: int = 600, months: int = 36) -> Night:
    """Write a demo, build it, and hold the primary contrast against what is planted."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_demo(root, accounts=accounts, months=months, seed=seed, effect=planted)
        project = Project.open(root)
        landed = land_all(project, load_contracts([SHIPPED]), LANDED)
        with built(project, root / "build", list(LAYERS), landed) as engine:
            build.contrast(engine, project, project.as_of())
            row = engine.execute(
                "select difference, ci_low, ci_high, verdict from mart.contrast where estimator = 'overlap' "
                "and comparison = 'partnership_high_vs_low' and outcome = 'mutual_value'"
            ).fetchall()[0]
            accounts_in = engine.execute(
                "select account_id, partnership from mart.contrast_input where reason is null"
            ).df()
        truth = _true_difference(accounts_in, root / "truth.json")
    difference, low, high = (math.nan if value is None else float(value) for value in row[:3])
    return Night(seed, planted, truth, difference, low, high, str(row[3]))


def _true_difference(compared: pd.DataFrame, path: Path) -> float:
    """Expected mutual value at the two groups' mean planted partnership in the value window, all else the same."""
    told = json.loads(path.read_text(encoding="utf-8"))
    latent, curve = told["latent"], told["expected_mutual_value"]
    planted = compared["account_id"].map(
        lambda account: np.mean(latent[account.removeprefix("salesforce:")]["partnership"][-6:])
    )
    low, high = planted[compared["partnership"] <= 0.4].mean(), planted[compared["partnership"] >= 0.6].mean()
    return float(np.diff(np.interp([low, high], curve["grid"], curve["mutual_value"]))[0])


def nights_table(found: Sequence[Night]) -> str:
    lines = [
        "| seed | planted | true difference | found | 95 % interval | truth inside | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        inside = "yes" if one.low <= one.truth <= one.high else "no"
        numbers = f"{one.truth:.3f} | {one.difference:.3f} | {one.low:.3f} to {one.high:.3f}"
        lines.append(f"| {one.seed} | {one.planted:g} | {numbers} | {inside} | {one.verdict} |")
    return "\n".join(lines)


# --- the command ------------------------------------------------------------------------------------------------------


def report(worlds: int, seed: int) -> dict[str, str]:
    """The tables by the name of their place in docs/contrast.md."""
    with _pool() as pool:
        found = [one for each in pool.map(partial(one_world, seed), range(worlds), chunksize=4) for one in each]
        held = {count: _held(pool, count, worlds) for count in GROUPS}
    return {
        "operating": f"{worlds:,} worlds each, seed {seed}.\n\n{table(found)}",
        "verdicts": verdict_table(found),
        "clusters": f"{worlds:,} worlds each.\n\n{clusters_table(held)}",
        "refusal": f"```\n{refusal()}\n```",
    }


def _held(pool: ProcessPoolExecutor, clusters: int, worlds: int) -> list[few_clusters.Held]:
    found = pool.map(partial(few_clusters.held, clusters), range(worlds), chunksize=8)
    return [one for each in found for one in each]


def _pool() -> ProcessPoolExecutor:
    """Two fresh processes of one thread each: the matrices are small, and threads would wait for each other."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def written(page: str, parts: dict[str, str]) -> str:
    """The page with each part between its two markers."""
    for name, text in parts.items():
        begin, end = f"<!-- {name}: python -m benchmarks.contrast --write -->", f"<!-- end of {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"docs/contrast.md has no place for {name}: it needs the lines {begin} and {end}")
        between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        page = between.sub(lambda _, new=f"{begin}\n\n{text}\n\n{end}": new, page)  # type: ignore[misc]
    return page


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nights", type=int, default=0, help="whole demos instead, so many with and without effect")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/contrast.md")
    asked = parser.parse_args(arguments)
    if asked.nights:
        seeds = range(asked.seed, asked.seed + asked.nights)
        parts = {"nights": nights_table([one_night(seed, planted) for planted in (1.0, 0.0) for seed in seeds])}
    else:
        parts = report(asked.worlds, asked.seed)
    if asked.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), parts), encoding="utf-8")
    print("\n\n".join(parts.values()))


if __name__ == "__main__":
    main()
