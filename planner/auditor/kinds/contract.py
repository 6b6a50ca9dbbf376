"""Audit of a contract for difference: its settlement.

difference       received less paid is the contracted power times price less reference: its own
                 reference price, or the grid's price for export (sold) or import (bought)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes, column_is
from planner.auditor.reading import KindAudit, Line, Part, Plan
from planner.message import Message


def _gained(plan: Plan, part: Part) -> Array:
    """Return the payment of the contract to the site by step, CNY."""
    power = part.series("mw")
    if part["reference_price_cny_per_mwh"] is not None:
        reference = part.series("reference_price_cny_per_mwh")
    else:
        grids = {grid.name: grid for grid in plan.of_kind("grid")}
        name = part["grid"] if part["grid"] is not None else next(iter(grids), None)
        if name not in grids:
            path = f"components.{part.name}"
            raise part.wrong(Message("{path} has no grid for its reference price", path=path))
        reference = grids[name].series("import_price_cny_per_mwh")
        if (power > 0).any():
            sold = grids[name].series("export_price_cny_per_mwh")
            reference = np.where(power > 0, sold, reference)
    return plan.clock.step_h * power * (part.series("price_cny_per_mwh") - reference)


def _check(plan: Plan, part: Part, note: Notes) -> None:
    gained = _gained(plan, part)
    for column, sign in (("received_cny", 1), ("paid_cny", -1)):
        expected = np.maximum(sign * gained, 0.0)
        note.equal("difference", column_is(column), part.column(column), expected, "CNY")


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    yield Line(part.name, "difference", _gained(plan, part), plan.clock.stamps)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    return {
        "contract_mwh": plan.clock.step_h * float(part.series("mw").sum()),
        "difference_cny": float(_gained(plan, part).sum()),
    }


AUDIT = KindAudit(
    columns=lambda _, __: {"received_cny", "paid_cny"},
    checks=(_check,),
    lines=_lines,
    figures=_figures,
)
