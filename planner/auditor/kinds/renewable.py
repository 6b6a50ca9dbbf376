"""Whether a renewable plant gives what it can and must.

available, must_take   it gives at most what is available, at least what must be taken
curtailed    the rest of what is available is curtailed
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import KindAudit, Line, Part, Plan, by_step


def _available(part: Part) -> Array:
    """Return what the plant could give, MW."""
    return part.number("capacity_mw") * part.series("availability_pu")


def _check(_: Plan, part: Part, note: Notes) -> None:
    power, available = part.column("power_mw"), _available(part)
    least = part.number("capacity_mw") * part.series("must_take_pu")
    note.at_most("available", "power is", power, available, "MW")
    note.at_least("must_take", "power is", power, least, "MW")
    curtailed, what = part.column("curtailed_mw"), "curtailment is"
    note.equal("curtailed", what, curtailed, available - power, "MW", size=available)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    yield by_step(plan, part, "variable", -part.number("cost_cny_per_mwh"), part.column("power_mw"))


def _outside(plan: Plan, part: Part) -> dict[str, float]:
    if part["levelized_cost_cny_per_mwh"] is None:
        return {}
    mwh = plan.clock.step_h * float(_available(part).sum())
    return {"levelized": -part.number("levelized_cost_cny_per_mwh") * mwh}


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    yield part.node, plan.origin("renewable"), part.column("power_mw")


def _injected(plan: Plan, part: Part) -> dict[str, Array]:
    return {plan.origin("renewable"): _available(part)}


def _power(plan: Plan, part: Part) -> dict[str, Array]:
    return {plan.origin("renewable"): part.column("power_mw")}


def _curtailed(plan: Plan, part: Part) -> dict[str, Array]:
    return {plan.origin("renewable"): plan.clock.step_h * part.column("curtailed_mw")}


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    available = _available(part)
    return {
        "available_mwh": plan.clock.step_h * available.sum(),
        "curtailed_mwh": plan.clock.step_h * (available - part.column("power_mw")).sum(),
    }


AUDIT = KindAudit(
    columns=lambda _, __: {"power_mw", "curtailed_mw"},
    checks=(_check,),
    lines=_lines,
    outside=_outside,
    flows=_flows,
    injected=_injected,
    uses={"curtailed": _curtailed},
    meters={"renewable_mw": _power, "renewable_available_mw": _injected},
    figures=_figures,
)
