"""Audit of a rule on renewable energy: its shares over the period.

flows         available, taken (not curtailed), exported, drawn and drawn of renewable origin, by
              step, are those of the sources, grids, loads and fleets
totals        a running total begins with so_far and grows by its flow
self_use      own use (taken less exported) is at least min_self_use_share of the available energy
load_share    renewable energy drawn is at least min_load_share of all energy drawn
export        exported energy is at most max_export_share of the available energy

All over so_far, the horizon and ahead. With a penalty the three are priced, not required.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes, column_is, measurable
from planner.auditor.reading import ONCE, KindAudit, Line, Part, Plan, at_start_of_steps
from planner.message import Message

SHARES = {
    "self_use": "min_self_use_share", "load_share": "min_load_share", "export": "max_export_share"
}  # fmt: skip
PENALTIES = {
    "self_use": "self_use_short", "load_share": "load_share_short", "export": "export_excess"
}  # fmt: skip
QUANTITIES = ("available", "taken", "exported", "load", "load_renewable")
ROUNDED_STEPS = 500  # roundings in a total, besides those of its steps


def _columns(_: Plan, part: Part) -> set[str]:
    """Return the flows, and the totals that the shares need."""
    columns = {f"{name}_mw" for name in QUANTITIES}
    if part["min_self_use_share"] is not None:
        columns |= {"taken_mwh", "exported_mwh"}
    if part["max_export_share"] is not None:
        columns |= {"exported_mwh"}
    if part["min_load_share"] is not None:
        columns |= {"load_mwh", "load_renewable_mwh"}
    return columns


def _check(plan: Plan, part: Part, note: Notes) -> None:
    before = _outside(part, "so_far")
    for name, flow in _sources(plan).items():
        note.equal("flows", column_is(f"{name}_mw"), part.column(f"{name}_mw"), flow, "MW")
        if f"{name}_mwh" in part.columns:
            total = part.column(f"{name}_mwh")
            expected = at_start_of_steps(before[name], total) + plan.clock.step_h * flow
            note.equal("totals", column_is(f"{name}_mwh"), total, expected, "MWh")
    if part["penalty_cny_per_mwh"] is not None:
        return
    for rule, (low, high) in _sides(plan, part).items():
        if rule == "export":
            note.at_most(rule, Message("exported is"), low, high, "MWh", when="")
        else:
            what = Message("renewable energy counted is")
            note.at_least(rule, what, high, low, "MWh", when="")


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the penalties of a rule."""
    if part["penalty_cny_per_mwh"] is None:
        return
    price = part.number("penalty_cny_per_mwh")
    slack = price * (ROUNDED_STEPS + plan.clock.steps)
    for rule, (low, high) in _sides(plan, part).items():
        paid = np.array([-price * max(low - high, 0.0)])
        yield Line(part.name, PENALTIES[rule], paid, [ONCE], slack, cash=False)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the shares over the period, and the energy by which each rule is missed."""
    sums = _period(plan, part)
    own = sums["taken"] - sums["exported"]
    pairs = {
        "self_use_share": (own, sums["available"]),
        "load_share": (sums["load_renewable"], sums["load"]),
        "official_load_share": (own, sums["load"]),
        "export_share": (sums["exported"], sums["available"]),
    }
    figures = {name: a / b for name, (a, b) in pairs.items() if measurable(b)}
    for rule, (low, high) in _sides(plan, part).items():
        figures[f"{PENALTIES[rule]}_mwh"] = max(low - high, 0.0)
    return figures


def _sources(plan: Plan) -> dict[str, Array]:
    """Return each quantity over all components, MW by step."""
    return {
        "available": plan.total("renewable_available_mw"),
        "taken": plan.total("renewable_mw"),
        "exported": plan.total("exported_mw", "renewable"),
        "load": plan.total("drawn_mw"),
        "load_renewable": plan.total("drawn_mw", "renewable"),
    }


def _outside(part: Part, field: str) -> dict[str, float]:
    """Return the quantities of the period before or after the horizon, MWh."""
    period = part.under(field)
    names = ("available", "exported", "load", "load_renewable")
    mwh = {name: period.number(f"{name}_mwh") for name in names}
    return mwh | {"taken": period.number("used_mwh") + mwh["exported"]}


def _period(plan: Plan, part: Part) -> dict[str, float]:
    before, later, flows = _outside(part, "so_far"), _outside(part, "ahead"), _sources(plan)
    return {
        name: before[name] + plan.clock.step_h * float(flows[name].sum()) + later[name]
        for name in QUANTITIES
    }


def _sides(plan: Plan, part: Part) -> dict[str, tuple[float, float]]:
    """Return the two figures of each rule in use, MWh; the first may not exceed the second."""
    sums = _period(plan, part)
    sides = {}
    for rule, field in SHARES.items():
        if part[field] is None:
            continue
        share = part.number(field)
        sides[rule] = {
            "self_use": (share * sums["available"], sums["taken"] - sums["exported"]),
            "load_share": (share * sums["load"], sums["load_renewable"]),
            "export": (sums["exported"], share * sums["available"]),
        }[rule]
    return sides


AUDIT = KindAudit(columns=_columns, checks=(_check,), lines=_lines, figures=_figures)
