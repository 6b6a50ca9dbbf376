"""Commands that make a plan: check, solve, prices."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.options import (
    Changes,
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
)
from planner.terminal import open_console, progress, told_errors

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.scenario import Scenario


def check(scenario: ScenarioPath, set_: Changes = None, quiet: Quiet = False) -> None:
    """Validate a scenario, summarise it and warn; solve nothing."""
    with told_errors():
        from planner.scenario import load

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
    formats: Annotated[
        str, typer.Option(help="Schedule files to write: csv, parquet, xlsx; comma separated.")
    ] = "csv",
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
    lang: Lang = "en",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the most profitable plan, print its summary and write the plan folder."""
    with told_errors(), ExitStack() as held:
        from planner.scenario import load
        from planner.target import claim, file_name

        wanted = known_formats(formats)
        words = known_language(lang)
        changes = limited(set_, gap, time_limit)
        began = time.perf_counter()
        found = load(scenario, changes)
        target = out or Path("plans") / file_name(found.name)
        if found.uncertainty is not None:
            from planner.commands.futures import solve_futures

            solve_futures(
                found, target, wanted, words,
                declare=declare, prices=prices, quiet=quiet, verbose=verbose,
            )  # fmt: skip
            return
        if declare is not None:
            from planner.report.declaration import check_declaration, write_declaration

            check_declaration(found, declare, target)
        held.enter_context(claim(target))
        console = open_console()
        loaded = time.perf_counter()
        with progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, target, prices=prices)
        solved = time.perf_counter()
        folder = plan.write(target, wanted, words.code)
        if declare is not None:
            write_declaration(plan, declare)
        written = time.perf_counter()
        if not quiet:
            from planner.report.console import show

            show(plan, console)
        if verbose and not quiet:
            parts = plan.summary["runtimes_s"] | {
                "validate_s": loaded - began, "all_of_solve_s": solved - loaded,
                "write_s": written - solved,
            }  # fmt: skip
            text = ", ".join(f"{name.removesuffix('_s')} {s:.2f} s" for name, s in parts.items())
            console.print(f"time: {text}", highlight=False)
        if not quiet:
            console.print(f"plan folder: {folder}", highlight=False, markup=False, soft_wrap=True)
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
    quiet: Quiet = False,
) -> None:
    """Solve, and print what one more MW, MWh, node or Mtok would be worth to the plan."""
    with told_errors(), ExitStack() as held:
        from planner.scenario import load
        from planner.target import claim

        found = load(scenario, limited(set_, gap, time_limit))
        if out is not None:
            held.enter_context(claim(out))
        console = open_console()
        with progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, out, prices=True)
        folder = None if out is None else plan.write(out)
        if not quiet:
            from planner.report.prices import show_prices

            show_prices(plan, console)
            if folder is not None:
                said = f"plan folder: {folder}"
                console.print(said, highlight=False, markup=False, soft_wrap=True)
        if plan.summary["status"] == "interrupted":
            raise typer.Exit(130)


def _solve(scenario: Scenario, target: Path | None, *, prices: bool) -> Plan:
    """Solve; where no plan exists, leave why in the plan folder as infeasible.json."""
    from planner.errors import InfeasibleError
    from planner.studies.prices import prices as price
    from planner.studies.single import solve as solve_scenario

    try:
        return price(scenario).plan if prices else solve_scenario(scenario)
    except InfeasibleError as error:
        from planner.folder import write_diagnosis

        if target is not None:
            write_diagnosis(error.diagnosis, target)
        raise
