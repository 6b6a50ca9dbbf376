"""The duty limits of a thermal unit: its longest run, and its starts in a local day.

With MT the most time on (`max_up_h`) in steps; both rows only where the limit is given:

    go_off          on[t] <= sum_{i<MT} start[t-i]
    daily_starts    sum start[t] over a local day <= max_starts_per_day
                    (less initial.starts_today in the first day)

A unit that is on has started within its longest run. The row is tighter than a limit on the sum of
on over MT + 1 steps; the past, which is fixed, counts: a unit that has been on for MT steps or more
when the horizon begins goes off in the first step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.components.component import Complaint, Values
from planner.components.local_day import limit_by_day, so_far_today
from planner.components.terms import of
from planner.components.thermal.commitment import ThermalInitial
from planner.components.time import Time
from planner.fields import exceeds, too_large, too_small
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

Flags = np.ndarray[Any, np.dtype[np.bool_]]

DUTY_RULES = {
    "go_off": "must go off once it has been on for max_up_h {max_up_h} h",
    "daily_starts": (
        "may start max_starts_per_day {max_starts_per_day} times in a local day"
        " (on the first, initial.starts_today {initial.starts_today} of them are over)"
    ),
}
OBLIGED_TO_STOP = template(
    "must go off at {when} at the latest (max_up_h {max_up_h}, on for {initial.hours} h)"
)


@dataclass(frozen=True)
class Duty:
    """The duty limits of a unit over a window.

    max_up_h: the longest run, in hours; None without a limit.
    max_starts: most starts in a local day; None without a limit.
    initial: the unit before the window.
    """

    max_up_h: float | None
    max_starts: float | None
    initial: ThermalInitial

    @property
    def used_up(self) -> bool:
        """Whether a unit that is on has been on for the longest run."""
        return self.max_up_h is not None and not exceeds(self.max_up_h, self.initial.hours)

    def max_up(self, horizon: Horizon) -> int:
        """Return the longest run in steps; 0 without a limit."""
        return 0 if self.max_up_h is None else horizon.steps_up(self.max_up_h)

    def build(self, b: pyo.Block, time: Time) -> None:
        """Declare the rows of this module, which need b.on and b.start with their past."""
        if longest := self.max_up(time.horizon):
            b.go_off = pyo.Constraint(
                time.steps,
                rule=lambda b, t: b.on[t] <= sum(b.start[t - i] for i in range(longest)),
            )
        if self.max_starts is not None:
            starts_today = self.initial.starts_today
            b.daily_starts = limit_by_day(time, of(b.start), self.max_starts, starts_today)

    def check(self, min_up_h: float) -> None:
        """Raise FieldError where the limits contradict other fields of the unit."""
        most, before = self.max_starts, self.initial.starts_today
        if self.max_up_h is not None and self.max_up_h < min_up_h:
            raise too_small("max_up_h", self.max_up_h, "min_up_h", min_up_h)
        if most is not None and before > most:
            raise too_large("initial.starts_today", before, "max_starts_per_day", most)

    def check_steps(self, horizon: Horizon) -> Iterator[Complaint]:
        """Yield what is wrong with the limits in view of the steps of a horizon."""
        if self.max_up_h is not None and self.max_up(horizon) != horizon.steps_down(self.max_up_h):
            message = Message(
                "must be a whole number of {minutes} min steps, is {hours:g}",
                minutes=horizon.step_min,
                hours=self.max_up_h,
            )
            yield ("max_up_h",), message

    def impossible(self, longest: int, horizon: Horizon) -> Iterator[Message]:
        """Yield that a unit that must run for `longest` steps without a stop may not."""
        if self.max_up_h is not None and longest > self.max_up(horizon):
            yield Message(
                "must be on for {hours:g} h without a stop (must_run true) and go off once it has"
                " been on for max_up_h {most:g} h",
                hours=longest * horizon.step_h,
                most=self.max_up_h,
            )

    def warn(self, horizon: Horizon) -> Iterator[Message]:
        """Warn of a start of today that `initial` does not count."""
        initial, today_h = self.initial, horizon.day_so_far_h
        started_today = initial.on and not exceeds(initial.hours, today_h)
        if self.max_starts and started_today and not initial.starts_today:
            yield Message(
                "has been on for {hours:g} h and initial.starts_today is 0: this start, of the day"
                " in which the horizon begins, does not count for max_starts_per_day",
                hours=initial.hours,
            )

    def must_stop_at(self, horizon: Horizon, step: int) -> str | None:
        """Return the time at which the past obliges the unit to go off, if before a step."""
        left = self.max_up(horizon) - horizon.steps_up(self.initial.hours)
        obliged = self.initial.on and step == max(left, 0) + 1
        return horizon.until(step - 1) if obliged else None

    def starts_used(self, on: Flags, horizon: Horizon) -> Flags:
        """Return the steps of a horizon by which the starts of the local day are used up."""
        if self.max_starts is None:
            return np.zeros(len(on), dtype=bool)
        start = self._starts(on)
        running = np.concatenate([np.cumsum(start[day[0] - 1 : day[-1]]) for day in horizon.days])
        first_day = np.arange(len(on)) < horizon.days[0][-1]
        used = running + self.initial.starts_today * first_day >= self.max_starts
        return np.asarray(used, dtype=bool)

    def _starts(self, on: Flags) -> Flags:
        return np.asarray(on & ~np.concatenate([[self.initial.on], on[:-1]]), dtype=bool)

    def started_today(self, values: Values, executed: Window, horizon: Horizon) -> float:
        """Return the starts in the local day of the step after the executed ones."""
        starts = self._starts(np.round(values["on"]).astype(bool)).astype(float)
        return so_far_today(starts, self.initial.starts_today, self.max_starts, executed, horizon)


def run_of_rule(
    rule: str, on: Array, places: Sequence[int], step_h: float, initial: ThermalInitial
) -> str:
    """Return how long a unit was on or off where it breaks a rule on its times; else nothing."""
    if rule not in ("stay_on", "stay_off", "go_off"):
        return ""
    is_on, too_long = rule != "stay_off", rule == "go_off"
    runs = [run_before_h(on, place + too_long, step_h, initial, on=is_on) for place in places]
    hours = max(runs) if too_long else min(runs)
    if is_on:
        return Message("it was on for {hours:g} h", hours=hours)
    return Message("it was off for {hours:g} h", hours=hours)


def run_before_h(
    states: Array, place: int, step_h: float, initial: ThermalInitial, *, on: bool
) -> float:
    """Return how long the last run on, or off, before a place lasted; the past counts."""
    is_state = np.round(states[:place]).astype(bool) == on
    runs = np.flatnonzero(is_state)
    if not runs.size:
        return initial.hours if initial.on == on else 0.0
    others = np.flatnonzero(~is_state[: runs[-1]])
    begins = int(others[-1]) + 1 if others.size else 0
    hours = float(runs[-1] + 1 - begins) * step_h
    return hours + (initial.hours if not begins and initial.on == on else 0.0)
