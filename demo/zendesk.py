"""Zendesk's JSON export: NDJSON, one `{"ticket": {...}}` per line, times in UTC; users as an archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from demo import words
from demo.clock import END, iso_utc
from demo.contacts import MAX_COMMENTS, TicketTexts
from demo.customer_side import BAD, GOOD, NOT_OFFERED, OFFERED, is_written
from demo.dirt import EXCEL_BROKEN_ID, Dirt
from demo.draws import Flags, Floats, Ints, Texts, Times
from demo.identifiers import zendesk_ids
from demo.links import BY_CVR, BY_DOMAIN, BY_ID, BY_NOTHING, Links
from demo.people import People
from demo.world import World

Json: TypeAlias = dict[str, Any]
SCORES = {NOT_OFFERED: "unoffered", OFFERED: "offered", BAD: "bad", GOOD: "good"}
CHANNELS = ("email", "web", "api", "chat")
PRIORITIES = ("low", "normal", "high", "urgent")
FIRST_TICKET = 10_000
FIRST_COMMENT = 52_000_000
EFFORT_FIELD = 360_004_100_001  # of the house's own: minutes of work, entered when the ticket is solved
ARCHIVE_TIME = (2026, 6, 30, 23, 0, 0)  # a fixed time, so that the archive's bytes are the same
STRANGER_SHARE = 0.003  # tickets of a requester with a free mail box and no organisation


def write_zendesk(folder: Path, world: World, people: People, links: Links, dirt: Dirt, texts: TicketTexts) -> None:
    """Write organisations, users (zipped) and tickets, some of them in a second drop, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    user_ids = zendesk_ids(370_001_900_000, len(people.names) + len(people.own_names) - people.staff + 1)
    organizations = [_line("organization", record) for record in _organizations(world, links)]
    _write(folder / "organizations.ndjson", organizations, dirt)
    users = [_line("user", record) for record in _users(world, people, links, user_ids)]
    _write_archive(folder / "export_2026_06_30_users.zip", "users.ndjson", dirt.spoil("zendesk/users.ndjson", users))
    desk = _desk(world, people, links, texts, user_ids)
    written = np.flatnonzero(is_written(world.records.tickets, world.records.supplier.active))
    tickets = [_line("ticket", _ticket(desk, number)) for number in written.tolist()]
    late = set(dirt.late(len(tickets)).tolist())
    punctual = [line for position, line in enumerate(tickets) if position not in late]
    _write(folder / "tickets.ndjson", punctual, dirt, damaged=4)
    _write(folder / "tickets_late.ndjson", [tickets[position] for position in sorted(late)], dirt)


def _line(wrapper: str, record: Json) -> str:
    return json.dumps({wrapper: record}, ensure_ascii=False, separators=(",", ":"))


def _write(path: Path, lines: list[str], dirt: Dirt, damaged: int = 0) -> None:
    turn = iter(range(damaged))

    def damage(line: str) -> str:
        """Cut off in the middle, and by turns an id that went through a spreadsheet."""
        if next(turn) % 2 == 0:
            return line[: len(line) // 2]
        ticket = json.loads(line)
        ticket["ticket"]["requester_id"] = EXCEL_BROKEN_ID
        return _line("ticket", ticket["ticket"])

    spoiled = dirt.spoil(f"zendesk/{path.name}", lines, damage, damaged)
    path.write_text("".join(f"{line}\n" for line in spoiled), encoding="utf-8", newline="\n")


def _write_archive(path: Path, member: str, lines: list[str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo(member, date_time=ARCHIVE_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, "".join(f"{line}\n" for line in lines))


def _organizations(world: World, links: Links) -> Iterator[Json]:
    companies, company = world.companies, links.organization_company
    key = links.organization_key
    has_cvr = (key == BY_CVR) | ((key == BY_ID) & (company % 3 == 0))
    has_domain = (key == BY_DOMAIN) | ((key == BY_ID) & (company % 4 != 0))
    created = iso_utc(companies.start_day(world.months)[company].astype("M8[m]"))
    for position, number in enumerate(company.tolist()):
        yield {
            "id": int(links.organization[position]),
            "name": str(links.organization_name[position]),
            "external_id": str(links.crm[number]) if key[position] == BY_ID else None,
            "domain_names": [str(companies.domain[number])] if has_domain[position] else [],
            "organization_fields": {"cvr": str(links.organization_cvr[position]) if has_cvr[position] else None},
            "created_at": str(created[position]),
            "updated_at": str(created[position]),
            "deleted_at": None,
        }


def _users(world: World, people: People, links: Links, user_ids: Ints) -> Iterator[Json]:
    """The customers' people, our agents, and one person whom nobody can place."""
    contacts = len(people.names)
    created = iso_utc(world.companies.start_day(world.months)[people.account].astype("M8[m]"))
    for number in range(contacts):
        account = people.account[number]
        email = str(people.emails[number])
        if links.organization_key[account] == BY_NOTHING:
            # People who write from free mail boxes: nothing says whose they are.
            email = email.removesuffix(".example").replace("@", ".") + f"@{words.FREE_MAIL}"
        organization = int(links.organization[account])
        yield _user(user_ids[number], people.names[number], email, "end-user", organization, created[number])
    began = str(iso_utc(world.months[:1].astype("M8[m]"))[0])
    for number in range(people.staff, len(people.own_names)):
        position = contacts + number - people.staff
        yield _user(user_ids[position], people.own_names[number], people.own_emails[number], "agent", None, began)
    yield _user(user_ids[-1], "Lagerpassage Ukendt", f"lagerpassage.ukendt@{words.FREE_MAIL}", "end-user", None, began)


def _user(number: Any, name: Any, email: Any, role: str, organization: int | None, created: Any) -> Json:
    return {
        "id": int(number),
        "name": str(name),
        "email": str(email),
        "role": role,
        "organization_id": organization,
        "active": True,
        "suspended": False,
        "created_at": str(created),
        "updated_at": str(created),
    }


@dataclass(frozen=True)
class _Desk:
    """The helpdesk's columns as they stood at as_of, one element per ticket; an empty text for what lies ahead."""

    world: World
    texts: TicketTexts
    organization: Ints
    requester: Ints
    agent: Ints
    is_stranger: Flags
    channel: Texts
    priority: Texts
    created: Texts
    answered: Texts
    solved: Texts
    updated: Texts
    response: Ints
    resolution: Ints
    comment_shares: Floats


def _desk(world: World, people: People, links: Links, texts: TicketTexts, user_ids: Ints) -> _Desk:
    draws, served, rng = world.records.tickets, world.records.customer, world.rngs["comments"]
    count = len(draws.account)
    is_stranger = rng.random(count) < STRANGER_SHARE
    last_change = np.fmax(served.solved, served.answered) + np.timedelta64(4, "D")
    return _Desk(
        world=world,
        texts=texts,
        organization=_organizations_of(draws.account, links, rng.random(count)),
        requester=np.where(is_stranger, user_ids[-1], user_ids[texts.contact]),
        agent=user_ids[len(people.names) + texts.agent - people.staff],
        is_stranger=is_stranger,
        channel=rng.choice(CHANNELS, count, p=[0.5, 0.3, 0.1, 0.1]),
        priority=rng.choice(PRIORITIES, count, p=[0.15, 0.6, 0.2, 0.05]),
        created=iso_utc(served.created),
        answered=iso_utc(_until(served.answered, served.answered < END)),
        solved=iso_utc(_until(served.solved, served.solved < END)),
        updated=iso_utc(np.minimum(last_change, END - np.timedelta64(5, "m"))),
        response=served.response_minutes,
        resolution=served.resolution_minutes,
        comment_shares=rng.random((count, MAX_COMMENTS)),
    )


def _ticket(desk: _Desk, number: int) -> Json:
    """One ticket; a rating is asked for only when it is solved."""
    served, kind = desk.world.records.customer, str(desk.texts.kind[number])
    is_solved = bool(desk.solved[number])
    rating = int(served.rating[number]) if is_solved else NOT_OFFERED
    return {
        "id": FIRST_TICKET + number,
        "organization_id": None if desk.is_stranger[number] else int(desk.organization[number]),
        "requester_id": int(desk.requester[number]),
        "assignee_id": int(desk.agent[number]),
        "subject": str(desk.texts.subject[number]),
        "type": words.TICKET_TYPES[kind],
        "priority": str(desk.priority[number]),
        "status": _status(is_solved, bool(desk.answered[number]), served.solved[number]),
        "tags": list(words.TICKET_TAGS[kind]),
        "created_at": str(desk.created[number]),
        "updated_at": str(desk.updated[number]),
        "via": {"channel": str(desk.channel[number])},
        "satisfaction_rating": {"score": SCORES[rating]},
        "custom_fields": [{"id": EFFORT_FIELD, "value": int(served.effort[number]) if is_solved else None}],
        "metric_set": _metric_set(desk, number),
        "comments": _comments(desk, number),
    }


def _metric_set(desk: _Desk, number: int) -> Json:
    served = desk.world.records.customer
    is_answered, is_solved = bool(desk.answered[number]), bool(desk.solved[number])
    return {
        "reopens": int(served.reopens[number]) if is_solved else 0,
        "replies": int(is_answered) + int(is_solved),
        "solved_at": str(desk.solved[number]) or None,
        "reply_time_in_minutes": _clocks(is_answered, desk.response[number], served.response_business[number]),
        "full_resolution_time_in_minutes": _clocks(
            is_solved, desk.resolution[number], served.resolution_business[number]
        ),
    }


def _until(moment: Times, has_happened: Flags) -> Times:
    return np.where(has_happened, moment, np.datetime64("NaT"))


def _organizations_of(account: Ints, links: Links, u: Any) -> Ints:
    """The account's organisation; half of the tickets of a company with two go to its second."""
    companies = int(links.organization_company.max()) + 1
    second = np.full(companies, -1)
    second[links.organization_company[companies:]] = np.arange(companies, len(links.organization_company))
    position = np.where((second[account] >= 0) & (u < 0.5), second[account], account)
    return np.asarray(links.organization[position])


def _status(is_solved: bool, is_answered: bool, solved: np.datetime64) -> str:
    if is_solved:
        return "closed" if solved < END - np.timedelta64(4, "D") else "solved"
    return "pending" if is_answered else "open"


def _clocks(has_happened: bool, calendar: Any, business: Any) -> dict[str, int | None]:
    return {"calendar": int(calendar) if has_happened else None, "business": int(business) if has_happened else None}


def _comments(desk: _Desk, number: int) -> list[Json]:
    """The question, our answer, and what the customer added between the question and the end."""
    return [
        {
            "id": FIRST_COMMENT + number * (MAX_COMMENTS + 3) + position,
            "author_id": author,
            "public": True,
            "created_at": f"{moment}:00Z",
            "body": bodies[(number + position) % len(bodies)],
        }
        for position, (moment, author, bodies) in enumerate(_said(desk, number))
    ]


def _said(desk: _Desk, number: int) -> list[tuple[np.datetime64, int, tuple[str, ...]]]:
    """When, by whom and what, in order of time, until as_of."""
    served = desk.world.records.customer
    created, answered, solved = served.created[number], served.answered[number], min(served.solved[number], END)
    requester, agent = int(desk.requester[number]), int(desk.agent[number])
    span = max(int((solved - created).astype(np.int64)) - 2, 0)
    later = desk.comment_shares[number, : desk.texts.customer_comments[number]]
    said = [(created, requester, words.QUESTION_BODY), (answered, agent, words.AGENT_BODY)]
    said += [(served.solved[number], agent, words.AGENT_BODY)] if served.solved[number] > answered else []
    said += [(created + int(1 + share * span), requester, words.CUSTOMER_BODY) for share in later.tolist()]
    return sorted((part for part in said if part[0] < END), key=lambda part: part[0])
