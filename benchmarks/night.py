"""Landing and building at scale, against bare DuckDB on the same files in the same run.

    python -m benchmarks.night            # 1 M tickets and 2 M invoice lines
    python -m benchmarks.night 10         # ten times as many

The bare engine reads the same files into tables with its own type detection, then groups them as the measures do:
recurring revenue by account and month, medians and shares by account and six-month window. Each side runs in a process
of its own, so that peak memory is that side's own. The numbers are ratios; the absolute times belong to one machine.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ACCOUNTS = 5_000
MONTHS = 36
TICKETS = 1_000_000
LINES = 2_000_000
LINES_OF_AN_INVOICE = 5
FIRST_DAY = "2023-07-01"
AS_OF = "2026-06-30"
CONFIGURATION = f'as_of = {AS_OF}\ncurrency = "DKK"\ntimezone = "UTC"\n[limits]\nmemory = "3GB"\n'


def write_files(project: Path, scale: int) -> None:
    """Accounts as Salesforce, tickets as Zendesk's JSON and invoices as Stripe's objects really come."""
    project.mkdir(parents=True)
    (project / "mutual-value.toml").write_text(CONFIGURATION, encoding="utf-8")
    for system in ("salesforce", "zendesk", "stripe"):
        (project / "inbox" / system).mkdir(parents=True)
    inbox = project / "inbox"
    with duckdb.connect(config={"threads": 2, "memory_limit": "3GB"}) as connection:
        _accounts(connection, inbox)
        _tickets(connection, inbox / "zendesk" / "tickets.ndjson", TICKETS * scale)
        _invoices(connection, inbox / "stripe" / "invoices.ndjson", LINES * scale // LINES_OF_AN_INVOICE)


def _accounts(connection: duckdb.DuckDBPyConnection, inbox: Path) -> None:
    connection.execute(
        f"""
        copy (
            select printf('001%012dAAA', i) as "Id", '0' as "IsDeleted", 'Company ' || i as "Name",
                'Segment ' || i % 3 as "Segment__c", '005' || i % 40 as "OwnerId",
                '' as "ParentId", 'Trade' as "Industry",
                'www.c' || i || '.example' as "Website",
                '2020-01-01 00:00:00' as "CreatedDate", '2020-01-01 00:00:00' as "SystemModstamp"
            from range({ACCOUNTS}) t(i)
        ) to '{inbox}/salesforce/Account.csv' (header, force_quote *)
        """
    )
    connection.execute(
        f"""
        copy (
            select {{'id': i, 'name': 'Company ' || i, 'external_id': printf('001%012dAAA', i),
                'created_at': '2020-01-01T00:00:00Z', 'updated_at': '2020-01-01T00:00:00Z'}} as organization
            from range({ACCOUNTS}) t(i)
        ) to '{inbox}/zendesk/organizations.ndjson' (format json)
        """
    )
    connection.execute(
        f"""
        copy (
            select 'cus_' || i as id, 'customer' as object, 1577836800 as created, 'Company ' || i as name,
                {{'crm_id': printf('001%012dAAA', i)}} as metadata
            from range({ACCOUNTS}) t(i)
        ) to '{inbox}/stripe/customers.ndjson' (format json)
        """
    )


def _tickets(connection: duckdb.DuckDBPyConnection, path: Path, rows: int) -> None:
    connection.execute(
        f"""
        copy (
            select {{
                'id': i, 'organization_id': i % {ACCOUNTS}, 'requester_id': i % 20000, 'assignee_id': i % 40,
                'subject': 'Question about the export, number ' || i, 'type': 'question', 'priority': 'normal',
                'status': 'closed', 'tags': ['export'], 'via': {{'channel': 'email'}},
                'created_at': strftime(created, '%Y-%m-%dT%H:%M:%SZ'),
                'updated_at': strftime(solved, '%Y-%m-%dT%H:%M:%SZ'),
                'satisfaction_rating':
                    {{'score': case hash(i + 1) % 4 when 0 then 'good' when 1 then 'bad' else 'offered' end}},
                'metric_set': {{
                    'reopens': (hash(i + 2) % 20 = 0)::int, 'replies': hash(i + 3) % 9,
                    'solved_at': strftime(solved, '%Y-%m-%dT%H:%M:%SZ'),
                    'reply_time_in_minutes': {{'calendar': 5 + hash(i + 4) % 900, 'business': 5 + hash(i + 4) % 300}},
                    'full_resolution_time_in_minutes': {{'calendar': minutes, 'business': minutes // 3}}
                }}
            }} as ticket
            from (
                select *, created + to_minutes(minutes) as solved
                from (
                    select i, (60 + hash(i) % 6000)::bigint as minutes,
                        timestamp '{FIRST_DAY}' + to_minutes((i * {MONTHS * 43_200} // {rows})::bigint) as created
                    from range({rows}) t(i)
                )
            )
        ) to '{path}' (format json)
        """
    )


def _invoices(connection: duckdb.DuckDBPyConnection, path: Path, invoices: int) -> None:
    """One invoice an account and month, or as many as the size asks for, each with five recurring lines."""
    connection.execute(
        f"""
        copy (
            select
                'in_' || i as id, 'invoice' as object, 'cus_' || i % {ACCOUNTS} as customer, 'dkk' as currency,
                'paid' as status, 'send_invoice' as collection_method, 'N-' || i as number,
                epoch(start)::bigint as created, epoch(start + to_days(30))::bigint as due_date,
                {LINES_OF_AN_INVOICE} * 100000 as total_excluding_tax, {LINES_OF_AN_INVOICE} * 125000 as total,
                {LINES_OF_AN_INVOICE} * 25000 as tax, 0 as amount_remaining,
                {{'paid_at': epoch(start + to_days((20 + hash(i) % 30)::integer))::bigint}} as status_transitions,
                {{'data': list_transform(range({LINES_OF_AN_INVOICE}), lambda line: {{
                    'id': 'il_' || i || '_' || line, 'amount': 100000, 'currency': 'dkk',
                    'discount_amounts': [{{'amount': 5000}}], 'quantity': 5, 'proration': false,
                    'period': {{'start': epoch(start)::bigint, 'end': epoch(start + to_months(1))::bigint}},
                    'price': {{
                        'id': 'p' || line, 'type': 'recurring',
                        'recurring': {{'interval': 'month', 'interval_count': 1}}
                    }}
                }})}} as lines
            from (
                select i, timestamp '{FIRST_DAY}' + to_months((i // {ACCOUNTS} % {MONTHS})::integer) as start
                from range({invoices}) t(i)
            )
        ) to '{path}' (format json)
        """
    )


def bare(project: Path) -> dict[str, float]:
    """DuckDB alone: the same files into typed tables, the same groupings."""
    inbox = project / "inbox"
    config = {"threads": 2, "memory_limit": "3GB", "temp_directory": str(project / "bare-spill")}
    times = {}
    with duckdb.connect(str(project / "bare.duckdb"), config=config) as connection:
        started = time.monotonic()
        connection.execute(
            f"create table ticket as select unnest(ticket) from read_json_auto('{inbox}/zendesk/tickets.ndjson')"
        )
        connection.execute(f"create table invoice as select * from read_json_auto('{inbox}/stripe/invoices.ndjson')")
        times["read"] = time.monotonic() - started
        started = time.monotonic()
        connection.execute(
            "create table line as select id as invoice_id, customer, unnest(lines.data, recursive := true) from invoice"
        )
        connection.execute(BARE_REVENUE)
        connection.execute(BARE_TICKETS)
        times["group"] = time.monotonic() - started
    return times


BARE_REVENUE = """
create table revenue as
select customer, date_trunc('month', make_timestamp("start" * 1000000)) as month,
    sum(amount) as net, count(*) as lines
from line group by all
"""
BARE_TICKETS = """
create table measured as
select organization_id as account, month,
    count(*) as tickets,
    -- What was answered or solved after the window's end still waited in it.
    quantile_disc(case
        when created_at + to_seconds(60 * metric_set.reply_time_in_minutes.calendar) < month + interval 1 month
            then metric_set.reply_time_in_minutes.calendar
        else 'infinity'::double
    end, 0.5) as first_response,
    quantile_disc(case
        when metric_set.solved_at < month + interval 1 month then metric_set.full_resolution_time_in_minutes.calendar
        else 'infinity'::double
    end, 0.5) as full_resolution,
    avg((satisfaction_rating.score = 'good')::int) filter (satisfaction_rating.score in ('good', 'bad')) as csat,
    avg((metric_set.reopens > 0)::int) as reopen_rate
from (
    select *, date_trunc('month', created_at) + to_months(step::integer) as month
    from ticket, range(6) steps(step)
)
group by all
"""


def ours(project: Path) -> dict[str, float]:
    """The project's own night without orchestration: landing, then everything up to the closed build."""
    import datetime as dt

    from warehouse.build import Run, contrast, finish, layer, stage, start
    from warehouse.contracts import SHIPPED, load_contracts
    from warehouse.landing import land_all, landing_done, landing_time
    from warehouse.models import LAYERS
    from warehouse.project import Project

    opened = Project.open(project)
    contracts = load_contracts([SHIPPED])
    now = dt.datetime(2026, 7, 1)
    times = {}
    started = time.monotonic()
    landed = land_all(opened, contracts, landing_time(opened, now))
    landing_done(opened)
    times["land"] = time.monotonic() - started
    started = time.monotonic()
    engine = start(project / "build", opened, contracts, opened.as_of())
    stage(engine, opened, contracts, landed, opened.as_of())
    times["stage"] = time.monotonic() - started
    for name in LAYERS:
        started = time.monotonic()
        layer(engine, name)
        times[name] = time.monotonic() - started
    started = time.monotonic()
    contrast(engine, opened, opened.as_of())
    finish(engine, opened, Run("bench", now, opened.as_of()))
    times["contrast and finish"] = time.monotonic() - started
    return times


def _measured(side: str, project: Path) -> dict[str, float]:
    """Run one side in a process of its own; its times in seconds and its peak memory in GB."""
    code = (
        "import json, resource, sys; from pathlib import Path; from benchmarks import night; "
        f"times = night.{side}(Path(sys.argv[1])); "
        "times['peak GB'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6; print(json.dumps(times))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(scale: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        write_files(project, scale)
        alone, night = _measured("bare", project), _measured("ours", project)
    total = sum(seconds for step, seconds in night.items() if step != "peak GB")
    bare_total = alone["read"] + alone["group"]
    print(f"{TICKETS * scale:,} tickets and {LINES * scale:,} invoice lines, {ACCOUNTS:,} accounts, {MONTHS} months")
    print(f"  bare: read {alone['read']:.1f} s, group {alone['group']:.1f} s, peak {alone['peak GB']:.2f} GB")
    print("  ours: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in night.items()))
    print(f"  landing / bare read: {night['land'] / alone['read']:.2f}")
    print(f"  night / bare read and group: {total / bare_total:.2f}")
    print(f"  peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
