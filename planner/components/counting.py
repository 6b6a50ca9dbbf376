"""What a window of a long horizon counts on: what a relaxation of the whole does after it.

With R the sum over the steps after the window in the LP relaxation of the horizon:

    green_rule      ahead grows by R of available, used, exported and load
    carbon          budget_tco2 shrinks by R of the emission
    service         wanted_so_far_mtok and served_so_far_mtok grow by R; at the end of the window as
                    much may wait as there waits in the relaxation
    grid            in a month that goes on after the window, a peak up to that of the relaxation
                    costs nothing in the window; the whole is settled with what it was
    battery         must not hold more at the end of the window than the relaxation holds there

Where a window has no plan with that (the relaxation splits what is whole), it is asked for less: a
green rule may be missed at a price, what is wanted later counts as served, the battery may end
empty, any work may wait, and carbon has all of the budget that is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.components.batch import EndingValue, ServiceInitial
from planner.components.stored import AtLeast, EndValue, over_origins
from planner.components.tariff import peaks_by_month
from planner.horizon import Horizon, Window
from planner.series import Array

if TYPE_CHECKING:
    from planner.components.battery import Battery
    from planner.components.green_rule import GreenRule
    from planner.components.grid import Grid
    from planner.components.service import Service

Values = Mapping[str, Array]
Changes = dict[str, Any]
STEERING_CNY_PER_MWH = 1e4  # for a MWh missed where a green rule cannot be kept: dearer than energy


def later(values: Values, window: Window) -> dict[str, Array]:
    """Return schedule columns after a window."""
    return {name: column[window.last :] for name, column in values.items()}


def count_green(
    rule: GreenRule, values: Values, window: Window, horizon: Horizon, firm: bool
) -> Changes:
    """Return what a green rule counts on."""
    changes: Changes = {}
    if values:
        added = rule.added(later(values, window), horizon.step_h)
        changes["ahead"] = rule.ahead.plus(added)
    if not firm and rule.penalty_cny_per_mwh is None:
        changes["penalty_cny_per_mwh"] = STEERING_CNY_PER_MWH
    return changes


def count_emission(budget: float | None, values: Values, window: Window, firm: bool) -> Changes:
    """Return the budget of a window."""
    if budget is None or not values or not firm:
        return {}
    after = later(values, window)
    emitted = float(np.sum(after["gross_tco2"] + after["import_tco2"]))
    return {"budget_tco2": max(budget - max(emitted, 0.0), 0.0)}


def count_peaks(grid: Grid, values: Values, window: Window, horizon: Horizon) -> Changes:
    """Return the peaks that cost nothing in a window."""
    if not values:
        return {}
    peaks = peaks_by_month(grid.peak_so_far_mw, horizon)
    for month, steps in horizon.months.items():
        if steps[0] <= window.last < steps[-1]:
            highest = float(values["import_mw"][steps[0] - 1 : steps[-1]].max())
            peaks[month] = max(peaks.get(month, 0.0), grid.expected_peak_mw, highest)
    return {"peak_so_far_mw": peaks}


def count_served(
    service: Service, values: Values, window: Window, horizon: Horizon, firm: bool
) -> Changes:
    """Return what a service counts on being served and may leave waiting."""
    start = service.initial
    changes: Changes = {}
    wanted = float(service.wanted()[window.last :].sum()) * horizon.step_h
    served = wanted
    if firm and values:
        served = service.served(later(values, window)) * horizon.step_h
    if service.min_served_share and (values or not firm):
        changes["initial"] = ServiceInitial(
            waiting=start.waiting,
            wanted_so_far_mtok=start.wanted_so_far_mtok + wanted,
            served_so_far_mtok=start.served_so_far_mtok + min(served, wanted),
        )
    if (arrivals := service.arrivals_mtok_per_h) is not None and (values or not firm):
        ending, value = service.ending, 0.0
        if isinstance(ending, EndingValue):
            most, value = ending.at_most_mtok, ending.value_cny_per_mtok
        else:
            most = start.waiting_mtok
        if firm:
            most = max(most, float(values["waiting_mtok"][window.last - 1]))
        else:
            arriving = float(arrivals[window.first - 1 : window.last].sum()) * horizon.step_h
            most = start.waiting_mtok + arriving
        changes["ending"] = EndingValue(value_cny_per_mtok=value, at_most_mtok=most)
    return changes


def count_stored(battery: Battery, values: Values, window: Window, firm: bool) -> Changes:
    """Return what a battery must hold at the end of a window."""
    least = battery.least_at_end()
    if isinstance(battery.ending, EndValue) or least is None or (firm and not values):
        return {}
    held = 0.0
    if firm:
        at_end = {name: column[[window.last - 1]] for name, column in values.items()}
        held = float(over_origins("energy_mwh", at_end)[0])
    return {"ending": AtLeast(at_least_mwh=min(least, max(held, 0.0)))}
