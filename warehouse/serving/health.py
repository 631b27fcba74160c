"""The report's section on the data: what came in, what was kept out, what is missing, which checks warn."""

from __future__ import annotations

from warehouse.serving import formats
from warehouse.serving.findings import Findings
from warehouse.serving.page import Column, fold, paragraph, table

FILE_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("Files read", lambda row: formats.count(row["files"]), is_number=True),
    Column("Not recognised", lambda row: formats.count(row["unrecognised"]), is_number=True),
    Column("Not readable", lambda row: formats.count(row["unreadable"]), is_number=True),
    Column("Rows in", lambda row: formats.count(row["rows_in"]), is_number=True),
    Column("Loaded", lambda row: formats.count(row["rows_loaded"]), is_number=True),
    Column("Quarantined", lambda row: formats.count(row["rows_quarantined"]), is_number=True),
    Column("Ignored", lambda row: formats.count(row["rows_ignored"]), is_number=True),
)

UNREAD_COLUMNS = (
    Column("File", lambda row: formats.text(row["name"])),
    Column("System", lambda row: formats.text(row["system"])),
    Column("What is wrong", lambda row: formats.text(row["message"] or row["status"])),
)

QUARANTINE_COLUMNS = (
    Column("Rule", lambda row: formats.words(row["rule"])),
    Column("System", lambda row: formats.text(row["system"])),
    Column("Entity", lambda row: formats.text(row["entity"])),
    Column("Column", lambda row: formats.text(row["column_name"])),
    Column("What is out", lambda row: f"the {row['severity']}"),
    Column("Times", lambda row: formats.count(row["cells"]), is_number=True),
)

COVERAGE_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("Entity", lambda row: formats.text(row["entity"])),
    Column("From", lambda row: formats.day(row["from_date"])),
    Column("To", lambda row: formats.day(row["to_date"])),
    Column("Scope", lambda row: formats.text(row["scope"])),
    Column("Columns missing", lambda row: formats.text(row["columns_missing"])),
    Column("Headers that no column reads", lambda row: formats.text(row["columns_unknown"])),
)

DRIFT_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("Entity", lambda row: formats.text(row["entity"])),
    Column("Refused for lack of", lambda row: formats.text(row["columns_refused"])),
    Column("No longer there", lambda row: formats.text(row["columns_lost"])),
    Column("Renamed", lambda row: formats.text(row["columns_renamed"])),
    Column("Of another kind", lambda row: formats.text(row["columns_type_changed"])),
)

DROP_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("Entity", lambda row: formats.text(row["entity"])),
    Column("Export of", lambda row: formats.day(row["drop_at"])),
    Column("Records", lambda row: formats.count(row["records"]), is_number=True),
    Column("Before", lambda row: formats.count(row["records_before"]), is_number=True),
    Column("Taken as deleted", lambda row: formats.count(row["records_absent"]), is_number=True),
    Column("Why not believed", lambda row: formats.text(row["message"])),
)

PURPOSE_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("Kind", lambda row: formats.text(row["kind"])),
    Column("Contacts", lambda row: formats.count(row["activities"]), is_number=True),
    Column("Purpose from a field", lambda row: formats.count(row["by_field"]), is_number=True),
    Column("From the words", lambda row: formats.count(row["by_rule"]), is_number=True),
    Column("Not known", lambda row: formats.count(row["untagged"]), is_number=True),
    Column("Share", lambda row: formats.share(row["untagged"], row["activities"]), is_number=True),
)

MATCHED_THINGS = {"account": "accounts", "ticket": "tickets", "activity": "contacts", "revenue": "amount invoiced"}

IDENTITY_COLUMNS = (
    Column("System", lambda row: formats.text(row["system"])),
    Column("What", lambda row: MATCHED_THINGS[row["entity"]]),
    Column("Total", lambda row: formats.count(row["total"]), is_number=True),
    Column("Of no known company", lambda row: formats.count(row["unmatched"]), is_number=True),
    Column("Share", lambda row: formats.share(row["unmatched"], row["total"]), is_number=True),
)

MEASURE_COLUMNS = (
    Column("Measure", lambda row: formats.text(row["label"])),
    Column("Side", lambda row: formats.text(row["side"])),
    Column("Known", lambda row: formats.count(row["ok"]), is_number=True),
    Column("Too thin", lambda row: formats.count(row["thin"]), is_number=True),
    Column("Missing", lambda row: formats.count(row["missing"]), is_number=True),
    Column("Main reasons (account-months)", lambda row: formats.words(formats.text(row["reasons"]))),
)

CHECK_COLUMNS = (
    Column("Check", lambda row: formats.words(row["expectation"])),
    Column("About", lambda row: formats.text(row["suite"])),
    Column("Column", lambda row: formats.text(row["column_name"])),
    Column("Severity", lambda row: formats.text(row["severity"])),
    Column("Seen", lambda row: formats.text(row["observed"])),
)


def data(findings: Findings) -> tuple[str, ...]:
    """The section's parts, each a table or the sentence that says why there is none."""
    return (
        *_files(findings),
        *_quarantine(findings),
        *_purposes(findings),
        *_matching(findings),
        *_measures(findings),
        *_checks(findings),
    )


def _files(findings: Findings) -> tuple[str, ...]:
    if not findings.files:
        return (paragraph("No file has been landed."),)
    unread = table("Files left unread", UNREAD_COLUMNS, findings.unread) if findings.unread else ""
    coverage = (
        fold("What the data cover, by system", table("Coverage", COVERAGE_COLUMNS, findings.coverage))
        if findings.coverage
        else paragraph("No system has delivered dated records.")
    )
    return (table("What came in", FILE_COLUMNS, findings.files), unread, *_changes(findings), coverage)


def _changes(findings: Findings) -> tuple[str, ...]:
    """What is other than in earlier exports; nothing where nothing is."""
    drift = table("What has changed in the exports", DRIFT_COLUMNS, findings.drift) if findings.drift else ""
    drops = table("Full exports and what they lack", DROP_COLUMNS, findings.drops) if findings.drops else ""
    return (drift, drops)


def _purposes(findings: Findings) -> tuple[str, ...]:
    if not findings.purposes:
        return (paragraph("No system has delivered meetings, calls or mails."),)
    return (fold("What contacts are about", table("Purpose of contacts", PURPOSE_COLUMNS, findings.purposes)),)


def _quarantine(findings: Findings) -> tuple[str, ...]:
    if not findings.files:
        return ()
    if not findings.quarantine:
        return (paragraph("Nothing is in quarantine: every row fits its contract."),)
    return (table("In quarantine, by rule", QUARANTINE_COLUMNS, findings.quarantine),)


def _matching(findings: Findings) -> tuple[str, ...]:
    if not findings.identity:
        return (paragraph("No system has delivered accounts to match."),)
    return (table("What belongs to a known company", IDENTITY_COLUMNS, findings.identity),)


def _measures(findings: Findings) -> tuple[str, ...]:
    if not any(row["ok"] + row["thin"] + row["missing"] for row in findings.measures):
        return (paragraph("No month of any account has been measured yet."),)
    return (table("What is known of each measure, in account-months", MEASURE_COLUMNS, findings.measures),)


def _checks(findings: Findings) -> tuple[str, ...]:
    if not findings.checks:
        return (paragraph("No check of this run is on record."),)
    failed = [row for row in findings.checks if not row["success"]]
    if not failed:
        return (paragraph(f"All {formats.number_of(len(findings.checks), 'check')} passed."),)
    caption = f"{len(failed)} of {formats.number_of(len(findings.checks), 'check')} did not pass"
    return (table(caption, CHECK_COLUMNS, failed),)
