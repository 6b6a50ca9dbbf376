"""What `planner report` and `planner compare` do with folders: they tell which kind one is."""

from __future__ import annotations

from pathlib import Path

from planner.errors import PlanError, Problem, ScenarioError
from planner.language import Language
from planner.target import INFEASIBLE, STOCHASTIC, SUMMARY, replace_file
from planner.terminal import open_console


def report_folder(folder: Path, words: Language, *, quiet: bool) -> None:
    """Write the page of a plan or sweep folder again; of a sweep also its answers, and print them.

    Of several futures, or of a simulation, the page of every plan in it is written.

    Raises:
        PlanError: the folder is none of these, or cannot be read or written.
    """
    if (folder / SUMMARY).is_file():
        from planner.report.rewriting import report_plan

        _told(report_plan(folder, words), quiet=quiet)
        return
    if plans := _plans_in(folder):
        from planner.report.rewriting import report_plan

        for plan in plans:
            _told(report_plan(plan, words), quiet=quiet)
        return
    _demand_sweep(folder)
    from planner.answers.gathered import read_answers
    from planner.report.sweep import report_sweep, show_sweep

    written = report_sweep(folder, words)
    if not quiet:
        show_sweep(read_answers(folder), open_console(), words)
    _told(written, quiet=quiet)


def _plans_in(folder: Path) -> list[Path]:
    """Return the plan folders of several futures or of a simulation."""
    from planner.stochastic import MEMBERS
    from planner.studies.simulated import FACTS, PLANS

    for of, inside in ((STOCHASTIC, MEMBERS), (FACTS, PLANS)):
        if (folder / of).is_file():
            return sorted(path.parent for path in (folder / inside).glob(f"*/{SUMMARY}"))
    return []


def _demand_sweep(folder: Path) -> None:
    from planner.sweeps.store import SWEEP

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
    from planner.report.comparing import show_comparison
    from planner.report.comparison import compare
    from planner.report.comparison_cases import compare_cases

    if len(cases) != (2 if second is None else 0):
        said = "needs two plan folders, or a sweep folder and --case twice"
        raise ScenarioError([Problem(said, path="planner compare")])
    if out is None:
        found = compare_cases(first, *cases) if second is None else compare(first, second)
        show_comparison(found, open_console(), top, words)
        return
    from planner.report.comparison_page import compared_pages

    found, page = compared_pages(first, second, cases, words, out)
    show_comparison(found, open_console(), top, words)
    replace_file(out, page)
    _told([out], quiet=False)
