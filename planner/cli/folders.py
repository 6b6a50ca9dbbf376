"""Commands that read what was written: audit, compare, report; and the schema of what is read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

import planner
from planner.cli.options import Lang, Quiet, known_language
from planner.cli.terminal import errors_in_words, open_console, say
from planner.errors import PlanError, Problem, ScenarioError
from planner.files.output_folder import replace_file
from planner.language.language import Language
from planner.plan_tables.files import INFEASIBLE, SUMMARY


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    quiet: Quiet = False,
) -> None:
    """Check a plan folder again, without the model that made it."""
    with errors_in_words():
        from planner.auditor.audit import told

        if breaches := planner.audit(folder):
            raise PlanError(told(f"{folder} breaks {len(breaches)} promises", breaches))
        if not quiet:
            open_console().print(f"{folder}: every rule and every figure holds", highlight=False)


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
    with errors_in_words():
        from planner.report.comparison.compare import compare_cases
        from planner.report.comparison.tables import show_comparison

        words, cases, console = known_language(lang), case or [], open_console()
        if len(cases) != (2 if second is None else 0):
            message = "needs two plan folders, or a sweep folder and --case twice"
            raise ScenarioError([Problem(message, path="planner compare")])
        if out is None:
            if second is None:
                comparison = compare_cases(first, *cases)
            else:
                comparison = planner.compare(first, second)
            show_comparison(comparison, console, top, words)
            return
        from planner.report.comparison.page import compared_pages

        comparison, page = compared_pages(first, second, cases, words, out)
        show_comparison(comparison, console, top, words)
        replace_file(out, page)
        say(console, str(out))


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that was written.")],
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write the pages of a plan, sweep or simulation folder again; print the answers of a sweep."""
    with errors_in_words():
        words = known_language(lang)
        if plans := _plans_in(folder):
            from planner.report.plan_page.page import report_plan

            for plan in plans:
                _say_written(report_plan(plan, words), quiet)
        else:
            _report_sweep(folder, words, quiet)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep]", help="What to describe.")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario or sweep files, for editors."""
    with errors_in_words():
        if what not in ("scenario", "sweep"):
            message = f"must be scenario or sweep, is {what!r}"
            raise ScenarioError([Problem(message, path="planner schema")])
        from planner.scenario.json_schema import scenario_schema
        from planner.sweeps.sweep_file import sweep_schema

        described = scenario_schema() if what == "scenario" else sweep_schema()
        sys.stdout.write(json.dumps(described, indent=2) + "\n")


def _plans_in(folder: Path) -> list[Path]:
    """Return the plan folders in a folder: itself, or those of several futures or a simulation."""
    from planner.plan.stochastic_plan import MEMBERS, STOCHASTIC
    from planner.plan_tables.simulation import FACTS, PLANS

    if (folder / SUMMARY).is_file():
        return [folder]
    for mark, inside in ((STOCHASTIC, MEMBERS), (FACTS, PLANS)):
        if (folder / mark).is_file():
            return sorted(path.parent for path in (folder / inside).glob(f"*/{SUMMARY}"))
    return []


def _report_sweep(folder: Path, words: Language, quiet: bool) -> None:
    """Write the page and the answers of a sweep again, and print them. Raises PlanError."""
    from planner.report.sweep_page.report_sweep import report_sweep, show_sweep
    from planner.sweeps.analysis.analyses import read_analyses
    from planner.sweeps.result import SWEEP

    if not (folder / SWEEP).is_file():
        if (folder / INFEASIBLE).is_file():
            raise PlanError(f"{folder} holds no plan to report: {INFEASIBLE} in it says why")
        missing = f"it has no {SUMMARY} and no {SWEEP}"
        raise PlanError(f"{folder} is neither a plan folder nor a sweep folder: {missing}")
    written = report_sweep(folder, words)
    if not quiet:
        show_sweep(read_analyses(folder), open_console(), words)
    _say_written(written, quiet)


def _say_written(paths: list[Path], quiet: bool) -> None:
    if not quiet:
        for path in paths:
            say(open_console(), str(path))
