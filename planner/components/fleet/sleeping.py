"""Sleep in several levels: counts of nodes, between which no node moves without waking.

Variables where a fleet has several levels l, or one with drain_min: asleep[l,t] on points,
slept[l,t] with its past, woken[l,m,t] (see `waking`), outage_nodes[l,t], and woken_for_jobs[l,t]
where a job names the fleet.

    woken_from      sum_m woken[l,m,t] + woken_for_jobs[l,t]
                    >= asleep[l,t-1] - asleep[l,t] + slept[l,t] + sign[t] outage_nodes[l,t]
    fallen_asleep   slept[l,t] >= asleep[l,t] - asleep[l,t-1] - sign[t] outage_nodes[l,t]
    slept_asleep    asleep[l,t] >= sum_{i < k} slept[l,t-i] + max(sign[t], 0) outage_nodes[l,t]
                                   - sum_{i < k-1} max(-sign[t-i], 0) outage_nodes[l,t-i]    k <= n
    woken_awake     awake[m,t] >= sum_l woken[l,m,t]
    outage          sum_l outage_nodes[l,t] <= |available[t] - available[t-1]|
    for_jobs        sum_l woken_for_jobs[l,t] <= nodes of the jobs that start in t

available[t] is nodes available_pu[t]; sign[t] is 1 where it rises, and outage_nodes return into the
level, -1 where it falls and they leave it. slept[l,t] and its rows are there where the level has
drain_min: a node that enters it drains, for the n steps that drain_min reaches into. It draws
idle_kw, the most of all idle points, for as long, and is not woken before it has drained; an outage
may take it, and its power is then counted on. So it_kw has besides the sum over its levels

    (idle_kw - node_kw) sum_i drain_share_i slept[l,t-i]        drain_share_i as share_i in `waking`

The rows are exact for flows of nodes. Let a node leave a level only by waking for a model or a job
or in an outage, and let all nodes that leave a model (to sleep, for another model, in an outage),
that end a job or return form a pool, from which nodes sleep, change their model, start a job or are
gone. A level then holds asleep[t-1] + slept - woken + what outages bring or take; with woken at most
the nodes woken from it, that is woken_from, and with woken >= 0, fallen_asleep. What a model gains
is woken, from levels or from the pool: waking_up, as nodes from the pool count as woken from a
level too. Nodes do one thing in a step, so that those which come are there at its end: slept_asleep,
woken_awake. `count` is the balance of the pool. So there are flows for every point of the rows, and
the reverse. A node that changes its model, or ends a job and is put on a model, wakes as from the
level that wakes fastest and for least, the first. Waking for a job takes neither time nor money, from
any level.

ramp_nodes_per_h limits the nodes awake on all models; an outage may take more of them.

    ramp_up         sum_m awake[m,t] - sum_m awake[m,t-1] <= ramp_nodes_per_h Δ
    ramp_down       sum_m awake[m,t-1] - sum_m awake[m,t] <= ramp_nodes_per_h Δ
                                                             + max(available[t-1] - available[t], 0)

Before the horizon the nodes named in `initial` are in their levels. Where initial.asleep is given
all others return from an outage in the first step. Else they are in the first level.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.components.component import Complaint, Site
from planner.components.fleet.fields import FleetInitial
from planner.components.fleet.operating_points import Serving
from planner.components.fleet.sleep_levels import SleepLevel, SleepLevels, shares_of
from planner.components.job import Job
from planner.components.terms import ByStep, Expression, Meters, of
from planner.fields import NOTHING, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.modelling.vectors import Known
from planner.timeseries.series import Array

SLEEP_RULES = {
    "slept_asleep": "wakes no node before it has drained for drain_min {drain_min} min",
    "ramp_up": "changes its nodes awake by ramp_nodes_per_h {ramp_nodes_per_h} an hour at most",
    "ramp_down": "changes its nodes awake by ramp_nodes_per_h {ramp_nodes_per_h} an hour at most",
}


@dataclass(frozen=True)
class Sleeping:
    """The sleep of a fleet in a window.

    nodes: available by step of the horizon; shape (T,).
    """

    site: Site
    sleep: SleepLevels
    serves: Mapping[str, Serving]
    initial: FleetInitial
    nodes: Array

    def check(self, nodes: float) -> Iterator[Complaint]:
        """Yield where `initial` has more nodes than there are, available or not."""
        yield from self._check_waking()
        known = self.known_before
        if exceeds(known, nodes, NOTHING) and self.on_jobs[0]:
            message = Message(
                "sums to {value:g} with the nodes of jobs that run on, more than nodes, {nodes:g}",
                value=known, nodes=nodes,
            )  # fmt: skip
            yield ("initial", "awake"), message
        for level, asleep in zip(self.sleep.levels, self.asleep_before, strict=True):
            slept = self.initial.slept.get(level.name, ())
            draining = sum(slept[: level.drains(self.site.horizon)])
            if exceeds(draining, asleep, NOTHING):
                message = Message(
                    "{draining:g} nodes still drain, more than sleep there, {asleep:g}",
                    draining=draining, asleep=asleep,
                )  # fmt: skip
                yield ("initial", "slept", level.name), message

    def _check_waking(self) -> Iterator[Complaint]:
        still, initial = dict.fromkeys(self.serves, 0.0), self.initial
        for _, model, key, reach in self.sleep.reaches(self.serves, self.site.horizon):
            still[model] += sum(initial.woken.get(key, ())[:reach])
        for model, waking in still.items():
            awake = initial.awake.get(model, 0.0)
            if exceeds(waking, awake, NOTHING):
                message = Message(
                    "{waking:g} nodes are still waking, more than initial.awake has, {awake:g}",
                    waking=waking, awake=awake,
                )  # fmt: skip
                yield ("initial", "woken", *(() if self.sleep.apart else (model,))), message

    def declare_asleep(self, b: pyo.Block) -> None:
        """Declare the nodes asleep and those that fall asleep, with their past."""
        time, levels, drained = self.site.clock, self.sleep.levels, self.drained
        if not self.sleep.apart:
            b.asleep = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
            return
        b.asleep = pyo.Var(self.sleep.names, time.points, domain=pyo.NonNegativeReals)
        for level, nodes in zip(levels, self.asleep_before, strict=True):
            b.asleep[level.name, time.first - 1].fix(nodes)
        if drained:
            shares = [shares_of(level.drain_min, time.horizon) for level in drained]
            reach = max(map(len, shares))
            names = [level.name for level in drained]
            b.slept = pyo.Var(names, time.back(reach), domain=pyo.NonNegativeReals)
            for name in names:
                past = [*self.initial.slept.get(name, ()), *[0.0] * reach][:reach]
                for i, nodes in enumerate(past):
                    b.slept[name, time.first - 1 - i].fix(nodes)

    def asleep(self, b: pyo.Block, levels: Sequence[SleepLevel]) -> ByStep:
        """Return the nodes asleep in some levels by step."""
        nodes = [of(b.asleep, *self.sleep.key(level)) for level in levels]
        return lambda t: sum(by_step(t) for by_step in nodes)

    def power_kw(self, b: pyo.Block, t: int) -> Expression:
        """Return the power of the nodes that sleep or drain in a step."""
        idle_kw = max(serving.points[0].node_kw for serving in self.serves.values())
        asleep = sum(v.node_kw * self.asleep(b, [v])(t) for v in self.sleep.levels)
        return asleep + sum(
            max(idle_kw - level.node_kw, 0.0) * share * b.slept[level.name, t - i]
            for level in self.drained
            for i, share in enumerate(shares_of(level.drain_min, self.site.horizon))
        )

    def declare_moves(self, b: pyo.Block, *, has_jobs: bool) -> None:
        """Declare the rows of the moves between levels and models."""
        time, names = self.site.clock, self.sleep.names
        drained = {v.name: len(shares_of(v.drain_min, time.horizon)) for v in self.drained}
        longest = max([1, *drained.values()]) - 1  # steps back that a node may drain from
        change, models = np.concatenate([np.zeros(longest), self.change]), list(self.serves)
        first = time.first - longest
        changed = time.among(first + np.flatnonzero(change))
        b.outage_nodes = pyo.Var(names, time.back(longest), domain=pyo.NonNegativeReals)
        for name in names:
            for t in time.back(longest):
                if not change[t - first]:
                    b.outage_nodes[name, t].fix(0.0)
        if has_jobs:
            b.woken_for_jobs = pyo.Var(names, time.steps, domain=pyo.NonNegativeReals)
        returns, leaves = (Known(first, (way * change > 0).astype(float)) for way in (1, -1))
        sign, most = Known(first, np.sign(change)), Known(first, np.abs(change))

        def brought(name: str, t: int) -> Expression:
            return sign[t] * b.outage_nodes[name, t]

        def woken_from(b: pyo.Block, name: str, t: int) -> Expression:
            woken = sum(b.woken[name, m, t] for m in models)
            woken += b.woken_for_jobs[name, t] if has_jobs else 0.0
            slept = b.slept[name, t] if name in drained else 0.0
            fall = b.asleep[name, t - 1] - b.asleep[name, t]
            return woken >= fall + slept + brought(name, t)

        def fallen_asleep(b: pyo.Block, name: str, t: int) -> Expression:
            rise = b.asleep[name, t] - b.asleep[name, t - 1]
            return b.slept[name, t] >= rise - brought(name, t)

        def slept_asleep(b: pyo.Block, name: str, k: int, t: int) -> Expression:
            draining = sum(b.slept[name, t - i] for i in range(k))
            left = sum(leaves[t - i] * b.outage_nodes[name, t - i] for i in range(k - 1))
            return b.asleep[name, t] >= draining + returns[t] * b.outage_nodes[name, t] - left

        def woken_awake(b: pyo.Block, m: str, t: int) -> Expression:
            return b.awake[m, t] >= sum(b.woken[name, m, t] for name in names)

        b.woken_from = pyo.Constraint(names, time.steps, rule=woken_from)
        if drained:
            b.fallen_asleep = pyo.Constraint(list(drained), time.steps, rule=fallen_asleep)
            some_leave = bool((change < 0).any())  # else the last row says it all
            ends = [
                (s, k) for s, n in drained.items() for k in range(1 if some_leave else n, n + 1)
            ]
            b.slept_asleep = pyo.Constraint(ends, time.steps, rule=slept_asleep)
        b.woken_awake = pyo.Constraint(models, time.steps, rule=woken_awake)
        b.outage = pyo.Constraint(
            changed, rule=lambda b, t: sum(b.outage_nodes[n, t] for n in names) <= most[t]
        )

    def limit_for_jobs(self, b: pyo.Block, meters: Meters) -> None:
        """Declare for_jobs, with the meter of the nodes of jobs that start."""
        starting, levels = meters.total(f"starting_nodes[{self.site.name}]"), self.sleep.levels
        b.for_jobs = pyo.Constraint(
            self.site.clock.steps,
            rule=lambda b, t: sum(b.woken_for_jobs[v.name, t] for v in levels) <= starting(t),
        )

    def limit_ramps(self, b: pyo.Block, ramp_nodes_per_h: float) -> None:
        """Declare ramp_up and ramp_down."""
        time, models, change = self.site.clock, list(self.serves), self.change
        most = ramp_nodes_per_h * time.step_h
        fall = Known(time.first, np.maximum(-change, 0.0))

        def rise(b: pyo.Block, t: int) -> Expression:
            return sum(b.awake[m, t] - b.awake[m, t - 1] for m in models)

        b.ramp_up = pyo.Constraint(time.steps, rule=lambda b, t: rise(b, t) <= most)
        b.ramp_down = pyo.Constraint(time.steps, rule=lambda b, t: -rise(b, t) <= most + fall[t])

    @property
    def drained(self) -> list[SleepLevel]:
        """The levels before which nodes drain."""
        return [level for level in self.sleep.levels if level.drain_min]

    @property
    def change(self) -> Array:
        """The change of the nodes available from the step before, by step of the window."""
        time = self.site.clock
        change = np.diff(self.nodes[time.first - 1 : time.last], prepend=self._before)
        return np.where(np.abs(change) > NOTHING, change, 0.0)

    @property
    def on_jobs(self) -> Array:
        """Nodes of the jobs that run on when the window begins, by step of it and beyond."""
        horizon, nodes = self.site.horizon, np.zeros(self.site.horizon.steps)
        for part in self.site.components.values():
            if isinstance(part, Job) and part.fleet == self.site.name:
                nodes[: part.runs_on(horizon)] += part.nodes
        return nodes

    @property
    def besides_jobs(self) -> Array:
        """Nodes available by step of the window, less those of jobs that run on."""
        nodes = self.nodes[self.site.clock.first - 1 : self.site.clock.last]
        return nodes - self.on_jobs[: len(nodes)]

    @property
    def known_before(self) -> float:
        """Nodes that `initial` names, and those of jobs that run on."""
        named = (*self.initial.awake.values(), *self.initial.asleep.values())
        return float(sum(named) + self.on_jobs[0])

    @property
    def _before(self) -> float:
        """Nodes available just before the window: of the horizon, all that are known."""
        first = self._first
        if first > 1:
            return float(self.nodes[first - 2])
        return max(0.0 if self.initial.asleep else float(self.nodes[0]), self.known_before)

    @property
    def _first(self) -> int:
        """The first step of the window; of the horizon where none is being built."""
        return 1 if self.site.time is None else self.site.time.first

    @property
    def asleep_before(self) -> list[float]:
        """Nodes asleep just before the window by level."""
        asleep = [self.initial.asleep.get(level.name, 0.0) for level in self.sleep.levels]
        if self._first == 1:
            asleep[0] += self._before - self.known_before
        return asleep
