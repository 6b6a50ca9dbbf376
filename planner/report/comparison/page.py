"""The page of a comparison: two plans, or two cases of a sweep, in one file without a network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from planner.errors import Problem, ScenarioError, wrong
from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity
from planner.message import Message
from planner.plan_tables.files import PAGE
from planner.plan_tables.folder import read_tables
from planner.plan_tables.tables import PlanTables
from planner.report.cautions import cautions_of
from planner.report.charts.difference import columns_chart, common_clock, profit_chart
from planner.report.comparison.compare import FEN, Comparison, compare
from planner.report.comparison.compare_cases import compare_cases
from planner.report.comparison.tables import (
    Labelled,
    amount_texts,
    cny_text,
    input_labels,
    line_changes,
    lines_chart,
    side_label,
    tables_of,
)
from planner.report.declaration import unwritable
from planner.report.template import MOST_ROWS, drawn_of_plans, fill, page_clock, rows_of
from planner.sweeps.result import PLANS

TOP = 5  # lines of a card
SUFFIX = ".html"


def comparison_page(
    comparison: Comparison,
    words: Language = ENGLISH,
    plans: tuple[PlanTables, PlanTables] | None = None,
    pages: tuple[str | None, str | None] = (None, None),
) -> str:
    """Return the page of a comparison.

    Args:
        comparison: the differences.
        words: the language of the page.
        plans: both plans, where there are schedules to draw.
        pages: the addresses of the pages of A and B, relative to this one.
    """
    words = words.in_currency(comparison.currency)
    charts = [lines_chart(comparison, words)] if len(comparison.money) else []
    clock = None if plans is None else common_clock(*plans)
    if plans is not None and clock is not None:
        if len(comparison.hours):
            charts.append(profit_chart(*plans, *clock, words))
        names = [str(name) for name in comparison.columns["column"]]
        if (chart_of_columns := columns_chart(*plans, names, *clock, words)) is not None:
            charts.append(chart_of_columns)

    return fill(
        "comparison.html",
        words,
        words("Comparison of two plans"),
        cautions=comparison.cautions,
        comparison=comparison,
        verdict=_verdict(comparison),
        cny=partial(cny_text, words),
        sides=[side_label(side, words) for side in (comparison.a, comparison.b)],
        profits=_profits(comparison, words),
        lines=_lines(comparison, words),
        inputs=_inputs(comparison, words),
        energy=_energy(comparison, words),
        pages=pages,
        charts=[drawn_of_plans(chart, words) for chart in charts],
        apart=plans is not None and clock is None,
        over_time=any(chart.over_time for chart in charts),
        top=TOP,
        tables=[
            (key, title, rows_of(table), len(table))
            for key, title, table, _ in tables_of(comparison, words)
            if len(table) > (TOP if key == "inputs" else 0)  # few inputs are in their card
        ],
        most_rows=MOST_ROWS,
        clock=clock and page_clock(clock[0]),
    )  # fmt: skip


def compared_pages(
    first: Path,
    second: Path | None,
    cases: Sequence[int],
    words: Language,
    out: Path,
    *,
    unaudited: bool = False,
) -> tuple[Comparison, str]:
    """Compare two plan folders, or two cases of a sweep folder, for a page in a file.

    Returns:
        The comparison and the page.

    Raises:
        PlanError: a folder cannot be read, or fails its audit, unless `unaudited`.
        ScenarioError: the file cannot be written, or there is no such case.
    """
    folders = [first / PLANS / str(n) for n in cases] if second is None else [first, second]
    if messages := unwritable(out, [SUFFIX], folders):
        raise ScenarioError([Problem(message, path="--out") for message in messages])
    if second is None and out.resolve() == (first / PAGE).resolve():
        raise wrong("--out", Message("{path} is the page of the sweep; choose another", path=out))
    plans = None if second is None else (read_tables(first), read_tables(second))
    if plans is None:
        comparison = compare_cases(first, *cases)
    else:
        assert second is not None
        notes = [text for at in folders for text in cautions_of(at, unaudited=unaudited)]
        comparison = compare(*plans)
        cautions = tuple(dict.fromkeys((*comparison.cautions, *notes)))
        comparison = dataclasses.replace(comparison, a=str(first), b=str(second), cautions=cautions)
    one, two = (page_beside(out, folder) for folder in folders)
    return comparison, comparison_page(comparison, words, plans, (one, two))


def page_beside(path: Path, folder: Path) -> str | None:
    """Return the address of a folder's page, relative to another page; None if it has none."""
    page = folder / PAGE
    if not page.is_file():
        return None
    return Path(os.path.relpath(page.resolve(), path.absolute().parent.resolve())).as_posix()


def _verdict(comparison: Comparison) -> str:
    """Return how B compares with A: same, good, worse, or warn where that is not proven."""
    if comparison.cautions:
        return "warn"
    if comparison.equal or (comparison.proven and abs(comparison.change_cny) < FEN):
        return "same"
    if not comparison.proven:
        return "warn"
    return "good" if comparison.change_cny > 0 else "worse"


def _profits(comparison: Comparison, words: Language) -> list[Labelled]:
    """Return both profits, and the sum of their gaps where it is known."""
    amounts = {
        words("profit of A"): comparison.profit_a_cny,
        words("profit of B"): comparison.profit_b_cny,
        words("sum of the gaps"): comparison.open_cny,
    }
    rows = [(label, Quantity(amount, "CNY", 2)) for label, amount in amounts.items()]
    return amount_texts([row for row in rows if row[1].value is not None], words)


def _lines(comparison: Comparison, words: Language) -> list[Labelled]:
    """Return the ledger lines that differ most."""
    rows = [
        (f"{one.component} {one.line}", Quantity(one.difference, "CNY", 2, signed=True))
        for one in line_changes(comparison, words)[: min(TOP, len(comparison.money))]
    ]
    return amount_texts(rows, words)


def _inputs(comparison: Comparison, words: Language) -> list[Labelled]:
    """Return the first inputs that differ."""
    rows = comparison.inputs.head(TOP).to_dict("records")
    return [
        (label, " → ".join(words.sentence(row[side]) or "–" for side in "ab"))
        for label, row in zip(input_labels(comparison, words), rows, strict=False)
    ]


def _energy(comparison: Comparison, words: Language) -> list[Labelled]:
    """Return the energies by origin and use that differ most."""
    figures = comparison.figures
    own = figures[figures["figure"].astype(str).str.startswith("allocation_mwh.")]
    order = own["difference"].abs().sort_values(ascending=False, kind="stable").index
    rows = []
    for row in own.loc[order].head(TOP).to_dict("records"):
        _, origin, use = row["figure"].split(".")
        label = f"{words.term(origin)} → {words.term(use)}"
        rows.append((label, Quantity(row["difference"], "MWh", signed=True)))
    return amount_texts(rows, words)
