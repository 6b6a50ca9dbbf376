"""A fleet of identical GPU nodes, spread over measured operating points.

A node holds one model at a time and runs at one of that model's operating points. Its power is
nearly flat in its load while its throughput is not, so numbers of nodes at points replace one
figure of energy per token. Different nodes may run at different points, which makes this exact up
to whole nodes, and linear although the power curve of one node is not convex.

Variables: nodes[m,k,t] (k: tokens/s of the point), prefill_nodes[m,t], awake[m,t] on points,
asleep[t], answered_mtok_per_h[s,t], draw_mw[o,t].

`nodes` declares the rows of the states and power of nodes, `waking` those of waking, `sleeping`
those of several levels of sleep, `decode_capacity` those of the tokens that nodes can answer,
`pausing` those of the reserve they can offer; `useful_points` says which points are left out. Jobs
hold nodes of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np

from planner.components.component import (
    Complaint,
    Component,
    Latencies,
    Site,
    Supply,
    Values,
    summed,
)
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
from planner.components.fleet.sleep_levels import SleepLevel
from planner.components.fleet.sleeping import SLEEP_RULES, Sleeping
from planner.components.fleet.useful_points import useless_points
from planner.components.fleet.waking import WAKING_RULES, declare_waking
from planner.components.job import JOBS
from planner.components.reserve import Reserve, reserves_for
from planner.components.service.service import Service
from planner.components.terms import (
    COMPUTE,
    Balance,
    ByStep,
    Line,
    Meter,
    Meters,
    Moves,
    NodeUse,
    State,
    Terms,
    Use,
    minus,
    of,
    sum_of,
)
from planner.fields import value_text
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array


class Fleet(FleetFields):
    """Identical GPU nodes behind one meter."""

    remembers: ClassVar[tuple[str, ...]] = ("wake_min",)
    offers_reserve: ClassVar[bool] = True
    row_units: ClassVar[Mapping[str, str]] = {
        "count": "nodes", "waking": "nodes", "spare": "nodes",
        "decode_burst": "Mtok/h", "prefill": "Mtok/h", "ramp_up": "nodes", "ramp_down": "nodes",
        "slept_asleep": "nodes",
    }  # fmt: skip
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"nodes": ("nodes",)}
    uses: ClassVar[Mapping[str, Use]] = {"compute": Use(order=2, drawn=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("awake", "awake", most=lambda fleet: fleet.nodes * fleet.available_pu, order=6),
    )
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "pue", "sleep_kw", "sleep", "wake_min"})
    rules: ClassVar[Mapping[str, str]] = {
        **WAKING_RULES,
        **SLEEP_RULES,
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

    def latencies(self, model: str) -> tuple[Latencies, ...]:
        points = self.serves[model].decoding if model in self.serves else ()
        return tuple(point.latencies for point in points)

    def published_sources(self) -> dict[str, dict[str, str]]:
        named = (serving.published_source for serving in self.serves.values())
        return {name: source for one in named for name, source in one.items()}

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        node_kw = max(point.node_kw for serving in self.serves.values() for point in serving.points)
        node_kw = max(node_kw, *(level.node_kw for level in self.sleeps.levels))
        nodes_mw = self.nodes * self.available_pu * node_kw / 1000
        return {self.node: nodes_mw * self.pue_by_step()}

    def pue_by_step(self) -> Array:
        """Return facility power over IT power; shape (T,)."""
        return self.pue.resolve() if isinstance(self.pue, PueByTemperature) else self.pue

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

    def check(self, site: Site) -> Iterator[Complaint]:
        yield from self.sleeping(site).check(self.nodes)

    def warn(self, site: Site) -> Iterator[Message]:
        sold = {service.model for service in self._services(site).values()}
        for model in self.serves:
            if model not in sold:
                yield Message("model {name!r} has no service to sell it", name=model)
        for model, serving in self.serves.items():
            for field in serving.replaced:
                yield Message(
                    "serves.{name}.{field} is given and replaces that of the library curve {curve}",
                    name=model, field=field, curve=serving.library,
                )  # fmt: skip
        if self.host is not None and not any(one.needs_host for one in self.serves.values()):
            yield Message("host has no effect: every point has node_kw and none gpu_kw")
        given = bool(self.initial.awake or self.initial.asleep)
        idle_kw = {model: serving.points[0].node_kw for model, serving in self.serves.items()}
        yield from self.sleeps.warn(idle_kw, named=bool(self.sleep), initial=given)

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        minutes = {
            field: value_text(np.array([getattr(level, field) for level in self.sleeps.levels]))
            for field in ("wake_min", "drain_min")
        }
        return self.filled(self.rules[rule], steps, **minutes)

    def _services(self, site: Site) -> dict[str, Service]:
        return {
            name: component
            for name, component in site.components.items()
            if isinstance(component, Service) and component.model in self.serves
        }

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, serves, services = site.clock, self.serves, self._services(site)
        pue_by_step, all_nodes = time.of(self.pue_by_step()), self.nodes * self.available_pu
        available, sleep, sleeping = time.of(all_nodes), self.sleeps, self.sleeping(site)
        numbers = pyo.NonNegativeIntegers if self.whole_nodes else pyo.NonNegativeReals
        points = [(m, point.key) for m, serving in serves.items() for point in serving.points]

        b.nodes = pyo.Var(points, time.steps, domain=numbers)
        b.prefill_nodes = pyo.Var(list(prefill_by_model(serves)), time.steps, domain=numbers)
        b.awake = pyo.Var(list(serves), time.points, domain=pyo.NonNegativeReals)
        sleeping.declare_asleep(b)
        b.answered_mtok_per_h = pyo.Var(list(services), time.steps, domain=pyo.NonNegativeReals)
        b.draw_mw = pyo.Var(site.origins, time.steps, domain=pyo.NonNegativeReals)
        jobs = declare_nodes(
            b, site, serves, available=available, pue=pue_by_step,
            asleep=sleeping.asleep(b, sleep.levels), asleep_kw=partial(sleeping.power_kw, b),
        )  # fmt: skip
        rested = declare_waking(
            b, time, serves, self.initial, sleep=sleep, spare_nodes=self.spare_nodes,
            room=sleeping.besides_jobs - self.spare_nodes,
        )  # fmt: skip
        if sleep.apart:
            sleeping.declare_moves(b, has_jobs=bool(jobs))
        if self.ramp_nodes_per_h is not None:
            sleeping.limit_ramps(b, self.ramp_nodes_per_h)
        nodes = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t], prefill=lambda m, t: b.prefill_nodes[m, t]
        )
        limit_tokens(b, time, serves, services, nodes, lambda s, t: b.answered_mtok_per_h[s, t])
        keep_headroom(b, time, serves, services, nodes)
        meters: dict[Meter, ByStep] = {}
        if reserves := reserves_for(site):
            ready = sleeping.asleep(b, sleep.catching_up)
            pausing = Pausing(
                site, reserves, serves, services, pue_by_step, sleep,
                free=lambda t: ready(t) + rested(t), pause_h=self._pause_h(site),
            )  # fmt: skip
            meters = pausing.declare(b)
        if not site.every_point:
            self._leave_out(b, site, services)
        return self._terms(b, site, jobs, meters)

    def _leave_out(self, b: pyo.Block, site: Site, services: Mapping[str, Service]) -> None:
        """Leave out the operating points that nothing can make useful."""
        for m, serving in self.serves.items():
            sold = [service for service in services.values() if service.model == m]
            if reserves_for(site) and any(service.interruptible for service in sold):
                continue
            limits = {service.limits for service in sold}
            for key in useless_points(serving, limits, whole=self.whole_nodes):
                for t in site.clock.steps:
                    b.nodes[m, key, t].fix(0.0)

    def sleeping(self, site: Site) -> Sleeping:
        """Return its sleep in the window of a site."""
        nodes = self.nodes * self.available_pu
        return Sleeping(site, self.sleeps, self.serves, self.initial, nodes)

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        if self.sleeps.apart and meters.by_component(f"starting_nodes[{site.name}]"):
            self.sleeping(site).limit_for_jobs(b, meters)
        return Terms()

    def _pause_h(self, site: Site) -> float:
        """Return the longest time from a call until all fleets work again, hours."""
        fleets = {name: part for name, part in site.components.items() if isinstance(part, Fleet)}
        hours = [
            reserve.duration_h
            for reserve in site.components.values()
            if isinstance(reserve, Reserve) and any(reserve.asks(*item) for item in fleets.items())
        ]
        return max(hours) + max(f.sleeps.pause_wake_min for f in fleets.values()) / 60

    def _terms(
        self, b: pyo.Block, site: Site, jobs: dict[Balance, ByStep], meters: dict[Meter, ByStep]
    ) -> Terms:
        time = site.clock
        costs, reported = dict[Line, ByStep](), dict[Line, ByStep]()
        sleep = self.sleeps
        if wakes := {
            sleep.key(level, m): level.wake_cost_cny
            for level in sleep.levels
            for m in self.serves
            if level.wake_cost_cny
        }:
            costs[Line("wake")] = lambda t: sum(
                cost * b.woken[(*key, t)] for key, cost in wakes.items()
            )
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
        uses.append(NodeUse("job_nodes", "job"))
        if not self.sleeps.apart:
            return (*uses, NodeUse("asleep", "asleep"))
        return (*uses, *(NodeUse(f"asleep[{v.name}]", "asleep", level=v.name) for v in self.sleep))

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        return ("awake",) if awake else ()

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        awake = summed("awake", values)
        return {
            "awake_mean_nodes": float(np.mean(awake)),
            "awake_share": float(np.sum(awake) / max((self.nodes * self.available_pu).sum(), 1e-9)),
            **self._asleep_figures(values),
            "woken_nodes": float(summed("woken", values).sum()),
            "drawn_mwh": float(summed("draw_mw", values).sum() * horizon.step_h),
        }

    def _asleep_figures(self, values: Values) -> dict[str, float]:
        """Return the mean numbers of nodes asleep, by level where levels have names."""
        figures = {}
        for level in self.sleeps.levels:
            column = f"asleep[{level.name}]" if self.sleeps.apart else "asleep"
            name = f"asleep_mean_nodes[{level.name}]" if self.sleep else "asleep_mean_nodes"
            figures[name] = float(np.mean(values[column]))
        return figures

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        def left(quantity: str, names: Iterable[str]) -> dict[str, float]:
            return {name: max(0.0, float(values[f"{quantity}[{name}]"][-1])) for name in names}

        def past(quantity: str, name: str, reach: int) -> tuple[float, ...]:
            before = getattr(self.initial, quantity).get(name, ())
            latest_first = (*values[f"{quantity}[{name}]"][::-1], *before)
            return tuple(max(0.0, float(nodes)) for nodes in latest_first[:reach])

        sleep = self.sleeps
        awake = left("awake", self.serves)
        asleep = left("asleep", sleep.names) if sleep.apart else {}

        def slept(level: SleepLevel) -> tuple[float, ...]:
            """Return the nodes that still drain: of those that slept, no more than sleep."""
            nodes = np.cumsum(past("slept", level.name, level.drains(horizon)))
            return tuple(np.diff(np.minimum(nodes, asleep[level.name]), prepend=0.0).tolist())

        scale = min(1.0, self.nodes / max(sum((*awake.values(), *asleep.values())), 1e-12))
        initial = FleetInitial(
            awake={m: n * scale for m, n in awake.items()},
            asleep={name: n * scale for name, n in asleep.items()},
            woken={
                key: past("woken", key, reach)
                for _, _, key, reach in sleep.reaches(self.serves, horizon)
                if reach > 0
            },
            slept={v.name: slept(v) for v in sleep.levels if v.drains(horizon)},
        )
        return self.revised({"initial": initial})

    def with_memory_of(self, later: Component) -> Self:
        kept = super().with_memory_of(later)
        if not isinstance(later, Fleet):
            return kept
        before, after = ([level.name for level in fleet.sleep] for fleet in (self, later))
        return kept.revised({"sleep": later.sleep}) if before == after else kept
