"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

Where cases have left plan folders, the numbers of cases and the points of charts lead to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from planner.answers import Answers
from planner.folder import PAGE
from planner.language import ENGLISH, Language
from planner.report.charts import Chart
from planner.report.sweep_charts import groups_of
from planner.report.sweep_screen import Screen
from planner.report.sweep_words import failed, status_text, titled
from planner.report.template import MOST_ROWS, drawn, fill, rows_of
from planner.sweeps.store import CASES_CSV, CASES_PARQUET, PLANS, SWEEP

FILES = (CASES_CSV, CASES_PARQUET, SWEEP, "answers.json", "breakeven.json")
CASES = ("case", "from_case", "to_case", "first_case", "first")
"""Columns of tables that hold numbers of cases; `first` is one in the table of failures only."""


def sweep_page(found: Answers, words: Language = ENGLISH, folder: Path | None = None) -> str:
    """Return the page of a sweep.

    Args:
        found: what the sweep says.
        words: the language of the page.
        folder: where the page will lie; what lies beside it is linked.
    """
    links = {} if folder is None else dict(_links(found, folder))
    factors = [name for name, axis in found.sweep.varied.items() if axis.kind.startswith("scale")]
    groups = [
        (key, title, [_chart(chart, links, words, factors) for chart in charts])
        for key, title, charts in groups_of(found, words)
    ]
    there = ["case", *found.axes, "status", "gap", *found.outputs]
    cases = found.best if found.solved else found.cases
    cases = cases[[name for name in dict.fromkeys(there) if name in cases]]
    said = Screen(found, words)
    lost = failed(found.failures, words)
    return fill(
        "sweep.html",
        words,
        found.sweep.name,
        sweep=found.sweep,
        said=said,
        groups=groups,
        notes=[*(words.sentence(note) for note in found.notes), *filter(None, [said.still()])],
        lost=_rows(lost, links, words, factors) if len(lost) else None,
        cases=_rows(cases, links, words, factors),
        count=len(cases),
        most_rows=MOST_ROWS,
        links=links,
        files=[name for name in FILES if folder is not None and (folder / name).is_file()],
    )


def _links(found: Answers, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of every case whose plan has a page, and the way there."""
    for number in map(int, found.cases["case"]):
        if (folder / PLANS / str(number) / PAGE).is_file():
            yield number, f"{PLANS}/{number}/{PAGE}"


def _chart(
    chart: Chart, links: dict[int, str], words: Language, factors: Collection[str]
) -> dict[str, Any]:
    """Return a chart as the template takes it."""
    cased = any("customdata" in trace and "text" in trace for trace in chart.figure["data"])
    leads = bool(links) and cased and not chart.key.startswith("tornado")
    said = [chart.said, words("Click a point to open the plan of the case.") if leads else ""]
    return drawn(chart, _rows(chart.table, links, words, factors)) | {
        "said": " ".join(text for text in said if text),
        "broad": chart.key == "matrix",
        "rest": words(
            "The first {shown} of {n} rows; cases.csv beside this page holds every case.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }


def _rows(
    table: pd.DataFrame, links: dict[int, str], words: Language, factors: Collection[str]
) -> Any:
    """Return the head and the first rows of a table, headed by words, with links to plans."""
    shown = table.head(MOST_ROWS)
    said = {True: words("yes"), False: words("no")}
    texts: dict[str, Any] = {
        str(name): [said.get(v) if v in (True, False) else status_text(str(name), v, words)
               for v in shown[name]]
        for name in shown.columns
        if str(name).startswith("status") or pd.api.types.is_bool_dtype(shown[name])
    }  # fmt: skip
    shown = shown.assign(**texts)
    leading = {
        place: [links.get(value) for value in shown[name]]
        for place, name in enumerate(shown.columns)
        if name in CASES and pd.api.types.is_integer_dtype(shown[name])
    }
    named = shown.set_axis(
        [titled(str(n), words, factor=n in factors) for n in shown.columns], axis=1
    )
    return rows_of(named, leading)
