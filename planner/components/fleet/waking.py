"""Waking: nodes that have been woken idle until they work, and nodes that are spare.

Variables: woken[m,t] with its past.

    waking_up       woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes

share_i is the part of a step that a node woken i steps ago still needs to wake, and 0 is the awake
idle point: waking costs money and time in which the node idles. A node that changes its model wakes
anew. Nodes that were waking when the horizon begins and are then lost to an outage need not be
awake: spare nodes and those of jobs that run on are kept before them. With several levels of sleep,
`sleeping`, woken[l,m,t] is summed over the levels l in all rows, and share_i and the cost are those
of l.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.components.fleet.fields import FleetInitial
from planner.components.fleet.operating_points import Serving
from planner.components.fleet.sleep_levels import SleepLevels, shares_of
from planner.components.terms import ByStep, Expression
from planner.components.time import Time
from planner.modelling import pyo
from planner.timeseries.series import Array

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
    sleep: SleepLevels,
    spare_nodes: float,
    room: Array,
) -> ByStep:
    """Declare `woken`, its past and the rows waking_up, waking and spare.

    Return the idle nodes that neither wake nor are spare. room: for nodes that are still waking, by
    step of the window.
    """
    before, models = time.first - 1, list(serves)
    idle = {m: serving.points[0].key for m, serving in serves.items()}
    shares = {
        sleep.key(level, m): (m, shares_of(level.wake_min, time.horizon))
        for level in sleep.levels
        for m in models
    }
    reach = max(1, *(len(parts) for _, parts in shares.values()))
    past = {
        key: [*initial.woken.get("|".join(key), ()), *[0.0] * reach][: max(len(parts), 1)]
        for key, (_, parts) in shares.items()
    }
    left = _left_by_outages(past, room)
    b.woken = pyo.Var(list(shares), time.back(reach), domain=pyo.NonNegativeReals)
    for m in models:
        b.awake[m, before].fix(initial.awake.get(m, 0.0))
    for key, counts in past.items():
        for i in range(reach):
            b.woken[(*key, before - i)].fix(left * counts[i] if i < len(counts) else 0.0)

    def woken(m: str, t: int) -> Expression:
        return sum(b.woken[(*key, t)] for key, (model, _) in shares.items() if model == m)

    def waking(m: str, t: int) -> Expression:
        return sum(
            share * b.woken[(*key, t - i)]
            for key, (model, parts) in shares.items()
            if model == m
            for i, share in enumerate(parts)
        )

    def rested(t: int) -> Expression:
        return sum(b.nodes[m, idle[m], t] - waking(m, t) for m in models)

    b.waking_up = pyo.Constraint(
        models, time.steps, rule=lambda b, m, t: woken(m, t) >= b.awake[m, t] - b.awake[m, t - 1]
    )
    if any(parts for _, parts in shares.values()):
        b.waking = pyo.Constraint(
            models, time.steps, rule=lambda b, m, t: b.nodes[m, idle[m], t] >= waking(m, t)
        )
    if spare_nodes:
        b.spare = pyo.Constraint(time.steps, rule=lambda _, t: rested(t) >= spare_nodes)
    return lambda t: rested(t) - spare_nodes


def _left_by_outages(past: Mapping[tuple[str, ...], list[float]], room: Array) -> float:
    """Return the part of the nodes woken before the window that outages leave to finish waking.

    past: nodes woken, latest first, as far back as they may still be waking. room: for them, by
    step of the window.
    """
    left, reach = 1.0, max(map(len, past.values()))
    for i, nodes in enumerate(room[: reach - 1]):
        still_waking = sum(sum(woken[: max(len(woken) - 1 - i, 0)]) for woken in past.values())
        if still_waking > 0:
            left = min(left, float(nodes) / still_waking)
    return left
