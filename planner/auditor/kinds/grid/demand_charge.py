"""Audit of the demand charge: paid once a month on the peak that the meter finds.

demand_charge   of a month, for the part of its peak above the larger of the peak so far and the
                expected peak

The peak is the highest average import of an interval. Intervals begin at the multiples of
demand_interval_min of the local clock, and count where they begin within demand_hours. Energy is
summed minute by minute, that of the interval begun before the horizon included; what lies beyond
the horizon counts as none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from planner.auditor.findings import AT, Array, Flags, Whole
from planner.auditor.kinds.grid.demand_response import within
from planner.auditor.reading import Line, Part, Plan


class _Intervals(NamedTuple):
    """The intervals: average import, MW, month, and which of them count."""

    mw: Array
    months: list[str]
    counted: Flags

    @property
    def peaks(self) -> dict[str, float]:
        """The highest average of each month that has one."""
        peaks: dict[str, float] = {}
        for i in np.flatnonzero(self.counted):
            peaks[self.months[i]] = max(float(self.mw[i]), peaks.get(self.months[i], -np.inf))
        return peaks


def lines_of(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the line of the ledger that a grid has for its demand charge."""
    rate = part.number("demand_charge_cny_per_mw_month")
    if rate:
        peaks = dict.fromkeys(plan.clock.months, 0.0) | _intervals(plan, part).peaks
        over = [max(mw - _paid_mw(plan, part, month), 0.0) for month, mw in peaks.items()]
        yield Line(part.name, "demand_charge", -rate * np.array(over), list(peaks), rate)


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
    """Return the highest average of an interval that counts."""
    if not part.number("demand_charge_cny_per_mw_month"):
        return {}
    return {"billed_peak_mw": max(_intervals(plan, part).peaks.values(), default=0.0)}


def at_peak(plan: Plan, part: Part) -> Flags:
    """Return the steps that share a minute with an interval at the peak of its month."""
    if not part.number("demand_charge_cny_per_mw_month"):
        return np.zeros(plan.clock.steps, dtype=bool)
    intervals = _intervals(plan, part)
    peaks = intervals.peaks
    highest = np.array([peaks.get(month, np.inf) for month in intervals.months])
    at_peak = intervals.counted & (intervals.mw >= highest - AT)
    minutes = at_peak[_interval_of_minutes(plan, part)]
    return np.asarray(minutes.reshape(plan.clock.steps, -1).any(axis=1))


def _intervals(plan: Plan, part: Part) -> _Intervals:
    length, clock = _length_min(part), plan.clock
    of_minute, hours = _interval_of_minutes(plan, part), part["demand_hours"]
    mw_minutes = np.repeat(part.column("import_mw"), clock.step_min)
    mw_minutes[0] += 60 * part.under("initial").number("interval_mwh")
    first = np.flatnonzero(np.diff(of_minute, prepend=-1))
    months = [clock.months[minute] for minute in first // clock.step_min]
    begins = (_clock_of_minutes(plan)[first] // length * length).tolist()
    counted = [
        hours is None or any(within(str(text), dt.time(*divmod(at, 60))) for text in hours)
        for at in begins
    ]
    mw = np.asarray(np.bincount(of_minute, mw_minutes / length), dtype=float)
    return _Intervals(mw, months, np.array(counted))


def _interval_of_minutes(plan: Plan, part: Part) -> Whole:
    """Return the number of the interval of each minute of the horizon, from 0."""
    begins = _clock_of_minutes(plan) % _length_min(part) == 0
    begins[0] = True
    return np.cumsum(begins) - 1


def _clock_of_minutes(plan: Plan) -> Whole:
    """Return the local minute of the day of each minute of the horizon."""
    starts = [60 * int(text[11:13]) + int(text[14:16]) for text in plan.clock.times]
    return np.add.outer(starts, np.arange(plan.clock.step_min)).ravel()


def _length_min(part: Part) -> int:
    return int(part.number("demand_interval_min"))


def _paid_mw(plan: Plan, part: Part, month: str) -> float:
    """Return the peak of a month up to which no more is charged, MW."""
    so_far = part["peak_so_far_mw"]
    if isinstance(so_far, Mapping):
        begun = float(so_far.get(month, 0.0))
    else:  # a number is for the month in which the horizon begins
        begun = part.number("peak_so_far_mw") if month == plan.clock.months[0] else 0.0
    return max(begun, part.number("expected_peak_mw"))
