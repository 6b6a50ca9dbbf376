"""Why a thermal unit runs as it does in a step.

Codes of the decision `run`:

    starts                  begins to run; the figures are those of the whole run that follows
    stops, off              first step of a rest, and the steps after it
    must_rest               off, and min_down_h since the stop is not over
    must_run_on             at the minimum, and min_up_h since the start is not over
    outage                  cannot run: nothing or too little is available
    at_minimum, at_maximum  runs at the least, or most, it can give, reserve included
    ramps_up, ramps_down    runs between and rises, or falls, as fast as it may
    between                 runs between: its fuel is what sets the price

`fuel` is the cost of one more net MWh where it runs, other variable cost included, and carbon above
the allowance; of a run it is the mean with the start in it, of a rest the mean at the minimum
power. A start is a decision over many hours: no price of one hour makes it, and none is claimed to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from planner.components.component import Values, summed
from planner.components.reasons import (
    LIMIT,
    Reason,
    StepPrices,
    compared,
)
from planner.components.thermal.commitment import FuelCurve
from planner.components.thermal.thermal import Thermal
from planner.message import Message, MessageList, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

RESTING = template("price {first} {than} {second} fuel per MWh at min_power_mw")
RUNNING = template("price {first} {than} {second} fuel")


class RunningCost(NamedTuple):
    """What running costs by step, carbon in both: CNY per GJ of fuel, and CNY per gross MWh."""

    gj: Array
    mwh: Array


def reasons(
    unit: Thermal, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the code and the figures of every step."""
    origin = "thermal" if "thermal" in prices.origins else prices.origins[0]
    price = prices.at(unit.node, origin)
    on, power = np.round(values["on"]).astype(bool), values["power_mw"]
    codes = _codes(unit, values, on, power, horizon)
    cost = _cost(unit, prices)
    marginal = _marginal(unit, power, codes, cost)
    at_least = _mean_cost(unit, unit.min_power_mw, cost)
    resting, running = compared(RESTING, price, at_least), compared(RUNNING, price, marginal)
    obliged = {"must_rest": Message("min_down_h {hours:g}", hours=unit.min_down_h),
               "must_run_on": Message("min_up_h {hours:g}", hours=unit.min_up_h)}  # fmt: skip
    for t, code in enumerate(codes.tolist()):
        if code == "outage":
            message = Message("available is too small for min_power_mw")
        elif code in ("off", "stops", "must_rest"):
            message = resting[t]
        elif code == "starts":
            message = _run(unit, values, price, t, horizon, cost)
        else:
            message = running[t]
        if code in obliged:
            message = MessageList("; ", (message, obliged[code]))
        yield Reason(t + 1, "run", code, message)


def _codes(
    unit: Thermal, values: Values, on: np.ndarray, power: Array, horizon: Horizon
) -> np.ndarray:
    given = power + summed("reserve_mw", values)
    start = unit.initial
    before = np.concatenate([[start.power_mw if start.on else 0.0], power[:-1]])
    was_on = np.concatenate([[start.on], on[:-1]])
    rise = given - before > unit.ramp_up_mw_per_h * horizon.step_h - LIMIT
    fall = before - power > unit.ramp_down_mw_per_h * horizon.step_h - LIMIT
    most = np.maximum(unit.max_power_mw * unit.available, unit.min_power_mw)
    age = _steps_in_state(on, start.on, horizon.steps_up(start.hours))
    resting, obliged = (age < horizon.steps_up(h) for h in (unit.min_down_h, unit.min_up_h))
    least = power <= unit.min_power_mw + LIMIT
    return np.select(
        [
            ~on & (unit.forced_off() > 0), ~on & was_on, ~on & resting, ~on, on & ~was_on,
            given >= most - LIMIT, least & obliged, least, rise, fall,
        ],
        [
            "outage", "stops", "must_rest", "off", "starts",
            "at_maximum", "must_run_on", "at_minimum", "ramps_up", "ramps_down",
        ],
        "between",
    )  # fmt: skip


def _steps_in_state(on: np.ndarray, was_on: bool, age: int) -> np.ndarray:
    """Return for each step how many before it the unit has been on, or off, as it is in it."""
    ages = np.zeros(len(on), dtype=int)
    for t, state in enumerate(on):
        age = age if state == was_on else 0
        ages[t], was_on, age = age, state, age + 1
    return ages


def _cost(unit: Thermal, prices: StepPrices) -> RunningCost:
    price, budget = prices.tonne()
    allowed = unit.allowance_tco2_per_mwh * (1 - unit.auxiliary_share)
    return RunningCost(
        unit.fuel_price_cny_per_gj + unit.emission_tco2_per_gj * (price + budget),
        unit.variable_cost_cny_per_mwh - allowed * price,
    )


def _marginal(unit: Thermal, power: Array, codes: np.ndarray, cost: RunningCost) -> Array:
    """Return the cost of a net MWh at the margin, CNY: upwards at the minimum, else downwards."""
    curve = FuelCurve(unit.curve)
    if len(curve.power) == 1:
        return _mean_cost(unit, power, cost)
    ends, slopes = np.array(curve.power[1:]), np.array(curve.slopes())
    side = np.where(codes == "at_minimum", LIMIT, -LIMIT)
    segment = np.minimum(np.searchsorted(ends, power + side), len(slopes) - 1)
    gross = slopes[segment] * cost.gj + cost.mwh
    return np.asarray(gross / (1 - unit.auxiliary_share))


def _mean_cost(unit: Thermal, power: Array, cost: RunningCost) -> Array:
    """Return the mean cost of a net MWh at a power, CNY."""
    curve = FuelCurve(unit.curve)
    fuel = np.interp(power, curve.power, curve.fuel) * cost.gj
    gross = fuel / np.maximum(power, LIMIT) + cost.mwh
    return np.asarray(gross / (1 - unit.auxiliary_share))


def _run(
    unit: Thermal, values: Values, price: Array, first: int, horizon: Horizon, cost: RunningCost
) -> Message:
    """Return what a run earns and costs per net MWh, from its start to its stop or the end."""
    rest = np.flatnonzero(np.round(values["on"][first:]) == 0)
    run = slice(first, first + int(rest[0]) if rest.size else horizon.steps)
    gross = values["power_mw"][run] * horizon.step_h
    net = gross * (1 - unit.auxiliary_share)
    fuel = values["fuel_gj_per_h"][run] * horizon.step_h * cost.gj[run]
    kinds = enumerate(unit.startups)
    begin = sum(float(values[f"start_kind[{s}]"][first]) * kind.cost_cny for s, kind in kinds)
    spent = begin + float((fuel + cost.mwh[run] * gross).sum())
    mwh = max(float(net.sum()), LIMIT)
    earned = float((price[run] * net).sum())
    mean_price, mean_cost = np.array([earned / mwh]), np.array([spent / mwh])
    (prices,) = compared(RUNNING, mean_price, mean_cost)
    return Message(
        "mean price {first} {than} {second} fuel and start, over {steps} steps",
        **prices.places,
        steps=len(net),
    )
