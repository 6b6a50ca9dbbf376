"""Reasons why a battery charges, discharges or rests in a step.

Codes of the decision `power`:

    charges, charges_at_limit         a MWh is worth more in the store than at the node
    discharges, discharges_at_limit   a MWh is worth more at the node than in the store
    unavailable        `available` is 0
    full, empty        charging, or discharging, would pay, and the battery is full, or empty
    held_for_reserve   discharging would pay, and its power or energy is offered as reserve in this
                       step, or its energy in the next
    cycles_used        discharging would pay, and the cycles of the day are used up
    idle               neither pays, or earns the same as resting

The value of a stored MWh is that of keeping it: the dual of `energy` in the next step less the
leak; after the last step it follows from `ending`. `worth of storing` is this value times the
charge efficiency; `stored value` is it over the discharge efficiency, plus the wear.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.battery.battery import Battery
from planner.components.battery.state import EndValue
from planner.components.component import Values, summed
from planner.components.reasons import (
    FLOW,
    LIMIT,
    NEAR,
    PricePair,
    Reason,
    StepPrices,
    compared,
    first_that_holds,
    versus,
)
from planner.components.reserve import reserves_in
from planner.message import Message, MessageList, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

BUYING = PricePair(
    template("price {first} {than} {second} worth of storing"),
    template("price {first} as the worth of storing: both earn the same"),
)
SELLING = PricePair(
    template("price {first} {than} {second} stored value"),
    template("price {first} as the stored value: both earn the same"),
)
RESTS = Message("charging now and discharging later earns the same as resting: it rests")


def reasons(
    battery: Battery, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the reason of every step."""
    charge, discharge = summed("charge_mw", values), summed("discharge_mw", values)
    stored, reserve = summed("energy_mwh", values), summed("reserve_mw", values)
    price = np.array([prices.at(battery.node, o) for o in prices.origins])
    if_kept = _value_if_kept(battery, prices, float(stored[-1]), horizon.step_h)
    into = if_kept * battery.charge_efficiency
    out = if_kept / battery.discharge_efficiency + battery.wear_cny_per_mwh
    steps = np.arange(len(charge))
    holds = np.array([values[f"energy_mwh[{o}]"] for o in prices.origins]) > FLOW
    to_gain = np.where(holds.any(axis=0) & ~holds, -np.inf, price - out)
    to_charge = np.argmax(_chosen(values, "charge_mw", prices, into - price), axis=0)
    to_discharge = np.argmax(_chosen(values, "discharge_mw", prices, to_gain), axis=0)
    buying, worth = price[to_charge, steps], into[to_charge, steps]
    selling, cost = price[to_discharge, steps], out[to_discharge, steps]
    most_in = battery.charge_power_mw * battery.available
    most_out = battery.discharge_power_mw * battery.available
    free, energy = most_out - discharge + charge, stored - battery.min_energy_mwh
    promised = (reserve > FLOW) & (reserve > free - LIMIT)
    reserves = reserves_in(values, prices.components)
    called = 0.0 * stored
    for name, one in reserves.items():
        called = called + one.duration_h * values[f"reserve_mw[{name}]"]
    called = np.maximum(called, np.append(called[1:], 0.0))  # a step later it is held at the start
    promised |= (called > FLOW) & (called > battery.discharge_efficiency * energy - LIMIT)
    cycling = _cycle_prices(prices, horizon)
    bought, sold = compared(BUYING, buying, worth), compared(SELLING, selling, cost)
    neither = [MessageList("; ", pair) for pair in zip(bought, sold, strict=True)]
    discharges, charges = discharge > np.maximum(charge, FLOW), charge > FLOW
    sale, purchase = versus(selling, cost), versus(buying, worth)
    would_sell, would_buy = sale == ">", purchase == "<"
    yield from first_that_holds(
        "power",
        [
            (discharges & (discharge > most_out - LIMIT), "discharges_at_limit", sold),
            (discharges, "discharges", sold),
            (charges & (charge > most_in - LIMIT), "charges_at_limit", bought),
            (charges, "charges", bought),
            ((most_in <= FLOW) & (most_out <= FLOW), "unavailable", Message("available is 0")),
            (would_sell & (energy <= LIMIT), "empty", sold),
            (would_sell & promised, "held_for_reserve", sold),
            (would_sell & (cycling > NEAR), "cycles_used", sold),
            (would_buy & (stored >= battery.capacity_mwh - LIMIT), "full", bought),
            ((sale == "=") | (purchase == "="), "idle", RESTS),
            (True, "idle", neither),
        ],
    )


def _value_if_kept(battery: Battery, prices: StepPrices, last: float, step_h: float) -> Array:
    """Return the value of a MWh kept in the store after a step, CNY; shape (origins, steps)."""
    inside = np.array([prices.row("energy", o) for o in prices.origins])
    later = (1 - battery.leak_per_h) ** step_h * inside[:, 1:]
    least = battery.min_end_mwh
    end = inside[:, -1:]
    if isinstance(battery.ending, EndValue):
        end = np.full_like(end, battery.ending.value_cny_per_mwh)
    elif least is not None and (last > least + LIMIT or least <= battery.min_energy_mwh):
        end = np.zeros_like(end)  # more than is required at the end has no value
    return np.concatenate([later, end], axis=1)


def _chosen(values: Values, flow: str, prices: StepPrices, margin: Array) -> Array:
    """Return a score by origin and step: its flow where there is any flow, else its margin."""
    flows = np.array([values[f"{flow}[{o}]"] for o in prices.origins])
    score = np.where(flows.max(axis=0) > FLOW, flows, margin)
    return np.where(np.isnan(score), -np.inf, score)


def _cycle_prices(prices: StepPrices, horizon: Horizon) -> Array:
    """Return the dual of the daily cycle limit in every step of its day, CNY/MWh."""
    at_last, by_step = np.nan_to_num(prices.row("cycles")), np.zeros(horizon.steps)
    for day in horizon.days:
        by_step[day[0] - 1 : day[-1]] = at_last[day[-1] - 1]
    return by_step
