"""The ramp, the least powers and the starts of a battery, each declared only where it is asked for.

With net[t] = sum_o (discharge_mw[o,t] - charge_mw[o,t]) and net[0] = initial.power_mw:

    ramp_up               net[t] - net[t-1] <= Δ ramp_mw_per_h + fall_in[t]
    ramp_down             net[t-1] - net[t] <= Δ ramp_mw_per_h + fall_out[t]

Where `available` falls, the power may fall with it: fall_out[t] is discharge_power_mw, fall_in[t]
charge_power_mw times max(0, available[t-1] - available[t]). In the first step of the horizon they
are what initial.power_mw exceeds the limit by.

Variables: charge_on[t], discharge_on[t] on points (binary; 0 where `available` is 0, their past
follows from initial.power_mw), charge_start[t], discharge_start[t]. For charging, and likewise for
discharging with discharge_least, discharge_on_limit, discharge_direction, discharge_starts:

    charge_on_limit       sum_o charge_mw[o,t] <= charge_power_mw available[t] charge_on[t]
    charge_least          sum_o charge_mw[o,t] >= min_charge_power_mw available[t] charge_on[t]
    charge_direction      charge_on[t] <= charging[t]          (discharge_on[t] <= 1 - charging[t])
    charge_starts         charge_start[t] >= charge_on[t] - charge_on[t-1]

A start is counted from what a meter shows. So that no plan avoids one by charging nothing, with
start_cost_cny the least power is 0.001 of the most where that is more than the one given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from planner.components.component import Complaint, Site
from planner.components.terms import ByStep, Expression
from planner.components.time import Time
from planner.fields import exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.series import Array

START_SHARE = 1e-3  # of the most power: less than this would hide a start
WAYS = ("charge", "discharge")


class Way(NamedTuple):
    """Charging or discharging: `name` begins the names of its fields and rows.

    power: MW by step. least_mw: least power where it is on and all is available. before: whether
    it was on before the window. direction: the switch that must be 1 where it is on.
    """

    name: str
    power: ByStep
    max_mw: float
    least_mw: float
    before: bool
    direction: ByStep


def check_ramp(
    ramp: float | None, least_mw: Mapping[str, float], site: Site
) -> Iterator[Complaint]:
    """Yield that a least power, by field, is out of reach of the ramp: a step must lead to it."""
    step_h = site.horizon.step_h
    name, value = max(least_mw.items(), key=lambda item: item[1])
    if ramp is not None and exceeds(value, ramp * step_h):
        message = Message(
            "must be {least:g} MW/h or more, so that a step of {minutes} min leads from 0 to"
            " {name} {value:g} MW, is {ramp:g}",
            least=value / step_h,
            minutes=site.horizon.step_min,
            name=name,
            value=value,
            ramp=ramp,
        )
        yield ("ramp_mw_per_h",), message


def limit_ramp(
    b: pyo.Block,
    time: Time,
    ramp: float | None,
    net: ByStep,
    before_mw: float,
    limits: tuple[Array, Array],
) -> None:
    """Declare by how much the net power may change from step to step, if that has a limit.

    limits: the most charge and discharge by step, MW.
    """
    if ramp is None:
        return
    most = time.step_h * ramp

    def change(t: int) -> Expression:
        return net(t) - (net(t - 1) if t > time.first else before_mw)

    def falls(limit: Array, power_mw: float) -> ByStep:
        before = float(limit[time.first - 2]) if time.first > 1 else power_mw
        by_step = time.of(limit, before)
        return lambda t: max(0.0, by_step[t - 1] - by_step[t])

    fall_in, fall_out = falls(limits[0], -before_mw), falls(limits[1], before_mw)
    b.ramp_up = pyo.Constraint(time.steps, rule=lambda _, t: change(t) <= most + fall_in(t))
    b.ramp_down = pyo.Constraint(time.steps, rule=lambda _, t: -change(t) <= most + fall_out(t))


def commit(
    b: pyo.Block, time: Time, ways: Sequence[Way], available: Array, start_cost_cny: float
) -> ByStep | None:
    """Declare when it charges and when it discharges; return the cost of the starts, if any."""
    share, starts = time.of(available), []
    for way in ways:
        if way.least_mw:
            _be_on(b, time, way, share)
            if start_cost_cny:
                starts.append(_start(b, time, way))
    return (lambda t: start_cost_cny * sum(start[t] for start in starts)) if starts else None


def _be_on(b: pyo.Block, time: Time, way: Way, share: Mapping[int, float]) -> None:
    on = pyo.Var(time.points, domain=pyo.Binary)
    b.add_component(f"{way.name}_on", on)
    on[time.first - 1].fix(int(way.before))
    for t in time.steps:
        if not share[t]:
            on[t].setub(0)
    rows = {
        "on_limit": lambda _, t: way.power(t) <= way.max_mw * share[t] * on[t],
        "least": lambda _, t: way.power(t) >= way.least_mw * share[t] * on[t],
        "direction": lambda _, t: on[t] <= way.direction(t),
    }
    for name, rule in rows.items():
        b.add_component(f"{way.name}_{name}", pyo.Constraint(time.steps, rule=rule))


def _start(b: pyo.Block, time: Time, way: Way) -> Any:
    on, start = b.component(f"{way.name}_on"), pyo.Var(time.steps, bounds=(0, 1))
    b.add_component(f"{way.name}_start", start)
    starts = pyo.Constraint(time.steps, rule=lambda _, t: start[t] >= on[t] - on[t - 1])
    b.add_component(f"{way.name}_starts", starts)
    return start
