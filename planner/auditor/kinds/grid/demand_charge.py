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
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import AT, Flags
from planner.auditor.kinds.grid.demand_response import within
from planner.auditor.reading import Line, Part, Plan

Whole = np.ndarray[Any, np.dtype[np.int64]]


def lines_of(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the line of the ledger that a grid has for its demand charge."""
    rate = part.number("demand_charge_cny_per_mw_month")
    if rate:
        peaks = dict.fromkeys(plan.clock.months, 0.0) | _peaks(_averages(plan, part))
        over = [max(mw - _paid_mw(plan, part, month), 0.0) for month, mw in peaks.items()]
        yield Line(part.name, "demand_charge", -rate * np.array(over), list(peaks), rate)


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
    """Return the highest average of an interval that counts."""
    if not part.number("demand_charge_cny_per_mw_month"):
        return {}
    return {"billed_peak_mw": max(_peaks(_averages(plan, part)).values(), default=0.0)}


def at_peak(plan: Plan, part: Part) -> Flags:
    """Return the steps that share a minute with an interval at the peak of its month."""
    if not part.number("demand_charge_cny_per_mw_month"):
        return np.zeros(plan.clock.steps, dtype=bool)
    averages = _averages(plan, part)
    is_peak = averages["mw"] >= averages["month"].map(_peaks(averages)).astype(float) - AT
    flags = np.isin(_interval_of_minutes(plan, part), averages.index[is_peak])
    return np.asarray(flags.reshape(plan.clock.steps, -1).any(axis=1))


def _averages(plan: Plan, part: Part) -> pd.DataFrame:
    """Return the intervals that count: their average import, MW, and their month."""
    length, step_min = _length_min(part), plan.clock.step_min
    mw_minutes = np.repeat(part.column("import_mw"), step_min)
    mw_minutes[0] += 60 * part.under("initial").number("interval_mwh")
    minutes = pd.DataFrame({
        "interval": _interval_of_minutes(plan, part),
        "mw": mw_minutes / length,
        "month": np.repeat(plan.clock.months, step_min),
        "begins": _clock_of_minutes(plan) // length * length,
    })  # fmt: skip
    averages = minutes.groupby("interval").agg({"mw": "sum", "month": "first", "begins": "first"})
    hours = part["demand_hours"]
    if hours is None:
        return averages
    begins = [dt.time(*divmod(minute, 60)) for minute in averages["begins"]]
    return averages[[any(within(str(text), at) for text in hours) for at in begins]]


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


def _peaks(averages: pd.DataFrame) -> dict[str, float]:
    """Return the highest average of each month that has one."""
    highest = averages.groupby("month")["mw"].max()
    return {str(month): float(mw) for month, mw in highest.items()}


def _paid_mw(plan: Plan, part: Part, month: str) -> float:
    """Return the peak of a month up to which no more is charged, MW."""
    so_far = part["peak_so_far_mw"]
    if isinstance(so_far, Mapping):
        begun = float(so_far.get(month, 0.0))
    else:  # a number is for the month in which the horizon begins
        begun = part.number("peak_so_far_mw") if month == plan.clock.months[0] else 0.0
    return max(begun, part.number("expected_peak_mw"))
