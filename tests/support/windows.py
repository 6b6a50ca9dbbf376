"""A horizon in parts: what its first steps earned, the state after them, the best of the rest."""

from __future__ import annotations

import planner
from planner.studies import window as windows
from planner.timeseries.horizon import Window


def advance(plan: planner.Plan, first: int, last: int) -> planner.Scenario:
    """Return the plan's scenario after the steps first..last."""
    kept = Window(first, last)
    return windows.advance(plan.scenario, plan.schedule.iloc[first - 1 : last], kept)


def best_of(scenario: planner.Scenario, first: int, last: int | None = None) -> float:
    """Return the best profit of the steps first..last, by default to the end, CNY."""
    window = Window(first, scenario.horizon.steps if last is None else last)
    return windows.solve_window(scenario, window).profit_cny


def earned_by_step(plan: planner.Plan, steps: int) -> float:
    """Return what the first steps of a plan earned by the step, CNY; nothing by month or once."""
    times = {moment.isoformat() for moment in plan.schedule.index[:steps]}
    return float(plan.ledger.loc[plan.ledger["period"].isin(times), "amount_cny"].sum())
