"""Whether a battery could have held and moved the energy that the schedule says.

energy           by origin: what was stored, less the leak, plus what charging adds, less what
                 discharging takes; the first step begins with `initial`
capacity         what is stored of all origins lies between min_energy_mwh and capacity_mwh
charge_limit, discharge_limit   the powers, of what is available
direction        charging is 0 or 1, and no step both charges and discharges (not in a relaxed
                 plan)
cycles           what is discharged in a local day, with discharged_today_mwh on the first
ending           at_least_mwh, or as much as at the start
reserve_power    reserve fits beside what is discharged; charging may be given up
reserve_energy   what is stored would last a step of the reserve
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.reading import Part, Plan

OVERLAP_MW = 1e-6  # as small as this a flow counts as none where two exclude each other


def check_battery(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a battery breaks."""
    charge, discharge = (np.asarray(part.total(f"{way}_mw")) for way in ("charge", "discharge"))
    _check_energy(plan, part, found)
    _check_powers(plan, part, charge, discharge, found)
    _check_cycles(plan, part, discharge, found)
    _check_reserve(plan, part, charge, discharge, found)


def initial_energy(plan: Plan, part: Part) -> dict[str, float]:
    """Return what is stored when the horizon begins, MWh by origin; a number is from the grid."""
    given = part.under("initial")["energy_mwh"]
    if isinstance(given, Mapping):
        energy = part.under("initial", "energy_mwh")
        start = {o: energy.number(o) for o in ("renewable", "thermal", "grid")}
    else:
        start = {"grid": part.under("initial").number("energy_mwh")}
    if plan.origins == ("pooled",):
        return {"pooled": sum(start.values())}
    return {o: start.get(o, 0.0) for o in plan.origins}


def energy_before(plan: Plan, part: Part, origin: str) -> Array:
    """Return what of an origin was stored before each step, MWh."""
    after = part.column("energy_mwh", origin)
    return np.concatenate([[initial_energy(plan, part)[origin]], after[:-1]])


def _check_energy(plan: Plan, part: Part, found: Findings) -> None:
    step_h = plan.clock.step_h
    kept = (1 - part.number("leak_per_h")) ** step_h
    into, out = part.number("charge_efficiency"), part.number("discharge_efficiency")
    for o in plan.origins:
        before = energy_before(plan, part, o)
        gained = into * part.column("charge_mw", o) - part.column("discharge_mw", o) / out
        right, after = kept * before + step_h * gained, part.column("energy_mwh", o)
        what = f"stored energy of origin {o} is"
        found.equal(part.name, "energy", what, after, right, "MWh", size=before)
    stored = np.asarray(part.total("energy_mwh"))
    least, most = part.number("min_energy_mwh"), part.number("capacity_mwh")
    found.at_least(part.name, "capacity", "stored energy is", stored, least, "MWh")
    found.at_most(part.name, "capacity", "stored energy is", stored, most, "MWh")
    start, ending = sum(initial_energy(plan, part).values()), part["ending"]
    wanted = start if ending == "same_as_start" else None
    if isinstance(ending, Mapping) and "at_least_mwh" in ending:
        wanted = part.under("ending").number("at_least_mwh")
    if wanted is not None:
        what, last = "stored energy at the end is", plan.clock.times[-1]
        found.at_least(part.name, "ending", what, stored[-1:], wanted, "MWh", when=last)


def _check_powers(plan: Plan, part: Part, charge: Array, discharge: Array, found: Findings) -> None:
    available, charging = part.series("available"), part.column("charging")
    for way, flow, direction in (
        ("charge", charge, charging),
        ("discharge", discharge, 1 - charging),
    ):
        most = part.number(f"{way}_power_mw") * available
        found.at_most(part.name, f"{way}_limit", f"{way}s", flow, most * direction, "MW")
    found.at_most(part.name, "direction", "charging is", charging, 1.0)
    if not plan.relaxed:
        found.whole(part.name, "direction", "charging is", charging)
        both = np.minimum(charge, discharge)
        what = "charges and discharges at once"
        found.at_most(part.name, "direction", what, both, OVERLAP_MW, "MW")


def _check_cycles(plan: Plan, part: Part, discharge: Array, found: Findings) -> None:
    if part["cycles_per_day"] is None:
        return
    days = plan.clock.days
    spent = np.asarray(np.bincount(days, weights=discharge) * plan.clock.step_h, dtype=float)
    spent[0] += part.under("initial").number("discharged_today_mwh")
    span = part.number("capacity_mwh") - part.number("min_energy_mwh")
    when = [plan.clock.times[i] for i in np.flatnonzero(np.diff(days, prepend=-1))]
    most, what = part.number("cycles_per_day") * span, "discharged in the local day:"
    found.at_most(part.name, "cycles", what, spent, most, "MWh", when=when)


def _check_reserve(
    plan: Plan, part: Part, charge: Array, discharge: Array, found: Findings
) -> None:
    held = np.asarray(part.total("reserve_mw"))
    if not held.ndim:
        return
    most = part.number("discharge_power_mw") * part.series("available") - discharge + charge
    found.at_most(part.name, "reserve_power", "reserve is", held, most, "MW")
    stored = np.asarray(part.total("energy_mwh")) - part.number("min_energy_mwh")
    needed = plan.clock.step_h * held / part.number("discharge_efficiency")
    what = "energy for a step of reserve:"
    found.at_most(part.name, "reserve_energy", what, needed, stored, "MWh")
