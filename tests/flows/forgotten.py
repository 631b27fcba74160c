"""A small supplier in three systems, one of whose customers' people is forgotten; and a search of all that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from flows.folder import make_project
from flows.runs import Journal
from flows.steps import run_night
from warehouse.project import Project

ADDRESS = "Søren.Åberg@nordlys.example"
NAME = "Søren Åberg"
BODY = "Fakturaen er forkert igen, og jeg er ved at være træt af det.\nKan I ringe til mig på mit nummer?"
SUBJECT = "Forkert faktura nu for tredje gang"
NOTE = "Talte med ham om prisen på næste års aftale i en time"
PHONE = "+45 20 30 40 50"
OTHER = "Hvornår bliver jeres nye portal færdig til os alle sammen?"

ACCOUNTS = (
    '"Id","Name","ParentId","Industry","OwnerId","CreatedDate","Website"\n'
    '"001000000000001AAA","Nordlys A/S","","Energy","005000000000001AAA","2025-01-02T08:00:00.000Z","nordlys.example"\n'
)
CONTACTS = (
    '"Id","AccountId","FirstName","LastName","Name","Email","Phone","Title","IsDeleted"\n'
    f'"003000000000001AAA","001000000000001AAA","Søren","Åberg","{NAME}","{ADDRESS}","{PHONE}","Chef","false"\n'
    '"003000000000002AAA","001000000000001AAA","Bo","Holm","Bo Holm","bo@nordlys.example","+45 11 11 11 11","","false"\n'
)
NAMESAKE = (
    f'"003000000000003AAA","001000000000001AAA","Søren","Åberg","{NAME}","soren.aaberg@andet.example","","","false"\n'
)
TASKS = (
    '"Id","AccountId","WhoId","OwnerId","Subject","Description","ActivityDate","Status","CreatedDate","TaskSubtype","IsDeleted","CompletedDateTime"\n'
    f'"00T000000000001AAA","001000000000001AAA","003000000000001AAA","005000000000001AAA","Opkald","{NOTE}","2026-03-03","Completed","2026-03-03T08:00:00.000Z","Call","false","2026-03-03T08:00:00.000Z"\n'
    f'"00T000000000002AAA","001000000000001AAA","003000000000002AAA","005000000000001AAA","Opkald","Bo hilser fra {NAME} i regnskab","2026-03-04","Completed","2026-03-04T08:00:00.000Z","Call","false","2026-03-04T08:00:00.000Z"\n'
)
USERS = [
    {
        "user": {
            "id": 11,
            "name": NAME,
            "email": ADDRESS.lower(),
            "role": "end-user",
            "organization_id": 7,
            "phone": PHONE,
        }
    },
    {"user": {"id": 12, "name": "Bo Holm", "email": "bo@nordlys.example", "role": "end-user", "organization_id": 7}},
    {"user": {"id": 20, "name": "Mette Agent", "email": "mette@vendor.example", "role": "agent"}},
]
ORGANISATIONS = [
    {
        "organization": {
            "id": 7,
            "name": "Nordlys A/S",
            "domain_names": ["nordlys.example"],
            "external_id": "001000000000001AAA",
        }
    }
]


def tickets(body: str = BODY) -> list[dict[str, Any]]:
    answer = f"Hej Søren Åberg\n\nDu skrev:\n> {body}\nVi ser på det."
    return [ticket(101, 11, SUBJECT, body, answer), ticket(102, 12, "Portal", OTHER, "Snart.")]


def ticket(number: int, requester: int, subject: str, text: str, answer: str) -> dict[str, Any]:
    """A solved ticket with its question, in HTML as well, and our answer."""
    common = {"public": True, "created_at": "2026-03-01T09:00:00Z"}
    record = {
        "id": number,
        "requester_id": requester,
        "assignee_id": 20,
        "organization_id": 7,
        "subject": subject,
        "description": text,
        "status": "solved",
        "type": "question",
        "tags": [],
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-05T08:00:00Z",
        "via": {"channel": "web"},
        "comments": [
            {"id": number * 10, "author_id": requester, "body": text, "html_body": f"<p>{text}</p>", **common},
            {"id": number * 10 + 1, "author_id": 20, "body": answer, **common},
        ],
    }
    return {"ticket": record}


CUSTOMERS = [
    {
        "id": "cus_1",
        "object": "customer",
        "name": "Nordlys A/S",
        "email": ADDRESS,
        "created": 1735804800,
        "metadata": {},
    }
]
DEFECTIVE = f'"00T000000000003AAA","001000000000001AAA","{ADDRESS} skrev: {NOTE}"\n'


def supplier(root: Path) -> Project:
    """A project folder whose inbox holds the exports, before its first night."""
    make_project(root)
    (root / "mutual-value.toml").write_text('as_of = 2026-06-30\nname = "Vendor"\n', encoding="utf-8")
    project = Project.open(root)
    drop(project)
    return project


def drop(project: Project, day: str = "", body: str = BODY) -> None:
    """All of the exports; into the folder of a day, where one is given."""
    put(project, "salesforce", day, "Account.csv", ACCOUNTS)
    put(project, "salesforce", day, "Contact.csv", CONTACTS)
    put(project, "salesforce", day, "Task.csv", TASKS + DEFECTIVE)
    put(project, "zendesk", day, "users.ndjson", "".join(json.dumps(each) + "\n" for each in USERS))
    put(project, "zendesk", day, "organizations.ndjson", "".join(json.dumps(each) + "\n" for each in ORGANISATIONS))
    put(project, "zendesk", day, "tickets.json", json.dumps(tickets(body), ensure_ascii=False))
    put(project, "stripe", day, "customers.json", json.dumps({"object": "list", "data": CUSTOMERS}))


def put(project: Project, system: str, day: str, name: str, text: str) -> None:
    path = project.inbox / system / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def night(project: Project) -> Path:
    """Run a night; the release's folder."""
    return run_night(project, Journal.begin(project)).release


def kept(project: Project) -> str:
    """All text that the project keeps: cells of Parquet files and of databases, and the bytes of every other file."""
    found: list[str] = []
    for folder in ("lake", "releases", "runs", "decisions", "identity", "reference"):
        for path in sorted((project.root / folder).rglob("*")):
            if path.is_file():
                found += [path.name, *_texts(path)]
    return "\n".join(found).casefold()


def _texts(path: Path) -> Iterator[str]:
    content = path.read_bytes()
    for encoding in ("utf-8", "utf-16-le"):
        yield content.decode(encoding, errors="replace")
    yield (
        content.replace(b"\\u00f8", "ø".encode())
        .replace(b"\\u00e5", "å".encode())
        .replace(b"\\u00c5", "Å".encode())
        .decode("utf-8", errors="replace")
    )
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield str(pq.read_metadata(path).metadata)
        for column in table.columns:
            for value in column.to_pylist():
                yield str(value)
                if isinstance(value, str) and value.startswith("{"):
                    yield json.dumps(json.loads(value), ensure_ascii=False)
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, name in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                yield from (str(row) for row in connection.execute(f'from "{schema}"."{name}"').fetchall())


def bytes_of(project: Project, *folders: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(project.root)): path.read_bytes()
        for folder in folders
        for path in sorted((project.root / folder).rglob("*"))
        if path.is_file()
    }
