"""One build: an empty folder becomes a finished, closed warehouse file, step by step.

A build is a pure function of the lake, the configuration, the code and as-of. Nothing of it is seen by a reader before
it is published, so a build that dies is simply thrown away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from transforms.contrast.review import review
from transforms.contrast.study import run as run_contrast
from transforms.robustness import WEIGHTINGS, weight_robustness
from warehouse import protocols
from warehouse.casting import stage as cast_lake
from warehouse.contracts import SystemContract, staged_tables
from warehouse.engine import NO_LOG, Engine, literal, quoted
from warehouse.halves import reliability
from warehouse.keys import project_key, use_key
from warehouse.landing import LandedFile
from warehouse.lineage import ensure_sealed
from warehouse.lineage import rows as lineage_rows
from warehouse.models import LAYERS, Model, declared_tables, define_macros, find_models, run_models
from warehouse.project import Project
from warehouse.reference import version_in_force
from warehouse.serving.dictionary import comment
from warehouse.settings_tables import Windows, write_settings
from warehouse.versions import keep_newest, remember_keys

if TYPE_CHECKING:
    import pandas as pd

    from transforms.contrast.protocol import Protocol

WAREHOUSE = "warehouse.duckdb"
STAGED = "staged.duckdb"


@dataclass(frozen=True)
class Run:
    """What a release says about the run that built it."""

    run_id: str
    started_at: dt.datetime
    as_of: dt.date


@dataclass(frozen=True)
class Staged:
    """What staging set aside: older versions of records, by table, and files of drops after as-of."""

    older: Mapping[str, int]
    later_files: int


def start(folder: Path, project: Project, contracts: Mapping[str, SystemContract], as_of: dt.date) -> Engine:
    """Make folder/warehouse.duckdb with the run's settings, and beside it the file of cast source rows.

    Raises:
        ConfigurationError: the models let one source column feed both style and value.
    """
    ensure_sealed()
    folder.mkdir(parents=True, exist_ok=True)
    limits = project.settings.limits
    engine = Engine.open(
        folder / WAREHOUSE, threads=limits.threads, memory=limits.memory, query_seconds=limits.query_seconds
    )
    engine.execute(f"attach {literal(str(folder / STAGED))} as staged ({NO_LOG})")
    for schema in ("setting", *LAYERS.values()):
        engine.execute(f"create schema if not exists {quoted(schema)}")
    define_macros(engine)
    key = project_key(project)
    engine.prepare(lambda connection: use_key(connection, key))
    protocol = protocols.load(project)
    write_settings(engine, project, contracts, as_of, (protocol.low, protocol.high))
    return engine


def stage(
    engine: Engine,
    project: Project,
    contracts: Mapping[str, SystemContract],
    landed: Sequence[LandedFile],
    as_of: dt.date,
) -> Staged:
    """Cast what was known of the lake by the end of `as_of`; of several versions of a record the newest stays."""
    # The staged rows are gone when the build is closed: they are never written to where they would last.
    engine.execute("set checkpoint_threshold = '1TB'")
    with engine.deadline("casting the lake"):
        later = cast_lake(
            engine.connection,
            project,
            contracts,
            landed,
            project.end_of(as_of),
            crew=[each.connection for each in engine.crew()],
        )
    remember_keys(engine)
    older = {table: rows for table, rows in keep_newest(engine, staged_tables()).items() if rows}
    engine.execute("reset checkpoint_threshold")
    return Staged(older, later)


def layer(engine: Engine, name: str) -> dict[str, int]:
    """Run the models of one layer (a key of LAYERS); rows per table."""
    return run_models(engine, [model for model in find_models() if model.schema == LAYERS[name]])


def contrast(engine: Engine, project: Project, as_of: dt.date) -> str:
    """Compute mart.contrast and its companions; the verdict on the primary outcome."""
    protocol = protocols.load(project)
    frame = engine.execute("select * from mart.contrast_input order by account_id").df()
    t0 = Windows.at(as_of).t0
    result = run_contrast(frame, protocol, as_of, t0)
    for name in ("contrast", "contrast_balance", "retention"):
        _fill(engine, f"mart.{name}", getattr(result, name))
    _fill(engine, "mart.contrast_flow", result.flow.assign(as_of=as_of))
    _review(engine, frame, protocol, as_of)
    _fill(engine, "mart.contrast_power", result.power)
    robustness(engine, project, as_of)
    _fill_rows(engine, "mart.reliability", _reliability(engine, (t0 - dt.timedelta(days=1)).replace(day=1)))
    rows = engine.execute(
        "select verdict from mart.contrast where comparison = ? and outcome = ? order by estimator limit 1",
        [protocol.primary_comparison, protocol.primary_outcome],
    ).fetchall()
    return str(rows[0][0]) if rows else "not_estimable"


def _review(engine: Engine, frame: pd.DataFrame, protocol: Protocol, as_of: dt.date) -> None:
    """Compute what a reviewer asks of the contrast next: dose, segments, churn, switching, sensitivity."""
    months = engine.execute(
        "select account_id, month, partnership, ln(nullif(cast(mrr as double), 0)) as log_mrr "
        "from mart.relationship_month order by account_id, month"
    ).df()
    panel = engine.execute("select * from mart.contrast_panel order by account_id, period").df()
    found = review(frame, months, panel, protocol, as_of, Windows.at(as_of).t0)
    for table, rows in (
        ("dose_response", found.dose_response),
        ("contrast_segment", found.segment),
        ("switcher_effect", found.switcher_effect),
        ("contrast_sensitivity", found.sensitivity),
        ("contrast_test", found.test),
    ):
        _fill(engine, f"mart.{table}", rows)


def _reliability(engine: Engine, month: dt.date) -> list[dict[str, Any]]:
    """Rows of mart.reliability; none where the data begin after the month."""
    if not engine.execute("select 1 from mart.month where month = ?", [month]).fetchall():
        return []
    return [{"month": month, **asdict(each)} for each in reliability(engine, month)]


_COMPONENTS = """
    select component.account_id, component.part, component.measure_id, component.z, component.weight
    from scores.component as component
    join mart.relationship_month as relationship
        on relationship.account_id = component.account_id and relationship.month = component.month
    cross join setting.run as run
    where component.month = run.last_month
        and component.part in ('supplier_value', 'customer_value')
        and component.weight > 0
        and relationship.mutual_value is not null
"""


def robustness(engine: Engine, project: Project, as_of: dt.date) -> None:
    """Compute mart.weight_robustness: what stays of each account's rank under other weights."""
    frame = engine.execute(f"{_COMPONENTS} order by account_id, part, measure_id").df()
    result = weight_robustness(frame, protocols.load(project).seed)
    month = Windows.at(as_of).last_month
    told = result.assign(month=month, weightings=WEIGHTINGS, accounts=len(result))
    _fill(engine, "mart.weight_robustness", told)


def _fill(engine: Engine, table: str, frame: pd.DataFrame) -> None:
    """Make a declared table of a frame: its columns, types and order are the declaration's."""
    model = next(model for model in declared_tables() if model.table == table)
    columns = ", ".join(f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in model.types.items())
    order = ", ".join(map(quoted, model.grain))
    engine.connection.register("frame_rows", pa.Table.from_pandas(frame, preserve_index=False))
    engine.execute(f"create or replace table {table} as select {columns} from frame_rows order by {order}")
    engine.connection.unregister("frame_rows")


def _fill_rows(engine: Engine, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a declared table of rows (column -> value)."""
    import pandas as pd

    model = next(model for model in declared_tables() if model.table == table)
    _fill(engine, table, pd.DataFrame(rows, columns=list(model.columns)))


def finish(engine: Engine, project: Project, run: Run) -> Path:
    """Write what the release says of itself, describe every column, and close the file; its path.

    Raises:
        duckdb.Error: the file could not be checkpointed; it must not be published then.
    """
    _say_release(engine, project, run)
    past = protocols.read(project.decisions)
    _fill_rows(engine, "audit.protocol", protocols.rows(past, _decided(engine, protocols.load(project), run)))
    _fill_rows(engine, "audit.lineage", lineage_rows())
    comment(engine.connection, every_table())
    # Else closing would write out the staged rows as well.
    engine.execute("pragma disable_checkpoint_on_shutdown")
    engine.execute("checkpoint")
    engine.close()
    for name in (STAGED, f"{STAGED}.wal"):
        (engine.path.parent / name).unlink(missing_ok=True)
    return engine.path


def _decided(engine: Engine, protocol: Protocol, run: Run) -> protocols.Entry:
    """The verdict on the primary outcome, from the estimator that decides."""
    primary = protocol.primary
    [(verdict, difference, ci_low, ci_high)] = engine.execute(
        "select verdict, difference, ci_low, ci_high from mart.contrast "
        "where comparison = ? and outcome = ? and estimator = 'overlap'",
        [primary.comparison, primary.outcome],
    ).fetchall()
    return protocols.Entry(
        run_id=run.run_id,
        as_of=run.as_of,
        protocol_hash=protocol.hash,
        comparison=primary.comparison,
        outcome=primary.outcome,
        verdict=verdict,
        difference=difference,
        ci_low=ci_low,
        ci_high=ci_high,
        protocol=protocol.content,
    )


def every_table() -> list[Model]:
    """All published tables: the models and the declared ones."""
    return [*find_models(), *declared_tables()]


def _say_release(engine: Engine, project: Project, run: Run) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    code = version("mutual-value")
    _insert(
        engine,
        "mart.release",
        {
            "run_id": run.run_id,
            "as_of": run.as_of,
            "built_at": now,
            "code_version": code,
            "reference_version": version_in_force(project, run.as_of),
            "protocol_hash": protocols.load(project).hash,
        },
    )
    rows = engine.execute("select coalesce(sum(rows_in), 0) from audit.file").fetchall()[0][0]
    _insert(
        engine,
        "audit.run",
        {
            "run_id": run.run_id,
            "started_at": run.started_at,
            "ended_at": now,
            "as_of": run.as_of,
            "status": "built",
            "engine": f"duckdb {duckdb.__version__}",
            "code_version": code,
            "rows": int(rows),
            "seconds": (now - run.started_at).total_seconds(),
            "message": "",
        },
    )
    _make(engine.connection, "audit.expectation")


def _make(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    model = next(model for model in declared_tables() if model.table == table)
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in model.types.items())
    connection.execute(f"create or replace table {table} ({columns})")


def _insert(engine: Engine, table: str, row: Mapping[str, Any]) -> None:
    _make(engine.connection, table)
    marks = ", ".join("?" for _ in row)
    engine.execute(f"insert into {table} ({', '.join(map(quoted, row))}) values ({marks})", list(row.values()))


def record_checks(path: Path, results: Sequence[Any]) -> None:
    """Put the gate's results (dataclasses with the columns of audit.expectation) into the closed build."""
    with duckdb.connect(str(path)) as connection:
        rows = pa.Table.from_pylist([asdict(result) for result in results])
        if rows.num_rows:
            connection.register("check_rows", rows)
            connection.execute(
                "insert into audit.expectation by name "
                "select * from check_rows order by suite, expectation, column_name"
            )
        connection.execute("checkpoint")
