"""What the page of a sweep says before anybody scrolls: what was varied, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, Row, Section
from planner.report.sweep_page.charts import changing
from planner.report.sweep_page.words import amount, ended, heading, measured, short, titled
from planner.sweeps.analysis.analyses import Analyses
from planner.sweeps.analysis.case_table import SOLVED, direction, is_number, levels
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado

MOST_MATTER, MOST_VALUES = 5, 8

Line = tuple[str, str]  # what it is, and its value, as people read them


@dataclass(frozen=True)
class FirstScreen:
    """The facts of the first screen; the template puts them into sentences.

    proven: whether every case has a proven plan. largest_gap: of the cases with a plan.
    statuses: how cases ended, how many did, whether they have a plan.
    varied: the values tried on every axis.
    output: the figure by which cases are best; smallest: whether less of it is better.
    best: number of the best case, None where no case has the output; its value; its axes.
    base_and_best: every output in the base case and in the best one.
    matters: the axes that move the output most; by_index: shares of its variance, else swings.
    unchanging: outputs that are the same in every case.
    """

    proven: bool
    largest_gap: float | None
    statuses: list[tuple[str, int, bool]]
    varied: list[Line]
    output: str
    smallest: bool
    best: int | None
    best_value: str
    best_axes: list[Line]
    base_and_best: Section | None
    matters: list[Line]
    by_index: bool
    unchanging: list[str]


def first_screen(analyses: Analyses, words: Language) -> FirstScreen:
    """Return what the first screen of a sweep says."""
    cases, output = analyses.cases, analyses.outputs[0]
    gaps = cases.loc[cases["status"].isin(SOLVED), "gap"].dropna()
    counts = cases["status"].value_counts(sort=False)
    best = best_case(analyses)
    indices = [one for one in analyses.of(Indices) if one.output == output]
    still = [n for n in analyses.outputs if analyses.solved > 1 and not changing(analyses, n)]
    return FirstScreen(
        proven=bool((cases["status"] == "optimal").all()),
        largest_gap=None if gaps.empty else float(gaps.max()),
        statuses=[(ended(s, words), int(count), s in SOLVED) for s, count in counts.items()],
        varied=list(_varied(analyses, words)),
        output=heading(output, words),
        smallest=direction(output) == "min",
        best=None if best is None else int(best["case"]),
        best_value="" if best is None else amount(output, best[output], words),
        best_axes=[] if best is None else [
            (_axis_title(axis, analyses, words), short(best[axis], words)) for axis in analyses.axes
        ],
        base_and_best=base_and_best(analyses, words),
        matters=list(_matters(analyses, words)),
        by_index=bool(indices),
        unchanging=[heading(name, words) for name in still],
    )  # fmt: skip


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


def _varied(analyses: Analyses, words: Language) -> Iterator[Line]:
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


def _matters(analyses: Analyses, words: Language) -> Iterator[Line]:
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


def _axis_title(axis: str, analyses: Analyses, words: Language) -> str:
    return titled(axis, words, factor=axis in analyses.factors)
