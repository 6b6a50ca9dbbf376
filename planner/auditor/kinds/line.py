"""Audit of a line: its limits and its direction.

forward_limit, backward_limit   power at the sending end is at most capacity_mw
direction    forward is 0 or 1, and no step sends both ways (not in a relaxed plan)

A share of 1 - loss_share of the power sent arrives: the balances of the two nodes and the losses of
the allocation check that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import KindAudit, Part, Plan, columns_by_origin
from planner.message import Message


def _columns(plan: Plan, part: Part) -> set[str]:
    if part["both_ways"]:
        return {"forward"} | columns_by_origin(plan, "forward_mw", "backward_mw")
    return columns_by_origin(plan, "forward_mw")


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    arriving = 1 - part.number("loss_share")
    ends = str(part["from_node"]), str(part["to_node"])
    for o in plan.origins:
        sent = part.column("forward_mw", o), part.optional("backward_mw", o)
        for (start, end), mw in zip((ends, ends[::-1]), sent, strict=True):
            yield start, o, -mw
            yield end, o, arriving * mw


def _lost(plan: Plan, part: Part) -> dict[str, Array]:
    share = plan.clock.step_h * part.number("loss_share")
    return {
        o: share * (part.column("forward_mw", o) + part.optional("backward_mw", o))
        for o in plan.origins
    }


def _check(_: Plan, part: Part, note: Notes) -> None:
    sent, back = (part.total(f"{way}_mw") for way in ("forward", "backward"))
    capacity, what = part.number("capacity_mw"), Message("sends forward")
    if not part["both_ways"]:
        note.at_most("forward_limit", what, sent, capacity, "MW")
        return
    forward = part.column("forward")
    note.at_most("forward_limit", what, sent, capacity * forward, "MW")
    note.at_most("backward_limit", Message("sends backward"), back, capacity * (1 - forward), "MW")
    note.binary("direction", "forward", forward)
    note.exclusive("direction", Message("sends both ways at once"), sent, back)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    sent, back = (step_h * float(np.sum(part.total(f"{w}_mw"))) for w in ("forward", "backward"))
    most = part.number("capacity_mw") * plan.clock.hours
    return {
        "forward_mwh": sent,
        "backward_mwh": back,
        "loss_mwh": part.number("loss_share") * (sent + back),
        "utilisation_share": (sent + back) / most if most else 0.0,
    }


AUDIT = KindAudit(
    columns=_columns, checks=(_check,), flows=_flows, uses={"loss": _lost}, figures=_figures
)
