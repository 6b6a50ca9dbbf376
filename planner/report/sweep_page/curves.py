"""The charts of a sweep over one axis or two outputs, as plain data for Plotly.

A point that is a case has its number as customdata: the page links it to the plan of the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import ENGLISH, Language
from planner.report.charts.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    NUMBER,
    ORANGE,
    VERMILLION,
    axis,
    frame,
    marker,
    note,
    text,
)
from planner.report.sweep_page.words import axis_text, scaled, status_text, titled
from planner.sweeps.analysis.case_table import BreakEvenCurve, Curve, is_number, numbers
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.pareto import Front

Figure = dict[str, Any]
PLAIN = {"exponentformat": "none", "separatethousands": True}
WIDE_RANGE = 20  # values this far apart are drawn on a logarithmic axis
MAX_TICKS = 12  # of such an axis, one at each value
LONG = 40  # characters of a name before it is wrapped


def wrapped(name: str) -> str:
    """Return an escaped name in lines that fit on a narrow screen."""
    if len(name) <= LONG:
        return name
    at = name.rfind(" [") if 0 < name.rfind(" [") <= LONG else name.rfind(".", 0, LONG)
    return name if at <= 0 else f"{name[: at + 1]}<br>{name[at + 1 :]}"


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
        "xaxis": axis(wrapped(text(title_x)), nticks=7, **PLAIN),
        "yaxis": axis(wrapped(text(title_y)), **PLAIN),
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


def along(values: Sequence[Any], words: Language) -> tuple[list[Any], dict[str, Any]]:
    """Return the values of an axis as a chart takes them, and the kind of its axis."""
    if not all(is_number(v) and v == v for v in values):
        return [text(axis_text(v, words)) for v in values], {"type": "category"}
    lowest, highest = min(values), max(values)
    if lowest > 0 and highest / lowest >= WIDE_RANGE:
        levels = sorted(set(values))
        ticks = {"tickvals": levels, "ticktext": [axis_text(v, words) for v in levels]}
        return list(values), {"type": "log", **(ticks if len(levels) <= MAX_TICKS else {})}
    return list(values), {"type": "linear", "nticks": 6, **PLAIN}


def curve_figure(
    curve: Curve,
    outputs: Sequence[str],
    words: Language = ENGLISH,
    *,
    factor: bool = False,
    base: Any = None,
) -> Figure:
    """The outputs along the only axis, one panel below the other; the base value is marked."""
    table = curve.table
    x, kind = along(table[curve.axis].tolist(), words)
    texts = [text(words("case {n}: {status}", n=n, status=status_text(s, words)))
             for n, s in zip(table["case"], table["status"], strict=True)]  # fmt: skip
    panel, above = 170, 30
    inner = (panel + above) * len(outputs)
    layout = frame(70 + inner)
    layout["margin"]["t"] = 4
    layout["xaxis"] = axis(text(titled(curve.axis, words, factor=factor)), **kind)
    data, notes, upper = [], [], 1.0
    for row, output in enumerate(outputs):
        values = numbers(table, output)
        divisor, unit, title = scaled(output, values, words)
        high = upper - above / inner
        upper = max(high - panel / inner, 0.0)
        layout[f"yaxis{nth(row)}"] = axis(text(unit), domain=[upper, high], nticks=6, **PLAIN)
        notes.append(note(f"<b>{text(title)}</b>", x=0, y=high, yshift=2))
        data.append({
            "type": "scatter", "mode": "lines+markers", "x": x, "y": values.to_numpy() / divisor,
            "yaxis": f"y{nth(row)}", "text": texts, "customdata": [int(n) for n in table["case"]],
            "marker": {"color": BLUE, "size": 8}, "line": {"color": BLUE, "width": 2},
            "hovertemplate": f"%{{x}}: %{{y:{NUMBER}}} {unit}<br>%{{text}}<extra></extra>",
            "showlegend": False,
        })  # fmt: skip
    layout["xaxis"]["anchor"] = f"y{nth(len(outputs) - 1)}"
    if base is not None and kind["type"] != "category" and is_number(base):
        layout["shapes"] = [upright(base, INK, dash="dot")]
        notes.append(note(words("base"), x=_on(base, kind), xref="x", y=1.0, yanchor="bottom",
                          xanchor="center", font={"size": 11}))  # fmt: skip
    return {"data": data, "layout": layout | {"annotations": notes, "hovermode": "closest"}}


def upright(x: float, colour: str, **line: str) -> dict[str, Any]:
    """Return a line across the whole plot at a value of the axis below."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colour, "width": 1.5, **line}}  # fmt: skip


def nth(k: int) -> str:
    """Return the suffix of the name of axis k, from 0: x, x2, x3."""
    return "" if k == 0 else str(k + 1)


def _on(value: float, kind: Mapping[str, Any]) -> float:
    """Return the position of an annotation, which logarithmic axes take as an exponent."""
    return float(np.log10(value)) if kind["type"] == "log" else float(value)


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


def break_even_figure(curve: BreakEvenCurve, words: Language = ENGLISH) -> Figure:
    """Both sides of the condition over the values solved."""
    search = curve.search
    points = sorted(search["points"], key=lambda point: point["value"])
    _, kind = along([point["value"] for point in points], words)
    kind = {key: value for key, value in kind.items() if key not in ("tickvals", "ticktext")}
    kind |= {"dtick": "D2"} if kind["type"] == "log" else {}
    data = []
    sides = (("left", BLUE, "circle", "solid"), ("right", ORANGE, "diamond", "dash"))
    for side, colour, symbol, dash in sides:
        known = [point for point in points if point[side] is not None]
        where = search["where"].split("=")[side == "right"].strip()
        name = text(words.known(where) or words.path(where))
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": name,
            "x": [point["value"] for point in known], "y": [point[side] for point in known],
            "marker": {"color": colour, "symbol": symbol, "size": 9},
            "line": {"color": colour, "dash": dash, "width": 2},
            "hovertemplate": f"%{{x}}: %{{y:{NUMBER}}}<extra>{name}</extra>",
        })  # fmt: skip
    layout = frame(400, 2) | {
        "hovermode": "closest",
        "xaxis": axis(text(titled(search["path"], words)), **kind),
        "yaxis": axis(words("both sides"), **PLAIN),
    }
    if (value := search["value"]) is not None:
        layout["shapes"] = [upright(value, VERMILLION, dash="dash")]
        layout["annotations"] = [
            note(f"<b>{text(axis_text(value, words))}</b>", x=_on(value, kind), xref="x", y=1.0,
                 xanchor="center", font={"color": INK})
        ]  # fmt: skip
    return {"data": data, "layout": layout}
