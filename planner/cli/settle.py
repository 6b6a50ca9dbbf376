"""Commands that judge a given schedule: settle."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.options import (
    Changes,
    Lang,
    Quiet,
    ScenarioPath,
    TimeLimit,
    known_language,
    limited,
    open_console,
    printable,
    progress,
    told_errors,
)
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
    with told_errors(), ExitStack() as held:
        from planner.files.output_folder import claim
        from planner.plan_tables.files import PLAN_FOLDER
        from planner.report.terminal.plan import show
        from planner.scenario.scenario import load
        from planner.studies.rules_of_thumb import rule_of_thumb
        from planner.studies.settle import settle as settle_schedule

        if (schedule is None) == (rule is None):
            said = "needs a schedule or a rule of thumb, and not both"
            raise ScenarioError([Problem(said, path="--schedule, --rule")])
        words = known_language(lang)
        found = load(scenario, limited(set_, None, time_limit))
        if out is not None:
            held.enter_context(claim(out, PLAN_FOLDER))
        console = open_console()
        with progress(console, quiet, f"settling {found.name}"):
            if rule is not None:
                plan = rule_of_thumb(found, rule)
            elif schedule is not None:
                plan = settle_schedule(found, schedule, tolerance=tolerance).plan
        folder = None if out is None else plan.write(out, lang=words.code)
        if not quiet:
            show(plan, console, words)
            if folder is not None:
                said = words("plan folder: {folder}", folder=folder)
                console.print(said, highlight=False, markup=False, soft_wrap=True)
        if plan.summary["breaches"]:
            lines = [f"  - {printable(breach['text'])}" for breach in plan.summary["breaches"]]
            typer.echo("\n".join(["the schedule breaks", *lines]), err=True)
            raise typer.Exit(5)
