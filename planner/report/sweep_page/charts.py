"""The charts of a sweep: for each analysis its figure, a sentence about it and the table behind it.

The page shows all of them; a terminal prints the sentence and the first rows of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.sweep_page.bars import MOST_BARS, indices_figure, tornado_figure
from planner.report.sweep_page.curves import (
    break_even_figure,
    cost_figure,
    curve_figure,
    pareto_figure,
)
from planner.report.sweep_page.maps import (
    MOST_POINTS,
    contour_figure,
    has_contours,
    map_figure,
    matrix_figure,
    of_matrix,
    thinned,
)
from planner.report.sweep_page.words import path_text, short, wanted_text
from planner.sweeps.analysis.analyses import Analyses
from planner.sweeps.analysis.case_table import Analysis, BreakEvenCurve, Curve, numbers
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.maps import Map
from planner.sweeps.analysis.pareto import Front
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado

Group = tuple[str, str, list[Chart]]  # key, title, charts
Show = Callable[[Any, Analyses, Language], Iterator[Chart]]


def groups_of(analyses: Analyses, words: Language) -> list[Group]:
    """Return the charts of a sweep by what they answer; a group with none is left out."""
    titles = {
        "answers": words("Break-even and trade-offs"),
        "matters": words("What matters most"),
        "maps": words("Two axes at once"),
        "every": words("Every case"),
    }
    charts = {
        key: [
            chart
            for kind, show in pairs
            for analysis in analyses.of(kind)
            for chart in show(analysis, analyses, words)
        ]
        for key, pairs in SHOWN.items()
    }
    charts["every"] = list(_matrix(analyses, words))
    return [(key, title, charts[key]) for key, title in titles.items() if charts[key]]


def main_charts(analyses: Analyses, words: Language) -> Iterator[tuple[Analysis, Chart]]:
    """Yield every analysis that is about the first output or about all, with its main chart."""
    for kind, show in (pair for pairs in SHOWN.values() for pair in pairs):
        for analysis in analyses.of(kind):
            if analysis.output in ("", analyses.outputs[0]):
                yield from (
                    (analysis, chart) for chart in islice(show(analysis, analyses, words), 1)
                )


def changing(analyses: Analyses, output: str) -> bool:
    """Return whether an output differs between cases; else a chart of it would say nothing."""
    return numbers(analyses.cases, output).nunique() > 1


def _break_even(curve: BreakEvenCurve, _: Analyses, words: Language) -> Iterator[Chart]:
    yield Chart(
        key="break-even",
        title=words("Break-even"),
        caption=words.sentence(curve.note),
        figure=break_even_figure(curve, words),
        table=curve.table,
    )


def _curve(curve: Curve, analyses: Analyses, words: Language) -> Iterator[Chart]:
    figure = curve_figure(
        curve, analyses.outputs, words,
        factor=curve.axis in analyses.factors, base=analyses.baseline.get(curve.axis),
    )  # fmt: skip
    sentences = []
    if figure["layout"]["xaxis"].get("type") == "log":
        sentences.append(words("The axis is logarithmic."))
    lost = int(curve.table[analyses.outputs[0]].isna().sum())
    if lost:
        sentences.append(words("{n} cases have no plan; the lines leave them out.", n=lost))
    yield Chart(
        key="curve",
        title=words("Along {axis}", axis=path_text(curve.axis, words)),
        caption=" ".join(sentences),
        figure=figure,
        table=curve.table,
    )


def _cost_curve(curve: CostCurve, _: Analyses, words: Language) -> Iterator[Chart]:
    if curve.table.empty:
        return
    yield Chart(
        key="cost",
        title=words("What each further step of {axis} costs", axis=path_text(curve.axis, words)),
        caption=words(
            "Differences of profit between neighbouring cases, over those of the renewable"
            " energy that load and compute draw. Grey: the solver's gap hides the sign."
        ),
        figure=cost_figure(curve, words),
        table=curve.table,
    )


def _front(front: Front, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if front.table.empty or not all(changing(analyses, name) for name in front.directions):
        return
    ways = [wanted_text(name, way, words) for name, way in front.directions.items()]
    yield Chart(
        key="pareto",
        title=words("Pareto front"),
        caption=words("Wanted: {ways}.", ways=words(" and ").join(ways)),
        figure=pareto_figure(analyses.cases, front, words),
        table=front.table[["case", *analyses.axes, *front.directions]],
    )


def _indices(indices: Indices, analyses: Analyses, words: Language) -> Iterator[Chart]:
    sentence = words(
        "Shares of the variance from {blocks} blocks of cases, with {confidence} confidence."
        " First order: the axis alone; total order: with its interactions.",
        blocks=indices.blocks,
        confidence=f"{indices.confidence:.0%}",
    )
    yield Chart(
        key=_key("indices", indices, analyses),
        title=words("Sobol indices: {output}", output=path_text(indices.output, words)),
        caption=f"{sentence} {words.sentence(indices.note)}".strip(),
        figure=indices_figure(indices, analyses.factors, words),
        table=indices.table,
    )


def _tornado(tornado: Tornado, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if analyses.of(Curve) or not changing(analyses, tornado.output):
        return  # a curve holds all that the tornado of its axis would
    sentence = words(
        "Each axis alone, from its lowest to its highest value, the others at their base."
    )
    lost = int(tornado.table["without_plan"].sum())
    if lost:
        sentence += words(
            " {n} of these cases have no plan: their ends are named, without a bar.", n=lost
        )
    if len(tornado.table) > MOST_BARS:
        sentence += " " + words("The widest {n} are drawn.", n=MOST_BARS)
    yield Chart(
        key=_key("tornado", tornado, analyses),
        title=words("Tornado: {output}", output=path_text(tornado.output, words)),
        caption=sentence,
        figure=tornado_figure(tornado, analyses.factors, words),
        table=tornado.table,
    )


def _map(grid: Map, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if not changing(analyses, grid.output) or len(np.unique(grid.table.to_numpy())) < 2:
        return
    sentence = ""
    if grid.missing:
        sentence = words("{n} of {size} places are empty.", n=grid.missing, size=grid.table.size)
    if grid.at:
        held = [f"{path_text(n, words)} = {short(v, words)}" for n, v in grid.at.items()]
        sentence += words(" Other axes: {held}.", held=words(", ").join(held))
    yield Chart(
        key=_key("map", grid, analyses),
        title=words("Map: {output}", output=path_text(grid.output, words)),
        caption=sentence.strip(),
        figure=map_figure(grid, analyses.factors, words),
        table=grid.table.reset_index(),
    )
    if has_contours(grid):
        yield Chart(
            key=_key("contours", grid, analyses),
            title=words("Contours: {output}", output=path_text(grid.output, words)),
            caption=words("The same values, between the cases by straight lines."),
            figure=contour_figure(grid, analyses.factors, words),
            table=grid.table.reset_index(),
        )


def _matrix(analyses: Analyses, words: Language) -> Iterator[Chart]:
    """Yield the matrix of every case, where one axis alone does not already show them all."""
    if analyses.solved < 2 or analyses.of(Curve):
        return
    cases, axes = analyses.cases, analyses.axes
    shown, left_out = of_matrix(cases, axes, analyses.outputs)
    if len(shown) < 2:
        return
    sentences = [words("Axes and outputs against each other, a point a case.")]
    if len(cases) > MOST_POINTS:
        drawn = len(thinned(cases))
        sentences.append(
            words("{drawn} of {n} cases are drawn, evenly chosen.", drawn=drawn, n=len(cases))
        )
    if left_out:
        sentences.append(
            words("{n} more axes and outputs are in the table of cases only.", n=left_out)
        )
    base = analyses.baseline.get("case")
    yield Chart(
        key="matrix",
        title=words("Axes and outputs, each against each"),
        caption=" ".join(sentences),
        figure=matrix_figure(
            cases, shown, axes, analyses.factors, words, None if base is None else int(base)
        ),
        table=cases[["case", *shown]],
    )


def _key(name: str, analysis: Analysis, analyses: Analyses) -> str:
    """Return the key of a chart of which there is one for each output."""
    return f"{name}-{analyses.of(type(analysis)).index(analysis)}"


SHOWN: dict[str, tuple[tuple[type[Analysis], Show], ...]] = {
    "answers": (
        (BreakEvenCurve, _break_even),
        (Curve, _curve),
        (CostCurve, _cost_curve),
        (Front, _front),
    ),
    "matters": ((Indices, _indices), (Tornado, _tornado)),
    "maps": ((Map, _map),),
}
"""Which charts show an analysis, by group of the page."""
