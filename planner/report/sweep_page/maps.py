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
from planner.report.charts.style import BLACK, BLUE, NUMBER, ORANGE, axis, frame, text
from planner.report.sweep_page.curves import PLAIN, Figure, along, nth, wrapped
from planner.report.sweep_page.words import axis_text, scaled, status_text, titled
from planner.sweeps.analysis.case_table import levels, numbers
from planner.sweeps.analysis.maps import Map

SCALE = "Cividis"
MAX_POINTS = 400  # of one small plot
MAX_QUANTITIES = 7  # of a matrix
MAX_LABELLED = 64  # places of a map whose values are written into it
MAP_PX, CELL_PX = 430, 150
MAX_IN_ROW = 8


def map_figure(grid: Map, factors: Collection[str] = (), words: Language = ENGLISH) -> Figure:
    """Heat map of two axes; places without a plan show their status."""
    values = grid.table.to_numpy(dtype=float)
    divisor, unit, title = scaled(grid.output, values.ravel(), words)
    z = values / divisor
    across, up = ([text(axis_text(v, words)) for v in side]
                  for side in (grid.table.columns, grid.table.index))  # fmt: skip
    heat = {
        "type": "heatmap", "z": z, "x": across, "y": up, "xgap": 1, "ygap": 1,
        "hoverongaps": False, **_coloured(title),
        "hovertemplate": f"%{{x}}, %{{y}}: %{{z:{NUMBER}}} {unit}<extra></extra>",
    }  # fmt: skip
    if z.size <= MAX_LABELLED and max(z.shape) <= MAX_IN_ROW:
        heat["texttemplate"] = f"%{{z:{NUMBER}}}"
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


def contour_figure(grid: Map, factors: Collection[str] = (), words: Language = ENGLISH) -> Figure:
    """Contours over two axes of numbers, drawn to scale."""
    values = grid.table.to_numpy(dtype=float)
    divisor, unit, title = scaled(grid.output, values.ravel(), words)
    data = [{
        "type": "contour", "z": values / divisor, "x": list(grid.table.columns),
        "y": list(grid.table.index), **_coloured(title), "connectgaps": False,
        "contours": {"showlabels": True, "coloring": "heatmap",
                     "labelfont": {"size": 12, "color": "#ffffff"}},
        "line": {"color": "rgba(255,255,255,0.8)", "width": 1},
        "hovertemplate": f"%{{x}}, %{{y}}: %{{z:{NUMBER}}} {unit}<extra></extra>",
    }]  # fmt: skip
    kinds = [along(list(side), words)[1] for side in (grid.table.columns, grid.table.index)]
    return {"data": data, "layout": _over(grid, factors, words, kinds)}


def has_contours(grid: Map) -> bool:
    """Return whether contours show more than the heat map: several numbers on both axes."""
    return grid.numeric and min(grid.table.shape) > 2 and grid.missing < grid.table.size / 2


def _coloured(title: str) -> dict[str, Any]:
    """Return the colours of a map and the bar above it that explains them."""
    return {"colorscale": SCALE, "colorbar": {
        "title": {"text": text(title), "side": "top", "font": {"size": 12}}, "thickness": 14,
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
        title = wrapped(text(titled(name, words, factor=name in factors)))
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
    values, kinds, titles = {}, {}, {}
    for name in names:
        if name in axes:
            values[name], kinds[name] = along(plotted[name].tolist(), words)
            kinds[name].pop("tickvals", None), kinds[name].pop("ticktext", None)
            titles[name] = text(titled(name, words, factor=name in factors))
        else:
            divisor, _, title = scaled(name, numbers(cases, name), words)
            values[name], kinds[name] = (numbers(plotted, name) / divisor).tolist(), dict(PLAIN)
            titles[name] = text(title)
    layout = frame(90 + CELL_PX * count, 1 + (base is not None))
    layout["hovermode"] = "closest"
    gap = 0.03 if count > 1 else 0.0
    size = (1 - gap * (count - 1)) / count
    for k in range(count):
        low = k * (size + gap)
        x, y = names[k], names[k + 1]
        layout[f"xaxis{nth(k)}"] = axis(
            _folded(titles[x]), domain=[low, low + size], anchor=f"y{nth(count - 1)}",
            **kinds[x] | {"nticks": 4},
        )  # fmt: skip
        layout[f"yaxis{nth(k)}"] = axis(
            _folded(titles[y]), domain=[max(1 - low - size, 0.0), 1 - low], anchor="x",
            **kinds[y] | {"nticks": 4},
        )  # fmt: skip
    data: list[dict[str, Any]] = []
    case_numbers = [int(n) for n in plotted["case"]]
    is_base = np.array(case_numbers) == (-1 if base is None else base)
    groups = [(~is_base, words("cases"), BLUE, "circle", 6)]
    if base is not None:
        groups.append((is_base, words("base case"), ORANGE, "diamond", 11))
    for belongs, name, colour, symbol, px in groups:
        places = np.flatnonzero(belongs)
        labels = [text(words("case {n}", n=case_numbers[i])) for i in places]
        for row in range(count):
            for column in range(row + 1):
                x, y = names[column], names[row + 1]
                data.append({
                    "type": "scatter", "mode": "markers", "name": name, "legendgroup": name,
                    "showlegend": row == 0, "xaxis": f"x{nth(column)}", "yaxis": f"y{nth(row)}",
                    "x": [values[x][i] for i in places], "y": [values[y][i] for i in places],
                    "marker": {"color": colour, "symbol": symbol, "size": px,
                               "opacity": 0.65 if px < 9 else 1,
                               "line": {"width": 1, "color": colour if px < 9 else BLACK}},
                    "customdata": [case_numbers[i] for i in places], "text": labels,
                    "hovertemplate": f"%{{text}}<br>{titles[x]}: %{{x}}<br>{titles[y]}: %{{y}}"
                                     "<extra></extra>",
                })  # fmt: skip
    return {"data": data, "layout": layout}


def _folded(title: str, most: int = 22) -> str:
    """Return a title in lines short enough for a small plot."""
    lines = [""]
    for part in title.replace(".", ".\n").replace("_", "_\n").replace(" [", "\n[").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > most:
            lines.append("")
        lines[-1] += part
    return "<br>".join(lines)
