"""The bar charts of a sweep: the tornado and Sobol indices, as plain data for Plotly.

The label of a bar is above it, so that long names fit on narrow screens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len

from planner.language.language import ENGLISH, Language
from planner.report.charts.style import (
    BLUE,
    GREY,
    NUMBER,
    ORANGE,
    PLAIN,
    across_bars,
    axis,
    bar_share,
    folded,
    marker,
    named_rows,
    text,
)
from planner.report.sweep_page.axis_scale import WIDEST
from planner.report.sweep_page.curves import Figure
from planner.report.sweep_page.words import axis_text, scaled, status_text, titled
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado

MAX_BARS = 30
LETTER_PX, LEAST_PX = 7.5, 280  # of the text beside a bar, and of the plot on a narrow screen
ROUNDS = 8
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
    thick = bar_share(names)
    data: list[dict[str, Any]] = []
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
    labels = [
        (base + float(change), cell_len(label) * LETTER_PX, float(change))
        for trace in data
        for change, label in zip(trace["x"], trace["text"], strict=True)
    ]
    ends_x = _with_room(labels, abs(base) or 1.0)
    across = axis(folded(title, WIDEST), range=ends_x, nticks=6, zeroline=False, **PLAIN)
    layout = named_rows(names, across, len(data)) | {"shapes": across_bars(base, names)}
    return {"data": data, "layout": layout}


def _with_room(labels: Sequence[tuple[float, float, float]], otherwise: float) -> list[float]:
    """Return the ends of an axis with room for labels: each at a value, so long, on its side.

    What a label takes of a narrow plot depends on the ends, which it moves in turn.
    """
    values = [value for value, _, _ in labels]
    low, high = min(values), max(values)
    if low == high:
        values += [low - otherwise / 2, high + otherwise / 2]
    for _ in range(ROUNDS):
        per_px = (high - low) / LEAST_PX
        low = min(*values, *(value - px * per_px for value, px, change in labels if change <= 0))
        high = max(*values, *(value + px * per_px for value, px, change in labels if change >= 0))
    return [low, high]


def indices_figure(
    indices: Indices, factors: Collection[str] = (), words: Language = ENGLISH
) -> Figure:
    """Bars of first- and total-order indices with their confidence."""
    rows = indices.table.head(MAX_BARS)
    names = _names(rows["axis"], factors, words)
    thick = bar_share(names)
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
    across = axis(words("share of the variance"), zeroline=False, nticks=6)
    layout = named_rows(names, across, len(data)) | {"shapes": across_bars(0.0, names)}
    return {"data": data, "layout": layout}


def _names(axes: Iterable[str], factors: Collection[str], words: Language) -> list[str]:
    return [folded(titled(str(n), words, factor=n in factors), WIDEST) for n in axes]
