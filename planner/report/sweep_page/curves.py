"""The charts of a sweep over one axis or two outputs, as plain data for Plotly.

A point that is a case has its number as customdata: the page links it to the plan of the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from planner.language.language import ENGLISH, Language
from planner.report.charts.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    NUMBER,
    ORANGE,
    PLAIN,
    VERMILLION,
    axis,
    folded,
    frame,
    marker,
    note,
    nth,
    text,
)
from planner.report.sweep_page.axis_scale import WIDEST, AxisScale, axis_scale
from planner.report.sweep_page.words import axis_text, measured, scaled, status_text, titled
from planner.sweeps.analysis.case_table import AxisCurve, BreakEvenCurve, is_number, numbers
from planner.sweeps.analysis.condition import ALIASES
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.pareto import Front

Figure = dict[str, Any]
MOST_SOLVED = 6  # values of a break-even that have a tick each


def pareto_figure(cases: pd.DataFrame, front: Front, words: Language = ENGLISH) -> Figure:
    """All cases by two outputs, and the front."""
    first, second = front.ways
    by_x, _, title_x = scaled(second, numbers(cases, second), words)
    by_y, _, title_y = scaled(first, numbers(cases, first), words)
    line = front.table.sort_values(second, kind="stable")
    cloud = {"color": "rgba(119,119,119,0.55)", "size": 8, "symbol": "circle"}
    edge = {"color": VERMILLION, "size": 10, "symbol": "diamond"}
    data = [
        _points(table, words) | {
            "x": numbers(table, second).to_numpy() / by_x,
            "y": numbers(table, first).to_numpy() / by_y, "mode": mode, "name": name,
            "marker": look, "line": {"color": VERMILLION, "width": 1.5},
        }
        for table, mode, name, look in (
            (cases, "markers", words("cases"), cloud),
            (line, "lines+markers", words("front"), edge),
        )
    ]  # fmt: skip
    layout = frame(430, 2) | {
        "hovermode": "closest",
        "xaxis": axis(folded(title_x, WIDEST), nticks=7, **PLAIN),
        "yaxis": axis(folded(title_y, WIDEST), **PLAIN),
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _points(cases: pd.DataFrame, words: Language) -> dict[str, Any]:
    """Return points that are cases."""
    case_numbers = [int(n) for n in cases["case"]]
    return {
        "type": "scatter", "customdata": case_numbers,
        "text": [words("case {n}", n=n) for n in case_numbers],
        "hovertemplate": f"%{{text}}<br>%{{x:{NUMBER}}}, %{{y:{NUMBER}}}<extra></extra>",
    }  # fmt: skip


def curve_scale(curve: AxisCurve, words: Language) -> AxisScale:
    """Return the scale of the axis of a curve."""
    return axis_scale(curve.table[curve.axis].tolist(), words)


def curve_figure(
    curve: AxisCurve,
    outputs: Sequence[str],
    words: Language = ENGLISH,
    *,
    factor: bool = False,
    base: Any = None,
) -> Figure:
    """The outputs along the only axis, one panel below the other; the base value is dotted."""
    table, scale = curve.table, curve_scale(curve, words)
    tried = table[curve.axis].tolist()
    texts = [text(words("case {n}: {status}", n=n, status=status_text(s, words)))
             for n, s in zip(table["case"], table["status"], strict=True)]  # fmt: skip
    texts = [f"{text(axis_text(x, words))}<br>{of}" for x, of in zip(tried, texts, strict=True)]
    marked = is_marked(base, scale)
    panel, above = 170, 30
    inner = (panel + above) * len(outputs)
    layout = frame(70 + inner)
    layout["margin"] |= {"t": 4, "r": scale.room_px}
    title = folded(titled(curve.axis, words, factor=factor), WIDEST)
    layout["xaxis"] = axis(title, **scale.axis)
    data, notes, shapes, upper = [], [], [], 1.0
    for row, output in enumerate(outputs):
        values = numbers(table, output)
        divisor, unit, _ = scaled(output, values, words)
        high = upper - above / inner
        upper = max(high - panel / inner, 0.0)
        layout[nth("yaxis", row + 1)] = axis(text(unit), domain=[upper, high], nticks=6, **PLAIN)
        notes.append(note(f"<b>{text(words.path(output))}</b>", x=0, y=high, yshift=2))
        data.append({
            "type": "scatter", "mode": "lines+markers", "x": scale.places(tried, words),
            "y": values.to_numpy() / divisor,
            "yaxis": nth("y", row + 1), "text": texts,
            "customdata": [int(n) for n in table["case"]],
            "marker": {"color": BLUE, "size": 8}, "line": {"color": BLUE, "width": 2},
            "hovertemplate": f"%{{text}}<br>%{{y:{NUMBER}}} {unit}<extra></extra>",
            "showlegend": False,
        })  # fmt: skip
        if marked:
            shapes.append(upright(scale.upright(base), INK, (upper, high), dash="dot"))
    layout["xaxis"]["anchor"] = nth("y", len(outputs))
    layout |= {"annotations": notes, "shapes": shapes, "hovermode": "closest"}
    return {"data": data, "layout": layout}


def is_marked(base: Any, scale: AxisScale) -> bool:
    """Return whether a base value can be marked on an axis."""
    return base is not None and scale.kind != "category" and is_number(base) and base == base


def upright(
    x: float, colour: str, part: tuple[float, float] = (0, 1), **line: str
) -> dict[str, Any]:
    """Return a line at a value of the axis below, across the plot or a part of its height."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": part[0], "y1": part[1],
            "line": {"color": colour, "width": 1.5, **line}}  # fmt: skip


def cost_figure(curve: CostCurve, words: Language = ENGLISH) -> Figure:
    """Cost of each further MWh of renewable supply, over the share reached."""
    known = curve.table.dropna(subset=["cost_cny_per_mwh"])
    data = []
    unit = words("CNY/MWh")
    looks = (
        (False, GREEN, "", words("cost")),
        (True, GREY, "x", words("hidden by the solver's gap")),
    )
    for hidden, colour, shape, name in looks:
        part = known[known["hidden"] == hidden]
        if part.empty:
            continue
        data.append({
            "type": "bar", "name": name,
            "x": (part["share"] - part["points"] / 200).to_numpy() * 100,
            "width": part["points"].to_numpy(), "y": part["cost_cny_per_mwh"].to_numpy(),
            "marker": marker((colour, shape)), "customdata": [int(n) for n in part["to_case"]],
            "text": [words("case {n}", n=n) for n in part["to_case"]], "textposition": "none",
            "hovertemplate": f"%{{text}}: %{{y:{NUMBER}}} {unit}<extra></extra>",
        })  # fmt: skip
    layout = frame(400, len(data)) | {
        "barmode": "overlay", "hovermode": "closest",
        "xaxis": axis(words("renewable share of what load and compute draw [%]"), nticks=7),
        "yaxis": axis(unit, zeroline=True, **PLAIN),
    }  # fmt: skip
    return {"data": data, "layout": layout}


def break_even_scale(curve: BreakEvenCurve, words: Language) -> AxisScale:
    """Return the scale of the axis of a break-even; its values crowd where the sides meet."""
    return axis_scale([point["value"] for point in curve.search["points"]], words, MOST_SOLVED)


def break_even_figure(curve: BreakEvenCurve, words: Language = ENGLISH) -> Figure:
    """Both sides of the condition over the values solved."""
    search, scale = curve.search, break_even_scale(curve, words)
    points = sorted(search["points"], key=lambda point: point["value"])
    data, units = [], set()
    looks = (("left", BLUE, "circle", "solid"), ("right", ORANGE, "diamond", "dash"))
    for (side, colour, symbol, dash), where in zip(looks, sides_of(search), strict=True):
        known = [point for point in points if point[side] is not None]
        name = text(side_label(where, words))
        units |= {words(unit) for unit in [measured(ALIASES.get(where, where))] if unit}
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": name,
            "x": scale.places([point["value"] for point in known], words),
            "y": [point[side] for point in known],
            "text": [text(axis_text(point["value"], words)) for point in known],
            "marker": {"color": colour, "symbol": symbol, "size": 9},
            "line": {"color": colour, "dash": dash, "width": 2},
            "hovertemplate": f"%{{text}}: %{{y:{NUMBER}}}<extra>{name}</extra>",
        })  # fmt: skip
    layout = frame(400, 2)
    layout["margin"]["r"] = scale.room_px
    both = units.pop() if len(units) == 1 else words("both sides")
    layout |= {
        "hovermode": "closest",
        "xaxis": axis(folded(titled(search["path"], words), WIDEST), **scale.axis),
        "yaxis": axis(both, **PLAIN),
    }
    if (value := search["value"]) is not None:
        layout["shapes"] = [upright(scale.upright(value), VERMILLION, dash="dash")]
        layout["annotations"] = [
            note(f"<b>{text(axis_text(value, words))}</b>", x=scale.annotated(value), xref="x",
                 y=1.0, xanchor="center", font={"color": INK})
        ]  # fmt: skip
    return {"data": data, "layout": layout}


def sides_of(search: Mapping[str, Any]) -> list[str]:
    """Return the two sides of the condition of a break-even."""
    return [side.strip() for side in search["where"].split("=")]


def side_label(side: str, words: Language) -> str:
    """Return one side of a condition in words."""
    return words.known(side) or words.path(side)
