"""The second opinion on a heat pump: its heat, its power, its starts and its money.

tank         heat in the tank after a step: that before it less the leak, and what the pump makes
             less what is delivered; the first step begins with initial.tank_mwh
capacity     heat in the tank is at most capacity_mwh
demand       what is delivered and what is shed are the demand
power        it draws between min_power_mw and power_mw where it is on, and nothing else
on           1 or 0
start        where a start has a cost: 1 exactly where it is on and was not
ending       at_least_mwh and at_most_mwh, or as much as at the start
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.kind import (
    AT,
    ONCE,
    Array,
    Codes,
    KindAudit,
    Line,
    Message,
    Notes,
    Part,
    Plan,
    at_start_of_steps,
    by_step,
    column_is,
    columns_by_origin,
    drawn_flows,
    drawn_mw,
    drawn_mwh,
)


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"on", "heat_mw", "tank_mwh"} | columns_by_origin(plan, "draw_mw")
    columns |= {"start"} if part.number("start_cost_cny") else set()
    return columns | ({"shed_mw"} if _sheds(part) else set())


def _sheds(part: Part) -> bool:
    return part["shed_cost_cny_per_mwh"] is not None


def _check_heat(plan: Plan, part: Part, note: Notes) -> None:
    step_h, start_mwh = plan.clock.step_h, part.under("initial").number("tank_mwh")
    after, delivered = part.column("tank_mwh"), part.column("heat_mw")
    before = at_start_of_steps(start_mwh, after) * (1 - part.number("leak_per_h")) ** step_h
    made = part.series("cop") * part.total("draw_mw")
    what = Message("heat in the tank is")
    note.equal("tank", what, after, before + step_h * (made - delivered), "MWh", size=made)
    note.at_most("capacity", what, after, part.number("capacity_mwh"), "MWh")
    served = delivered + part.optional("shed_mw")
    note.equal("demand", Message("delivers and sheds"), served, part.series("demand_mw"), "MW")
    end, last = after[-1:], plan.clock.times[-1]
    if part["ending"] == "same_as_start":
        note.at_least("ending", what, end, start_mwh, "MWh", when=last)
        return
    for field, compare in (("at_least_mwh", note.at_least), ("at_most_mwh", note.at_most)):
        ending = part.under("ending")
        if field in ending.fields and ending[field] is not None:
            compare("ending", what, end, ending.number(field), "MWh", when=last)


def _check_power(plan: Plan, part: Part, note: Notes) -> None:
    on, drawn = part.column("on"), part.total("draw_mw")
    note.binary("on", "on", on)
    note.at_most("power", Message("draws"), drawn, part.number("power_mw") * on, "MW")
    note.at_least("power", Message("draws"), drawn, part.number("min_power_mw") * on, "MW")
    if part.number("start_cost_cny"):
        begins = np.maximum(np.diff(on, prepend=float(part.under("initial")["on"])), 0.0)
        note.equal("start", column_is("start"), part.column("start"), begins)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    if cost := part.number("start_cost_cny"):
        yield Line(part.name, "start", -cost * part.column("start"), plan.clock.stamps, cost)
    if _sheds(part):
        cost = part.number("shed_cost_cny_per_mwh")
        yield by_step(plan, part, "shed", -cost, part.column("shed_mw"), cash=False)
    if part.is_mapping("ending") and "value_cny_per_mwh" in part.under("ending").fields:
        value = part.under("ending").number("value_cny_per_mwh")
        gained = part.column("tank_mwh")[-1:] - part.under("initial").number("tank_mwh")
        yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h, delivered = plan.clock.step_h, float(part.column("heat_mw").sum())
    return {
        "drawn_mwh": step_h * float(np.sum(part.total("draw_mw"))),
        "heat_mwh": step_h * delivered,
        "shed_mwh": step_h * (float(part.series("demand_mw").sum()) - delivered),
        "tank_at_end_mwh": float(part.column("tank_mwh")[-1]),
    }


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    drawn: Array = part.total("draw_mw")
    on = part.column("on") > 0.5
    return {
        "heating": {
            "heats": on,
            "heats_at_limit": on & (drawn >= part.number("power_mw") - AT),
            "heats_at_least": on & (drawn <= part.number("min_power_mw") + AT),
            "full": part.column("tank_mwh") >= part.number("capacity_mwh") - AT,
            "not_started": drawn <= AT,
            "rests": drawn <= AT,
        }
    }


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check_heat, _check_power),
    lines=_lines,
    flows=drawn_flows,
    uses={"heat": drawn_mwh},
    drawn={"heat"},
    meters={"drawn_mw": drawn_mw},
    figures=_figures,
    codes=_codes,
    carried={"tank_mwh": "ending.value_cny_per_mwh"},
)
