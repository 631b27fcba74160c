"""The files on disk: the shape each system gives them, ids that meet, dirt that is counted."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from demo import MINIMUM_MONTHS, DemoTruth, write_demo
from demo.dirt import EXCEL_BROKEN_ID, IMPOSSIBLE_TIME, Dirt
from demo.identifiers import with_checksum
from tests.demo.exports import csv_rows, ndjson_lines, ndjson_records, stripe_objects
from warehouse.contracts import SHIPPED, load_contracts
from warehouse.errors import ConfigurationError
from warehouse.project import Project

SALESFORCE = (
    "Account",
    "AccountPlan",
    "AccountPlanObjective",
    "AccountPlanObjectiveMeasure",
    "Contact",
    "EmailMessage",
    "Event",
    "Opportunity",
    "Task",
    "User",
)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_write_the_same_bytes(written: tuple[Path, DemoTruth], tmp_path: Path) -> None:
    write_demo(tmp_path, accounts=20, months=18, seed=7)
    assert digests(tmp_path) == digests(written[0])


def test_another_seed_writes_other_bytes(written: tuple[Path, DemoTruth], tmp_path: Path) -> None:
    write_demo(tmp_path, accounts=20, months=18, seed=8)
    other, first = digests(tmp_path), digests(written[0])
    assert other.keys() == first.keys()
    same = {name for name in first if first[name] == other[name]}
    assert same == {"inbox/salesforce/notes.txt", "mutual-value.toml"}


def test_the_project_opens_with_the_demos_as_of(written: tuple[Path, DemoTruth]) -> None:
    project = Project.open(written[0])
    assert project.as_of().isoformat() == "2026-06-30" == written[1].as_of
    assert (project.settings.currency, project.settings.timezone) == ("DKK", "Europe/Copenhagen")


def test_other_keys_of_an_existing_configuration_stay(tmp_path: Path) -> None:
    before = 'as_of = 2020-01-01\nshared_domains = ["x.example"]\n\n[limits]\nthreads = 1\n'
    (tmp_path / "mutual-value.toml").write_text(before, encoding="utf-8")
    write_demo(tmp_path, accounts=2, months=18)
    keys = tomllib.loads((tmp_path / "mutual-value.toml").read_text(encoding="utf-8"))
    assert keys["limits"] == {"threads": 1}
    assert keys["shared_domains"] == ["x.example"]
    assert keys["as_of"].isoformat() == "2026-06-30"


@pytest.mark.parametrize("wrong", [{"accounts": 0}, {"months": MINIMUM_MONTHS - 1}, {"seed": -1}, {"dirt": 0.5}])
def test_a_demo_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="at least 1 account"):
        write_demo(tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_one_account_is_enough(tmp_path: Path) -> None:
    truth = write_demo(tmp_path, accounts=1, months=18)
    assert len(csv_rows(tmp_path / "inbox/salesforce/Account.csv")) == truth.dirt["salesforce/Account.csv"]["records"]


@pytest.mark.parametrize("name", SALESFORCE)
def test_salesforce_quotes_every_field_and_gives_checked_ids(inbox: Path, name: str) -> None:
    path = inbox / "salesforce" / f"{name}.csv"
    assert all(line.startswith('"') and line.endswith('"') for line in path.read_text(encoding="utf-8").splitlines())
    ids = [row["Id"] for row in csv_rows(path)]
    assert ids
    assert with_checksum(np.array([text[:15] for text in ids])).tolist() == ids


@pytest.mark.parametrize("name", SALESFORCE)
def test_salesforce_writes_times_in_gmt_without_a_zone(inbox: Path, name: str) -> None:
    for row in csv_rows(inbox / "salesforce" / f"{name}.csv"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["CreatedDate"])
        assert row.get("IsDeleted", "0") == "0"  # a user cannot be deleted, so has no such column


@pytest.mark.parametrize(
    ("name", "column", "target"),
    [
        ("Contact", "AccountId", "Account"),
        ("Account", "OwnerId", "User"),
        ("Account", "ParentId", "Account"),
        ("Opportunity", "AccountId", "Account"),
        ("Task", "AccountId", "Account"),
        ("Task", "WhoId", "Contact"),
        ("Task", "OwnerId", "User"),
        ("Event", "WhoId", "Contact"),
        ("EmailMessage", "RelatedToId", "Account"),
        ("EmailMessage", "CreatedById", "User"),
        ("AccountPlan", "AccountId", "Account"),
        ("AccountPlanObjective", "AccountPlanId", "AccountPlan"),
        ("AccountPlanObjective", "ObjectiveOwnerId", "User"),
        ("AccountPlanObjective", "ExternalStakeholderId", "Contact"),
        ("AccountPlanObjectiveMeasure", "AccountPlanObjectiveId", "AccountPlanObjective"),
    ],
)
def test_every_salesforce_reference_meets_a_record(inbox: Path, name: str, column: str, target: str) -> None:
    known = {row["Id"] for row in csv_rows(inbox / "salesforce" / f"{target}.csv")}
    references = {row[column] for row in csv_rows(inbox / "salesforce" / f"{name}.csv")} - {""}
    assert references <= known
    assert references or column == "ParentId"


def test_a_goals_stakeholder_is_of_the_plans_own_account(inbox: Path) -> None:
    folder = inbox / "salesforce"
    account_of_plan = {row["Id"]: row["AccountId"] for row in csv_rows(folder / "AccountPlan.csv")}
    account_of_contact = {row["Id"]: row["AccountId"] for row in csv_rows(folder / "Contact.csv")}
    for row in csv_rows(folder / "AccountPlanObjective.csv"):
        if row["ExternalStakeholderId"]:
            assert account_of_contact[row["ExternalStakeholderId"]] == account_of_plan[row["AccountPlanId"]]


def test_nothing_happens_after_as_of(inbox: Path) -> None:
    for name, column in (("Task", "CreatedDate"), ("Event", "StartDateTime"), ("EmailMessage", "MessageDate")):
        moments = {row[column] for row in csv_rows(inbox / "salesforce" / f"{name}.csv")} - {IMPOSSIBLE_TIME}
        assert max(moments) < "2026-07-01"
    for ticket in ndjson_records(inbox / "zendesk/tickets.ndjson", "ticket"):
        moments = [ticket["created_at"], ticket["updated_at"], *(part["created_at"] for part in ticket["comments"])]
        assert max(moments) < "2026-07-01"
        assert (ticket["metric_set"]["solved_at"] or "") < "2026-07-01"


def test_a_ticket_is_told_in_order_and_its_minutes_are_its_times(inbox: Path) -> None:
    for ticket in ndjson_records(inbox / "zendesk/tickets.ndjson", "ticket"):
        metric = ticket["metric_set"]
        created = np.datetime64(ticket["created_at"].rstrip("Z"), "m")
        told = [part["created_at"] for part in ticket["comments"]]
        assert told == sorted(told)
        assert told[0] == ticket["created_at"]
        resolution = metric["full_resolution_time_in_minutes"]["calendar"]
        if metric["solved_at"] is None:
            assert resolution is None
            assert ticket["status"] in ("open", "pending")
            assert ticket["satisfaction_rating"]["score"] == "unoffered"
        else:
            solved = np.datetime64(metric["solved_at"].rstrip("Z"), "m")
            assert (solved - created).astype(int) == resolution
            assert metric["full_resolution_time_in_minutes"]["business"] <= resolution


def test_every_ticket_has_a_known_requester_and_agent(inbox: Path) -> None:
    (archive,) = (inbox / "zendesk").glob("*.zip")
    role = {user["id"]: user["role"] for user in ndjson_records(archive, "user")}
    for name in ("tickets", "tickets_late"):
        for ticket in ndjson_records(inbox / f"zendesk/{name}.ndjson", "ticket"):
            assert role[ticket["assignee_id"]] == "agent"
            assert ticket["requester_id"] == EXCEL_BROKEN_ID or role[ticket["requester_id"]] == "end-user"


def test_invoice_lines_add_up_to_the_invoice(inbox: Path) -> None:
    for invoice in stripe_objects(inbox / "stripe/invoices.json"):
        if isinstance(invoice["total_excluding_tax"], str):
            continue  # damaged on purpose
        lines = invoice["lines"]["data"]
        discounts = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        assert sum(line["amount"] for line in lines) - discounts == invoice["total_excluding_tax"]
        assert invoice["total"] == invoice["total_excluding_tax"] + invoice["tax"]
        assert invoice["amount_paid"] + invoice["amount_remaining"] == invoice["amount_due"]
        seats = lines[0]
        assert seats["amount"] == seats["quantity"] * seats["price"]["unit_amount"]


def test_a_charged_card_has_no_due_date_and_a_paid_invoice_a_time(inbox: Path) -> None:
    for invoice in stripe_objects(inbox / "stripe/invoices.json"):
        assert (invoice["due_date"] is None) == (invoice["collection_method"] == "charge_automatically")
        assert (invoice["status"] == "paid") == (invoice["status_transitions"]["paid_at"] is not None)


def test_one_recurring_line_covers_each_month_of_each_account_once(inbox: Path) -> None:
    covered = Counter(
        (invoice["customer"], line["period"]["start"])
        for invoice in {record["id"]: record for record in stripe_objects(inbox / "stripe/invoices.json")}.values()
        for line in invoice["lines"]["data"]
        if (line["price"]["recurring"] or {}).get("usage_type") == "licensed"
    )
    assert max(covered.values()) == 1


def test_every_account_of_every_system_is_a_company_in_the_truth(inbox: Path, truth: DemoTruth) -> None:
    known = {system: {text for company in truth.companies.values() for text in company[system]} for system in
             ("salesforce", "zendesk", "stripe")}  # fmt: skip
    assert {row["Id"] for row in csv_rows(inbox / "salesforce/Account.csv")} == known["salesforce"]
    organizations = ndjson_records(inbox / "zendesk/organizations.ndjson", "organization")
    assert {str(record["id"]) for record in organizations} == known["zendesk"]
    assert {record["id"] for record in stripe_objects(inbox / "stripe/customers.json")} == known["stripe"]
    assert set(truth.latent) - {"months"} == known["salesforce"]
    assert all(len(values["partnership"]) == truth.months for name, values in truth.latent.items() if name != "months")


def test_a_link_names_the_company_that_the_truth_names(inbox: Path, truth: DemoTruth) -> None:
    company = {text: key for key, systems in truth.companies.items() for ids in systems.values() for text in ids}
    cvr = {row["CVR__c"]: company[row["Id"]] for row in csv_rows(inbox / "salesforce/Account.csv")}
    for customer in stripe_objects(inbox / "stripe/customers.json"):
        keys = customer["metadata"]
        if "crm_id" in keys:
            assert company[keys["crm_id"]] == company[customer["id"]]
        if "cvr" in keys:
            assert cvr[keys["cvr"].removeprefix("DK")] == company[customer["id"]]
    for record in ndjson_records(inbox / "zendesk/organizations.ndjson", "organization"):
        if record["external_id"]:
            assert company[record["external_id"]] == company[str(record["id"])]


def test_the_truth_on_disk_is_the_truth_returned(written: tuple[Path, DemoTruth]) -> None:
    told = json.loads((written[0] / "truth.json").read_text(encoding="utf-8"))
    truth = written[1]
    assert told["companies"] == truth.companies
    assert told["expected_mutual_value"] == truth.expected_mutual_value
    assert (told["seed"], told["effect"], told["accounts"], told["months"]) == (7, 1.0, 20, 18)


def written_records(inbox: Path, file: str) -> list[str]:
    """Every record of a file as text, in order."""
    system, name = file.split("/")
    if system in ("salesforce", "goals", "events", "usage", "surveys"):
        with (inbox / file).open(encoding="utf-8", newline="") as handle:
            return ["\x1f".join(row) for row in csv.reader(handle)][1:]
    if system == "stripe":
        return [json.dumps(record) for record in stripe_objects(inbox / file)]
    if name == "users.ndjson":
        (archive,) = (inbox / "zendesk").glob("*.zip")
        return ndjson_lines(archive)
    return ndjson_lines(inbox / file)


def test_the_counted_dirt_is_the_dirt_in_the_files(inbox: Path, truth: DemoTruth) -> None:
    files = [name for name in truth.dirt if "/" in name]
    assert len(files) == 24
    for file in files:
        records, counted = written_records(inbox, file), truth.dirt[file]
        assert len(records) == counted["records"], file
        assert len(records) - len(set(records)) == counted["repeated"], file


def damaged(file: str, record: str) -> bool:
    if file.endswith("tickets.ndjson"):
        return not record.endswith("}}") or EXCEL_BROKEN_ID in record
    return IMPOSSIBLE_TIME in record or "12.500,x" in record


def test_damaged_records_are_as_many_as_the_truth_says(inbox: Path, truth: DemoTruth) -> None:
    for file in (name for name in truth.dirt if "/" in name):
        found = sum(damaged(file, record) for record in written_records(inbox, file))
        assert found == truth.dirt[file]["damaged"], file
    assert sum(truth.dirt[name]["damaged"] for name in truth.dirt if "/" in name) == 12


def test_late_files_hold_records_that_the_first_drop_lacks(inbox: Path) -> None:
    punctual = {row["Id"] for row in csv_rows(inbox / "salesforce/Task.csv")}
    late = {row["Id"] for row in csv_rows(inbox / "salesforce/Task_late.csv")}
    assert late
    assert not late & punctual
    tickets = {record["id"] for record in ndjson_records(inbox / "zendesk/tickets.ndjson", "ticket")}
    late_tickets = {record["id"] for record in ndjson_records(inbox / "zendesk/tickets_late.ndjson", "ticket")}
    assert late_tickets
    assert not late_tickets & tickets


def test_dirt_repeats_only_records_that_are_whole() -> None:
    dirt = Dirt(np.random.default_rng(1))
    spoiled = dirt.spoil("a/b", [f"record {number}" for number in range(1000)], str.upper, damaged=10)
    assert dirt.counts["a/b"] == {"records": 1005, "repeated": 5, "damaged": 10}
    assert sum(text.isupper() for text in spoiled) == 10
    assert not any(text.isupper() for text in spoiled[1000:])


def test_a_file_without_records_has_no_dirt() -> None:
    dirt = Dirt(np.random.default_rng(1))
    assert dirt.spoil("a/b", [], str.upper, damaged=3) == []
    assert dirt.counts["a/b"] == {"records": 0, "repeated": 0, "damaged": 0}


def test_the_lists_kept_by_hand_name_the_crms_accounts(inbox: Path) -> None:
    known = {row["Id"] for row in csv_rows(inbox / "salesforce/Account.csv")}
    for name in ("goals/plan_actions.csv", "events/events.csv"):
        rows = csv_rows(inbox / name)
        assert len(rows) > 100
        assert {row["account_id"] for row in rows} <= known


def test_the_shipped_contracts_know_every_value_that_the_demo_writes(inbox: Path) -> None:
    """An enum that a contract does not map would come out as `unknown`."""
    contracts = load_contracts([SHIPPED])
    for system, name, entity in (
        ("salesforce", "Event", "event"), ("salesforce", "Task", "task"), ("salesforce", "Account", "account"),
        ("salesforce", "AccountPlanObjective", "account_plan_objective"), ("salesforce", "Opportunity", "opportunity"),
        ("goals", "plan_actions", "plan_action"), ("events", "events", "relationship_event"),
    ):  # fmt: skip
        rows = csv_rows(inbox / f"{system}/{name}.csv")
        for table in contracts[system].entities[entity].tables.values():
            for column in table.columns.values():
                header = next((alias for alias in column.source if alias in rows[0]), None)
                if column.type == "enum" and header:
                    known = {text.lower() for text in column.map}
                    assert {row[header].lower() for row in rows} - {""} <= known, (name, header)
