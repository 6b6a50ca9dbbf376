"""Commands that make a plan: check, solve, prices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import planner
from planner.cli.options import (
    IN_ENGLISH,
    Changes,
    Formats,
    Gap,
    Out,
    OutIfGiven,
    Page,
    Quiet,
    Request,
    ScenarioPath,
    TimeLimit,
    Verbose,
    Words,
    changes_of,
    known_formats,
    limited,
    plan_folder,
)
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import (
    claimed,
    diagnosis_left_in,
    finish,
    open_console,
    say,
    spinner,
    warn,
)
from planner.errors import wrong
from planner.language.titles import title_of
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


def check(
    scenario: ScenarioPath,
    set_: Changes = None,
    words: Words = IN_ENGLISH,  # noqa: ARG001
    quiet: Quiet = False,  # noqa: ARG001
) -> Outcome:
    """Validate a scenario, summarise it and warn, without solving."""
    site = planner.load(scenario, changes_of(set_))

    def document() -> JsonDocument:
        from planner.cli.document_builders import check_document

        return check_document(site)

    return Outcome(document, partial(_show_checked, site))


def _show_checked(site: planner.Scenario, console: Console, words: Language) -> None:
    """Print the horizon, the nodes and the warnings of a valid scenario."""
    from planner.components.registry import packages_of, warn_of_unused_kinds
    from planner.report.terminal.nodes import node_lines

    horizon = site.horizon
    say(console, words("{name}: valid", name=title_of(site)))
    length = words("{start}, {hours} h in {steps} steps of {minutes} min",
                   start=" ".join(filter(None, (horizon.starts[0].isoformat(), horizon.timezone))),
                   hours=f"{horizon.hours:g}",
                   steps=horizon.steps, minutes=horizon.step_min)  # fmt: skip
    say(console, length)
    for line in node_lines(site, words):
        say(console, f"  {line}")
    for kind, package in packages_of(site.components.values()).items():
        say(console, words("{kind} comes from {name}", kind=kind, name=package))
    if site.uncertainty is not None:
        members = [f"{m.name} ({m.probability:.3g})" for m in site.uncertainty.checked_members]
        count = words("{n} members: {names}", n=len(members), names=", ".join(members))
        say(console, f"  {count}")
    warn(console, words, [*site.warnings(), *warn_of_unused_kinds(site.components.values())])


def solve(
    scenario: ScenarioPath,
    out: Out = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    formats: Formats = "csv",
    page: Page = True,
    declare: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each grid's declared, else planned, exchange: .csv or .xlsx.",
        ),
    ] = None,
    prices: Annotated[
        bool, typer.Option("--prices", help="Write marginal prices into the plan folder too.")
    ] = False,
    fix: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fix what this schedule gives: a CSV or a plan folder."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Fix it up to this time only.")
    ] = None,
    end_values: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Plan of a longer horizon: what stores and waiting work are worth at the end.",
        ),
    ] = None,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> Outcome:
    """Find the most profitable plan, print its summary and write the plan folder."""
    if until is not None and fix is None:
        raise wrong("--until", Message("needs --fix, which names the schedule to fix"))
    if fix is not None and prices:
        raise wrong("--prices", Message("cannot go with --fix: fixed decisions have no prices"))
    schedule_formats = known_formats(formats)
    changes = limited(set_, gap, time_limit)
    began = time.perf_counter()
    site = planner.load(scenario, changes)
    if end_values is not None:
        site = planner.with_end_values(site, end_values)
    loaded_s = time.perf_counter() - began
    request = Request(
        site, words, plan_folder(out, site), schedule_formats, page,
        declare=declare, prices=prices, fix=fix, until=until, quiet=quiet, verbose=verbose,
    )  # fmt: skip
    return solve_one(request, loaded_s) if site.uncertainty is None else solve_members(request)


def prices(
    scenario: ScenarioPath,
    out: OutIfGiven = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    page: Page = True,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Solve, and print marginal prices: the value of one more MW, MWh, node or Mtok."""
    from planner.report.terminal.plan import show_prices

    site = planner.load(scenario, limited(set_, gap, time_limit))
    request = Request(site, words, out, page=page, prices=True, quiet=quiet)
    with claimed(out):
        return finish(_plan(request), request, show_prices, describe=_with_prices)


def _with_prices(plan: planner.Plan, folder: Path | None) -> JsonDocument:
    from planner.cli.document_builders import prices_document

    return prices_document(plan, folder)


def solve_one(request: Request, loaded_s: float) -> Outcome:
    """Plan a scenario without uncertainty, which took `loaded_s` to load."""
    from planner.report.terminal.plan import show

    assert request.target is not None
    if request.declare is not None:
        from planner.report.declaration import check_declaration

        check_declaration(request.scenario, request.declare, request.target)
    with claimed(request.target):
        began = time.perf_counter()
        plan = _plan(request)
        seconds = {"validate_s": loaded_s, "solve_and_write_s": time.perf_counter() - began}
        return finish(plan, request, show, seconds=seconds)


@contextmanager
def solving(request: Request) -> Iterator[None]:
    """Show that a scenario is being solved; leave the diagnosis in its folder if it has no plan."""
    text = request.words("solving {name}", name=title_of(request.scenario))
    with diagnosis_left_in(request.target), spinner(open_console(), request.quiet, text):
        yield


def _plan(request: Request) -> planner.Plan:
    with solving(request):
        if request.prices:
            return planner.prices(request.scenario, request.output).plan
        return planner.solve(request.scenario, request.fix, request.until, request.output)


def solve_members(request: Request) -> Outcome:
    """Plan a scenario with uncertainty, and write the folder with a plan folder per member."""
    from planner.plan.stochastic_plan import STOCHASTIC_FOLDER
    from planner.report.terminal.studies import show_stochastic

    scenario, target = request.scenario, request.target
    assert target is not None
    if request.fix is not None:
        raise wrong("--fix", Message("cannot go with `uncertainty`; add --set uncertainty=null"))
    if request.prices:
        raise wrong("--prices", Message("cannot go with `uncertainty`; add --set uncertainty=null"))
    if request.declare is not None:
        _check_declared(scenario, request.declare, target)
    with claimed(target, STOCHASTIC_FOLDER), solving(request):
        plan = planner.solve_stochastic(scenario, request.output)
    return finish(plan, request, lambda plan, *where: show_stochastic(plan.summary, *where))


def _check_declared(scenario: planner.Scenario, declare: Path, target: Path) -> None:
    """Require every grid to declare its exchange, the same for all members."""
    from planner.report.declaration import check_declaration

    check_declaration(scenario, declare, target)
    for name, component in scenario.components.items():
        market = component.connection()
        if market is not None and not market.declares:
            message = Message(
                "the exchange of {name} differs between members, and it has no `declaration`",
                name=name,
            )
            raise wrong("--declare", message)
