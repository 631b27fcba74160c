"""A made-up supplier: writes the exports of real systems, with a known truth."""

from __future__ import annotations

import json
import re
from pathlib import Path

from demo import words
from demo.agreements import write_agreements
from demo.clock import AS_OF
from demo.contacts import draw_calls, draw_mails, draw_meetings, draw_ticket_texts
from demo.dirt import Dirt
from demo.goals import draw_goals
from demo.links import draw_links
from demo.people import draw_people
from demo.salesforce import write_salesforce
from demo.scoring import SUPPORT_HOUR
from demo.stripe import write_stripe
from demo.tangles import tangled
from demo.truth import DemoTruth, tell_truth
from demo.usage import write_usage
from demo.voices import write_voices
from demo.world import draw_world
from demo.zendesk import write_zendesk
from warehouse.errors import ConfigurationError
from warehouse.project import CONFIGURATION

__all__ = ["MINIMUM_MONTHS", "DemoTruth", "write_demo"]

MINIMUM_MONTHS = 18  # a style window of twelve and a value window of six


def write_demo(
    folder: Path, *, accounts: int = 600, months: int = 36, seed: int = 1, effect: float = 1.0, dirt: float = 1.0
) -> DemoTruth:
    """Write a made-up supplier's exports into a project folder: inbox/<system>/, truth.json and mutual-value.toml.

    The same arguments give the same bytes. The last month is June 2026.

    Args:
        effect: how much partnership moves value; 0: not at all, 1: mutual value differs by about 0.7 standard
            deviations between a partnership of .8 and one of .2.
        dirt: how badly the systems agree on who is who; 1: as in a well-kept house, 3: keys are left out three times as
            often, and names, numbers and domains are mistyped, shared and borrowed.

    Raises:
        ConfigurationError: fewer than one account, fewer than 18 months, a negative seed, or dirt under 1.
    """
    if accounts < 1 or months < MINIMUM_MONTHS or seed < 0 or dirt < 1:
        raise ConfigurationError(
            f"a demo needs at least 1 account, {MINIMUM_MONTHS} months (a style window of 12 and a value window of 6), "
            f"a seed of 0 or more, and dirt of 1 or more; asked for were {accounts} accounts, {months} months, "
            f"seed {seed}, dirt {dirt:g}"
        )
    world = draw_world(accounts, months, seed, effect)
    rngs, inbox = world.rngs, folder / "inbox"
    people = draw_people(rngs["people"], world.companies)
    links = tangled(rngs["tangles"], draw_links(rngs, world.companies), world.companies, dirt - 1)
    spoiler = Dirt(rngs["dirt"])
    mails, calls, meetings = draw_mails(world, people), draw_calls(world, people), draw_meetings(world, people)
    write_salesforce(
        inbox / "salesforce", world, people, links, spoiler, mails, calls, meetings, draw_goals(world, people)
    )
    texts = draw_ticket_texts(world, people)
    write_zendesk(inbox / "zendesk", world, people, links, spoiler, texts)
    write_stripe(inbox / "stripe", world, links, spoiler)
    write_agreements(inbox, world, links, spoiler)
    write_usage(inbox / "usage", world, links, spoiler)
    write_voices(inbox, world, links, spoiler, texts)
    truth = tell_truth(world, links, spoiler.counts)
    truth.write(folder / "truth.json")
    _configure(folder / CONFIGURATION)
    return truth


def _configure(path: Path) -> None:
    """Set what the demo needs in the configuration, and leave the other keys as they are."""
    keys = {"name": words.SUPPLIER, "currency": "DKK", "timezone": "Europe/Copenhagen"}
    ours = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in keys.items()]
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    tables = next((number for number, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    is_ours = re.compile(r"\s*(as_of|name|currency|timezone)\s*=")
    kept = [line for line in lines[:tables] if not is_ours.match(line)]
    # A Salesforce organisation with one currency exports none.
    own_currency = [] if "[systems.salesforce]" in lines else ["", "[systems.salesforce]", 'currency = "DKK"']
    # Zendesk keeps the work on a ticket in a field of the house's own.
    own_field = ["", "[systems.zendesk.columns.ticket]", 'effort_min = "custom_fields[0].value"']
    own_field = [] if own_field[1] in lines else own_field
    costs = [] if "[costs]" in lines else ["", "[costs]", f"support_hour = {SUPPORT_HOUR}"]
    text = "\n".join([f"as_of = {AS_OF}", *ours, *kept, *lines[tables:], *own_currency, *own_field, *costs])
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
