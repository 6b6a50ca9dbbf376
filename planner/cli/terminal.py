"""Output of the commands: errors with exit codes, progress, plans and their folders."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import planner
from planner.errors import InfeasibleError, PlannerError
from planner.message import printable

if TYPE_CHECKING:
    from rich.console import Console

    from planner.cli.options import Request
    from planner.language.language import Language


@contextmanager
def exit_codes(words: Language) -> Iterator[None]:
    """Turn errors into messages on stderr and exit codes."""
    try:
        yield
    except PlannerError as error:
        _print_error(words.sentence(error.message))
        if (count := len(getattr(error, "problems", ()))) > 1:
            _print_error(words("{n} problems", n=count))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        _print_error(words("interrupted"))
        sys.stderr.flush()
        os._exit(130)  # without waiting for the solver's thread
    except typer.Exit:
        raise
    except MemoryError:
        _print_error(words("not enough memory; a shorter horizon or longer steps need less"))
        raise typer.Exit(4) from None
    except Exception as error:
        if os.environ.get("PLANNER_TRACEBACK"):
            raise
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        _print_error(words("planner failed, which is a bug in planner: {text}", text=text))
        _print_error(words("set PLANNER_TRACEBACK=1 to see the traceback, and please report it"))
        raise typer.Exit(1) from None


def _print_error(text: str) -> None:
    sys.stderr.write("\n".join(map(printable, text.split("\n"))) + "\n")


@contextmanager
def claimed(target: Path | None) -> Iterator[None]:
    """Lock the plan folder to be written, if any, against other runs."""
    if target is None:
        yield
        return
    from planner.files.output_folder import claim
    from planner.plan_tables.files import PLAN_FOLDER

    with claim(target, PLAN_FOLDER):
        yield


@contextmanager
def diagnosis_left_in(target: Path | None) -> Iterator[None]:
    """Write infeasible.json into the folder where no plan exists; an older plan there stays."""
    try:
        yield
    except InfeasibleError as error:
        from planner.plan_tables.folder import write_diagnosis
        from planner.plan_tables.stochastic import STOCHASTIC

        if target is not None and not (target / STOCHASTIC).exists():
            write_diagnosis(error.diagnosis, target)
        raise


def finish(
    plan: planner.Plan | planner.StochasticPlan,
    request: Request,
    show: Callable[[Any, Console, Language], None],
    seconds: Mapping[str, float] | None = None,
) -> None:
    """Write the declaration, print a plan and its folder, and exit as the plan ended.

    Args:
        plan: the plan, or the one for several members.
        request: what was asked for; the plan is in its folder, if it has one.
        show: prints the plan.
        seconds: runtimes beside those of the plan.

    Raises:
        typer.Exit: 5 where a given schedule breaks rules, 130 after Ctrl-C.
    """
    words, target = request.words, request.target
    folder = target and Path(os.path.abspath(target))  # noqa: PTH100  # with links
    if isinstance(plan, planner.StochasticPlan):
        declaring = next(iter(plan.members.values()))  # every member declares the same
        where = words("folder: {folder}", folder=folder)
    else:
        declaring = plan
        where = words("plan folder: {folder}", folder=folder)
    if request.declare is not None:
        from planner.report.declaration import write_declaration

        write_declaration(declaring, request.declare)
    if not request.quiet:
        console = open_console()
        show(plan, console, words)
        if request.verbose:
            runtimes = plan.summary["runtimes_s"] | dict(seconds or {})
            parts = (f"{name.removesuffix('_s')} {s:.2f} s" for name, s in runtimes.items())
            say(console, words("runtimes: {parts}", parts=words(", ").join(parts)))
        if folder is not None:
            say(console, where)
    if breaches := plan.summary.get("breaches"):
        lines = [f"  - {words.sentence(breach['text'])}" for breach in breaches]
        _print_error("\n".join([words("the schedule breaks"), *lines]))
        raise typer.Exit(5)
    if plan.summary["status"] == "interrupted":
        raise typer.Exit(130)


def open_console() -> Console:
    """Return the console that prints tables and progress."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120
    return Console(width=wide, emoji=False)


def say(console: Console, text: str, **style: Any) -> None:
    """Print a line verbatim: no markup, and no line breaks but those of the terminal."""
    console.print(text, highlight=False, markup=False, soft_wrap=True, **style)


def warn(console: Console, words: Language, warnings: Iterable[str]) -> None:
    """Print warnings, one a line."""
    for text in warnings:
        say(console, words("warning: {text}", text=words.sentence(text)), style="yellow")


@contextmanager
def spinner(console: Console, quiet: bool, text: str) -> Iterator[None]:
    """Show a spinner on a terminal."""
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
    """Show a progress bar on a terminal: a count with its unit or speed, and the time left.

    Yields a callback (done, total, stage), `stage` where the work has several; None where nothing
    is shown.
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
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=None, unit="" if speed else unit)
        stage = ""
        first: tuple[float, int] | None = None

        def update(done: int, total: int, now: str = "") -> None:
            nonlocal stage, first
            if now != stage:  # a new stage has a speed of its own
                stage = now
                progress.reset(task, completed=done, total=total, description=f"{name}: {now}")
            if first is None or done < first[1]:
                first = (time.monotonic(), done)
            passed_s = time.monotonic() - first[0]
            per_min = f"{60 * (done - first[1]) / passed_s:.0f} {unit}/min" if passed_s > 1 else ""
            progress.update(task, completed=done, total=total, unit=per_min if speed else unit)

        yield update
