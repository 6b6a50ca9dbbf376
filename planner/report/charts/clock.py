"""The time axis of charts: a value holds over its step, and long horizons are drawn in blocks.

Up to `MOST_STEPS` steps each step is drawn. Beyond, steps are gathered in blocks of whole hours of
the local clock, days for a year: of flows and prices the mean, which keeps energy, of states the
value at the end of the block. `said` says so in the words under a chart; nothing is thinned in
silence. Fewer blocks than steps are drawn, for the swing of day and night over months is a fog.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.language import Language
from planner.series import Array

MOST_STEPS = 1400  # two weeks of 15 minutes and eight of hours
MOST_BLOCKS = 400
BLOCK_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 168)
MINUTE_MS = 60_000


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
        """Whether a drawn value stands for several steps."""
        return self.size > 1

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
        """Return local times so many steps after the start."""
        after = pd.to_timedelta(np.asarray(steps) * self.step_min, unit="min")
        return pd.DatetimeIndex(self.first + after)

    def iso(self, steps: Any) -> list[str]:
        """Return these times as plotly.js reads them: 2026-07-15T14:00."""
        return [str(moment) for moment in self.at(steps).strftime("%Y-%m-%dT%H:%M")]

    @cached_property
    def times(self) -> list[str]:
        """The local start of every block for tables: 2026-07-15 14:00."""
        return [str(moment) for moment in self.at(self.cuts).strftime("%Y-%m-%d %H:%M")]

    def flow(self, values: Array) -> Array:
        """Return the mean of every block; shape (T,) to (B,)."""
        if not self.blocked:
            return np.asarray(values, dtype=float)
        return np.asarray(np.add.reduceat(np.asarray(values, dtype=float), self.cuts) / self.counts)

    def known(self, values: Array) -> Array:
        """Return the mean of every block over the steps that have a value, NaN where none has."""
        there = np.isfinite(values)
        count = self.flow(there.astype(float))
        total = self.flow(np.where(there, values, 0.0))
        none = np.full(len(total), np.nan)
        return np.asarray(np.divide(total, count, out=none, where=count > 0))

    def state(self, values: Array) -> Array:
        """Return the value at the end of every block; shape (T,) to (B,)."""
        full: Array = np.asarray(values, dtype=float)
        return np.asarray(full[self.cuts + self.counts - 1])

    def steps_x(self) -> dict[str, Any]:
        """Return the x of a trace with a value for every block, and the last one once more."""
        return self._x(np.append(self.cuts, self.steps))

    def bars_x(self) -> dict[str, Any]:
        """Return the x of bars that begin with their block and are as long."""
        width = self.hours * 60 * MINUTE_MS
        same = bool((width == width[0]).all())
        return self._x(self.cuts) | {"offset": 0, "width": float(width[0]) if same else width}

    def _x(self, steps: np.ndarray) -> dict[str, Any]:
        gaps = np.diff(steps)
        if len(gaps) and (gaps != gaps[0]).any():
            return {"x": self.iso(steps)}
        length = int(gaps[0]) if len(gaps) else 1
        return {"x0": self.iso([0])[0], "dx": length * self.step_min * MINUTE_MS}

    @property
    def range(self) -> list[str]:
        """The first and the last moment of the horizon."""
        return self.iso([0, self.steps])

    def axis(self) -> dict[str, Any]:
        """Return what makes an axis one of local time."""
        return {
            "type": "date", "range": self.range, "hoverformat": "%Y-%m-%d %H:%M",
            "tickformatstops": [
                {"dtickrange": [None, 86_400_000 - 1], "value": "%H:%M\n%m-%d"},
                {"dtickrange": [86_400_000, 86_400_000 * 27], "value": "%m-%d\n%Y"},
                {"dtickrange": [86_400_000 * 27, None], "value": "%Y-%m"},
            ],
        }  # fmt: skip

    def said(self, words: Language) -> str:
        """Return what to know about the drawn values, nothing where every step is drawn."""
        if not self.blocked:
            return ""
        return words(
            "Long horizon: drawn are means over {hours} h (of stored amounts the value at the end"
            " of each); single steps and extremes are in schedule.csv.",
            hours=f"{self.size * self.step_min / 60:g}",
        )


def held(values: Array) -> Array:
    """Return values by block with the last one once more, so that the last block is visible."""
    return np.append(values, values[-1:])
