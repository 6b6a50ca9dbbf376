"""The nodes of a fleet: how one behaves, where they are, what they draw, what waking takes.

A node runs at measured operating points, reads input and needs cooling (pue).

Expression: it_kw[t].  Variables: woken[m,t] with its past, and where a job names the fleet
job_nodes[t] and job_kw[t].

    total           sum_k nodes[m,k,t] + prefill_nodes[m,t] = awake[m,t]
    count           sum_m awake[m,t] + job_nodes[t] + asleep[t] = nodes available_pu[t]
    power           sum_o draw_mw[o,t] = pue[t] / 1000 it_kw[t]
                    it_kw: node_kw and sleep_kw, summed over the nodes at points, reading, asleep,
                    and job_kw[t]
    waking_up       woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes

share_i is the part of a step that a node woken i steps ago still spends waking, and 0 is the awake
idle point: waking costs money, and time in which a node idles. A node that changes its model wakes
anew. Nodes that were waking when the horizon begins and then find an outage are lost to it: they
need not be awake.

job_nodes and job_kw balance what the jobs of the fleet hold. Nodes leave sleep with their job and
return to it: waking for a job costs neither time nor money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator, model_validator

from planner.components.component import Site, Time
from planner.components.job import Job
from planner.components.late import pyo
from planner.components.terms import Balance, ByStep, Expression
from planner.fields import AtLeastZero, Frozen, Positive
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, Series

MTOK_PER_H = 0.0036  # of one token/s


class OperatingPoint(Frozen):
    """A measured way to run one node."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens; 0 is the awake idle point."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""
    inter_token_ms: Positive | None = None
    """Inter-token latency; not needed where nothing is decoded."""

    @property
    def key(self) -> str:
        """How the point is named in columns."""
        return f"{self.tokens_per_s:g}"


class Prefill(Frozen):
    """How a node reads input."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in the cache."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""


class Serving(Frozen):
    """How a node of the fleet serves one model."""

    points: Annotated[tuple[OperatingPoint, ...], Field(strict=False)]
    """Operating points, among them the awake idle point (tokens_per_s: 0)."""
    prefill: Prefill | None = None
    """Reading of input; without it the points are taken to include it."""

    @field_validator("points")
    @classmethod
    def _points(cls, points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        points = tuple(sorted(points, key=lambda point: point.tokens_per_s))
        speeds = [point.tokens_per_s for point in points]
        if not speeds or speeds[0] != 0:
            raise ValueError("must hold the awake idle point, tokens_per_s: 0")
        if len(speeds) < 2:
            raise ValueError("must hold a point that decodes tokens")
        if len({point.key for point in points}) < len(points):
            raise ValueError("no two points may have the same tokens_per_s")
        return points

    @property
    def working(self) -> tuple[OperatingPoint, ...]:
        """The points that decode tokens."""
        return self.points[1:]

    def within(self, limit: float | None) -> list[OperatingPoint]:
        """Return the working points that meet a latency limit."""
        if limit is None:
            return list(self.working)
        return [p for p in self.working if p.inter_token_ms and p.inter_token_ms <= limit]


class PuePoint(Frozen):
    """PUE at a temperature."""

    temperature_c: float
    """Outdoor temperature."""
    pue: Annotated[float, Field(ge=1)]
    """Facility power over IT power."""


class PueByTemperature(Frozen):
    """PUE that follows the weather, linear between points."""

    temperature_c: Series
    """Outdoor temperature."""
    points: Annotated[tuple[PuePoint, ...], Field(min_length=2, strict=False)]
    """Points of ascending temperature; the weather may not leave them."""

    @model_validator(mode="after")
    def _covers(self) -> PueByTemperature:
        known = [point.temperature_c for point in self.points]
        if any(b <= a for a, b in pairwise(known)):
            raise ValueError("points: temperature_c must ascend")
        low, high = float(self.temperature_c.min()), float(self.temperature_c.max())
        if low < known[0] or high > known[-1]:
            raise ValueError(
                f"points cover {known[0]:g} to {known[-1]:g} °C, the weather goes from {low:g} to"
                f" {high:g} °C; add measured points"
            )
        return self

    def resolve(self) -> Array:
        """Return the PUE of every step; shape (T,)."""
        known = [point.temperature_c for point in self.points]
        found = np.interp(self.temperature_c, known, [point.pue for point in self.points])
        return np.asarray(found)


def _has_jobs(site: Site) -> bool:
    """Whether a job names this fleet."""
    jobs = (c for c in site.components.values() if isinstance(c, Job))
    return any(job.fleet == site.name for job in jobs)


def hold_nodes(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    *,
    available: Mapping[int, float],
    pue: Mapping[int, float],
    sleep_kw: float,
) -> dict[Balance, ByStep]:
    """Declare the rows; return what the fleet supplies to the balances of its jobs."""
    time, jobs = site.clock, _has_jobs(site)
    if jobs:
        b.job_nodes = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.job_kw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
    _count(b, time, serves, available, jobs=jobs)
    _power(b, site, serves, pue, sleep_kw, jobs=jobs)
    if not jobs:
        return {}
    return {
        Balance("nodes", site.name): lambda t: b.job_nodes[t],
        Balance("it_kw", site.name): lambda t: b.job_kw[t],
    }


def _count(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    available: Mapping[int, float],
    *,
    jobs: bool,
) -> None:
    """Every node is at a point, reads input, is on a job, or sleeps."""

    def held(m: str, t: int) -> Expression:
        working = sum(b.nodes[m, point.key, t] for point in serves[m].points)
        return working + (b.prefill_nodes[m, t] if serves[m].prefill else 0.0)

    def everywhere(t: int) -> Expression:
        awake = sum(b.awake[m, t] for m in serves)
        return awake + b.asleep[t] + (b.job_nodes[t] if jobs else 0.0)

    b.total = pyo.Constraint(
        list(serves), time.steps, rule=lambda b, m, t: held(m, t) == b.awake[m, t]
    )
    b.count = pyo.Constraint(time.steps, rule=lambda _, t: everywhere(t) == available[t])


def _power(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    pue: Mapping[int, float],
    sleep_kw: float,
    *,
    jobs: bool,
) -> None:
    readers = {m: serving.prefill for m, serving in serves.items() if serving.prefill}

    def it_kw(b: pyo.Block, t: int) -> Expression:
        at_points = sum(
            point.node_kw * b.nodes[m, point.key, t]
            for m, serving in serves.items()
            for point in serving.points
        )
        reading = sum(prefill.node_kw * b.prefill_nodes[m, t] for m, prefill in readers.items())
        on_jobs = b.job_kw[t] if jobs else 0.0
        return at_points + reading + sleep_kw * b.asleep[t] + on_jobs

    def power(b: pyo.Block, t: int) -> Expression:
        return sum(b.draw_mw[o, t] for o in site.origins) == pue[t] / 1000 * b.it_kw[t]

    b.it_kw = pyo.Expression(site.clock.steps, rule=it_kw)
    b.power = pyo.Constraint(site.clock.steps, rule=power)


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
