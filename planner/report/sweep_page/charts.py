"""The charts of a sweep: for each analysis its figure, a caption and the table behind it.

The page shows all of them; a terminal prints the caption and the first rows of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.plan_sections import paragraph
from planner.report.sweep_page.bars import MAX_BARS, indices_figure, tornado_figure
from planner.report.sweep_page.curves import (
    break_even_figure,
    break_even_scale,
    cost_figure,
    curve_figure,
    curve_scale,
    is_marked,
    pareto_figure,
)
from planner.report.sweep_page.maps import (
    MAX_POINTS,
    contour_figure,
    has_contours,
    map_figure,
    map_scales,
    matrix_figure,
    matrix_scale,
    of_matrix,
    thinned,
)
from planner.report.sweep_page.words import axis_text, measured
from planner.sweeps.analysis.analyses import Analyses
from planner.sweeps.analysis.case_table import Analysis, AxisCurve, BreakEvenCurve, numbers
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.maps import Map
from planner.sweeps.analysis.pareto import Front
from planner.sweeps.analysis.sobol import CONFIDENCE, Indices
from planner.sweeps.analysis.tornado import Tornado

Group = tuple[str, str, list[Chart]]  # key, title, charts
ChartsOf = Callable[[Any, Analyses, Language], Iterator[Chart]]


def groups_of(analyses: Analyses, words: Language) -> list[Group]:
    """Return the charts of a sweep in groups; groups without any are left out."""
    titles = {
        "trade-offs": words("Break-even and trade-offs"),
        "effects": words("What matters most"),
        "maps": words("Two axes at once"),
        "every": words("Every case"),
    }
    charts: dict[str, list[Chart]] = {key: [] for key in titles}
    for key, kind, charts_of in CHARTS:
        for analysis in analyses.of(kind):
            charts[key] += charts_of(analysis, analyses, words)
    charts["every"] += _matrix(analyses, words)
    return [(key, title, charts[key]) for key, title in titles.items() if charts[key]]


def main_charts(analyses: Analyses, words: Language) -> Iterator[tuple[Analysis, Chart]]:
    """Yield every analysis of the first output or of all, with its main chart."""
    for _, kind, charts_of in CHARTS:
        for analysis in analyses.of(kind):
            if analysis.output in ("", analyses.outputs[0]):
                for chart in islice(charts_of(analysis, analyses, words), 1):
                    yield analysis, chart


def changing(analyses: Analyses, output: str) -> bool:
    """Return whether an output differs between cases; else a chart of it would be empty."""
    return numbers(analyses.cases, output).nunique() > 1


def _break_even(curve: BreakEvenCurve, _: Analyses, words: Language) -> Iterator[Chart]:
    label = words.path(curve.search["path"])
    yield Chart(
        key="break-even",
        title=words("Break-even of {axis}", axis=label),
        caption=words.sentence(curve.note),
        drawing=break_even_scale(curve, words).sentence(label, words),
        figure=break_even_figure(curve, words),
        table=curve.table,
    )


def _curve(curve: AxisCurve, analyses: Analyses, words: Language) -> Iterator[Chart]:
    label, scale = words.path(curve.axis), curve_scale(curve, words)
    base, factor = analyses.baseline.get(curve.axis), curve.axis in analyses.factors
    marked = is_marked(base, scale)
    lost = int(curve.table[analyses.outputs[0]].isna().sum())
    yield Chart(
        key="curve",
        title=words("Along {axis}", axis=label),
        caption=words("{n} cases have no plan; the lines leave them out.", n=lost) if lost else "",
        drawing=paragraph(
            words,
            scale.sentence(label, words),
            words("Dotted: the base case, {value}.", value=axis_text(base, words))
            if marked
            else "",
        ),
        figure=curve_figure(curve, analyses.outputs, words, factor=factor, base=base),
        table=curve.table,
    )


def _cost_curve(curve: CostCurve, _: Analyses, words: Language) -> Iterator[Chart]:
    if curve.table.empty:
        return
    yield Chart(
        key="cost",
        title=words("What each further step of {axis} costs", axis=words.path(curve.axis)),
        caption=words(
            "Differences of profit between neighbouring cases, over those of the renewable"
            " energy that load and compute draw. Grey: the solver's gap hides the sign."
        ),
        figure=cost_figure(curve, words),
        table=curve.table,
    )


def _front(front: Front, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if front.table.empty or not all(changing(analyses, name) for name in front.ways):
        return
    outputs = [
        words("smallest {output}", output=words.path(name)) if way == "least"
        else words("largest {output}", output=words.path(name))
        for name, way in front.ways.items()
    ]  # fmt: skip
    yield Chart(
        key="pareto",
        title=words("Pareto front"),
        caption=words("Best: {outputs}.", outputs=words(" and ").join(outputs)),
        figure=pareto_figure(analyses.cases, front, words),
        table=front.table[["case", *analyses.axes, *front.ways]],
    )


def _indices(indices: Indices, analyses: Analyses, words: Language) -> Iterator[Chart]:
    sentence = words(
        "Shares of the variance from {blocks} blocks of cases, with {confidence} confidence."
        " First order: the axis alone; total order: with its interactions.",
        blocks=indices.blocks,
        confidence=f"{CONFIDENCE:.0%}",
    )
    yield Chart(
        key=_key("indices", indices, analyses),
        title=words("Sobol indices: {output}", output=words.path(indices.output)),
        caption=f"{sentence} {words.sentence(indices.note)}".strip(),
        figure=indices_figure(indices, analyses.factors, words),
        table=indices.table,
    )


def _tornado(tornado: Tornado, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if analyses.of(AxisCurve) or not changing(analyses, tornado.output):
        return  # a curve holds all that the tornado of its axis would
    sentences = [
        words("Each axis alone, from its lowest to its highest value, the others at their base.")
    ]
    if lost := int(tornado.table["without_plan"].sum()):
        sentences.append(
            words(
                "{n} of these cases have no plan: their ends are labelled, without a bar.", n=lost
            )
        )
    if len(tornado.table) > MAX_BARS:
        sentences.append(words("The widest {n} are drawn.", n=MAX_BARS))
    sentences += _unit_of_table(tornado, words)
    yield Chart(
        key=_key("tornado", tornado, analyses),
        title=words("Tornado: {output}", output=words.path(tornado.output)),
        caption=words.paragraph(sentences),
        figure=tornado_figure(tornado, analyses.factors, words),
        table=tornado.table,
    )


def _map(grid: Map, analyses: Analyses, words: Language) -> Iterator[Chart]:
    if not changing(analyses, grid.output) or len(np.unique(grid.table.to_numpy())) < 2:
        return
    sentences = []
    if grid.missing:
        sentences.append(
            words("{n} of {size} places are empty.", n=grid.missing, size=grid.table.size)
        )
    if grid.at:
        values = [f"{words.path(axis)} = {axis_text(v, words)}" for axis, v in grid.at.items()]
        sentences.append(words("Other axes: {values}.", values=words(", ").join(values)))
    sentences += _unit_of_table(grid, words)
    yield Chart(
        key=_key("map", grid, analyses),
        title=words("Map: {output}", output=words.path(grid.output)),
        caption=words.paragraph(sentences),
        figure=map_figure(grid, analyses.factors, words),
        table=grid.table.reset_index(),
    )
    if has_contours(grid):
        yield Chart(
            key=_key("contours", grid, analyses),
            title=words("Contours: {output}", output=words.path(grid.output)),
            caption=paragraph(
                words,
                words("The same values, between the cases by straight lines."),
                *(
                    scale.sentence(words.path(axis), words)
                    for axis, scale in zip((grid.x, grid.y), map_scales(grid, words), strict=True)
                ),
            ),
            figure=contour_figure(grid, analyses.factors, words),
            table=grid.table.reset_index(),
        )


def _matrix(analyses: Analyses, words: Language) -> Iterator[Chart]:
    """Yield the matrix of every case, where one axis alone does not already show them all."""
    if analyses.solved < 2 or analyses.of(AxisCurve):
        return
    cases, axes = analyses.cases, analyses.axes
    names, left_out = of_matrix(cases, axes, analyses.outputs)
    if len(names) < 2:
        return
    sentences = [words("Axes and outputs against each other, a point a case.")]
    if len(cases) > MAX_POINTS:
        sentences.append(
            words("{count} of {n} cases are drawn, evenly chosen.",
                  count=len(thinned(cases)), n=len(cases))
        )  # fmt: skip
    if left_out:
        sentences.append(
            words("{n} more axes and outputs are in the table of cases only.", n=left_out)
        )
    sentences += [
        matrix_scale(thinned(cases), name, words).sentence(words.path(name), words)
        for name in names if name in axes
    ]  # fmt: skip
    base = analyses.baseline.get("case")
    yield Chart(
        key="matrix",
        title=words("Axes and outputs, each against each"),
        caption=paragraph(words, *sentences),
        figure=matrix_figure(
            cases, names, axes, analyses.factors, words, None if base is None else int(base)
        ),
        table=cases[["case", *names]],
    )


def _unit_of_table(analysis: Analysis, words: Language) -> list[str]:
    unit = words(measured(analysis.output))
    return [words("The table is in {unit}.", unit=unit)] if unit else []


def _key(name: str, analysis: Analysis, analyses: Analyses) -> str:
    """Return the key of a chart of which there is one for each output."""
    return f"{name}-{analyses.of(type(analysis)).index(analysis)}"


CHARTS: tuple[tuple[str, type[Analysis], ChartsOf], ...] = (
    ("trade-offs", BreakEvenCurve, _break_even),
    ("trade-offs", AxisCurve, _curve),
    ("trade-offs", CostCurve, _cost_curve),
    ("trade-offs", Front, _front),
    ("effects", Indices, _indices),
    ("effects", Tornado, _tornado),
    ("maps", Map, _map),
)
"""The charts of every kind of analysis, and their group on the page."""
