"""What a build takes for another company than the release before it did: each change of a link, for the record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from warehouse.engine import Engine, literal

Change = Literal["linked", "unlinked", "relinked", "new", "gone"]


@dataclass(frozen=True)
class LinkChange:
    """One account of a system whose company is another than before; `None` is no company, or no such account.

    `linked`, `unlinked`, `relinked`: the account was known before; `new`, `gone`: it was not, or is no longer.
    """

    system: str
    source_account_id: str
    change: Change
    account_id_before: str | None
    method_before: str | None
    account_id: str | None
    method: str | None


def link_changes(engine: Engine, previous: Path) -> list[LinkChange]:
    """What differs between audit.identity of the build and that of the release in `previous`, by system and account.

    Raises:
        duckdb.Error: `previous` is no release.
    """
    engine.execute(f"attach {literal(str(previous))} as previous_release (read_only)")
    try:
        rows = engine.execute(
            """
            select
                coalesce(now.system, before.system) as system,
                coalesce(now.source_account_id, before.source_account_id) as source_account_id,
                case
                    when before.system is null then 'new'
                    when now.system is null then 'gone'
                    when before.account_id is null then 'linked'
                    when now.account_id is null then 'unlinked'
                    else 'relinked'
                end as change,
                before.account_id,
                before.method,
                now.account_id,
                now.method
            from audit.identity as now
            full join previous_release.audit.identity as before
                on before.system = now.system and before.source_account_id = now.source_account_id
            where now.account_id is distinct from before.account_id or now.system is null or before.system is null
            order by all
            """
        ).fetchall()
    finally:
        engine.execute("detach previous_release")
    return [LinkChange(*row) for row in rows]
