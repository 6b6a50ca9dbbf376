"""The page of a comparison: two plans, or two cases of a sweep, in one file without a network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from planner.errors import Problem, ScenarioError
from planner.language.language import ENGLISH, Language
from planner.plan_tables.files import PAGE
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report.charts.chart import Chart
from planner.report.charts.difference import columns_chart, common_clock, profit_chart
from planner.report.charts.ledger import said
from planner.report.comparison.compare import Comparison, compare, compare_cases
from planner.report.comparison.tables import lines_chart, tables_of
from planner.report.declaration import unfit
from planner.report.template import MOST_ROWS, drawn, fill, page_clock, rows_of
from planner.sweeps.result import PLANS

TOP = 5  # lines of a card
SUFFIX = ".html"

Line = tuple[str, str]  # what differs, and how, as people read them


def check_page(path: Path, folders: Sequence[Path]) -> None:
    """Judge, before anything is read, whether a page can be written to a file.

    Args:
        path: the file to write; one that is there is replaced.
        folders: plan folders, which are replaced whole and may not hold the file.

    Raises:
        ScenarioError: it cannot.
    """
    problems = []
    if path.suffix.lower() != SUFFIX:
        problems.append(f"must end in {SUFFIX}, is {str(path)!r}")
    try:
        problems += list(dict.fromkeys(filter(None, (unfit(path, folder) for folder in folders))))
    except (OSError, RuntimeError) as error:
        problems.append(f"cannot be written: {getattr(error, 'strerror', None) or error}")
    if problems:
        raise ScenarioError([Problem(message, path="--out") for message in problems])


def comparison_page(
    comparison: Comparison,
    words: Language = ENGLISH,
    plans: tuple[PlanTables, PlanTables] | None = None,
    pages: tuple[str | None, str | None] = (None, None),
) -> str:
    """Return the page of a comparison.

    Args:
        comparison: what differs.
        words: the language of the page.
        plans: both plans, where there are schedules to draw.
        pages: where the pages of A and B are, seen from this one.
    """
    charts = [lines_chart(comparison, words)] if len(comparison.money) else []
    clock = None if plans is None else common_clock(*plans)
    over_time: list[Chart] = []
    if plans is not None and clock is not None:
        if len(comparison.hours):
            over_time.append(profit_chart(*plans, *clock, words))
        names = [str(name) for name in comparison.columns["column"]]
        if (drawn_columns := columns_chart(*plans, names, *clock, words)) is not None:
            over_time.append(drawn_columns)
    return fill(
        "comparison.html",
        words,
        words("Comparison of two plans"),
        comparison=comparison,
        cny=partial(cny, words),
        lines=_lines(comparison, words),
        inputs=_inputs(comparison, words),
        energy=_energy(comparison, words),
        pages=pages,
        charts=[_chart(chart, words) for chart in [*charts, *over_time]],
        apart=plans is not None and clock is None,
        over_time=bool(over_time),
        tables=[
            (key, title, rows_of(table), len(table))
            for key, title, table, _ in tables_of(comparison, words)
            if len(table)
        ],
        most_rows=MOST_ROWS,
        clock=clock and page_clock(clock[0].first, clock[0].step_min, clock[0].steps),
    )


def compared_pages(
    first: Path, second: Path | None, cases: Sequence[int], words: Language, out: Path
) -> tuple[Comparison, str]:
    """Compare two plan folders, or two cases of a sweep folder, for a page in a file.

    Returns:
        What differs, and the page.

    Raises:
        PlanError: a folder cannot be read.
        ScenarioError: the file cannot be written, or there is no such case.
    """
    if second is None:
        folders = [first / PLANS / str(number) for number in cases]
        check_page(out, folders)
        if out.resolve() == (first / PAGE).resolve():
            message = f"{out} is the page of the sweep; choose another name"
            raise ScenarioError([Problem(message, path="--out")])
        comparison = compare_cases(first, *cases)
        plans = None
    else:
        folders = [first, second]
        check_page(out, folders)
        plans = read_tables(first), read_tables(second)
        comparison = dataclasses.replace(compare(*plans), a=str(first), b=str(second))
    one, two = (page_beside(out, folder) for folder in folders)
    return comparison, comparison_page(comparison, words, plans, (one, two))


def page_beside(path: Path, folder: Path) -> str | None:
    """Return the way from a page to that of a plan folder; None where that has none."""
    page = folder / PAGE
    if not page.is_file():
        return None
    return Path(os.path.relpath(page.resolve(), path.absolute().parent.resolve())).as_posix()


def _chart(chart: Chart, words: Language) -> dict[str, Any]:
    return drawn(chart) | {
        "rest": words(
            "The first {shown} of {n} rows; schedule.csv in the plan folders holds every step.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }


def cny(words: Language, value: float, sign: str = "") -> str:
    """Return money to the cent below a million, else as the page of a plan."""
    large = abs(value) >= 1e6 or words.scale("CNY", value)[0] > 1
    text = words.amount(value, "CNY") if large else f"{value + 0.0:,.2f} {words('CNY')}"
    return (f"+{text}" if sign and value > 0 else text).replace("-", "−")


def _lines(comparison: Comparison, words: Language) -> list[Line]:
    """Return the ledger lines that differ most."""
    rows = comparison.money.head(TOP).to_dict("records")
    return [
        (f"{row['component']} {said(words, row['line'])}", cny(words, row["difference_cny"], "+"))
        for row in rows
    ]


def _inputs(comparison: Comparison, words: Language) -> list[Line]:
    """Return the first inputs that differ."""
    rows = comparison.inputs.head(TOP).to_dict("records")
    return [
        (words.path(row["path"]), " → ".join(words.sentence(row[side]) or "–" for side in "ab"))
        for row in rows
    ]


def _energy(comparison: Comparison, words: Language) -> list[Line]:
    """Return the energies by origin and use that differ most."""
    figures = comparison.figures
    own = figures[figures["figure"].astype(str).str.startswith("allocation_mwh.")]
    order = own["difference"].abs().sort_values(ascending=False, kind="stable").index
    lines = []
    for row in own.loc[order].head(TOP).to_dict("records"):
        _, origin, use = row["figure"].split(".")
        change = words.amount(row["difference"], "MWh").replace("-", "−")
        sign = "+" if row["difference"] > 0 else ""
        lines.append((f"{words.term(origin)} → {words.term(use)}", f"{sign}{change}"))
    return lines
