"""Waking the nodes of a fleet: it costs money, and time in which a node idles.

Variable: woken[m,t] with its past.

    waking_up       woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes

share_i is the part of a step that a node woken i steps ago still spends waking, and 0 is the awake
idle point. A node that changes its model wakes anew. Nodes that were waking when the horizon begins
and then find an outage are lost to it: they need not be awake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.components.base import Expression, Time
from planner.horizon import Horizon

if TYPE_CHECKING:
    import pyomo.environ as pyo

RULES = {
    "waking": "wakes a node in wake_min {wake_min} min, idle",
    "spare": "keeps spare_nodes {spare_nodes} awake and idle",
}


@dataclass(frozen=True)
class Waking:
    """How the nodes of a fleet wake, and which were waking before the window.

    idle: the column key of every model's awake idle point.
    shares: part of a step spent waking, by steps since the waking began.
    awake, woken: nodes awake, and nodes woken in the last steps (latest first), by model.
    available: nodes available by step.
    """

    idle: Mapping[str, str]
    shares: list[float]
    awake: Mapping[str, float]
    woken: Mapping[str, tuple[float, ...]]
    available: Mapping[int, float]
    spare_nodes: float

    def declare(self, b: pyo.Block, time: Time) -> None:
        """Declare `woken`, its past and the rows; `nodes` and `awake` stand in `b` already."""
        import pyomo.environ as pyo

        before, models = time.first - 1, list(self.idle)
        b.woken = pyo.Var(models, time.back(self._reach), domain=pyo.NonNegativeReals)
        for m, past in self._past(time).items():
            b.awake[m, before].fix(self.awake.get(m, 0.0))
            for i, woken in enumerate(past):
                b.woken[m, before - i].fix(woken)

        def waking(m: str, t: int) -> Expression:
            return sum(share * b.woken[m, t - i] for i, share in enumerate(self.shares))

        b.waking_up = pyo.Constraint(
            models,
            time.steps,
            rule=lambda b, m, t: b.woken[m, t] >= b.awake[m, t] - b.awake[m, t - 1],
        )
        if self.shares:
            b.waking = pyo.Constraint(
                models, time.steps, rule=lambda b, m, t: b.nodes[m, self.idle[m], t] >= waking(m, t)
            )
        if self.spare_nodes:
            b.spare = pyo.Constraint(
                time.steps,
                rule=lambda b, t: (
                    sum(b.nodes[m, self.idle[m], t] - waking(m, t) for m in models)
                    >= self.spare_nodes
                ),
            )

    @property
    def _reach(self) -> int:
        return max(len(self.shares), 1)

    def _past(self, time: Time) -> dict[str, list[float]]:
        """Return the nodes woken before the window by model, latest first, without those lost."""
        padding = [0.0] * self._reach
        past = {m: [*self.woken.get(m, ()), *padding][: self._reach] for m in self.idle}
        left = 1.0
        for ahead, t in enumerate(list(time.steps)[: self._reach - 1]):
            still = sum(sum(woken[: self._reach - 1 - ahead]) for woken in past.values())
            if still > 0:
                left = min(left, (self.available[t] - self.spare_nodes) / still)
        return {m: [left * nodes for nodes in woken] for m, woken in past.items()}


def wake_shares(wake_min: float, horizon: Horizon) -> list[float]:
    """Return the part of each step after waking that a node spends waking, first step first."""
    steps = wake_min / horizon.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]
