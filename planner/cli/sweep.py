"""The command that solves many cases: sweep.

It prints the dry run, progress with rate and time left, the analyses and how cases ended.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import (
    IN_ENGLISH,
    Quiet,
    Resume,
    Scheduler,
    Words,
    Workers,
    check_workers,
    known_formats,
)
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import (
    bar,
    finished_are_kept,
    interrupted,
    open_console,
    say,
    spinner,
    telling_what_is_kept,
    warn,
)
from planner.language.language import Language
from planner.language.titles import title_of
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.studies.sweep_plan import CheckedSweep, Estimate
    from planner.sweeps.result import Sweep

LISTED = 5  # cases that a dry run lists


def sweep(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Sweep folder.", show_default="sweeps/NAME")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    resume: Resume = True,
    formats: Annotated[
        str, typer.Option(help="Files of the table of cases: csv, parquet; comma separated.")
    ] = "csv",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and count the cases, estimate the time.")
    ] = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Solve many cases of one scenario; finished cases are kept and never solved twice."""
    from planner.studies.sweep import run
    from planner.studies.sweep_plan import prepare
    from planner.sweeps.result import TABLE_FORMATS
    from planner.sweeps.sweep_file import cautions

    table_formats = known_formats(formats, TABLE_FORMATS)
    if not dry_run:
        check_workers(workers, scheduler)
    began, console = time.perf_counter(), open_console()
    prepared = prepare(sweep)
    description = prepared.description
    if not quiet:
        warn(console, words, cautions(description))
    if dry_run:
        return _dry_run(prepared, time.perf_counter() - began, out, workers)
    kept = finished_are_kept(Message("cases"), resume=resume)
    with telling_what_is_kept(kept):
        with bar(console, quiet, title_of(description), "cases", speed=True) as update:
            result = run(
                prepared, out, workers, scheduler,
                fresh=not resume, formats=table_formats, progress=update,
            )  # fmt: skip
        if not result.interrupted:
            with spinner(console, quiet, words("searching the break-even")):
                _analyse(prepared, result.folder, words)

    def document() -> JsonDocument:
        from planner.cli.document_builders import sweep_document

        return sweep_document(result)

    error = interrupted(kept) if result.interrupted else None
    return Outcome(document, partial(_show_result, result), result.folder, error)


def _dry_run(
    prepared: CheckedSweep, checked_s: float, out: Path | None, workers: int | None
) -> Outcome:
    """Return how many cases there are, the first ones, and an estimate of the time."""
    from planner.studies.sweep import default_folder
    from planner.studies.sweep_plan import first_seconds

    def estimate() -> Estimate | None:
        folder = out or default_folder(prepared.description)
        return first_seconds(prepared, folder, workers) if prepared.distinct else None

    def document() -> JsonDocument:
        from planner.cli.document_builders import dry_run_document

        return dry_run_document(prepared, estimate(), LISTED)

    return Outcome(document, partial(_show_estimate, prepared, checked_s, estimate))


def _show_estimate(
    prepared: CheckedSweep, checked_s: float, estimated: Callable[[], Estimate | None],
    console: Console, words: Language,
) -> None:  # fmt: skip
    """Print the number of cases, the first ones, and then the estimate, which takes a solve."""
    from planner.sweeps.result import design_text

    sweep, distinct = prepared.description, prepared.distinct
    count = words("{n} cases", n=len(prepared.cases))
    if len(distinct) < len(prepared.cases) - len(prepared.wrong):
        count += words(", {n} of them different", n=len(distinct))
    if prepared.wrong:
        count += words(", {n} no valid scenarios", n=len(prepared.wrong))
    checked = words("{count}, by {design}; checked in {seconds} s", count=count,
                    design=design_text(sweep.design, words),
                    seconds=f"{checked_s:.1f}")  # fmt: skip
    say(console, f"{title_of(sweep)}{words(': ')}{checked}")
    for case in itertools.islice(prepared.cases, LISTED):
        say(console, f"  {words.sentence(case.label(sweep.varied))}")
    if len(prepared.cases) > LISTED:
        say(console, "  ...")
    if (estimate := estimated()) is None:
        return
    left = dt.timedelta(seconds=round(estimate.left_s))
    waiting = words("{n} to solve, {seconds} s each ({source}): about {left} on {workers} workers",
                    n=estimate.waiting, seconds=f"{estimate.case_s:.2f}", left=left,
                    source=words.sentence(estimate.source), workers=estimate.workers)  # fmt: skip
    say(console, waiting)


def _show_result(sweep: Sweep, console: Console, words: Language) -> None:
    """Print the analyses, unless the run was interrupted, and how the cases ended."""
    from planner.report.sweep_page.report_sweep import show_sweep
    from planner.sweeps.analysis.analyses import read_analyses

    if not sweep.interrupted:
        show_sweep(read_analyses(sweep.folder), console, words)
    counts = sweep.cases["status"].value_counts()
    ended = words(", ").join(
        words("{n} {status}", n=count, status=words.known(str(s)) or s)
        for s, count in counts.items()
    )
    cases = words("{n} cases: {statuses}", n=len(sweep.cases), statuses=ended)
    say(console, f"{title_of(sweep.description)}{words(': ')}{cases}")
    say(console, words("sweep folder: {folder}", folder=sweep.folder))


def _analyse(prepared: CheckedSweep, folder: Path, words: Language) -> None:
    """Find the break-even of the sweep; write the analyses and the page."""
    from planner.report.sweep_page.report_sweep import report_sweep
    from planner.studies.break_even import find, write_break_even

    if (break_even := find(prepared)) is not None:
        write_break_even(break_even, folder)
    report_sweep(folder, words)
