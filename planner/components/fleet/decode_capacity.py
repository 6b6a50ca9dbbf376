"""What the nodes of a fleet can answer, and what of them may pause when reserve is called.

For every model m, with 0.0036 to turn tokens/s into Mtok/h:

    prefill         0.0036 prefill_tokens_per_s prefill_nodes[m,t] >= sum_s input_s[t] answered[s,t]
                    input_s = input_per_output (1 - cached_share)
    decode          for each latency limit l of the model's services, and for none at all:
                    sum_{s: limit <= l} answered[s,t] <= 0.0036 sum_{k: ms <= l} tokens_per_s nodes[m,k,t]
    decode_burst    the same for interactive services alone, each times (1 + headroom_share), where
                    one of them has headroom

The sets of points that meet a limit are nested, so these rows hold exactly when every service can be
given nodes of its own. Batch and market work may fill the headroom of interactive work; interactive
work may not fill the headroom of other interactive work.

Where a reserve asks the fleet, nodes on batch and market work (services b of model m) can be put to
sleep when it is called; interactive work keeps its nodes and its headroom.

Variables: paused[m,k,t], paused_prefill[m,t], reserve_mw[j,t] per reserve j.

    paused_nodes      paused[m,k,t] <= nodes[m,k,t]                   k: points that decode
    paused_readers    paused_prefill[m,t] <= prefill_nodes[m,t]
    paused_work       0.0036 sum_k tokens_per_s paused[m,k,t] <= sum_b answered[b,t]
    paused_input      0.0036 prefill_tokens_per_s paused_prefill[m,t] <= sum_b input_b answered[b,t]
                      nodes without work have nothing to pause
    reserve_power     sum_j reserve_mw[j,t] <= pue[t] / 1000 sum (node_kw - sleep_kw) paused nodes
    decode_kept, decode_burst_kept, prefill_kept
                      decode, decode_burst and prefill for interactive work alone, with the nodes that
                      are not paused
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from planner.components.component import Time
from planner.components.fleet.nodes import MTOK_PER_H, Serving
from planner.components.late import pyo
from planner.components.service.service import Service
from planner.components.terms import Expression, sum_of

RULES = {
    "decode": "answers only what its nodes decode at points within max_inter_token_ms",
    "decode_burst": (
        "keeps headroom_share of its services free at points within max_inter_token_ms"
    ),
    "reserve_power": "offers as reserve only what its nodes on batch and market work draw",
    "prefill": "reads only what its nodes in prefill can read",
}


class Nodes(NamedTuple):
    """Counts of nodes: by model, point and step, and those that read input by model and step."""

    decoding: Callable[[str, str, int], Expression]
    reading: Callable[[str, int], Expression]


class LatencyClass(NamedTuple):
    """The services of a model whose limit is this one or a tighter one; None is no limit."""

    model: str
    limit_ms: float | None

    def holds(self, service: Service) -> bool:
        """Whether the work of a service must be done inside this class."""
        return service.model == self.model and service.within(self.limit_ms)


def bound_answers(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    nodes: Nodes,
    suffix: str = "",
) -> None:
    """Bound what is answered by the nodes given; `suffix` ends the names of the rows."""

    def decode(weights: Mapping[str, float]) -> pyo.Constraint:
        classes = latency_classes([services[s] for s in weights])

        def rule(b: pyo.Block, name: str, t: int) -> Expression:
            mine = classes[name]
            answered = sum(
                weight * b.answered_mtok_per_h[s, t]
                for s, weight in weights.items()
                if mine.holds(services[s])
            )
            return answered <= sum(
                MTOK_PER_H * point.tokens_per_s * nodes.decoding(mine.model, point.key, t)
                for point in serves[mine.model].within(mine.limit_ms)
            )

        return pyo.Constraint(list(classes), time.steps, rule=rule)

    def prefill(_: pyo.Block, m: str, t: int) -> Expression:
        return MTOK_PER_H * readers[m].tokens_per_s * nodes.reading(m, t) >= read(m, t)

    read = input_read(b, time, services)
    readers = {m: serving.prefill for m, serving in serves.items() if serving.prefill}
    bursting = {service.model for service in services.values() if service.headroom_share}
    burst = {
        s: 1 + service.headroom_share
        for s, service in services.items()
        if service.model in bursting and not service.interruptible
    }
    b.add_component(f"decode{suffix}", decode(dict.fromkeys(services, 1.0)))
    b.add_component(f"decode_burst{suffix}", decode(burst))
    b.add_component(f"prefill{suffix}", pyo.Constraint(list(readers), time.steps, rule=prefill))


def input_read(
    b: pyo.Block, time: Time, services: Mapping[str, Service]
) -> Callable[[str, int], Expression]:
    """Return the input that the work of some services brings, Mtok/h by model and step."""
    load = {s: time.of(v.input_per_output * (1 - v.cached_share)) for s, v in services.items()}

    def read(m: str, t: int) -> Expression:
        mine = (s for s, service in services.items() if service.model == m)
        return sum(load[s][t] * b.answered_mtok_per_h[s, t] for s in mine)

    return read


def latency_classes(services: list[Service]) -> dict[str, LatencyClass]:
    """Return a class for each latency limit of each model, tightest first, and one for any."""
    limits = {(s.model, s.max_inter_token_ms) for s in services if s.max_inter_token_ms is not None}
    finite = {f"{model}|{limit}": LatencyClass(model, limit) for model, limit in sorted(limits)}
    models = sorted({service.model for service in services})
    return finite | {f"{model}|any": LatencyClass(model, None) for model in models}


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
    promised = sum_of(b.reserve_mw, reserves)
    b.reserve_power = pyo.Constraint(
        time.steps,
        rule=lambda b, t: (
            promised(t)
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
