"""Whether a line could have carried what the schedule says.

forward_limit, backward_limit   what is sent stays within capacity_mw, at the sending end
direction    forward is 0 or 1, and no step sends both ways (not in a relaxed plan)

What is sent leaves its node whole, and 1 - loss_share of it arrives: the balances of the two nodes
and the losses of the allocation say so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import OVERLAP_MW, Array, Notes
from planner.auditor.reading import KindAudit, Part, Plan, columns_by_origin


def _columns(plan: Plan, part: Part) -> set[str]:
    if part["both_ways"]:
        return {"forward"} | columns_by_origin(plan, "forward_mw", "backward_mw")
    return columns_by_origin(plan, "forward_mw")


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    arriving = 1 - part.number("loss_share")
    ends = str(part["from_node"]), str(part["to_node"])
    for o in plan.origins:
        sent = part.column("forward_mw", o), _backward(part, o)
        for (start, end), mw in zip((ends, ends[::-1]), sent, strict=True):
            yield start, o, -mw
            yield end, o, arriving * mw


def _lost(plan: Plan, part: Part) -> dict[str, Array]:
    share = plan.clock.step_h * part.number("loss_share")
    return {o: share * (part.column("forward_mw", o) + _backward(part, o)) for o in plan.origins}


def _backward(part: Part, origin: str) -> Array:
    if part["both_ways"]:
        return part.column("backward_mw", origin)
    return np.zeros(len(part.column("forward_mw", origin)))


def _check(plan: Plan, part: Part, note: Notes) -> None:
    ahead, back = (np.asarray(part.total(f"{way}_mw")) for way in ("forward", "backward"))
    capacity = part.number("capacity_mw")
    if not part["both_ways"]:
        note.at_most("forward_limit", "sends forward", ahead, capacity, "MW")
        return
    forward = part.column("forward")
    for way, flow, open_ in (("forward", ahead, forward), ("backward", back, 1 - forward)):
        note.at_most(f"{way}_limit", f"sends {way}", flow, capacity * open_, "MW")
    note.at_most("direction", "forward is", forward, 1.0)
    if not plan.relaxed:
        note.whole("direction", "forward is", forward)
        both = np.minimum(ahead, back)
        note.at_most("direction", "sends both ways at once", both, OVERLAP_MW, "MW")


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    ahead, back = (step_h * float(np.sum(part.total(f"{w}_mw"))) for w in ("forward", "backward"))
    most = part.number("capacity_mw") * plan.clock.hours
    return {
        "forward_mwh": ahead,
        "backward_mwh": back,
        "loss_mwh": part.number("loss_share") * (ahead + back),
        "utilisation_share": (ahead + back) / most if most else 0.0,
    }


AUDIT = KindAudit(
    columns=_columns, checks=(_check,), flows=_flows, uses={"loss": _lost}, figures=_figures
)
