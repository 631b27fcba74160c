"""The command `mutual-value`. Heavy libraries are imported by the commands that need them, so that --help is quick."""

from __future__ import annotations

import datetime as dt
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from warehouse.errors import ConfigurationError, MutualValueError, without_data

if TYPE_CHECKING:
    from rich.console import Console

    from warehouse.project import Project


class Commands(TyperGroup):
    """Ends with the error's own exit code, and its message as one line instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MutualValueError as error:
            typer.echo(f"{_heading(error.exit_code)}: {error}", err=True)
            raise typer.Exit(error.exit_code) from error


def _heading(exit_code: int) -> str:
    return {1: "Failed", 3: "Busy"}.get(exit_code, "Error")


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Which customer relationships are run as partnerships, what each party gets, and whether it pays.\n\n"
    "Exit codes: 0 done; 1 the data failed a critical check, nothing was published; 2 wrong use or configuration; "
    "3 another run works on the project.",
)

Folder = Annotated[Path, typer.Option("--project", help="The project folder.", metavar="DIR")]
HERE = Path()
OWNER_ONLY = 0o077


class EngineName(StrEnum):
    """What runs the SQL models."""

    DUCKDB = "duckdb"


@app.callback()
def _private() -> None:
    # Exports name people: what a command writes is the owner's alone.
    os.umask(OWNER_ONLY)


@app.command(epilog="Example: mutual-value init --project acme")
def init(project: Folder = HERE) -> None:
    """Make a project folder: mutual-value.toml with every key explained, and an inbox to drop exports into."""
    from flows.folder import make_project

    path = make_project(project)
    typer.echo(
        f"Made {path}. Drop exports into {project / 'inbox'}/<system>/, then: mutual-value check --project {project}"
    )


@app.command(epilog="Example: mutual-value demo --project demo-project --accounts 600 --months 36 --seed 1")
def demo(
    project: Folder = HERE,
    accounts: Annotated[int, typer.Option(min=1, help="How many customers.")] = 600,
    months: Annotated[int, typer.Option(min=1, help="How many months of exports.")] = 36,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 1,
    effect: Annotated[float, typer.Option(help="How much partnership moves value; 0: not at all.")] = 1.0,
    dirt: Annotated[
        float, typer.Option(min=1, help="How badly the systems agree on who is who; 1: as in a well-kept house.")
    ] = 1.0,
) -> None:
    """Write a made-up supplier's exports into the inbox, with the truth behind them in truth.json."""
    from demo import write_demo
    from flows.folder import refuse_real_exports

    refuse_real_exports(project)
    project.mkdir(parents=True, exist_ok=True)
    write_demo(project, accounts=accounts, months=months, seed=seed, effect=effect, dirt=dirt)
    typer.echo(f"Wrote {accounts} accounts over {months} months. Next: mutual-value run --project {project}")


@app.command(epilog="Example: mutual-value check --project acme")
def check(project: Folder = HERE) -> None:
    """Say what every file in the inbox is and what becomes of its rows: missing, unknown, unreadable, quarantined.

    Changes nothing. Exit 2 when the configuration lacks something that a system needs.

    Exit 1 when a file cannot be read.
    """
    from flows.inspection import inspect, lines

    found = inspect(_open(project))
    for line in lines(found):
        typer.echo(line)
    if found.problem:
        raise ConfigurationError(found.problem)
    if found.statuses["unreadable"]:
        raise typer.Exit(1)


@app.command(epilog="Example: mutual-value run --project acme --as-of 2026-06-30")
def run(
    project: Folder = HERE,
    as_of: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The last day that counts.")
    ] = None,
    no_prefect: Annotated[bool, typer.Option("--no-prefect", help="Run the same steps without Prefect.")] = False,
    engine: Annotated[EngineName, typer.Option(help="What runs the SQL models.")] = EngineName.DUCKDB,  # noqa: ARG001
    keep_build: Annotated[bool, typer.Option("--keep-build", help="Keep a failed build for a look.")] = False,
) -> None:
    """Land new exports, build, check and publish a release; report what came out.

    Runs the Prefect flow on the server of PREFECT_API_URL, else on a temporary one.
    """
    from flows.progress import shown
    from warehouse.lock import ensure_free

    opened = _open(project)
    ensure_free(opened.root)
    asked = as_of.date() if as_of else None
    with shown(_console(stderr=True)):
        release = _night(opened, asked, keep_build, no_prefect)
    _tell(release)


def _night(project: Project, asked: dt.date | None, keep_build: bool, no_prefect: bool) -> Path:
    """Run the night with or without Prefect; the release's folder. An unexpected error becomes one line and exit 1."""
    try:
        if no_prefect:
            from flows.runs import Journal
            from flows.steps import run_night

            return run_night(project, Journal.begin(project, asked), keep_build=keep_build).release
        from flows.environment import prepare

        prepare(project.root, quiet=True)
        from flows.nightly import nightly

        return nightly(project.root, asked, keep_build).release
    except MutualValueError:
        raise
    except Exception as error:
        # Without a note the run had not begun: there is no log, so the traceback is all there is.
        if not getattr(error, "__notes__", ()):
            raise
        told = without_data(str(error))
        typer.echo(f"Failed: {type(error).__name__}: {told} ({'; '.join(error.__notes__)})", err=True)
        raise typer.Exit(1) from error


def _tell(release: Path) -> None:
    from flows.summary import counts, verdict_sentence
    from warehouse.serving.publish import DATABASE

    counted = counts(release / DATABASE)
    typer.echo(f"Release {release}")
    typer.echo(verdict_sentence(release / DATABASE))
    typer.echo(f"{counted['files']} files, {counted['rows']} rows, {counted['quarantined']} quarantined")
    typer.echo(f"Report {release / 'report' / 'index.html'}")


@app.command(epilog="Example: mutual-value serve --project acme")
def serve(project: Folder = HERE) -> None:
    """Run every night at schedule.at, until stopped.

    Uses the Prefect server of PREFECT_API_URL, else starts one of its own on this machine.
    """
    from flows.environment import prepare

    opened = _open(project)
    prepare(opened.root)
    from flows.schedule import serve_nightly

    serve_nightly(opened)


@app.command(epilog="Example: mutual-value status --project acme")
def status(
    project: Folder = HERE,
    last: Annotated[int, typer.Option(min=1, help="How many runs to show.")] = 10,
) -> None:
    """Say what is published, what runs now, and how the last runs ended."""
    from flows.runs import read_runs
    from warehouse.lock import holder
    from warehouse.serving.publish import current_run_id

    opened = _open(project)
    owner = holder(opened.root)
    typer.echo(f"Published: {current_run_id(opened) or 'nothing yet'}")
    typer.echo(f"Running: {f'{owner.run_id} (pid {owner.pid}, since {owner.started_at} UTC)' if owner else 'nothing'}")
    for record in read_runs(opened)[:last]:
        step = record.steps[-1].name if record.steps else "-"
        seconds = "" if record.seconds is None else f"{record.seconds:.0f} s, "
        typer.echo(
            f"{record.run_id}  {record.state(owner)}  as of {record.as_of}  {seconds}last step {step}  {record.message}"
        )


@app.command(epilog="Example: mutual-value contrast --project acme")
def contrast(
    project: Folder = HERE,
    protocol: Annotated[
        bool, typer.Option("--protocol", help="Print the protocol instead: its hash, its keys, and what was changed.")
    ] = False,
) -> None:
    """Print the verdict of the published release: who was compared, what could be found, and every estimate.

    --protocol works before the first night, too: what is compared is fixed before any result is seen.
    """
    from flows.contrasting import protocol_lines, read, told

    opened = _open(project)
    for part in protocol_lines(opened) if protocol else told(read(_published(opened))):
        typer.echo(part) if isinstance(part, str) else _console().print(part)


@app.command(epilog="Example: mutual-value explain salesforce:0015g00000A1bcd --month 2026-06 --project acme")
def explain(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The company: its account_id or its exact name.")],
    project: Folder = HERE,
    month: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m"], metavar="YYYY-MM", help="By default the last complete one.")
    ] = None,
) -> None:
    """Say why an account's mutual value is what it is and why it moved, down to tickets, invoices, goals and meetings.

    Reads the published release. Names ids, dates and numbers; no people and no texts.
    """
    from flows.explaining import lines
    from warehouse.explanation import explain as find

    for line in lines(find(_published(_open(project)), account, month.date() if month else None)):
        typer.echo(line)


@app.command(epilog="Example: mutual-value whatif --account salesforce:0015g00000A1bcd --set csat=0.95 --project acme")
def whatif(
    project: Folder = HERE,
    weights: Annotated[
        str,
        typer.Option(
            metavar="MEASURE=NUMBER,...", help="How much measures weigh in their score; as configured unless named."
        ),
    ] = "",
    account: Annotated[str | None, typer.Option(help="One company: its account_id or its exact name.")] = None,
    values: Annotated[
        str, typer.Option("--set", metavar="MEASURE=NUMBER,...", help="Values in the measures' units; a share is 0-1.")
    ] = "",
) -> None:
    """Compute the published scores again with other weights, or with a measure of one account set to another value.

    Arithmetic on the scores, not a forecast: nothing else moves with what is set.
    """
    from flows.supposing import one_account, portfolio, summary
    from warehouse.explanation import account_of
    from warehouse.whatif import compare, read, values_of, weights_of

    if not weights and not values:
        raise ConfigurationError("say what shall be otherwise: --weights, or --account with --set")
    if values and account is None:
        raise ConfigurationError("--set is for one company: name it with --account")
    release = read(_published(_open(project)))
    account_id = account_of(release.database, account) if account else None
    found = compare(release, weights_of(weights, release), account_id, values_of(values, release))
    _console().print(one_account(found[0]) if account_id else portfolio(found))
    if account_id is None:
        typer.echo(summary(found))


@app.command(epilog="Example: mutual-value reference --freeze --project acme")
def reference(
    project: Folder = HERE,
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep the scale of the published release.")] = False,
) -> None:
    """Keep the scale that scores are measured on, so that late exports do not move it.

    Without --freeze, lists what is kept. A night uses the newest that is not later than its as-of; without one, the
    first 12 months of the data.
    """
    from flows.runs import utc_now
    from warehouse.reference import every
    from warehouse.reference import freeze as keep

    opened = _open(project)
    if freeze:
        kept, is_new = keep(opened, _published(opened), utc_now())
        typer.echo(f"{'Wrote' if is_new else 'Already there:'} {kept.path}")
    found = every(opened)
    for each in found:
        typer.echo(f"{each.version}  for nights as of {each.day} and later, frozen {each.frozen_at} UTC")
    if not found:
        typer.echo("None is frozen: the first 12 complete months of the data serve. Keep one with: --freeze")


@app.command(epilog="Example: mutual-value report --project acme")
def report(project: Folder = HERE) -> None:
    """Print where the published report page is."""
    typer.echo(str(_published(_open(project)).parent / "report" / "index.html"))


@app.command(epilog="Example: mutual-value publish --project acme --release 20260630T020000Z-abcd")
def publish(
    project: Folder = HERE,
    release: Annotated[str | None, typer.Option(metavar="RUN_ID", help="The release that readers shall see.")] = None,
) -> None:
    """Go back (or forward) to a release that is kept; without --release, list them."""
    from flows.runs import stamp, utc_now
    from warehouse.lock import hold
    from warehouse.serving.publish import releases, restore

    opened = _open(project)
    if release is not None:
        with hold(opened.root, f"publish {release}", stamp(utc_now())):
            restore(opened, release)
    kept = releases(opened)
    for each in kept:
        mark = "* " if each.is_current else "  "
        typer.echo(f"{mark}{each.run_id}  as of {each.as_of}  built {each.built_at} UTC")
    if not kept:
        typer.echo("No release yet. Make one with: mutual-value run")


links = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Decide which company an account is, where no certain key says so.\n\n"
    "Decisions are dated lines of identity/links.csv; they count from the next run on, and for all time before.",
    epilog="Example: mutual-value links list --project acme",
)
app.add_typer(links, name="links")

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="The account's system, such as stripe.")]
AccountId = Annotated[str, typer.Argument(metavar="SOURCE_ACCOUNT_ID", help="The account's id in that system.")]
CompanyId = Annotated[
    str | None,
    typer.Argument(
        metavar="[ACCOUNT_ID]", help="The company, as in mart.account; without it the one that is suggested."
    ),
]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads identity/links.csv later.")]
OneSystem = Annotated[str | None, typer.Option("--system", help="Of this system only.")]

# A screenful of what waits.
SHOWN = 10


@links.command("list", epilog="Example: mutual-value links list --system stripe --project acme")
def links_list(
    project: Folder = HERE,
    system: OneSystem = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, not the first ten accounts.")] = False,
) -> None:
    """Show the suggestions that wait, the likeliest first: the evidence, and what hangs on each account."""
    from flows.links import list_lines

    for line in list_lines(_open(project), system, None if everything else SHOWN):
        typer.echo(line)


@links.command("accept", epilog="Example: mutual-value links accept stripe cus_3VZ0cp4cpch8NK --project acme")
def links_accept(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="The account's system.")] = None,
    source_account_id: Annotated[
        str | None, typer.Argument(metavar="[SOURCE_ACCOUNT_ID]", help="The account's id in that system.")
    ] = None,
    account_id: CompanyId = None,
    project: Folder = HERE,
    from_probability: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Instead of one account: all suggestions that are at least so probable."),
    ] = None,
    only: OneSystem = None,
    reason: Reason = "",
) -> None:
    """Say that an account is a company: the one that is suggested, or the one that is named."""
    from flows.links import accept_from, decide

    if from_probability is not None and system is None:
        lines = accept_from(_open(project), from_probability, only)
    elif system and source_account_id and from_probability is None:
        lines = decide(_open(project), "accept", (system, source_account_id), account_id, reason)
    else:
        raise ConfigurationError("name one account (SYSTEM SOURCE_ACCOUNT_ID), or give --from-probability for all")
    for line in lines:
        typer.echo(line)


@links.command("reject", epilog="Example: mutual-value links reject stripe cus_3VZ0cp4cpch8NK --project acme")
def links_reject(
    system: System,
    source_account_id: AccountId,
    account_id: CompanyId = None,
    project: Folder = HERE,
    reason: Reason = "",
) -> None:
    """Say that an account is not a company: that is not suggested again, and a certain key's link to it is undone."""
    from flows.links import decide

    for line in decide(_open(project), "reject", (system, source_account_id), account_id, reason):
        typer.echo(line)


@links.command("show", epilog="Example: mutual-value links show stripe cus_3VZ0cp4cpch8NK --project acme")
def links_show(system: System, source_account_id: AccountId, project: Folder = HERE) -> None:
    """Say which company an account is now, by which key and since when, and what was decided about it."""
    from flows.links import show_lines

    for line in show_lines(_open(project), (system, source_account_id)):
        typer.echo(line)


@app.command(epilog="Example: mutual-value forget --email anna@customer.dk --project acme")
def forget(
    email: Annotated[list[str], typer.Option(metavar="ADDRESS", help="The person's e-mail address; may be repeated.")],
    project: Folder = HERE,
) -> None:
    """Erase a person by e-mail address: from the lake, the records of runs and what is published next.

    Records only a keyed hash of the address; later exports that have it are screened.

    Lists the files of the inbox that still hold it, and changes none of them.
    """
    from flows.erasing import forget as forget_people
    from flows.erasing import lines

    opened = _open(project)
    for line in lines(forget_people(opened, email), opened):
        typer.echo(line)


@app.command(epilog="Example, in the checkout: mutual-value docs")
def docs(project: Folder = HERE) -> None:
    """Write the data dictionary, the catalogues of exports and measures and the configuration's keys into DIR/docs."""
    from warehouse.serving.dictionary import write

    for path in write(project / "docs"):
        typer.echo(str(path))


def _open(folder: Path) -> Project:
    from warehouse.project import Project

    return Project.open(folder)


def _published(project: Project) -> Path:
    """The current release's database."""
    from warehouse.serving.publish import DATABASE

    database = project.current / DATABASE
    if not database.exists():
        raise ConfigurationError(
            f"{project.root} has no release yet. Make one with: mutual-value run --project {project.root}"
        )
    return database


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


if __name__ == "__main__":
    app()
