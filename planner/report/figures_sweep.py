"""The charts of a sweep as Plotly figures; a page puts them side by side, another may style them.

Colours are those of Okabe and Ito, which people with any colour vision tell apart, and Cividis.
Every text that comes from a file is escaped: Plotly reads a little HTML.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planner.answers.cases import is_number, numbers
from planner.answers.indices import Indices
from planner.answers.maps import Map
from planner.language import ENGLISH, Language
from planner.report.sweep_words import heading
from planner.units import unit

BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
SCALE = "Cividis"
MOST_POINTS = 600  # of one scatter; more are thinned evenly, and the title says so
MOST_BARS = 30
ROW_PX = 30


def titled(name: str, words: Language = ENGLISH, *, factor: bool = False) -> str:
    """Return the name of an output or axis with its unit, escaped."""
    parts = name.split(".")
    own = parts[2:] if parts[0] in ("components", "figures") else parts
    last = own[-1:] if own else parts[-1:]
    inner = own[-2::-1] if parts[0] == "components" else parts[:1]
    found = next((u for part in [*last, *inner] if (u := unit(part))), None)
    found = words("times the base") if factor else words(found or "")
    text = html.escape(heading(name, words))
    return f"{text} [{found}]" if found else text


def tornado_figure(
    table: pd.DataFrame, output: str, factors: Sequence[str] = (), words: Language = ENGLISH
) -> go.Figure:
    """Bars from the base case to each end of every axis; an end without a plan is named."""
    shown = table.head(MOST_BARS).iloc[::-1]
    base = float(table["output_base"].iloc[0])
    names = [titled(axis, words, factor=axis in factors) for axis in shown["axis"]]
    figure = go.Figure()
    ends = {"low": words("at the low end"), "high": words("at the high end")}
    for end, colour in (("low", BLUE), ("high", ORANGE)):
        changes = shown[f"change_{end}"].to_numpy(dtype=float)
        values = [_short(value, words) for value in shown[end]]
        lost = np.isnan(changes)
        texts = [
            f"{value}: {html.escape(_ended(status, words))}" if none else value
            for value, status, none in zip(values, shown[f"status_{end}"], lost, strict=True)
        ]
        figure.add_bar(
            y=names, x=np.where(lost, 0.0, changes), base=base, orientation="h", text=texts,
            name=ends[end], marker_color=colour, textposition="outside",
            hovertemplate="%{y}<br>%{text}: %{x}<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    figure.add_vline(x=base, line_color=GREY)
    figure.update_layout(barmode="overlay", height=160 + ROW_PX * len(shown))
    return _framed(figure, x=titled(output, words), y="")


def map_figure(found: Map, factors: Sequence[str] = (), words: Language = ENGLISH) -> go.Figure:
    """Heat map of two axes, with contours where both hold numbers; empty where there is no plan."""
    values = found.values.to_numpy()
    x, y = ([_short(v, words) for v in side] for side in (found.values.columns, found.values.index))
    bar = {"title": {"text": titled(found.output, words), "side": "right"}}
    contours = found.numeric and min(values.shape) > 1 and not np.isnan(values).all()
    figure = make_subplots(cols=2, horizontal_spacing=0.12) if contours else go.Figure()
    texts = found.statuses.map(lambda status: _ended(status, words)).to_numpy()
    heat = go.Heatmap(
        z=values, x=x, y=y, colorscale=SCALE, colorbar=bar, text=texts,
        hovertemplate="%{x}, %{y}: %{z}<br>%{text}<extra></extra>", hoverongaps=True,
    )  # fmt: skip
    axes = {"x": titled(found.x, words, factor=found.x in factors),
            "y": titled(found.y, words, factor=found.y in factors)}  # fmt: skip
    if not contours:
        figure.add_trace(heat)
        figure.update_xaxes(type="category")
        figure.update_yaxes(type="category")
        return _framed(figure, **axes)
    figure.add_trace(heat, row=1, col=1)
    lines = go.Contour(
        z=values, x=list(found.values.columns), y=list(found.values.index), colorscale=SCALE,
        showscale=False, contours={"showlabels": True}, connectgaps=False,
        hovertemplate="%{x}, %{y}: %{z}<extra></extra>",
    )  # fmt: skip
    figure.add_trace(lines, row=1, col=2)
    figure.update_xaxes(type="category", row=1, col=1)
    figure.update_yaxes(type="category", row=1, col=1)
    _framed(figure, **axes)
    figure.update_xaxes(title_text=axes["x"])
    return figure


def indices_figure(found: Indices, words: Language = ENGLISH) -> go.Figure:
    """Bars of first- and total-order indices with their confidence."""
    shown = found.table.head(MOST_BARS)
    names = [titled(axis, words) for axis in shown["axis"]]
    figure = go.Figure()
    orders = {"first": words("first order"), "total": words("total order")}
    for kind, colour in (("first", BLUE), ("total", ORANGE)):
        figure.add_bar(
            x=names, y=shown[kind], name=orders[kind], marker_color=colour,
            error_y={"type": "data", "array": shown[f"{kind}_confidence"], "color": GREY},
        )  # fmt: skip
    figure.update_layout(barmode="group", height=520)
    y = words("share of the variance of {output}", output=titled(found.output, words))
    return _framed(figure, x="", y=y)


def pareto_figure(
    cases: pd.DataFrame,
    front: pd.DataFrame,
    directions: Mapping[str, str],
    words: Language = ENGLISH,
) -> go.Figure:
    """All cases by two outputs, and the front."""
    first, second = directions
    all_x, all_y = numbers(cases, second), numbers(cases, first)
    figure = go.Figure()
    for x, y, number, mode, colour, name, symbol in (
        (all_x, all_y, cases["case"], "markers", GREY, words("cases"), "circle"),
        (
            front[second],
            front[first],
            front["case"],
            "lines+markers",
            VERMILLION,
            words("front"),
            "diamond",
        ),
    ):
        figure.add_scatter(
            x=x, y=y, mode=mode, name=name, text=[words("case {n}", n=n) for n in number],
            marker={"color": colour, "size": 8, "symbol": symbol},
            hovertemplate="%{text}<br>%{x}, %{y}<extra></extra>",
        )  # fmt: skip
    ways = {"min": words("minimal"), "max": words("maximal")}
    wanted = {name: f"{titled(name, words)}{words(', ')}{ways[way]}"
              for name, way in directions.items()}  # fmt: skip
    return _framed(figure, x=wanted[second], y=wanted[first])


def curve_figure(
    curve: pd.DataFrame,
    axis: str,
    outputs: Sequence[str],
    words: Language = ENGLISH,
    *,
    factor: bool,
) -> go.Figure:
    """The outputs along the only axis, one chart below the other."""
    figure = make_subplots(rows=len(outputs), cols=1, shared_xaxes=True, vertical_spacing=0.06)
    x = curve[axis].tolist()
    texts = [words("case {n}: {status}", n=n, status=_ended(s, words))
             for n, s in zip(curve["case"], curve["status"], strict=True)]  # fmt: skip
    for row, output in enumerate(outputs, start=1):
        y = numbers(curve, output)
        line = go.Scatter(
            x=x if all(map(is_number, x)) else [_short(v, words) for v in x], y=y,
            mode="lines+markers",
            marker_color=BLUE, text=texts,
            hovertemplate="%{x}: %{y}<br>%{text}<extra></extra>", showlegend=False,
        )  # fmt: skip
        figure.add_trace(line, row=row, col=1)
        figure.update_yaxes(title_text=titled(output, words), row=row, col=1)
    figure.update_layout(height=140 + 260 * len(outputs))
    _framed(figure)
    figure.update_xaxes(title_text=titled(axis, words, factor=factor), row=len(outputs), col=1)
    return figure


def cost_figure(table: pd.DataFrame, words: Language = ENGLISH) -> go.Figure:
    """Cost of each further MWh of renewable supply, over the share reached."""
    known = table.dropna(subset=["cost_cny_per_mwh"])
    figure = go.Figure()
    for hidden, colour, name in (
        (False, GREEN, words("cost")),
        (True, GREY, words("hidden by the solver's gap")),
    ):
        part = known[known["hidden"] == hidden]
        figure.add_bar(
            x=part["share"] - part["points"] / 200, width=part["points"] / 100, name=name,
            y=part["cost_cny_per_mwh"], marker_color=colour,
            text=[words("case {n}", n=n) for n in part["to_case"]],
            hovertemplate=f"%{{text}}: %{{y}} {words('CNY/MWh')}<extra></extra>",
        )  # fmt: skip
    x = words("renewable share of what load and compute draw [0..1]")
    return _framed(figure, x=x, y=words("cost of a further MWh of renewable energy [CNY/MWh]"))


def break_even_figure(found: Mapping[str, Any], words: Language = ENGLISH) -> go.Figure:
    """Both sides of the condition over the values that were solved."""
    points = sorted(found["points"], key=lambda point: point["value"])
    figure = go.Figure()
    for side, colour, symbol in (("left", BLUE, "circle"), ("right", ORANGE, "diamond")):
        known = [point for point in points if point[side] is not None]
        figure.add_scatter(
            x=[point["value"] for point in known], y=[point[side] for point in known],
            mode="lines+markers", marker={"color": colour, "symbol": symbol},
            name=html.escape(found["where"].split("=")[side == "right"].strip()),
        )  # fmt: skip
    if found["value"] is not None:
        figure.add_vline(x=found["value"], line_color=VERMILLION, line_dash="dash")
    return _framed(figure, x=titled(found["path"], words), y=words("both sides"))


def scatter_figure(
    cases: pd.DataFrame,
    axes: Sequence[str],
    output: str,
    factors: Sequence[str],
    words: Language = ENGLISH,
) -> go.Figure:
    """The output over every axis, a small chart each; what many cases look like."""
    thinned = cases.iloc[:: max(1, -(-len(cases) // MOST_POINTS))]
    columns = min(3, len(axes))
    rows = -(-len(axes) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, vertical_spacing=min(0.12, 0.5 / rows)
    )
    y = numbers(thinned, output)
    for place, axis in enumerate(axes):
        where = {"row": place // columns + 1, "col": place % columns + 1}
        x = thinned[axis].tolist()
        dots = go.Scatter(
            x=x if all(map(is_number, x)) else [_short(v, words) for v in x], y=y, mode="markers",
            marker={"color": BLUE, "size": 5, "opacity": 0.5}, showlegend=False,
            text=[words("case {n}", n=n) for n in thinned["case"]],
            hovertemplate="%{text}<br>%{x}: %{y}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(dots, **where)
        figure.update_xaxes(title_text=titled(axis, words, factor=axis in factors), **where)
    for row in range(1, rows + 1):
        figure.update_yaxes(title_text=titled(output, words), row=row, col=1)
    figure.update_layout(height=100 + 280 * rows)
    return _framed(figure)


def _framed(figure: go.Figure, x: str | None = None, y: str | None = None) -> go.Figure:
    """Give a figure what all have in common."""
    figure.update_layout(
        template="plotly_white", margin={"l": 60, "r": 30, "t": 30, "b": 60},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        font={"family": "system-ui, sans-serif", "size": 13},
    )  # fmt: skip
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    if x is not None:
        figure.update_xaxes(title_text=x)
    if y is not None:
        figure.update_yaxes(title_text=y, col=1) if figure._grid_ref else figure.update_yaxes(
            title_text=y
        )
    return figure


def _ended(status: Any, words: Language) -> str:
    """Return how a case ended, as its table says it in English, in words elsewhere."""
    return words.known(str(status)) or str(status)


def _short(value: Any, words: Language) -> str:
    """Return a value of an axis as a short text, escaped."""
    if is_number(value):
        return words("as in the base") if value != value else f"{value:.6g}"
    return html.escape(words("as in the base") if value is None else str(value))
