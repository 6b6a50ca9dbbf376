"""Charts over time: panels one below the other on one time axis of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.clock import Clock
from planner.report.charts.style import (
    NUMBER,
    PLAIN,
    Style,
    axis,
    folded,
    frame,
    marker,
    note,
    nth,
    pattern,
    text,
)
from planner.report.plan_sections import paragraph
from planner.timeseries.series import Array

TITLE_PX, LINE_PX = 26, 17  # above a panel, and for each more line of its title
TITLE_LETTERS = 36  # of a line of a title, for small screens
BOTTOM_PX = 62  # for the time axis


@dataclass
class Panel:
    """One plot of a chart, and its columns of the table.

    title: as it is shown.
    unit: of its y axis.
    owner: the component; begins the labels of its columns.
    axis: properties of its y axis.
    columns: label -> the numbers drawn, by block.

    `line`, `area` and `bars` take the name of the legend entry, values by block, a group, whose
    entry is shown once for all panels, and the label of the column of the table, by default
    `OWNER: NAME [UNIT]`. They return their trace.
    """

    clock: Clock
    title: str
    unit: str
    height: int
    owner: str = ""
    axis: dict[str, Any] = field(default_factory=dict)
    traces: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Array] = field(default_factory=dict)

    def line(
        self,
        name: str,
        values: Array,
        group: str = "",
        *,
        start: float | None = None,
        column: str = "",
        **look: Any,
    ) -> dict[str, Any]:
        """Add a line whose values hold over their blocks.

        With `start`, the state before the horizon, the values are states at the ends of the blocks,
        and the line interpolates between them.
        """
        self._write(name, values, column)
        drawn = np.append(values, values[-1:]) if start is None else np.append(start, values)
        shape = {"shape": "hv" if start is None else "linear", "width": 2}
        trace = {
            "type": "scatter", "mode": "lines", "name": text(name), "y": drawn,
            **self.clock.steps_x(), "line": shape | look, "hovertemplate": self._hover(name),
        } | ({"legendgroup": group} if group else {})  # fmt: skip
        self.traces.append(trace)
        return trace

    def area(
        self,
        name: str,
        values: Array,
        stack: str,
        style: Style,
        group: str = "",
        *,
        start: float | None = None,
        column: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        """Add a line as an area of a stack, plain or with a pattern."""
        colour, shape = style
        look = {"width": 0.6, "color": colour}
        trace = self.line(name, values, group, start=start, column=column, **look)
        trace |= more | {"stackgroup": stack, "fillcolor": colour}
        if shape:
            trace["fillpattern"] = pattern(shape, colour)
        return trace

    def bars(
        self, name: str, values: Array, group: str, style: Style, hover: str = ""
    ) -> dict[str, Any]:
        """Add a bar for every block; `hover` replaces its name in the hover text."""
        self._write(name, values)
        trace = {
            "type": "bar", "name": text(name), "y": values, **self.clock.bars_x(),
            "legendgroup": group, "marker": marker(style, width=0),
            "hovertemplate": self._hover(hover or name),
        }  # fmt: skip
        self.traces.append(trace)
        return trace

    def level(self, name: str, value: float, group: str, **look: Any) -> None:
        """Add a constant over the whole horizon, which is not in the table."""
        self.traces.append({
            "type": "scatter", "mode": "lines", "name": text(name), "y": np.full(2, value),
            "line": {"shape": "linear"} | look, "hovertemplate": self._hover(name),
            "legendgroup": group, "x": self.clock.range,
        })  # fmt: skip

    def times(self) -> list[dict[str, Any]]:
        """Return an unseen trace that tells the local time where the axis cannot."""
        if not self.clock.changes or not self.traces:
            return []
        drawn = np.asarray(self.traces[0]["y"], dtype=float)
        inside = float(next(iter(drawn[np.isfinite(drawn)]), 0.0))
        texts = self.clock.texts(self.clock.cuts, "%Y-%m-%d %H:%M")
        return [{
            "type": "scatter", "mode": "lines", "y": np.full(len(texts) + 1, inside),
            **self.clock.steps_x(), "text": [*texts, texts[-1]], "line": {"width": 0},
            "hovertemplate": "<b>%{text}</b><extra></extra>", "showlegend": False,
        }]  # fmt: skip

    def _write(self, name: str, values: Array, column: str = "") -> None:
        owner = f"{self.owner}: " if self.owner else ""
        self.columns[column or f"{owner}{name} [{self.unit}]"] = values

    def _hover(self, name: str) -> str:
        return f"{text(name)}: %{{y:{NUMBER}}} {self.unit}<extra></extra>"


def chart_over_time(
    key: str,
    title: str,
    caption: str,
    panels: Sequence[Panel],
    words: Language,
    *,
    legend: int | None = None,
    top: int = 0,
) -> Chart:
    """Return a chart of panels that share one time axis, the first on top.

    Args:
        key: as of Chart.
        title: as of Chart.
        caption: as of Chart; how blocks are formed is added.
        panels: from top to bottom, at least one.
        words: the language of the table.
        legend: entries of the legend; None shows each group of traces once.
        top: pixels above all panels, for buttons.
    """
    clock = panels[0].clock
    legend = _show_groups_once(panels) if legend is None else legend
    times = clock.texts(clock.cuts, "%Y-%m-%d %H:%M")
    columns = {label: values for panel in panels for label, values in panel.columns.items()}
    return Chart(
        key=key,
        title=title,
        figure=_figure(panels, clock, legend, top),
        table=pd.DataFrame({words("time"): times, **columns}),
        caption=paragraph(words, caption, clock.caption(words)),
        over_time=True,
    )


def _figure(panels: Sequence[Panel], clock: Clock, legend: int, top: int) -> dict[str, Any]:
    titles = [folded(panel.title, TITLE_LETTERS) for panel in panels]
    above = [TITLE_PX + LINE_PX * title.count("<br>") if title else 6 for title in titles]
    inner = sum(above) + sum(panel.height for panel in panels)
    layout = frame(top + BOTTOM_PX + inner, legend)
    layout["margin"]["t"] = 4 + top
    layout["xaxis"] = axis(**clock.axis(), anchor=nth("y", len(panels)), showgrid=True)
    layout["hovermode"] = "x unified"
    notes, data, upper = [], [], 1.0
    for number, panel in enumerate(panels, start=1):
        high = upper - above[number - 1] / inner
        low = max(high - panel.height / inner, 0.0)
        layout[nth("yaxis", number)] = axis(
            panel.unit, domain=[low, high], anchor="x", nticks=max(5, panel.height // 38),
            **PLAIN, **panel.axis,
        )  # fmt: skip
        if title := titles[number - 1]:
            notes.append(note(f"<b>{title}</b>", x=0, y=high, yshift=2))
        place = {"xaxis": "x", "yaxis": nth("y", number)}
        data += [trace | place for trace in [*panel.times(), *panel.traces]]
        upper = low
    return {"data": data, "layout": layout | {"annotations": notes}}


def _show_groups_once(panels: Sequence[Panel]) -> int:
    """Show each group of traces in the legend once; return how many groups there are."""
    seen: set[str] = set()
    for panel in panels:
        for trace in panel.traces:
            group = str(trace["legendgroup"])
            trace["showlegend"] = group not in seen
            seen.add(group)
    return len(seen)
