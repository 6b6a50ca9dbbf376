"""The command line.

Exit codes: 0 success, 2 wrong input, 3 infeasible, 4 no plan, 5 a stored plan, 130 Ctrl-C.

Heavy imports stay inside the commands that need them, so that `planner --help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import PlannerError, Problem, ScenarioError

if TYPE_CHECKING:
    from rich.console import Console

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

ScenarioPath = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario file, or the folder that holds it.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace a value, such as components.pv.capacity_mw=300, or scale it: ={scale: 0.8}.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say where the time went.")]


@app.callback()
def _root() -> None:
    """Keep subcommands even while there is one."""


@app.command(epilog="Example: planner check scenarios/huainan/scenario.yaml")
def check(scenario: ScenarioPath, set_: Changes = None, quiet: Quiet = False) -> None:
    """Validate a scenario, summarise it and warn; solve nothing."""
    with _errors():
        from planner.scenario import load

        found = load(scenario, _changes(set_))
        if quiet:
            return
        horizon = found.horizon
        console = _console()
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
    gap: Annotated[
        str | None, typer.Option(metavar="G", help="Largest gap relative to turnover.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option(metavar="S", help="Most seconds in the solver.")
    ] = None,
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
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the most profitable plan, print its summary and write the plan folder."""
    with _errors(), ExitStack() as held:
        from planner.scenario import load
        from planner.target import claim

        wanted = _formats(formats)
        limits = {"solver.gap": gap, "solver.time_limit_s": time_limit}
        given = [f"{path}={value}" for path, value in limits.items() if value is not None]
        changes = _changes([*(set_ or ()), *given])
        began = time.perf_counter()
        found = load(scenario, changes)
        target = out or Path("plans") / _file_name(found.name)
        if declare is not None:
            from planner.report.declaration import check_declaration, write_declaration

            check_declaration(found, declare, target)
        held.enter_context(claim(target))
        console = _console()
        loaded = time.perf_counter()
        with _progress(console, quiet, f"solving {found.name}"):
            plan = _solve(found, target)
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


@app.command(epilog="Example: planner audit plans/huainan")
def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    quiet: Quiet = False,
) -> None:
    """Check a plan folder again, without the model that made it."""
    with _errors():
        from planner.auditor import audit as audit_folder
        from planner.auditor import told
        from planner.errors import PlanError

        breaches = audit_folder(folder)
        if breaches:
            raise PlanError(told(f"{folder} breaks {len(breaches)} promises", breaches))
        if not quiet:
            _console().print(f"{folder}: every rule and every figure holds", highlight=False)


@app.command(epilog="Example: planner schema > planner.schema.json")
def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario]", help="What to describe.")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    with _errors():
        import json

        if what != "scenario":
            later = "sweep is not yet available; " if what == "sweep" else ""
            said = f"{later}must be scenario, is {what!r}"
            raise ScenarioError([Problem(said, path="planner schema")])
        from planner.schema import scenario_schema

        sys.stdout.write(json.dumps(scenario_schema(), indent=2) + "\n")


def _solve(scenario: Scenario, target: Path) -> Plan:
    """Solve; where no plan exists, leave why in the plan folder as infeasible.json."""
    from planner.errors import InfeasibleError
    from planner.studies.single import solve as solve_scenario

    try:
        return solve_scenario(scenario)
    except InfeasibleError as error:
        from planner.folder import write_diagnosis

        write_diagnosis(error.diagnosis, target)
        raise


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # a name in Chinese must not fail on a narrow terminal
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what went wrong into words on stderr and an exit code."""
    try:
        yield
    except PlannerError as error:
        sys.stderr.write(f"{_printable(str(error))}\n")
        problems = getattr(error, "problems", ())
        if len(problems) > 1:
            sys.stderr.write(f"{len(problems)} problems\n")
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        os._exit(130)  # the solver's thread need not be waited for
    except (typer.Exit, BrokenPipeError):
        raise
    except MemoryError:
        sys.stderr.write("not enough memory; a shorter horizon or longer steps need less\n")
        raise typer.Exit(4) from None
    except Exception as error:
        if os.environ.get("PLANNER_TRACEBACK"):
            raise
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        sys.stderr.write(f"planner failed, which is a mistake in planner: {said}\n")
        sys.stderr.write("set PLANNER_TRACEBACK=1 to see where, and please report it\n")
        raise typer.Exit(1) from None


def _printable(text: str) -> str:
    """Spell out control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _changes(texts: list[str] | None) -> dict[str, Any]:
    from planner.document import parse_value

    changes: dict[str, Any] = {}
    problems = []
    for text in texts or ():
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            problems.append(Problem(f"must be PATH=VALUE, is {text!r}", file="--set"))
            continue
        path = path.strip()
        if path in changes:
            problems.append(Problem("is set twice", path, "override"))
        try:
            changes[path] = parse_value(value, path)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return changes


def _formats(text: str) -> tuple[str, ...]:
    from planner.folder import FORMATS

    wanted = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in wanted if part not in FORMATS]
    if unknown or not wanted:
        said = f"must be some of {', '.join(FORMATS)}, is {unknown[0] if unknown else text!r}"
        raise ScenarioError([Problem(said, path="--formats")])
    return wanted


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")[:60] or "plan"


def _console() -> Console:
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120
    return Console(width=wide, emoji=False)


@contextmanager
def _progress(console: Console, quiet: bool, text: str) -> Iterator[None]:
    if quiet or not console.is_terminal:
        yield
        return
    from rich.markup import escape

    with console.status(escape(text)):
        yield
