"""Audit of a load: its demand is met or shed.

demand       it draws its demand less the shed power, which is at most the demand
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import (
    KindAudit,
    Line,
    Part,
    Plan,
    by_step,
    columns_by_origin,
    drawn_flows,
    drawn_mw,
    drawn_mwh,
)
from planner.message import Message


def _columns(plan: Plan, part: Part) -> set[str]:
    return columns_by_origin(plan, "draw_mw") | ({"shed_mw"} if _sheds(part) else set())


def _sheds(part: Part) -> bool:
    return part["shed_cost_cny_per_mwh"] is not None


def _check(_: Plan, part: Part, note: Notes) -> None:
    demand = part.series("demand_mw")
    shed = part.optional("shed_mw")
    note.at_most("demand", Message("sheds"), shed, demand, "MW")
    drawn = part.total("draw_mw")
    note.equal("demand", Message("draws"), drawn, demand - shed, "MW", size=demand)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    if _sheds(part):
        cost, shed = part.number("shed_cost_cny_per_mwh"), part.column("shed_mw")
        yield by_step(plan, part, "shed", -cost, shed, cash=False)


def _served(_: Plan, part: Part) -> dict[str, Array]:
    return {"": part.total("draw_mw")}


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    demand = plan.clock.step_h * part.series("demand_mw").sum()
    return {
        "demand_mwh": demand,
        "shed_mwh": demand - plan.clock.step_h * np.sum(part.total("draw_mw")),
    }


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check,),
    lines=_lines,
    flows=drawn_flows,
    uses={"load": drawn_mwh},
    drawn={"load"},
    meters={"drawn_mw": drawn_mw, "load_mw": _served},
    figures=_figures,
)
