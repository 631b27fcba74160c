"""Of several versions of one record, the newest: whatever the order in which the files came."""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.drops import NEWEST_FIRST
from warehouse.engine import Engine, quoted

# What older versions of a record are needed for: to say since when a key was known. (`staged` table: its SELECT.)
_REMEMBERED = {
    "account_version": """
        select
            source_system, source_id, name, external_id, vat, ean, country, website, lower(email) as email, domains,
            min(known_at) as known_at
        from staged.account
        group by all
    """,
    "contact_host": """
        select
            source_system, source_account_id, split_part(lower(trim(email)), '@', 2) as host, min(known_at) as known_at
        from staged.person
        where side = 'customer' and source_account_id is not null and email like '%@%'
        group by all
    """,
    # Only where it changes; null: none.
    "account_parent": """
        select source_system, source_id, parent_source_id, known_at
        from (
            select
                source_system, source_id, parent_source_id, known_at,
                lag(parent_source_id) over newest_last is not distinct from parent_source_id
                and row_number() over newest_last > 1 as is_same
            from staged.account
            window newest_last as (
                partition by source_system, source_id
                order by known_at, source_updated_at nulls first, sha256, row_number
            )
        )
        where not is_same
    """,
}


def remember_keys(engine: Engine) -> None:
    """Make staged.account_version, .contact_host and .account_parent of all versions, before only the newest stay."""
    for table, select in _REMEMBERED.items():
        engine.execute(f"create or replace table staged.{quoted(table)} as {select}")


def keep_newest(engine: Engine, tables: Iterable[str]) -> dict[str, int]:
    """Delete superseded rows from each `staged` table: one row per (source_system, source_id) stays; rows deleted.

    The row that stays was known since the first of its versions was. Only keys that occur more than once are sorted,
    so a table without repeated keys costs one aggregation.
    """
    return {table: _keep_newest(engine, f"staged.{quoted(table)}") for table in tables}


def _keep_newest(engine: Engine, table: str) -> int:
    engine.execute(
        f"""
        create or replace temp table repeated_key as
        select source_system, source_id, min(known_at) as known_at
        from {table}
        group by source_system, source_id
        having count(*) > 1
        """
    )
    deleted = engine.execute(
        f"""
        with ranked as (
            select
                version.rowid as position,
                row_number() over (
                    partition by version.source_system, version.source_id order by {NEWEST_FIRST}
                ) as rank
            from {table} as version
            semi join repeated_key using (source_system, source_id)
        )
        delete from {table} where rowid in (select position from ranked where rank > 1)
        """
    ).fetchone()
    engine.execute(
        f"""
        update {table} as row set known_at = repeated_key.known_at
        from repeated_key
        where repeated_key.source_system = row.source_system
            and repeated_key.source_id = row.source_id
            and repeated_key.known_at < row.known_at
        """
    )
    engine.execute("drop table repeated_key")
    return int(deleted[0]) if deleted else 0
