"""Running totals: variables that sum up a flow over the steps of a window."""

from __future__ import annotations

from typing import Any

from planner.components.component import Time
from planner.components.late import pyo
from planner.components.terms import ByStep


def running_total(b: pyo.Block, time: Time, name: str, start: float, added: ByStep) -> Any:
    """Declare a running total `name` in `b`; return the variable, indexed by point.

    A constraint on its last point needs no row over all steps:

    X_rises     X[t] = X[t-1] + added[t]        X[0] is fixed at `start`
    """
    total = pyo.Var(time.points)  # no bound: at 0 it would have a price of its own
    b.add_component(name, total)
    total[time.first - 1].fix(start)
    rises = pyo.Constraint(time.steps, rule=lambda _, t: total[t] == total[t - 1] + added(t))
    b.add_component(f"{name}_rises", rises)
    return total
