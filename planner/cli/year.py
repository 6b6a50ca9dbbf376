"""The command that plans a year with a proven gap: year.

It prints a line each time the plan or its bound improves, with a bar for the work in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf, isinf
from typing import TYPE_CHECKING, Annotated

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
    Scheduler,
    Words,
    Workers,
    check_workers,
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
    say,
)
from planner.errors import wrong
from planner.language.titles import title_of
from planner.message import Message

if TYPE_CHECKING:
    from planner.studies.year import YearProgress


def year(
    scenario: ScenarioPath,
    hours: Annotated[
        str | None, typer.Option(metavar="H", help="Hours of the horizon.", show_default="scenario")
    ] = None,
    out: Out = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: Annotated[
        float | None, typer.Option(metavar="S", help="Time limit of the whole run, s.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    resume: Resume = True,
    formats: Formats = "csv",
    page: Page = True,
    prices: Annotated[
        bool, typer.Option("--prices", help="Write marginal prices into the plan folder too.")
    ] = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Plan a year, or any horizon too long for one program, to a proven gap."""
    from planner.report.terminal.plan import show

    check_workers(workers, scheduler)
    if time_limit is not None and not time_limit > 0:  # nor is it a number
        raise wrong("--time-limit", Message("must be above 0, is {value:g}", value=time_limit))
    schedule_formats = known_formats(formats)
    site = planner.load(scenario, limited(set_, gap, None, hours))
    request = Request(site, words, plan_folder(out, site), schedule_formats, page, quiet=quiet)
    kept = finished_are_kept(Message("windows"), resume=resume)
    with claimed(request.target, kept=kept):
        with diagnosis_left_in(request.target), _progress(request) as report:
            plan = planner.plan_year(
                site, request.output, workers=workers, scheduler=scheduler,
                time_limit_s=time_limit, fresh=not resume, progress=report, prices=prices,
            )  # fmt: skip
        return finish(plan, request, show, kept=kept)


@contextmanager
def _progress(request: Request) -> Iterator[Callable[[YearProgress], None] | None]:
    """Show a bar on a terminal, and print a line where the plan or its bound improves.

    Yields a callback; None where nothing is shown.
    """
    if request.quiet:
        yield None
        return
    from planner.language.section import percent
    from planner.report.plan_texts import profit_share_text
    from planner.report.year_sections import work_text

    words, console = request.words.in_currency(request.scenario.currency), open_console()
    profit, bound = -inf, inf
    with bar(console, request.quiet, title_of(request.scenario)) as update:

        def report(now: YearProgress) -> None:
            nonlocal profit, bound
            work = work_text(now.stage, words)
            if update is not None:
                update(now.done, now.total, work)
            before = profit, bound
            profit = max(profit, -inf if now.profit_cny is None else now.profit_cny)
            bound = min(bound, inf if now.bound_cny is None else now.bound_cny)
            if (profit, bound) == before:
                return
            parts = [f"{time.strftime('%H:%M:%S')} {work} {now.done}/{now.total}"]
            if not isinf(profit):
                parts.append(words("profit >= {amount}", amount=words.amount(profit, "CNY")))
            if not isinf(bound):
                parts.append(words("bound {amount}", amount=words.amount(bound, "CNY")))
            if profit and not isinf(bound - profit):
                share = percent(max(bound - profit, 0.0) / abs(profit), 4)
                parts.append(words("gap {gap}", gap=profit_share_text(words, share, profit)))
            say(console, words(", ").join(parts))

        yield report
