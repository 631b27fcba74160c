"""The report's sections on the accounts: where they stand, and how value moves."""

from __future__ import annotations

from warehouse.serving import charts, flow, formats
from warehouse.serving.findings import POINTS_AT_MOST, SMALLEST_GROUP, Findings, Row
from warehouse.serving.page import Column, figure, fold, paragraph, table

ACCOUNT_COLUMNS = (
    Column("Account", lambda row: formats.text(row["name"])),
    Column("Segment", lambda row: formats.text(row["segment"])),
    Column("Style", lambda row: formats.text(row["style"])),
    Column("Partnership", lambda row: formats.whole_points(row["partnership"]), is_number=True),
    Column("Cost focus", lambda row: formats.whole_points(row["cost_focus"]), is_number=True),
    Column("Mutual value", lambda row: formats.whole_points(row["mutual_value"]), is_number=True),
    Column("They get", lambda row: formats.whole_points(row["customer_value"]), is_number=True),
    Column("We get", lambda row: formats.whole_points(row["supplier_value"]), is_number=True),
    Column("MRR", lambda row: formats.fixed(row["mrr"], 0), is_number=True),
)

BIN_COLUMNS = (
    Column("Partnership, middle", lambda row: formats.points(row["partnership"]), is_number=True),
    Column("Cost focus, middle", lambda row: formats.points(row["cost_focus"]), is_number=True),
    Column("Accounts", lambda row: formats.count(row["accounts"]), is_number=True),
    Column("Median mutual value", lambda row: formats.points(row["mutual_value"]), is_number=True),
)


def accounts_map(findings: Findings) -> tuple[str, ...]:
    """Where the accounts stand, and the best and least of them."""
    month = formats.month(findings.run["last_month"])
    rows = findings.accounts or findings.bins
    extremes = _extremes(findings, month)
    if not rows:
        return (paragraph(_nobody(findings)), extremes)
    run = findings.run
    picture = figure(
        charts.map_of_accounts(rows, run["low"], run["high"]),
        f"Each circle is an account at the end of {month}. To the right: run more as a partnership. Up: more "
        "attention to own costs. Between the dashed lines an account belongs to neither side; a hollow circle has "
        "no mutual value yet.",
    )
    if findings.bins:
        note = paragraph(
            f"There are more than {formats.count(POINTS_AT_MOST)} accounts, so each circle stands for those nearby, "
            "its size for how many. Each account by itself is in mart.relationship_month."
        )
        return (
            picture,
            note,
            extremes,
            fold("The numbers behind the map", table("The map, by cell", BIN_COLUMNS, rows)),
        )
    everyone = table(f"Accounts on the map, {month}; MRR in {run['currency']}", ACCOUNT_COLUMNS, rows)
    return (picture, extremes, fold(f"All {formats.number_of(len(rows), 'account')} on the map", everyone))


def _nobody(findings: Findings) -> str:
    reasons = "; ".join(
        f"{row['reason']} ({formats.number_of(row['accounts'], 'account')})" for row in flow.left_out(findings)
    )
    return f"No account has enough evidence for a style yet{': ' + reasons if reasons else ''}."


def _extremes(findings: Findings, month: str) -> str:
    if not findings.highest:
        return paragraph(f"For no account is what both sides get on record in {month}.")
    currency = findings.run["currency"]
    best = table(f"Most mutual value, {month}; MRR in {currency}", ACCOUNT_COLUMNS, findings.highest)
    least = table(f"Least mutual value, {month}; MRR in {currency}", ACCOUNT_COLUMNS, findings.lowest)
    return best + least


MOVER_COLUMNS = (
    Column("Component", lambda row: formats.text(row["label"])),
    Column("Side", lambda row: row["side"]),
    Column("Points", lambda row: formats.points(row["contribution"], signed=True), is_number=True),
)


def movers(findings: Findings) -> tuple[str, ...]:
    """The accounts that moved most in the last month, and which components moved them."""
    if not findings.movers:
        return (paragraph("For no account is mutual value known in the last two months."),)
    note = paragraph(
        "The ten accounts whose mutual value moved most since the month before, and what moved it: the points add up "
        "to the change. `mutual-value explain ACCOUNT` shows the tickets, invoices and goals behind any account's."
    )
    by_account: dict[str, list[Row]] = {}
    for row in findings.movers:
        by_account.setdefault(row["account_id"], []).append(row)
    return (note, *(fold(_mover(rows[0]), table(_mover(rows[0]), MOVER_COLUMNS, rows)) for rows in by_account.values()))


def _mover(row: Row) -> str:
    change = formats.points(row["now"] - row["before"], signed=True)
    return f"{formats.text(row['name'])}: {formats.points(row['before'])} to {formats.points(row['now'])} ({change})"


MONTH_COLUMNS = (
    Column("Style", lambda row: row["style"]),
    Column("Month", lambda row: formats.month(row["month"])),
    Column("Median mutual value", lambda row: formats.points(row["mutual_value"]), is_number=True),
    Column("Accounts", lambda row: formats.count(row["accounts"]), is_number=True),
)


def months(findings: Findings) -> tuple[str, ...]:
    """Mutual value over the months, by style."""
    if not findings.months:
        return (paragraph(f"No month has {SMALLEST_GROUP} accounts of one style with a mutual value."),)
    picture = figure(
        charts.value_by_month(findings.months),
        f"Half of a style's accounts lie above its line. Groups of fewer than {SMALLEST_GROUP} accounts and the "
        "running month are left out. An account may change its style from month to month.",
    )
    return (
        picture,
        fold("The numbers", table("Median mutual value by style and month", MONTH_COLUMNS, findings.months)),
    )
