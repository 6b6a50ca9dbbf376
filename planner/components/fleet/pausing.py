"""Nodes that pause when reserve is called, and the work that pausing puts off.

If a reserve j asks the fleet, nodes on batch and market work (services s of model m) can be put to sleep
when it is called, and stay asleep for its duration_h; interactive work keeps its nodes and its headroom.
Market work that pauses is not sold; batch work is answered later, within its deadline.

Variables: reserve_mw[j,t], paused[j,m,k,t], paused_prefill[j,m,t], put_off_mtok_per_h[j,s,t].

    reserve_power     reserve_mw[j,t] <= pue[t] / 1000 sum (node_kw - sleep_kw) paused nodes
    paused_nodes      sum_j paused[j,m,k,t] <= nodes[m,k,t]                 k: points that decode
    paused_readers    sum_j paused_prefill[j,m,t] <= prefill_nodes[m,t]
    put_off           sum_j put_off[j,s,t] <= answered[s,t]
    paused_work       0.0036 sum_k tokens_per_s paused[j,m,k,t] <= sum_s put_off[j,s,t]
    paused_input      0.0036 prefill_tokens_per_s paused_prefill[j,m,t] <= sum_s input_s put_off[j,s,t]
                      nodes without work have nothing to pause
    decode_kept, prefill_kept, decode_burst_kept
                      decode, prefill and decode_burst for the work that is not put off, with the nodes
                      that are not paused

Batch work that is put off is caught up with after the call, from the time on when the nodes that slept
have woken (wake_min), on nodes that the plan leaves asleep or idle, and instead of market work.

Variables: catch_up_mtok_per_h[s,t], catch_up_nodes[m,k,t], catch_up_prefill_nodes[m,t]; s: batch.

    decode_caught_up, prefill_caught_up
                      decode and prefill for interactive work and answered[s,t] + catch_up[s,t], with
                      the nodes of the plan and those that catch up
    catch_up_free     catch_up_nodes and catch_up_prefill_nodes sum to asleep[t] and the nodes that
                      idle, less those that wake and spare_nodes, at most

Rows on the deadlines are those of the service, see `queue`. They read the meter
put_off_mtok[s|k]: the work put off in the first k steps of a call that begins with the step,
sum_j min(k Δ, duration_h_j) put_off[j,s,t], for k = 1..K with K Δ >= duration_h + wake_min, of all
reserves and fleets.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.components.component import Site
from planner.components.fleet.decode_capacity import (
    Nodes,
    keep_headroom,
    limit_tokens,
    uncached_input,
)
from planner.components.fleet.nodes import Serving, prefill_by_model
from planner.components.late import pyo
from planner.components.reserve import Reserve
from planner.components.service.service import Service
from planner.components.terms import ByStep, Expression, Meter, of

PAUSE_RULES = {
    "reserve_power": "offers as reserve only what its nodes on batch and market work draw"
}


@dataclass(frozen=True)
class Pausing:
    """What a fleet may pause in a window, for the reserves that ask it.

    pue: by step. free: nodes by step that could catch up. pause_h: hours from a call to the end of
    it and until all nodes that slept have woken.
    """

    site: Site
    reserves: Mapping[str, Reserve]
    serves: Mapping[str, Serving]
    services: Mapping[str, Service]
    pue: Mapping[int, float]
    sleep_kw: float
    free: ByStep
    pause_h: float

    def declare(self, b: pyo.Block) -> dict[Meter, ByStep]:
        """Declare the rows of this module; return the meters of the reserve and its deadlines."""
        time, reserves = self.site.clock, list(self.reserves)
        points = [(m, p.key) for m, serving in self.serves.items() for p in serving.decoding]
        prefill, others = list(prefill_by_model(self.serves)), self._interruptible()
        b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
        b.paused = pyo.Var(reserves, points, time.steps, domain=pyo.NonNegativeReals)
        b.paused_prefill = pyo.Var(reserves, prefill, time.steps, domain=pyo.NonNegativeReals)
        b.put_off_mtok_per_h = pyo.Var(
            reserves, list(others), time.steps, domain=pyo.NonNegativeReals
        )
        self._limit_paused(b, points, prefill)
        self._limit_work(b)
        self._keep_the_rest(b)
        batch = {s: v for s, v in others.items() if v.market is None}
        meters = {Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves}
        if batch:
            self._catch_up(b, batch, points, prefill)
            meters |= self._meters(b, batch)
        return meters

    def _interruptible(self) -> dict[str, Service]:
        return {s: service for s, service in self.services.items() if service.interruptible}

    def _limit_paused(
        self, b: pyo.Block, points: list[tuple[str, str]], prefill: list[str]
    ) -> None:
        time, reserves, readers = self.site.clock, self.reserves, prefill_by_model(self.serves)
        saved_kw = {
            (m, point.key): max(0.0, point.node_kw - self.sleep_kw)
            for m, serving in self.serves.items()
            for point in serving.decoding
        }

        def reserve_power(b: pyo.Block, j: str, t: int) -> Expression:
            decoding = sum(kw * b.paused[j, m, k, t] for (m, k), kw in saved_kw.items())
            reading = sum(
                max(0.0, part.node_kw - self.sleep_kw) * b.paused_prefill[j, m, t]
                for m, part in readers.items()
            )
            return b.reserve_mw[j, t] <= self.pue[t] / 1000 * (decoding + reading)

        b.reserve_power = pyo.Constraint(list(reserves), time.steps, rule=reserve_power)
        b.paused_nodes = pyo.Constraint(
            points,
            time.steps,
            rule=lambda b, m, k, t: sum(b.paused[j, m, k, t] for j in reserves) <= b.nodes[m, k, t],
        )
        b.paused_readers = pyo.Constraint(
            prefill,
            time.steps,
            rule=lambda b, m, t: (
                sum(b.paused_prefill[j, m, t] for j in reserves) <= b.prefill_nodes[m, t]
            ),
        )

    def _limit_work(self, b: pyo.Block) -> None:
        time, reserves, others = self.site.clock, self.reserves, self._interruptible()
        prefill = prefill_by_model(self.serves)

        def paused_work(b: pyo.Block, j: str, m: str, t: int) -> Expression:
            of_model = (s for s, service in others.items() if service.model == m)
            put_off = sum(b.put_off_mtok_per_h[j, s, t] for s in of_model)
            decoding = self.serves[m].decoding
            return sum(p.mtok_per_h * b.paused[j, m, p.key, t] for p in decoding) <= put_off

        def paused_input(b: pyo.Block, j: str, m: str, t: int) -> Expression:
            put_off = uncached_input(time, others, lambda s, t: b.put_off_mtok_per_h[j, s, t])
            return prefill[m].mtok_per_h * b.paused_prefill[j, m, t] <= put_off(m, t)

        b.put_off = pyo.Constraint(
            list(others),
            time.steps,
            rule=lambda b, s, t: self._put_off(b, s, t) <= b.answered_mtok_per_h[s, t],
        )
        b.paused_work = pyo.Constraint(
            list(reserves), list(self.serves), time.steps, rule=paused_work
        )
        b.paused_input = pyo.Constraint(
            list(reserves), list(prefill), time.steps, rule=paused_input
        )

    def _put_off(self, b: pyo.Block, s: str, t: int) -> Expression:
        return sum(b.put_off_mtok_per_h[j, s, t] for j in self.reserves)

    def _keep_the_rest(self, b: pyo.Block) -> None:
        time, others = self.site.clock, self._interruptible()
        running = Nodes(
            decoding=lambda m, k, t: (
                b.nodes[m, k, t] - sum(b.paused[j, m, k, t] for j in self.reserves)
            ),
            prefill=lambda m, t: (
                b.prefill_nodes[m, t] - sum(b.paused_prefill[j, m, t] for j in self.reserves)
            ),
        )

        def kept(s: str, t: int) -> Expression:
            answered = b.answered_mtok_per_h[s, t]
            return answered - self._put_off(b, s, t) if s in others else answered

        limit_tokens(b, time, self.serves, self.services, running, kept, suffix="_kept")
        keep_headroom(b, time, self.serves, self.services, running, suffix="_kept")

    def _catch_up(
        self,
        b: pyo.Block,
        batch: Mapping[str, Service],
        points: list[tuple[str, str]],
        prefill: list[str],
    ) -> None:
        time = self.site.clock
        b.catch_up_mtok_per_h = pyo.Var(list(batch), time.steps, domain=pyo.NonNegativeReals)
        b.catch_up_nodes = pyo.Var(points, time.steps, domain=pyo.NonNegativeReals)
        b.catch_up_prefill_nodes = pyo.Var(prefill, time.steps, domain=pyo.NonNegativeReals)
        together = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t] + b.catch_up_nodes[m, k, t],
            prefill=lambda m, t: b.prefill_nodes[m, t] + b.catch_up_prefill_nodes[m, t],
        )

        def answered(s: str, t: int) -> Expression:
            planned = b.answered_mtok_per_h[s, t]
            return planned + b.catch_up_mtok_per_h[s, t] if s in batch else planned

        def catch_up_free(b: pyo.Block, t: int) -> Expression:
            decoding = sum(b.catch_up_nodes[m, k, t] for m, k in points)
            return decoding + sum(b.catch_up_prefill_nodes[m, t] for m in prefill) <= self.free(t)

        due = {s: service for s, service in self.services.items() if service.market is None}
        limit_tokens(b, time, self.serves, due, together, answered, suffix="_caught_up")
        b.catch_up_free = pyo.Constraint(time.steps, rule=catch_up_free)

    def _meters(self, b: pyo.Block, batch: Mapping[str, Service]) -> dict[Meter, ByStep]:
        time = self.site.clock

        def put_off(s: str, steps: int) -> ByStep:
            hours = {j: min(steps * time.step_h, v.duration_h) for j, v in self.reserves.items()}
            return lambda t: sum(h * b.put_off_mtok_per_h[j, s, t] for j, h in hours.items())

        lags = range(1, max(1, time.horizon.steps_up(self.pause_h)) + 1)
        return {Meter(f"put_off_mtok[{s}|{k}]"): put_off(s, k) for s in batch for k in lags} | {
            Meter(f"catch_up_mtok_per_h[{s}]"): of(b.catch_up_mtok_per_h, s) for s in batch
        }
