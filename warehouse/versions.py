"""Of several versions of one record, the newest: whatever the order in which the files came."""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.engine import Engine, quoted

# By the source's own clock first, then the later drop, then file and row: the choice never depends on chance.
NEWEST_FIRST = "source_updated_at desc nulls last, landed_at desc, sha256 desc, row_number desc"


def keep_newest(engine: Engine, tables: Iterable[str]) -> dict[str, int]:
    """Delete superseded rows from each `staged` table: one row per (source_system, source_id) stays; rows deleted.

    Only keys that occur more than once are sorted, so a table without repeated keys costs one aggregation.
    """
    return {table: _keep_newest(engine, f"staged.{quoted(table)}") for table in tables}


def _keep_newest(engine: Engine, table: str) -> int:
    deleted = engine.execute(
        f"""
        with repeated as (
            select source_system, source_id from {table} group by source_system, source_id having count(*) > 1
        ),
        ranked as (
            select
                version.rowid as position,
                row_number() over (
                    partition by version.source_system, version.source_id order by {NEWEST_FIRST}
                ) as rank
            from {table} as version
            join repeated using (source_system, source_id)
        )
        delete from {table} where rowid in (select position from ranked where rank > 1)
        """
    ).fetchone()
    return int(deleted[0]) if deleted else 0
