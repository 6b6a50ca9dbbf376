"""What `planner report` and `planner compare` do with folders."""

from __future__ import annotations

from pathlib import Path

from planner.errors import Problem, ScenarioError
from planner.language import Language
from planner.terminal import open_console


def report_folder(folder: Path, *, quiet: bool, words: Language) -> None:
    """Write the answers and the page of a sweep folder again, and print the answers."""
    from planner.answers.gathered import read_answers
    from planner.report.sweep import report_sweep, show_sweep

    written = report_sweep(folder, words)
    if quiet:
        return
    console = open_console()
    show_sweep(read_answers(folder), console, words)
    for path in written:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)


def compare_folders(
    first: Path, second: Path | None, cases: list[int], top: int, words: Language
) -> None:
    """Print what differs between two plan folders, or between two cases of a sweep folder."""
    from planner.report.comparing import show_comparison
    from planner.report.comparison import compare
    from planner.report.comparison_cases import compare_cases

    if len(cases) != (2 if second is None else 0):
        said = "needs two plan folders, or a sweep folder and --case twice"
        raise ScenarioError([Problem(said, path="planner compare")])
    found = compare_cases(first, *cases) if second is None else compare(first, second)
    show_comparison(found, open_console(), top, words)
