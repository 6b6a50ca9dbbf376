"""Audit of batteries with `discharge_to_grid: false`: their energy is used by loads and compute.

own_use      at each node, what these batteries discharge, less what they charge, plus what lines
             bring of it and less what lines take on, is at most what loads and compute draw there
unsold_sent  lines take on no more of it than they send

Both hold for each origin, at the nodes of these batteries and all that lines lead to from there.
The columns unsold_mw[line|node|origin] are those of the first of these batteries by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import Part, Plan, column_of
from planner.message import Message

Way = tuple[Part, str, str, str]  # line, the node it leads from, the node it leads to, its column


def _batteries(plan: Plan) -> list[Part]:
    parts = plan.of_kind("battery")
    return sorted((p for p in parts if not p["discharge_to_grid"]), key=lambda part: part.name)


def _ways(plan: Plan) -> Iterator[Way]:
    for line in plan.of_kind("line"):
        start, end = str(line["from_node"]), str(line["to_node"])
        yield line, start, end, "forward_mw"
        if line["both_ways"]:
            yield line, end, start, "backward_mw"


def _reached(plan: Plan) -> tuple[set[str], list[Way]]:
    """Return the nodes that energy of these batteries may get to, and the ways that it may take."""
    ways, nodes = list(_ways(plan)), {part.node for part in _batteries(plan)}
    while more := {end for _, start, end, _ in ways if start in nodes} - nodes:
        nodes |= more
    return nodes, [way for way in ways if way[1] in nodes]


def own_use_columns(plan: Plan, part: Part) -> set[str]:
    """Return the columns that a battery has for these rules."""
    if part.name != next((other.name for other in _batteries(plan)), None):
        return set()
    ways = _reached(plan)[1]
    return {
        column_of("unsold_mw", line.name, start, o)
        for line, start, _, _ in ways
        for o in plan.origins
    }


def check_own_use(plan: Plan, part: Part, note: Notes) -> None:
    """Note where energy of these batteries is sold; once, for the first of them."""
    batteries = _batteries(plan)
    if not batteries or part.name != batteries[0].name:
        return
    nodes, ways = _reached(plan)
    for o in plan.origins:
        passed_on: dict[str, Array] = dict.fromkeys(nodes, part.zeros)
        for line, start, end, column in ways:
            unsold, sent = part.column("unsold_mw", line.name, start, o), line.column(column, o)
            what = Message("sent on {name} of energy that is not for sale:", name=line.name)
            note.at_most("unsold_sent", what, unsold, sent, "MW")
            passed_on[start] = passed_on[start] - unsold
            passed_on[end] = passed_on[end] + (1 - line.number("loss_share")) * unsold
        for node in sorted(nodes):
            here = [battery for battery in batteries if battery.node == node]
            out = plan.sum(b.column("discharge_mw", o) - b.column("charge_mw", o) for b in here)
            metered = plan.metered("drawn_mw")
            drawn = plan.sum(mw for user, of, mw in metered if of == o and user.node == node)
            what = Message(
                "{origin} energy at node {node!r} that is not for sale:", origin=o, node=node
            )
            note.at_most("own_use", what, out + passed_on[node], drawn, "MW", size=drawn)
