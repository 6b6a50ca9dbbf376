"""What the commands say: errors in words, with exit codes; progress; plans and their folders."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import planner
from planner.errors import InfeasibleError, PlannerError
from planner.language.language import printable

if TYPE_CHECKING:
    from rich.console import Console

    from planner.cli.options import Request
    from planner.language.language import Language


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn what went wrong into words on stderr and an exit code."""
    try:
        yield
    except PlannerError as error:
        sys.stderr.write("\n".join(map(printable, str(error).split("\n"))) + "\n")
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
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        sys.stderr.write(f"planner failed, which is a mistake in planner: {message}\n")
        sys.stderr.write("set PLANNER_TRACEBACK=1 to see where, and please report it\n")
        raise typer.Exit(1) from None


@contextmanager
def claimed(target: Path | None) -> Iterator[None]:
    """Keep other runs off the plan folder that is to be written, if any."""
    if target is None:
        yield
        return
    from planner.files.output_folder import claim
    from planner.plan_tables.files import PLAN_FOLDER

    with claim(target, PLAN_FOLDER):
        yield


@contextmanager
def diagnosis_left_in(target: Path | None) -> Iterator[None]:
    """Where no plan exists, leave why in the folder as infeasible.json, beside an older plan."""
    try:
        yield
    except InfeasibleError as error:
        from planner.plan.stochastic_plan import STOCHASTIC
        from planner.plan_tables.folder import write_diagnosis

        if target is not None and not (target / STOCHASTIC).exists():
            write_diagnosis(error.diagnosis, target)
        raise


def finish(
    plan: planner.Plan | planner.StochasticPlan,
    request: Request,
    folder: Path | None,
    show: Callable[[Any, Console, Language], None],
    seconds: Mapping[str, float] | None = None,
) -> None:
    """Write the declaration asked for, print a plan and its folder, and exit as the plan ended.

    Args:
        plan: what was found.
        request: what was asked for.
        folder: where the plan was written, if it was.
        show: prints the plan.
        seconds: runtimes beside those of the plan.

    Raises:
        typer.Exit: 5 where a given schedule breaks rules, 130 after Ctrl-C.
    """
    if isinstance(plan, planner.StochasticPlan):
        declaring = next(iter(plan.members.values()))  # all of them declare the same
        where = request.words("folder: {folder}", folder=folder)
    else:
        declaring = plan
        where = request.words("plan folder: {folder}", folder=folder)
    if request.declare is not None:
        from planner.report.declaration import write_declaration

        write_declaration(declaring, request.declare)
    if not request.quiet:
        console = open_console()
        show(plan, console, request.words)
        if request.verbose:
            runtimes = plan.summary["runtimes_s"] | dict(seconds or {})
            parts = (f"{name.removesuffix('_s')} {s:.2f} s" for name, s in runtimes.items())
            console.print(f"time: {', '.join(parts)}", highlight=False)
        if folder is not None:
            say(console, where)
    if breaches := plan.summary.get("breaches"):
        lines = [f"  - {printable(breach['text'])}" for breach in breaches]
        typer.echo("\n".join(["the schedule breaks", *lines]), err=True)
        raise typer.Exit(5)
    if plan.summary["status"] == "interrupted":
        raise typer.Exit(130)


def open_console() -> Console:
    """Return where tables and progress go."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120
    return Console(width=wide, emoji=False)


def say(console: Console, text: str, **style: Any) -> None:
    """Print a line as it is: no markup in it, and no breaks that the terminal does not make."""
    console.print(text, highlight=False, markup=False, soft_wrap=True, **style)


@contextmanager
def spinner(console: Console, quiet: bool, text: str) -> Iterator[None]:
    """Show that something is being done, on a terminal."""
    if quiet or not console.is_terminal:
        yield
        return
    from rich.markup import escape

    with console.status(escape(text)):
        yield


@contextmanager
def bar(
    console: Console, quiet: bool, name: str, unit: str = "", *, speed: bool = False
) -> Iterator[Callable[..., None] | None]:
    """Show a bar with a count, its unit or its speed, and the time left, on a terminal.

    Gives who is told (done, total, what), `what` being the stage of the work if there are several;
    None where nothing is shown.
    """
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    text, beside = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[unit]}")
    columns = (text, BarColumn(), MofNCompleteColumn(), beside, TimeRemainingColumn())
    with Progress(*columns, console=console) as shown:
        task = shown.add_task(name, total=None, unit="" if speed else unit)
        stage = ""
        first: tuple[float, int] | None = None

        def tell(done: int, total: int, what: str = "") -> None:
            nonlocal stage, first
            if what != stage:  # the speed of what came before says nothing of this
                stage = what
                shown.reset(task, completed=done, total=total, description=f"{name}: {what}")
            if first is None or done < first[1]:
                first = (time.monotonic(), done)
            passed_s = time.monotonic() - first[0]
            per_min = f"{60 * (done - first[1]) / passed_s:.0f} {unit}/min" if passed_s > 1 else ""
            shown.update(task, completed=done, total=total, unit=per_min if speed else unit)

        yield tell
