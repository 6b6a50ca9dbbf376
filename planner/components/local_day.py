"""Limits on a sum over a local day, and what a window leaves of the day that it ends in."""

from __future__ import annotations

from typing import Any

from planner.components.terms import ByStep, Expression
from planner.components.time import Time
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array


def limit_by_day(time: Time, amount: ByStep, most: float, before: float) -> Any:
    """Return the rows that limit the sum of an amount over each local day, by its last step.

    before: the amount of the first day before the window.
    """
    days = {day[-1]: day for day in time.days()}

    def within(_: pyo.Block, last: int) -> Expression:
        so_far = before if days[last][0] == time.first else 0.0
        return time.total(amount, days[last]) <= max(most - so_far, 0.0)

    return pyo.Constraint(list(days), rule=within)


def so_far_today(
    amounts: Array, before: float, most: float | None, executed: Window, horizon: Horizon
) -> float:
    """Return the sum of an amount in the local day of the step after the executed ones.

    before: the amount of the first day before them. The sum is no more than the limit, which
    rounding or operation may have exceeded.
    """
    steps, all_today = steps_today(executed, horizon)
    today = float(amounts[len(amounts) - steps :].sum()) + (before if all_today else 0.0)
    return max(today if most is None else min(today, most), 0.0)  # a solver's 0 may be -1e-9


def steps_today(executed: Window, horizon: Horizon) -> tuple[int, bool]:
    """Return how many executed steps are in the local day of the next step, and if all are."""
    if horizon.end_of(executed.last).date() != horizon.starts[executed.last - 1].date():
        return 0, False
    today = next(day for day in horizon.days if executed.last in day)
    return executed.last - max(today[0], executed.first) + 1, today[0] <= executed.first
