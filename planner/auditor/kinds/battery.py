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

from collections.abc import Iterator, Mapping

import numpy as np

from planner.auditor.findings import AT, FLOW, OVERLAP_MW, Array, Notes
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.reading import (
    ONCE,
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    by_step,
    columns_by_origin,
)


def _columns(plan: Plan, part: Part) -> set[str]:
    flows = columns_by_origin(plan, "charge_mw", "discharge_mw", "energy_mwh")
    return {"charging"} | flows | reserve_columns(plan, part)


def _check(plan: Plan, part: Part, note: Notes) -> None:
    charge, discharge = (np.asarray(part.total(f"{way}_mw")) for way in ("charge", "discharge"))
    _check_energy(plan, part, note)
    _check_powers(plan, part, charge, discharge, note)
    _check_cycles(plan, part, discharge, note)
    _check_reserve(plan, part, charge, discharge, note)


def _initial_energy(plan: Plan, part: Part) -> dict[str, float]:
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


def _energy_before(plan: Plan, part: Part, origin: str) -> Array:
    """Return what of an origin was stored before each step, MWh."""
    after = part.column("energy_mwh", origin)
    return np.concatenate([[_initial_energy(plan, part)[origin]], after[:-1]])


def _check_energy(plan: Plan, part: Part, note: Notes) -> None:
    step_h = plan.clock.step_h
    kept = (1 - part.number("leak_per_h")) ** step_h
    into, out = part.number("charge_efficiency"), part.number("discharge_efficiency")
    for o in plan.origins:
        before = _energy_before(plan, part, o)
        gained = into * part.column("charge_mw", o) - part.column("discharge_mw", o) / out
        right, after = kept * before + step_h * gained, part.column("energy_mwh", o)
        what = f"stored energy of origin {o} is"
        note.equal("energy", what, after, right, "MWh", size=before)
    stored = np.asarray(part.total("energy_mwh"))
    least, most = part.number("min_energy_mwh"), part.number("capacity_mwh")
    note.at_least("capacity", "stored energy is", stored, least, "MWh")
    note.at_most("capacity", "stored energy is", stored, most, "MWh")
    start, ending = sum(_initial_energy(plan, part).values()), part["ending"]
    wanted = start if ending == "same_as_start" else None
    if isinstance(ending, Mapping) and "at_least_mwh" in ending:
        wanted = part.under("ending").number("at_least_mwh")
    if wanted is not None:
        what, last = "stored energy at the end is", plan.clock.times[-1]
        note.at_least("ending", what, stored[-1:], wanted, "MWh", when=last)


def _check_powers(plan: Plan, part: Part, charge: Array, discharge: Array, note: Notes) -> None:
    available, charging = part.series("available"), part.column("charging")
    for way, flow, direction in (
        ("charge", charge, charging),
        ("discharge", discharge, 1 - charging),
    ):
        most = part.number(f"{way}_power_mw") * available
        note.at_most(f"{way}_limit", f"{way}s", flow, most * direction, "MW")
    note.at_most("direction", "charging is", charging, 1.0)
    if not plan.relaxed:
        note.whole("direction", "charging is", charging)
        both = np.minimum(charge, discharge)
        what = "charges and discharges at once"
        note.at_most("direction", what, both, OVERLAP_MW, "MW")


def _spent(plan: Plan, part: Part, discharge: Array) -> tuple[Array, float]:
    """Return what is discharged in each local day, and the most that may be, MWh."""
    spent = np.asarray(np.bincount(plan.clock.days, discharge) * plan.clock.step_h, dtype=float)
    spent[0] += part.under("initial").number("discharged_today_mwh")
    span = part.number("capacity_mwh") - part.number("min_energy_mwh")
    return spent, part.number("cycles_per_day") * span


def _check_cycles(plan: Plan, part: Part, discharge: Array, note: Notes) -> None:
    if part["cycles_per_day"] is None:
        return
    spent, most = _spent(plan, part, discharge)
    when = [plan.clock.times[i] for i in np.flatnonzero(np.diff(plan.clock.days, prepend=-1))]
    what = "discharged in the local day:"
    note.at_most("cycles", what, spent, most, "MWh", when=when)


def _check_reserve(plan: Plan, part: Part, charge: Array, discharge: Array, note: Notes) -> None:
    held = np.asarray(part.total("reserve_mw"))
    if not held.ndim:
        return
    most = part.number("discharge_power_mw") * part.series("available") - discharge + charge
    note.at_most("reserve_power", "reserve is", held, most, "MW")
    stored = np.asarray(part.total("energy_mwh")) - part.number("min_energy_mwh")
    needed = plan.clock.step_h * held / part.number("discharge_efficiency")
    what = "energy for a step of reserve:"
    note.at_most("reserve_energy", what, needed, stored, "MWh")


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    for o in plan.origins:
        yield part.node, o, part.column("discharge_mw", o)
        yield part.node, o, -part.column("charge_mw", o)


def _stored(plan: Plan, part: Part) -> dict[str, Array]:
    """Return by how much what is stored grows, MWh."""
    return {o: part.column("energy_mwh", o) - _energy_before(plan, part, o) for o in plan.origins}


def _lost(plan: Plan, part: Part) -> dict[str, Array]:
    put_in = {o: part.column("charge_mw", o) - part.column("discharge_mw", o) for o in plan.origins}
    return {o: plan.clock.step_h * put_in[o] - mwh for o, mwh in _stored(plan, part).items()}


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    discharged = np.asarray(part.total("discharge_mw"))
    yield by_step(plan, part, "wear", -part.number("wear_cny_per_mwh"), discharged)
    ending = part["ending"]
    if isinstance(ending, Mapping) and "value_cny_per_mwh" in ending:
        value = part.under("ending").number("value_cny_per_mwh")
        start = sum(_initial_energy(plan, part).values())
        gained = np.asarray(part.total("energy_mwh"))[-1:] - start
        yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    discharged = plan.clock.step_h * np.sum(part.total("discharge_mw"))
    span = max(part.number("capacity_mwh") - part.number("min_energy_mwh"), 1e-9)
    return {
        "discharged_mwh": discharged,
        "cycles": discharged / span,
        "cycles_per_day": discharged / span / (plan.clock.hours / 24),
        "energy_at_end_mwh": np.asarray(part.total("energy_mwh"))[-1],
    }


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    charge, discharge = (np.asarray(part.total(f"{way}_mw")) for way in ("charge", "discharge"))
    stored, available = np.asarray(part.total("energy_mwh")), part.series("available")
    most_in, most_out = (part.number(f"{w}_power_mw") * available for w in ("charge", "discharge"))
    least, most = part.number("min_energy_mwh"), part.number("capacity_mwh")
    rests = (charge <= FLOW) & (discharge <= FLOW)
    charges, discharges = (charge > 0) & (charge >= discharge), discharge > charge
    used = np.full(plan.clock.steps, False)
    if part["cycles_per_day"] is not None:
        spent, allowed = _spent(plan, part, discharge)
        used = spent[plan.clock.days] >= allowed - AT
    power = {
        "charges": charges,
        "charges_at_limit": charges & (charge >= most_in - AT),
        "discharges": discharges,
        "discharges_at_limit": discharges & (discharge >= most_out - AT),
        "unavailable": (most_in <= FLOW) & (most_out <= FLOW),
        "full": rests & (stored >= most - AT),
        "empty": rests & (stored <= least + AT),
        "held_for_reserve": rests & (np.asarray(part.total("reserve_mw")) > 0),
        "cycles_used": rests & used,
        "idle": rests,
    }
    return {"power": power}


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check,),
    lines=_lines,
    flows=_flows,
    uses={"storage": _stored, "loss": _lost},
    figures=_figures,
    codes=_codes,
    reserve_share=lambda _: 1.0,
)
