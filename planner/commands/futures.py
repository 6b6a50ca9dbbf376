"""What `planner solve` does with a scenario that holds several futures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from planner.errors import InfeasibleError, Problem, ScenarioError
from planner.terminal import open_console, progress

if TYPE_CHECKING:
    from planner.language import Language
    from planner.scenario import Scenario


def solve_futures(
    scenario: Scenario,
    target: Path,
    formats: tuple[str, ...],
    words: Language,
    *,
    declare: Path | None,
    prices: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Plan for every member, print the summary and write the folder with a plan folder of each."""
    from planner.folder import write_diagnosis
    from planner.stochastic import judge_content
    from planner.studies.futures import solve_stochastic
    from planner.target import STOCHASTIC, claim

    if prices:
        said = "are those of one future: add --set uncertainty=null"
        raise ScenarioError([Problem(said, path="--prices")])
    if declare is not None:
        _check_declared(scenario, declare, target)
    console = open_console()
    with claim(target, judge_content):
        try:
            with progress(console, quiet, f"solving {scenario.name}"):
                plan = solve_stochastic(scenario)
        except InfeasibleError as error:
            if not (target / STOCHASTIC).exists():
                write_diagnosis(error.diagnosis, target)
            raise
        folder = plan.write(target, formats, words.code)
    if declare is not None:
        from planner.report.declaration import write_declaration

        write_declaration(next(iter(plan.members.values())), declare)
    if not quiet:
        from planner.report.stochastic import show_stochastic

        show_stochastic(plan, console, words)
        if verbose:
            times = plan.summary["runtimes_s"].items()
            text = ", ".join(f"{name.removesuffix('_s')} {s:.2f} s" for name, s in times)
            console.print(f"time: {text}", highlight=False)
        said = words("folder: {folder}", folder=folder)
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    if plan.summary["status"] == "interrupted":
        raise typer.Exit(130)


def _check_declared(scenario: Scenario, declare: Path, target: Path) -> None:
    """Demand that what is declared is the same in every future."""
    from planner.report.declaration import check_declaration

    check_declaration(scenario, declare, target)
    for name, component in scenario.components.items():
        if component.kind == "grid" and getattr(component, "declaration", None) is None:
            said = f"the exchange of {name} differs from future to future, and it declares nothing"
            raise ScenarioError([Problem(said, path="--declare")])
