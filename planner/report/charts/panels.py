"""Charts over time: panels one below the other on one time axis, and the traces in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from planner.language import Language
from planner.report.charts.clock import Clock, held
from planner.report.charts.style import NUMBER, axis, frame, note, pattern
from planner.series import Array

TITLE_PX = 26  # above a panel
BOTTOM_PX = 62  # for the time axis


@dataclass
class Panel:
    """One plot of a chart.

    title: escaped or translated; stands above it.
    unit: of its y axis.
    columns: label -> the numbers drawn, by block, for the table.
    """

    title: str
    unit: str
    height: int = 150
    traces: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Array] = field(default_factory=dict)
    axis: dict[str, Any] = field(default_factory=dict)

    def add(self, trace: dict[str, Any], label: str, values: Array) -> None:
        """Add a trace and the column of the table that it draws."""
        self.traces.append(trace)
        self.columns[label] = values


def stepped(clock: Clock, values: Array, name: str, unit: str, **more: Any) -> dict[str, Any]:
    """Return a line whose values, one a block, hold over their block."""
    return _line(clock, held(values), name, unit, "hv") | more


def points(clock: Clock, values: Array, name: str, unit: str, **more: Any) -> dict[str, Any]:
    """Return a line between states: the first before the horizon, then one at each block's end."""
    return _line(clock, values, name, unit, "linear") | more


def _line(clock: Clock, values: Array, name: str, unit: str, shape: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "y": np.asarray(values, dtype=float),
        **clock.steps_x(), "line": {"shape": shape, "width": 2},
        "hovertemplate": f"{name}: %{{y:{NUMBER}}} {unit}<extra></extra>",
    }  # fmt: skip


def area(trace: dict[str, Any], group: str, colour: str, shape: str = "") -> dict[str, Any]:
    """Return a line as one area of a stack, plain or with a pattern."""
    line = trace["line"] | {"width": 0.6, "color": colour}
    filled = {"stackgroup": group, "line": line, "fillcolor": colour}
    return trace | filled | ({"fillpattern": pattern(shape, colour)} if shape else {})


def chart_over_time(
    panels: Sequence[Panel], clock: Clock, legend: int, *, top: int = 0
) -> dict[str, Any]:
    """Return a figure of panels that share one time axis, the first on top.

    Args:
        panels: from top to bottom.
        clock: the time axis.
        legend: entries of the legend.
        top: pixels above all panels, for buttons.
    """
    above = [TITLE_PX if panel.title else 6 for panel in panels]
    inner = sum(above) + sum(panel.height for panel in panels)
    height = top + BOTTOM_PX + inner
    layout = frame(height, legend)
    layout["margin"]["t"] = 4 + top
    layout["xaxis"] = axis(**clock.axis(), anchor=_name("y", len(panels)), showgrid=True)
    layout["hovermode"] = "x unified"
    notes, data, upper = [], [], 1.0
    for number, panel in enumerate(panels, start=1):
        high = upper - above[number - 1] / inner
        low = max(high - panel.height / inner, 0.0)
        layout[_name("yaxis", number)] = axis(
            panel.unit, domain=[low, high], anchor="x", nticks=max(5, panel.height // 38),
            exponentformat="none", separatethousands=True,
            **panel.axis,
        )  # fmt: skip
        if panel.title:
            notes.append(note(f"<b>{panel.title}</b>", x=0, y=high, yshift=2))
        data += [trace | {"xaxis": "x", "yaxis": _name("y", number)} for trace in panel.traces]
        upper = low
    return {"data": data, "layout": layout | {"annotations": notes}}


def _name(letter: str, number: int) -> str:
    return letter if number == 1 else f"{letter}{number}"


def legend_once(panels: Sequence[Panel]) -> int:
    """Show each group of traces in the legend once; return how many groups there are."""
    seen: set[str] = set()
    for panel in panels:
        for trace in panel.traces:
            group = str(trace["legendgroup"])
            trace["showlegend"] = group not in seen
            seen.add(group)
    return len(seen)


def table_over_time(clock: Clock, words: Language, columns: Mapping[str, Array]) -> pd.DataFrame:
    """Return the numbers drawn, a row a block, headed by their labels."""
    return pd.DataFrame({words("time"): clock.times, **columns})


def columns_of(panels: Sequence[Panel]) -> dict[str, Array]:
    """Return the columns of all panels."""
    return {label: values for panel in panels for label, values in panel.columns.items()}
