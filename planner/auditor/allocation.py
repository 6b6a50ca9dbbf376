"""Whether every kilowatt-hour that comes in goes somewhere, by node and by origin.

    balance      per node, origin and step: what is put in is what is taken out
    allocation   per origin, use and step: the table says what the schedule says
    conserved    per origin and step: the uses of the table sum to what was put in at the nodes,
                 availability for renewables
    rows         the table has every step of a use once, and no other row

and whether the reserve asked for is there:

    required     up_mw, and the shares of the load served and of the renewable power
    provided     what the providers hold, net of a unit's own needs
    reserve      what is provided and what is short cover the requirement
    largest_unit ... and the loss of any one unit or import beside it, without that one's reserve
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.kinds.battery import energy_before
from planner.auditor.kinds.line import line_flows, line_loss, line_nodes
from planner.auditor.plan_files import groups
from planner.auditor.reading import Part, Plan
from planner.auditor.schedule import reserves_of, sold_origins

USES = ("export", "compute", "load", "storage", "loss", "curtailed")
TABLE = "allocation"  # stands for the component of its rows


def check_nodes(plan: Plan, found: Findings) -> None:
    """Note where a node does not balance, in MW."""
    nodes: dict[str, dict[str, list[Array]]] = {}
    for part in plan.parts.values():
        for node in _nodes(part):
            into = nodes.setdefault(node, {o: [] for o in plan.origins})
            for origin in plan.origins:
                into[origin] += _flows(plan, part, node, origin)
    for node, by_origin in nodes.items():
        for origin, flows in by_origin.items():
            come = sum((np.maximum(flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            gone = sum((np.maximum(-flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            what = f"{origin} energy put in is"
            found.equal(node, f"balance[{origin}]", what, come, gone, "MW")


def _nodes(part: Part) -> list[str]:
    if part.kind == "line":
        return line_nodes(part)
    return [str(part["node"])] if "node" in part.fields else []


def _flows(plan: Plan, part: Part, node: str, origin: str) -> list[Array]:
    """Return the flows of a component into a node of its own, MW; what it takes is below zero."""
    flows = line_flows(part, node, origin) if part.kind == "line" else []
    if part.kind == "renewable" and origin == plan.origin("renewable"):
        flows.append(part.column("power_mw"))
    if part.kind == "thermal" and origin == plan.origin("thermal"):
        flows.append((1 - part.number("auxiliary_share")) * part.column("power_mw"))
    if part.kind == "battery":
        flows.append(part.column("discharge_mw", origin))
        flows.append(-part.column("charge_mw", origin))
    if part.kind in ("load", "fleet"):
        flows.append(-part.column("draw_mw", origin))
    if part.kind == "grid":
        if origin == plan.origin("grid"):
            flows.append(part.column("import_mw"))
        if origin in sold_origins(plan, part):
            flows.append(-part.column("export_mw", origin))
    return flows


def check_allocation(plan: Plan, found: Findings) -> None:
    """Note where the allocation is not what the schedule says, or is not whole."""
    table, steps = plan.files.allocation, plan.allocation_steps
    right = _uses(plan)
    known = {(origin, use) for origin in plan.origins for use in USES}
    seen = np.zeros(len(table), dtype=bool)
    total = {origin: np.zeros(plan.clock.steps) for origin in plan.origins}
    for (origin, use), rows in groups(table, "origin", "use").items():
        if (origin, use) not in known:
            continue
        seen[rows] = True
        count = np.bincount(steps[rows][steps[rows] >= 0], minlength=plan.clock.steps)
        found.equal(TABLE, f"{origin}.{use}.rows", "rows are", count.astype(float), 1.0)
        if (steps[rows] < 0).any() or not (count == 1).all():
            found.add(TABLE, f"{origin}.{use}.rows", "should be one row for every step")
            return
        mwh = np.empty(plan.clock.steps)
        mwh[steps[rows]] = table["mwh"].to_numpy()[rows]
        total[origin] += mwh
        schedule = right.pop((origin, use), np.zeros(plan.clock.steps))
        found.equal(TABLE, f"{origin}.{use}", "says", mwh, schedule, "MWh")
    for origin, use in known & right.keys():
        found.equal(TABLE, f"{origin}.{use}", "has no rows: says", 0.0, right[origin, use], "MWh")
    if not seen.all():
        found.add(TABLE, "rows", f"{int((~seen).sum())} rows of no origin and use")
    for origin in plan.origins:
        put_in, what = _injected(plan, origin), f"uses of {origin} energy sum to"
        found.equal(TABLE, f"{origin}.conserved", what, total[origin], put_in, "MWh", size=put_in)


def _uses(plan: Plan) -> dict[tuple[str, str], Array]:
    """Return MWh by origin and use, as the schedule has them."""
    step_h = plan.clock.step_h
    result: dict[tuple[str, str], Array] = {}

    def add(origin: str, use: str, mwh: Array) -> None:
        result[origin, use] = result.get((origin, use), 0.0) + mwh

    for part in plan.parts.values():
        if part.kind == "renewable":
            add(plan.origin("renewable"), "curtailed", step_h * part.column("curtailed_mw"))
        for o in plan.origins:
            if part.kind == "grid" and o in sold_origins(plan, part):
                add(o, "export", step_h * part.column("export_mw", o))
            if part.kind in ("load", "fleet"):
                use = "load" if part.kind == "load" else "compute"
                add(o, use, step_h * part.column("draw_mw", o))
            if part.kind == "line":
                add(o, "loss", line_loss(plan, part, o))
            if part.kind == "battery":
                change = part.column("energy_mwh", o) - energy_before(plan, part, o)
                put_in = part.column("charge_mw", o) - part.column("discharge_mw", o)
                add(o, "storage", change)
                add(o, "loss", step_h * put_in - change)
    return result


def _injected(plan: Plan, origin: str) -> Array:
    """Return what is put in at the nodes of an origin, MWh; what renewables have available."""
    total: Array = np.zeros(plan.clock.steps)
    for part in plan.of_kind("renewable", "thermal", "grid"):
        if origin != plan.origin(part.kind):
            continue
        if part.kind == "renewable":
            total = total + part.number("capacity_mw") * part.series("availability_pu")
        elif part.kind == "thermal":
            total = total + (1 - part.number("auxiliary_share")) * part.column("power_mw")
        else:
            total = total + part.column("import_mw")
    return plan.clock.step_h * total


def check_reserve(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a requirement for reserve breaks."""
    required = part.series("up_mw")
    for load in plan.of_kind("load"):
        required = required + part.number("load_share") * np.asarray(load.total("draw_mw"))
    for plant in plan.of_kind("renewable"):
        required = required + part.number("renewable_share") * plant.column("power_mw")
    found.equal(part.name, "required", "required is", part.column("required_mw"), required, "MW")
    held = {
        p.name: _net(p) * p.column("reserve_mw", part.name)
        for p in plan.parts.values()
        if part.name in reserves_of(plan, p)
    }
    provided = sum(held.values(), np.zeros(plan.clock.steps))
    found.equal(part.name, "provided", "provided is", part.column("provided_mw"), provided, "MW")
    short: Array = np.zeros(plan.clock.steps)
    if part["shortfall_cost_cny_per_mwh"] is not None:
        short = part.column("shortfall_mw")
    what = "provided and short sum to"
    found.at_least(part.name, "reserve", what, provided + short, required, "MW")
    for unit in plan.of_kind("thermal", "grid") if part["largest_unit"] else ():
        lost = _net(unit) * unit.column("power_mw" if unit.kind == "thermal" else "import_mw")
        rest = provided + short - held.get(unit.name, 0.0)
        what = f"without {unit.name}: provided and short sum to"
        found.at_least(part.name, "largest_unit", what, rest, lost + required, "MW")


def _net(part: Part) -> float:
    """Return what the node sees of the power of a component."""
    return 1 - part.number("auxiliary_share") if part.kind == "thermal" else 1.0
