"""The charts of a sweep with every case: heat maps with contours, and the scatter matrix.

The matrix plots axes and outputs against each other, a small plot for each pair. The policy of the
page excludes WebGL, so of many cases an even selection is plotted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import ENGLISH, Language
from planner.report.charts.style import (
    BLACK,
    BLUE,
    NUMBER,
    ORANGE,
    PLAIN,
    axis,
    folded,
    frame,
    nth,
    text,
)
from planner.report.sweep_page.axis_scale import WIDEST, AxisScale, axis_scale
from planner.report.sweep_page.curves import Figure
from planner.report.sweep_page.words import axis_text, scaled, status_text, titled
from planner.sweeps.analysis.case_table import levels, numbers
from planner.sweeps.analysis.maps import Map

SCALE = [[0, "#f3f6fa"], [0.5, "#a3c6e4"], [1, "#3f8fc8"]]  # light: dark numbers stand on it
DARK = "#101418"
MAX_POINTS = 400  # of one small plot
MAX_QUANTITIES = 7  # of a matrix
MAX_LABELLED = 64  # places of a map whose values are written into it
MAP_PX, CELL_PX = 430, 150
MAX_IN_ROW = 8
IN_CELL, CELL_COLUMNS = 4, 22  # ticks of a small plot, and columns of its titles


def map_figure(grid: Map, factors: Collection[str] = (), words: Language = ENGLISH) -> Figure:
    """Heat map of two axes; places without a plan show their status."""
    values = grid.table.to_numpy(dtype=float)
    divisor, unit, _ = scaled(grid.output, values.ravel(), words)
    z = values / divisor
    across, up = ([text(axis_text(v, words)) for v in side]
                  for side in (grid.table.columns, grid.table.index))  # fmt: skip
    heat = {
        "type": "heatmap", "z": z, "x": across, "y": up, "xgap": 1, "ygap": 1,
        "hoverongaps": False, **_coloured(unit),
        "hovertemplate": f"%{{x}}, %{{y}}: %{{z:{NUMBER}}} {unit}<extra></extra>",
    }  # fmt: skip
    if z.size <= MAX_LABELLED and max(z.shape) <= MAX_IN_ROW:
        heat |= {"texttemplate": f"%{{z:{NUMBER}}}", "textfont": {"color": DARK}}
    data = [heat]
    lost = np.argwhere(np.isnan(z))
    if len(lost):
        statuses = grid.statuses.to_numpy()
        labels = [status_text(statuses[i, j], words) or words("no case") for i, j in lost]
        data.append({
            "type": "scatter", "mode": "text" if len(lost) <= MAX_LABELLED else "markers",
            "x": [across[j] for _, j in lost], "y": [up[i] for i, _ in lost],
            "text": [f"✗ {text(label)}" for label in labels],
            "marker": {"symbol": "x", "color": BLACK},
            "hovertemplate": "%{x}, %{y}: %{text}<extra></extra>", "showlegend": False,
        })  # fmt: skip
    kinds = [{"type": "category", "categoryarray": names} for names in (across, up)]
    return {"data": data, "layout": _over(grid, factors, words, kinds)}


def map_scales(grid: Map, words: Language) -> tuple[AxisScale, AxisScale]:
    """Return the scales of the two axes of contours."""
    across, up = (axis_scale(list(side), words) for side in (grid.table.columns, grid.table.index))
    return across, up


def contour_figure(grid: Map, factors: Collection[str] = (), words: Language = ENGLISH) -> Figure:
    """Contours over two axes of numbers, drawn to scale."""
    values = grid.table.to_numpy(dtype=float)
    divisor, unit, _ = scaled(grid.output, values.ravel(), words)
    scales = map_scales(grid, words)
    columns, rows = (list(side) for side in (grid.table.columns, grid.table.index))
    data = [{
        "type": "contour", "z": values / divisor, "x": scales[0].places(columns, words),
        "y": scales[1].places(rows, words), **_coloured(unit), "connectgaps": False,
        "contours": {"showlabels": True, "coloring": "heatmap",
                     "labelfont": {"size": 12, "color": DARK}},
        "line": {"color": "rgba(16,20,24,0.6)", "width": 1},
        "text": [[f"{axis_text(x, words)}, {axis_text(y, words)}" for x in columns] for y in rows],
        "hovertemplate": f"%{{text}}: %{{z:{NUMBER}}} {unit}<extra></extra>",
    }]  # fmt: skip
    layout = _over(grid, factors, words, [one.axis for one in scales])
    layout["margin"]["r"] = scales[0].room_px
    return {"data": data, "layout": layout}


def has_contours(grid: Map) -> bool:
    """Return whether contours show more than the heat map: several numbers on both axes."""
    return grid.numeric and min(grid.table.shape) > 2 and grid.missing < grid.table.size / 2


def _coloured(unit: str) -> dict[str, Any]:
    """Return the colours of a map and the bar above it that explains them."""
    return {"colorscale": SCALE, "colorbar": {
        "title": {"text": text(unit), "side": "top", "font": {"size": 12}}, "thickness": 14,
        "len": 1.0, "orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.5, "nticks": 5,
        **PLAIN,
    }}  # fmt: skip


def _over(
    grid: Map, factors: Collection[str], words: Language, kinds: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return the layout of a chart over the two axes of a map."""
    layout = frame(MAP_PX)
    layout["margin"]["t"] = 80
    layout["hovermode"] = "closest"
    for letter, name, kind in zip("xy", (grid.x, grid.y), kinds, strict=True):
        title = folded(titled(name, words, factor=name in factors), WIDEST)
        layout[f"{letter}axis"] = axis(title, showgrid=False, zeroline=False, **kind)
        if letter == "x":
            layout["xaxis"]["title"]["standoff"] = 30
    return layout


def of_matrix(
    cases: pd.DataFrame, axes: Sequence[str], outputs: Sequence[str]
) -> tuple[list[str], int]:
    """Return the quantities of a matrix, and the number of those left out.

    Axes and outputs that never change are not among them; half the room is for axes.
    """
    varying = [name for name in axes if len(levels(cases[name])) > 1]
    changing = [name for name in outputs if numbers(cases, name).nunique() > 1]
    room = max(MAX_QUANTITIES - len(changing), MAX_QUANTITIES // 2 + 1)
    names = varying[:room]
    names = changing[: MAX_QUANTITIES - len(names)] + names
    return names, len(varying) + len(changing) - len(names)


def thinned(cases: pd.DataFrame) -> pd.DataFrame:
    """Return every n-th case, `MAX_POINTS` at most."""
    return cases.iloc[:: max(1, -(-len(cases) // MAX_POINTS))]


def matrix_scale(cases: pd.DataFrame, name: str, words: Language) -> AxisScale:
    """Return the scale of an axis of a sweep in a small plot."""
    return axis_scale(cases[name].tolist(), words, IN_CELL)


def matrix_figure(
    cases: pd.DataFrame,
    names: Sequence[str],
    axes: Sequence[str],
    factors: Collection[str] = (),
    words: Language = ENGLISH,
    base: int | None = None,
) -> Figure:
    """A small plot for each pair of quantities; `base` is the number of the base case."""
    plotted = thinned(cases)
    if base is not None and base not in set(plotted["case"]):
        plotted = pd.concat([plotted, cases[cases["case"] == base]])
    count = len(names) - 1
    case_numbers = [int(n) for n in plotted["case"]]
    labels = [text(words("case {n}", n=n)) for n in case_numbers]
    values, kinds, titles, hovers = {}, {}, {}, {}
    for name in names:
        if name in axes:
            scale, tried = matrix_scale(plotted, name, words), plotted[name].tolist()
            values[name], kinds[name] = scale.places(tried, words), scale.axis
            titles[name] = titled(name, words, factor=name in factors)
        else:
            scale = None
            divisor, _, title = scaled(name, numbers(cases, name), words)
            values[name] = (numbers(plotted, name) / divisor).tolist()
            kinds[name], titles[name] = PLAIN | {"nticks": IN_CELL}, title
        hovers[name] = f"<br>{text(titles[name])}: "
        if scale is not None and scale.kind == "around_zero":  # its places are not its values
            hovers[name] = ""
            labels = [f"{label}<br>{text(titles[name])}: {axis_text(value, words)}"
                      for label, value in zip(labels, tried, strict=True)]  # fmt: skip
    layout = frame(90 + CELL_PX * count, 1 + (base is not None))
    layout["hovermode"] = "closest"
    layout["margin"]["r"] = 40  # a title may be wider than the last plot
    gap = 0.03 if count > 1 else 0.0
    size = (1 - gap * (count - 1)) / count
    for k in range(count):
        low = k * (size + gap)
        x, y = names[k], names[k + 1]
        layout[nth("xaxis", k + 1)] = axis(
            folded(titles[x], CELL_COLUMNS), domain=[low, low + size], anchor=nth("y", count),
            **kinds[x],
        )  # fmt: skip
        layout[nth("yaxis", k + 1)] = axis(
            folded(titles[y], CELL_COLUMNS), domain=[max(1 - low - size, 0.0), 1 - low], anchor="x",
            **kinds[y],
        )  # fmt: skip
    data: list[dict[str, Any]] = []
    is_base = np.array(case_numbers) == (-1 if base is None else base)
    groups = [(~is_base, words("cases"), BLUE, "circle", 6)]
    if base is not None:
        groups.append((is_base, words("base case"), ORANGE, "diamond", 11))
    for belongs, name, colour, symbol, px in groups:
        places = np.flatnonzero(belongs)
        for row in range(count):
            for column in range(row + 1):
                x, y = names[column], names[row + 1]
                data.append({
                    "type": "scatter", "mode": "markers", "name": name, "legendgroup": name,
                    "showlegend": row == 0,
                    "xaxis": nth("x", column + 1), "yaxis": nth("y", row + 1),
                    "x": [values[x][i] for i in places], "y": [values[y][i] for i in places],
                    "marker": {"color": colour, "symbol": symbol, "size": px,
                               "opacity": 0.65 if px < 9 else 1,
                               "line": {"width": 1, "color": colour if px < 9 else BLACK}},
                    "customdata": [case_numbers[i] for i in places],
                    "text": [labels[i] for i in places],
                    "hovertemplate": "%{text}" + (hovers[x] and hovers[x] + "%{x}")
                                     + (hovers[y] and hovers[y] + "%{y}") + "<extra></extra>",
                })  # fmt: skip
    return {"data": data, "layout": layout}
