"""The command that plans beyond a day: roll."""

from __future__ import annotations

from typing import Annotated

import typer

import planner
from planner.cli.options import (
    IN_ENGLISH,
    Changes,
    Formats,
    Gap,
    Out,
    Page,
    Quiet,
    Request,
    Resume,
    ScenarioPath,
    TimeLimit,
    Words,
    known_formats,
    limited,
    plan_folder,
)
from planner.cli.outcome import Outcome
from planner.cli.terminal import (
    bar,
    claimed,
    diagnosis_left_in,
    finish,
    finished_are_kept,
    open_console,
)
from planner.language.titles import title_of
from planner.message import Message


def roll(
    scenario: ScenarioPath,
    window_h: Annotated[float, typer.Option(metavar="H", help="Hours in a window.")] = 48.0,
    advance_h: Annotated[
        float, typer.Option(metavar="H", help="Hours executed of each window.")
    ] = 24.0,
    out: Out = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    resume: Resume = True,
    bound: Annotated[
        bool,
        typer.Option(
            "--bound/--no-bound",
            help="Solve the LP relaxation of the whole horizon first, as a bound on the profit and"
            " as lookahead for the windows.",
        ),
    ] = True,
    formats: Formats = "csv",
    page: Page = True,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Plan a long horizon in overlapping windows; an interrupted run resumes where it stopped."""
    from planner.report.terminal.plan import show

    schedule_formats = known_formats(formats)
    site = planner.load(scenario, limited(set_, gap, time_limit))
    request = Request(site, words, plan_folder(out, site), schedule_formats, page, quiet=quiet)
    kept = finished_are_kept(Message("windows"), resume=resume)
    with claimed(request.target, kept=kept):
        with (
            diagnosis_left_in(request.target),
            bar(open_console(), quiet, title_of(site)) as update,
        ):
            plan = planner.roll(
                site, window_h, advance_h, request.output, bound=bound, fresh=not resume,
                progress=update and (lambda stage, done, total: update(done, total, stage)),
            )  # fmt: skip
        return finish(plan, request, show)
