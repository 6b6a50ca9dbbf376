"""Whether the plan keeps to the limits of its sources and loads: grid, renewables, loads.

import_limit, export_limit   what is drawn and delivered stays within the limits of the step
direction        importing is 0 or 1, and no step both imports and exports (not in a relaxed
                 plan)
spare_import     reserve fits into the import that is not used; export may be given up
import_emission  what is reported follows from the import
available, must_take   a renewable gives at most what is available, at least what must be taken
curtailed        the rest of what is available is curtailed
demand           a load gets its demand, less what is shed; no more is shed than asked for

Whether the exchange with the public grid moves no faster and no further than it may.

exchange_ramp    from one step to the next, and into the first where initial.exchange_mw is given
swing            the lowest of a local day, with what it was before the horizon, is at least
                 1 - max_swing_share of the day's highest, which is zero at least
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.kinds.battery import OVERLAP_MW
from planner.auditor.reading import Part, Plan


def check_grid(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a connection to the grid breaks."""
    bought, sold = part.column("import_mw"), np.asarray(part.total("export_mw"))
    importing = part.column("importing")
    limits = {way: part.series(f"{way}_limit_mw") for way in ("import", "export")}
    for way, flow, open_ in (("import", bought, importing), ("export", sold, 1 - importing)):
        found.at_most(part.name, f"{way}_limit", f"{way}s", flow, limits[way] * open_, "MW")
    found.at_most(part.name, "direction", "importing is", importing, 1.0)
    if not plan.relaxed:
        found.whole(part.name, "direction", "importing is", importing)
        both, what = np.minimum(bought, sold), "imports and exports at once"
        found.at_most(part.name, "direction", what, both, OVERLAP_MW, "MW")
    held = part.total("reserve_mw")
    spare = limits["import"] - bought + sold
    found.at_most(part.name, "spare_import", "reserve is", held, spare, "MW")
    factor = part.number("import_emission_tco2_per_mwh")
    if factor:
        emitted = factor * plan.clock.step_h * bought
        reported = part.column("import_emission_tco2")
        found.equal(part.name, "import_emission", "emission is", reported, emitted, "tCO2")


def check_renewable(plan: Plan, part: Part, found: Findings) -> None:  # noqa: ARG001
    """Note every rule that a renewable plant breaks."""
    power, rated = part.column("power_mw"), part.number("capacity_mw")
    available, least = rated * part.series("availability_pu"), rated * part.series("must_take_pu")
    found.at_most(part.name, "available", "power is", power, available, "MW")
    found.at_least(part.name, "must_take", "power is", power, least, "MW")
    curtailed, what = part.column("curtailed_mw"), "curtailment is"
    found.equal(part.name, "curtailed", what, curtailed, available - power, "MW", size=available)


def check_load(plan: Plan, part: Part, found: Findings) -> None:  # noqa: ARG001
    """Note every rule that a load breaks."""
    demand = part.series("demand_mw")
    sheds = part["shed_cost_cny_per_mwh"] is not None
    shed = part.column("shed_mw") if sheds else np.zeros(len(demand))
    found.at_most(part.name, "demand", "sheds", shed, demand, "MW")
    drawn = np.asarray(part.total("draw_mw"))
    found.equal(part.name, "demand", "draws", drawn, demand - shed, "MW", size=demand)


def exchange_of(part: Part) -> Array:
    """Return import less export of a grid, MW."""
    exchange: Array = part.column("import_mw") - np.asarray(part.total("export_mw"))
    return exchange


def check_exchange(plan: Plan, part: Part, found: Findings) -> None:
    """Note where the exchange of a grid moves too fast or too far."""
    exchange, past = exchange_of(part), part.under("initial")
    if part["ramp_mw_per_h"] is not None:
        start = exchange[0] if past["exchange_mw"] is None else past.number("exchange_mw")
        moved = np.abs(np.diff(exchange, prepend=start))
        most = plan.clock.step_h * part.number("ramp_mw_per_h")
        size, what = np.abs(exchange), "exchange moves by"
        found.at_most(part.name, "exchange_ramp", what, moved, most, "MW", size=size)
    if part["max_swing_share"] is None:
        return
    left = 1 - part.number("max_swing_share")
    for day in np.unique(plan.clock.days):
        at = np.flatnonzero(plan.clock.days == day)
        begun = day == plan.clock.days[0] and past["highest_today_mw"] is not None
        highest = max(float(exchange[at].max()), 0.0)
        if begun:
            highest = max(highest, past.number("highest_today_mw"))
        when, what = [plan.clock.times[i] for i in at], "exchange is"
        least = left * highest
        found.at_least(part.name, "swing", what, exchange[at], least, "MW", when=when)
        if begun and past["lowest_today_mw"] is not None:
            low, what = past.number("lowest_today_mw"), "lowest exchange of the day so far is"
            found.at_least(part.name, "swing", what, low, least, "MW", when=when[:1])
