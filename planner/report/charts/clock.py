"""The time axis of charts: steps, and the blocks in which they are drawn.

Up to `MOST_STEPS` steps, each step is a block. Above, steps are combined in blocks of whole hours
of the local clock, of days for a year: flows and prices by their mean, which keeps energy, states
by the value at the end of the block. The caption of a chart says so; nothing is thinned silently.
There are fewer blocks than `MOST_STEPS`, because day and night over many months would blur.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.local_time import clock_texts
from planner.timeseries.series import Array

MOST_STEPS = 1400  # two weeks of 15 minutes and eight of hours
MOST_BLOCKS = 400
BLOCK_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 168)
MINUTE_MS = 60_000
MOST_TICKS = 14
TICK_FORMATS = [
    {"dtickrange": [None, 86_400_000 - 1], "value": "%H:%M\n%m-%d"},
    {"dtickrange": [86_400_000, 86_400_000 * 27], "value": "%m-%d\n%Y"},
    {"dtickrange": [86_400_000 * 27, None], "value": "%Y-%m"},
]
TICK_HOURS = (1, 2, 3, 6, 12)
TICK_DAYS = (1, 2, 7, 14)


@dataclass(frozen=True, eq=False)
class Clock:
    """The steps of a plan and the blocks in which they are drawn.

    The axis has the local time of the first step, and goes on where the clock changes: an hour that
    occurs twice is drawn twice. Its ticks and texts are local times.

    first: local start of the first step.
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
        local = self.local(np.arange(self.steps)).tz_localize(None)
        since_midnight = (local - local[0].normalize()) // pd.Timedelta(minutes=self.step_min)
        block = np.asarray(since_midnight) // self.size
        cuts = np.append(0, np.flatnonzero(np.diff(block)) + 1)
        changes = [(0, 0), *self.changes]
        again = [
            step
            for (_, before), (step, ahead) in pairwise(changes)
            if (ahead - before) % (self.size * self.step_min) == 0
        ]
        return np.union1d(cuts, np.array(again, dtype=int))

    @cached_property
    def counts(self) -> np.ndarray:
        """The steps in every block; shape (B,)."""
        return np.diff(np.append(self.cuts, self.steps))

    @cached_property
    def hours(self) -> Array:
        """The hours of every block; shape (B,)."""
        return np.asarray(self.counts * self.step_min / 60)

    def at(self, steps: Any) -> pd.DatetimeIndex:
        """Return the places on the axis a number of steps after the start."""
        return pd.DatetimeIndex(self.first.tz_localize(None) + self._after(steps))

    def local(self, steps: Any) -> pd.DatetimeIndex:
        """Return the local times a number of steps after the start."""
        return pd.DatetimeIndex(self.first + self._after(steps))

    def texts(self, steps: Any, form: str) -> list[str]:
        """Return the local times a number of steps after the start, in a format."""
        return clock_texts(self.local(steps), form)

    def _after(self, steps: Any) -> Any:
        return pd.to_timedelta(np.asarray(steps) * self.step_min, unit="min")

    @cached_property
    def changes(self) -> list[tuple[int, int]]:
        """The steps, from 0, at which the clock changes, with the minutes by which it is on."""
        places, local = (make(np.arange(self.steps + 1)) for make in (self.at, self.local))
        ahead = np.asarray((local.tz_localize(None) - places) // pd.Timedelta(minutes=1))
        steps = np.flatnonzero(np.diff(ahead)) + 1
        return [(int(step), int(ahead[step])) for step in steps]

    def iso(self, steps: Any) -> list[str]:
        """Return the places on the axis in the format of plotly.js: 2026-07-15T14:00."""
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
        if self.changes:  # the library has no axis whose time repeats or skips an hour
            steps, labels = self._ticks()
            return {
                "type": "date", "range": self.range, "hoverformat": " ",
                "tickmode": "array", "tickvals": self.iso(steps), "ticktext": labels,
            }  # fmt: skip
        return {
            "type": "date", "range": self.range, "hoverformat": "%Y-%m-%d %H:%M",
            "tickformatstops": TICK_FORMATS,
        }  # fmt: skip

    def _ticks(self) -> tuple[np.ndarray, list[str]]:
        """Return the steps with a tick and its local time; the page makes others on zooming."""
        local = self.local(np.arange(self.steps))
        clock = local.tz_localize(None)
        minute = np.asarray((clock - clock.normalize()) // pd.Timedelta(minutes=1))
        day = np.asarray(clock.normalize().factorize()[0])
        every = [minute % (60 * hours) == 0 for hours in TICK_HOURS]
        every += [(minute == 0) & (day % days == 0) for days in TICK_DAYS]
        every.append((minute == 0) & (clock.day == 1))
        few = [i for i, ticks in enumerate(every) if ticks.sum() <= MOST_TICKS]
        chosen = min(few, default=len(every) - 1)
        steps = np.flatnonzero(every[chosen])
        if chosen >= len(TICK_HOURS):
            form = "%m-%d" if chosen + 1 < len(every) else "%Y-%m"
            return steps, clock[steps].strftime(form).tolist()
        labels = [
            "<br>".join(filter(None, (text[:5], text[5:]))) for text in self.texts(steps, "%H:%M")
        ]
        for i in np.flatnonzero(np.diff(day[steps], prepend=-1)):
            labels[i] += f"<br>{clock[steps[i]]:%m-%d}"
        return steps, labels

    def caption(self, words: Language) -> str:
        """Return how the drawn values are formed; empty where every step is drawn."""
        if not self.blocked:
            return ""
        return words(
            "Long horizon: the chart shows means over {hours} h (for stored amounts the value at"
            " the end); single steps and extremes are in schedule.csv.",
            hours=self.block_hours,
        )
