"""Operating points that no latency limit and no price can make useful.

A point k of a model is left out where other points i of the model, the idle one included, and
shares w_i >= 0 with sum_i w_i = 1 do all that it does:

    sum_i w_i node_kw_i = node_kw_k         sum_i w_i tokens_per_s_i >= tokens_per_s_k
    each i with w_i > 0 that decodes meets the limits of every service of the model that k meets

Take any plan of a fleet without reserve and move nodes[m,k,t] to the points i by their shares:
total and power are the same, decode and decode_burst have no less room, and waking and spare no
fewer idle nodes. Nothing else depends on the points, so that the profit is the same whatever the
prices, also negative ones; the point that draws most stays. Two points i suffice, as the most
tokens for a power lie on the upper edge of a convex set in the plane. Points are left out one after
the other: a point that stood for another may be replaced by what stands for it. Whole nodes cannot
be shared out, so that one point must do. With reserve all points of a model with batch or market
work stay: a node that decodes few tokens for its power puts off little work when it pauses. Other
models have nothing to pause.

Left out, nodes[m,k,t] is 0, unless a schedule is given that may use it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from planner.components.fleet.operating_points import Limits, OperatingPoint, Serving

SAME = 1e-9  # relative: powers that differ by less are the same


def useless_points(serving: Serving, limits: Collection[Limits], *, whole: bool) -> set[str]:
    """Return the keys of points of a model that other points replace.

    limits: of the services of the model. whole: whether nodes are.
    """
    idle, left = serving.points[0], list(serving.decoding)
    for point in serving.decoding:
        met = [limit for limit in limits if point.meets(limit)]
        others = [p for p in left if p is not point and all(p.meets(limit) for limit in met)]
        if _most_tokens([idle, *others], point.node_kw, whole=whole) >= point.tokens_per_s:
            left.remove(point)
    return {point.key for point in serving.decoding} - {point.key for point in left}


def _most_tokens(points: Sequence[OperatingPoint], node_kw: float, *, whole: bool) -> float:
    """Return the most tokens/s that points decode at a power, by shares of two; below 0: none."""
    same = SAME * max(node_kw, 1.0)
    alike = [p.tokens_per_s for p in points if abs(p.node_kw - node_kw) <= same]
    return max([-1.0, *alike, *(() if whole else _shared(points, node_kw, same))])


def _shared(points: Sequence[OperatingPoint], node_kw: float, same: float) -> Iterable[float]:
    for low in (p for p in points if p.node_kw < node_kw - same):
        for high in (p for p in points if p.node_kw > node_kw + same):
            share = (node_kw - low.node_kw) / (high.node_kw - low.node_kw)
            yield low.tokens_per_s + share * (high.tokens_per_s - low.tokens_per_s)
