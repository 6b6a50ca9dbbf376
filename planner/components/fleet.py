"""A fleet of identical GPU nodes, spread over measured operating points.

A node holds one model at a time and runs at one of that model's points: its power is nearly flat in
its load while its throughput is not, so counts of nodes at points replace one figure of energy per
token. Different nodes may run at different points, which makes this exact up to whole nodes, and
linear although the curve of one node is not convex.

Variables: nodes[m,k,t] (k: tokens/s of the point), prefill_nodes[m,t], awake[m,t] on points,
woken[m,t] with its past, asleep[t], answered_mtok_per_h[s,t], draw_mw[o,t]; with a reserve j also
reserve_mw[j,t], paused[m,k,t], paused_prefill[m,t].  Expression: it_kw[t].

    awake           sum_k nodes[m,k,t] + prefill_nodes[m,t] = awake[m,t]
    count           sum_m awake[m,t] + asleep[t] = nodes available_pu[t]
    woken           woken[m,t] >= awake[m,t] - awake[m,t-1]
    waking          nodes[m,0,t] >= sum_i share_i woken[m,t-i]       share_i: part of the step spent waking
    spare           sum_m (nodes[m,0,t] - sum_i share_i woken[m,t-i]) >= spare_nodes
    prefill         0.0036 prefill_tokens_per_s prefill_nodes[m,t] >= sum_s input_s[t] answered[s,t]
    decode          for each latency limit l of the model's services, and for none at all:
                    sum_{s: limit <= l} answered[s,t] <= 0.0036 sum_{k: ms <= l} tokens_per_s nodes[m,k,t]
    decode_burst    the same for services with headroom, each times (1 + headroom_share)
    power           sum_o draw_mw[o,t] = pue[t] / 1000 it_kw[t]
    paused          paused[m,k,t] <= nodes[m,k,t],  paused_prefill[m,t] <= prefill_nodes[m,t]
    prefill_kept, decode_kept   the rows above for interactive work alone, with what is not paused
    reserve_power   sum_j reserve_mw[j,t] <= pue[t] / 1000 sum (node_kw - sleep_kw) paused nodes

0.0036 turns tokens/s into Mtok/h. Batch and market work may fill the headroom of interactive work.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.components.base import (
    AtLeastZero,
    Balance,
    Component,
    Line,
    Meter,
    Name,
    Site,
    Supply,
    Terms,
    Tidy,
    Values,
    form,
)
from planner.components.service import Service
from planner.components.serving import MTOK_PER_H, PueByTemperature, Serving
from planner.horizon import Frozen, Horizon, Window
from planner.series import Array, Bounds, PerUnit

if TYPE_CHECKING:
    import pyomo.environ as pyo

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
    offers_reserve: ClassVar[bool] = True
    node: Name = "site"
    """Electrical node."""
    nodes: AtLeastZero
    """Number of nodes (servers)."""
    available_pu: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the nodes that is available."""
    spare_nodes: AtLeastZero = 0.0
    """Nodes kept awake and idle, whatever their model."""
    pue: Annotated[
        Annotated[np.ndarray, Bounds(ge=1.0), Tag("=series")]
        | Annotated[PueByTemperature, Tag("=by_temperature")],
        form(by_temperature="temperature_c points", series=""),
    ]
    """Facility power over IT power: a series, or by temperature."""
    sleep_kw: AtLeastZero
    """Power of a sleeping node."""
    wake_min: AtLeastZero = 0.0
    """Minutes a node needs to wake, idle."""
    wake_cost_cny: AtLeastZero = 0.0
    """Cost of waking a node."""
    whole_nodes: bool = False
    """Whether counts are whole numbers; 10 to 50 times slower to solve."""
    amortisation_cny_per_node_h: AtLeastZero = 0.0
    """What the nodes cost an hour, running or not; reported, never optimised."""
    serves: Annotated[dict[str, Serving], Field(min_length=1)]
    """The models it serves and how."""
    initial: FleetInitial = FleetInitial()
    """State when the horizon begins."""

    @model_validator(mode="after")
    def _consistent(self) -> Fleet:
        least = float((self.nodes * self.available_pu).min())
        if self.spare_nodes > least + 1e-9:
            raise ValueError(
                f"spare_nodes may not exceed the nodes available, {least:g}, is {self.spare_nodes:g}"
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
        return fastest | most

    def demands(self) -> dict[Supply, str]:
        return {("power", self.node): "node"}

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

    def _wake_shares(self, horizon: Horizon) -> list[float]:
        """Return the part of each step after waking that a node spends waking, first step first."""
        steps = self.wake_min / horizon.step_min
        return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]

    def build(self, b: pyo.Block, site: Site) -> Terms:
        import pyomo.environ as pyo

        time, origins = site.clock, site.origins
        services, reserves = self._services(site), site.reserves()
        available = time.of(self.nodes * self.available_pu)
        pue = time.of(self._pue())
        pairs = [(m, p.key) for m, serving in self.serves.items() for p in serving.points]
        models = list(self.serves)
        reading = [m for m in models if self.serves[m].prefill]
        counts = pyo.NonNegativeIntegers if self.whole_nodes else pyo.NonNegativeReals
        idle = {m: self.serves[m].points[0].key for m in models}

        b.nodes = pyo.Var(pairs, time.steps, domain=counts)
        b.prefill_nodes = pyo.Var(reading, time.steps, domain=counts)
        b.awake = pyo.Var(models, time.points, domain=pyo.NonNegativeReals)
        b.asleep = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.answered_mtok_per_h = pyo.Var(list(services), time.steps, domain=pyo.NonNegativeReals)
        b.draw_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)

        def reading_nodes(m: str, t: int) -> Any:
            return b.prefill_nodes[m, t] if self.serves[m].prefill else 0.0

        b.it_kw = pyo.Expression(
            time.steps,
            rule=lambda b, t: sum(
                point.node_kw * b.nodes[m, point.key, t]
                for m in models
                for point in self.serves[m].points
            )
            + sum(self.serves[m].prefill.node_kw * b.prefill_nodes[m, t] for m in reading)
            + self.sleep_kw * b.asleep[t],
        )
        b.total = pyo.Constraint(
            models,
            time.steps,
            rule=lambda b, m, t: sum(b.nodes[m, p.key, t] for p in self.serves[m].points)
            + reading_nodes(m, t)
            == b.awake[m, t],
        )
        b.count = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.awake[m, t] for m in models) + b.asleep[t] == available[t],
        )
        b.power = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.draw_mw[o, t] for o in origins) == pue[t] / 1000 * b.it_kw[t],
        )
        self._wake(b, site, models, idle)
        self._answer(b, site, services, paused=False)
        if reserves:
            self._pause(b, site, services, reserves, pue)

        costs: dict[Line, Any] = {}
        if self.wake_cost_cny:
            rate = self.wake_cost_cny
            costs[Line("wake")] = {
                t: rate * sum(b.woken[m, t] for m in models) for t in time.steps
            }
        reported = {}
        if self.amortisation_cny_per_node_h:
            per_step = self.amortisation_cny_per_node_h * self.nodes * time.step_h
            reported[Line("amortisation")] = dict.fromkeys(time.steps, per_step)
        tidy = {Tidy.WAKE_UPS: sum(b.woken[m, t] for m in models for t in time.steps)}
        if site.trace:
            tidy[Tidy.RENEWABLE_TO_COMPUTE] = -sum(b.draw_mw["renewable", t] for t in time.steps)
        return Terms(
            flows={Balance("power", self.node, o): lambda t, o=o: -b.draw_mw[o, t] for o in origins}
            | {
                Balance("tokens", s): lambda t, s=s: b.answered_mtok_per_h[s, t] for s in services
            },
            costs=costs,
            reported=reported,
            uses={("compute", o): lambda t, o=o: b.draw_mw[o, t] for o in origins},
            meters={
                Meter("drawn_mw", self.node, o): lambda t, o=o: b.draw_mw[o, t] for o in origins
            }
            | {Meter(f"reserve_mw[{j}]"): lambda t, j=j: b.reserve_mw[j, t] for j in reserves},
            tidy=tidy,
        )

    def _wake(self, b: pyo.Block, site: Site, models: list[str], idle: dict[str, str]) -> None:
        import pyomo.environ as pyo

        time, before = site.clock, site.clock.first - 1
        shares = self._wake_shares(site.horizon)
        b.woken = pyo.Var(models, time.back(max(len(shares), 1)), domain=pyo.NonNegativeReals)
        for m in models:
            b.awake[m, before].fix(self.initial.awake.get(m, 0.0))
            past = (*self.initial.woken.get(m, ()), *[0.0] * len(shares), 0.0)
            for i in range(max(len(shares), 1)):
                b.woken[m, before - i].fix(past[i])

        def waking(m: str, t: int) -> Any:
            return sum(share * b.woken[m, t - i] for i, share in enumerate(shares))

        b.waking_up = pyo.Constraint(
            models,
            time.steps,
            rule=lambda b, m, t: b.woken[m, t] >= b.awake[m, t] - b.awake[m, t - 1],
        )
        if shares:
            b.waking = pyo.Constraint(
                models, time.steps, rule=lambda b, m, t: b.nodes[m, idle[m], t] >= waking(m, t)
            )
        if self.spare_nodes:
            b.spare = pyo.Constraint(
                time.steps,
                rule=lambda b, t: sum(b.nodes[m, idle[m], t] - waking(m, t) for m in models)
                >= self.spare_nodes,
            )

    def _answer(
        self, b: pyo.Block, site: Site, services: dict[str, Service], *, paused: bool
    ) -> None:
        """Bound what is answered by nodes; with `paused`, interactive work by those that stay."""
        import pyomo.environ as pyo

        time = site.clock
        suffix = "_kept" if paused else ""
        counted = {s: v for s, v in services.items() if not (paused and v.interruptible)}

        def held(m: str, key: str, t: int) -> Any:
            return b.nodes[m, key, t] - b.paused[m, key, t] if paused else b.nodes[m, key, t]

        def decode(weights: dict[str, float], classes: dict[str, tuple[str, float | None]]) -> Any:
            def rule(b: pyo.Block, name: str, t: int) -> Any:
                m, limit = classes[name]
                answered = sum(
                    weight * b.answered_mtok_per_h[s, t]
                    for s, weight in weights.items()
                    if services[s].model == m and services[s].within(limit)
                )
                points = self.serves[m].within(limit)
                return answered <= sum(
                    MTOK_PER_H * p.tokens_per_s * held(m, p.key, t) for p in points
                )

            return pyo.Constraint(list(classes), time.steps, rule=rule)

        every = dict.fromkeys(counted, 1.0)
        burst = {s: 1 + v.headroom_share for s, v in counted.items() if v.headroom_share}
        for row, weights in (("decode", every), ("decode_burst", burst)):
            classes = _latency_classes([services[s] for s in weights])
            b.add_component(f"{row}{suffix}", decode(weights, classes))

        def prefill(b: pyo.Block, m: str, t: int) -> Any:
            speed = self.serves[m].prefill
            assert speed is not None
            nodes = b.prefill_nodes[m, t] - (b.paused_prefill[m, t] if paused else 0.0)
            read = sum(
                load[s][t] * b.answered_mtok_per_h[s, t]
                for s, service in counted.items()
                if service.model == m
            )
            return MTOK_PER_H * speed.tokens_per_s * nodes >= read

        load = {s: time.of(v.input_per_output * (1 - v.cached_share)) for s, v in services.items()}
        reading = [m for m in self.serves if self.serves[m].prefill]
        b.add_component(f"prefill{suffix}", pyo.Constraint(reading, time.steps, rule=prefill))

    def _pause(
        self,
        b: pyo.Block,
        site: Site,
        services: dict[str, Service],
        reserves: list[str],
        pue: dict[int, float],
    ) -> None:
        import pyomo.environ as pyo

        time = site.clock
        saved = {
            (m, p.key): max(p.node_kw - self.sleep_kw, 0.0)
            for m, serving in self.serves.items()
            for p in serving.working
        }
        reading = {m: v.prefill.node_kw - self.sleep_kw for m, v in self.serves.items() if v.prefill}
        b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
        b.paused = pyo.Var(list(saved), time.steps, domain=pyo.NonNegativeReals)
        b.paused_prefill = pyo.Var(list(reading), time.steps, domain=pyo.NonNegativeReals)
        b.paused_nodes = pyo.Constraint(
            list(saved), time.steps, rule=lambda b, m, k, t: b.paused[m, k, t] <= b.nodes[m, k, t]
        )
        b.paused_reading = pyo.Constraint(
            list(reading),
            time.steps,
            rule=lambda b, m, t: b.paused_prefill[m, t] <= b.prefill_nodes[m, t],
        )
        b.reserve_power = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.reserve_mw[j, t] for j in reserves)
            <= pue[t]
            / 1000
            * (
                sum(kw * b.paused[m, k, t] for (m, k), kw in saved.items())
                + sum(kw * b.paused_prefill[m, t] for m, kw in reading.items())
            ),
        )
        self._answer(b, site, services, paused=True)

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        awake = sum(values[f"awake[{m}]"] for m in self.serves)
        drawn = sum(values[name] for name in values if name.startswith("draw_mw["))
        available = self.nodes * self.available_pu
        return {
            "awake_mean_nodes": float(np.mean(awake)),
            "awake_share": float(np.sum(awake) / max(available.sum(), 1e-9)),
            "woken_nodes": float(sum(values[f"woken[{m}]"].sum() for m in self.serves)),
            "drawn_mwh": float(np.sum(drawn) * horizon.step_h),
        }

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:  # noqa: ARG002
        longest = len(self._wake_shares(horizon))
        awake = {m: max(0.0, float(values[f"awake[{m}]"][-1])) for m in self.serves}
        woken = {}
        for m in self.serves:
            recent = (*values[f"woken[{m}]"][::-1], *self.initial.woken.get(m, ()))
            woken[m] = tuple(max(0.0, float(value)) for value in recent[:longest])
        scale = min(1.0, self.nodes / max(sum(awake.values()), 1e-12))
        initial = FleetInitial(awake={m: n * scale for m, n in awake.items()}, woken=woken)
        return self.model_copy(update={"initial": initial})


def _latency_classes(services: list[Service]) -> dict[str, tuple[str, float | None]]:
    """Return a class for each latency limit of each model, tightest first, and one for any."""
    finite = {(s.model, s.max_inter_token_ms) for s in services if s.max_inter_token_ms is not None}
    classes: dict[str, tuple[str, float | None]] = {
        f"{model}|{limit:g}": (model, limit) for model, limit in sorted(finite)
    }
    return classes | {f"{model}|any": (model, None) for model in sorted({s.model for s in services})}
