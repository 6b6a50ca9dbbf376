"""Nodes that pause when reserve is called, and the work that pausing puts off.

If a reserve j asks the fleet, nodes on batch and market work (services s of model m) can be put to sleep
when it is called, and stay asleep for its duration_h; interactive work keeps its nodes and its headroom.
Market work that pauses is not sold; batch work is answered later, within its deadline.

Variables: reserve_mw[j,t], paused[j,m,k,t], paused_prefill[j,m,t], put_off_mtok_per_h[j,s,t].

    reserve_power     reserve_mw[j,t] <= pue[t] / 1000 sum (node_kw - sleep_kw) paused nodes
                      sleep_kw: with several levels of sleep, that of the level without drain_min that
                      draws least; where all have drain_min, or the fleet has ramp_nodes_per_h, the
                      idle point of the model
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
                      idle, less those that wake and spare_nodes, at most; asleep[t]: in levels that
                      wake no slower than the one in which nodes pause; none with ramp_nodes_per_h

Rows on the deadlines are those of the service, see `queue`. They read the meter
put_off_mtok[s|k]: the work put off in the first k steps of a call that begins with the step,
sum_j min(k Δ, duration_h_j) put_off[j,s,t], for k = 1..K with K Δ >= duration_h + wake_min, of all
reserves and fleets.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from planner.components.component import Site
from planner.components.fleet.decode_capacity import (
    Nodes,
    keep_headroom,
    limit_tokens,
    uncached_input,
)
from planner.components.fleet.operating_points import Prefill, Serving, prefill_by_model
from planner.components.fleet.sleep_levels import SleepLevels
from planner.components.reserve import Reserve
from planner.components.service.service import Service
from planner.components.terms import ByStep, Expression, Meter, of
from planner.modelling import pyo

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
    sleep: SleepLevels
    free: ByStep
    pause_h: float

    def declare(self, b: pyo.Block) -> dict[Meter, ByStep]:
        """Declare the rows of this module; return the meters of the reserve and its deadlines."""
        steps, reserves = self.site.clock.steps, list(self.reserves)

        def variable(*indices: Any) -> pyo.Var:
            return pyo.Var(*indices, steps, domain=pyo.NonNegativeReals)

        b.reserve_mw = variable(reserves)
        b.paused = variable(reserves, self._points)
        b.paused_prefill = variable(reserves, list(self._readers))
        b.put_off_mtok_per_h = variable(reserves, list(self._interruptible))
        self._limit_paused(b)
        self._limit_work(b)
        self._keep_the_rest(b)
        meters = {Meter(f"reserve_mw[{j}]"): of(b.reserve_mw, j) for j in reserves}
        batch = [s for s, service in self._interruptible.items() if service.market is None]
        if batch:
            b.catch_up_mtok_per_h = variable(batch)
            b.catch_up_nodes = variable(self._points)
            b.catch_up_prefill_nodes = variable(list(self._readers))
            self._catch_up(b, batch)
            meters |= self._meters(b, batch)
        return meters

    @cached_property
    def _interruptible(self) -> dict[str, Service]:
        return {s: service for s, service in self.services.items() if service.interruptible}

    @cached_property
    def _points(self) -> list[tuple[str, str]]:
        return [(m, p.key) for m, serving in self.serves.items() for p in serving.decoding]

    @cached_property
    def _readers(self) -> dict[str, Prefill]:
        return prefill_by_model(self.serves)

    def _of_all(self, variable: Any, *index: Any) -> Expression:
        """Return the sum of a variable over the reserves."""
        return sum(variable[j, *index] for j in self.reserves)

    def _limit_paused(self, b: pyo.Block) -> None:
        steps, readers = self.site.clock.steps, self._readers

        def saved_kw(m: str, node_kw: float) -> float:
            return max(0.0, node_kw - self.sleep.paused_kw(self.serves[m].points[0].node_kw))

        def reserve_power(b: pyo.Block, j: str, t: int) -> Expression:
            decoding = sum(
                saved_kw(m, p.node_kw) * b.paused[j, m, p.key, t]
                for m, serving in self.serves.items()
                for p in serving.decoding
            )
            reading = sum(
                saved_kw(m, part.node_kw) * b.paused_prefill[j, m, t] for m, part in readers.items()
            )
            return b.reserve_mw[j, t] <= self.pue[t] / 1000 * (decoding + reading)

        b.reserve_power = pyo.Constraint(list(self.reserves), steps, rule=reserve_power)
        b.paused_nodes = pyo.Constraint(
            self._points,
            steps,
            rule=lambda b, m, k, t: self._of_all(b.paused, m, k, t) <= b.nodes[m, k, t],
        )
        b.paused_readers = pyo.Constraint(
            list(readers),
            steps,
            rule=lambda b, m, t: self._of_all(b.paused_prefill, m, t) <= b.prefill_nodes[m, t],
        )

    def _limit_work(self, b: pyo.Block) -> None:
        time, reserves, others = self.site.clock, list(self.reserves), self._interruptible

        def paused_work(b: pyo.Block, j: str, m: str, t: int) -> Expression:
            of_model = (s for s, service in others.items() if service.model == m)
            put_off = sum(b.put_off_mtok_per_h[j, s, t] for s in of_model)
            decoding = self.serves[m].decoding
            return sum(p.mtok_per_h * b.paused[j, m, p.key, t] for p in decoding) <= put_off

        def paused_input(b: pyo.Block, j: str, m: str, t: int) -> Expression:
            put_off = uncached_input(time, others, lambda s, t: b.put_off_mtok_per_h[j, s, t])
            return self._readers[m].mtok_per_h * b.paused_prefill[j, m, t] <= put_off(m, t)

        b.put_off = pyo.Constraint(
            list(others),
            time.steps,
            rule=lambda b, s, t: (
                self._of_all(b.put_off_mtok_per_h, s, t) <= b.answered_mtok_per_h[s, t]
            ),
        )
        b.paused_work = pyo.Constraint(reserves, list(self.serves), time.steps, rule=paused_work)
        b.paused_input = pyo.Constraint(
            reserves, list(self._readers), time.steps, rule=paused_input
        )

    def _keep_the_rest(self, b: pyo.Block) -> None:
        running = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t] - self._of_all(b.paused, m, k, t),
            prefill=lambda m, t: b.prefill_nodes[m, t] - self._of_all(b.paused_prefill, m, t),
        )

        def kept(s: str, t: int) -> Expression:
            answered = b.answered_mtok_per_h[s, t]
            if s not in self._interruptible:
                return answered
            return answered - self._of_all(b.put_off_mtok_per_h, s, t)

        work = self.site.clock, self.serves, self.services, running
        limit_tokens(b, *work, kept, suffix="_kept")
        keep_headroom(b, *work, suffix="_kept")

    def _catch_up(self, b: pyo.Block, batch: Sequence[str]) -> None:
        time = self.site.clock
        together = Nodes(
            decoding=lambda m, k, t: b.nodes[m, k, t] + b.catch_up_nodes[m, k, t],
            prefill=lambda m, t: b.prefill_nodes[m, t] + b.catch_up_prefill_nodes[m, t],
        )

        def answered(s: str, t: int) -> Expression:
            planned = b.answered_mtok_per_h[s, t]
            return planned + b.catch_up_mtok_per_h[s, t] if s in batch else planned

        def catch_up_free(b: pyo.Block, t: int) -> Expression:
            decoding = sum(b.catch_up_nodes[m, k, t] for m, k in self._points)
            reading = sum(b.catch_up_prefill_nodes[m, t] for m in self._readers)
            return decoding + reading <= self.free(t)

        due = {s: service for s, service in self.services.items() if service.market is None}
        limit_tokens(b, time, self.serves, due, together, answered, suffix="_caught_up")
        b.catch_up_free = pyo.Constraint(time.steps, rule=catch_up_free)

    def _meters(self, b: pyo.Block, batch: Sequence[str]) -> dict[Meter, ByStep]:
        time = self.site.clock

        def put_off(s: str, steps: int) -> ByStep:
            hours = {j: min(steps * time.step_h, v.duration_h) for j, v in self.reserves.items()}
            return lambda t: sum(h * b.put_off_mtok_per_h[j, s, t] for j, h in hours.items())

        lags = range(1, max(1, time.horizon.steps_up(self.pause_h)) + 1)
        return {Meter(f"put_off_mtok[{s}|{k}]"): put_off(s, k) for s in batch for k in lags} | {
            Meter(f"catch_up_mtok_per_h[{s}]"): of(b.catch_up_mtok_per_h, s) for s in batch
        }
