"""The power of a thermal unit that is on: its range, its ramps, and its start and stop ramps.

Variables: power_above_min_mw[t] on points, reserve_mw[j,t] per reserve j.

With p = power_above_min_mw, r = sum_j reserve_mw[j] (r[0] = initial.reserve_mw), Pmin and Pmax the limits of the
step (Pmax with what is available), G = Pmax - Pmin, UT the minimum time on in steps, SU and SD the most power in
the step of a start and in the step before a stop, RU and RD the ramps of a step of Δ hours (without startup_ramp_mw
SU = max(Pmin, RU), without shutdown_ramp_mw SD = max(Pmin, RD)):

    ceiling         UT >= 2: p[t] + r[t] <= G on[t] - (Pmax - SU) start[t] - (Pmax - SD) stop[t+1]
    ceiling_start   UT = 1:  p[t] + r[t] <= G on[t] - (Pmax - SU) start[t] - max(SU - SD, 0) stop[t+1]
    ceiling_stop    UT = 1:  p[t] + r[t] <= G on[t] - (Pmax - SD) stop[t+1] - max(SD - SU, 0) start[t]
                    (Morales-España, Latorre & Ramos 2013; no stop[T+1]); ceiling also for a unit that stays on
    first_stop      p[0] + r[0] <= G on[0] - (Pmax - SD) stop[1]          (the past is a fact: no start term)
    ramp_up         rise[t] <= RU       rise[t] = p[t] - p[t-1] + (Pmin[t] - Pmin[t-1]) (on[t] - start[t])
    ramp_down       -rise[t] <= RD
    reserve_response   for each response_min R of the reserves, in hours:
                    sum of reserve_mw[j,t] over j with response_min <= R  <=  R ramp_up_mw_per_h
    reserve_ramp    the same sum  <=  R (ramp_up_mw_per_h - rise[t] / Δ)

The ramps also bind above the minimum in the step of a start and before a stop: a start reaches
Pmin + RU at most, even with a larger SU. What a unit rises by uses a part of its ramp, and reserve has
the rest; reserve that is wanted sooner is delivered first. An outage trips the unit from any power: the rows that
would forbid that (ramp_down, the stop terms, first_stop) are omitted for it.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.components.component import Values
from planner.components.reserve import Reserve
from planner.components.terms import ByStep, Expression
from planner.components.thermal.commitment import Commitment
from planner.components.time import Time
from planner.fields import exceeds, too_small
from planner.modelling import pyo
from planner.modelling.vectors import Known

_CEILING = (
    "gives nothing when off and min_power_mw {min_power_mw} to max_power_mw {max_power_mw} MW x"
    " available {available} when on, at most startup_ramp_mw {startup_ramp_mw} MW in the step of a"
    " start and shutdown_ramp_mw {shutdown_ramp_mw} MW before a stop"
)
_RESERVE = (
    "offers as reserve only what it can rise by within response_min, at ramp_up_mw_per_h"
    " {ramp_up_mw_per_h} MW/h"
)
RAMP_RULES = {
    "ceiling": _CEILING,
    "ceiling_start": _CEILING,
    "ceiling_stop": _CEILING,
    "first_stop": (
        "may stop only from shutdown_ramp_mw {shutdown_ramp_mw} MW or less and begins at"
        " initial.power_mw {initial.power_mw} MW with initial.reserve_mw {initial.reserve_mw} MW"
    ),
    "ramp_up": "may rise by ramp_up_mw_per_h {ramp_up_mw_per_h} MW/h at most",
    "reserve_response": _RESERVE,
    "reserve_ramp": _RESERVE,
    "ramp_down": "may fall by ramp_down_mw_per_h {ramp_down_mw_per_h} MW/h at most",
}


def check_edges(startup_mw: float | None, shutdown_mw: float | None, least_mw: float) -> None:
    """Raise FieldError unless a unit reaches its least power when it starts and stops."""
    for name, ramp in (("startup_ramp_mw", startup_mw), ("shutdown_ramp_mw", shutdown_mw)):
        if ramp is not None and exceeds(least_mw, ramp):
            raise too_small(name, ramp, "min_power_mw", least_mw)


def left_mw(values: Values, low: float, high: float) -> dict[str, float]:
    """Return the power and the reserve of a unit that is on in the last step, as fields."""
    power = min(max(float(values["power_mw"][-1]), low), high)
    reserve = sum(float(of[-1]) for name, of in values.items() if name.startswith("reserve_mw["))
    return {"power_mw": power, "reserve_mw": min(max(reserve, 0.0), high - power)}


@dataclass(frozen=True)
class Ramps:
    """The power of a unit over a window.

    low, high: least and most gross power in each step and at the point before the window; high is
    no less than low.
    rise, fall: ramps of a step, MW.
    startup_mw, shutdown_mw: most power in the step of a start and before a stop; where below the
    minimum of a step, the minimum.
    before_mw: power above the minimum before the window.
    reserve_before_mw: reserve offered before the window.
    commitment: its minimum time on, its outages, and whether it stays on.
    """

    low: Known
    high: Known
    rise: float
    fall: float
    startup_mw: float
    shutdown_mw: float
    before_mw: float
    reserve_before_mw: float
    commitment: Commitment

    def build(self, b: pyo.Block, time: Time, reserves: Mapping[str, Reserve]) -> None:
        """Declare the variables and rows of this module, which need b.on, b.start and b.stop."""
        b.power_above_min_mw = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.power_above_min_mw[time.first - 1].fix(self.before_mw)
        if reserves:
            b.reserve_mw = pyo.Var(list(reserves), time.steps, domain=pyo.NonNegativeReals)
        power = b.power_above_min_mw

        def with_reserve(t: int) -> Expression:
            return power[t] + sum(b.reserve_mw[j, t] for j in reserves) if reserves else power[t]

        self._ceilings(b, time, with_reserve)
        b.ramp_up = pyo.Constraint(
            time.steps, rule=lambda b, t: power[t] - power[t - 1] <= self.rise - self._shift(b, t)
        )
        b.ramp_down = pyo.Constraint(
            [t for t in time.steps if t not in self.commitment.off],
            rule=lambda b, t: power[t - 1] - power[t] <= self.fall + self._shift(b, t),
        )
        if reserves:
            self._reserve_ramps(b, time, reserves)

    def _reserve_ramps(self, b: pyo.Block, time: Time, reserves: Mapping[str, Reserve]) -> None:
        power, minutes = b.power_above_min_mw, {one.response_min for one in reserves.values()}
        steps = {within: within / 60 / time.step_h for within in sorted(minutes)}

        def wanted(b: pyo.Block, within: float, t: int) -> Expression:
            return sum(b.reserve_mw[j, t] for j, r in reserves.items() if r.response_min <= within)

        def spare(b: pyo.Block, t: int) -> Expression:
            return self.rise - self._shift(b, t) - (power[t] - power[t - 1])

        b.reserve_response = pyo.Constraint(
            list(steps),
            time.steps,
            rule=lambda b, within, t: wanted(b, within, t) <= steps[within] * self.rise,
        )
        b.reserve_ramp = pyo.Constraint(
            list(steps),
            time.steps,
            rule=lambda b, within, t: wanted(b, within, t) <= steps[within] * spare(b, t),
        )

    def _ceilings(self, b: pyo.Block, time: Time, power: ByStep) -> None:
        outages = time.among(self.commitment.off)

        def range_mw(t: int) -> Expression:
            return (self.high[t] - self.low[t]) * b.on[t]

        def stop(t: int) -> Expression:
            return b.stop[t + 1] if t < time.last and t + 1 not in outages else 0.0

        def below_start(t: int) -> float:
            return self.high[t] - self._capped(self.startup_mw, t)

        def below_stop(t: int) -> float:
            return self.high[t] - self._capped(self.shutdown_mw, t)

        def ceiling(at_start: Callable[[int], float], at_stop: Callable[[int], float]) -> Any:
            return pyo.Constraint(
                time.steps,
                rule=lambda b, t: (
                    power(t) <= range_mw(t) - at_start(t) * b.start[t] - at_stop(t) * stop(t)
                ),
            )

        if self.commitment.up >= 2 or self.commitment.stays:
            b.ceiling = ceiling(below_start, below_stop)
        else:
            b.ceiling_start = ceiling(below_start, lambda t: max(below_stop(t) - below_start(t), 0))
            b.ceiling_stop = ceiling(lambda t: max(below_start(t) - below_stop(t), 0), below_stop)
        before, reserve = time.first - 1, self.reserve_before_mw
        if (self.before_mw or reserve) and time.first not in outages and below_stop(before):
            b.first_stop = pyo.Constraint(
                expr=b.power_above_min_mw[before] + reserve
                <= range_mw(before) - below_stop(before) * stop(before)
            )

    def _capped(self, ramp: float, t: int) -> float:
        return min(max(ramp, self.low[t]), self.high[t])

    def _shift(self, b: pyo.Block, t: int) -> Expression:
        """Return by how much a rising minimum raises the power of a unit that stays on."""
        rise = self.low[t] - self.low[t - 1]
        return rise * (b.on[t] - b.start[t]) if rise else 0.0
