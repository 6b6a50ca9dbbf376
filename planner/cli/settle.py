"""The command that judges a given schedule: settle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    Changes,
    Lang,
    Quiet,
    Request,
    ScenarioPath,
    TimeLimit,
    known_language,
    limited,
)
from planner.cli.terminal import claimed, errors_in_words, finish, open_console, spinner
from planner.errors import Problem, ScenarioError


def settle(
    scenario: ScenarioPath,
    schedule: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Schedule: a CSV with columns of schedule.csv, or DIR."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="A rule of thumb instead: grid_first, compute_first or tariff_battery.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Plan folder. [default: none is written]")
    ] = None,
    set_: Changes = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="How far a value may be off by rounding.")
    ] = 1e-5,
    time_limit: TimeLimit = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Tell the money of a given schedule, and the rules it breaks; what it leaves open is planned.

    Exit code 5 where it breaks a rule.
    """
    with errors_in_words():
        from planner.report.terminal.plan import show

        if (schedule is None) == (rule is None):
            message = "needs a schedule or a rule of thumb, and not both"
            raise ScenarioError([Problem(message, path="--schedule, --rule")])
        words = known_language(lang)
        site = planner.load(scenario, limited(set_, None, time_limit))
        request = Request(site, words, out, quiet=quiet)
        with claimed(out):
            with spinner(open_console(), quiet, f"settling {site.name}"):
                if rule is not None:
                    plan = planner.rule_of_thumb(site, rule)
                elif schedule is not None:
                    plan = planner.settle(site, schedule, tolerance=tolerance).plan
            folder = None if out is None else plan.write(out, lang=words.code)
            finish(plan, request, folder, show)
