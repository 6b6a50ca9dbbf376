"""Which energy pays fees where it is used, and whether the schedule shows it.

self_use         what is shown is what loads and compute at the node of the grid draw of an origin
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.reading import Part, Plan

OWN = ("renewable", "thermal")


def fees_of(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the fee on energy of each origin that has one, CNY/MWh.

    One charge for all is meant for own energy: what was bought pays its fees in its price.
    """
    given = part["self_use_charge_cny_per_mwh"]
    each = isinstance(given, Mapping) and "csv" not in given
    fees = {o: part.by_origin("self_use_charge_cny_per_mwh", o) for o in plan.origins}
    return {
        o: fee for o, fee in fees.items() if fee is not None and fee.any() and (each or o != "grid")
    }


def drawn_at(plan: Plan, part: Part, origin: str) -> Array:
    """Return what loads and compute draw of an origin at the node of a grid, MW."""
    users = [p for p in plan.of_kind("load", "fleet") if p["node"] == part["node"]]
    drawn: Array = sum((p.column("draw_mw", origin) for p in users), np.zeros(plan.clock.steps))
    return drawn


def self_use_origins(plan: Plan, part: Part) -> list[str]:
    """Return the origins whose use at the node the schedule shows: where a fee is paid."""
    fees = fees_of(plan, part)
    return list(dict.fromkeys((*OWN, *fees))) if fees else []


def check_self_use(plan: Plan, part: Part, found: Findings) -> None:
    """Note where the use that pays fees is not what is drawn."""
    for o in self_use_origins(plan, part):
        right, what = drawn_at(plan, part, o), f"use of {o} energy is"
        found.equal(part.name, "self_use", what, part.column("self_use_mw", o), right, "MW")
