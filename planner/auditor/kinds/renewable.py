"""Audit of a renewable plant: its power and curtailment.

available, must_take   power is at most the available and at least the must-take power
curtailed    the rest of the available power is curtailed
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import KindAudit, Line, Part, Plan, by_step, of_source
from planner.message import Message


def _available(_: Plan, part: Part) -> Array:
    """Return the available power, MW."""
    return part.number("capacity_mw") * part.series("availability_pu")


def _power(_: Plan, part: Part) -> Array:
    return part.column("power_mw")


def _check(plan: Plan, part: Part, note: Notes) -> None:
    power, available = _power(plan, part), _available(plan, part)
    must_take, what = part.number("capacity_mw") * part.series("must_take_pu"), Message("power is")
    note.at_most("available", what, power, available, "MW")
    note.at_least("must_take", what, power, must_take, "MW")
    curtailed, what = part.column("curtailed_mw"), Message("curtailment is")
    note.equal("curtailed", what, curtailed, available - power, "MW", size=available)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    yield by_step(plan, part, "variable", -part.number("cost_cny_per_mwh"), part.column("power_mw"))


def _outside(plan: Plan, part: Part) -> dict[str, float]:
    if part["levelized_cost_cny_per_mwh"] is None:
        return {}
    mwh = plan.clock.step_h * float(_available(plan, part).sum())
    return {"levelized": -part.number("levelized_cost_cny_per_mwh") * mwh}


def _curtailed(plan: Plan, part: Part) -> Array:
    return plan.clock.step_h * part.column("curtailed_mw")


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    available = _available(plan, part)
    return {
        "available_mwh": plan.clock.step_h * available.sum(),
        "curtailed_mwh": plan.clock.step_h * (available - _power(plan, part)).sum(),
    }


AUDIT = KindAudit(
    columns=lambda _, __: {"power_mw", "curtailed_mw"},
    checks=(_check,),
    lines=_lines,
    outside=_outside,
    flows=lambda plan, part: [(part.node, plan.origin("renewable"), _power(plan, part))],
    injected=of_source("renewable", _available),
    uses={"curtailed": of_source("renewable", _curtailed)},
    meters={
        "renewable_mw": of_source("renewable", _power),
        "renewable_available_mw": of_source("renewable", _available),
    },
    figures=_figures,
)
