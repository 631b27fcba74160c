"""Zendesk's JSON export: NDJSON, one `{"ticket": {...}}` per line, times in UTC; users as an archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from demo import words
from demo.clock import END, iso_utc
from demo.contacts import TicketTexts
from demo.customer_side import BAD, GOOD, NOT_OFFERED, OFFERED, is_written
from demo.dirt import EXCEL_BROKEN_ID, Dirt
from demo.draws import Flags, Ints, Times
from demo.identifiers import zendesk_ids
from demo.links import BY_CVR, BY_DOMAIN, BY_ID, Links
from demo.people import People
from demo.world import World

Json: TypeAlias = dict[str, Any]
SCORES = {NOT_OFFERED: "unoffered", OFFERED: "offered", BAD: "bad", GOOD: "good"}
CHANNELS = ("email", "web", "api", "chat")
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
    tickets = [_line("ticket", record) for record in _tickets(world, people, links, texts, user_ids)]
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
            "organization_fields": {"cvr": str(companies.cvr[number]) if has_cvr[position] else None},
            "created_at": str(created[position]),
            "updated_at": str(created[position]),
            "deleted_at": None,
        }


def _users(world: World, people: People, links: Links, user_ids: Ints) -> Iterator[Json]:
    """The customers' people, our agents, and one person whom nobody can place."""
    contacts = len(people.names)
    created = iso_utc(world.companies.start_day(world.months)[people.account].astype("M8[m]"))
    for number in range(contacts):
        organization = int(links.organization[people.account[number]])
        yield _user(
            user_ids[number], people.names[number], people.emails[number], "end-user", organization, created[number]
        )
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


def _tickets(world: World, people: People, links: Links, texts: TicketTexts, user_ids: Ints) -> Iterator[Json]:
    """Every ticket as it stood at as_of: what lies after it has not happened yet."""
    draws, served = world.records.tickets, world.records.customer
    written = np.flatnonzero(is_written(draws, world.records.supplier.active))
    rng = world.rngs["comments"]
    is_stranger = rng.random(len(written)) < STRANGER_SHARE
    channel = np.array(CHANNELS)[rng.choice(4, len(written), p=[0.5, 0.3, 0.1, 0.1])]
    priority = rng.choice(["low", "normal", "high", "urgent"], len(written), p=[0.15, 0.6, 0.2, 0.05])
    organization = _organizations_of(draws.account[written], links, rng.random(len(written)))
    created, answered = iso_utc(served.created), iso_utc(_until(served.answered, served.answered < END))
    solved = iso_utc(_until(served.solved, served.solved < END))
    updated = iso_utc(
        np.minimum(np.fmax(served.solved, served.answered) + np.timedelta64(4, "D"), END - np.timedelta64(5, "m"))
    )
    steps = rng.random((len(written), 6))
    response, resolution = served.response_minutes, served.resolution_minutes
    first_comment = np.cumsum(2 + texts.customer_comments[written]) - 1
    for position, ticket in enumerate(written.tolist()):
        requester = int(user_ids[-1] if is_stranger[position] else user_ids[texts.contact[ticket]])
        agent = int(user_ids[len(people.names) + texts.agent[ticket] - people.staff])
        kind = str(texts.kind[ticket])
        is_solved, is_answered = bool(solved[ticket]), bool(answered[ticket])
        yield {
            "id": 10_000 + ticket,
            "organization_id": None if is_stranger[position] else int(organization[position]),
            "requester_id": requester,
            "assignee_id": agent,
            "subject": str(texts.subject[ticket]),
            "type": words.TICKET_TYPES[kind],
            "priority": str(priority[position]),
            "status": _status(is_solved, is_answered, served.solved[ticket]),
            "tags": list(words.TICKET_TAGS[kind]),
            "created_at": str(created[ticket]),
            "updated_at": str(updated[ticket]),
            "via": {"channel": str(channel[position])},
            "satisfaction_rating": {"score": SCORES[int(served.rating[ticket]) if is_solved else NOT_OFFERED]},
            "metric_set": {
                "reopens": int(served.reopens[ticket]) if is_solved else 0,
                "replies": int(is_answered) + int(is_solved),
                "solved_at": str(solved[ticket]) or None,
                "reply_time_in_minutes": _clocks(is_answered, response[ticket], served.response_business[ticket]),
                "full_resolution_time_in_minutes": _clocks(
                    is_solved, resolution[ticket], served.resolution_business[ticket]
                ),
            },
            "comments": _comments(
                int(first_comment[position]),
                ticket,
                requester,
                agent,
                world,
                int(texts.customer_comments[ticket]),
                steps[position],
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


def _comments(number: int, ticket: int, requester: int, agent: int, world: World, later: int, steps: Any) -> list[Json]:
    """The question, our answer, and what the customer added between the question and the end."""
    served = world.records.customer
    created, answered, solved = served.created[ticket], served.answered[ticket], min(served.solved[ticket], END)
    moments = [(created, requester, words.QUESTION_BODY)]
    if answered < END:
        moments.append((answered, agent, words.AGENT_BODY))
    span = (solved - created).astype(np.int64)
    moments += [
        (created + int(1 + share * max(span - 2, 0)), requester, words.CUSTOMER_BODY)
        for share in steps[:later].tolist()
    ]
    moments = sorted((moment for moment in moments if moment[0] < END), key=lambda moment: moment[0])
    return [
        {
            "id": 52_000_000 + number * 8 + position,
            "author_id": author,
            "public": True,
            "created_at": f"{moment}:00Z",
            "body": body[(number + position) % len(body)],
        }
        for position, (moment, author, body) in enumerate(moments)
    ]
