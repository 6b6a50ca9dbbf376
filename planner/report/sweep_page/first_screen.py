"""What the page of a sweep says before anybody scrolls: what was varied, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, Row, Section
from planner.report.sweep_page.words import amount, heading, measured, short, titled
from planner.sweeps.analysis.analyses import Analyses
from planner.sweeps.analysis.case_table import is_number, levels
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado

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
