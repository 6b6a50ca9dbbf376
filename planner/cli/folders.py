"""Commands that read what was written: audit, report, schema.

What `planner report` and `planner compare` do with folders: they tell which kind one is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.options import Lang, Quiet, known_language, open_console, told_errors
from planner.errors import PlanError, Problem, ScenarioError
from planner.files.output_folder import INFEASIBLE, STOCHASTIC, SUMMARY, replace_file
from planner.language.language import Language


def report_folder(folder: Path, words: Language, *, quiet: bool) -> None:
    """Write the page of a plan or sweep folder again; of a sweep also its answers, and print them.

    Of several futures, or of a simulation, the page of every plan in it is written.

    Raises:
        PlanError: the folder is none of these, or cannot be read or written.
    """
    if (folder / SUMMARY).is_file():
        from planner.report.pages import report_plan

        _told(report_plan(folder, words), quiet=quiet)
        return
    if plans := _plans_in(folder):
        from planner.report.pages import report_plan

        for plan in plans:
            _told(report_plan(plan, words), quiet=quiet)
        return
    _demand_sweep(folder)
    from planner.report.sweep_page.report_sweep import report_sweep, show_sweep
    from planner.sweeps.analysis.analyses import read_analyses

    written = report_sweep(folder, words)
    if not quiet:
        show_sweep(read_analyses(folder), open_console(), words)
    _told(written, quiet=quiet)


def _plans_in(folder: Path) -> list[Path]:
    """Return the plan folders of several futures or of a simulation."""
    from planner.plan.stochastic_plan import MEMBERS
    from planner.plan_tables.simulation import FACTS, PLANS

    for of, inside in ((STOCHASTIC, MEMBERS), (FACTS, PLANS)):
        if (folder / of).is_file():
            return sorted(path.parent for path in (folder / inside).glob(f"*/{SUMMARY}"))
    return []


def _demand_sweep(folder: Path) -> None:
    from planner.sweeps.sweep_folder import SWEEP

    if (folder / SWEEP).is_file():
        return
    if (folder / INFEASIBLE).is_file():
        raise PlanError(f"{folder} holds no plan to report: {INFEASIBLE} in it says why")
    raise PlanError(
        f"{folder} is neither a plan folder nor a sweep folder: it has no {SUMMARY} and no {SWEEP}"
    )


def _told(written: list[Path], *, quiet: bool) -> None:
    """Print which files were written."""
    if quiet:
        return
    console = open_console()
    for path in written:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)


def compare_folders(
    first: Path,
    second: Path | None,
    cases: list[int],
    top: int,
    words: Language,
    out: Path | None = None,
) -> None:
    """Print what differs between two plan folders, or two cases of a sweep; `out` is for a page."""
    from planner.report.comparison.compare import compare, compare_cases
    from planner.report.comparison.terminal import show_comparison

    if len(cases) != (2 if second is None else 0):
        said = "needs two plan folders, or a sweep folder and --case twice"
        raise ScenarioError([Problem(said, path="planner compare")])
    if out is None:
        found = compare_cases(first, *cases) if second is None else compare(first, second)
        show_comparison(found, open_console(), top, words)
        return
    from planner.report.comparison.page import compared_pages

    found, page = compared_pages(first, second, cases, words, out)
    show_comparison(found, open_console(), top, words)
    replace_file(out, page)
    _told([out], quiet=False)


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    quiet: Quiet = False,
) -> None:
    """Check a plan folder again, without the model that made it."""
    with told_errors():
        from planner.auditor.audit import audit as audit_folder
        from planner.auditor.audit import told
        from planner.errors import PlanError

        breaches = audit_folder(folder)
        if breaches:
            raise PlanError(told(f"{folder} breaks {len(breaches)} promises", breaches))
        if not quiet:
            open_console().print(f"{folder}: every rule and every figure holds", highlight=False)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that was written.")],
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write the pages of a plan, sweep or simulation folder again; print the answers of a sweep."""
    with told_errors():
        report_folder(folder, known_language(lang), quiet=quiet)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep]", help="What to describe.")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario or sweep files, for editors."""
    with told_errors():
        import json

        if what not in ("scenario", "sweep"):
            said = f"must be scenario or sweep, is {what!r}"
            raise ScenarioError([Problem(said, path="planner schema")])
        from planner.scenario.json_schema import scenario_schema
        from planner.sweeps.sweep_file import sweep_schema

        found = scenario_schema() if what == "scenario" else sweep_schema()
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
