"""Which company an account probably is, where no certain key says so: suggestions for a person to decide on.

Scored by splink (Fellegi and Sunter 1969): each way in which two accounts agree or differ weighs as much as it is more
frequent among accounts of one company than among accounts of two. Pairs that certain keys link teach the first
frequency, accounts of different companies the second. The steps around it are the SQL files of suggestions/.

The same tables give the same suggestions, in whatever order their rows come and on however many threads. Splink's own
sampling does not (its sample follows the order of rows and the number of threads), so pairs to learn from are picked by
a hash of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import yaml

from warehouse.engine import Engine, connect

STEPS = Path(__file__).parent / "suggestions"

# Fewer pairs say too little, and the stated frequencies stand. Those also steady small counts, as so many pairs would:
# what was seen in none of 200,000 pairs of two companies is rarer than one in 200,000, but never impossible.
_ENOUGH = (50, 10_000)
_STEADYING = (20, 50_000)

# Of the accounts that nothing certain links, so many are supposed to have a company.
_SHARE_WITH_COMPANY = 0.5

# The numbers that the SQL of the steps reads.
_LIMITS = {
    "per_account": 3,           # suggestions for one account
    "widest_block": 20,         # what more companies have in common (a frequent word) makes no pair
    "widest_key": 3,            # a domain or number of more companies (a bookkeeper's) tells none from another
    "certain_pairs": 20_000,    # pairs of one company to learn from
    "other_pairs": 200_000,     # pairs of two companies to learn from
}  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison: its words, when it holds (SQL over columns with _l and _r), and how often it holds
    among pairs of one company (m) and of two (u) as long as nothing better is known.
    """

    words: str
    holds: str
    m: float
    u: float


@dataclass(frozen=True)
class Comparison:
    """What is compared, when it cannot be (SQL), and its outcomes from the closest to the farthest.

    Pairs that one of `own_methods` (of canonical.account_xref) linked agree by construction, and do not teach it.
    """

    name: str
    unknown: str
    levels: Sequence[Level]
    own_methods: Sequence[str] = ()

    @property
    def column(self) -> str:
        """Splink's column of the outcome: the number of levels that are farther, -1 where it cannot be compared."""
        return f"gamma_{self.name}"


_ELSE = "ELSE"
_SAME_NAME = "(plain_l = plain_r or ordered_l = ordered_r)"

COMPARISONS = (
    Comparison(
        "name",
        "plain_l is null or plain_r is null",
        [
            Level("same name, which no other company has", f"{_SAME_NAME} and namesakes_r <= 1", 0.55, 1e-6),
            Level("same name, which other companies have too", _SAME_NAME, 0.03, 2e-5),
            Level(
                "one name is part of the other",
                "(list_has_all(words_l, words_r) or list_has_all(words_r, words_l))"
                " and least(length(plain_l), length(plain_r)) >= 4",
                0.12,
                3e-5,
            ),
            Level(
                "almost the same name",
                "jaro_winkler_similarity(plain_l, plain_r) >= 0.92"
                " or (least(length(plain_l), length(plain_r)) >= 8 and abs(length(plain_l) - length(plain_r)) <= 2"
                " and damerau_levenshtein(plain_l, plain_r) <= 2)",
                0.15,
                3e-5,
            ),
            Level(
                "similar name",
                "jaro_winkler_similarity(plain_l, plain_r) >= 0.85 or list_has_any(words_l, words_r)",
                0.1,
                5e-3,
            ),
            Level("another name", _ELSE, 0.05, 0.995),
        ],
        ("email_domain",),
    ),
    Comparison(
        "domain",
        "domains_l is null or domains_r is null",
        [
            Level("same domain", "list_has_any(domains_l, domains_r)", 0.6, 1e-5),
            Level("same domain with another ending", "list_has_any(labels_l, labels_r)", 0.05, 1e-5),
            Level("another domain", _ELSE, 0.35, 0.99998),
        ],
        ("domain", "email_domain"),
    ),
    Comparison(
        "vat",
        "vat_l is null or vat_r is null",
        [
            Level("same VAT number", "vat_l = vat_r", 0.75, 1e-5),
            Level(
                "VAT number differs in one digit",
                "(left(vat_l, 4) = left(vat_r, 4) or right(vat_l, 4) = right(vat_r, 4))"
                " and damerau_levenshtein(vat_l, vat_r) <= 1",
                0.1,
                1e-5,
            ),
            Level("another VAT number", _ELSE, 0.15, 0.99998),
        ],
        ("vat",),
    ),
    Comparison(
        "ean",
        "ean_l is null or ean_r is null",
        [
            Level("same EAN number", "ean_l = ean_r", 0.5, 1e-5),
            Level("another EAN number", _ELSE, 0.5, 0.99999),
        ],
        ("ean",),
    ),
    Comparison(
        "address",
        # A postal code is compared with a postal code; a city with a city where one of them has no code.
        "case when postal_code_l is null or postal_code_r is null then city_l is null or city_r is null else false end",
        [
            Level("same address", "postal_code_l = postal_code_r and street_l = street_r", 0.55, 2e-5),
            Level(
                "same postal code and almost the same street",
                "postal_code_l = postal_code_r and jaro_winkler_similarity(street_l, street_r) >= 0.9",
                0.1,
                1e-4,
            ),
            Level("same postal code", "postal_code_l = postal_code_r", 0.1, 5e-3),
            Level("same city", "city_l = city_r", 0.1, 0.03),
            Level("another address", _ELSE, 0.15, 0.96488),
        ],
    ),
    Comparison(
        "country",
        "country_l is null or country_r is null",
        [Level("same country", "country_l = country_r", 0.97, 0.5), Level("another country", _ELSE, 0.03, 0.5)],
    ),
)

# The frequencies of every comparison's levels: (m, u) in their order.
Frequencies = Mapping[str, Sequence[tuple[float, float]]]


def stated() -> Frequencies:
    """The frequencies that stand where there are too few pairs to learn from."""
    return {each.name: [(level.m, level.u) for level in each.levels] for each in COMPARISONS}


def read_accounts(connection: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    """What `suggest` needs, from a build whose canonical tables are made and whose staged ones are still attached.

    Addresses are in no canonical table, because those are published.
    """
    return {name: connection.execute(query).to_arrow_table() for name, query in _GIVEN.items()}


_GIVEN = {
    "accounts": """
        select
            source.source_system as system, source.source_account_id, source.name, staged.vat, staged.ean,
            staged.street, staged.postal_code, staged.city, source.country, source.is_deleted, xref.account_id,
            xref.method, crm.rank as crm_rank
        from canonical.account_source as source
        join canonical.account_xref as xref using (source_system, source_account_id)
        join staged.account as staged
            on staged.source_system = source.source_system and staged.source_id = source.source_account_id
        left join canonical.crm as crm on crm.source_system = source.source_system
    """,
    "domains": "select source_system as system, source_account_id, domain from canonical.account_domain",
    "rejections": """
        select system, source_account_id, account_id from setting.link_decision where decision = 'reject'
    """,
}  # fmt: skip


def suggest(
    accounts: pa.Table,
    domains: pa.Table,
    rejections: pa.Table,
    *,
    suggest_from: float = 0.5,
    threads: int = 2,
    memory: str = "1GB",
    seconds: float = 600,
) -> pa.Table:
    """The companies that each account without one may be: at most three, from the probability `suggest_from` on.

    Takes the tables of `read_accounts`. Gives system, source_account_id, account_id, probability (four digits),
    evidence, name, company_name and rank, ordered by account and rank. Also accounts of a CRM are asked about that may
    be companies of a CRM of more authority. Works in a database of its own, in memory. The metadata say under `pairs`
    how many pairs of accounts were compared.

    Raises:
        QueryTimeout: it takes longer than `seconds`.
    """
    with TemporaryDirectory() as spill, connect(threads, memory, Path(spill), keeps_order=True) as connection:
        for name, table in (("account", accounts), ("domain", domains), ("rejection", rejections)):
            connection.register(f"given_{name}", table)
        _define_macros(connection, suggest_from)
        with Engine(connection, Path(), seconds).deadline("suggestions"):
            _make(connection, "record", "block", "pair")
            pairs = _score(connection, suggest_from)
            found: pa.Table = connection.execute(_step("suggestion")).to_arrow_table()
    return found.replace_schema_metadata({"pairs": str(pairs)})


def learned(connection: duckdb.DuckDBPyConnection) -> Frequencies:
    """The frequencies that the pairs of `lesson` show; those stated, of a comparison that too few pairs can make."""
    _compare(connection, "lesson", stated(), 0.5)
    found = {each.name: list(_frequencies(connection, each)) for each in COMPARISONS}
    chance = _chance_of_a_namesake(connection)
    if chance is not None:
        # No pair of companies shows it: two that are known and have one name make that name shared.
        found["name"][0] = (found["name"][0][0], chance)
    return found


def _chance_of_a_namesake(connection: duckdb.DuckDBPyConnection) -> float | None:
    """How often one more company would have the name that a single company has; None where names are too few.

    By Good and Turing's estimate (Good 1953, Biometrika 40): from how many names two companies have.
    """
    companies, alone, twice = connection.execute(
        """
        select sum(companies), count(*) filter (companies = 1), count(*) filter (companies = 2)
        from (select count(*) as companies from record where is_company and plain is not null group by system, ordered)
        """
    ).fetchall()[0]
    if not companies or alone < _ENOUGH[0]:
        return None
    return float(2 * (twice + 0.5) / alone / companies)


def _frequencies(connection: duckdb.DuckDBPyConnection, comparison: Comparison) -> Sequence[tuple[float, float]]:
    counts = connection.execute(
        f"""
        select
            {comparison.column},
            count(*) filter (method is not null and not list_contains(?, method)),
            count(*) filter (method is null)
        from compared
        join lesson on lesson.join_key_l = compared.unique_id_l and lesson.join_key_r = compared.unique_id_r
        where {comparison.column} >= 0
        group by {comparison.column}
        """,
        [list(comparison.own_methods)],
    ).fetchall()
    seen = {outcome: (certain, other) for outcome, certain, other in counts}
    rows = [seen.get(outcome, (0, 0)) for outcome in reversed(range(len(comparison.levels)))]
    pairs = [sum(row[side] for row in rows) for side in (0, 1)]
    return [
        (_steadied(0, level.m, row[0], pairs[0]), _steadied(1, level.u, row[1], pairs[1]))
        for level, row in zip(comparison.levels, rows, strict=True)
    ]


def _steadied(side: int, stated: float, count: int, pairs: int) -> float:
    """The frequency of `count` in `pairs` of one company (side 0) or of two (side 1)."""
    if pairs < _ENOUGH[side]:
        return stated
    return (count + stated * _STEADYING[side]) / (pairs + _STEADYING[side])


def _score(connection: duckdb.DuckDBPyConnection, suggest_from: float) -> int:
    """Make `scored`: every pair that is likely enough, with its probability and evidence; how many pairs there were."""
    connection.execute(
        "create table scored (unique_id_l bigint, unique_id_r bigint, probability double, evidence varchar)"
    )
    companies, pairs = connection.execute(
        "select (select count(*) from record where is_company), (select count(*) from pair)"
    ).fetchall()[0]
    if not pairs:
        return 0
    _make(connection, "lesson")
    # What is rounded up to the threshold is likely enough.
    at_least = max(suggest_from - 1e-4, 0) or None
    _compare(connection, "pair", learned(connection), _SHARE_WITH_COMPANY / companies, at_least)
    connection.execute(
        f"insert into scored select unique_id_l, unique_id_r, round(match_probability, 4), {_evidence()} from compared"
    )
    return int(pairs)


def _evidence() -> str:
    """SQL for the words of all outcomes, those that could not be compared left out."""
    cases = [
        f"case {each.column} "
        + " ".join(
            f"when {len(each.levels) - place} then '{level.words}'" for place, level in enumerate(each.levels, 1)
        )
        + " end"
        for each in COMPARISONS
    ]
    return f"concat_ws('; ', {', '.join(cases)})"


def _compare(
    connection: duckdb.DuckDBPyConnection,
    pairs: str,
    frequencies: Frequencies,
    prior: float,
    at_least: float | None = None,
) -> None:
    """Make `compared`: splink's outcome of every comparison and its probability, for the rows of the table `pairs`."""
    from splink import DuckDBAPI, Linker, SettingsCreator  # half a second, for nothing where all are linked

    database = DuckDBAPI(connection)
    linker = Linker(
        database.register("record"),
        SettingsCreator(
            link_type="dedupe_only",
            comparisons=[_for_splink(each, frequencies[each.name]) for each in COMPARISONS],
            blocking_rules_to_generate_predictions=[],
            probability_two_random_records_match=prior,
            retain_matching_columns=True,  # the outcomes come with them alone
        ),
        log_level=None,
    )
    linker.table_management.register_blocked_pairs_for_predict(database.register(pairs))
    found = linker.inference.predict(threshold_match_probability=at_least, warning_mode="never")
    columns = ", ".join(["unique_id_l", "unique_id_r", "match_probability", *(each.column for each in COMPARISONS)])
    connection.execute(f"create or replace table compared as select {columns} from {found.physical_name}")
    found.drop_table_from_database_and_remove_from_cache()


def _for_splink(comparison: Comparison, frequencies: Sequence[tuple[float, float]]) -> dict[str, object]:
    levels: list[dict[str, object]] = [
        {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    ]
    levels += [
        {"sql_condition": level.holds, "label_for_charts": level.words, "m_probability": m, "u_probability": u}
        for level, (m, u) in zip(comparison.levels, frequencies, strict=True)
    ]
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def _make(connection: duckdb.DuckDBPyConnection, *steps: str) -> None:
    for step in steps:
        connection.execute(f"create or replace table {step} as {_step(step)}")


def _step(name: str) -> str:
    return (STEPS / f"{name}.sql").read_text(encoding="utf-8")


def _define_macros(connection: duckdb.DuckDBPyConnection, suggest_from: float) -> None:
    """What the steps read: numbers, legal forms, countries, and the folding of letters."""
    for name, number in {**_LIMITS, "suggest_from": suggest_from}.items():
        connection.execute(f"create macro {name}() as {number}")
    words = yaml.safe_load((STEPS / "words.yml").read_text(encoding="utf-8"))
    forms = ", ".join(f"'{word}'" for word in words["legal_forms"].split())
    connection.execute(f"create macro legal_forms() as [{forms}]")
    connection.execute(
        "create macro folded(text) as regexp_replace(regexp_replace(strip_accents(replace(replace(replace("
        "lower(trim(text)), 'æ', 'ae'), 'ø', 'oe'), 'ß', 'ss')), 'a[ae]', 'a', 'g'), '([ou])e', '\\1', 'g')"
    )
    codes = {name: code for code, names in words["countries"].items() for name in [code, *names.split()]}
    cases = " ".join(f"when '{name}' then '{code}'" for name, code in codes.items())
    connection.execute(
        f"create macro country_code(text) as case regexp_replace(folded(text), '[^a-z]', '', 'g') {cases} end"
    )
