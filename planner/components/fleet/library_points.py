"""What follows from the library and from the host: points of a node, prefill, power at the wall.

A node holds as many replicas of a curve as fit on the GPUs of the host, so tokens and power are
those of a replica times their number, and times between tokens are those of one. Values that follow
do not count as fields set, so that they follow again where a scenario is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from planner.components.fleet.operating_points import (
    NodePower,
    OperatingPoint,
    Prefill,
    Serving,
)
from planner.fields import FieldError
from planner.fleets.curve import Curve
from planner.fleets.hosts import GPUS_OF_A_NODE, Host, host_named, known_hosts
from planner.message import Message, MessageList

DECIMALS = 6  # of what is multiplied


def host_of(host: Host | None, serves: dict[str, Serving]) -> Host | None:
    """Return the host of a fleet: the one given, else that of its curves if they share one.

    Raises:
        FieldError: its curves are of different kinds of servers.
    """
    kinds = {serving.curve.host for serving in serves.values() if serving.curve is not None}
    if host is not None or not kinds - {None}:
        return host
    if len(kinds) > 1:
        names = sorted(kind for kind in kinds if kind is not None)
        message = Message(
            "is required: the curves of the library are of different kinds of servers, {names};"
            " write one of {known}, or one of your own: {{idle_kw: 1.6, gpu_wall_factor: 1.16}}",
            names=MessageList(", ", [*names, *[Message("not known")] * (None in kinds)]),
            known=", ".join(known_hosts()),
        )
        raise FieldError(message, "host")
    (kind,) = kinds
    assert kind is not None
    return host_named(kind)


def follow(serves: dict[str, Serving], host: Host | None) -> Iterator[FieldError]:
    """Give servings the points, and points the power, that follow; yield what is wrong."""
    for model, serving in serves.items():
        try:
            if serving.curve is not None:
                _follow_curve(serving, serving.curve, host)
        except FieldError as error:
            yield FieldError(error.message, f"serves.{model}.{error.path}")
            continue
        yield from _follow_host(model, [*serving.points, *filter(None, [serving.prefill])], host)


def _follow_host(model: str, points: list[NodePower], host: Host | None) -> Iterator[FieldError]:
    """Give points of a model their power at the wall; yield what is wrong."""
    for point in points:
        given = vars(point).get("node_kw")
        if point.gpu_kw is None:
            continue
        if host is None:
            if given is None:
                message = Message(
                    "is required, as points of model {name!r} have gpu_kw and no node_kw:"
                    " {{idle_kw: 1.6, gpu_wall_factor: 1.16}}, or one of {known}",
                    name=model,
                    known=", ".join(known_hosts()),
                )
                yield FieldError(message, "host")
                return
            continue
        node_kw = host.node_kw(point.gpu_kw)
        if given is None:
            vars(point)["node_kw"] = node_kw
        elif not math.isclose(given, node_kw, rel_tol=1e-6):
            message = Message(
                "at {tokens_per_s:g} tokens/s, node_kw {value:g} does not go with gpu_kw"
                " {gpu_kw:g}, which makes {node_kw:g} with the host of the fleet; leave one of the"
                " two out",
                tokens_per_s=point.tokens_per_s, value=given, gpu_kw=point.gpu_kw, node_kw=node_kw,
            )  # fmt: skip
            yield FieldError(message, f"serves.{model}")
        point.model_fields_set.discard("node_kw")


def _follow_curve(serving: Serving, curve: Curve, host: Host | None) -> None:
    """Give a serving the points and the prefill of its curve where they are not given.

    Raises:
        FieldError: they cannot be those of a node.
    """
    given, values = serving.model_fields_set, vars(serving)
    try:
        n = _replicas(curve, host)
        points, prefill = _points_of(curve, host, n), _prefill_of(curve, n)
    except FieldError:
        if "points" in given:  # which need no curve
            return
        raise
    for name, follows in (("points", points), ("prefill", prefill)):
        if name not in given:
            values[name] = follows
        elif _compared(values[name]) == _compared(follows):
            given.discard(name)  # those of a plan, which follow again


def _compared(value: Any) -> Any:
    """Return what is compared of points, or of a prefill, that a plan has written."""
    if isinstance(value, tuple):
        return [_compared(point) for point in value]
    return value and {**vars(value), "node_kw": value.node_kw if value.gpu_kw is None else None}


def _replicas(curve: Curve, host: Host | None) -> int:
    """Return how many replicas of a curve a node holds."""
    gpus = curve.gpus if host is None else host.gpus
    if gpus % curve.gpus:
        message = Message(
            "a replica of it takes {n} GPUs, and a node of {gpus} does not hold a whole number;"
            " host.gpus must be a multiple",
            n=curve.gpus, gpus=gpus,
        )  # fmt: skip
        raise FieldError(message, "library")
    if curve.measured == "none":
        message = Message(
            "the power of this curve is not known; copy its file, give each point gpu_kw or"
            " node_kw, say in `measured` which, and name the copy here"
        )
        raise FieldError(message, "library")
    if curve.measured == "gpu" and host is None:
        message = Message(
            "no kind of server is known for it ({hardware}); give the fleet a host:"
            " {{idle_kw: 1.6, gpu_wall_factor: 1.16, gpus: {gpus}, gpu_idle_kw: 0.12}}, or the one"
            " of {known} that is most like it",
            hardware=curve.hardware, gpus=max(curve.gpus, GPUS_OF_A_NODE),
            known=", ".join(known_hosts()),
        )  # fmt: skip
        raise FieldError(message, "library")
    return gpus // curve.gpus


def _points_of(curve: Curve, host: Host | None, n: int) -> tuple[OperatingPoint, ...]:
    """Return the points of a node with `n` replicas by ascending tokens, the idle point first."""
    points: dict[str, OperatingPoint] = {}
    for replica in sorted(curve.points, key=lambda point: point.tokens_per_s):
        point = OperatingPoint.unchecked(
            {"tokens_per_s"},
            tokens_per_s=round(n * replica.tokens_per_s, DECIMALS),
            inter_token_ms=replica.inter_token_ms,
            first_token_ms=replica.first_token_ms,
            **_power(curve, replica, n),
        )
        points.setdefault(point.key, point)  # of the same tokens, that of less load
    if "0" not in points:
        points["0"] = OperatingPoint.unchecked(
            {"tokens_per_s"}, tokens_per_s=0.0, **_idle_power(curve, host)
        )
    return tuple(sorted(points.values(), key=lambda point: point.tokens_per_s))


def _prefill_of(curve: Curve, n: int) -> Prefill | None:
    """Return the prefill of a node with `n` replicas, if the curve has one."""
    replica = curve.prefill
    if replica is None:
        return None
    tokens_per_s = round(n * replica.tokens_per_s, DECIMALS)
    return Prefill.unchecked(
        {"tokens_per_s"}, tokens_per_s=tokens_per_s, **_power(curve, replica, n)
    )


def _power(curve: Curve, replica: Any, n: int) -> dict[str, Any]:
    """Return the power of a node with `n` replicas: that of its GPUs, or that at the wall."""
    if curve.measured == "gpu":
        return {"gpu_kw": round(n * replica.gpu_kw, DECIMALS), "node_kw": None}
    return {"gpu_kw": None, "node_kw": round(n * replica.node_kw, DECIMALS)}


def _idle_power(curve: Curve, host: Host | None) -> dict[str, Any]:
    """Return the power of an awake node that holds the model and answers nothing."""
    servers = (host, known_hosts().get(curve.host or ""))
    known = [one.gpu_idle_kw for one in servers if one and one.gpu_idle_kw is not None]
    if not known or host is None:
        message = Message(
            "the curve has no point at 0 tokens/s; give gpu_idle_kw in the host of the fleet, the"
            " power of a GPU that holds the model and answers nothing"
        )
        raise FieldError(message, "library")
    gpu_kw = round(host.gpus * known[0], DECIMALS)
    return {"gpu_kw": gpu_kw, "node_kw": None} if curve.measured == "gpu" else {
        "gpu_kw": None, "node_kw": host.node_kw(gpu_kw)
    }  # fmt: skip
