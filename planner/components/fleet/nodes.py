"""The nodes of a fleet: operating points, states, power and waking.

Every node is at an operating point of a model, in prefill of a model, on a job, or asleep.

Expression: it_kw[t].  Variables: woken[m,t] with its past, and where a job names the fleet
job_nodes[t] and job_kw[t].

    total           sum_k nodes[m,k,t] + prefill_nodes[m,t] = awake[m,t]
    count           sum_m awake[m,t] + job_nodes[t] + asleep[t] = nodes available_pu[t]
    power           sum_o draw_mw[o,t] = pue[t] / 1000 it_kw[t]
                    it_kw: node_kw and sleep_kw, summed over the nodes at points, in prefill, asleep,
                    and job_kw[t]
    waking_up       woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes

share_i is the part of a step that a node woken i steps ago still needs to wake, and 0 is the awake
idle point: waking costs money and time in which the node idles. A node that changes its model wakes
anew. Nodes that were waking when the horizon begins and are then lost to an outage need not be
awake.

job_nodes and job_kw balance what the jobs on the fleet hold and draw. Nodes wake with their job and
sleep again after it: waking for a job takes neither time nor money.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator, model_validator

from planner.components.component import Site
from planner.components.job import Job
from planner.components.terms import Balance, ByStep, Expression, of
from planner.components.time import Time
from planner.field_types import Listed
from planner.fields import AtLeastZero, FieldError, Frozen, Positive, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, Series

MTOK_PER_H = 0.0036  # of one token/s

NODE_RULES = {
    "waking": "wakes a node in wake_min {wake_min} min, idle",
    "spare": "keeps spare_nodes {spare_nodes} awake and idle",
}


class OperatingPoint(Frozen):
    """A measured operating point of a node."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens decoded; 0 is the awake idle point."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""
    inter_token_ms: Positive | None = None
    """Inter-token latency; not needed at the idle point."""

    @property
    def key(self) -> str:
        """The name of the point in columns."""
        return f"{self.tokens_per_s:g}"

    @property
    def mtok_per_h(self) -> float:
        """Decode throughput of a node."""
        return MTOK_PER_H * self.tokens_per_s


class Prefill(Frozen):
    """The prefill of a node: reading input tokens."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in the cache."""
    node_kw: AtLeastZero
    """Power of the whole server, before PUE."""

    @property
    def mtok_per_h(self) -> float:
        """Prefill throughput of a node."""
        return MTOK_PER_H * self.tokens_per_s


class Serving(Frozen):
    """How a node of the fleet serves one model."""

    points: Listed[OperatingPoint]
    """Operating points, among them the awake idle point (tokens_per_s: 0)."""
    prefill: Prefill | None = None
    """Prefill on nodes of its own; without it the points are taken to include prefill."""

    @field_validator("points")
    @classmethod
    def _points(cls, points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        points = tuple(sorted(points, key=lambda point: point.tokens_per_s))
        speeds = [point.tokens_per_s for point in points]
        if not speeds or speeds[0] != 0:
            raise FieldError(Message("must hold the awake idle point, tokens_per_s: 0"))
        if len(speeds) < 2:
            raise FieldError(Message("must hold a point that decodes tokens"))
        if len({point.key for point in points}) < len(points):
            raise FieldError(Message("no two points may have the same tokens_per_s"))
        return points

    @property
    def decoding(self) -> tuple[OperatingPoint, ...]:
        """The points that decode tokens."""
        return self.points[1:]

    def within(self, limit_ms: float | None) -> Sequence[OperatingPoint]:
        """Return the decoding points that meet a latency limit, all without a limit."""
        if limit_ms is None:
            return self.decoding
        return [p for p in self.decoding if p.inter_token_ms and p.inter_token_ms <= limit_ms]


class PuePoint(Frozen):
    """PUE at a temperature."""

    temperature_c: float
    """Outdoor temperature."""
    pue: Annotated[float, Field(ge=1)]
    """Facility power over IT power."""


class PueByTemperature(Frozen):
    """PUE by outdoor temperature, linear between points."""

    temperature_c: Series
    """Outdoor temperature."""
    points: Annotated[Listed[PuePoint], Field(min_length=2)]
    """Points of ascending temperature, which cover the outdoor temperature of every step."""

    @model_validator(mode="after")
    def _covers(self) -> PueByTemperature:
        known = [point.temperature_c for point in self.points]
        if any(b <= a for a, b in pairwise(known)):
            raise FieldError(
                Message("temperature_c must ascend, the coldest point first"), "points"
            )
        low, high = float(self.temperature_c.min()), float(self.temperature_c.max())
        if exceeds(known[0], low) or exceeds(high, known[-1]):
            message = Message(
                "cover {first:g} to {last:g} °C, the weather goes from {low:g} to {high:g} °C; add"
                " measured points",
                first=known[0],
                last=known[-1],
                low=low,
                high=high,
            )
            raise FieldError(message, "points")
        return self

    def resolve(self) -> Array:
        """Return the PUE of every step; shape (T,)."""
        known = [point.temperature_c for point in self.points]
        return np.asarray(np.interp(self.temperature_c, known, [p.pue for p in self.points]))


class FleetInitial(Frozen):
    """The fleet when the horizon begins."""

    awake: dict[str, AtLeastZero] = Field(default_factory=dict)
    """Nodes awake by model; all others sleep."""
    woken: dict[str, Annotated[tuple[AtLeastZero, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )
    """Nodes woken in the last steps by model, latest first; matters only where waking takes longer
    than a step."""


def prefill_by_model(serves: Mapping[str, Serving]) -> dict[str, Prefill]:
    """Return the prefill of the models that have nodes of their own for it."""
    return {m: serving.prefill for m, serving in serves.items() if serving.prefill}


def declare_nodes(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    *,
    available: Mapping[int, float],
    pue: Mapping[int, float],
    sleep_kw: float,
) -> dict[Balance, ByStep]:
    """Declare total, count and power; return the fleet's part of the balances of its jobs."""
    time, prefill = site.clock, prefill_by_model(serves)
    points = [(m, point) for m, serving in serves.items() for point in serving.points]
    parts = site.components.values()
    has_jobs = any(isinstance(part, Job) and part.fleet == site.name for part in parts)
    if has_jobs:
        b.job_nodes = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.job_kw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)

    def total(b: pyo.Block, m: str, t: int) -> Expression:
        at_points = sum(b.nodes[m, point.key, t] for point in serves[m].points)
        return at_points + (b.prefill_nodes[m, t] if m in prefill else 0.0) == b.awake[m, t]

    def count(b: pyo.Block, t: int) -> Expression:
        awake = sum(b.awake[m, t] for m in serves)
        return awake + b.asleep[t] + (b.job_nodes[t] if has_jobs else 0.0) == available[t]

    def it_kw(b: pyo.Block, t: int) -> Expression:
        at_points = sum(point.node_kw * b.nodes[m, point.key, t] for m, point in points)
        in_prefill = sum(part.node_kw * b.prefill_nodes[m, t] for m, part in prefill.items())
        on_jobs = b.job_kw[t] if has_jobs else 0.0
        return at_points + in_prefill + sleep_kw * b.asleep[t] + on_jobs

    def power(b: pyo.Block, t: int) -> Expression:
        return sum(b.draw_mw[o, t] for o in site.origins) == pue[t] / 1000 * b.it_kw[t]

    b.total = pyo.Constraint(list(serves), time.steps, rule=total)
    b.count = pyo.Constraint(time.steps, rule=count)
    b.it_kw = pyo.Expression(time.steps, rule=it_kw)
    b.power = pyo.Constraint(time.steps, rule=power)
    if not has_jobs:
        return {}
    return {
        Balance("nodes", site.name): of(b.job_nodes),
        Balance("it_kw", site.name): of(b.job_kw),
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
