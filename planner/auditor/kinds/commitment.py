"""Audit of the commitment of a thermal unit: its states, times, starts and outages.

    states       on, start and stop are 0 or 1 (not in a relaxed plan)
    switching    on changes exactly where it starts or stops
    stay_on      a unit that started within min_up_h is on, unless an outage came between
    stay_off     a unit that stopped within min_down_h is off; the past counts for both
    max_up       a unit that is on started within max_up_h; the past counts
    day_starts   starts in a local day, with starts_today on the first, are at most
                 max_starts_per_day
    outage       a unit with too little available for its minimum power is off
    must_run     a unit that must run is on wherever outages and min_down_h let it
    ending       the last state is that of `ending`, unless there is an outage
    one_kind, kind_window, start_cost   a start has the kind, and the cost, of its hours off

An outage overrides the other rules: a unit that trips need not keep min_up_h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.auditor.findings import Array, Flags, Notes, column_is
from planner.auditor.plan_files import Clock
from planner.auditor.reading import Part, Plan
from planner.message import Message


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


def outages(part: Part) -> Flags:
    """Return where too little is available for the minimum power; shape (steps,)."""
    available, low = part.series("available"), part.series("min_power_mw")
    high = part.series("max_power_mw") * available
    return np.asarray((available == 0) | (high < low - 1e-9 * np.maximum(1.0, high)))


def _past(clock: Clock, part: Part) -> _Past:
    initial = part.under("initial")
    age, on = clock.up(initial.number("hours")), bool(initial["on"])
    hours = [part.number("min_up_h"), part.number("min_down_h")]
    hours += [startup.number("off_h") for startup in part.rows("startups")]
    hours.append(_limit(part, "max_up_h") or 0.0)
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
    past, outage = _past(plan.clock, part), outages(part)
    on, start, stop = (part.column(name) for name in ("on", "start", "stop"))
    for name, values in (("on", on), ("start", start), ("stop", stop)):
        note.binary("states", name, values)
    change = on - past.on[past.steps - 1 : -1]
    note.equal("switching", Message("on changes by"), change, start - stop)
    note.at_most("outage", Message("on and start are"), (on + start) * outage, 0.0)


def _check_min_times(plan: Plan, part: Part, note: Notes) -> None:
    clock, on, outage = plan.clock, part.column("on"), outages(part)
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
    clock, outage = plan.clock, outages(part)
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


def _limit(part: Part, field: str) -> float | None:
    return None if part[field] is None else part.number(field)


def _starts_by_day(plan: Plan, part: Part) -> list[Array]:
    """Return the running number of starts in each local day."""
    days = plan.clock.days
    starts = [np.cumsum(part.column("start")[days == day]) for day in np.unique(days)]
    starts[0] = starts[0] + part.under("initial").number("starts_today")
    return starts


def _check_duty(plan: Plan, part: Part, note: Notes) -> None:
    clock, longest = plan.clock, _limit(part, "max_up_h")
    if longest is not None:
        past = _past(clock, part)
        started = past.window(past.start, clock.up(longest) - 1)
        what = Message("starts within max_up_h of {hours:g} h:", hours=longest)
        note.at_least("max_up", what, started, part.column("on"), "starts")
    most = _limit(part, "max_starts_per_day")
    if most is not None:
        starts = np.array([running[-1] for running in _starts_by_day(plan, part)])
        what = Message("starts in the local day:")
        note.at_most("day_starts", what, starts, most, when=clock.day_times)


def duty_codes(plan: Plan, part: Part) -> dict[str, Flags]:
    """Return by reason where a limit of the duty makes a unit stop, or keeps it off."""
    off, steps = part.column("on") < 0.5, plan.clock.steps
    must_stop, starts_used = np.zeros(steps, dtype=bool), np.zeros(steps, dtype=bool)
    longest, most = _limit(part, "max_up_h"), _limit(part, "max_starts_per_day")
    if longest is not None:
        past, run = _past(plan.clock, part), plan.clock.up(longest)
        must_stop = off & (past.window(past.on, run, 1) > run - 0.5)
    if most is not None:
        starts_used = off & (np.concatenate(_starts_by_day(plan, part)) > most - 0.5)
    return {"must_stop": must_stop, "starts_used": starts_used}


CHECKS = (
    _check_switching,
    _check_min_times,
    _check_required_states,
    _check_start_kinds,
    _check_duty,
)
