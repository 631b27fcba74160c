"""What `mutual-value links` says and does: what waits for a person, what was decided, how an account is linked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from flows.linked import Account, Known, Release
from flows.runs import stamp, utc_now
from warehouse.errors import ConfigurationError
from warehouse.links import LinkDecision, append, settled
from warehouse.links import read as read_decisions
from warehouse.lock import hold
from warehouse.project import Project
from warehouse.suggestions import FILE, Suggestion
from warehouse.suggestions import read as read_suggestions

# Two companies whose probabilities are no further apart are a choice that a person makes by name.
NEAR = 0.05


def waiting(project: Project, system: str | None = None) -> list[list[Suggestion]]:
    """The suggestions that nobody has decided on, one list for each account, the likeliest account first."""
    decided = settled(read_decisions(project.identity))
    accepted = {link.account for link in decided if link.decision == "accept"}
    rejected = {(*link.account, link.account_id) for link in decided if link.decision == "reject"}
    left = [
        each
        for each in read_suggestions(project.identity)
        if (system is None or each.system == system)
        and account_of(each) not in accepted
        and (*account_of(each), each.account_id) not in rejected
    ]
    accounts = [list(group) for _, group in groupby(left, key=account_of)]
    return sorted(accounts, key=lambda group: (-group[0].probability, account_of(group[0])))


def account_of(suggestion: Suggestion) -> Account:
    """The account that the suggestion is about."""
    return suggestion.system, suggestion.source_account_id


def list_lines(project: Project, system: str | None, shown: int | None) -> Iterator[str]:
    """At most `shown` of the accounts that wait, the likeliest first, of those equally likely what most hangs on."""
    release = Release(project)
    weights = release.weights()
    groups = sorted(
        waiting(project, system),
        key=lambda group: (-group[0].probability, *(-weight for weight in weights.get(account_of(group[0]), (0.0, 0)))),
    )
    for group in groups[:shown]:
        revenue, tickets = weights.get(account_of(group[0]), (0.0, 0))
        yield f'{group[0].system} {group[0].source_account_id}  "{_shown(group[0].name)}"'
        for each in group:
            yield f'  {each.probability:.4f}  {each.account_id}  "{_shown(each.company_name)}"'
            yield f"          {_shown(each.evidence)}"
        yield f"  {_hanging(revenue, tickets, project.settings.currency)}"
        yield ""
    yield from _how_many(project, groups, shown, release)


def _hanging(revenue: float, tickets: int, currency: str) -> str:
    parts = [f"{revenue:,.0f} {currency} invoiced"] if revenue else []
    parts += [f"{tickets:,} {'ticket' if tickets == 1 else 'tickets'}"] if tickets else []
    return f"on it hang {' and '.join(parts)}" if parts else "nothing hangs on it yet"


def _how_many(project: Project, groups: Sequence[object], shown: int | None, release: Release) -> Iterator[str]:
    if not (project.identity / FILE).exists():
        yield f"No run has looked for suggestions yet. Next: mutual-value run --project {project.root}"
        return
    if shown is not None and len(groups) > shown:
        yield f"... and {len(groups) - shown} more: --all"
    unknown = release.unknown_accounts()
    yield f"{len(groups)} accounts wait for a decision; {unknown} had no company in the published release."
    if groups:
        yield "Decide with: mutual-value links accept SYSTEM SOURCE_ACCOUNT_ID, or links reject (each has --help)."
    elif unknown:
        yield "Nothing likely was found for those. Name the company: mutual-value links accept SYSTEM ACCOUNT COMPANY"


def decide(
    project: Project,
    decision: Literal["accept", "reject"],
    account: Account,
    account_id: str | None,
    reason: str,
) -> list[str]:
    """Write one decision into links.csv; lines that say what it was and what happens next.

    Raises:
        ConfigurationError: which company is meant is not clear, or no system has such an account or company.
        LockHeld: a run works on the project.
    """
    with hold(project.root, f"links {decision}", stamp(utc_now())):
        release = Release(project)
        company = account_id or _suggested(project, release, decision, account)
        _refuse_unknown(release, account, company)
        known = release.account(account)
        verb = "is" if decision == "accept" else "is not"
        line = f'{_named(account, known.name if known else None)} {verb} {company} "{_shown(release.company(company))}"'
        return _write(project, {LinkDecision(_today(project), *account, company, decision, reason): line})


def accept_from(project: Project, probability: float, system: str | None) -> list[str]:
    """Accept the likeliest company of every account that waits, from this probability on; a close choice is left.

    Raises:
        LockHeld: a run works on the project.
    """
    with hold(project.root, "links accept", stamp(utc_now())):
        groups = [group for group in waiting(project, system) if group[0].probability >= probability]
        day, reason = _today(project), f"accepted all from {probability:g} on"
        lines = {
            LinkDecision(day, *account_of(each), each.account_id, "accept", reason): (
                f"{each.probability:.4f}  {_named(account_of(each), each.name)} is "
                f'{each.account_id} "{_shown(each.company_name)}"'
            )
            for each in (group[0] for group in groups if not _is_close(group))
        }
        left = [f"left: {_close_choice(group)}" for group in groups if _is_close(group)]
        return [*left, *_write(project, lines)]


def show_lines(project: Project, account: Account) -> Iterator[str]:
    """How the account is linked in the published release, what was decided about it, and what waits.

    Raises:
        ConfigurationError: nothing is known of such an account.
    """
    release = Release(project)
    known = release.account(account)
    decisions = [link for link in read_decisions(project.identity) if link.account == account]
    suggestions = [each for group in waiting(project) if account_of(group[0]) == account for each in group]
    if known is None and not decisions and not suggestions:
        raise ConfigurationError(_no_such_account(account))
    if known is not None:
        yield _linked_now(release, account, known)
        if known.contradicting_id:
            company = release.company(known.contradicting_id)
            yield f'  but its keys name {known.contradicting_id} "{_shown(company)}" as well: accept the one that it is'
    for link in decisions:
        because = f": {_shown(link.reason)}" if link.reason else ""
        yield f"  {link.decided_on or 'on an unknown day'} a person said {link.decision} {link.account_id}{because}"
    counts = {link.account_id for link in settled(decisions) if link.decision == "accept"}
    if counts and known is not None and known.account_id not in counts:
        yield f"  from the next run on it is {', '.join(counts)}"
    for each in suggestions:
        company = f'{each.account_id} "{_shown(each.company_name)}"'
        yield f"  {each.probability:.4f} it may be {company}: {_shown(each.evidence)}"


# What a method of audit.identity means, behind "is ...".
_BY = {
    "merged": "by its CRM's own merging",
    "manual": "by a person's decision",
    "external_id": "by an external id",
    "vat": "by its VAT number",
    "ean": "by its EAN number",
    "domain": "by its domain",
    "email_domain": "by the domain of its addresses and a word of its name",
}


def _linked_now(release: Release, account: Account, known: Known) -> str:
    who = _named(account, known.name)
    if known.account_id is None:
        why = "its certain keys disagree" if known.method == "conflict" else "no certain key says which"
        return f"{who} has no company: {why}"
    if known.method == "exact_id":
        return f"{who} is a company itself"
    since = f", since {known.since}" if known.since else ""
    by = _BY.get(known.method, f"by {known.method}")
    return f'{who} is {known.account_id} "{_shown(release.company(known.account_id))}" {by}{since}'


def _suggested(project: Project, release: Release, decision: str, account: Account) -> str:
    """The company that a person accepted for the account before, else the one that is suggested.

    Raises:
        ConfigurationError: none is, or two are about as likely.
    """
    decided = settled(read_decisions(project.identity))
    accepted = [link.account_id for link in decided if link.account == account and link.decision == "accept"]
    if accepted:
        return accepted[0]
    group = next((group for group in waiting(project) if account_of(group[0]) == account), None)
    if group is not None and not _is_close(group):
        return group[0].account_id
    if group is not None:
        raise ConfigurationError(_close_choice(group))
    known = release.account(account)
    if known is None and release.is_there:
        raise ConfigurationError(_no_such_account(account))
    now = f" ({_linked_now(release, account, known)})" if known else ""
    raise ConfigurationError(
        f"no suggestion waits for {' '.join(account)}{now}; name the company: "
        f"mutual-value links {decision} {' '.join(account)} COMPANY"
    )


def _is_close(group: Sequence[Suggestion]) -> bool:
    return len(group) > 1 and group[0].probability - group[1].probability < NEAR


def _close_choice(group: Sequence[Suggestion]) -> str:
    near = [each for each in group if group[0].probability - each.probability < NEAR]
    named = " or ".join(f'{each.account_id} "{_shown(each.company_name)}" ({each.probability:.4f})' for each in near)
    return f"{' '.join(account_of(group[0]))} may be {named}; name the one that you mean"


def _refuse_unknown(release: Release, account: Account, company: str) -> None:
    if not release.is_there:
        return
    if release.account(account) is None:
        raise ConfigurationError(_no_such_account(account))
    if release.company(company) is None:
        raise ConfigurationError(
            f"no CRM has the account {company!r}; a company is named as in mart.account, such as salesforce:0015g"
        )


def _no_such_account(account: Account) -> str:
    return f"the published release has no account {account[1]!r} of {account[0]!r}; audit.identity lists all of them"


def _write(project: Project, links: Mapping[LinkDecision, str]) -> list[str]:
    """Add the decisions that do not stand already; a line for each, and what happens next."""
    standing = {(*link.account, link.account_id): link.decision for link in settled(read_decisions(project.identity))}
    new = [link for link in links if standing.get((*link.account, link.account_id)) != link.decision]
    path = append(project.identity, new)
    lines = [line if link in new else f"{line} (as decided before)" for link, line in links.items()]
    if not new:
        return [*lines, "Nothing new to decide."]
    count = "1 decision" if len(new) == 1 else f"{len(new)} decisions"
    return [*lines, f"{count} added to {path}. What was decided counts from the next run on."]


def _named(account: Account, name: str | None) -> str:
    return " ".join(account) + (f' "{_shown(name)}"' if name else "")


def _today(project: Project) -> dt.date:
    return dt.datetime.now(ZoneInfo(project.settings.timezone)).date()


def _shown(text: str | None) -> str:
    """The text without what would steer a terminal: names are what other people typed."""
    return "".join(letter if letter.isprintable() else " " for letter in text or "")
