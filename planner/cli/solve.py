"""Commands that make a plan: check, solve, prices."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    Changes,
    Formats,
    Gap,
    Lang,
    Quiet,
    Request,
    ScenarioPath,
    TimeLimit,
    Verbose,
    changes_of,
    known_formats,
    known_language,
    limited,
    plan_folder,
)
from planner.cli.terminal import (
    claimed,
    diagnosis_left_in,
    errors_in_words,
    finish,
    open_console,
    spinner,
)
from planner.errors import Problem, ScenarioError


def check(scenario: ScenarioPath, set_: Changes = None, quiet: Quiet = False) -> None:
    """Validate a scenario, summarise it and warn; solve nothing."""
    with errors_in_words():
        site = planner.load(scenario, changes_of(set_))
        if quiet:
            return
        horizon = site.horizon
        console = open_console()
        console.print(f"{site.name}: valid", highlight=False, markup=False)
        console.print(
            f"{horizon.starts[0].isoformat()}, {horizon.hours:g} h in {horizon.steps} steps of"
            f" {horizon.step_min} min",
            highlight=False,
        )
        for name, component in site.components.items():
            at = f" at {component.node}" if hasattr(component, "node") else ""
            console.print(f"  {name}: {component.kind}{at}", highlight=False, markup=False)
        if site.uncertainty is not None:
            names = [f"{m.name} ({m.probability:.3g})" for m in site.uncertainty.listed]
            futures = f"  {len(names)} futures: {', '.join(names)}"
            console.print(futures, highlight=False, markup=False)
        for warning in site.warnings():
            console.print(f"warning: {warning}", style="yellow", highlight=False, markup=False)


def solve(
    scenario: ScenarioPath,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Plan folder. [default: plans/NAME]")
    ] = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    formats: Formats = "csv",
    declare: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each grid's declared, else planned, exchange by interval (.csv or .xlsx).",
        ),
    ] = None,
    prices: Annotated[
        bool, typer.Option("--prices", help="Put marginal prices into the plan folder too.")
    ] = False,
    fix: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what this schedule (CSV or plan folder) gives."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Keep it up to this time only.")
    ] = None,
    lang: Lang = "en",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the most profitable plan, print its summary and write the plan folder."""
    with errors_in_words():
        _require_fix(fix, until, prices=prices)
        wanted, words = known_formats(formats), known_language(lang)
        changes = limited(set_, gap, time_limit)
        began = time.perf_counter()
        site = planner.load(scenario, changes)
        loaded_s = time.perf_counter() - began
        request = Request(
            site, words, plan_folder(out, site), wanted, declare, prices, fix, until, quiet, verbose
        )
        if site.uncertainty is None:
            solve_one(request, loaded_s)
        else:
            solve_members(request)


def prices(
    scenario: ScenarioPath,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Plan folder. [default: none is written]")
    ] = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Solve, and print what one more MW, MWh, node or Mtok would be worth to the plan."""
    with errors_in_words():
        from planner.report.terminal.plan import show_prices

        words = known_language(lang)
        site = planner.load(scenario, limited(set_, gap, time_limit))
        request = Request(site, words, out, prices=True, quiet=quiet)
        with claimed(out):
            plan = _plan(request)
            folder = None if out is None else plan.write(out, lang=words.code)
            finish(plan, request, folder, show_prices)


def solve_one(request: Request, loaded_s: float) -> None:
    """Plan for a scenario of one future, which took so long to load."""
    from planner.report.declaration import check_declaration
    from planner.report.terminal.plan import show

    assert request.target is not None
    if request.declare is not None:
        check_declaration(request.scenario, request.declare, request.target)
    with claimed(request.target):
        began = time.perf_counter()
        plan = _plan(request)
        solved = time.perf_counter()
        folder = plan.write(request.target, request.formats, request.words.code)
        seconds = {"validate_s": loaded_s, "all_of_solve_s": solved - began,
                   "write_s": time.perf_counter() - solved}  # fmt: skip
        finish(plan, request, folder, show, seconds)


def _plan(request: Request) -> planner.Plan:
    with (
        diagnosis_left_in(request.target),
        spinner(open_console(), request.quiet, f"solving {request.scenario.name}"),
    ):
        if request.prices:
            return planner.prices(request.scenario).plan
        return planner.solve(request.scenario, request.fix, request.until)


def solve_members(request: Request) -> None:
    """Plan for every member, and write the folder with a plan folder of each."""
    from planner.files.output_folder import claim
    from planner.plan.stochastic_plan import STOCHASTIC_FOLDER
    from planner.report.terminal.studies import show_stochastic

    scenario, target = request.scenario, request.target
    assert target is not None
    if request.fix is not None:
        message = "needs one future; --set uncertainty=null plans what the file says"
        raise ScenarioError([Problem(message, path="--fix")])
    if request.prices:
        message = "are those of one future: add --set uncertainty=null"
        raise ScenarioError([Problem(message, path="--prices")])
    if request.declare is not None:
        _check_declared(scenario, request.declare, target)
    with claim(target, STOCHASTIC_FOLDER):
        with (
            diagnosis_left_in(target),
            spinner(open_console(), request.quiet, f"solving {scenario.name}"),
        ):
            plan = planner.solve_stochastic(scenario)
        folder = plan.write(target, request.formats, request.words.code)
    finish(plan, request, folder, lambda plan, *where: show_stochastic(plan.summary, *where))


def _check_declared(scenario: planner.Scenario, declare: Path, target: Path) -> None:
    """Demand that what is declared is the same in every future."""
    from planner.report.declaration import check_declaration

    check_declaration(scenario, declare, target)
    for name, component in scenario.components.items():
        market = component.connection()
        if market is not None and not market.declares:
            message = (
                f"the exchange of {name} differs from future to future, and it declares nothing"
            )
            raise ScenarioError([Problem(message, path="--declare")])


def _require_fix(fix: Path | None, until: str | None, *, prices: bool) -> None:
    """Raise where the options on what is fixed do not go together."""
    if until is not None and fix is None:
        raise ScenarioError([Problem("needs --fix, which names what is kept", path="--until")])
    if fix is not None and prices:
        message = "cannot go with --fix: what is fixed has no price of its own"
        raise ScenarioError([Problem(message, path="--prices")])
