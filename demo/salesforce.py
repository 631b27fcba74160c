"""Salesforce Data Export: one CSV per object, every field quoted, times in GMT, checkboxes 0/1."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from demo import words
from demo.clock import AS_OF, END, day_text, salesforce_time
from demo.companies import SEGMENTS
from demo.contacts import Calls, Mails, Meetings
from demo.dirt import IMPOSSIBLE_TIME, Dirt
from demo.draws import Flags, Floats, Ints, Texts, Times, pick
from demo.goals import Goals
from demo.identifiers import salesforce_ids
from demo.links import Links
from demo.people import People
from demo.world import World

Column: TypeAlias = Texts | str
MORNING = np.timedelta64(8 * 60, "m")
NOTES = "Husk at bede Salesforce-holdet om Event-filen til næste måned.\nRemember the Event file next month.\n"


def write_salesforce(
    folder: Path,
    world: World,
    people: People,
    links: Links,
    dirt: Dirt,
    mails: Mails,
    calls: Calls,
    meetings: Meetings,
    goals: Goals,
) -> None:
    """Write every object's CSV into `folder`, a late drop of tasks, and a note that is no export at all."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = _ids(people, goals)
    tables = {
        "Account.csv": _accounts(world, links, ids),
        "Contact.csv": _contacts(world, people, links, ids),
        "User.csv": _users(world, people, ids),
        "Opportunity.csv": _opportunities(world, links, ids),
        "Event.csv": _events(world, meetings, links, ids),
        "EmailMessage.csv": _mails(world, mails, people, links, ids),
        "AccountPlan.csv": _plans(world, goals, links),
        "AccountPlanObjective.csv": _objectives(goals, ids),
        "AccountPlanObjectiveMeasure.csv": _measures(goals, ids),
    }
    for name, table in tables.items():
        _write(folder / name, table, dirt, broken_time="StartDateTime" if name == "Event.csv" else None)
    _write_tasks(folder, _tasks(calls, links, ids), dirt)
    (folder / "notes.txt").write_text(NOTES, encoding="utf-8")


def _write_tasks(folder: Path, table: Mapping[str, Column], dirt: Dirt) -> None:
    """Tasks in two drops: some rows of earlier months come late."""
    length = len(np.asarray(table["Id"]))
    is_late = np.zeros(length, bool)
    is_late[dirt.late(length)] = True
    for name, part in (("Task.csv", ~is_late), ("Task_late.csv", is_late)):
        rows = {header: column if isinstance(column, str) else column[part] for header, column in table.items()}
        _write(folder / name, rows, dirt, broken_time="CreatedDate" if name == "Task.csv" else None)


def _write(path: Path, table: Mapping[str, Column], dirt: Dirt, broken_time: str | None) -> None:
    headers = list(table)
    length = max((len(column) for column in table.values() if not isinstance(column, str)), default=0)
    columns = [[column] * length if isinstance(column, str) else column.tolist() for column in table.values()]
    position = headers.index(broken_time) if broken_time else -1

    def break_time(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*row[:position], IMPOSSIBLE_TIME, *row[position + 1 :])

    rows = list(zip(*columns, strict=True))
    spoiled = dirt.spoil(f"salesforce/{path.name}", rows, break_time, damaged=3 if broken_time else 0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(headers)
        writer.writerows(spoiled)


def _ids(people: People, goals: Goals) -> dict[str, Texts]:
    """Ids of the records that others point at."""
    return {
        "Contact": salesforce_ids("Contact", len(people.names)),
        "User": salesforce_ids("User", people.staff),
        "AccountPlanObjective": salesforce_ids("AccountPlanObjective", len(goals.account)),
    }


def _flags(is_true: Flags) -> Texts:
    return np.where(is_true, "1", "0")


def _begin(day: Times) -> Times:
    """A day's morning as an instant."""
    return np.asarray(day.astype("M8[m]") + MORNING)


def _history(created: Times, changed: Times) -> dict[str, Column]:
    """The columns of every object that say when a record came and when it last changed."""
    return {
        "CreatedDate": salesforce_time(created),
        "LastModifiedDate": salesforce_time(changed),
        "SystemModstamp": salesforce_time(changed),
    }


def _accounts(world: World, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    companies, supplier = world.companies, world.records.supplier
    since = companies.start_day(world.months)
    signed = _begin(since - np.timedelta64(30, "D"))
    is_customer = supplier.active[:, -1]
    parent = np.where(companies.parent >= 0, links.crm[companies.parent], "")
    return {
        "Id": links.crm,
        "IsDeleted": "0",
        "Name": companies.name,
        "ParentId": parent,
        "Type": np.where(is_customer, "Customer", "Former Customer"),
        "Industry": companies.industry,
        "BillingStreet": links.crm_address.street,
        "BillingCity": links.crm_address.city,
        "BillingPostalCode": links.crm_address.postal_code,
        "BillingCountry": "Denmark",
        "NumberOfEmployees": companies.employees.astype(str),
        "OwnerId": ids["User"][companies.manager],
        "Website": np.strings.add("https://www.", links.website),
        **_history(signed, np.maximum(signed, _begin(np.full(companies.count, AS_OF - 20)))),
        "CVR__c": companies.cvr,
        "Segment__c": SEGMENTS[companies.segment],
        "Region__c": companies.region,
        "SLA_Tier__c": companies.sla_tier,
        "Seats__c": supplier.seats[:, -1].astype(str),
        "Product__c": companies.product,
        "Customer_Since__c": day_text(since),
    }


def _contacts(world: World, people: People, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    titles, departments = (np.array(part)[people.role] for part in zip(*words.TITLES, strict=True))
    created = _begin(world.companies.start_day(world.months)[people.account] - np.timedelta64(20, "D"))
    first, last = _halves(people.names)
    return {
        "Id": ids["Contact"],
        "IsDeleted": "0",
        "AccountId": links.crm[people.account],
        "FirstName": first,
        "LastName": last,
        "Name": people.names,
        "Email": people.emails,
        "Title": titles,
        "Department": departments,
        **_history(created, created),
        "Newsletter_Topic__c": np.array(["", "Nyheder", "Webinar"])[people.role % 3],  # no contract knows this column
    }


def _halves(names: Texts) -> tuple[Texts, Texts]:
    first, _, last = np.strings.partition(names, " ")
    return np.asarray(first), np.asarray(last)


def _users(world: World, people: People, ids: Mapping[str, Texts]) -> dict[str, Column]:
    managers = world.companies.manager.max() + 1
    index = np.arange(people.staff)
    title = np.where(index < managers, words.VENDOR_TITLES[0], np.array(words.VENDOR_TITLES)[1 + index % 4])
    created = _begin(world.months[0].astype("M8[D]") - 30 - index)
    first, last = _halves(people.own_names[: people.staff])
    return {
        "Id": ids["User"],
        "Username": people.own_emails[: people.staff],
        "FirstName": first,
        "LastName": last,
        "Name": people.own_names[: people.staff],
        "Email": people.own_emails[: people.staff],
        "Title": title,
        "Department": np.where(index < managers, "Customers", "Product"),
        "IsActive": "1",
        "UserType": "Standard",
        **_history(created, created),
    }


def _opportunities(world: World, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    """The first sale, a renewal each year, and an upgrade when a year added a tenth of the seats or more."""
    companies, months = world.companies, world.months
    account, month = np.nonzero(world.records.supplier.active)
    age = month - companies.start[account]
    before = np.maximum(month - 12, 0)
    seats = world.records.supplier.seats
    has_grown = (age % 12 == 6) & (month >= 12) & (seats[account, month] >= 1.1 * seats[account, before])
    kind = np.select(
        [age == 0, age % 12 == 0, has_grown], ["New Customer", "Renewal", "Existing Customer - Upgrade"], ""
    )
    kept = kind != ""
    account, month, kind = account[kept], month[kept], kind[kept]
    closes = months[month].astype("M8[D]")
    created = _begin(closes - 45)
    amount = 12 * world.records.supplier.recurring[account, month] / 100
    tendered = world.rngs["tenders"].random(len(account)) < 0.02 + 0.6 * world.latent.cost_focus[account, month] ** 2
    return {
        "Id": salesforce_ids("Opportunity", len(account)),
        "IsDeleted": "0",
        "AccountId": links.crm[account],
        "Name": np.strings.add(np.strings.add(companies.root[account], " - "), kind),
        "StageName": "Closed Won",
        "Amount": _money(amount),
        "Probability": "100",
        "CloseDate": day_text(closes),
        "Type": kind,
        "RFP__c": _flags((kind == "Renewal") & tendered),
        "IsClosed": "1",
        "IsWon": "1",
        "ForecastCategory": "Closed",
        "OwnerId": ids["User"][companies.manager[account]],
        **_history(created, _begin(closes)),
    }


def _money(amount: Floats) -> Texts:
    return np.array([f"{value:.2f}" for value in amount.tolist()], dtype="U20")


def _tasks(calls: Calls, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    ended = calls.moment + (calls.seconds // 60).astype("m8[m]")
    return {
        "Id": salesforce_ids("Task", len(calls.account)),
        "IsDeleted": "0",
        "WhoId": ids["Contact"][calls.contact],
        "WhatId": links.crm[calls.account],
        "AccountId": links.crm[calls.account],
        "OwnerId": ids["User"][calls.staff],
        "Subject": calls.subject,
        "ActivityDate": day_text(calls.moment.astype("M8[D]")),
        "Status": "Completed",
        "Priority": "Normal",
        "TaskSubtype": "Call",
        "CallType": np.where(calls.is_inbound, "Inbound", "Outbound"),
        "CallDurationInSeconds": calls.seconds.astype(str),
        **_history(ended, ended),
    }


def _events(world: World, meetings: Meetings, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    created = meetings.moment - (1 + world.rngs["meetings"].integers(0, 20, len(meetings.account))).astype("m8[D]")
    types = np.select([meetings.kind == kind for kind in words.MEETING_TYPES], list(words.MEETING_TYPES.values()), "")
    return {
        "Id": salesforce_ids("Event", len(meetings.account)),
        "IsDeleted": "0",
        "WhoId": ids["Contact"][meetings.contact],
        "WhatId": links.crm[meetings.account],
        "AccountId": links.crm[meetings.account],
        "OwnerId": ids["User"][meetings.staff],
        "Subject": meetings.subject,
        "Type": types,
        "EventSubtype": "Event",
        "StartDateTime": salesforce_time(meetings.moment),
        "EndDateTime": salesforce_time(meetings.moment + meetings.minutes.astype("m8[m]")),
        "DurationInMinutes": meetings.minutes.astype(str),
        **_history(created, created),
    }


def _mails(world: World, mails: Mails, people: People, links: Links, ids: Mapping[str, Texts]) -> dict[str, Column]:
    theirs, ours = people.emails[mails.contact], people.own_emails[mails.staff]
    text = pick(world.rngs["mails"], words.AGENT_BODY + words.CUSTOMER_BODY, len(mails.account))
    thread = np.array([f"thread-{number:07d}@{words.SUPPLIER_DOMAIN}" for number in mails.thread.tolist()])
    return {
        "Id": salesforce_ids("EmailMessage", len(mails.account)),
        "IsDeleted": "0",
        "RelatedToId": links.crm[mails.account],
        "Incoming": _flags(mails.is_incoming),
        "MessageDate": salesforce_time(mails.moment),
        "FromAddress": np.where(mails.is_incoming, theirs, ours),
        "ToAddress": np.where(mails.is_incoming, ours, theirs),
        "Subject": mails.subject,
        "TextBody": text,
        "ThreadIdentifier": thread,
        "Status": np.where(mails.is_incoming, "2", "3"),  # Replied, Sent
        # Salesforce's mail relay files what comes in under the first user, the administrator.
        "CreatedById": np.where(mails.is_incoming, ids["User"][0], ids["User"][mails.staff]),
        **_history(mails.moment, mails.moment),
    }


def _plan_accounts(goals: Goals) -> tuple[Ints, Ints]:
    """The accounts that have a plan, and for each goal the position of its plan."""
    accounts, plan = np.unique(goals.account, return_inverse=True)
    return np.asarray(accounts), np.asarray(plan)


def _plans(world: World, goals: Goals, links: Links) -> dict[str, Column]:
    accounts, plan = _plan_accounts(goals)
    starts = np.full(len(accounts), AS_OF)
    np.minimum.at(starts, plan, goals.created)
    left = ~world.records.supplier.active[accounts, -1]
    return {
        "Id": salesforce_ids("AccountPlan", len(accounts)),
        "IsDeleted": "0",
        "AccountId": links.crm[accounts],
        "Name": np.strings.add("Fælles plan - ", world.companies.root[accounts]),
        "Status": np.where(left, "Completed", "Active"),
        "StartDate": day_text(starts),
        "EndDate": "",
        **_history(_begin(starts), _begin(starts)),
    }


def _objectives(goals: Goals, ids: Mapping[str, Texts]) -> dict[str, Column]:
    plans, plan = _plan_accounts(goals)
    changed = np.fmax(np.fmax(goals.reviewed, goals.confirmed), goals.created)
    return {
        "Id": ids["AccountPlanObjective"],
        "IsDeleted": "0",
        "AccountPlanId": salesforce_ids("AccountPlan", len(plans))[plan],
        "Name": goals.title,
        "Status": goals.status,
        "StartDate": day_text(goals.starts),
        "EndDate": day_text(goals.due),
        "ObjectiveOwnerId": ids["User"][goals.owner],
        "ExternalStakeholderId": np.where(goals.stakeholder >= 0, ids["Contact"][goals.stakeholder], ""),
        "Customer_Confirmed_Date__c": day_text(goals.confirmed),
        "Last_Review_Date__c": day_text(goals.reviewed),
        "Beneficiary__c": goals.beneficiary,
        **_history(_begin(goals.created), np.minimum(_begin(changed), END)),
    }


def _measures(goals: Goals, ids: Mapping[str, Texts]) -> dict[str, Column]:
    kept = goals.has_target
    return {
        "Id": salesforce_ids("AccountPlanObjectiveMeasure", int(kept.sum())),
        "IsDeleted": "0",
        "AccountPlanObjectiveId": ids["AccountPlanObjective"][kept],
        "Name": goals.metric[kept],
        "TargetValue": goals.target[kept].astype(str),
        "CurrentValue": goals.current[kept].astype(str),
        **_history(_begin(goals.created[kept]), _begin(goals.created[kept])),
    }
