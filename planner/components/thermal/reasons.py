"""Reasons why a thermal unit runs as it does in a step.

Codes of the decision `run`:

    starts                  first step of a run; the figures are those of the whole run
    stops, off              first step of a rest, and the steps after it
    must_stop               first step of a rest: it has been on for max_up_h
    must_rest               off, within min_down_h of the stop
    starts_used             off, and the starts of the local day are used up
    must_run_on             at the minimum, within min_up_h of the start
    outage                  cannot run: nothing or too little is available
    at_minimum, at_maximum  at the minimum or the maximum power, reserve included
    ramps_up, ramps_down    between both, and rises, reserve included, or falls as fast as it may
    between                 between both: its fuel sets the price, or another rule holds it there

`fuel` is the marginal cost of a net MWh, with other variable cost, and with carbon above the
allowance; of a run it is the mean cost including the start, of a rest the mean cost at the minimum
power. A start is a decision over many hours, which the price of no single hour explains. Where the
price does not explain the power, the reason names the other rules that act in this step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from planner.components.component import Values, summed
from planner.components.reasons import (
    LIMIT,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    acting_rules,
    also,
    also_others,
    first_that_holds,
    has_price,
)
from planner.components.reserve import reserves_for
from planner.components.thermal.commitment import FuelCurve
from planner.components.thermal.thermal import Thermal
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

LIMITS = frozenset({"at_maximum"})
RESTING = PricePair(
    template("price {first} {than} {second} fuel per MWh at min_power_mw"),
    template("price {first} as fuel per MWh at min_power_mw: both earn the same"),
)
RUNNING = PricePair(
    template("price {first} {than} {second} fuel"),
    template("price {first} as fuel: both earn the same"),
)
RUN = PricePair(
    template("mean price {first} {than} {second} fuel and start, over {steps} steps"),
    template("mean price {first} as fuel and start, over {steps} steps: both earn the same"),
)


WITH_IT = Message("these prices hold with the unit on; without it energy would cost more")


class RunningCost(NamedTuple):
    """The cost of running by step, with carbon: CNY per GJ of fuel, and CNY per gross MWh."""

    gj: Array
    mwh: Array


def reasons(
    unit: Thermal, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the reason of every step."""
    start, forced_off = unit.initial, unit.forced_off() > 0
    on, power = np.round(values["on"]).astype(bool), values["power_mw"]
    was_on = np.concatenate([[start.on], on[:-1]])
    before = np.concatenate([[start.power_mw if start.on else 0.0], power[:-1]])
    with_reserve = power + summed("reserve_mw", values)
    at_maximum, at_minimum = (
        with_reserve >= unit.highest_mw() - LIMIT,
        power <= unit.min_power_mw + LIMIT,
    )
    rises = _rises(unit, values, prices, (power - before) / horizon.step_h)
    falls = before - power > unit.ramp_down_mw_per_h * horizon.step_h - LIMIT
    age = _steps_in_state(on, start.on, horizon.steps_up(start.hours))
    resting, obliged = (age < horizon.steps_up(h) for h in (unit.min_down_h, unit.min_up_h))

    origin = "thermal" if "thermal" in prices.origins else prices.origins[0]
    price, cost = prices.at(unit.node, origin), _cost(unit, prices)
    marginal = _marginal(unit, power, at_minimum & ~at_maximum & ~obliged, cost)
    off = PriceComparison(RESTING, price, _mean_cost(unit, unit.min_power_mw, cost)).message
    run_prices = PriceComparison(RUNNING, price, marginal)
    unexplained = np.where(
        at_maximum | rises, run_prices.signs == "<",
        np.where(at_minimum | falls, run_prices.signs == ">", run_prices.signs != "="),
    )  # fmt: skip
    others = _other_rules(values, prices, rises, falls)
    running = also_others(run_prices.message, unexplained, others)
    min_up = Message("min_up_h {hours:g}", hours=unit.min_up_h)
    min_down = Message("min_down_h {hours:g}", hours=unit.min_down_h)
    max_up = Message("max_up_h {hours:g}", hours=unit.max_up_h or 0.0)
    max_starts = Message("max_starts_per_day {n:g}", n=unit.max_starts_per_day or 0.0)
    longest = unit.duty.max_up(horizon)
    ran = np.concatenate([[horizon.steps_up(start.hours)], age[:-1] + 1])
    run_ends = was_on & (ran >= longest) & (longest > 0)

    def starting(t: int) -> Message:
        run = _run(unit, values, price, t, horizon, cost)
        return also(lambda _: run.message(0), WITH_IT)(t) if run.signs == "<" else run.message(0)

    yield from first_that_holds(
        "run",
        [
            (~on & forced_off, "outage", Message("available is too small for min_power_mw")),
            (~on & run_ends, "must_stop", also(off, max_up)),
            (~on & was_on, "stops", off),
            (~on & resting, "must_rest", also(off, min_down)),
            (~on & unit.duty.starts_used(on, horizon), "starts_used", also(off, max_starts)),
            (~on, "off", off),
            (~was_on, "starts", starting),
            (at_maximum, "at_maximum", running),
            (at_minimum & obliged, "must_run_on", also(running, min_up)),
            (at_minimum, "at_minimum", running),
            (rises, "ramps_up", running),
            (falls, "ramps_down", running),
            (True, "between", running),
        ],
    )


def _other_rules(
    values: Values, prices: StepPrices, rises: np.ndarray, falls: np.ndarray
) -> list[list[str]]:
    """Return by step which other rules act on the power of the unit, else on the site."""
    offered = prices.zero() + summed("reserve_mw", values)
    return acting_rules(
        {
            "ramp_up_mw_per_h": rises | has_price(prices, "ramp_up", lasting=True),
            "ramp_down_mw_per_h": falls | has_price(prices, "ramp_down", lasting=True),
            "startup_ramp_mw": has_price(prices, "ceiling_start"),
            "shutdown_ramp_mw": has_price(prices, "ceiling_stop") | has_price(prices, "ceiling"),
            "reserve": offered > LIMIT,
        },
        prices,
    )


def _rises(unit: Thermal, values: Values, prices: StepPrices, rise_mw_per_h: Array) -> np.ndarray:
    """Return by step whether the rise and the reserve use the whole ramp."""
    spare = unit.ramp_up_mw_per_h - rise_mw_per_h
    reserves = reserves_for(prices)
    rises = spare < LIMIT
    for within in reserves.values():
        sooner = [j for j, one in reserves.items() if one.response_min <= within.response_min]
        offered = np.sum([values[f"reserve_mw[{j}]"] for j in sooner], axis=0)
        rises |= (offered > LIMIT) & (offered > within.response_min / 60 * spare - LIMIT)
    return np.asarray(rises)


def _steps_in_state(on: np.ndarray, was_on: bool, age: int) -> np.ndarray:
    """Return for each step how many steps the state of the unit has lasted before it."""
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


def _marginal(unit: Thermal, power: Array, upwards: np.ndarray, cost: RunningCost) -> Array:
    """Return the marginal cost of a net MWh, CNY: of one more where `upwards`, else of one less."""
    curve = FuelCurve(unit.curve)
    if len(curve.power) == 1:
        return _mean_cost(unit, power, cost)
    ends, slopes = np.array(curve.power[1:]), np.array(curve.slopes())
    side = np.where(upwards, LIMIT, -LIMIT)
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
) -> PriceComparison:
    """Compare the mean price and cost per net MWh of a run, from its start to its stop."""
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
    return PriceComparison(RUN, mean_price, mean_cost, steps=[len(net)])
