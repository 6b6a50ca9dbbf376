"""The demand charge: on the highest import of a month, averaged over intervals as meters do.

The intervals k of demand_interval_min are aligned to the local clock; those that begin within
demand_hours count. share[k,t] is the part of interval k that lies in step t; within a step the
import is constant.

Variables: peak_mw[m] per month where there is a demand charge.

    peak            begun_mw[k] + sum_t share[k,t] import_mw[t] <= peak_mw[m]   for k in month m

begun_mw = initial.interval_mwh / interval length for the interval that has begun before the first
step, 0 for all others. In an interval that ends after the last step, what is not planned yet counts
as no import: the average is a lower bound, and the next window starts from initial.interval_mwh.
Intervals within the same step have one row. A month pays for the excess of its peak over
max(peak_so_far_mw, expected_peak_mw).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Discriminator, Field, Tag

from planner.components.component import Complaint
from planner.components.terms import Amounts, Line
from planner.components.time import Time
from planner.fields import AtLeastZero
from planner.local_time import clock_text
from planner.message import Message
from planner.modelling import pyo
from planner.modelling.vectors import Flags, Whole
from planner.timeseries.forms import in_hours
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
PeakSoFar = Annotated[
    Annotated[AtLeastZero, Tag("=number")] | Annotated[dict[Month, AtLeastZero], Tag("=months")],
    Discriminator(lambda value: "=months" if isinstance(value, dict) else "=number"),
]


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals of a window.

    shares: by interval and step, the part of the interval that lies in the step; a sparse matrix.
    begun_mw: of the first, its import before the window, as a part of the average.
    begins: by interval, the local minute of the day; before the window for one that has begun.
    counts: by interval, whether it begins within demand_hours.
    months: by interval.
    """

    shares: Any
    begun_mw: float
    begins: Whole
    counts: Flags
    months: list[str]

    def averages(self, import_mw: Array) -> Array:
        """Return the average import of each interval from that of each step, MW."""
        averages: Array = self.shares @ import_mw
        averages[0] += self.begun_mw
        return averages

    def highest_mw(self, import_mw: Array) -> dict[str, float]:
        """Return the highest average of each month with an interval that counts."""
        highest: dict[str, float] = {}
        averages = self.averages(import_mw)
        for k in np.flatnonzero(self.counts).tolist():
            month = self.months[k]
            highest[month] = max(highest.get(month, 0.0), float(averages[k]))
        return highest


@dataclass(frozen=True, eq=False)
class DemandCharge:
    """A demand charge: the fields of the grid that determine it.

    begun_mwh: imported before the first step in the interval that has begun.
    """

    cny_per_mw_month: float
    interval_min: int
    hours: tuple[str, ...] | None
    peak_so_far_mw: PeakSoFar
    expected_peak_mw: float
    begun_mwh: float

    def check(self, horizon: Horizon) -> Iterator[Complaint]:
        """Yield months that are not in the horizon, and energy of an interval not yet begun."""
        if isinstance(self.peak_so_far_mw, Mapping):
            message = Message(
                "is no month of the horizon, which covers {months}",
                months=", ".join(horizon.months),
            )
            for month in self.peak_so_far_mw:
                if month not in horizon.months:
                    yield ("peak_so_far_mw", month), message
        if self.begun_mwh and int(horizon.minute_of_day[0]) % self.interval_min == 0:
            message = Message(
                "is of an interval that has begun, and the horizon begins a new one of {minutes}"
                " min",
                minutes=self.interval_min,
            )
            yield ("initial", "interval_mwh"), message
        if self.cny_per_mw_month and not horizon.clock_keeps(self.interval_min):
            message = Message(
                "intervals of {minutes} min do not fit the clock of {zone}, which changes by less;"
                " take shorter ones",
                minutes=self.interval_min,
                zone=horizon.timezone,
            )
            yield ("demand_interval_min",), message
        for i, text in enumerate(self.hours or ()):
            if not in_hours([text], np.arange(0, 24 * 60, self.interval_min)).any():
                message = Message(
                    "no interval of {minutes} min begins in {text!r}",
                    minutes=self.interval_min,
                    text=text,
                )
                yield ("demand_hours", i), message

    def warn(self, horizon: Horizon) -> Iterator[Message]:
        """Warn of steps that hide the peak."""
        if self.cny_per_mw_month and horizon.step_min > self.interval_min:
            yield Message(
                "the demand charge is billed on {interval} min averages; steps of {minutes} min"
                " understate the peak",
                interval=self.interval_min,
                minutes=horizon.step_min,
            )

    def declare(self, b: pyo.Block, time: Time) -> dict[Line, Amounts]:
        """Declare the peak of each month; return the cost of what exceeds the peak paid anyway."""
        if not self.cny_per_mw_month:
            return {}
        months = time.months()
        paid = {month: self._paid_mw(month, time.horizon) for month in months}
        month_of = time.labels([month for month, steps in months.items() for _ in steps])
        b.peak_mw = pyo.Var(list(paid), bounds=lambda _, m: (paid[m], None))
        rows = self._rows(time)

        def peak(b: pyo.Block, k: int | str) -> Any:
            if not isinstance(k, str):
                return b.import_mw[k] <= b.peak_mw[month_of[k]]
            month, begun_mw, shares = rows[k]
            average = sum(share * b.import_mw[t] for t, share in shares.items())
            return begun_mw + average <= b.peak_mw[month]

        b.peak = pyo.Constraint(list(rows), rule=peak)
        rate = self.cny_per_mw_month
        return {Line("demand_charge"): {m: rate * (b.peak_mw[m] - paid[m]) for m in paid}}

    def _rows(self, time: Time) -> dict[int | str, tuple[str, float, dict[int, float]]]:
        """Return month, begun MW and share by step of each interval that counts.

        The key is the step of an interval that lies in one, else the local start of the interval.
        """
        intervals, rows = self.intervals(time.window, time.horizon), {}
        first, shares = intervals.shares.indptr.tolist(), intervals.shares.data.tolist()
        steps = (intervals.shares.indices + time.first).tolist()
        for k in np.flatnonzero(intervals.counts).tolist():
            inside = slice(first[k], first[k + 1])
            part = dict(zip(steps[inside], shares[inside], strict=True))
            key: int | str = steps[first[k]]
            if part != {key: 1.0}:
                after = int(intervals.begins[k] - time.horizon.minute_of_day[int(key) - 1])
                begins = time.horizon.starts[int(key) - 1] + pd.Timedelta(minutes=after)
                key = clock_text(begins, "%Y-%m-%dT%H:%M")
            rows[key] = intervals.months[k], 0.0 if k else intervals.begun_mw, part
        return rows

    def intervals(self, window: Window, horizon: Horizon) -> Intervals:
        """Return the intervals of a window, whether they count or not."""
        from scipy.sparse import csr_array  # late, so that checking a scenario is instant

        piece_min = math.gcd(horizon.step_min, self.interval_min)  # a piece lies in one of each
        step, within = np.divmod(
            np.arange(0, len(window) * horizon.step_min, piece_min), horizon.step_min
        )
        clock = horizon.minute_of_day[window.first - 1 + step] + within
        interval = np.cumsum(clock % self.interval_min == 0)
        interval -= interval[0]
        pieces = np.ones(len(clock)), (interval, step)
        first = np.unique(interval, return_index=True)[1]
        begins = clock[first] // self.interval_min * self.interval_min
        names = list(horizon.months)
        starts = [steps[0] for steps in horizon.months.values()]
        month_of = np.searchsorted(starts, window.first + step[first], side="right") - 1
        return Intervals(
            csr_array(pieces) * piece_min / self.interval_min,
            self.begun_mwh * 60 / self.interval_min,
            begins,
            np.ones(len(first), dtype=bool) if self.hours is None else in_hours(self.hours, begins),
            [names[i] for i in month_of],
        )

    def _paid_mw(self, month: str, horizon: Horizon) -> float:
        """Return the peak of a month that is paid anyway."""
        return max(self._set_before(horizon).get(month, 0.0), self.expected_peak_mw)

    def _set_before(self, horizon: Horizon) -> dict[str, float]:
        """Return the peaks already set, by month; a single number is that of the first month."""
        if isinstance(self.peak_so_far_mw, Mapping):
            return dict(self.peak_so_far_mw)
        return {next(iter(horizon.months)): self.peak_so_far_mw}

    def figures(self, import_mw: Array, horizon: Horizon) -> dict[str, float]:
        """Return the highest average that is billed; nothing without a charge."""
        if not self.cny_per_mw_month:
            return {}
        highest = self.intervals(horizon.window, horizon).highest_mw(import_mw)
        return {"billed_peak_mw": max(highest.values(), default=0.0)}

    def at_peak(self, import_mw: Array, horizon: Horizon, near: float) -> np.ndarray:
        """Return the steps in an interval whose average is the peak of its month, or `near` it."""
        at_peak = np.zeros(horizon.steps, dtype=bool)
        if not self.cny_per_mw_month:
            return at_peak
        intervals = self.intervals(horizon.window, horizon)
        highest = intervals.highest_mw(import_mw)
        peaks = {m: max(mw, self._paid_mw(m, horizon)) for m, mw in highest.items()}
        lowest = np.array([peaks.get(month, np.inf) for month in intervals.months]) - near
        is_peak = intervals.counts & (intervals.averages(import_mw) > lowest)
        at_peak[intervals.shares[is_peak].indices] = True
        return at_peak

    def after(
        self, import_mw: Array, executed: Window, horizon: Horizon
    ) -> tuple[dict[str, float], float]:
        """Return the peaks of the months that go on, and the energy of the interval begun."""
        peaks, intervals = self._set_before(horizon), self.intervals(executed, horizon)
        for month, highest in intervals.highest_mw(import_mw).items():
            peaks[month] = max(peaks.get(month, 0.0), highest)
        end, begun_mwh = horizon.end_of(executed.last), 0.0
        if (end.hour * 60 + end.minute) % self.interval_min:
            begun_mwh = float(intervals.averages(import_mw)[-1]) * self.interval_min / 60
        return {m: mw for m, mw in peaks.items() if m >= f"{end:%Y-%m}"}, begun_mwh

    def peaks_ahead(self, import_mw: Array, window: Window, horizon: Horizon) -> dict[str, float]:
        """Return the peaks set, with those that months reach that go on after a window.

        import_mw: of the lookahead, over the horizon. What a month pays anyway is free.
        """
        peaks = self._set_before(horizon)
        for month, steps in horizon.months.items():
            if steps[0] <= window.last < steps[-1]:
                begun_mwh = self.begun_mwh if window.first == 1 else 0.0
                whole, inside = Window(steps[0], steps[-1]), import_mw[steps[0] - 1 : steps[-1]]
                intervals = replace(self, begun_mwh=begun_mwh).intervals(whole, horizon)
                highest = intervals.highest_mw(inside).get(month, 0.0)
                peaks[month] = max(self._paid_mw(month, horizon), highest)
        return peaks
