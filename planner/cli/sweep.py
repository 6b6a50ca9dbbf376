"""Commands that work on many cases: sweep, compare.

What `planner sweep` shows: the dry run, progress with rate and time left, how cases ended.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import (
    Lang,
    Quiet,
    bar,
    known_language,
    open_console,
    progress,
    told_errors,
)
from planner.errors import Problem, ScenarioError
from planner.language.language import Language

if TYPE_CHECKING:
    from rich.console import Console

    from planner.studies.sweep import Progress
    from planner.studies.sweep_plan import Prepared

FIRST = 5  # cases that a dry run lists


def dry(path: Path, out: Path | None, workers: int | None, *, quiet: bool, words: Language) -> None:
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
    _say(console, f"{sweep.name}{words(': ')}{checked}")
    for case in itertools.islice(prepared.cases, FIRST):
        _say(console, f"  {case}")
    if len(prepared.cases) > FIRST:
        _say(console, "  ...")
    if not distinct:
        return
    estimate = first_seconds(prepared, out or default_folder(sweep), workers)
    left = dt.timedelta(seconds=round(estimate.left_s))
    said = words("{n} to solve, {seconds} s each ({source}): about {left} on {workers} workers",
                 n=estimate.waiting, seconds=f"{estimate.case_s:.2f}", left=left,
                 source=words.sentence(estimate.source), workers=estimate.workers)  # fmt: skip
    _say(console, said)


def sweep_with_progress(
    path: Path,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    *,
    fresh: bool,
    quiet: bool,
    words: Language,
) -> bool:
    """Solve a sweep, show how far it is, then how its cases ended; return whether by Ctrl-C."""
    from planner.studies.sweep import run
    from planner.studies.sweep_plan import prepare

    if workers is not None and scheduler is not None:
        said = "belongs to the local cluster; a scheduler has the workers that joined it"
        raise ScenarioError([Problem(said, path="--workers")])
    console = open_console()
    prepared = prepare(path)
    _check_find(prepared)
    if not quiet:
        _warn(prepared, console, words)
    with _progress(console, quiet, prepared.description.name) as tell:
        sweep = run(prepared, out, workers, scheduler, fresh=fresh, progress=tell)
    if not sweep.interrupted:
        _answer(prepared, sweep.folder, console, words, quiet=quiet)
    if not quiet:
        counts = sweep.cases["status"].value_counts()
        told = ", ".join(f"{count} {words.known(str(s)) or s}" for s, count in counts.items())
        said = words("{n} cases: {told}", n=len(sweep.cases), told=told)
        _say(console, f"{sweep.description.name}{words(': ')}{said}")
        _say(console, words("sweep folder: {folder}", folder=sweep.folder))
    return sweep.interrupted


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

    with progress(console, quiet, "searching the break-even"):
        if (found := find(prepared)) is not None:
            write_break_even(found, folder)
    report_sweep(folder, words)
    if not quiet:
        show_sweep(read_analyses(folder), console, words)


def _warn(prepared: Prepared, console: Console, words: Language) -> None:
    from planner.sweeps.sweep_file import cautions

    for text in cautions(prepared.description):
        said = words("warning: {text}", text=words.sentence(text))
        console.print(said, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _progress(console: Console, quiet: bool, name: str) -> Iterator[Progress | None]:
    """Show a bar with rate and time left, on a terminal."""
    with bar(console, quiet, name, "{task.fields[rate]}", rate="") as update:
        if update is None:
            yield None
            return
        first: tuple[float, int] | None = None

        def tell(done: int, total: int) -> None:
            nonlocal first
            if first is None or done < first[1]:
                first = (time.monotonic(), done)
            passed = time.monotonic() - first[0]
            rate = f"{60 * (done - first[1]) / passed:.0f} cases/min" if passed > 1 else ""
            update(completed=done, total=total, rate=rate)

        yield tell


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
    with told_errors():
        words = known_language(lang)
        if dry_run:
            dry(sweep, out, workers, quiet=quiet, words=words)
        elif sweep_with_progress(
            sweep, out, workers, scheduler, fresh=not resume, quiet=quiet, words=words
        ):
            raise typer.Exit(130)


def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder A, or a sweep folder.")],
    second: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Plan folder B.")] = None,
    case: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Two cases of a sweep folder, instead.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of each table.")] = 15,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page (.html) that shows it too.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Say what differs between two plans in inputs, money and hours."""
    with told_errors():
        from planner.cli.folders import compare_folders

        compare_folders(first, second, case or [], top, known_language(lang), out)
