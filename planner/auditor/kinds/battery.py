"""Audit of a battery: stored energy, powers, cycles and reserve.

energy           by origin: stored energy before the step, less the leak, plus the gain of charging,
                 less the loss of discharging; the first step begins with `initial`
capacity         stored energy of all origins lies between min_energy_mwh and capacity_mwh
charge_limit, discharge_limit   powers are at most those available
direction        charging is 0 or 1, and no step both charges and discharges (not in a relaxed
                 plan)
charge_from      it charges only with energy of these origins
ramp             from step to step, and from initial.power_mw into the first, discharge less charge
                 changes by ramp_mw_per_h at most; where `available` falls, by as much more as the
                 limit of the power falls
charge_on, discharge_on   1 exactly where it charges, or discharges: then with the least power at
                 least, scaled by `available`; with start_cost_cny this is 0.001 of the most at
                 least
charge_start, discharge_start   1 exactly where charging, or discharging, begins
target           stored energy at the time of each of energy_targets
cycles           energy discharged in a local day, with discharged_today_mwh on the first
ending           at_least_mwh and at_most_mwh, or as much as at the start
reserve_power    reserve and discharge are within the power; charging may be given up
reserve_energy   energy stored at the start of a step, and at its end, feeds each reserve for its
                 duration_h
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from planner.auditor.findings import AT, FLOW, Array, Notes, column_is
from planner.auditor.kinds.own_use import check_own_use, own_use_columns
from planner.auditor.kinds.reserve import called_mwh, reserve_columns
from planner.auditor.reading import (
    ONCE,
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    at_start_of_steps,
    by_step,
    columns_by_origin,
)
from planner.message import Message

_WAYS = ("charge", "discharge")
_START_SHARE = 1e-3


def _columns(plan: Plan, part: Part) -> set[str]:
    flows = columns_by_origin(plan, "charge_mw", "discharge_mw", "energy_mwh")
    columns = {f"{way}_on" for way in _WAYS if _least_mw(part, way)}
    if part.number("start_cost_cny"):
        columns |= {f"{way}_start" for way in _WAYS if _least_mw(part, way)}
    return (
        {"charging"} | flows | columns | reserve_columns(plan, part) | own_use_columns(plan, part)
    )


def _least_mw(part: Part, way: str) -> float:
    """Return the least power where it charges, or discharges, and all is available; else 0."""
    least = part.number(f"min_{way}_power_mw")
    hidden = _START_SHARE * part.number(f"{way}_power_mw")
    return max(least, hidden) if part.number("start_cost_cny") else least


def _flows_of(part: Part) -> tuple[Array, Array]:
    """Return charge and discharge of all origins, MW."""
    return part.total("charge_mw"), part.total("discharge_mw")


def _initial_energy(plan: Plan, part: Part) -> dict[str, float]:
    """Return the energy stored when the horizon begins, MWh by origin; a number is of the grid."""
    initial = part.under("initial")
    if initial.is_mapping("energy_mwh"):
        energy = initial.under("energy_mwh")
        start = {o: energy.number(o) for o in ("renewable", "thermal", "grid")}
    else:
        start = {"grid": initial.number("energy_mwh")}
    if plan.origins == ("pooled",):
        return {"pooled": sum(start.values())}
    return {o: start.get(o, 0.0) for o in plan.origins}


def _energy_before(plan: Plan, part: Part, origin: str) -> Array:
    """Return the energy of an origin stored before each step, MWh."""
    return at_start_of_steps(_initial_energy(plan, part)[origin], part.column("energy_mwh", origin))


def _check_energy(plan: Plan, part: Part, note: Notes) -> None:
    step_h = plan.clock.step_h
    kept_share = (1 - part.number("leak_per_h")) ** step_h
    into, out = part.number("charge_efficiency"), part.number("discharge_efficiency")
    for o in plan.origins:
        before = _energy_before(plan, part, o)
        gained = into * part.column("charge_mw", o) - part.column("discharge_mw", o) / out
        expected, after = kept_share * before + step_h * gained, part.column("energy_mwh", o)
        what = Message("stored energy of origin {origin} is", origin=o)
        note.equal("energy", what, after, expected, "MWh", size=before)
    stored, what = part.total("energy_mwh"), Message("stored energy is")
    note.at_least("capacity", what, stored, part.number("min_energy_mwh"), "MWh")
    note.at_most("capacity", what, stored, part.number("capacity_mwh"), "MWh")
    start, last = sum(_initial_energy(plan, part).values()), plan.clock.times[-1]
    if part["ending"] == "same_as_start":
        what = Message("stored energy at the end is")
        note.at_least("ending", what, stored[-1:], start, "MWh", when=last)
    else:
        _check_limits("ending", part.under("ending"), stored[-1], last, note)
    for target in part.rows("energy_targets"):
        point = _point(plan, str(target["time"]))
        if point < 0 or point > plan.clock.steps or point % 1:
            message = Message("{time} is not the start of a step", time=str(target["time"]))
            note.add("target", message)
            continue
        mwh = stored[int(point) - 1] if point else start
        _check_limits("target", target, mwh, plan.clock.times[max(int(point), 1) - 1], note)


def _check_limits(rule: str, limits: Part, mwh: float, when: str, note: Notes) -> None:
    what = Message("stored energy is")
    for field, compare in (("at_least_mwh", note.at_least), ("at_most_mwh", note.at_most)):
        if field in limits.fields and limits[field] is not None:
            compare(rule, what, mwh, limits.number(field), "MWh", when=when)


def _point(plan: Plan, time: str) -> float:
    """Return the number of steps before a time, which is local where it has no offset."""
    moment, first = pd.Timestamp(time), pd.Timestamp(plan.clock.stamps[0])
    if moment.tz is None:
        moment = moment.tz_localize(plan.clock.zone)
    return float((moment - first) / pd.Timedelta(hours=plan.clock.step_h))


def _check_powers(plan: Plan, part: Part, note: Notes) -> None:
    charge, discharge = _flows_of(part)
    available, charging = part.series("available"), part.column("charging")
    max_charge = part.number("charge_power_mw") * available * charging
    max_discharge = part.number("discharge_power_mw") * available * (1 - charging)
    note.at_most("charge_limit", Message("charges"), charge, max_charge, "MW")
    note.at_most("discharge_limit", Message("discharges"), discharge, max_discharge, "MW")
    note.binary("direction", "charging", charging)
    note.exclusive("direction", Message("charges and discharges at once"), charge, discharge)
    for o in plan.origins:
        if o not in (*part["charge_from"], "pooled"):
            what = Message("charges with {origin} energy", origin=o)
            note.at_most("charge_from", what, part.column("charge_mw", o), 0.0, "MW")


def _check_ramp(plan: Plan, part: Part, note: Notes) -> None:
    if part["ramp_mw_per_h"] is None:
        return
    net, change = _net(part)
    most, before_mw = plan.clock.step_h * part.number("ramp_mw_per_h"), net[0] - change[0]
    for way, sign in (("charge", 1), ("discharge", -1)):
        limit = part.number(f"{way}_power_mw") * part.series("available")
        fall = np.maximum(-np.diff(limit, prepend=-sign * before_mw), 0.0)
        what = Message("power changes by")
        note.at_most("ramp", what, sign * change, most + fall, "MW", size=abs(net))


def _net(part: Part) -> tuple[Array, Array]:
    """Return discharge less charge, and by how much it changes into each step, MW."""
    charge, discharge = _flows_of(part)
    net = discharge - charge
    return net, np.diff(net, prepend=part.under("initial").number("power_mw"))


def _check_commitment(plan: Plan, part: Part, note: Notes) -> None:
    """Note wrong states, least powers and starts."""
    available = part.series("available")
    for way, power, sign in zip(_WAYS, _flows_of(part), (-1, 1), strict=True):
        least = _least_mw(part, way)
        if not least:
            continue
        on, rule = part.column(f"{way}_on"), f"{way}_on"
        note.binary(rule, rule, on)
        note.at_most(rule, column_is(rule), on, np.ceil(available))
        what = Message("charges") if way == "charge" else Message("discharges")
        max_mw = part.number(f"{way}_power_mw")
        note.at_most(rule, what, power, max_mw * available * on, "MW")
        note.at_least(rule, what, power, least * available * on, "MW")
        if part.number("start_cost_cny"):
            before = float(sign * part.under("initial").number("power_mw") > 0)
            begins, rule = np.maximum(np.diff(on, prepend=before), 0.0), f"{way}_start"
            note.at_least(rule, column_is(rule), part.column(rule), begins)
            note.at_most(rule, column_is(rule), part.column(rule), begins, slack=plan.relaxed)


def _cycled(plan: Plan, part: Part) -> tuple[Array, float]:
    """Return the energy discharged in each local day, and the most that may be, MWh."""
    discharge = part.total("discharge_mw")
    cycled = np.asarray(np.bincount(plan.clock.days, discharge) * plan.clock.step_h, dtype=float)
    cycled[0] += part.under("initial").number("discharged_today_mwh")
    return cycled, part.number("cycles_per_day") * _span(part)


def _span(part: Part) -> float:
    """Return the energy of a full cycle, MWh."""
    return part.number("capacity_mwh") - part.number("min_energy_mwh")


def _check_cycles(plan: Plan, part: Part, note: Notes) -> None:
    if part["cycles_per_day"] is None:
        return
    cycled, max_cycled = _cycled(plan, part)
    what = Message("discharged in the local day:")
    note.at_most("cycles", what, cycled, max_cycled, "MWh", when=plan.clock.day_times)


def _check_reserve(plan: Plan, part: Part, note: Notes) -> None:
    if not reserve_columns(plan, part):
        return
    reserve = part.total("reserve_mw")
    charge, discharge = _flows_of(part)
    room = part.number("discharge_power_mw") * part.series("available") - discharge + charge
    note.at_most("reserve_power", Message("reserve is"), reserve, room, "MW")
    needed = called_mwh(plan, part) / part.number("discharge_efficiency")
    at_end, least = part.total("energy_mwh"), part.number("min_energy_mwh")
    at_start = at_start_of_steps(sum(_initial_energy(plan, part).values()), at_end)
    what = Message("energy for the duration of the reserve, at the start of the step:")
    note.at_most("reserve_energy", what, needed, at_start - least, "MWh")
    what = Message("energy for the duration of the reserve, at the end of the step:")
    note.at_most("reserve_energy", what, needed, at_end - least, "MWh")


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    for o in plan.origins:
        yield part.node, o, part.column("discharge_mw", o)
        yield part.node, o, -part.column("charge_mw", o)


def _stored(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the growth of the stored energy, MWh."""
    return {o: part.column("energy_mwh", o) - _energy_before(plan, part, o) for o in plan.origins}


def _lost(plan: Plan, part: Part) -> dict[str, Array]:
    put_in = {o: part.column("charge_mw", o) - part.column("discharge_mw", o) for o in plan.origins}
    return {o: plan.clock.step_h * put_in[o] - mwh for o, mwh in _stored(plan, part).items()}


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    discharged = part.total("discharge_mw")
    yield by_step(plan, part, "wear", -part.number("wear_cny_per_mwh"), discharged)
    if cost := part.number("start_cost_cny"):
        starts = part.optional("charge_start") + part.optional("discharge_start")
        yield Line(part.name, "start", -cost * starts, plan.clock.stamps, cost)
    ending = part["ending"]
    if isinstance(ending, Mapping) and "value_cny_per_mwh" in ending:
        value = part.under("ending").number("value_cny_per_mwh")
        start = sum(_initial_energy(plan, part).values())
        gained = part.total("energy_mwh")[-1:] - start
        yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    discharged = plan.clock.step_h * np.sum(part.total("discharge_mw"))
    cycles = discharged / max(_span(part), 1e-9)
    return {
        "discharged_mwh": discharged,
        "cycles": cycles,
        "cycles_per_day": cycles / (plan.clock.hours / 24),
        "energy_at_end_mwh": part.total("energy_mwh")[-1],
    }


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    charge, discharge = _flows_of(part)
    stored, available = part.total("energy_mwh"), part.series("available")
    max_in, max_out = (part.number(f"{way}_power_mw") * available for way in _WAYS)
    rests = (charge <= FLOW) & (discharge <= FLOW)
    charges, discharges = (charge > 0) & (charge >= discharge), discharge > charge
    used, reserve = np.full(plan.clock.steps, False), part.total("reserve_mw")
    if part["cycles_per_day"] is not None:
        cycled, max_cycled = _cycled(plan, part)
        used = cycled[plan.clock.days] >= max_cycled - AT
    steep = np.full(plan.clock.steps, False)
    if part["ramp_mw_per_h"] is not None:
        steep = abs(_net(part)[1]) >= plan.clock.step_h * part.number("ramp_mw_per_h") - AT
    least_in, least_out = (_least_mw(part, way) * available for way in _WAYS)
    points = [_point(plan, str(target["time"])) for target in part.rows("energy_targets")]
    for_target = np.arange(plan.clock.steps) < max(points, default=0.0)
    any_origin = {*plan.origins} <= {*part["charge_from"], "pooled"}
    power = {
        "charges": charges,
        "charges_at_limit": charges & (charge >= max_in - AT),
        "discharges": discharges,
        "discharges_at_limit": discharges & (discharge >= max_out - AT),
        "ramping": steep | np.append(steep[1:], False),
        "charges_at_least": charges & (charge <= least_in + AT),
        "discharges_at_least": discharges & (discharge <= least_out + AT),
        "charges_for_target": charges & for_target,
        "discharges_for_target": discharges & for_target,
        "held_for_target": rests & for_target,
        "not_started": rests & ((least_in > 0) | (least_out > 0)),
        "own_use_only": np.full(plan.clock.steps, not part["discharge_to_grid"]),
        "origin_not_allowed": rests & (not any_origin),
        "unavailable": (max_in <= FLOW) & (max_out <= FLOW),
        "full": rests & (stored >= part.number("capacity_mwh") - AT),
        "empty": rests & (stored <= part.number("min_energy_mwh") + AT),
        "held_for_reserve": rests & ((reserve > 0) | np.append(reserve[1:] > 0, False)),
        "cycles_used": rests & used,
        "idle": rests,
    }
    return {"power": power}


AUDIT = KindAudit(
    columns=_columns,
    checks=(
        _check_energy,
        _check_powers,
        _check_ramp,
        _check_commitment,
        _check_cycles,
        _check_reserve,
        check_own_use,
    ),
    lines=_lines,
    flows=_flows,
    uses={"storage": _stored, "loss": _lost},
    stored=_initial_energy,
    figures=_figures,
    codes=_codes,
    reserve_share=lambda _: 1.0,
    carried={"energy_mwh": "ending.value_cny_per_mwh"},
)
