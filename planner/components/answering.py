"""What the nodes of a fleet can answer: rows that tie tokens to nodes at operating points.

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
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from planner.components.base import Expression, Time
from planner.components.service import Service
from planner.components.serving import MTOK_PER_H, Serving

if TYPE_CHECKING:
    import pyomo.environ as pyo

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
    import pyomo.environ as pyo

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
