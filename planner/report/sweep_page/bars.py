"""The bar charts of a sweep: the tornado and Sobol indices, as plain data for Plotly.

The label of a bar is above it, so that long paths fit on narrow screens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from planner.language.language import ENGLISH, Language
from planner.report.charts.style import (
    BLUE,
    GREY,
    INK,
    NUMBER,
    ORANGE,
    axis,
    frame,
    marker,
    note,
    text,
)
from planner.report.sweep_page.curves import PLAIN, Figure, upright, wrapped
from planner.report.sweep_page.words import axis_text, scaled, status_text, titled
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado

MAX_BARS = 30
BAR_PX, LINE_PX = 22, 17  # of a bar, and of a line of its name above it
LOOKS = {"low": (BLUE, ""), "high": (ORANGE, "/")}


def tornado_figure(
    tornado: Tornado, factors: Collection[str] = (), words: Language = ENGLISH
) -> Figure:
    """Bars from the base case to each end of every axis; an end without a plan is named."""
    rows = tornado.table.head(MAX_BARS).reset_index(drop=True)
    ends = rows[["output_low", "output_high", "output_base"]].to_numpy(dtype=float)
    divisor, unit, title = scaled(tornado.output, ends.ravel(), words)
    base = float(rows["output_base"].iloc[0]) / divisor
    changes = {end: rows[f"change_{end}"].to_numpy(dtype=float) / divisor for end in LOOKS}
    beside = np.sign(changes["low"]) * np.sign(changes["high"]) > 0  # both on one side
    names = _names(rows["axis"], factors, words)
    thick = _thickness(names)
    data = []
    for place, (end, look) in enumerate(LOOKS.items()):
        change = changes[end]
        lost = np.isnan(change)
        values = [axis_text(value, words) for value in rows[end]]
        texts = [
            text(
                words("{value}: {status}", value=value, status=status_text(status, words))
                if none
                else value
            )
            for value, status, none in zip(values, rows[f"status_{end}"], lost, strict=True)
        ]
        data.append({
            "type": "bar", "orientation": "h",
            "name": words("at the low end") if end == "low" else words("at the high end"),
            "y": np.arange(len(rows)), "x": np.where(lost, 0.0, change), "base": base,
            "width": np.where(beside, thick / 2, thick),
            "offset": np.where(beside, place * thick / 2, 0.0),
            "text": texts, "textposition": "outside", "cliponaxis": False,
            "marker": marker(look), "customdata": names,
            "hovertemplate": f"%{{customdata}}<br>%{{text}}: %{{x:{NUMBER}}} {unit}<extra></extra>",
        })  # fmt: skip
    reached = np.nan_to_num(ends / divisor, nan=base)
    room = 0.16 * (float(np.ptp(reached)) or abs(base) or 1.0)
    ends_x = [float(reached.min()) - room, float(reached.max()) + room]
    layout = _layout(names, axis(text(title), range=ends_x, nticks=6, **PLAIN))
    layout["shapes"] = [upright(base, INK)]
    return {"data": data, "layout": layout}


def indices_figure(
    indices: Indices, factors: Collection[str] = (), words: Language = ENGLISH
) -> Figure:
    """Bars of first- and total-order indices with their confidence."""
    rows = indices.table.head(MAX_BARS)
    names = _names(rows["axis"], factors, words)
    thick = _thickness(names)
    orders = (("first", words("first order"), "low"), ("total", words("total order"), "high"))
    data = [
        {
            "type": "bar", "orientation": "h", "name": name, "y": np.arange(len(rows)),
            "x": rows[kind].to_numpy(), "width": thick / 2, "offset": place * thick / 2,
            "marker": marker(LOOKS[look]),
            "error_x": {"type": "data", "array": rows[f"{kind}_confidence"].to_numpy(),
                        "color": GREY, "thickness": 1.5},
            "hovertemplate": f"%{{x:.3f}} ± %{{error_x.array:.3f}}<extra>{name}</extra>",
        }
        for place, (kind, name, look) in enumerate(orders)
    ]  # fmt: skip
    across = axis(words("share of the variance"), zeroline=True, nticks=6)
    return {"data": data, "layout": _layout(names, across)}


def _names(axes: Iterable[str], factors: Collection[str], words: Language) -> list[str]:
    return [wrapped(text(titled(str(n), words, factor=n in factors))) for n in axes]


def _thickness(names: Sequence[str]) -> float:
    """Return the share of a row that its bar takes; the rest is for the lines of its name."""
    lines = 1 + max((name.count("<br>") for name in names), default=0)
    return BAR_PX / (BAR_PX + LINE_PX * lines + 6)


def _layout(names: Sequence[str], across: dict[str, Any]) -> dict[str, Any]:
    """Return the layout of horizontal bars, each with its name above it."""
    thick = _thickness(names)
    ends = [len(names) - 1 + thick + 0.1, thick - 1]
    return frame(90 + round(BAR_PX / thick) * len(names), 2) | {
        "barmode": "overlay", "hovermode": "closest", "xaxis": across,
        "yaxis": axis(range=ends, showticklabels=False, showgrid=False, zeroline=False,
                      fixedrange=True),
        "annotations": [
            note(name, x=0, y=row, yref="y", font={"size": 12}) for row, name in enumerate(names)
        ],
    }  # fmt: skip
