"""Reserve from a fleet: nodes on work that may be interrupted can be put to sleep when called.

Variables: paused[m,k,t], paused_prefill[m,t], reserve_mw[j,t] per reserve j.

    paused_nodes      paused[m,k,t] <= nodes[m,k,t]                   k: points that decode
    paused_readers    paused_prefill[m,t] <= prefill_nodes[m,t]
    paused_work       0.0036 sum_k tokens_per_s paused[m,k,t] <= sum_s answered[s,t]
    paused_input      0.0036 prefill_tokens_per_s paused_prefill[m,t] <= sum_s input_s answered[s,t]
                      s: batch and market services of m; nodes without work have nothing to pause
    reserve_power     sum_j reserve_mw[j,t] <= pue[t] / 1000 sum (node_kw - sleep_kw) paused nodes
    decode_kept, decode_burst_kept, prefill_kept
                      the rows of `answering` for interactive work alone, with the nodes not paused

Batch and market work may be interrupted; interactive work keeps its nodes and its headroom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.components.answering import Nodes, bound_answers, input_read
from planner.components.base import Expression, Time
from planner.components.service import Service
from planner.components.serving import MTOK_PER_H, Serving

if TYPE_CHECKING:
    import pyomo.environ as pyo


def offer_reserve(
    b: pyo.Block,
    time: Time,
    reserves: list[str],
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    *,
    pue: Mapping[int, float],
    sleep_kw: float,
) -> None:
    """Declare what may be paused and the reserve it gives; the fleet's rows stand in `b`."""
    import pyomo.environ as pyo

    saved_kw = {
        (m, point.key): max(0.0, point.node_kw - sleep_kw)
        for m, serving in serves.items()
        for point in serving.working
    }
    readers = {m: serving.prefill for m, serving in serves.items() if serving.prefill}
    saved_reading_kw = {m: max(0.0, v.node_kw - sleep_kw) for m, v in readers.items()}
    b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
    b.paused = pyo.Var(list(saved_kw), time.steps, domain=pyo.NonNegativeReals)
    b.paused_prefill = pyo.Var(list(readers), time.steps, domain=pyo.NonNegativeReals)
    b.paused_nodes = pyo.Constraint(
        list(saved_kw), time.steps, rule=lambda b, m, k, t: b.paused[m, k, t] <= b.nodes[m, k, t]
    )
    b.paused_readers = pyo.Constraint(
        list(readers),
        time.steps,
        rule=lambda b, m, t: b.paused_prefill[m, t] <= b.prefill_nodes[m, t],
    )
    interactive = {s: service for s, service in services.items() if not service.interruptible}
    others = {s: service for s, service in services.items() if service.interruptible}
    read = input_read(b, time, others)

    def work(b: pyo.Block, m: str, t: int) -> Expression:
        speeds = {point.key: MTOK_PER_H * point.tokens_per_s for point in serves[m].working}
        answered = sum(b.answered_mtok_per_h[s, t] for s, v in others.items() if v.model == m)
        return sum(speed * b.paused[m, k, t] for k, speed in speeds.items()) <= answered

    def reading(b: pyo.Block, m: str, t: int) -> Expression:
        speed = MTOK_PER_H * readers[m].tokens_per_s
        return speed * b.paused_prefill[m, t] <= read(m, t)

    b.paused_work = pyo.Constraint(list(serves), time.steps, rule=work)
    b.paused_input = pyo.Constraint(list(readers), time.steps, rule=reading)
    b.reserve_power = pyo.Constraint(
        time.steps,
        rule=lambda b, t: (
            sum(b.reserve_mw[j, t] for j in reserves)
            <= pue[t]
            / 1000
            * (
                sum(kw * b.paused[m, k, t] for (m, k), kw in saved_kw.items())
                + sum(kw * b.paused_prefill[m, t] for m, kw in saved_reading_kw.items())
            )
        ),
    )
    kept = Nodes(
        decoding=lambda m, k, t: b.nodes[m, k, t] - b.paused[m, k, t],
        reading=lambda m, t: b.prefill_nodes[m, t] - b.paused_prefill[m, t],
    )
    bound_answers(b, time, serves, interactive, kept, suffix="_kept")
