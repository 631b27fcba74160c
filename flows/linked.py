"""How the published release links accounts to companies, for a person who decides about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.project import Project
from warehouse.serving.publish import DATABASE

Account = tuple[str, str]


@dataclass(frozen=True)
class Known:
    """An account as the published release has it: its company (None: not known), by which key and since when."""

    name: str | None
    account_id: str | None
    method: str
    since: dt.date | None
    contradicting_id: str | None


class Release:
    """The questions that links asks the published release; without a release it knows nothing and refuses nothing."""

    def __init__(self, project: Project) -> None:
        path = project.current / DATABASE
        self._connection = duckdb.connect(str(path), read_only=True) if path.exists() else None

    def account(self, account: Account) -> Known | None:
        """The account as it is linked now; None where the release has no such account."""
        rows = self._ask(
            "select source.name, link.account_id, link.method, cast(link.linked_at as date), link.contradicting_id "
            "from audit.identity as link join canonical.account_source as source "
            "on source.source_system = link.system and source.source_account_id = link.source_account_id "
            "where link.system = ? and link.source_account_id = ?",
            account,
        )
        return Known(*rows[0]) if rows else None

    def company(self, account_id: str) -> str | None:
        """The company's name ('' where it has none); None where no CRM has such an account."""
        rows = self._ask(
            "select coalesce(source.name, '') from canonical.account_source as source "
            "where source.is_master and source.source_system || ':' || source.source_account_id = ?",
            [account_id],
        )
        return str(rows[0][0]) if rows else None

    def weights(self) -> dict[Account, tuple[float, int]]:
        """What was invoiced to each account, in the project's currency, and how many tickets it has."""
        rows = self._ask(
            "select system, source_account_id, cast(sum(revenue) as double), cast(sum(tickets) as bigint) from ("
            "select source_system as system, source_account_id, sum(net_base) as revenue, 0 as tickets "
            "from canonical.invoice group by all union all "
            "select source_system, source_account_id, 0, count(*) from canonical.ticket group by all"
            ") where source_account_id is not null group by system, source_account_id",
        )
        return {(system, account): (revenue or 0.0, tickets) for system, account, revenue, tickets in rows}

    def unknown_accounts(self) -> int:
        """How many accounts have no company."""
        rows = self._ask("select count(*) from audit.identity where account_id is null")
        return int(rows[0][0]) if rows else 0

    @property
    def is_there(self) -> bool:
        return self._connection is not None

    def _ask(self, query: str, parameters: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(parameters)).fetchall() if self._connection else []
