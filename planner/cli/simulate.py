"""The command that re-plans on forecasts and operates on actuals: simulate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    IN_ENGLISH,
    Changes,
    Gap,
    Quiet,
    Resume,
    ScenarioPath,
    TimeLimit,
    Words,
    limited,
)
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import bar, finished_are_kept, open_console, telling_what_is_kept
from planner.language.titles import title_of
from planner.message import Message


def simulate(
    scenario: ScenarioPath,
    days: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Days.", show_default="the horizon"),
    ] = None,
    every_h: Annotated[float, typer.Option(metavar="H", help="Hours between re-plans.")] = 24,
    window_h: Annotated[float, typer.Option(metavar="H", help="Hours in a window.")] = 48,
    policies: Annotated[
        str | None,
        typer.Option(
            metavar="P,P,...",
            show_default="all",
            help="Policies, comma separated: perfect, deterministic, stochastic, grid_first,"
            " compute_first, tariff_battery.",
        ),
    ] = None,
    members: Annotated[
        int, typer.Option(min=1, metavar="K", help="Forecast draws of the stochastic policy.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the forecasts.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder.", show_default="simulations/NAME"),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes, at most one for each policy.")
    ] = 1,
    resume: Resume = True,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Simulate operation: re-plan on forecasts, settle on actuals, and compare policies."""
    from planner.report.terminal.studies import show_simulation
    from planner.studies.policy import POLICIES
    from planner.studies.simulate import default_folder, load_days

    changes = limited(set_, gap, time_limit)
    site = load_days(scenario, changes, days) if days else planner.load(scenario, changes)
    chosen = POLICIES if policies is None else [part.strip() for part in policies.split(",")]
    kept = finished_are_kept(Message("days"), resume=resume)
    with telling_what_is_kept(kept), bar(open_console(), quiet, title_of(site), "days") as update:
        output = planner.Output(out or default_folder(site), lang=words.code)
        simulation = planner.simulate(
            site, output, every_h=every_h, window_h=window_h,
            policies=chosen, members=members, seed=seed, workers=workers, fresh=not resume,
            progress=update,
        )  # fmt: skip

    def document() -> JsonDocument:
        from planner.cli.document_builders import simulate_document

        return simulate_document(simulation, site.name)

    return Outcome(document, partial(show_simulation, simulation), simulation.folder)
