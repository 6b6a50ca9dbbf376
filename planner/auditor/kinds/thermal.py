"""Audit of a thermal unit: power, ramps, fuel and emission; see `commitment` for its states.

    power        power_mw is the minimum power of a unit that is on plus the power above it
    ceiling      power and reserve are at most the available power
    start_ramp, stop_ramp   ... within startup_ramp_mw in the step of a start, and within
                 shutdown_ramp_mw in the step before a stop, the one before the horizon too, with
                 initial.reserve_mw; without them, within the minimum or one step of the ramp,
                 whichever is more
    ramp_up, ramp_down   power changes within the ramps
    reserve_response, reserve_ramp   reserve due in some time: within the ramp, less the step's rise
    fuel         the fuel is that of the curve at this power (at least that, in a relaxed plan)
    emission, allowance   they follow from fuel and power

An outage overrides the other rules: a unit that trips need not keep ramps or stop ramp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from planner.auditor.findings import AT, Array, Notes
from planner.auditor.kinds.commitment import CHECKS, duty_codes, outages
from planner.auditor.kinds.reserve import check_ramp, reserve_columns
from planner.auditor.reading import (
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    at_start_of_steps,
    by_step,
    column_of,
    of_source,
)
from planner.message import Message

SLOPE = 1e-12


class _Curve(NamedTuple):
    """A fuel curve: GJ/h at powers in MW, and the slopes between them; convex where none falls."""

    powers: Array
    fuels: Array
    slopes: Array
    convex: bool


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"on", "start", "stop", "power_above_min_mw", "fuel_gj_per_h", "power_mw"}
    columns |= {"emission_tco2", "allowance_tco2"} | reserve_columns(plan, part)
    columns |= {column_of("start_kind", s) for s in range(len(part["startups"]))}
    curve = _curve(part)
    if not curve.convex:
        columns |= {column_of("segment_mw", k) for k in range(len(curve.slopes))}
        columns |= {column_of("segment_full", k) for k in range(len(curve.slopes) - 1)}
    return columns


def _curve(part: Part) -> _Curve:
    points = part.rows("curve")
    powers, fuels = (
        np.array([point.number(field) for point in points])
        for field in ("power_mw", "fuel_gj_per_h")
    )
    slopes = np.diff(fuels) / np.diff(powers)
    return _Curve(powers, fuels, slopes, bool((np.diff(slopes) >= -SLOPE).all()))


def _check_power(plan: Plan, part: Part, note: Notes) -> None:
    clock, outage = plan.clock, outages(part)
    on, start, stop = (part.column(name) for name in ("on", "start", "stop"))
    above, initial = part.column("power_above_min_mw"), part.under("initial")
    low = part.series("min_power_mw")
    high = np.maximum(part.series("max_power_mw") * part.series("available"), low)
    was_on, was_mw = bool(initial["on"]), initial.number("power_mw")
    before = max(was_mw - low[0], 0.0) if was_on else 0.0
    with_reserve = above + part.total("reserve_mw")

    note.equal("power", Message("power is"), part.column("power_mw"), low * on + above, "MW")
    what = Message("power and reserve above the minimum power are")
    note.at_most("ceiling", what, with_reserve, (high - low) * on, "MW")
    begin = np.clip(_edge_mw(plan, part, "up"), low, high)
    end = np.clip(_edge_mw(plan, part, "down"), low, high)
    limit = (high - low) * on - (high - begin) * start
    what = Message("power and reserve above the minimum power in the step of a start are")
    note.at_most("start_ramp", what, with_reserve, limit, "MW")
    leaving = np.append(np.where(outage[1:], 0.0, stop[1:]), 0.0)
    limit = (high - low) * on - (high - end) * leaving
    what = Message("power and reserve above the minimum power before a stop are")
    note.at_most("stop_ramp", what, with_reserve, limit, "MW")
    if was_on and not outage[0]:
        top = float(max(part.series("max_power_mw")[0], low[0]))
        ramp = float(np.clip(_edge_mw(plan, part, "down"), low[0], top))
        limit = top - low[0] - (top - ramp) * stop[:1]
        what = Message("power and reserve above the minimum power before the horizon are")
        offered = before + initial.number("reserve_mw")
        note.at_most("stop_ramp", what, offered, limit, "MW", when=clock.times[0])

    earlier = at_start_of_steps(before, above)
    lift = np.diff(low, prepend=low[0]) * (on - start)  # of a unit that stays on
    up, down = (part.number(f"ramp_{way}_mw_per_h") * clock.step_h for way in ("up", "down"))
    rise = above - earlier + lift
    note.at_most("ramp_up", Message("rises"), rise, up, "MW", size=high)
    note.at_most("ramp_down", Message("falls"), np.where(outage, 0.0, -rise), down, "MW", size=high)
    check_ramp(plan, part, up / clock.step_h, rise / clock.step_h, note)


def _edge_mw(plan: Plan, part: Part, way: str) -> float:
    """Return the most power in the step of a start ("up") or before a stop, if not the minimum."""
    field = {"up": "startup_ramp_mw", "down": "shutdown_ramp_mw"}[way]
    if part[field] is not None:
        return part.number(field)
    return part.number(f"ramp_{way}_mw_per_h") * plan.clock.step_h


def _check_fuel(plan: Plan, part: Part, note: Notes) -> None:
    on, power, fuel = (part.column(name) for name in ("on", "power_mw", "fuel_gj_per_h"))
    curve, what = _curve(part), Message("fuel is")
    size = float(curve.fuels.max())
    if not curve.convex:
        _check_segments(part, curve, note)
    if not plan.relaxed or len(curve.powers) == 1:
        expected = np.interp(power, curve.powers, curve.fuels) * on
        note.equal("fuel", what, fuel, expected, "GJ/h", size=size)
    elif curve.convex:
        intercepts = curve.fuels[:-1] - curve.slopes * curve.powers[:-1]
        for slope, intercept in zip(curve.slopes, intercepts, strict=True):
            min_fuel = slope * power + intercept * on
            note.at_least("fuel", what, fuel, min_fuel, "GJ/h", size=size)
    emitted, free = _emission(plan, part), _allowance(plan, part)
    note.equal("emission", Message("emission is"), part.column("emission_tco2"), emitted, "tCO2")
    note.equal("allowance", Message("allowance is"), part.column("allowance_tco2"), free, "tCO2")


def _check_segments(part: Part, curve: _Curve, note: Notes) -> None:
    """Note where the segments of a curve that is not convex are not filled one after the other."""
    lengths, on = np.diff(curve.powers), part.column("on")
    filled = [part.column("segment_mw", k) for k in range(len(lengths))]
    full = [part.column("segment_full", k) for k in range(len(lengths) - 1)]
    total, what = curve.powers[0] * on + sum(filled), Message("segments sum to")
    note.equal("power_segments", what, total, part.column("power_mw"), "MW")
    burnt = curve.fuels[0] * on + sum(s * mw for s, mw in zip(curve.slopes, filled, strict=True))
    what, fuel = Message("segments burn"), part.column("fuel_gj_per_h")
    note.equal("fuel_segments", what, burnt, fuel, "GJ/h", size=float(curve.fuels.max()))
    for k, mw in enumerate(filled):
        open_, what = full[k - 1] if k else on, Message("segment {k} is", k=k)
        note.at_most("segment_open", what, mw, lengths[k] * open_, "MW")
        if k < len(full):
            note.at_least("segment_closed", what, mw, lengths[k] * full[k], "MW")
            note.binary("states", column_of("segment_full", k), full[k])


def _net_share(part: Part) -> float:
    """Return the share of the gross power of a unit that reaches its node."""
    return 1 - part.number("auxiliary_share")


def _net(_: Plan, part: Part) -> Array:
    return _net_share(part) * part.column("power_mw")


def _emission(plan: Plan, part: Part) -> Array:
    tco2_per_h = part.number("emission_tco2_per_gj") * part.column("fuel_gj_per_h")
    return plan.clock.step_h * tco2_per_h


def _allowance(plan: Plan, part: Part) -> Array:
    return plan.clock.step_h * part.number("allowance_tco2_per_mwh") * _net(plan, part)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    price, power = -part.series("fuel_price_cny_per_gj"), part.column("power_mw")
    yield by_step(plan, part, "fuel", price, part.column("fuel_gj_per_h"))
    yield by_step(plan, part, "variable", -part.number("variable_cost_cny_per_mwh"), power)
    costs = [startup.number("cost_cny") for startup in part.rows("startups")]
    kinds = [part.column("start_kind", s) for s in range(len(costs))]
    paid = -np.sum([cost * kind for cost, kind in zip(costs, kinds, strict=True)], axis=0)
    yield Line(part.name, "start", paid, plan.clock.stamps, sum(costs))
    cost = part.number("shutdown_cost_cny")
    yield Line(part.name, "shutdown", -cost * part.column("stop"), plan.clock.stamps, cost)


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    return {
        "starts": part.column("start").sum(),
        "on_h": step_h * part.column("on").sum(),
        "gross_mwh": step_h * part.column("power_mw").sum(),
        "fuel_gj": step_h * part.column("fuel_gj_per_h").sum(),
        "emission_tco2": _emission(plan, part).sum(),
        "allowance_tco2": _allowance(plan, part).sum(),
    }


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    on, power = part.column("on") > 0.5, part.column("power_mw")
    with_reserve = power + part.total("reserve_mw")
    low = part.series("min_power_mw")
    high = part.series("max_power_mw") * part.series("available")
    initial, step_h = part.under("initial"), plan.clock.step_h
    before = at_start_of_steps(initial.number("power_mw") if initial["on"] else 0.0, power)
    rise, fall = (part.number(f"ramp_{way}_mw_per_h") * step_h for way in ("up", "down"))
    run = {
        "starts": part.column("start") > 0.5,
        "stops": part.column("stop") > 0.5,
        "off": ~on,
        "must_rest": ~on & (part.number("min_down_h") > 0),
        "must_run_on": on & (power <= low + AT) & (part.number("min_up_h") > 0),
        "outage": ~on & outages(part),
        "at_minimum": on & (power <= low + AT),
        "at_maximum": on & (with_reserve >= np.maximum(high, low) - AT),
        "ramps_up": on & ((power - before >= rise - AT) | (with_reserve > power)),
        "ramps_down": on & (before - power >= fall - AT),
        "between": on & (power > low) & (with_reserve < np.maximum(high, low)),
    } | duty_codes(plan, part)
    return {"run": run}


AUDIT = KindAudit(
    columns=_columns,
    checks=(
        *CHECKS,
        _check_power,
        _check_fuel,
    ),
    lines=_lines,
    flows=lambda plan, part: [(part.node, plan.origin("thermal"), _net(plan, part))],
    injected=of_source("thermal", _net),
    meters={
        "contingency_mw": of_source("thermal", _net),
        "emission_tco2": of_source("thermal", _emission),
        "allowance_tco2": of_source("thermal", _allowance),
    },
    figures=_figures,
    codes=_codes,
    reserve_share=_net_share,
    here_and_now=lambda _, __: ("on", "start", "stop", "start_kind"),
)
