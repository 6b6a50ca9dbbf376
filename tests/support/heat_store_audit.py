"""The second opinion on a heat store: what it holds, takes, delivers and earns.

energy       by origin: what was held, plus what is charged, less the heat delivered
capacity     what is held of all origins is at most capacity_mwh
power        what it takes lies between min_power_mw and power_mw while it heats, and is 0 else
demand       it delivers what is wanted
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import FLOW, Array, Notes
from planner.auditor.reading import Codes, KindAudit, Line, Part, Plan, by_step, columns_by_origin
from planner.message import Message


def _columns(plan: Plan, part: Part) -> set[str]:
    return {"heating"} | columns_by_origin(plan, "charge_mw", "discharge_mw", "energy_mwh")


def _grown(plan: Plan, part: Part, origin: str) -> Array:
    """Return by how much what is held of an origin grows in each step, MWh."""
    start = part["initial"].get(origin, 0.0)
    return np.diff(part.column("energy_mwh", origin), prepend=start)


def _check(plan: Plan, part: Part, note: Notes) -> None:
    step_h = plan.clock.step_h
    for o in plan.origins:
        right = step_h * (part.column("charge_mw", o) - part.column("discharge_mw", o))
        what = Message("growth of what is held of origin {origin} is", origin=o)
        note.equal("energy", what, _grown(plan, part, o), right, "MWh")
    held = np.asarray(part.total("energy_mwh"))
    note.at_most("capacity", Message("what is held is"), held, part.number("capacity_mwh"), "MWh")
    taken, heating = np.asarray(part.total("charge_mw")), part.column("heating")
    note.binary("power", "heating", heating)
    note.at_most("power", Message("takes"), taken, part.number("power_mw") * heating, "MW")
    note.at_least("power", Message("takes"), taken, part.number("min_power_mw") * heating, "MW")
    delivered = np.asarray(part.total("discharge_mw"))
    note.equal("demand", Message("delivers"), delivered, part.series("demand_mw"), "MW")


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    for o in plan.origins:
        yield part.node, o, -part.column("charge_mw", o)


def _heat(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: plan.clock.step_h * part.column("discharge_mw", o) for o in plan.origins}


def _stored(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: _grown(plan, part, o) for o in plan.origins}


def _at_start(plan: Plan, part: Part) -> dict[str, float]:
    return dict(part["initial"])


def _drawn(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: part.column("charge_mw", o) for o in plan.origins}


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    for o in plan.origins:
        price, heat = part.number("price_cny_per_mwh"), part.column("discharge_mw", o)
        yield by_step(plan, part, f"heat[{o}]", price, heat, use="heat", origin=o)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    return {"discharge_mwh": plan.clock.step_h * float(np.sum(part.total("discharge_mw")))}


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    taken = np.asarray(part.total("charge_mw"))
    return {"heating": {"heats": taken > FLOW, "rests": taken <= FLOW}}


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check,),
    lines=_lines,
    flows=_flows,
    uses={"heat": _heat, "storage": _stored},
    drawn={"heat"},
    meters={"drawn_mw": _drawn},
    stored=_at_start,
    figures=_figures,
    codes=_codes,
)
