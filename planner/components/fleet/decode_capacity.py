"""Decode and prefill capacity of a fleet.

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
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from planner.components.fleet.operating_points import Serving, prefill_by_model
from planner.components.service.service import Service
from planner.components.terms import Expression
from planner.components.time import Time
from planner.modelling import pyo

CAPACITY_RULES = {
    "decode": "answers only what its nodes decode at points within max_inter_token_ms",
    "decode_burst": (
        "keeps headroom_share of its services free at points within max_inter_token_ms"
    ),
    "prefill": "reads only as much input as its nodes in prefill can",
}


Answered = Callable[[str, int], Expression]  # Mtok/h by service and step


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
    answered: Answered,
    suffix: str = "",
) -> None:
    """Limit the tokens answered for services to the capacity of nodes.

    Declares decode and prefill, with `suffix` at the end of their names.
    """
    prefill, input_of = prefill_by_model(serves), uncached_input(time, services, answered)
    b.add_component(f"decode{suffix}", _decode(time, serves, services, nodes, answered))
    read = pyo.Constraint(
        list(prefill),
        time.steps,
        rule=lambda _, m, t: prefill[m].mtok_per_h * nodes.prefill(m, t) >= input_of(m, t),
    )
    b.add_component(f"prefill{suffix}", read)


def keep_headroom(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    nodes: Nodes,
    suffix: str = "",
) -> None:
    """Keep the headroom of interactive services free; declares decode_burst with `suffix`."""
    with_headroom = {service.model for service in services.values() if service.headroom_share}
    burst = {
        s: service
        for s, service in services.items()
        if service.model in with_headroom and not service.interruptible
    }

    def answered(s: str, t: int) -> Expression:
        return (1 + burst[s].headroom_share) * b.answered_mtok_per_h[s, t]

    b.add_component(f"decode_burst{suffix}", _decode(time, serves, burst, nodes, answered))


def _decode(
    time: Time,
    serves: Mapping[str, Serving],
    services: Mapping[str, Service],
    nodes: Nodes,
    answered: Answered,
) -> pyo.Constraint:
    classes = latency_classes(list(services.values()))

    def rule(_: pyo.Block, name: str, t: int) -> Expression:
        latency = classes[name]
        work = sum(answered(s, t) for s, service in services.items() if latency.holds(service))
        return work <= sum(
            point.mtok_per_h * nodes.decoding(latency.model, point.key, t)
            for point in serves[latency.model].within(latency.limit_ms)
        )

    return pyo.Constraint(list(classes), time.steps, rule=rule)


def uncached_input(time: Time, services: Mapping[str, Service], answered: Answered) -> Answered:
    """Return the input tokens of services that need prefill, Mtok/h by model and step."""
    ratio = {s: time.of(v.input_per_output * (1 - v.cached_share)) for s, v in services.items()}
    return lambda m, t: sum(
        ratio[s][t] * answered(s, t) for s in services if services[s].model == m
    )


def latency_classes(services: list[Service]) -> dict[str, LatencyClass]:
    """Return the classes of each latency limit of each model, tightest first, then those of all."""
    limits = {(s.model, s.max_inter_token_ms) for s in services if s.max_inter_token_ms is not None}
    finite = {f"{model}|{limit}": LatencyClass(model, limit) for model, limit in sorted(limits)}
    models = sorted({service.model for service in services})
    return finite | {f"{model}|any": LatencyClass(model, None) for model in models}
