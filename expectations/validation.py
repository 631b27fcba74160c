"""Runs suites with Great Expectations inside DuckDB, and builds the Data Docs.

Importing this module takes 5-8 s, so `expectations.gate` does it when the first check is asked for.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.checks import ROWS_SHOWN, Check, Suite
from expectations.duckdb_datasource import connect_arguments

# Counts without values: a value may be personal, and each list of values is one more query.
COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


@dataclass(frozen=True)
class Outcome:
    """What became of one check: GX's result dictionary, the error if it could not run, keys of failing rows."""

    suite: Suite
    check: Check
    success: bool
    result: dict[str, Any]
    error: str
    keys: list[dict[str, Any]]


def validate(
    database: Path, suites: Sequence[Suite], folder: Path, run_id: str, *, threads: int, memory: str
) -> list[Outcome]:
    """Run every suite over the file, read-only; Data Docs under `folder`/data_docs.

    The pages name the run; the outcomes come in the order of the suites and of their checks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _quiet(), _spill(folder) as spill:
        context = _context(folder / "data_docs")
        datasource = context.data_sources.add_duckdb(
            name="warehouse",
            connection_string="duckdb://",
            kwargs={"connect_args": connect_arguments(database, threads=threads, memory=memory, spill=spill)},
        )
        try:
            outcomes = [outcome for suite in suites for outcome in _run(context, datasource, suite, run_id)]
            context.build_data_docs()
        finally:
            datasource.close()
    return outcomes


@contextmanager
def _quiet() -> Iterator[None]:
    """GX logs each failed check with its query; what a person needs is in the results."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _spill(folder: Path) -> Iterator[Path]:
    path = folder / "spill"
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _context(data_docs: Path) -> EphemeralDataContext:
    """A context that keeps everything in memory except the Data Docs, and reports to nobody."""
    # GX reads $NAME in a configured text as a variable; a folder may be called so.
    base_directory = str(data_docs).replace("$", r"\$")
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": base_directory},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        # A page per suite would only repeat what each result page says.
        "site_section_builders": {"expectations": "None", "profiling": "None"},
    }
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        data_docs_sites={"local_site": site},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _run(context: EphemeralDataContext, datasource: Any, suite: Suite, run_id: str) -> list[Outcome]:
    schema, table = suite.table.split(".", 1)
    asset = datasource.add_table_asset(name=suite.name, schema_name=schema, table_name=table)
    batch = asset.add_batch_definition_whole_table("all")
    expectations = context.suites.add(_expectations(suite.name, suite.checks))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.name, data=batch, suite=expectations)
    )
    # Without a time of its own the identifier reads the run's name as one: `...Z-9546` is no offset from UTC.
    identifier = RunIdentifier(run_name=run_id, run_time=dt.datetime.now(dt.UTC))
    run = definition.run(result_format=dict(COUNTS), run_id=identifier)
    by_check = _by_check(run.results)
    keys = _keys_of_failures(batch, suite, by_check)
    return [_outcome(suite, check, by_check[_identity(check)], keys) for check in suite.checks]


def _expectations(name: str, checks: Sequence[Check]) -> ExpectationSuite:
    return ExpectationSuite(
        name=name,
        expectations=[
            ExpectationConfiguration(
                check.expect,
                dict(check.kwargs),
                meta={"check": list(_identity(check))},
                notes=check.notes or None,
                severity=FailureSeverity(check.severity),
            ).to_domain_obj()
            for check in checks
        ],
    )


def _identity(check: Check) -> tuple[str, str]:
    return check.name, check.column


def _by_check(results: Sequence[ExpectationValidationResult]) -> dict[tuple[str, str], ExpectationValidationResult]:
    """GX returns results grouped by column; we find ours by the identity that travels in `meta`."""
    configured = ((result.expectation_config, result) for result in results)
    return {tuple((config.meta or {})["check"]): result for config, result in configured if config}


def _keys_of_failures(
    batch: BatchDefinition[Any], suite: Suite, by_check: dict[tuple[str, str], ExpectationValidationResult]
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """For the failed column checks, the grain of some failing rows: a second, rare pass, not kept in the Data Docs."""
    failed = [check for check in suite.checks if _counts_rows(by_check[_identity(check)])]
    if not failed or not suite.grain:
        return {}
    listing = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": ROWS_SHOWN,
        "unexpected_index_column_names": list(suite.grain),
    }
    results = batch.get_batch().validate(_expectations(f"{suite.name} keys", failed), result_format=listing).results
    return {
        identity: [
            {name: row.get(name) for name in suite.grain}
            for row in result.result.get("partial_unexpected_index_list") or []
        ]
        for identity, result in _by_check(results).items()
    }


def _counts_rows(result: ExpectationValidationResult) -> bool:
    return not result.success and bool(result.result.get("unexpected_count"))


def _outcome(
    suite: Suite,
    check: Check,
    result: ExpectationValidationResult,
    keys: dict[tuple[str, str], list[dict[str, Any]]],
) -> Outcome:
    listed = (result.result.get("details") or {}).get("unexpected_rows") or keys.get(_identity(check), [])
    return Outcome(suite, check, bool(result.success), dict(result.result), _error(result.exception_info), listed)


def _error(information: dict[str, Any]) -> str:
    """The exception's message; GX gives one dictionary, or one for each metric that failed."""
    each = [information] if "raised_exception" in information else list(information.values())
    messages = [str(item["exception_message"]) for item in each if item.get("raised_exception")]
    return messages[0] if messages else ""
