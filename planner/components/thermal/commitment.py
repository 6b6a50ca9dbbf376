"""The commitment and the fuel of a thermal unit: minimum times, starts, outages, fuel curve.

Variables: on[t] on points, start[t], stop[t] (binary, their past is fixed), start_kind[s,t] for
every entry s of `startups`. Continuous start and stop would be exact too, but with them HiGHS
1.15.1 presolved a few tiny programs to a wrong optimum.

With UT and DT the minimum times on and off in steps and T_s the `off_h` of entry s in steps:

    switching       on[t] - on[t-1] = start[t] - stop[t]
    stay_on         sum_{i<UT} start[t-i] <= on[t]                 (Rajan & Takriti 2005)
    stay_off        sum_{i<DT} stop[t-i] <= 1 - on[t]
    one_kind        sum_s start_kind[s,t] = start[t]
    kind_window     start_kind[s,t] <= sum_{T_s <= i < T_(s+1)} stop[t-i]   every s but the coldest
    ending          on[T] = 1 or 0, according to `ending`

An outage overrides every other rule: it fixes on[t] = start[t] = 0, stay_on ignores starts before
it, and `ending` has no effect if the last step is one of outage. `must_run` fixes on[t] = 1 in all
steps except outages and the minimum time off after them (or after the past).

In an LP relaxation the states of a unit that is on and idles for nothing are constants: on[t] = 1,
start[t] = stop[t] = start_kind[s,t] = 0. It has no minimum power, burns nothing at 0 MW, and no
outage, longest run or `ending` makes it stop, so that no other states earn more.

The fuel curve: linear rows where it is convex, exact with binaries for any other shape.

Variables: fuel_gj_per_h[t] (declared by the unit); segment_mw[k,t] and segment_full[k,t] (binary)
for curves that are not convex. With the points (P_k, F_k) of the curve, and slope_k, length_k and
intercept_k = F_k - slope_k P_k of the segment that begins at point k:

    fuel            one point: fuel_gj_per_h[t] = F_1 on[t]
                    convex:    fuel_gj_per_h[t] >= slope_k power_mw[t] + intercept_k on[t], every k
    fuel_segments   else:      fuel_gj_per_h[t] = F_1 on[t] + sum_k slope_k segment_mw[k,t]
    power_segments             power_mw[t] = P_1 on[t] + sum_k segment_mw[k,t]
    segment_open               segment_mw[k,t] <= length_k segment_full[k-1,t]  (first: on[t])
    segment_closed             segment_mw[k,t] >= length_k segment_full[k,t]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import ClassVar

import numpy as np

from planner.components.time import Time
from planner.fields import (
    NOTHING,
    AtLeastZero,
    Count,
    FieldError,
    Frozen,
    Hours,
    Positive,
    exceeds,
)
from planner.message import Message, template
from planner.modelling import pyo
from planner.modelling.vectors import StepSet
from planner.timeseries.horizon import Horizon

_ON = "must be on (must_run true), at min_power_mw {min_power_mw} MW or more"
COMMITMENT_RULES = {
    "on": _ON,
    "start": _ON,
    "stay_on": (
        "must stay on for min_up_h {min_up_h} h once started, at min_power_mw {min_power_mw} MW or"
        " more"
    ),
    "stay_off": "must stay off for min_down_h {min_down_h} h once stopped",
    "ending": "must end on or off as `ending: {text}` requires",
}
OBLIGED_ON = template(
    "must stay on until {when} (min_up_h {min_up_h}, on for {initial.hours} h), at min_power_mw"
    " {min_power_mw} MW or more"
)
OBLIGED_OFF = template(
    "must stay off until {when} (min_down_h {min_down_h}, off for {initial.hours} h)"
)
OUTAGE = template(
    "cannot run: max_power_mw {max_power_mw} MW x available {available} is 0 or below min_power_mw"
    " {min_power_mw} MW"
)


class Startup(Frozen):
    """The cost of a start after a number of hours off."""

    off_h: Hours
    """Hours off from which this cost applies."""
    cost_cny: AtLeastZero
    """Cost of the start."""


def check_startups(startups: Sequence[Startup]) -> None:
    """Raise FieldError unless start costs begin at once and do not fall with hours off."""
    hours = [startup.off_h for startup in startups]
    prices = [startup.cost_cny for startup in startups]
    if hours[0] != 0 or any(b <= a for a, b in pairwise(hours)):
        raise FieldError(Message("must begin with off_h: 0 and ascend"), "startups")
    if any(b < a for a, b in pairwise(prices)):
        raise FieldError(Message("costs may not fall with hours off"), "startups")


class ThermalInitial(Frozen):
    """The unit when the horizon begins."""

    since_switch: ClassVar[tuple[str, ...]] = ("hours",)
    """Fields that no plan knows where the unit is on and was planned off, or off and planned on."""
    on: bool
    """Whether it is on."""
    power_mw: AtLeastZero = 0.0
    """Its gross power."""
    reserve_mw: AtLeastZero = 0.0
    """Reserve that it offers then, which counts with its power if it stops in the first step."""
    hours: Positive = 24.0
    """Hours for which it has been on or off; a day unless given."""
    starts_today: Count = 0.0
    """Starts earlier in the local day in which the horizon begins, for max_starts_per_day."""

    def check_power(self, low: float, high: float) -> None:
        """Raise FieldError unless the power is that of the state, `low` to `high` MW when on."""
        below, above = exceeds(low, self.power_mw, NOTHING), exceeds(self.power_mw, high, NOTHING)
        if self.on and (below or above):
            message = Message(
                "must lie between min_power_mw {low:g} and max_power_mw {high:g} for a unit that is"
                " on, is {value:g}",
                low=low,
                high=high,
                value=self.power_mw,
            )
            raise FieldError(message, "initial.power_mw")
        for name, value in (("power_mw", self.power_mw), ("reserve_mw", self.reserve_mw)):
            if not self.on and value:
                message = Message("must be 0 for a unit that is off, is {value:g}", value=value)
                raise FieldError(message, f"initial.{name}")
        if exceeds(self.power_mw + self.reserve_mw, high, NOTHING):
            message = Message(
                "must be max_power_mw less initial.power_mw, {most:g}, or less, is {value:g}",
                most=high - self.power_mw, value=self.reserve_mw,
            )  # fmt: skip
            raise FieldError(message, "initial.reserve_mw")


def obliged_until(initial: ThermalInitial, horizon: Horizon, min_h: float, last: int) -> str | None:
    """Return the time until which the past fixes the state of a unit, if step `last` is before."""
    left = horizon.steps_up(min_h) - horizon.steps_up(initial.hours)
    return None if last > left else horizon.until(left)


@dataclass(frozen=True)
class Commitment:
    """The commitment of a unit over a window; all times in steps.

    on, age: its state before the window, and how long it has lasted.
    up, down: minimum times on and off, 1 or more.
    kinds: time off from which each start kind applies, ascending from 0.
    off: steps of outage.
    must_run: whether it must be on wherever it can be.
    ends_on: the state required in the last step, if any.
    past: least steps of the past that other rows need.
    stays: whether its state is constant.
    """

    on: bool
    age: int
    up: int
    down: int
    kinds: tuple[int, ...]
    off: frozenset[int]
    must_run: bool
    ends_on: bool | None
    past: int
    stays: bool

    def build(self, b: pyo.Block, time: Time) -> None:
        """Declare the variables and rows of this module in the unit's block."""
        past = max(self.up, self.down, self.kinds[-1] + 1, self.past)
        b.on = pyo.Var(time.back(past), domain=pyo.Binary)
        b.start = pyo.Var(time.back(past), domain=pyo.Binary)
        b.stop = pyo.Var(time.back(past), domain=pyo.Binary)
        self._fix_states(b, time, past)
        for t in self.off.intersection(time.steps):
            b.on[t].setub(0)
            b.start[t].setub(0)  # without stay_on, start = stop = 1 would count as time off
        if self.must_run:
            for t in self.must_be_on(time.steps):
                b.on[t].setlb(1)
        b.switching = pyo.Constraint(
            time.steps, rule=lambda b, t: b.on[t] - b.on[t - 1] == b.start[t] - b.stop[t]
        )
        off = time.among(self.off)
        b.stay_on = pyo.Constraint(
            [t for t in time.steps if t not in self.off],
            rule=lambda b, t: sum(b.start[t - i] for i in self._since_outage(t, off)) <= b.on[t],
        )
        b.stay_off = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.stop[t - i] for i in range(self.down)) <= 1 - b.on[t],
        )
        if self.ends_on is not None and time.last not in self.off:
            b.ending = pyo.Constraint(expr=b.on[time.last] == int(self.ends_on))
        self._start_kinds(b, time)

    def _fix_states(self, b: pyo.Block, time: Time, past: int) -> None:
        """Fix the variables before the window, in which the unit last switched `age` steps ago.

        Those of the window too, if the unit stays as it is.
        """
        before = time.first - 1
        for t in time.back(past) if self.stays else range(before - past + 1, before + 1):
            switched = t == before - self.age + 1
            since_switch = t > before - self.age
            b.on[t].fix(int(self.on == since_switch))
            b.start[t].fix(int(switched and self.on))
            b.stop[t].fix(int(switched and not self.on))

    def longest_run(self, steps: Iterable[int]) -> int:
        """Return the longest run of a unit that must run over some steps, its past included."""
        age = longest = self.age if self.on else 0
        on = set(self.must_be_on(steps))
        for t in steps:
            age = age + 1 if t in on else 0
            longest = max(longest, age)
        return longest

    def must_be_on(self, steps: Iterable[int]) -> Iterator[int]:
        """Yield the steps in which a unit that must run is on."""
        running, rested = self.on, 0 if self.on else self.age
        for t in steps:
            running = t not in self.off and (running or rested >= self.down)
            rested = 0 if running else rested + 1
            if running:
                yield t

    def _since_outage(self, t: int, off: StepSet) -> range:
        """Return the ages of starts that keep the unit on in step t: none before an outage."""
        return range(next((i for i in range(self.up) if t - i in off), self.up))

    def _start_kinds(self, b: pyo.Block, time: Time) -> None:
        kinds = range(len(self.kinds))
        b.start_kind = pyo.Var(kinds, time.steps, bounds=(0, 1))
        if self.stays:
            for s, t in product(kinds, time.steps):
                b.start_kind[s, t].fix(0)
        b.one_kind = pyo.Constraint(
            time.steps, rule=lambda b, t: sum(b.start_kind[s, t] for s in kinds) == b.start[t]
        )
        b.kind_window = pyo.Constraint(
            kinds[:-1],
            time.steps,
            rule=lambda b, s, t: (
                b.start_kind[s, t]
                <= sum(b.stop[t - i] for i in range(max(self.kinds[s], 1), self.kinds[s + 1]))
            ),
        )


class FuelPoint(Frozen):
    """A point of the fuel curve."""

    power_mw: AtLeastZero
    """Gross power."""
    fuel_gj_per_h: AtLeastZero
    """Fuel burnt at this power."""


NOTHING_BURNT = FuelPoint(power_mw=0.0, fuel_gj_per_h=0.0)


class FuelCurve:
    """A piecewise linear curve through points of ascending power."""

    def __init__(self, points: tuple[FuelPoint, ...]) -> None:
        self.power = [point.power_mw for point in points]
        self.fuel = [point.fuel_gj_per_h for point in points]
        self.lengths = np.diff(self.power).tolist()

    def check(self, low: float, high: float) -> None:
        """Raise FieldError unless the curve ascends in power and covers low..high."""
        if any(length <= 0 for length in self.lengths):
            raise FieldError(Message("power_mw must ascend"), "curve")
        if exceeds(self.power[0], low) or exceeds(high, self.power[-1]):
            message = Message(
                "covers {first:g} to {last:g} MW and must cover {low:g} to {high:g} MW",
                first=self.power[0],
                last=self.power[-1],
                low=low,
                high=high,
            )
            raise FieldError(message, "curve")

    def slopes(self) -> list[float]:
        """Return the slope of every segment, GJ/MWh."""
        slopes: list[float] = (np.diff(self.fuel) / self.lengths).tolist()
        return slopes

    def build(self, b: pyo.Block, time: Time) -> None:
        """Declare the rows between b.fuel_gj_per_h, b.power_mw and b.on."""
        slopes = self.slopes()
        if not slopes:
            b.fuel = pyo.Constraint(
                time.steps, rule=lambda b, t: b.fuel_gj_per_h[t] == self.fuel[0] * b.on[t]
            )
        elif all(y >= x - 1e-12 for x, y in pairwise(slopes)):
            cuts = [f - s * p for f, s, p in zip(self.fuel, slopes, self.power, strict=False)]
            b.fuel = pyo.Constraint(
                range(len(slopes)),
                time.steps,
                rule=lambda b, k, t: (
                    b.fuel_gj_per_h[t] >= slopes[k] * b.power_mw[t] + cuts[k] * b.on[t]
                ),
            )
        else:
            self._build_segments(b, time, slopes)

    def _build_segments(self, b: pyo.Block, time: Time, slopes: list[float]) -> None:
        lengths, every = self.lengths, range(len(slopes))
        b.segment_mw = pyo.Var(every, time.steps, bounds=lambda _, k, t: (0, lengths[k]))  # noqa: ARG005
        b.segment_full = pyo.Var(every[:-1], time.steps, domain=pyo.Binary)
        b.fuel_segments = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.fuel_gj_per_h[t]
                == self.fuel[0] * b.on[t] + sum(slopes[k] * b.segment_mw[k, t] for k in every)
            ),
        )
        b.power_segments = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.power_mw[t] == self.power[0] * b.on[t] + sum(b.segment_mw[k, t] for k in every)
            ),
        )
        b.segment_open = pyo.Constraint(
            every,
            time.steps,
            rule=lambda b, k, t: (
                b.segment_mw[k, t] <= lengths[k] * (b.segment_full[k - 1, t] if k else b.on[t])
            ),
        )
        b.segment_closed = pyo.Constraint(
            every[:-1],
            time.steps,
            rule=lambda b, k, t: b.segment_mw[k, t] >= lengths[k] * b.segment_full[k, t],
        )
