"""The charts of a sweep with what is said about them and the tables behind them, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.sweep_page import curves as figures_sweep
from planner.report.sweep_page import maps as figures_map
from planner.report.sweep_page.curves import MOST_BARS, indices_figure, tornado_figure
from planner.report.sweep_page.words import short, told, wanted_text, with_axes
from planner.sweeps.analysis.analyses import Answers
from planner.sweeps.analysis.case_table import numbers

Group = tuple[str, str, list[Chart]]  # key, title, charts


def groups_of(found: Answers, words: Language) -> list[Group]:
    """Return the charts of a sweep by what they answer; a group with none is left out."""
    factors = [n for n, a in found.sweep.varied.items() if a.kind.startswith("scale")]
    groups = [
        ("answers", words("Break-even and trade-offs"), list(_answers(found, factors, words))),
        ("matters", words("What matters most"), list(_matters(found, factors, words))),
        ("maps", words("Two axes at once"), list(_maps(found, factors, words))),
        ("every", words("Every case"), list(_every(found, factors, words))),
    ]
    return [group for group in groups if group[2]]


def moved_outputs(found: Answers) -> list[str]:
    """Return the outputs that differ between cases; of the others a chart would say nothing."""
    return [name for name in found.outputs if numbers(found.cases, name).nunique() > 1]


def _answers(found: Answers, factors: list[str], words: Language) -> Iterator[Chart]:
    if found.break_even is not None:
        yield Chart(
            key="break-even",
            title=words("Break-even"),
            said=words.sentence(found.break_even["text"]),
            figure=figures_sweep.break_even_figure(found.break_even, words),
            table=pd.DataFrame(found.break_even["points"]),
        )
    if found.curve is not None and len(found.curve):
        moved = str(found.curve.columns[1])
        figure = figures_sweep.curve_figure(
            found.curve, moved, found.outputs, words, factor=moved in factors,
            base=found.baseline.get(moved),
        )  # fmt: skip
        said = []
        if figure["layout"]["xaxis"].get("type") == "log":
            said.append(words("The axis is logarithmic."))
        lost = int(found.curve[found.outputs[0]].isna().sum())
        if lost:
            said.append(words("{n} cases have no plan; the lines leave them out.", n=lost))
        yield Chart(
            key="curve",
            title=words("Along {axis}", axis=told(moved, words)),
            said=" ".join(said),
            figure=figure,
            table=found.curve,
        )
    if found.cost_curve is not None and len(found.cost_curve):
        yield Chart(
            key="cost",
            title=words(
                "What each further step of {axis} costs", axis=told(found.cost_axis, words)
            ),
            said=words(
                "Differences of profit between neighbouring cases, over those of the renewable"
                " energy that load and compute draw. Grey: the solver's gap hides the sign."
            ),
            figure=figures_sweep.cost_figure(found.cost_curve, words),
            table=found.cost_curve,
        )
    both = set(found.directions) <= set(moved_outputs(found))
    if found.front is not None and len(found.front) and both:
        ways = words(" and ").join(
            wanted_text(name, way, words) for name, way in found.directions.items()
        )
        yield Chart(
            key="pareto",
            title=words("Pareto front"),
            said=words("Wanted: {ways}.", ways=ways),
            figure=figures_sweep.pareto_figure(found.cases, found.front, found.directions, words),
            table=found.front[["case", *found.axes, *found.directions]],
        )


def _matters(found: Answers, factors: list[str], words: Language) -> Iterator[Chart]:
    for number, (output, indices) in enumerate(found.indices.items()):
        said = words(
            "Shares of the variance from {blocks} blocks of cases, with {confidence} confidence."
            " First order: the axis alone; total order: with its interactions.",
            blocks=indices.blocks,
            confidence=f"{indices.confidence:.0%}",
        )
        if indices.note:
            said += f" {words.sentence(indices.note)}"
        yield Chart(
            key=f"indices-{number}",
            title=words("Sobol indices: {output}", output=told(output, words)),
            said=said,
            figure=indices_figure(indices, factors, words),
            table=with_axes(indices.table, words),
        )
    if found.curve is not None:  # it holds all that a tornado of one axis would
        return
    moving = moved_outputs(found)
    for number, (output, table) in enumerate(found.tornados.items()):
        if output not in moving:
            continue
        said = words(
            "Each axis alone, from its lowest to its highest value, the others at their base."
        )
        lost = int(table["without_plan"].sum())
        if lost:
            said += words(
                " {n} of these cases have no plan: their ends are named, without a bar.", n=lost
            )
        if len(table) > MOST_BARS:
            said += " " + words("The widest {n} are drawn.", n=MOST_BARS)
        yield Chart(
            key=f"tornado-{number}",
            title=words("Tornado: {output}", output=told(output, words)),
            said=said,
            figure=tornado_figure(table, output, factors, words),
            table=with_axes(table, words),
        )


def _maps(found: Answers, factors: list[str], words: Language) -> Iterator[Chart]:
    moving = moved_outputs(found)
    for number, (output, grid) in enumerate(found.maps.items()):
        if output not in moving or len(np.unique(grid.values.to_numpy())) < 2:
            continue
        said = (
            words("{n} of {size} places are empty.", n=grid.missing, size=grid.values.size)
            if grid.missing
            else ""
        )
        held = words(", ").join(f"{told(n, words)} = {short(v, words)}" for n, v in grid.at.items())
        said += words(" Other axes: {held}.", held=held) if held else ""
        yield Chart(
            key=f"map-{number}",
            title=words("Map: {output}", output=told(output, words)),
            said=said.strip(),
            figure=figures_map.map_figure(grid, factors, words),
            table=grid.values.reset_index(),
        )
        if figures_map.has_contours(grid):
            yield Chart(
                key=f"contours-{number}",
                title=words("Contours: {output}", output=told(output, words)),
                said=words("The same values, between the cases by straight lines."),
                figure=figures_map.contour_figure(grid, factors, words),
                table=grid.values.reset_index(),
            )


def _every(found: Answers, factors: list[str], words: Language) -> Iterator[Chart]:
    if found.solved < 2 or found.curve is not None:
        return
    shown, left = figures_map.of_matrix(found.cases, found.axes, found.outputs)
    if len(shown) < 2:
        return
    said = words("Axes and outputs against each other, a point a case.")
    if len(found.cases) > figures_map.MOST_POINTS:
        drawn = len(figures_map.thinned(found.cases))
        said += " " + words("{drawn} of {n} cases are drawn, evenly chosen.", drawn=drawn,
                            n=len(found.cases))  # fmt: skip
    if left:
        said += " " + words("{n} more axes and outputs are in the table of cases only.", n=left)
    base: Any = found.baseline.get("case")
    yield Chart(
        key="matrix",
        title=words("Axes and outputs, each against each"),
        said=said,
        figure=figures_map.matrix_figure(
            found.cases, shown, found.axes, factors, words, None if base is None else int(base)
        ),
        table=found.cases[["case", *shown]],
    )
