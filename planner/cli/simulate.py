"""The command that re-plans on forecasts and operates on actuals: simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import (
    Changes,
    Gap,
    Lang,
    Quiet,
    ScenarioPath,
    TimeLimit,
    known_language,
    limited,
)
from planner.cli.terminal import bar, errors_in_words, open_console


def simulate(
    scenario: ScenarioPath,
    days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Days. [default: the horizon]")
    ] = None,
    every_h: Annotated[float, typer.Option(metavar="H", help="Hours between plannings.")] = 24,
    window_h: Annotated[float, typer.Option(metavar="H", help="Hours planned each time.")] = 48,
    policies: Annotated[
        str | None,
        typer.Option(
            metavar="P,P,...",
            help="Some of perfect, deterministic, stochastic, grid_first, compute_first,"
            " tariff_battery; comma separated. [default: all]",
        ),
    ] = None,
    members: Annotated[
        int, typer.Option(min=1, metavar="K", help="Draws that the stochastic policy plans on.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the forecasts.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder. [default: simulations/NAME]")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes; one policy keeps one busy.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Keep finished days, or start over.")
    ] = True,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Plan again and again on forecasts, operate on the actuals, and compare ways to do it."""
    with errors_in_words():
        from planner.report.terminal.studies import show_simulation
        from planner.studies.policy import POLICIES
        from planner.studies.simulate import default_folder

        words = known_language(lang)
        changes = limited(set_, gap, time_limit)
        site = planner.load(scenario, changes | ({"horizon.hours": 24 * days} if days else {}))
        chosen = POLICIES if policies is None else [part.strip() for part in policies.split(",")]
        console = open_console()
        with bar(console, quiet, site.name, "days") as tell:
            simulation = planner.simulate(
                site, out or default_folder(site), every_h=every_h, window_h=window_h,
                policies=chosen, members=members, seed=seed, workers=workers, fresh=not resume,
                progress=tell,
            )  # fmt: skip
        if not quiet:
            show_simulation(simulation, console, words)
