"""Whether a line could have carried what the schedule says.

forward_limit, backward_limit   what is sent stays within capacity_mw, at the sending end
direction    forward is 0 or 1, and no step sends both ways (not in a relaxed plan)

What a line puts into its two nodes, and what it loses on the way, stands in `balance`: what is sent
leaves its node whole, and 1 - loss_share of it arrives.
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.kinds.battery import OVERLAP_MW
from planner.auditor.reading import Part, Plan, column_of


def line_columns(plan: Plan, part: Part) -> set[str]:
    """Return the columns that a line must have."""
    found = {column_of("forward_mw", o) for o in plan.origins}
    if part["both_ways"]:
        found |= {"forward"} | {column_of("backward_mw", o) for o in plan.origins}
    return found


def line_nodes(part: Part) -> list[str]:
    """Return the nodes of a line: where it begins, where it ends."""
    return [str(part["from_node"]), str(part["to_node"])]


def line_flows(part: Part, node: str, origin: str) -> list[Array]:
    """Return what a line puts into one of its nodes, MW; what it takes is below zero."""
    arriving = 1 - part.number("loss_share")
    ahead, back = part.column("forward_mw", origin), _backward(part, origin)
    if node == part["from_node"]:
        return [arriving * back, -ahead]
    return [arriving * ahead, -back]


def line_loss(plan: Plan, part: Part, origin: str) -> Array:
    """Return what a line loses of an origin, MWh by step."""
    sent = part.column("forward_mw", origin) + _backward(part, origin)
    return np.asarray(plan.clock.step_h * part.number("loss_share") * sent)


def _backward(part: Part, origin: str) -> Array:
    if part["both_ways"]:
        return part.column("backward_mw", origin)
    return np.zeros(len(part.column("forward_mw", origin)))


def check_line(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a line breaks."""
    ahead, back = (np.asarray(part.total(f"{way}_mw")) for way in ("forward", "backward"))
    capacity, name = part.number("capacity_mw"), part.name
    if not part["both_ways"]:
        found.at_most(name, "forward_limit", "sends forward", ahead, capacity, "MW")
        return
    forward = part.column("forward")
    for way, flow, open_ in (("forward", ahead, forward), ("backward", back, 1 - forward)):
        found.at_most(name, f"{way}_limit", f"sends {way}", flow, capacity * open_, "MW")
    found.at_most(name, "direction", "forward is", forward, 1.0)
    if not plan.relaxed:
        found.whole(name, "direction", "forward is", forward)
        both = np.minimum(ahead, back)
        found.at_most(name, "direction", "sends both ways at once", both, OVERLAP_MW, "MW")


def line_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the key figures of a line by name."""
    step_h = plan.clock.step_h
    ahead, back = (step_h * float(np.sum(part.total(f"{w}_mw"))) for w in ("forward", "backward"))
    most = part.number("capacity_mw") * plan.clock.hours
    return {
        "forward_mwh": ahead,
        "backward_mwh": back,
        "loss_mwh": part.number("loss_share") * (ahead + back),
        "utilisation_share": (ahead + back) / most if most else 0.0,
    }
