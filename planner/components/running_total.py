"""Running totals, whose last point is a sum over a window: a limit on it is a row of one term.

X is a total of another component, such as emitted_tco2 of carbon; `added` is what a step adds.

    X_rises     X[t] = X[t-1] + added[t]        X[0] is fixed
"""

from __future__ import annotations

from typing import Any

from planner.components.terms import ByStep
from planner.components.time import Time
from planner.modelling import pyo


def running_total(b: pyo.Block, time: Time, name: str, start: float, added: ByStep) -> Any:
    """Declare a running total `name` in `b` from `start` on; return it, indexed by point."""
    total = pyo.Var(time.points)  # no bound: at 0 it would have a price of its own
    b.add_component(name, total)
    total[time.first - 1].fix(start)
    rises = pyo.Constraint(time.steps, rule=lambda _, t: total[t] == total[t - 1] + added(t))
    b.add_component(f"{name}_rises", rises)
    return total
