"""Amounts of money by name as dots on rows, with levels that they are compared with.

Dots need no axis that begins at zero, so that small differences of large profits show. The label of
a row is above it, so that long names fit on narrow screens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from planner.language.language import Language
from planner.language.section import Quantity
from planner.language.section import text as cell_text
from planner.report.charts.style import PLAIN, axis, chart_scale, frame, note, text

ROW_PX = 50


class Dots(NamedTuple):
    """A dot on every row: CNY, NaN for none; `texts` stand beside them."""

    name: str
    amounts: Sequence[float]
    symbol: str
    colour: str
    texts: Sequence[str] = ()


class Level(NamedTuple):
    """A line across all rows, in CNY."""

    name: str
    amount: float
    colour: str
    dash: str


def dot_rows(
    rows: Mapping[str, str], dots: Sequence[Dots], levels: Sequence[Level], words: Language
) -> dict[str, Any]:
    """Return the figure.

    Args:
        rows: the key of each row, which a click follows, and its label, from top to bottom.
        dots: the first are drawn on top of all others.
        levels: lines across.
        words: the language of the unit.
    """
    every = np.array([*(a for one in dots for a in one.amounts), *(one.amount for one in levels)])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    divisor, unit = chart_scale("CNY", max(abs(low), abs(high)), words)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    beside = 4 if any(one.texts for one in dots) else 1  # texts are right of their dots

    def hover(amount: float) -> str:
        return cell_text(Quantity(amount, "CNY"), words) if amount == amount else ""

    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": text(one.name),
            "x": np.full(2, one.amount) / divisor, "y": [-0.62, len(rows) - 0.5],
            "line": {"color": one.colour, "dash": one.dash, "width": 1.8},
            "hovertemplate": f"{text(one.name)}: {hover(one.amount)}<extra></extra>",
        }
        for one in levels
    ]  # fmt: skip
    for one in reversed(dots):
        trace: dict[str, Any] = {
            "type": "scatter", "mode": "markers+text" if one.texts else "markers",
            "name": text(one.name), "x": np.asarray(one.amounts, dtype=float) / divisor,
            "y": list(range(len(rows))), "customdata": list(rows),
            "marker": {"symbol": one.symbol, "size": 11, "color": one.colour,
                       "line": {"width": 1.5, "color": one.colour}},
            "hovertext": [hover(amount) for amount in one.amounts],
            "hovertemplate": f"{text(one.name)}<br>%{{hovertext}}<extra></extra>",
        }  # fmt: skip
        if one.texts:
            trace |= {"text": list(one.texts), "textposition": "middle right", "cliponaxis": False,
                      "textfont": {"size": 12}}  # fmt: skip
        data.append(trace)
    layout = frame(70 + ROW_PX * len(rows), len(data)) | {
        "hovermode": "closest",
        "xaxis": axis(
            unit, range=[(low - room) / divisor, (high + beside * room) / divisor], nticks=6,
            **PLAIN,
        ),
        "yaxis": axis(range=[len(rows) - 0.5, -0.95], showticklabels=False, zeroline=False,
                      fixedrange=True, tickvals=list(range(len(rows)))),
        "annotations": [
            note(text(label), x=0, y=row - 0.26, yref="y", font={"size": 12})
            for row, label in enumerate(rows.values())
        ],
    }  # fmt: skip
    layout["margin"]["t"] = 8
    return {"data": data, "layout": layout}
