"""Decode and prefill capacity of a fleet.

For every model m, with 0.0036 to turn tokens/s into Mtok/h:

    prefill         0.0036 prefill_tokens_per_s prefill_nodes[m,t] >= sum_s input_s[t] answered[s,t]
                    input_s = input_per_output (1 - cached_share)
    decode          for each latency limit l of the model's services, and for none at all:
                    sum_{s: limit <= l} answered[s,t] <= 0.0036 sum_{k: ms <= l} tokens_per_s nodes[m,k,t]
    decode_burst    the same for interactive services alone, each times (1 + headroom_share), where
                    one of them has headroom

The sets of points that meet a limit are nested, so these rows are exact if every service may have
nodes of its own. They are not where a service of the model has max_first_token_ms; its services are
then told apart by the points K_s that meet both limits of s, and there is a row for each set U that
is a union of some K_s, and for all points:

    decode          sum_{s: K_s in U} answered[s,t] <= 0.0036 sum_{k in U} tokens_per_s nodes[m,k,t]

Work that may go to some points fits on them if, and only if, no part of it is more than what the
points that any of it may use decode (Gale 1957). The points of a part are such a union U, and all
work that U may hold is the most that a part with these points can be; so these rows are exact too.

Batch and market work may use the headroom of interactive work; interactive work may not use the
headroom of other interactive work.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from planner.components.fleet.operating_points import OperatingPoint, Serving, prefill_by_model
from planner.components.service.service import Service
from planner.components.terms import Expression
from planner.components.time import Time
from planner.modelling import pyo

CAPACITY_RULES = {
    "decode": "answers only what its nodes decode at points within the latencies of its services",
    "decode_burst": ("keeps headroom_share of its services free at points within their latencies"),
    "prefill": "reads only as much input as its nodes in prefill can",
}


Answered = Callable[[str, int], Expression]  # Mtok/h by service and step


class Nodes(NamedTuple):
    """Numbers of nodes: decoding by model, point and step, in prefill by model and step."""

    decoding: Callable[[str, str, int], Expression]
    prefill: Callable[[str, int], Expression]


class LatencyClass(NamedTuple):
    """Services of a model, and all points of the model that any of them may use."""

    model: str
    services: list[str]
    points: Sequence[OperatingPoint]


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
    classes = latency_classes(serves, services)

    def rule(_: pyo.Block, name: str, t: int) -> Expression:
        model, answers, points = classes[name]
        work = sum(answered(s, t) for s in answers)
        return work <= sum(p.mtok_per_h * nodes.decoding(model, p.key, t) for p in points)

    return pyo.Constraint(list(classes), time.steps, rule=rule)


def uncached_input(time: Time, services: Mapping[str, Service], answered: Answered) -> Answered:
    """Return the input tokens of services that need prefill, Mtok/h by model and step."""
    ratio = {s: time.of(v.input_per_output * (1 - v.cached_share)) for s, v in services.items()}
    return lambda m, t: sum(
        ratio[s][t] * answered(s, t) for s in services if services[s].model == m
    )


def latency_classes(
    serves: Mapping[str, Serving], services: Mapping[str, Service]
) -> dict[str, LatencyClass]:
    """Return the classes of each model by name, tightest first, then those of all its points."""
    by_model: dict[str, dict[str, Service]] = {}
    for s, service in services.items():
        by_model.setdefault(service.model, {})[s] = service
    models = {model: by_model[model] for model in sorted(by_model)}
    tight, loose = dict[str, LatencyClass](), dict[str, LatencyClass]()
    for model, alike in models.items():
        serving = serves[model]
        nested = all(service.max_first_token_ms is None for service in alike.values())
        tight |= (_by_limit if nested else _by_union)(model, serving, alike)
        loose[f"{model}|any"] = LatencyClass(model, list(alike), serving.decoding)
    return tight | loose


def _by_limit(
    model: str, serving: Serving, services: Mapping[str, Service]
) -> dict[str, LatencyClass]:
    """Return a class for each limit between tokens: the services with that limit or less."""
    own = {s: service.max_inter_token_ms for s, service in services.items()}
    return {
        f"{model}|{limit}": LatencyClass(
            model,
            [s for s, ms in own.items() if ms is not None and ms <= limit],
            serving.within((limit, None)),
        )
        for limit in sorted({ms for ms in own.values() if ms is not None})
    }


def _by_union(
    model: str, serving: Serving, services: Mapping[str, Service]
) -> dict[str, LatencyClass]:
    """Return a class for each union of the points that services may use."""
    usable = {
        s: frozenset(point.key for point in serving.within(service.limits))
        for s, service in services.items()
    }
    unions: dict[frozenset[str], None] = {}
    for keys in usable.values():
        unions |= dict.fromkeys([keys, *(keys | union for union in unions)])
    classes = {}
    for union in sorted(unions, key=len):
        inside = [s for s, keys in usable.items() if keys <= union]
        points = [point for point in serving.decoding if point.key in union]
        if len(points) < len(serving.decoding):
            classes[f"{model}|for_{'+'.join(inside)}"] = LatencyClass(model, inside, points)
    return classes
