"""Decode and prefill capacity of a fleet, and the nodes that may pause when reserve is called.

For every model m, with 0.0036 to turn tokens/s into Mtok/h:

    prefill         0.0036 prefill_tokens_per_s prefill_nodes[m,t] >= sum_s input_s[t] answered[s,t]
                    input_s = input_per_output (1 - cached_share)
    decode          for each latency limit l of the model's services, and for none at all:
                    sum_{s: limit <= l} answered[s,t] <= 0.0036 sum_{k: ms <= l} tokens_per_s nodes[m,k,t]
    decode_burst    the same for interactive services alone, each times (1 + headroom_share), where
                    one of them has headroom

The sets of points that meet a limit are nested, so these rows are exact if every service may have
nodes of its own. Batch and market work may use the headroom of interactive work; interactive work
may not use the headroom of other interactive work.

If a reserve asks the fleet, nodes on batch and market work (services b of model m) can be put to
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

from planner.components.component import Site, Time
from planner.components.fleet.nodes import Serving, prefill_by_model
from planner.components.late import pyo
from planner.components.service.service import Service
from planner.components.terms import Expression, sum_of

CAPACITY_RULES = {
    "decode": "answers only what its nodes decode at points within max_inter_token_ms",
    "decode_burst": (
        "keeps headroom_share of its services free at points within max_inter_token_ms"
    ),
    "reserve_power": "offers as reserve only what its nodes on batch and market work draw",
    "prefill": "reads only as much input as its nodes in prefill can",
}


class Nodes(NamedTuple):
    """Numbers of nodes: decoding by model, point and step, in prefill by model and step."""

    decoding: Callable[[str, str, int], Expression]
    prefill: Callable[[str, int], Expression]


class LatencyClass(NamedTuple):
    """The services of a model with a latency limit of `limit_ms` or less; None is no limit."""

    model: str
    limit_ms: float | None

    def holds(self, service: Service) -> bool:
        """Whether a service belongs to the class."""
        return service.model == self.model and service.within(self.limit_ms)


def limit_tokens(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    nodes: Nodes,
    suffix: str = "",
) -> None:
    """Limit the tokens answered for services to the capacity of nodes.

    Declares decode, decode_burst and prefill, with `suffix` at the end of their names.
    """

    def decode(weights: Mapping[str, float]) -> pyo.Constraint:
        classes = latency_classes([services[s] for s in weights])

        def rule(b: pyo.Block, name: str, t: int) -> Expression:
            latency = classes[name]
            answered = sum(
                weight * b.answered_mtok_per_h[s, t]
                for s, weight in weights.items()
                if latency.holds(services[s])
            )
            return answered <= sum(
                point.mtok_per_h * nodes.decoding(latency.model, point.key, t)
                for point in serves[latency.model].within(latency.limit_ms)
            )

        return pyo.Constraint(list(classes), time.steps, rule=rule)

    prefill, input_of = prefill_by_model(serves), uncached_input(b, time, services)
    with_headroom = {service.model for service in services.values() if service.headroom_share}
    burst = {
        s: 1 + service.headroom_share
        for s, service in services.items()
        if service.model in with_headroom and not service.interruptible
    }
    b.add_component(f"decode{suffix}", decode(dict.fromkeys(services, 1.0)))
    b.add_component(f"decode_burst{suffix}", decode(burst))
    read = pyo.Constraint(
        list(prefill),
        time.steps,
        rule=lambda _, m, t: prefill[m].mtok_per_h * nodes.prefill(m, t) >= input_of(m, t),
    )
    b.add_component(f"prefill{suffix}", read)


def uncached_input(
    b: pyo.Block, time: Time, services: Mapping[str, Service]
) -> Callable[[str, int], Expression]:
    """Return the input tokens of services that need prefill, Mtok/h by model and step."""
    ratio = {s: time.of(v.input_per_output * (1 - v.cached_share)) for s, v in services.items()}
    return lambda m, t: sum(
        ratio[s][t] * b.answered_mtok_per_h[s, t] for s in services if services[s].model == m
    )


def latency_classes(services: list[Service]) -> dict[str, LatencyClass]:
    """Return the classes of each latency limit of each model, tightest first, then those of all."""
    limits = {(s.model, s.max_inter_token_ms) for s in services if s.max_inter_token_ms is not None}
    finite = {f"{model}|{limit}": LatencyClass(model, limit) for model, limit in sorted(limits)}
    models = sorted({service.model for service in services})
    return finite | {f"{model}|any": LatencyClass(model, None) for model in models}


def offer_reserve(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    *,
    pue: Mapping[int, float],
    sleep_kw: float,
) -> None:
    """Declare the nodes that may pause and the reserve they offer."""
    time, reserves, prefill = site.clock, site.reserves(), prefill_by_model(serves)
    points = {(m, point.key): point for m, serving in serves.items() for point in serving.decoding}
    b.reserve_mw = pyo.Var(reserves, time.steps, domain=pyo.NonNegativeReals)
    b.paused = pyo.Var(list(points), time.steps, domain=pyo.NonNegativeReals)
    b.paused_prefill = pyo.Var(list(prefill), time.steps, domain=pyo.NonNegativeReals)
    interactive = {s: service for s, service in services.items() if not service.interruptible}
    others = {s: service for s, service in services.items() if service.interruptible}
    input_of, offered = uncached_input(b, time, others), sum_of(b.reserve_mw, reserves)

    def paused_work(b: pyo.Block, m: str, t: int) -> Expression:
        answered = sum(b.answered_mtok_per_h[s, t] for s, v in others.items() if v.model == m)
        decoding = serves[m].decoding
        return sum(point.mtok_per_h * b.paused[m, point.key, t] for point in decoding) <= answered

    def reserve_power(b: pyo.Block, t: int) -> Expression:
        saved_kw = sum(
            max(0.0, point.node_kw - sleep_kw) * b.paused[m, k, t]
            for (m, k), point in points.items()
        ) + sum(
            max(0.0, part.node_kw - sleep_kw) * b.paused_prefill[m, t]
            for m, part in prefill.items()
        )
        return offered(t) <= pue[t] / 1000 * saved_kw

    b.paused_nodes = pyo.Constraint(
        list(points), time.steps, rule=lambda b, m, k, t: b.paused[m, k, t] <= b.nodes[m, k, t]
    )
    b.paused_readers = pyo.Constraint(
        list(prefill),
        time.steps,
        rule=lambda b, m, t: b.paused_prefill[m, t] <= b.prefill_nodes[m, t],
    )
    b.paused_work = pyo.Constraint(list(serves), time.steps, rule=paused_work)
    b.paused_input = pyo.Constraint(
        list(prefill),
        time.steps,
        rule=lambda b, m, t: prefill[m].mtok_per_h * b.paused_prefill[m, t] <= input_of(m, t),
    )
    b.reserve_power = pyo.Constraint(time.steps, rule=reserve_power)
    running = Nodes(
        decoding=lambda m, k, t: b.nodes[m, k, t] - b.paused[m, k, t],
        prefill=lambda m, t: b.prefill_nodes[m, t] - b.paused_prefill[m, t],
    )
    limit_tokens(b, time, serves, interactive, running, suffix="_kept")
