"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

Before anybody scrolls it says what was varied and what came out. Where cases have left plan
folders, the numbers of cases and the points of charts lead to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity, Row, Section
from planner.plan_tables.files import PAGE
from planner.report.charts.chart import Chart
from planner.report.sweep_page.charts import changing, groups_of
from planner.report.sweep_page.words import (
    amount,
    design_text,
    ended,
    failures_table,
    heading,
    measured,
    readable,
    short,
    titled,
)
from planner.report.template import MOST_ROWS, drawn, fill, rows_of
from planner.sweeps.analysis.analyses import ANALYSES, BREAK_EVEN, Analyses
from planner.sweeps.analysis.case_table import SOLVED, BreakEvenCurve, direction, is_number, levels
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado
from planner.sweeps.result import CASES_CSV, CASES_PARQUET, PLANS, SWEEP

MOST_MATTER, MOST_VALUES = 5, 8

Line = tuple[str, str]  # what it is, and its value, as people read them


def best_case(analyses: Analyses) -> dict[str, Any] | None:
    """Return the best case by column; None where no case has the first output."""
    if not analyses.solved:
        return None
    row = {str(name): value for name, value in analyses.best.iloc[0].items()}
    return None if pd.isna(row[analyses.outputs[0]]) else row


def base_and_best(analyses: Analyses, words: Language) -> Section | None:
    """Return every output in the base case and in the best one; None where there is no best."""
    best, base = best_case(analyses), analyses.baseline
    if best is None:
        return None
    rows: list[Row] = []
    for name in analyses.outputs:
        one, other = base.get(name), best[name]
        known = is_number(one) and not pd.isna(one) and not pd.isna(other)
        values = (one, other, other - one if known else None)
        rows.append((heading(name, words), *(Quantity(value, measured(name)) for value in values)))
    heads = (words("output"), words("base case"), words("best case"), words("difference"))
    return Section(words("Base case and best case"), heads, tuple(rows))


def varied(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield every axis with the values tried."""
    for axis in analyses.axes:
        tried = levels(analyses.cases[axis])
        if not tried:
            continue
        if len(tried) <= MOST_VALUES:
            values = words(", ").join(short(value, words) for value in tried)
        else:
            low, high = short(tried[0], words), short(tried[-1], words)
            values = words("{n} values, {low} to {high}", n=len(tried), low=low, high=high)
        if axis in analyses.baseline and len(tried) > 1:
            values += words("; base {base}", base=short(analyses.baseline[axis], words))
        yield _axis_title(axis, analyses, words), values


def what_matters(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield the axes that move the first output most, by total-order index or by swing."""
    output = analyses.outputs[0]
    for indices in analyses.of(Indices):
        if indices.output == output:
            table = indices.table.head(MOST_MATTER)
            for axis, total in zip(table["axis"], table["total"], strict=True):
                yield _axis_title(axis, analyses, words), f"{total:.0%}"
            return
    for tornado in analyses.of(Tornado):
        if tornado.output == output:
            table = tornado.table.head(MOST_MATTER)
            for axis, swing in zip(table["axis"], table["swing"], strict=True):
                yield _axis_title(axis, analyses, words), amount(output, swing, words)


def best_axes(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield every axis with its value in the best case."""
    if (best := best_case(analyses)) is not None:
        for axis in analyses.axes:
            yield _axis_title(axis, analyses, words), short(best[axis], words)


def _axis_title(axis: str, analyses: Analyses, words: Language) -> str:
    return titled(axis, words, factor=axis in analyses.factors)


FILES = (CASES_CSV, CASES_PARQUET, SWEEP, ANALYSES, BREAK_EVEN)
CASES = ("case", "from_case", "to_case", "first_case", "first")
"""Columns of tables that hold numbers of cases; `first` is one in the table of failures only."""

Links = dict[int, str]  # where the page of a case's plan is, by number of the case


def sweep_page(analyses: Analyses, words: Language = ENGLISH, folder: Path | None = None) -> str:
    """Return the page of a sweep.

    Args:
        analyses: what the sweep says.
        words: the language of the page.
        folder: where the page will lie; what lies beside it is linked.
    """
    links = {} if folder is None else dict(_links(analyses, folder))
    factors, sweep = analyses.factors, analyses.sweep

    def rows(table: pd.DataFrame) -> Markup:
        return _rows(table, readable(table.head(MOST_ROWS), words, factors), links)

    cases, output, best = analyses.cases, analyses.outputs[0], best_case(analyses)
    gaps = cases.loc[cases["status"].isin(SOLVED), "gap"].dropna()
    counts = cases["status"].value_counts(sort=False)
    unmoved = [] if analyses.solved < 2 else [
        heading(name, words) for name in analyses.outputs if not changing(analyses, name)
    ]  # fmt: skip
    lost = failures_table(analyses, words)
    ranked = analyses.best if analyses.solved else cases
    columns = dict.fromkeys(["case", *analyses.axes, "status", "gap", *analyses.outputs])
    searches = [curve.search for curve in analyses.of(BreakEvenCurve)]
    return fill(
        "sweep.html",
        words,
        sweep.name,
        sweep=sweep,
        base="/".join(Path(sweep.base).parts[-2:]),
        design=design_text(sweep.design, words),
        proven=bool((cases["status"] == "optimal").all()),
        largest_gap=None if gaps.empty else float(gaps.max()),
        statuses=[(ended(s, words), int(count), s in SOLVED) for s, count in counts.items()],
        varied=list(varied(analyses, words)),
        output=heading(output, words),
        smallest=direction(output) == "min",
        best=None if best is None else int(best["case"]),
        best_value=None if best is None else amount(output, best[output], words),
        best_axes=list(best_axes(analyses, words)),
        both=base_and_best(analyses, words),
        matters=list(what_matters(analyses, words)),
        by_index=any(indices.output == output for indices in analyses.of(Indices)),
        unmoved=unmoved,
        searches=[(search, amount(search["path"], search["value"], words)) for search in searches],
        groups=[
            (key, title, [_chart(chart, rows(chart.table), links, words) for chart in charts])
            for key, title, charts in groups_of(analyses, words)
        ],
        notes=analyses.notes,
        lost=rows(lost) if len(lost) else None,
        cases=rows(ranked[[name for name in columns if name in cases]]),
        count=len(cases),
        solved=analyses.solved,
        most_rows=MOST_ROWS,
        links=links,
        files=[name for name in FILES if folder is not None and (folder / name).is_file()],
    )


def _links(analyses: Analyses, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of every case whose plan has a page, and the way there."""
    for number in map(int, analyses.cases["case"]):
        if (folder / PLANS / str(number) / PAGE).is_file():
            yield number, f"{PLANS}/{number}/{PAGE}"


def _rows(table: pd.DataFrame, shown: pd.DataFrame, links: Links) -> Markup:
    """Return the first rows of a table as people read them, with links to plans."""
    leading = {
        place: [links.get(number) for number in table[name].head(len(shown))]
        for place, name in enumerate(table.columns)
        if name in CASES and pd.api.types.is_integer_dtype(table[name])
    }
    return rows_of(shown, leading)


def _chart(chart: Chart, rows: Markup, links: Links, words: Language) -> dict[str, Any]:
    """Return a chart as the template takes it."""
    of_cases = any("customdata" in trace and "text" in trace for trace in chart.figure["data"])
    leads = bool(links) and of_cases and not chart.key.startswith("tornado")
    sentences = [
        chart.caption,
        words("Click a point to open the plan of the case.") if leads else "",
    ]
    return drawn(chart, rows) | {
        "caption": " ".join(text for text in sentences if text),
        "broad": chart.key == "matrix",
        "rest": words(
            "The first {shown} of {n} rows; cases.csv beside this page holds every case.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }
