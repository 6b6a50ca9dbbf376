"""Whether a thermal unit could have run as the schedule says.

    states       on, start and stop are 0 or 1 (not in a relaxed plan)
    switching    on changes exactly where it starts or stops
    stay_on      a unit that started within min_up_h is on, unless an outage came between
    stay_off     a unit that stopped within min_down_h is off; the past counts for both
    outage       a unit with too little available for its least power is off
    must_run     a unit that must run is on wherever outages and min_down_h let it
    ending       the last state is what `ending` says, unless an outage holds
    one_kind, kind_window, start_cost   a start has the kind, and the cost, of its hours off
    power        power_mw is the least power of a unit that is on plus what lies above
    ceiling      power and reserve stay within what is available
    start_ramp, stop_ramp   ... within startup_ramp_mw in the step of a start, and within
                 shutdown_ramp_mw in the step before a stop, the one before the horizon too
    ramp_up, ramp_down   power changes within the ramps; reserve counts as a rise
    fuel         the fuel is that of the curve at this power (at least that, in a relaxed plan)
    emission, allowance   what is reported of them follows from fuel and power

An outage holds whatever else does: a unit that trips owes no ramp, least time on or stop ramp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.auditor.findings import Array, Findings, Flags
from planner.auditor.reading import Clock, Part, Plan
from planner.auditor.schedule import fuel_points, is_convex


@dataclass(frozen=True)
class Past:
    """States of a unit over the steps, with so many steps of its past before them."""

    steps: int
    on: Array
    start: Array
    stop: Array

    def window(self, events: Array, first: Array | int, last: int = 0) -> Array:
        """Return the events from `first` to `last` steps back, both included, by step."""
        here = self.steps + np.arange(len(events) - self.steps)
        sums = np.concatenate([[0.0], np.cumsum(events)])
        return np.asarray(sums[here - last + 1] - sums[np.maximum(here - first, 0)])


def check_thermal(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a thermal unit breaks."""
    outage = outages(part)
    past = _past(plan.clock, part)
    _check_switching(plan, part, past, outage, found)
    _check_least_times(plan.clock, part, past, outage, found)
    _check_demanded(plan.clock, part, outage, found)
    _check_kinds(plan, part, past, found)
    _check_power(plan.clock, part, outage, found)
    _check_fuel(plan, part, found)


def outages(part: Part) -> Flags:
    """Return the steps in which too little is available for the least power; shape (steps,)."""
    available, low = part.series("available"), part.series("min_power_mw")
    too_little = part.series("max_power_mw") * available < low - 1e-9
    return np.asarray((available == 0) | too_little)


def _past(clock: Clock, part: Part) -> Past:
    initial = part.under("initial")
    age, on = clock.up(initial.number("hours")), bool(initial["on"])
    hours = [part.number("min_up_h"), part.number("min_down_h")]
    hours += [startup.number("off_h") for startup in part.rows("startups")]
    steps = max(1, *(clock.up(h) + 1 for h in hours))
    back = np.arange(steps)[::-1]  # 0 is the point at which the horizon begins
    switched = (back == age - 1).astype(float)
    return Past(
        steps=steps,
        on=np.concatenate([np.where(back < age, on, not on), part.column("on")]),
        start=np.concatenate([switched * on, part.column("start")]),
        stop=np.concatenate([switched * (not on), part.column("stop")]),
    )


def _check_switching(plan: Plan, part: Part, past: Past, outage: Flags, found: Findings) -> None:
    on, start, stop = (part.column(name) for name in ("on", "start", "stop"))
    for name, values in (("on", on), ("start", start), ("stop", stop)):
        found.at_most(part.name, "states", f"{name} is", values, 1.0)
        if not plan.relaxed:
            found.whole(part.name, "states", f"{name} is", values)
    change = on - past.on[past.steps - 1 : -1]
    found.equal(part.name, "switching", "on changes by", change, start - stop)
    found.at_most(part.name, "outage", "on and start are", (on + start) * outage, 0.0)


def _check_least_times(
    clock: Clock, part: Part, past: Past, outage: Flags, found: Findings
) -> None:
    on = part.column("on")
    up, down = (max(1, clock.up(part.number(name))) for name in ("min_up_h", "min_down_h"))
    here = np.arange(clock.steps)
    since = here - np.maximum.accumulate(np.where(outage, here, -past.steps - 1))
    started = past.window(past.start, np.minimum(up - 1, np.maximum(since - 1, 0)))
    what = f"starts since min_up_h of {part.number('min_up_h'):g} h:"
    found.at_most(part.name, "stay_on", what, np.where(outage, 0.0, started), on, "starts")
    what = f"stops since min_down_h of {part.number('min_down_h'):g} h:"
    found.at_most(part.name, "stay_off", what, past.window(past.stop, down - 1), 1 - on, "stops")


def _check_demanded(clock: Clock, part: Part, outage: Flags, found: Findings) -> None:
    on, initial = part.column("on"), part.under("initial")
    if part["must_run"]:
        able = np.zeros(clock.steps)
        down = max(1, clock.up(part.number("min_down_h")))
        running = bool(initial["on"])
        rested = 0 if running else clock.up(initial.number("hours"))
        for t in range(clock.steps):
            running = bool(not outage[t] and (running or rested >= down))
            rested = 0 if running else rested + 1
            able[t] = running
        found.at_least(part.name, "must_run", "on is", on, able)
    ends = {"on": 1.0, "off": 0.0, "same_as_start": float(bool(initial["on"]))}
    if part["ending"] in ends and not outage[-1]:
        last = clock.times[-1]
        found.equal(part.name, "ending", "on is", on[-1:], ends[part["ending"]], when=last)


def _check_kinds(plan: Plan, part: Part, past: Past, found: Findings) -> None:
    startups = part.rows("startups")
    after = [plan.clock.up(startup.number("off_h")) for startup in startups]
    costs = np.array([startup.number("cost_cny") for startup in startups])
    kinds = np.array([part.column("start_kind", s) for s in range(len(startups))])
    start = part.column("start")
    found.equal(part.name, "one_kind", "kinds of start sum to", kinds.sum(axis=0), start)
    for s in range(len(startups) - 1):
        stops = past.window(past.stop, after[s + 1] - 1, max(after[s], 1))
        what = f"start of kind {s} is"
        found.at_most(part.name, "kind_window", what, kinds[s], np.maximum(stops, 0.0))
    if plan.relaxed:
        return
    stopped = np.flatnonzero(past.stop > 0.5)
    for t in np.flatnonzero(start > 0.5):
        before = stopped[stopped < past.steps + t]
        rest = past.steps + t - before[-1] if before.size else after[-1]
        right = max(s for s in range(len(startups)) if after[s] <= rest)
        paid, what = float(costs @ kinds[:, t]), f"after {rest} steps off a start costs"
        when = plan.clock.times[t]
        found.equal(part.name, "start_cost", what, paid, float(costs[right]), "CNY", when=when)


def _check_power(clock: Clock, part: Part, outage: Flags, found: Findings) -> None:
    on, start, stop = (part.column(name) for name in ("on", "start", "stop"))
    above, initial = part.column("power_above_min_mw"), part.under("initial")
    low, name = part.series("min_power_mw"), part.name
    high = np.maximum(part.series("max_power_mw") * part.series("available"), low)
    was_on, was_mw = bool(initial["on"]), initial.number("power_mw")
    before = max(was_mw - low[0], 0.0) if was_on else 0.0
    held = above + part.total("reserve_mw")

    found.equal(name, "power", "power is", part.column("power_mw"), low * on + above, "MW")
    what = "power and reserve above the least power are"
    found.at_most(name, "ceiling", what, held, (high - low) * on, "MW")
    begin = np.clip(_ramp(part, "startup_ramp_mw", low), low, high)
    end = np.clip(_ramp(part, "shutdown_ramp_mw", low), low, high)
    limit = (high - low) * on - (high - begin) * start
    found.at_most(name, "start_ramp", f"{what} in the step of a start", held, limit, "MW")
    leaving = np.append(np.where(outage[1:], 0.0, stop[1:]), 0.0)
    limit = (high - low) * on - (high - end) * leaving
    found.at_most(name, "stop_ramp", f"{what} before a stop", held, limit, "MW")
    if was_on and not outage[0]:
        top = float(max(part.series("max_power_mw")[0], low[0]))
        least = float(np.clip(_ramp(part, "shutdown_ramp_mw", low)[0], low[0], top))
        limit = top - low[0] - (top - least) * stop[:1]
        what, when = "before the horizon power above the least is", clock.times[0]
        found.at_most(name, "stop_ramp", what, before, limit, "MW", when=when)

    earlier = np.concatenate([[before], above[:-1]])
    lift = np.diff(low, prepend=low[0]) * (on - start)  # of a unit that stays on
    rise, fall = (part.number(f"ramp_{way}_mw_per_h") * clock.step_h for way in ("up", "down"))
    found.at_most(name, "ramp_up", "rises", held - earlier + lift, rise, "MW", size=high)
    falls = np.where(outage, 0.0, earlier - above - lift)
    found.at_most(name, "ramp_down", "falls", falls, fall, "MW", size=high)


def _ramp(part: Part, field: str, low: Array) -> Array:
    return low if part[field] is None else np.full(len(low), part.number(field))


def _check_fuel(plan: Plan, part: Part, found: Findings) -> None:
    on, power, fuel = (part.column(name) for name in ("on", "power_mw", "fuel_gj_per_h"))
    powers, fuels = fuel_points(part)
    step_h, size = plan.clock.step_h, float(fuels.max())
    if not is_convex(powers, fuels):
        _check_segments(plan, part, found)
    if not plan.relaxed:
        right = np.interp(power, powers, fuels) * on
        found.equal(part.name, "fuel", "fuel is", fuel, right, "GJ/h", size=size)
    elif len(powers) == 1:
        found.equal(part.name, "fuel", "fuel is", fuel, fuels[0] * on, "GJ/h", size=size)
    elif is_convex(powers, fuels):
        slopes = np.diff(fuels) / np.diff(powers)
        for slope, intercept in zip(slopes, fuels[:-1] - slopes * powers[:-1], strict=True):
            least = slope * power + intercept * on
            found.at_least(part.name, "fuel", "fuel is", fuel, least, "GJ/h", size=size)
    emitted = part.number("emission_tco2_per_gj") * step_h * fuel
    found.equal(part.name, "emission", "emission is", part.column("emission_tco2"), emitted, "tCO2")
    net = (1 - part.number("auxiliary_share")) * step_h * power
    free = part.number("allowance_tco2_per_mwh") * net
    found.equal(part.name, "allowance", "allowance is", part.column("allowance_tco2"), free, "tCO2")


def _check_segments(plan: Plan, part: Part, found: Findings) -> None:
    """Segments of a curve that is not convex are filled one after the other."""
    powers, fuels = fuel_points(part)
    lengths, slopes = np.diff(powers), np.diff(fuels) / np.diff(powers)
    on, name = part.column("on"), part.name
    filled = [part.column("segment_mw", k) for k in range(len(lengths))]
    full = [part.column("segment_full", k) for k in range(len(lengths) - 1)]
    total = powers[0] * on + sum(filled)
    found.equal(name, "power_segments", "segments sum to", total, part.column("power_mw"), "MW")
    burnt = fuels[0] * on + sum(s * mw for s, mw in zip(slopes, filled, strict=True))
    what, fuel = "segments burn", part.column("fuel_gj_per_h")
    found.equal(name, "fuel_segments", what, burnt, fuel, "GJ/h", size=float(fuels.max()))
    for k, mw in enumerate(filled):
        open_ = full[k - 1] if k else on
        found.at_most(name, "segment_open", f"segment {k} is", mw, lengths[k] * open_, "MW")
        if k < len(full):
            found.at_least(
                name, "segment_closed", f"segment {k} is", mw, lengths[k] * full[k], "MW"
            )
            found.at_most(name, "states", f"segment_full[{k}] is", full[k], 1.0)
            if not plan.relaxed:
                found.whole(name, "states", f"segment_full[{k}] is", full[k])
