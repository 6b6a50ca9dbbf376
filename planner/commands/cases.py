"""Commands that work on many cases: sweep, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.options import Lang, Quiet, known_language
from planner.terminal import told_errors


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
        from planner.sweeping import dry, sweep_with_progress

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
        from planner.answering import compare_folders

        compare_folders(first, second, case or [], top, known_language(lang), out)
