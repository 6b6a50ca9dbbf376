"""A running total over the horizon: a rule on its last point needs no row over all steps.

X_rises     X[t] = X[t-1] + added[t]        X on points, fixed at the first: the past
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.components.terms import ByStep

if TYPE_CHECKING:
    import pyomo.environ as pyo

    from planner.components.base import Time


def running_total(b: pyo.Block, time: Time, name: str, start: float, added: ByStep) -> Any:
    """Declare the total `name` in `b` and its rows; return the variable, indexed by point."""
    import pyomo.environ as pyo

    total = pyo.Var(time.points)  # no bound: at 0 it would have a price of its own
    b.add_component(name, total)
    total[time.first - 1].fix(start)
    rises = pyo.Constraint(time.steps, rule=lambda _, t: total[t] == total[t - 1] + added(t))
    b.add_component(f"{name}_rises", rises)
    return total
