"""A fleet of identical GPU nodes, spread over measured operating points.

A node holds one model at a time and runs at one of that model's points: its power is nearly flat in
its load while its throughput is not, so counts of nodes at points replace one figure of energy per
token. Different nodes may run at different points, which makes this exact up to whole nodes, and
linear although the curve of one node is not convex.

Variables: nodes[m,k,t] (k: tokens/s of the point), prefill_nodes[m,t], awake[m,t] on points,
asleep[t], answered_mtok_per_h[s,t], draw_mw[o,t].

`nodes` holds the rows of where the nodes are, what they draw and how they wake,
`decode_capacity` those of what they can answer and the reserve they can offer. Jobs hold nodes of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.components.component import Complaint, Component, Site, Supply, Values, summed
from planner.components.fleet.decode_capacity import RULES as ANSWERING_RULES
from planner.components.fleet.decode_capacity import Nodes, bound_answers, offer_reserve
from planner.components.fleet.nodes import (
    MTOK_PER_H,
    PueByTemperature,
    Serving,
    Waking,
    hold_nodes,
    wake_shares,
)
from planner.components.fleet.nodes import RULES as WAKING_RULES
from planner.components.job import JOBS
from planner.components.late import pyo
from planner.components.service.service import Service
from planner.components.terms import (
    Balance,
    ByStep,
    Line,
    Meter,
    NodeUse,
    State,
    Terms,
    Tidy,
    Use,
    minus,
    of,
)
from planner.fields import AtLeastZero, Frozen, Name, form
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, PerUnit, SeriesBounds


class FleetInitial(Frozen):
    """The fleet when the horizon begins."""

    awake: dict[str, AtLeastZero] = Field(default_factory=dict)
    """Nodes awake by model; the rest sleeps."""
    woken: dict[str, Annotated[tuple[AtLeastZero, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )
    """Nodes woken in the last steps by model, latest first; matters only where waking takes longer
    than a step."""


class Fleet(Component):
    """Identical GPU nodes behind one meter."""

    kind: Literal["fleet"]
    remembers: ClassVar[tuple[str, ...]] = ("wake_min",)
    offers_reserve: ClassVar[bool] = True
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"nodes": ("nodes",)}
    uses: ClassVar[Mapping[str, Use]] = {"compute": Use(order=2, drawn=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("awake", "awake", most=lambda fleet: fleet.nodes * fleet.available_pu, order=6),
    )
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "pue", "sleep_kw", "wake_min"})
    rules: ClassVar[Mapping[str, str]] = {
        **WAKING_RULES,
        **ANSWERING_RULES,
        "count": "has nodes {nodes} x available_pu {available_pu}",
    }
    node: Name = "site"
    """Electrical node."""
    nodes: AtLeastZero
    """Number of nodes (servers)."""
    available_pu: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the nodes that is available."""
    spare_nodes: AtLeastZero = 0.0
    """Nodes kept awake and idle, whatever their model."""
    pue: Annotated[
        Annotated[np.ndarray, SeriesBounds(ge=1.0), Tag("=series")]
        | Annotated[PueByTemperature, Tag("=by_temperature")],
        form(by_temperature="temperature_c points", series=""),
    ]
    """Facility power over IT power: a series, or by temperature."""
    sleep_kw: AtLeastZero
    """Power of a sleeping node."""
    wake_min: Annotated[float, Field(ge=0, le=1440)] = 0.0
    """Minutes a node needs to wake, idle."""
    wake_cost_cny: AtLeastZero = 0.0
    """Cost of waking a node."""
    whole_nodes: bool = False
    """Whether counts are whole numbers; much slower to solve."""
    amortisation_cny_per_node_h: AtLeastZero = 0.0
    """What the nodes cost an hour, running or not; reported, never optimised."""
    serves: Annotated[dict[str, Serving], Field(min_length=1)]
    """The models it serves and how."""
    initial: FleetInitial = FleetInitial()
    """State when the horizon begins."""

    @model_validator(mode="after")
    def _consistent(self) -> Fleet:
        least = float((self.nodes * self.available_pu).min())
        if (spare := self.spare_nodes) > least + 1e-9:
            raise ValueError(
                f"spare_nodes may not exceed the nodes available, {least:g}, is {spare:g}"
            )
        unknown = sorted((set(self.initial.awake) | set(self.initial.woken)) - set(self.serves))
        if unknown:
            raise ValueError(f"initial names model {unknown[0]!r}, which the fleet does not serve")
        awake = sum(self.initial.awake.values())
        if awake > self.nodes + 1e-6:
            raise ValueError(f"initial.awake sums to {awake:g}, more than nodes, {self.nodes:g}")
        return self

    def supplies(self) -> dict[Supply, float]:
        fastest = {
            ("model", model): min(p.inter_token_ms or np.inf for p in serving.working)
            for model, serving in self.serves.items()
        }
        most = {
            ("tokens", model): MTOK_PER_H * self.nodes * serving.points[-1].tokens_per_s
            for model, serving in self.serves.items()
        }
        return fastest | most | {JOBS: self.nodes}

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def check(self, site: Site) -> Iterator[Complaint]:
        still = len(wake_shares(self.wake_min, site.horizon)) - 1
        for model, woken in self.initial.woken.items():
            waking, awake = sum(woken[: max(still, 0)]), self.initial.awake.get(model, 0.0)
            if waking > awake + 1e-6:
                yield (
                    ("initial", "woken", model),
                    f"{waking:g} nodes are still waking, more than initial.awake has, {awake:g}",
                )

    def warn(self, site: Site) -> Iterator[str]:
        sold = {service.model for service in self._services(site).values()}
        for model in self.serves:
            if model not in sold:
                yield f"model {model!r} has no service to sell it"

    def _services(self, site: Site) -> dict[str, Service]:
        return {
            name: component
            for name, component in site.components.items()
            if isinstance(component, Service) and component.model in self.serves
        }

    def _pue(self) -> Array:
        return self.pue.resolve() if isinstance(self.pue, PueByTemperature) else self.pue

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, models = site.clock, list(self.serves)
        services, reserves = self._services(site), site.reserves()
        available, pue = time.of(self.nodes * self.available_pu), time.of(self._pue())
        counts = pyo.NonNegativeIntegers if self.whole_nodes else pyo.NonNegativeReals
        readers = [m for m, serving in self.serves.items() if serving.prefill]
        points = [(m, p.key) for m, serving in self.serves.items() for p in serving.points]

        b.nodes = pyo.Var(points, time.steps, domain=counts)
        b.prefill_nodes = pyo.Var(readers, time.steps, domain=counts)
        b.awake = pyo.Var(models, time.points, domain=pyo.NonNegativeReals)
        b.asleep = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.answered_mtok_per_h = pyo.Var(list(services), time.steps, domain=pyo.NonNegativeReals)
        b.draw_mw = pyo.Var(site.origins, time.steps, domain=pyo.NonNegativeReals)
        jobs = hold_nodes(
            b, site, self.serves, available=available, pue=pue, sleep_kw=self.sleep_kw
        )
        self._waking(site, available).declare(b, time)
        every = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t], reading=lambda m, t: b.prefill_nodes[m, t]
        )
        bound_answers(b, time, self.serves, services, every)
        if reserves:
            offer_reserve(b, time, reserves, self.serves, services, pue=pue, sleep_kw=self.sleep_kw)
        return self._terms(b, site, list(services), reserves, jobs)

    def _waking(self, site: Site, available: dict[int, float]) -> Waking:
        return Waking(
            idle={m: serving.points[0].key for m, serving in self.serves.items()},
            shares=wake_shares(self.wake_min, site.horizon),
            awake=self.initial.awake,
            woken=self.initial.woken,
            available=available,
            spare_nodes=self.spare_nodes,
        )

    def _terms(
        self,
        b: pyo.Block,
        site: Site,
        services: list[str],
        reserves: list[str],
        jobs: dict[Balance, ByStep],
    ) -> Terms:
        time = site.clock
        woken = {t: sum(b.woken[m, t] for m in self.serves) for t in time.steps}

        costs = {}
        if self.wake_cost_cny:
            costs[Line("wake")] = {t: self.wake_cost_cny * woken[t] for t in time.steps}
        reported = {}
        if self.amortisation_cny_per_node_h:
            per_step = self.amortisation_cny_per_node_h * self.nodes * time.step_h
            reported[Line("amortisation")] = dict.fromkeys(time.steps, per_step)
        tidy = {Tidy.WAKE_UPS: sum(woken.values())}
        if site.trace:
            tidy[Tidy.RENEWABLE_TO_COMPUTE] = -sum(b.draw_mw["renewable", t] for t in time.steps)
        return Terms(
            flows={Balance("power", self.node, o): minus(b.draw_mw, o) for o in site.origins}
            | {Balance("tokens", s): of(b.answered_mtok_per_h, s) for s in services}
            | jobs,
            costs=costs,
            reported=reported,
            uses={("compute", o): of(b.draw_mw, o) for o in site.origins},
            meters={Meter("drawn_mw", self.node, o): of(b.draw_mw, o) for o in site.origins}
            | {Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves},
            tidy=tidy,
        )

    def node_uses(self) -> tuple[NodeUse, ...]:
        uses: list[NodeUse] = []
        for m, serving in self.serves.items():
            for point in reversed(serving.points):
                column = f"nodes[{m}|{point.key}]"
                decodes = point.tokens_per_s > 0
                uses.append(NodeUse(column, "decoding" if decodes else "idle", m, point.key))
            if serving.prefill:
                uses.append(NodeUse(f"prefill_nodes[{m}]", "reading", m))
        return (*uses, NodeUse("job_nodes", "job"), NodeUse("asleep", "asleep"))

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        return ("awake",) if awake else ()

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        awake = summed("awake", values)
        return {
            "awake_mean_nodes": float(np.mean(awake)),
            "awake_share": float(np.sum(awake) / max((self.nodes * self.available_pu).sum(), 1e-9)),
            "woken_nodes": float(sum(values[f"woken[{m}]"].sum() for m in self.serves)),
            "drawn_mwh": float(summed("draw_mw", values).sum() * horizon.step_h),
        }

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        awake = {m: max(0.0, float(values[f"awake[{m}]"][-1])) for m in self.serves}
        scale = min(1.0, self.nodes / max(sum(awake.values()), 1e-12))
        waking = len(wake_shares(self.wake_min, horizon)) - 1  # steps that still matter
        woken = {}
        for m in self.serves if waking > 0 else ():
            recent = (*values[f"woken[{m}]"][::-1], *self.initial.woken.get(m, ()))
            woken[m] = tuple(max(0.0, float(value)) for value in recent[:waking])
        initial = FleetInitial(awake={m: n * scale for m, n in awake.items()}, woken=woken)
        return self.model_copy(update={"initial": initial})
