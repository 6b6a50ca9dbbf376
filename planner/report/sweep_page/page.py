"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

The first screen shows what was varied and the best case. Numbers of cases and points of charts link
to the plan folders of cases that have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity, Row, Section, percent
from planner.language.titles import title_of
from planner.plan_tables.files import PAGE
from planner.report.charts.chart import Chart
from planner.report.plan_texts import gap_text
from planner.report.sweep_page.charts import changing, groups_of
from planner.report.sweep_page.curves import side_label, sides_of
from planner.report.sweep_page.maps import CELL_PX
from planner.report.sweep_page.words import (
    amount,
    axis_text,
    measured,
    readable,
    status_text,
    titled,
)
from planner.report.template import MOST_ROWS, drawn, fill, rows_of
from planner.sweeps.analysis.analyses import ANALYSES, BREAK_EVEN, Analyses
from planner.sweeps.analysis.case_table import (
    SOLVED,
    BreakEvenCurve,
    failures,
    is_number,
    levels,
    records,
)
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado
from planner.sweeps.result import CASES_CSV, CASES_PARQUET, PLANS, SWEEP, design_text

MAX_AXES, MAX_VALUES = 5, 8  # that matter most; of an axis

Line = tuple[str, str]  # a label and a value, as people read them


def best_case(analyses: Analyses) -> dict[str, Any] | None:
    """Return the best case by column; None where no case has the first output."""
    if not analyses.solved:
        return None
    row = {str(name): value for name, value in analyses.best.iloc[0].items()}
    return None if pd.isna(row[analyses.outputs[0]]) else row


def base_and_best(analyses: Analyses, words: Language) -> Section | None:
    """Return every output in the base case and in the best one; None where either is missing."""
    best, base = best_case(analyses), analyses.baseline
    if best is None or not any(is_number(base.get(name)) for name in analyses.outputs):
        return None
    rows: list[Row] = []
    for name in analyses.outputs:
        one, other = base.get(name), best[name]
        known = is_number(one) and not pd.isna(one) and not pd.isna(other)
        values = (one, other, other - one if known else None)
        rows.append((words.path(name), *(Quantity(value, measured(name)) for value in values)))
    heads = (words("output"), words("base case"), words("best case"), words("difference"))
    return Section(words("Base case and best case"), heads, tuple(rows))


def varied(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield every axis with its values."""
    for axis in analyses.axes:
        values = [axis_text(value, words) for value in levels(analyses.cases[axis])]
        if not values:
            continue
        text = words(", ").join(values)
        if len(values) > MAX_VALUES:
            text = words("{n} values, {low} to {high}", n=len(values), low=values[0],
                         high=values[-1])  # fmt: skip
        if axis in analyses.baseline and len(values) > 1:
            text += words("; base {base}", base=axis_text(analyses.baseline[axis], words))
        yield _axis_title(axis, analyses, words), text


def what_matters(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield the axes with the largest effect on the first output, by total-order index or swing."""
    output = analyses.outputs[0]
    for analysis in (*analyses.of(Indices), *analyses.of(Tornado)):
        if analysis.output == output:
            for row in records(analysis.table.head(MAX_AXES)):
                effect = (
                    percent(row["total"], 0) if isinstance(analysis, Indices)
                    else amount(output, row["swing"], words)
                )  # fmt: skip
                yield _axis_title(row["axis"], analyses, words), effect
            return


def best_axes(analyses: Analyses, words: Language) -> Iterator[Line]:
    """Yield every axis with its value in the best case."""
    if (best := best_case(analyses)) is not None:
        for axis in analyses.axes:
            yield _axis_title(axis, analyses, words), axis_text(best[axis], words)


def _axis_title(axis: str, analyses: Analyses, words: Language) -> str:
    return titled(axis, words, factor=axis in analyses.factors)


FILES = (CASES_CSV, CASES_PARQUET, SWEEP, ANALYSES, BREAK_EVEN)
CASES = ("case", "from_case", "to_case", "first_case")
"""Columns of tables that hold numbers of cases."""

GAPS = ("gap", "gap_of_profit")  # cases of earlier versions have only the first

Links = dict[int, str]  # to the page of a case's plan, by number of the case


def sweep_page(analyses: Analyses, words: Language = ENGLISH, folder: Path | None = None) -> str:
    """Return the page of a sweep.

    Args:
        analyses: the analyses of the sweep.
        words: the language of the page.
        folder: the folder of the page, whose files it links.
    """
    words = words.in_currency(analyses.sweep.currency)
    links = {} if folder is None else dict(_links(analyses, folder))
    factors, sweep = analyses.factors, analyses.sweep

    def rows(table: pd.DataFrame) -> Markup:
        return _rows(table, readable(table.head(MOST_ROWS), words, factors), links)

    cases, output, best = analyses.cases, analyses.outputs[0], best_case(analyses)
    counts = cases["status"].value_counts(sort=False)
    unchanging = [] if analyses.solved < 2 else [
        words.path(name) for name in analyses.outputs if not changing(analyses, name)
    ]  # fmt: skip
    without_plan = failures(analyses.cases)
    ranked = analyses.best if analyses.solved else cases
    columns = dict.fromkeys(["case", *analyses.axes, "status", *GAPS, *analyses.outputs])
    searches = [curve.search for curve in analyses.of(BreakEvenCurve)]
    return fill(
        "sweep.html",
        words,
        title_of(sweep),
        sweep=sweep,
        base="/".join(Path(sweep.base).parts[-2:]),
        design=design_text(sweep.design, words),
        proven=bool((cases["status"] == "optimal").all()),
        proof=gaps_text(analyses, words),
        statuses=[(status_text(s, words), int(n), mark(str(s))) for s, n in counts.items()],
        varied=list(varied(analyses, words)),
        output=words.path(output),
        smallest=sweep.better(output) == "least",
        best=None if best is None else int(best["case"]),
        best_status=None if best is None else status_text(best["status"], words),
        best_proven=best is not None and best["status"] == "optimal",
        best_value=None if best is None else amount(output, best[output], words),
        best_axes=list(best_axes(analyses, words)),
        base_and_best=base_and_best(analyses, words),
        matters=list(what_matters(analyses, words)),
        by_index=any(indices.output == output for indices in analyses.of(Indices)),
        unchanging=unchanging,
        searches=[
            (
                words.path(search["path"]),
                amount(search["path"], search["value"], words),
                " = ".join(side_label(side, words) for side in sides_of(search)),
                search,
            )
            for search in searches
        ],
        groups=[
            (key, title, [_chart(chart, rows(chart.table), links, words) for chart in charts])
            for key, title, charts in groups_of(analyses, words)
        ],
        notes=analyses.notes,
        without_plan=rows(without_plan) if len(without_plan) else None,
        cases=rows(ranked[[name for name in columns if name in cases]]),
        count=len(cases),
        solved=analyses.solved,
        most_rows=MOST_ROWS,
        links=links,
        files=[name for name in FILES if folder is not None and (folder / name).is_file()],
    )


def mark(status: str) -> str:
    """Return the mark of a status: only a proven plan is good, a plan that may be beaten is not."""
    return "good" if status == "optimal" else "open" if status in SOLVED else "none"


def gaps_text(analyses: Analyses, words: Language) -> str:
    """Return how far the cases may be from the best, as a sentence; empty where none has a plan."""
    gap, of_profit = (_largest(analyses, name) for name in GAPS)
    if gap is None:
        return ""
    if gap == 0.0:
        return words("No gap is left in any of them.")
    return words(
        "The largest gaps left are {gap}; smaller differences are not significant.",
        gap=gap_text(words, gap, of_profit, _largest(analyses, "objective_cny") or 0.0),
    )


def _largest(analyses: Analyses, name: str) -> float | None:
    """Return the largest figure of the cases that have a plan; None where none of them has it."""
    cases = analyses.cases
    known = cases.loc[cases["status"].isin(SOLVED), name].dropna() if name in cases else ()
    return float(max(known)) if len(known) else None


def _links(analyses: Analyses, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of every case whose plan has a page, and the path of the page."""
    for number in map(int, analyses.cases["case"]):
        if (folder / PLANS / str(number) / PAGE).is_file():
            yield number, f"{PLANS}/{number}/{PAGE}"


def _rows(table: pd.DataFrame, first_rows: pd.DataFrame, links: Links) -> Markup:
    """Return the first rows of a table as people read them, with links to plans."""
    targets = {
        place: [links.get(number) for number in table[name].head(len(first_rows))]
        for place, name in enumerate(table.columns)
        if name in CASES and pd.api.types.is_integer_dtype(table[name])
    }
    return rows_of(first_rows, targets)


def broad_px(chart: Chart) -> int:
    """Return the least width of a chart that scrolls sideways on narrow screens; 0 for others."""
    plots = sum(name.startswith("xaxis") for name in chart.figure["layout"])
    return CELL_PX * plots if chart.key == "matrix" else 0


def _chart(chart: Chart, rows: Markup, links: Links, words: Language) -> dict[str, Any]:
    """Return a chart as the template takes it."""
    of_cases = any("customdata" in trace and "text" in trace for trace in chart.figure["data"])
    linked = bool(links) and of_cases and not chart.key.startswith("tornado")
    sentences = [
        chart.drawing,
        chart.caption,
        words("Click a point to open the plan of the case.") if linked else "",
    ]
    return drawn(chart, rows) | {
        "caption": words.paragraph(text for text in sentences if text),
        "broad": broad_px(chart),
        "rest": words(
            "The first {shown} of {n} rows; cases.csv beside this page holds every case.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }
