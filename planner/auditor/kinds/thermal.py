"""Audit of a thermal unit: commitment, power, ramps, fuel and emission.

    states       on, start and stop are 0 or 1 (not in a relaxed plan)
    switching    on changes exactly where it starts or stops
    stay_on      a unit that started within min_up_h is on, unless an outage came between
    stay_off     a unit that stopped within min_down_h is off; the past counts for both
    outage       a unit with too little available for its minimum power is off
    must_run     a unit that must run is on wherever outages and min_down_h let it
    ending       the last state is that of `ending`, unless there is an outage
    one_kind, kind_window, start_cost   a start has the kind, and the cost, of its hours off
    power        power_mw is the minimum power of a unit that is on plus the power above it
    ceiling      power and reserve are at most the available power
    start_ramp, stop_ramp   ... within startup_ramp_mw in the step of a start, and within
                 shutdown_ramp_mw in the step before a stop, the one before the horizon too
    ramp_up, ramp_down   power changes within the ramps
    reserve_response, reserve_ramp   reserve due in some time: within the ramp, less the step's rise
    fuel         the fuel is that of the curve at this power (at least that, in a relaxed plan)
    emission, allowance   they follow from fuel and power

An outage overrides the other rules: a unit that trips need not keep ramps, min_up_h or stop ramp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from planner.auditor.findings import AT, Array, Flags, Notes, column_is
from planner.auditor.kinds.reserve import check_ramp, reserve_columns
from planner.auditor.plan_files import Clock
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


@dataclass(frozen=True)
class _Past:
    """States of a unit over `steps` steps of its past and those of the horizon."""

    steps: int
    on: Array
    start: Array
    stop: Array

    def window(self, events: Array, first: Array | int, last: int = 0) -> Array:
        """Return the events from `first` to `last` steps back, both included, by step."""
        here = self.steps + np.arange(len(events) - self.steps)
        sums = np.concatenate([[0.0], np.cumsum(events)])
        return np.asarray(sums[here - last + 1] - sums[np.maximum(here - first, 0)])


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


def _outages(part: Part) -> Flags:
    """Return where too little is available for the minimum power; shape (steps,)."""
    available, low = part.series("available"), part.series("min_power_mw")
    too_little = part.series("max_power_mw") * available < low - 1e-9
    return np.asarray((available == 0) | too_little)


def _past(clock: Clock, part: Part) -> _Past:
    initial = part.under("initial")
    age, on = clock.up(initial.number("hours")), bool(initial["on"])
    hours = [part.number("min_up_h"), part.number("min_down_h")]
    hours += [startup.number("off_h") for startup in part.rows("startups")]
    steps = max(1, *(clock.up(h) + 1 for h in hours))
    back = np.arange(steps)[::-1]  # 0 is the point at which the horizon begins
    switched = (back == age - 1).astype(float)
    return _Past(
        steps=steps,
        on=np.concatenate([np.where(back < age, on, not on), part.column("on")]),
        start=np.concatenate([switched * on, part.column("start")]),
        stop=np.concatenate([switched * (not on), part.column("stop")]),
    )


def _check_switching(plan: Plan, part: Part, note: Notes) -> None:
    past, outage = _past(plan.clock, part), _outages(part)
    on, start, stop = (part.column(name) for name in ("on", "start", "stop"))
    for name, values in (("on", on), ("start", start), ("stop", stop)):
        note.binary("states", name, values)
    change = on - past.on[past.steps - 1 : -1]
    note.equal("switching", Message("on changes by"), change, start - stop)
    note.at_most("outage", Message("on and start are"), (on + start) * outage, 0.0)


def _check_min_times(plan: Plan, part: Part, note: Notes) -> None:
    clock, on, outage = plan.clock, part.column("on"), _outages(part)
    past = _past(clock, part)
    up, down = (max(1, clock.up(part.number(name))) for name in ("min_up_h", "min_down_h"))
    here = np.arange(clock.steps)
    since = here - np.maximum.accumulate(np.where(outage, here, -past.steps - 1))
    started = past.window(past.start, np.minimum(up - 1, np.maximum(since - 1, 0)))
    what = Message("starts within min_up_h of {hours:g} h:", hours=part.number("min_up_h"))
    note.at_most("stay_on", what, np.where(outage, 0.0, started), on, "starts")
    what = Message("stops within min_down_h of {hours:g} h:", hours=part.number("min_down_h"))
    note.at_most("stay_off", what, past.window(past.stop, down - 1), 1 - on, "stops")


def _check_required_states(plan: Plan, part: Part, note: Notes) -> None:
    on, initial = part.column("on"), part.under("initial")
    clock, outage = plan.clock, _outages(part)
    if part["must_run"]:
        can_run = np.zeros(clock.steps)
        down = max(1, clock.up(part.number("min_down_h")))
        running = bool(initial["on"])
        rested = 0 if running else clock.up(initial.number("hours"))
        for t in range(clock.steps):
            running = bool(not outage[t] and (running or rested >= down))
            rested = 0 if running else rested + 1
            can_run[t] = running
        note.at_least("must_run", column_is("on"), on, can_run)
    ends = {"on": 1.0, "off": 0.0, "same_as_start": float(bool(initial["on"]))}
    if part["ending"] in ends and not outage[-1]:
        note.equal("ending", column_is("on"), on[-1:], ends[part["ending"]], when=clock.times[-1])


def _check_start_kinds(plan: Plan, part: Part, note: Notes) -> None:
    startups, past = part.rows("startups"), _past(plan.clock, part)
    after = [plan.clock.up(startup.number("off_h")) for startup in startups]
    costs = np.array([startup.number("cost_cny") for startup in startups])
    kinds = np.array([part.column("start_kind", s) for s in range(len(startups))])
    start = part.column("start")
    note.equal("one_kind", Message("kinds of start sum to"), kinds.sum(axis=0), start)
    for s in range(len(startups) - 1):
        stops = past.window(past.stop, after[s + 1] - 1, max(after[s], 1))
        what = Message("start of kind {kind} is", kind=s)
        note.at_most("kind_window", what, kinds[s], np.maximum(stops, 0.0))
    if plan.relaxed:
        return
    stopped = np.flatnonzero(past.stop > 0.5)
    for t in np.flatnonzero(start > 0.5):
        before = stopped[stopped < past.steps + t]
        rest = past.steps + t - before[-1] if before.size else after[-1]
        kind = max(s for s in range(len(startups)) if after[s] <= rest)
        paid, when = float(costs @ kinds[:, t]), plan.clock.times[t]
        what = Message("after {n} steps off a start costs", n=rest)
        note.equal("start_cost", what, paid, float(costs[kind]), "CNY", when=when)


def _check_power(plan: Plan, part: Part, note: Notes) -> None:
    clock, outage = plan.clock, _outages(part)
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
    begin = np.clip(_ramp(part, "startup_ramp_mw", low), low, high)
    end = np.clip(_ramp(part, "shutdown_ramp_mw", low), low, high)
    limit = (high - low) * on - (high - begin) * start
    what = Message("power and reserve above the minimum power in the step of a start are")
    note.at_most("start_ramp", what, with_reserve, limit, "MW")
    leaving = np.append(np.where(outage[1:], 0.0, stop[1:]), 0.0)
    limit = (high - low) * on - (high - end) * leaving
    what = Message("power and reserve above the minimum power before a stop are")
    note.at_most("stop_ramp", what, with_reserve, limit, "MW")
    if was_on and not outage[0]:
        top = float(max(part.series("max_power_mw")[0], low[0]))
        ramp = float(np.clip(_ramp(part, "shutdown_ramp_mw", low)[0], low[0], top))
        limit = top - low[0] - (top - ramp) * stop[:1]
        what = Message("power above the minimum before the horizon is")
        note.at_most("stop_ramp", what, before, limit, "MW", when=clock.times[0])

    earlier = at_start_of_steps(before, above)
    lift = np.diff(low, prepend=low[0]) * (on - start)  # of a unit that stays on
    up, down = (part.number(f"ramp_{way}_mw_per_h") * clock.step_h for way in ("up", "down"))
    rise = above - earlier + lift
    note.at_most("ramp_up", Message("rises"), rise, up, "MW", size=high)
    note.at_most("ramp_down", Message("falls"), np.where(outage, 0.0, -rise), down, "MW", size=high)
    check_ramp(plan, part, up / clock.step_h, rise / clock.step_h, note)


def _ramp(part: Part, field: str, low: Array) -> Array:
    return low if part[field] is None else np.full(len(low), part.number(field))


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
    low, available = part.series("min_power_mw"), part.series("available")
    high = part.series("max_power_mw") * available
    initial, step_h = part.under("initial"), plan.clock.step_h
    before = at_start_of_steps(initial.number("power_mw") if initial["on"] else 0.0, power)
    rise, fall = (part.number(f"ramp_{way}_mw_per_h") * step_h for way in ("up", "down"))
    run = {
        "starts": part.column("start") > 0.5,
        "stops": part.column("stop") > 0.5,
        "off": ~on,
        "must_rest": ~on & (part.number("min_down_h") > 0),
        "must_run_on": on & (power <= low + AT) & (part.number("min_up_h") > 0),
        "outage": ~on & ((available == 0) | (high < low)),
        "at_minimum": on & (power <= low + AT),
        "at_maximum": on & (with_reserve >= np.maximum(high, low) - AT),
        "ramps_up": on & ((power - before >= rise - AT) | (with_reserve > power)),
        "ramps_down": on & (before - power >= fall - AT),
        "between": on & (power > low) & (with_reserve < np.maximum(high, low)),
    }
    return {"run": run}


AUDIT = KindAudit(
    columns=_columns,
    checks=(
        _check_switching,
        _check_min_times,
        _check_required_states,
        _check_start_kinds,
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
