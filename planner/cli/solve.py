"""Commands that make a plan: check, solve, prices.

What `planner solve` does with a scenario that holds several futures.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import (
    Changes,
    Formats,
    Gap,
    Lang,
    Quiet,
    ScenarioPath,
    TimeLimit,
    Verbose,
    changes_of,
    known_formats,
    known_language,
    limited,
    open_console,
    progress,
    told_errors,
)
from planner.errors import InfeasibleError, Problem, ScenarioError

if TYPE_CHECKING:
    from planner.language.language import Language
    from planner.plan.plan import Plan
    from planner.scenario.scenario import Scenario


def solve_futures(
    scenario: Scenario,
    target: Path,
    formats: tuple[str, ...],
    words: Language,
    *,
    declare: Path | None,
    prices: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Plan for every member, print the summary and write the folder with a plan folder of each."""
    from planner.files.output_folder import claim
    from planner.plan.stochastic_plan import STOCHASTIC, STOCHASTIC_FOLDER
    from planner.plan_tables.folder import write_diagnosis
    from planner.studies.solve_stochastic import solve_stochastic

    if prices:
        said = "are those of one future: add --set uncertainty=null"
        raise ScenarioError([Problem(said, path="--prices")])
    if declare is not None:
        _check_declared(scenario, declare, target)
    console = open_console()
    with claim(target, STOCHASTIC_FOLDER):
        try:
            with progress(console, quiet, f"solving {scenario.name}"):
                plan = solve_stochastic(scenario)
        except InfeasibleError as error:
            if not (target / STOCHASTIC).exists():
                write_diagnosis(error.diagnosis, target)
            raise
        folder = plan.write(target, formats, words.code)
    if declare is not None:
        from planner.report.declaration import write_declaration

        write_declaration(next(iter(plan.members.values())), declare)
    if not quiet:
        from planner.report.terminal.studies import show_stochastic

        show_stochastic(plan.summary, console, words)
        if verbose:
            times = plan.summary["runtimes_s"].items()
            text = ", ".join(f"{name.removesuffix('_s')} {s:.2f} s" for name, s in times)
            console.print(f"time: {text}", highlight=False)
        said = words("folder: {folder}", folder=folder)
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    if plan.summary["status"] == "interrupted":
        raise typer.Exit(130)


def _check_declared(scenario: Scenario, declare: Path, target: Path) -> None:
    """Demand that what is declared is the same in every future."""
    from planner.report.declaration import check_declaration

    check_declaration(scenario, declare, target)
    for name, component in scenario.components.items():
        if component.kind == "grid" and getattr(component, "declaration", None) is None:
            said = f"the exchange of {name} differs from future to future, and it declares nothing"
            raise ScenarioError([Problem(said, path="--declare")])


def check(scenario: ScenarioPath, set_: Changes = None, quiet: Quiet = False) -> None:
    """Validate a scenario, summarise it and warn; solve nothing."""
    with told_errors():
        from planner.scenario.scenario import load

        found = load(scenario, changes_of(set_))
        if quiet:
            return
        horizon = found.horizon
        console = open_console()
        console.print(f"{found.name}: valid", highlight=False, markup=False)
        console.print(
            f"{horizon.starts[0].isoformat()}, {horizon.hours:g} h in {horizon.steps} steps of"
            f" {horizon.step_min} min",
            highlight=False,
        )
        for name, component in found.components.items():
            at = f" at {component.node}" if hasattr(component, "node") else ""
            console.print(f"  {name}: {component.kind}{at}", highlight=False, markup=False)
        if found.uncertainty is not None:
            names = [f"{m.name} ({m.probability:.3g})" for m in found.uncertainty.listed]
            said = f"  {len(names)} futures: {', '.join(names)}"
            console.print(said, highlight=False, markup=False)
        for warning in found.warnings():
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
    with told_errors(), ExitStack() as held:
        from planner.files.output_folder import claim, file_name
        from planner.plan_tables.files import PLAN_FOLDER
        from planner.scenario.scenario import load

        _demand_fix(fix, until, prices=prices)
        wanted = known_formats(formats)
        words = known_language(lang)
        changes = limited(set_, gap, time_limit)
        began = time.perf_counter()
        found = load(scenario, changes)
        target = out or Path("plans") / file_name(found.name)
        if found.uncertainty is not None:
            _demand_no_fix(fix)
            solve_futures(
                found, target, wanted, words,
                declare=declare, prices=prices, quiet=quiet, verbose=verbose,
            )  # fmt: skip
            return
        if declare is not None:
            from planner.report.declaration import check_declaration, write_declaration

            check_declaration(found, declare, target)
        held.enter_context(claim(target, PLAN_FOLDER))
        console = open_console()
        loaded = time.perf_counter()
        with progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, target, prices=prices, fix=fix, until=until)
        solved = time.perf_counter()
        folder = plan.write(target, wanted, words.code)
        if declare is not None:
            write_declaration(plan, declare)
        written = time.perf_counter()
        if not quiet:
            from planner.report.terminal.plan import show

            show(plan, console, words)
        if verbose and not quiet:
            parts = plan.summary["runtimes_s"] | {
                "validate_s": loaded - began, "all_of_solve_s": solved - loaded,
                "write_s": written - solved,
            }  # fmt: skip
            text = ", ".join(f"{name.removesuffix('_s')} {s:.2f} s" for name, s in parts.items())
            console.print(f"time: {text}", highlight=False)
        if not quiet:
            said = words("plan folder: {folder}", folder=folder)
            console.print(said, highlight=False, markup=False, soft_wrap=True)
        if plan.summary["status"] == "interrupted":
            raise typer.Exit(130)


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
    with told_errors(), ExitStack() as held:
        from planner.files.output_folder import claim
        from planner.plan_tables.files import PLAN_FOLDER
        from planner.scenario.scenario import load

        words = known_language(lang)
        found = load(scenario, limited(set_, gap, time_limit))
        if out is not None:
            held.enter_context(claim(out, PLAN_FOLDER))
        console = open_console()
        with progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, out, prices=True)
        folder = None if out is None else plan.write(out, lang=words.code)
        if not quiet:
            from planner.report.terminal.plan import show_prices

            show_prices(plan, console, words)
            if folder is not None:
                said = words("plan folder: {folder}", folder=folder)
                console.print(said, highlight=False, markup=False, soft_wrap=True)
        if plan.summary["status"] == "interrupted":
            raise typer.Exit(130)


def _solve(
    scenario: Scenario,
    target: Path | None,
    *,
    prices: bool,
    fix: Path | None = None,
    until: str | None = None,
) -> Plan:
    """Solve; where no plan exists, leave why in the plan folder as infeasible.json."""
    from planner.errors import InfeasibleError
    from planner.studies.prices import prices as price
    from planner.studies.solve import solve as solve_scenario

    try:
        return price(scenario).plan if prices else solve_scenario(scenario, fix, until)
    except InfeasibleError as error:
        from planner.plan_tables.folder import write_diagnosis

        if target is not None:
            write_diagnosis(error.diagnosis, target)
        raise


def _demand_fix(fix: Path | None, until: str | None, *, prices: bool) -> None:
    """Raise where the options on what is fixed do not go together."""
    if until is not None and fix is None:
        raise ScenarioError([Problem("needs --fix, which names what is kept", path="--until")])
    if fix is not None and prices:
        said = "cannot go with --fix: what is fixed has no price of its own"
        raise ScenarioError([Problem(said, path="--prices")])


def _demand_no_fix(fix: Path | None) -> None:
    if fix is not None:
        said = "needs one future; --set uncertainty=null plans what the file says"
        raise ScenarioError([Problem(said, path="--fix")])
