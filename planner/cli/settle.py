"""The command that evaluates a given schedule: settle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    IN_ENGLISH,
    Changes,
    OutIfGiven,
    Page,
    Quiet,
    Request,
    ScenarioPath,
    TimeLimit,
    Words,
    limited,
)
from planner.cli.outcome import Outcome
from planner.cli.terminal import claimed, finish, open_console, spinner
from planner.errors import wrong
from planner.language.titles import title_of
from planner.message import Message


def settle(
    scenario: ScenarioPath,
    schedule: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Schedule: a CSV with columns of schedule.csv or sums of them, or a plan folder.",
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="A rule of thumb instead: grid_first, compute_first or tariff_battery.",
        ),
    ] = None,
    out: OutIfGiven = None,
    set_: Changes = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Largest move of a value for its rounding.")
    ] = 1e-5,
    time_limit: TimeLimit = None,
    page: Page = True,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Settle a given schedule: its revenue and costs, and the rules it breaks.

    What the schedule leaves open is optimised. Exit code 5 where it breaks a rule.
    """
    from planner.report.terminal.plan import show

    if (schedule is None) == (rule is None):
        message = Message("needs a schedule or a rule of thumb, and not both")
        raise wrong("--schedule, --rule", message)
    site = planner.load(scenario, limited(set_, None, time_limit))
    request = Request(site, words, out, page=page, quiet=quiet)
    with claimed(out):
        with spinner(open_console(), quiet, words("settling {name}", name=title_of(site))):
            if rule is not None:
                plan = planner.rule_of_thumb(site, rule, request.output)
            elif schedule is not None:
                plan = planner.settle(site, schedule, tolerance=tolerance, out=request.output)
        return finish(plan, request, show)
