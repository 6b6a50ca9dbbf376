"""The cycles of a battery: energy discharged in a local day, relative to its usable capacity.

    cycles            Δ sum discharge_mw over a local day <= cycles_per_day (capacity_mwh - min_energy_mwh)

On the first day the right side is less by initial.discharged_today_mwh.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Sequence

from planner.components.component import Time, Values, steps_today, summed
from planner.components.late import pyo
from planner.components.terms import ByStep
from planner.timeseries.horizon import Horizon, Window


def limit_cycles(
    b: pyo.Block, time: Time, limit_mwh: float | None, today_mwh: float, discharged: ByStep
) -> None:
    """Declare the most energy discharged in a local day, if that has a limit."""
    if limit_mwh is None:
        return
    days = {day[-1]: day for day in time.days()}  # a day is indexed by its last step

    def left(day: Sequence[int]) -> float:
        return max(limit_mwh - (today_mwh if day[0] == time.first else 0.0), 0.0)

    b.cycles = pyo.Constraint(
        list(days),
        rule=lambda _, t: time.step_h * sum(map(discharged, days[t])) <= left(days[t]),
    )


def discharged_today(
    values: Values, executed: Window, horizon: Horizon, before_mwh: float, limit_mwh: float | None
) -> float:
    """Return the energy discharged in the local day of the step after the executed ones, MWh."""
    steps, all_today = steps_today(executed, horizon)
    discharged = float(summed("discharge_mw", values)[len(executed) - steps :].sum())
    mwh = horizon.step_h * max(discharged, 0.0)  # a solver's 0 may be -1e-9
    mwh += before_mwh if all_today else 0.0
    return mwh if limit_mwh is None else min(mwh, limit_mwh)  # a rounded sum may exceed it
