"""A fleet of identical GPU nodes, spread over measured operating points.

A node holds one model at a time and runs at one of that model's operating points. Its power is
nearly flat in its load while its throughput is not, so numbers of nodes at points replace one
figure of energy per token. Different nodes may run at different points, which makes this exact up
to whole nodes, and linear although the power curve of one node is not convex.

Variables: nodes[m,k,t] (k: tokens/s of the point), prefill_nodes[m,t], awake[m,t] on points,
asleep[t], answered_mtok_per_h[s,t], draw_mw[o,t].

`nodes` declares the rows of the states and power of nodes, `waking` those of waking,
`decode_capacity` those of the tokens that nodes can answer, `pausing` those of the reserve they can
offer. Jobs hold nodes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np

from planner.components.component import Complaint, Site, Supply, Values, summed
from planner.components.fleet.decode_capacity import (
    CAPACITY_RULES,
    Nodes,
    keep_headroom,
    limit_tokens,
)
from planner.components.fleet.fields import FleetFields, FleetInitial
from planner.components.fleet.nodes import declare_nodes
from planner.components.fleet.operating_points import prefill_by_model
from planner.components.fleet.pausing import PAUSE_RULES, Pausing
from planner.components.fleet.pue import PueByTemperature
from planner.components.fleet.waking import WAKING_RULES, declare_waking, wake_shares
from planner.components.job import JOBS
from planner.components.reserve import Reserve, reserves_for
from planner.components.service.service import Service
from planner.components.terms import (
    COMPUTE,
    Balance,
    ByStep,
    Line,
    Meter,
    Moves,
    NodeUse,
    State,
    Terms,
    Use,
    minus,
    of,
    sum_of,
)
from planner.fields import NOTHING, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

FAR_ABOVE = 10  # times what a node draws idle: the unit of `sleep_kw` may be W


class Fleet(FleetFields):
    """Identical GPU nodes behind one meter."""

    remembers: ClassVar[tuple[str, ...]] = ("wake_min",)
    offers_reserve: ClassVar[bool] = True
    row_units: ClassVar[Mapping[str, str]] = {
        "count": "nodes", "waking": "nodes", "spare": "nodes",
        "decode_burst": "Mtok/h", "prefill": "Mtok/h",
    }  # fmt: skip
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"nodes": ("nodes",)}
    uses: ClassVar[Mapping[str, Use]] = {"compute": Use(order=2, drawn=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("awake", "awake", most=lambda fleet: fleet.nodes * fleet.available_pu, order=6),
    )
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "pue", "sleep_kw", "wake_min"})
    rules: ClassVar[Mapping[str, str]] = {
        **WAKING_RULES,
        **CAPACITY_RULES,
        **PAUSE_RULES,
        "count": "has nodes {nodes} x available_pu {available_pu}",
    }

    def supplies(self) -> dict[Supply, float]:
        fastest_ms = {
            ("model", model): min(p.inter_token_ms or np.inf for p in serving.decoding)
            for model, serving in self.serves.items()
        }
        most = {
            ("tokens", model): self.nodes * serving.points[-1].mtok_per_h
            for model, serving in self.serves.items()
        }
        return fastest_ms | most | {JOBS: self.nodes}

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        node_kw = max(point.node_kw for serving in self.serves.values() for point in serving.points)
        nodes_mw = self.nodes * self.available_pu * max(node_kw, self.sleep_kw) / 1000
        return {self.node: nodes_mw * self.pue_by_step()}

    def pue_by_step(self) -> Array:
        """Return facility power over IT power; shape (T,)."""
        return self.pue.resolve() if isinstance(self.pue, PueByTemperature) else self.pue

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def check(self, site: Site) -> Iterator[Complaint]:
        reach = max(len(wake_shares(self.wake_min, site.horizon)) - 1, 0)
        for model, woken in self.initial.woken.items():
            waking, awake = sum(woken[:reach]), self.initial.awake.get(model, 0.0)
            if exceeds(waking, awake, NOTHING):
                message = Message(
                    "{waking:g} nodes are still waking, more than initial.awake has, {awake:g}",
                    waking=waking,
                    awake=awake,
                )
                yield ("initial", "woken", model), message

    def warn(self, site: Site) -> Iterator[Message]:
        sold = {service.model for service in self._services(site).values()}
        for model in self.serves:
            if model not in sold:
                yield Message("model {name!r} has no service to sell it", name=model)
        for model, serving in self.serves.items():
            if serving.replaces_library:
                yield Message(
                    "the points of model {name!r} are given and replace those of its library curve"
                    " {curve}",
                    name=model, curve=serving.library,
                )  # fmt: skip
            if exceeds(self.sleep_kw, serving.points[0].node_kw):
                idle = serving.points[0].node_kw
                watts = Message("; if it is in W, write {meant:g}", meant=self.sleep_kw / 1000)
                yield Message(
                    "sleep_kw {sleep:g} kW is above the idle point of model {name!r}, {idle:g} kW:"
                    " a node would draw more asleep than awake{hint}",
                    sleep=self.sleep_kw, name=model, idle=idle,
                    hint=watts if self.sleep_kw > FAR_ABOVE * idle else "",
                )  # fmt: skip

    def _services(self, site: Site) -> dict[str, Service]:
        return {
            name: component
            for name, component in site.components.items()
            if isinstance(component, Service) and component.model in self.serves
        }

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, serves, services = site.clock, self.serves, self._services(site)
        pue_by_step, available = (
            time.of(self.pue_by_step()),
            time.of(self.nodes * self.available_pu),
        )
        numbers = pyo.NonNegativeIntegers if self.whole_nodes else pyo.NonNegativeReals
        points = [(m, point.key) for m, serving in serves.items() for point in serving.points]

        b.nodes = pyo.Var(points, time.steps, domain=numbers)
        b.prefill_nodes = pyo.Var(list(prefill_by_model(serves)), time.steps, domain=numbers)
        b.awake = pyo.Var(list(serves), time.points, domain=pyo.NonNegativeReals)
        b.asleep = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.answered_mtok_per_h = pyo.Var(list(services), time.steps, domain=pyo.NonNegativeReals)
        b.draw_mw = pyo.Var(site.origins, time.steps, domain=pyo.NonNegativeReals)
        jobs = declare_nodes(
            b, site, serves, available=available, pue=pue_by_step, sleep_kw=self.sleep_kw
        )
        rested = declare_waking(
            b,
            time,
            serves,
            self.initial,
            wake_min=self.wake_min,
            spare_nodes=self.spare_nodes,
            available=available,
        )
        nodes = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t], prefill=lambda m, t: b.prefill_nodes[m, t]
        )
        limit_tokens(b, time, serves, services, nodes, lambda s, t: b.answered_mtok_per_h[s, t])
        keep_headroom(b, time, serves, services, nodes)
        meters: dict[Meter, ByStep] = {}
        if reserves := reserves_for(site):
            pausing = Pausing(
                site, reserves, serves, services, pue_by_step, self.sleep_kw,
                free=lambda t: b.asleep[t] + rested(t), pause_h=self._pause_h(site),
            )  # fmt: skip
            meters = pausing.declare(b)
        return self._terms(b, site, jobs, meters)

    def _pause_h(self, site: Site) -> float:
        """Return the longest time from a call until all fleets work again, hours."""
        fleets = {name: part for name, part in site.components.items() if isinstance(part, Fleet)}
        hours = [
            reserve.duration_h
            for reserve in site.components.values()
            if isinstance(reserve, Reserve) and any(reserve.asks(*item) for item in fleets.items())
        ]
        return max(hours) + max(fleet.wake_min for fleet in fleets.values()) / 60

    def _terms(
        self, b: pyo.Block, site: Site, jobs: dict[Balance, ByStep], meters: dict[Meter, ByStep]
    ) -> Terms:
        time = site.clock
        costs, reported = dict[Line, ByStep](), dict[Line, ByStep]()
        if self.wake_cost_cny:
            woken = sum_of(b.woken, self.serves)
            costs[Line("wake")] = lambda t: self.wake_cost_cny * woken(t)
        if self.amortisation_cny_per_node_h:
            per_step = self.amortisation_cny_per_node_h * self.nodes * time.step_h
            reported[Line("amortisation")] = lambda _: per_step
        moves = [Moves(COMPUTE, sum_of(b.draw_mw, site.origins))]
        for m, serving in self.serves.items():
            node_mw = serving.points[-1].node_kw / 1000
            awake_mw = partial(lambda m, mw, t: mw * b.awake[m, t], m, node_mw)
            moves.append(Moves(COMPUTE, awake_mw, node_mw * self.initial.awake.get(m, 0.0)))
        return Terms(
            flows={Balance("power", self.node, o): minus(b.draw_mw, o) for o in site.origins}
            | {Balance("tokens", s): of(b.answered_mtok_per_h, s) for s in self._services(site)}
            | jobs,
            costs=costs,
            reported=reported,
            uses={("compute", o): of(b.draw_mw, o) for o in site.origins},
            meters={Meter("drawn_mw", self.node, o): of(b.draw_mw, o) for o in site.origins}
            | meters,
            moves=moves,
        )

    def node_uses(self) -> tuple[NodeUse, ...]:
        uses: list[NodeUse] = []
        for m, serving in self.serves.items():
            for point in reversed(serving.points):
                doing: Literal["decoding", "idle"] = "decoding" if point.tokens_per_s else "idle"
                uses.append(NodeUse(f"nodes[{m}|{point.key}]", doing, m, point.key))
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

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        awake = {m: max(0.0, float(values[f"awake[{m}]"][-1])) for m in self.serves}
        scale = min(1.0, self.nodes / max(sum(awake.values()), 1e-12))
        reach = len(wake_shares(self.wake_min, horizon)) - 1  # steps that still matter
        woken = {}
        for m in self.serves if reach > 0 else ():
            latest_first = (*values[f"woken[{m}]"][::-1], *self.initial.woken.get(m, ()))
            woken[m] = tuple(max(0.0, float(nodes)) for nodes in latest_first[:reach])
        initial = FleetInitial(awake={m: n * scale for m, n in awake.items()}, woken=woken)
        return self.revised({"initial": initial})
