"""Audit of a reserve requirement: it is met, or short at a cost.

required     up_mw, plus the shares of the load served and of the renewable power
provided     sum over the providers, net of a unit's auxiliary power
reserve      provided and short reserve cover the requirement
largest_unit ... and besides it the loss of any one unit or import, without that one's reserve
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import KindAudit, Line, Part, Plan, by_step, column_of
from planner.message import Message


def reserves_of(plan: Plan, part: Part) -> list[Part]:
    """Return the reserve requirements to which a component may contribute."""
    if plan.audit(part).reserve_share is None:
        return []
    return [
        reserve
        for reserve in plan.of_kind("reserve")
        if reserve["providers"] is None or part.name in reserve["providers"]
    ]


def reserve_columns(plan: Plan, part: Part) -> set[str]:
    """Return the columns of the reserve that a component may provide."""
    return {column_of("reserve_mw", reserve.name) for reserve in reserves_of(plan, part)}


def check_ramp(plan: Plan, part: Part, ramp: float, rise: Array, note: Notes) -> None:
    """Note where a unit cannot rise by its reserve in time; its ramp and its rise are in MW/h."""
    offers = [
        (reserve.number("response_min"), part.column("reserve_mw", reserve.name))
        for reserve in reserves_of(plan, part)
    ]
    for within in sorted({minutes for minutes, _ in offers}):
        wanted = plan.sum(mw for minutes, mw in offers if minutes <= within)
        what, hours = Message("reserve within {minutes:g} min is", minutes=within), within / 60
        note.at_most("reserve_response", what, wanted, hours * ramp, "MW")
        size = hours * np.abs(rise)
        note.at_most("reserve_ramp", what, wanted, hours * (ramp - rise), "MW", size=size)


def called_mwh(plan: Plan, part: Part) -> Array:
    """Return the energy that a component delivers in a call of all its reserve, MWh by step."""
    return plan.sum(
        reserve.number("duration_h") * part.column("reserve_mw", reserve.name)
        for reserve in reserves_of(plan, part)
    )


def _columns(_: Plan, part: Part) -> set[str]:
    return {"required_mw", "provided_mw"} | ({"shortfall_mw"} if _may_be_short(part) else set())


def _may_be_short(part: Part) -> bool:
    return part["shortfall_cost_cny_per_mwh"] is not None


def _check(plan: Plan, part: Part, note: Notes) -> None:
    required = part.series("up_mw") + part.number("load_share") * plan.total("load_mw")
    required = required + part.number("renewable_share") * plan.total("renewable_mw")
    note.equal("required", Message("required is"), part.column("required_mw"), required, "MW")
    by_provider = {p.name: _provided(plan, part, p) for p in plan.parts.values()}
    provided = plan.sum(by_provider.values())
    note.equal("provided", Message("provided is"), part.column("provided_mw"), provided, "MW")
    covered, what = provided + part.optional("shortfall_mw"), Message("provided and short sum to")
    note.at_least("reserve", what, covered, required, "MW")
    for unit, _, lost in plan.metered("contingency_mw") if part["largest_unit"] else ():
        what = Message("without {name}: provided and short sum to", name=unit.name)
        rest = covered - by_provider[unit.name]
        note.at_least("largest_unit", what, rest, lost + required, "MW")


def _provided(plan: Plan, part: Part, provider: Part) -> Array:
    """Return the reserve of a component for a requirement, MW at its node."""
    share = plan.audit(provider).reserve_share
    if share is None or part not in reserves_of(plan, provider):
        return np.zeros(plan.clock.steps)
    return share(provider) * provider.column("reserve_mw", part.name)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    if _may_be_short(part):
        cost, short = part.number("shortfall_cost_cny_per_mwh"), part.column("shortfall_mw")
        yield by_step(plan, part, "shortfall", -cost, short, cash=False)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    return {
        "required_mean_mw": part.column("required_mw").mean(),
        "provided_mean_mw": part.column("provided_mw").mean(),
        "shortfall_mwh": plan.clock.step_h * part.optional("shortfall_mw").sum(),
    }


AUDIT = KindAudit(columns=_columns, checks=(_check,), lines=_lines, figures=_figures)
