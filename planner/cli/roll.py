"""The command that plans beyond a day: roll."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    Changes,
    Formats,
    Gap,
    Lang,
    Quiet,
    Request,
    ScenarioPath,
    TimeLimit,
    known_formats,
    known_language,
    limited,
    plan_folder,
)
from planner.cli.terminal import (
    bar,
    claimed,
    diagnosis_left_in,
    errors_in_words,
    finish,
    open_console,
)


def roll(
    scenario: ScenarioPath,
    window_h: Annotated[float, typer.Option(metavar="H", help="Hours planned at once.")] = 48.0,
    advance_h: Annotated[
        float, typer.Option(metavar="H", help="Hours kept of each window.")
    ] = 24.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Plan folder. [default: plans/NAME]")
    ] = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with finished windows, or start over.")
    ] = True,
    bound: Annotated[
        bool,
        typer.Option(
            "--bound/--no-bound",
            help="Solve the relaxation of the whole horizon first: a bound, and what windows may"
            " count on.",
        ),
    ] = True,
    formats: Formats = "csv",
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Plan a long horizon in overlapping windows; a run that is stopped goes on where it was."""
    with errors_in_words():
        from planner.report.terminal.plan import show

        wanted, words = known_formats(formats), known_language(lang)
        site = planner.load(scenario, limited(set_, gap, time_limit))
        request = Request(site, words, plan_folder(out, site), wanted, quiet=quiet)
        with claimed(request.target):
            with (
                diagnosis_left_in(request.target),
                bar(open_console(), quiet, site.name) as tell,
            ):
                plan = planner.roll(
                    site, window_h, advance_h, request.target, bound=bound, fresh=not resume,
                    formats=wanted, lang=words.code,
                    progress=tell and (lambda what, done, total: tell(done, total, what)),
                )  # fmt: skip
            finish(plan, request, request.target, show)
