"""The command line.

Exit codes: 0 success, 2 wrong input, 3 infeasible, 4 no plan, 5 a stored plan, 130 Ctrl-C.

Heavy imports stay inside the commands that need them, so that `planner --help` answers at once.
"""

from __future__ import annotations

import io
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.errors import Problem, ScenarioError
from planner.options import (
    Changes,
    Gap,
    Quiet,
    ScenarioPath,
    TimeLimit,
    Verbose,
    changes_of,
    known_formats,
    limited,
)
from planner.terminal import open_console, progress, told_errors

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.scenario import Scenario

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Plan, hour by hour, what a site does with every megawatt: sell, store or compute.",
    epilog="Example: planner solve scenarios/huainan/scenario.yaml",
)


@app.callback()
def _root() -> None:
    """Keep subcommands even while there is one."""


@app.command(epilog="Example: planner check scenarios/huainan/scenario.yaml")
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
        for warning in found.warnings():
            console.print(f"warning: {warning}", style="yellow", highlight=False, markup=False)


@app.command(epilog="Example: planner solve scenarios/huainan/scenario.yaml --out plans/huainan")
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
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the most profitable plan, print its summary and write the plan folder."""
    with told_errors(), ExitStack() as held:
        from planner.scenario import load
        from planner.target import claim, file_name

        wanted = known_formats(formats)
        changes = limited(set_, gap, time_limit)
        began = time.perf_counter()
        found = load(scenario, changes)
        target = out or Path("plans") / file_name(found.name)
        if declare is not None:
            from planner.report.declaration import check_declaration, write_declaration

            check_declaration(found, declare, target)
        held.enter_context(claim(target))
        console = open_console()
        loaded = time.perf_counter()
        with progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, target, prices=prices)
        solved = time.perf_counter()
        folder = plan.write(target, wanted)
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


@app.command(epilog="Example: planner prices scenarios/huainan/scenario.yaml --out plans/huainan")
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


@app.command(epilog="Example: planner sweep sweeps/token_price.yaml --workers 4 --dry-run")
def sweep(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Sweep folder. [default: sweeps/NAME]")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes. [default: one a core]")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler to use: tcp://10.0.0.5:8786."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Keep earlier results, or start over.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and count the cases, estimate the time.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Solve many cases of one scenario; what is finished stays and is never solved twice."""
    with told_errors():
        from planner.sweeping import dry, sweep_with_progress

        if dry_run:
            dry(sweep, out, workers, quiet=quiet)
        elif sweep_with_progress(sweep, out, workers, scheduler, fresh=not resume, quiet=quiet):
            raise typer.Exit(130)


@app.command(epilog="Example: planner audit plans/huainan")
def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    quiet: Quiet = False,
) -> None:
    """Check a plan folder again, without the model that made it."""
    with told_errors():
        from planner.auditor import audit as audit_folder
        from planner.auditor import told
        from planner.errors import PlanError

        breaches = audit_folder(folder)
        if breaches:
            raise PlanError(told(f"{folder} breaks {len(breaches)} promises", breaches))
        if not quiet:
            open_console().print(f"{folder}: every rule and every figure holds", highlight=False)


@app.command(epilog="Example: planner compare plans/huainan plans/huainan_winter")
def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder A, or a sweep folder.")],
    second: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Plan folder B.")] = None,
    case: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Two cases of a sweep folder, instead.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of each table.")] = 15,
) -> None:
    """Say what differs between two plans in inputs, money and hours."""
    with told_errors():
        from planner.answering import compare_folders

        compare_folders(first, second, case or [], top)


@app.command(epilog="Example: planner report sweeps/token_price")
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Sweep folder.")],
    quiet: Quiet = False,
) -> None:
    """Write the answers and the page of a sweep folder again, and print the answers."""
    with told_errors():
        from planner.answering import report_folder

        report_folder(folder, quiet=quiet)


@app.command(epilog="Example: planner schema > planner.schema.json")
def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep]", help="What to describe.")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario or sweep files, for editors."""
    with told_errors():
        import json

        if what not in ("scenario", "sweep"):
            said = f"must be scenario or sweep, is {what!r}"
            raise ScenarioError([Problem(said, path="planner schema")])
        from planner.schema import scenario_schema
        from planner.sweeps.schema import sweep_schema

        found = scenario_schema() if what == "scenario" else sweep_schema()
        sys.stdout.write(json.dumps(found, indent=2) + "\n")


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


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # a name in Chinese must not fail on a narrow terminal
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
