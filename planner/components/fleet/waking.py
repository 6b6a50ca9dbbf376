"""Waking: nodes that have been woken idle until they work, and nodes that are spare.

Variables: woken[m,t] with its past.

    waking_up       woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes

share_i is the part of a step that a node woken i steps ago still needs to wake, and 0 is the awake
idle point: waking costs money and time in which the node idles. A node that changes its model wakes
anew. Nodes that were waking when the horizon begins and are then lost to an outage need not be
awake.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.components.fleet.fields import FleetInitial
from planner.components.fleet.operating_points import Serving
from planner.components.terms import ByStep, Expression
from planner.components.time import Time
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon

WAKING_RULES = {
    "waking": "wakes a node in wake_min {wake_min} min, idle",
    "spare": "keeps spare_nodes {spare_nodes} awake and idle",
}


def declare_waking(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    initial: FleetInitial,
    *,
    wake_min: float,
    spare_nodes: float,
    available: Mapping[int, float],
) -> ByStep:
    """Declare `woken`, its past and the rows waking_up, waking and spare.

    Return the idle nodes that neither wake nor are spare.
    """
    shares, before = wake_shares(wake_min, time.horizon), time.first - 1
    models, idle = list(serves), {m: serving.points[0].key for m, serving in serves.items()}
    reach = max(len(shares), 1)
    past = {m: [*initial.woken.get(m, ()), *[0.0] * reach][:reach] for m in models}
    left = _left_by_outages(past, [available[t] - spare_nodes for t in time.steps])
    b.woken = pyo.Var(models, time.back(reach), domain=pyo.NonNegativeReals)
    for m in models:
        b.awake[m, before].fix(initial.awake.get(m, 0.0))
        for i, woken in enumerate(past[m]):
            b.woken[m, before - i].fix(left * woken)

    def waking(m: str, t: int) -> Expression:
        return sum(share * b.woken[m, t - i] for i, share in enumerate(shares))

    def rested(t: int) -> Expression:
        return sum(b.nodes[m, idle[m], t] - waking(m, t) for m in models)

    b.waking_up = pyo.Constraint(
        models, time.steps, rule=lambda b, m, t: b.woken[m, t] >= b.awake[m, t] - b.awake[m, t - 1]
    )
    if shares:
        b.waking = pyo.Constraint(
            models, time.steps, rule=lambda b, m, t: b.nodes[m, idle[m], t] >= waking(m, t)
        )
    if spare_nodes:
        b.spare = pyo.Constraint(time.steps, rule=lambda _, t: rested(t) >= spare_nodes)
    return lambda t: rested(t) - spare_nodes


def _left_by_outages(past: Mapping[str, list[float]], available: list[float]) -> float:
    """Return the part of the nodes woken before the window that outages leave to finish waking.

    past: nodes woken by model, latest first. available: nodes by step of the window.
    """
    left, reach = 1.0, max(map(len, past.values()))
    for i, nodes in enumerate(available[: reach - 1]):
        still_waking = sum(sum(woken[: reach - 1 - i]) for woken in past.values())
        if still_waking > 0:
            left = min(left, nodes / still_waking)
    return left


def wake_shares(wake_min: float, horizon: Horizon) -> list[float]:
    """Return the part of each step after waking that a node still needs to wake."""
    steps = wake_min / horizon.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]
