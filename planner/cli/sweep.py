"""The command that solves many cases: sweep.

It shows the dry run, progress with rate and time left, how cases ended and what they answer.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import Lang, Quiet, known_language
from planner.cli.terminal import bar, errors_in_words, open_console, say, spinner
from planner.errors import Problem, ScenarioError
from planner.language.language import Language

if TYPE_CHECKING:
    from rich.console import Console

    from planner.studies.sweep_plan import Prepared
    from planner.sweeps.result import Sweep

FIRST = 5  # cases that a dry run lists


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
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Solve many cases of one scenario; what is finished stays and is never solved twice."""
    with errors_in_words():
        words = known_language(lang)
        if dry_run:
            estimate_sweep(sweep, out, workers, quiet=quiet, words=words)
        else:
            solve_sweep(sweep, out, workers, scheduler, fresh=not resume, quiet=quiet, words=words)


def estimate_sweep(
    path: Path, out: Path | None, workers: int | None, *, quiet: bool, words: Language
) -> None:
    """Check every case, and say how many there are, how long they may take, and the first."""
    from planner.studies.sweep import default_folder
    from planner.studies.sweep_plan import first_seconds, prepare

    began = time.perf_counter()
    prepared = prepare(path)
    _check_find(prepared)
    if quiet:
        return
    console = open_console()
    _warn(prepared, console, words)
    sweep, distinct = prepared.description, prepared.distinct
    count = words("{n} cases", n=len(prepared.cases))
    if len(distinct) < len(prepared.cases) - len(prepared.wrong):
        count += words(", {n} of them different", n=len(distinct))
    if prepared.wrong:
        count += words(", {n} no valid scenarios", n=len(prepared.wrong))
    design = words.known(f"design.{sweep.design}") or sweep.design
    checked = words("{count}, by {design}; checked in {seconds} s", count=count, design=design,
                    seconds=f"{time.perf_counter() - began:.1f}")  # fmt: skip
    say(console, f"{sweep.name}{words(': ')}{checked}")
    for case in itertools.islice(prepared.cases, FIRST):
        say(console, f"  {case}")
    if len(prepared.cases) > FIRST:
        say(console, "  ...")
    if not distinct:
        return
    estimate = first_seconds(prepared, out or default_folder(sweep), workers)
    left = dt.timedelta(seconds=round(estimate.left_s))
    waiting = words("{n} to solve, {seconds} s each ({source}): about {left} on {workers} workers",
                    n=estimate.waiting, seconds=f"{estimate.case_s:.2f}", left=left,
                    source=words.sentence(estimate.source), workers=estimate.workers)  # fmt: skip
    say(console, waiting)


def solve_sweep(
    path: Path,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    *,
    fresh: bool,
    quiet: bool,
    words: Language,
) -> None:
    """Solve a sweep, show how far it is, what its cases answer, then how they ended.

    Raises:
        typer.Exit: 130 after Ctrl-C.
    """
    from planner.studies.sweep import run
    from planner.studies.sweep_plan import prepare

    if workers is not None and scheduler is not None:
        message = "belongs to the local cluster; a scheduler has the workers that joined it"
        raise ScenarioError([Problem(message, path="--workers")])
    console = open_console()
    prepared = prepare(path)
    _check_find(prepared)
    if not quiet:
        _warn(prepared, console, words)
    with bar(console, quiet, prepared.description.name, "cases", speed=True) as tell:
        sweep = run(prepared, out, workers, scheduler, fresh=fresh, progress=tell)
    if not sweep.interrupted:
        _answer(prepared, sweep.folder, console, words, quiet=quiet)
    if not quiet:
        _say_how_cases_ended(sweep, console, words)
    if sweep.interrupted:
        raise typer.Exit(130)


def _say_how_cases_ended(sweep: Sweep, console: Console, words: Language) -> None:
    counts = sweep.cases["status"].value_counts()
    ended = ", ".join(f"{count} {words.known(str(s)) or s}" for s, count in counts.items())
    cases = words("{n} cases: {told}", n=len(sweep.cases), told=ended)
    say(console, f"{sweep.description.name}{words(': ')}{cases}")
    say(console, words("sweep folder: {folder}", folder=sweep.folder))


def _check_find(prepared: Prepared) -> None:
    """Refuse a break-even condition that cannot be read, before anything is solved."""
    from planner.sweeps.analysis.condition import parse_condition

    if prepared.description.find is not None:
        parse_condition(prepared.description.find.where)


def _answer(
    prepared: Prepared, folder: Path, console: Console, words: Language, *, quiet: bool
) -> None:
    """Search the break-even that is asked for, write the answers and the page, show them."""
    from planner.report.sweep_page.report_sweep import report_sweep, show_sweep
    from planner.studies.break_even import find, write_break_even
    from planner.sweeps.analysis.analyses import read_analyses

    with spinner(console, quiet, "searching the break-even"):
        if (break_even := find(prepared)) is not None:
            write_break_even(break_even, folder)
    report_sweep(folder, words)
    if not quiet:
        show_sweep(read_analyses(folder), console, words)


def _warn(prepared: Prepared, console: Console, words: Language) -> None:
    from planner.sweeps.sweep_file import cautions

    for text in cautions(prepared.description):
        say(console, words("warning: {text}", text=words.sentence(text)), style="yellow")
