"""Whether every kilowatt-hour that comes in goes somewhere, by node and by origin.

balance      per node, origin and step: what is put in is what is taken out
allocation   per origin, use and step: the table says what the schedule says
conserved    per origin and step: the uses of the table sum to what was put in at the nodes,
             availability for renewables
rows         the table has every step of a use once, and no other row
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.plan_files import groups
from planner.auditor.reading import Plan

TABLE = "allocation"  # stands for the component of its rows


def check_nodes(plan: Plan, found: Findings) -> None:
    """Note where a node does not balance, in MW."""
    nodes: dict[str, dict[str, list[Array]]] = {}
    for part in plan.parts.values():
        for node, origin, mw in plan.audit(part).flows(plan, part):
            nodes.setdefault(node, {o: [] for o in plan.origins})[origin].append(mw)
    for node, by_origin in nodes.items():
        for origin, flows in by_origin.items():
            come = sum((np.maximum(flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            gone = sum((np.maximum(-flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            what = f"{origin} energy put in is"
            found.of(node).equal(f"balance[{origin}]", what, come, gone, "MW")


def check_allocation(plan: Plan, found: Findings) -> None:
    """Note where the allocation is not what the schedule says, or is not whole."""
    table, steps, note = plan.files.allocation, plan.allocation_steps, found.of(TABLE)
    right = _uses(plan)
    uses = {use for kind in plan.kinds.values() for use in kind.uses}
    known = {(origin, use) for origin in plan.origins for use in uses}
    seen = np.zeros(len(table), dtype=bool)
    total = {origin: np.zeros(plan.clock.steps) for origin in plan.origins}
    for (origin, use), rows in groups(table, "origin", "use").items():
        if (origin, use) not in known:
            continue
        seen[rows] = True
        count = np.bincount(steps[rows][steps[rows] >= 0], minlength=plan.clock.steps)
        note.equal(f"{origin}.{use}.rows", "rows are", count.astype(float), 1.0)
        if (steps[rows] < 0).any() or not (count == 1).all():
            note.add(f"{origin}.{use}.rows", "should be one row for every step")
            return
        mwh = np.empty(plan.clock.steps)
        mwh[steps[rows]] = table["mwh"].to_numpy()[rows]
        total[origin] += mwh
        schedule = right.pop((origin, use), np.zeros(plan.clock.steps))
        note.equal(f"{origin}.{use}", "says", mwh, schedule, "MWh")
    for (origin, use), mwh in right.items():
        note.equal(f"{origin}.{use}", "has no rows: says", 0.0, mwh, "MWh")
    if not seen.all():
        note.add("rows", f"{int((~seen).sum())} rows of no origin and use")
    for origin in plan.origins:
        put_in, what = plan.clock.step_h * plan.injected(origin), f"uses of {origin} energy sum to"
        note.equal(f"{origin}.conserved", what, total[origin], put_in, "MWh", size=put_in)


def _uses(plan: Plan) -> dict[tuple[str, str], Array]:
    """Return MWh by origin and use, as the schedule has them."""
    result: dict[tuple[str, str], Array] = {}
    for part in plan.parts.values():
        for use, measure in plan.audit(part).uses.items():
            for origin, mwh in measure(plan, part).items():
                result[origin, use] = result.get((origin, use), 0.0) + mwh
    return result
