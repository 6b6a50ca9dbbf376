"""Charts over time: panels one below the other on one time axis of blocks.

Up to `MOST_STEPS` steps, each step is a block. Above, steps are combined in blocks of whole hours
of the local clock, of days for a year: flows and prices by their mean, which keeps energy, states
by the value at the end of the block. The caption of a chart says so; nothing is thinned silently.
There are fewer blocks than `MOST_STEPS`, because day and night over many months would blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    NUMBER,
    Style,
    axis,
    folded,
    frame,
    marker,
    note,
    pattern,
    text,
)
from planner.report.plan_sections import paragraph
from planner.timeseries.series import Array

MOST_STEPS = 1400  # two weeks of 15 minutes and eight of hours
MOST_BLOCKS = 400
BLOCK_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 168)
MINUTE_MS = 60_000
TITLE_PX, LINE_PX = 26, 17  # above a panel, and for each more line of its title
TITLE_LETTERS = 36  # of a line of a title, for small screens
BOTTOM_PX = 62  # for the time axis


@dataclass(frozen=True, eq=False)
class Clock:
    """The steps of a plan and the blocks in which they are drawn.

    first: local start of the first step, without an offset.
    steps: how many, T.
    step_min: their length.
    """

    first: pd.Timestamp
    steps: int
    step_min: int

    @cached_property
    def size(self) -> int:
        """The steps of a block; the first and the last block may have fewer."""
        if self.steps <= MOST_STEPS:
            return 1
        sizes = [hours * 60 // self.step_min for hours in BLOCK_HOURS]
        return next(size for size in sizes if self.steps <= MOST_BLOCKS * size)

    @property
    def blocked(self) -> bool:
        """Whether a drawn value covers several steps."""
        return self.size > 1

    @property
    def block_hours(self) -> str:
        """The hours of a block as text."""
        return f"{self.size * self.step_min / 60:g}"

    @cached_property
    def cuts(self) -> np.ndarray:
        """The first step of every block, counted from 0; shape (B,)."""
        since_midnight = (self.first.hour * 60 + self.first.minute) // self.step_min
        block = (np.arange(self.steps) + since_midnight) // self.size
        return np.append(0, np.flatnonzero(np.diff(block)) + 1)

    @cached_property
    def counts(self) -> np.ndarray:
        """The steps in every block; shape (B,)."""
        return np.diff(np.append(self.cuts, self.steps))

    @cached_property
    def hours(self) -> Array:
        """The hours of every block; shape (B,)."""
        return np.asarray(self.counts * self.step_min / 60)

    def at(self, steps: Any) -> pd.DatetimeIndex:
        """Return the local times a number of steps after the start."""
        after = pd.to_timedelta(np.asarray(steps) * self.step_min, unit="min")
        return pd.DatetimeIndex(self.first + after)

    def iso(self, steps: Any) -> list[str]:
        """Return the local times in the format of plotly.js: 2026-07-15T14:00."""
        return list(self.at(steps).strftime("%Y-%m-%dT%H:%M"))

    def sums(self, values: Array) -> Array:
        """Return the sum of every block; shape (T,) to (B,)."""
        return np.asarray(np.add.reduceat(np.asarray(values, dtype=float), self.cuts))

    def flow(self, values: Array) -> Array:
        """Return the mean of every block over its steps with a value; NaN where there is none."""
        finite = np.isfinite(values)
        total, count = self.sums(np.where(finite, values, 0.0)), self.sums(finite)
        none = np.full(len(total), np.nan)
        return np.asarray(np.divide(total, count, out=none, where=count > 0))

    def state(self, values: Array) -> Array:
        """Return the value at the end of every block; shape (T,) to (B,)."""
        full: Array = np.asarray(values, dtype=float)
        return np.asarray(full[self.cuts + self.counts - 1])

    def steps_x(self) -> dict[str, Any]:
        """Return the x of a trace with a value for each block, the last value twice."""
        return self._x(np.append(self.cuts, self.steps))

    def bars_x(self) -> dict[str, Any]:
        """Return the x of bars that begin with their block and have its length."""
        width = self.hours * 60 * MINUTE_MS
        same = np.ptp(width) == 0
        return self._x(self.cuts) | {"offset": 0, "width": float(width[0]) if same else width}

    def _x(self, steps: np.ndarray) -> dict[str, Any]:
        lengths = np.unique(np.diff(steps)) if len(steps) > 1 else np.ones(1)
        if len(lengths) > 1:
            return {"x": self.iso(steps)}
        return {"x0": self.iso([0])[0], "dx": int(lengths[0]) * self.step_min * MINUTE_MS}

    @property
    def range(self) -> list[str]:
        """The first and the last moment of the horizon."""
        return self.iso([0, self.steps])

    def axis(self) -> dict[str, Any]:
        """Return the properties of an axis of local time."""
        return {
            "type": "date", "range": self.range, "hoverformat": "%Y-%m-%d %H:%M",
            "tickformatstops": [
                {"dtickrange": [None, 86_400_000 - 1], "value": "%H:%M\n%m-%d"},
                {"dtickrange": [86_400_000, 86_400_000 * 27], "value": "%m-%d\n%Y"},
                {"dtickrange": [86_400_000 * 27, None], "value": "%Y-%m"},
            ],
        }  # fmt: skip

    def caption(self, words: Language) -> str:
        """Return how the drawn values are formed; empty where every step is drawn."""
        if not self.blocked:
            return ""
        return words(
            "Long horizon: the chart shows means over {hours} h (for stored amounts the value at"
            " the end); single steps and extremes are in schedule.csv.",
            hours=self.block_hours,
        )


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
    times = clock.at(clock.cuts).strftime("%Y-%m-%d %H:%M")
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
        if title := titles[number - 1]:
            notes.append(note(f"<b>{title}</b>", x=0, y=high, yshift=2))
        data += [trace | {"xaxis": "x", "yaxis": _name("y", number)} for trace in panel.traces]
        upper = low
    return {"data": data, "layout": layout | {"annotations": notes}}


def _name(letter: str, number: int) -> str:
    return letter if number == 1 else f"{letter}{number}"


def _show_groups_once(panels: Sequence[Panel]) -> int:
    """Show each group of traces in the legend once; return how many groups there are."""
    seen: set[str] = set()
    for panel in panels:
        for trace in panel.traces:
            group = str(trace["legendgroup"])
            trace["showlegend"] = group not in seen
            seen.add(group)
    return len(seen)
