"""Reasons why a battery charges, discharges or rests in a step.

Codes of the decision `power`:

    charges, charges_at_limit         a MWh is worth more in the store than at the node
    discharges, discharges_at_limit   a MWh is worth more at the node than in the store
    charges_for_target, discharges_for_target   it does so only for one of `energy_targets`
    charges_at_least, discharges_at_least       its power is the least at which it does so
    ramping             ramp_mw_per_h limits the change of its power, in this step or into the next
    unavailable         `available` is 0
    full, empty         charging, or discharging, would pay, and the battery is full, or empty
    held_for_reserve    discharging would pay, and its power or energy is offered as reserve in
                        this step, or its energy in the next
    cycles_used         discharging would pay, and the cycles of the day are used up
    own_use_only        it would pay to do more if its energy might be exported
    held_for_target     discharging, or charging, would pay without one of `energy_targets`
    not_started         it would pay, but for the least power or the cost of a start
    origin_not_allowed  charging would pay with energy that `charge_from` does not list
    idle                neither pays, or earns the same as resting

The value of a stored MWh is that of keeping it: the dual of `energy` in the next step less the
leak, plus that of a target at the end of the step; after the last step it follows from `ending`.
`worth of storing` is this value times the charge efficiency; `stored value` is it over the
discharge efficiency, plus the wear.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.battery.battery import Battery
from planner.components.battery.commitment import WAYS
from planner.components.battery.own_use import unsold_nodes
from planner.components.battery.state import EndValue
from planner.components.battery.targets import time_text
from planner.components.component import POOLED, Values, summed
from planner.components.reasons import (
    FLOW,
    LIMIT,
    NEAR,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    StepText,
    acting_rules,
    also_others,
    first_that_holds,
    money,
    versus,
)
from planner.components.reserve import reserves_for
from planner.message import Message, MessageList, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

LIMITS = frozenset({"charges_at_limit", "discharges_at_limit", "full", "cycles_used"})
BUYING = PricePair(
    template("price {first} {than} {second} worth of storing"),
    template("price {first} as the worth of storing: both earn the same"),
)
SELLING = PricePair(
    template("price {first} {than} {second} stored value"),
    template("price {first} as the stored value: both earn the same"),
)
RAMPING = template("its power may change by ramp_mw_per_h {value:g} MW/h at most")
OF_TARGET = template("{value} of it for the target at {when}")
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
    allowed = np.array([o in (*battery.charge_from, *POOLED) for o in prices.origins])
    gain = into - price
    if_allowed = np.where(allowed[:, None], gain, -np.inf)
    to_charge = np.argmax(_chosen(values, "charge_mw", prices, if_allowed), axis=0)
    to_discharge = np.argmax(_chosen(values, "discharge_mw", prices, to_gain), axis=0)
    buying, worth = price[to_charge, steps], into[to_charge, steps]
    selling, cost = price[to_discharge, steps], out[to_discharge, steps]
    best = np.argmax(np.where(allowed[:, None], -np.inf, gain), axis=0)
    barred_purchase = PriceComparison(BUYING, price[best, steps], into[best, steps])
    barred = ~allowed.all() & (barred_purchase.signs == "<")
    most_in = battery.charge_power_mw * battery.available
    most_out = battery.discharge_power_mw * battery.available
    least_in, least_out = (battery.least_mw_of(way) * battery.available for way in WAYS)
    free, energy = most_out - discharge + charge, stored - battery.min_energy_mwh
    promised = (reserve > FLOW) & (reserve > free - LIMIT)
    calls = (r.duration_h * values[f"reserve_mw[{j}]"] for j, r in reserves_for(prices).items())
    called = sum(calls, prices.zero())
    called = np.maximum(called, np.append(called[1:], 0.0))  # a step later it is held at the start
    promised |= (called > FLOW) & (called > battery.discharge_efficiency * energy - LIMIT)
    cycling = _cycle_prices(prices, horizon)
    purchase, sale = PriceComparison(BUYING, buying, worth), PriceComparison(SELLING, selling, cost)

    def neither(t: int) -> Message:
        return MessageList("; ", (bought(t), sold(t)))

    steep = np.nan_to_num(prices.row("ramp_up")) + np.nan_to_num(prices.row("ramp_down")) > NEAR
    steep |= np.append(steep[1:], False)
    offered = prices.zero() + reserve > FLOW
    others = acting_rules(
        {
            "min_charge_power_mw": (charge > FLOW) & (charge < least_in + LIMIT),
            "min_discharge_power_mw": (discharge > FLOW) & (discharge < least_out + LIMIT),
            "ramp_mw_per_h": steep,
            "reserve": offered | np.append(offered[1:], False),
            "cycles_per_day": cycling > NEAR,
        },
        prices,
    )
    discharges, charges = discharge > np.maximum(charge, FLOW), charge > FLOW
    would_sell, would_buy = sale.signs == ">", purchase.signs == "<"
    for_target = _of_targets(battery, prices, stored, horizon.step_h)
    worth_else = worth - battery.charge_efficiency * for_target
    cost_else = cost - for_target / battery.discharge_efficiency
    sells_else, buys_else = versus(selling, cost_else), versus(buying, worth_else)
    targeted = np.abs(for_target) > NEAR
    at_a_loss = (charge > FLOW) & (purchase.signs == ">") & ~(targeted & (buys_else == ">"))
    bought = also_others(purchase.message, at_a_loss, others)
    at_a_loss = (discharge > FLOW) & (sale.signs == "<") & ~(targeted & (sells_else == "<"))
    sold = also_others(sale.message, at_a_loss, others)
    bought_for, sold_for = (
        _with_target(battery, text, for_target * factor, horizon)
        for text, factor in (
            (bought, battery.charge_efficiency), (sold, 1 / battery.discharge_efficiency)
        )
    )  # fmt: skip
    ramping = Message(RAMPING, value=battery.ramp_mw_per_h or 0.0)
    own = np.array([_own_use_price(battery, prices, o) for o in prices.origins])
    unsold = own[to_discharge, steps] > NEAR
    yield from first_that_holds(
        "power",
        [
            (discharges & (discharge > most_out - LIMIT), "discharges_at_limit", sold),
            (charges & ~discharges & (charge > most_in - LIMIT), "charges_at_limit", bought),
            ((discharges | charges) & steep, "ramping", ramping),
            (discharges & unsold, "own_use_only", sold),
            (discharges & targeted & (sells_else == "<"), "discharges_for_target", sold_for),
            (discharges & (discharge < least_out + LIMIT), "discharges_at_least", sold),
            (discharges, "discharges", sold),
            (charges & targeted & (buys_else == ">"), "charges_for_target", bought_for),
            (charges & (charge < least_in + LIMIT), "charges_at_least", bought),
            (charges, "charges", bought),
            ((most_in <= FLOW) & (most_out <= FLOW), "unavailable", Message("available is 0")),
            (would_sell & (energy <= LIMIT), "empty", sold),
            (would_sell & promised, "held_for_reserve", sold),
            (would_sell & (cycling > NEAR), "cycles_used", sold),
            (unsold, "own_use_only", sold),
            (steep, "ramping", ramping),
            (would_sell & (least_out > 0), "not_started", sold),
            (would_buy & (stored >= battery.capacity_mwh - LIMIT), "full", bought),
            (would_buy & (least_in > 0), "not_started", bought),
            (targeted & ~would_sell & (sells_else == ">"), "held_for_target", sold_for),
            (targeted & ~would_buy & (buys_else == "<"), "held_for_target", bought_for),
            (would_buy & (not battery.discharge_to_grid), "own_use_only", bought),
            (barred, "origin_not_allowed", barred_purchase.message),
            ((sale.signs == "=") | (purchase.signs == "="), "idle", RESTS),
            (True, "idle", neither),
        ],
    )


def _of_targets(battery: Battery, prices: StepPrices, stored: Array, step_h: float) -> Array:
    """Return the part of the value of a MWh kept after a step that targets to come give it, CNY.

    A full or an empty battery does not pass it on to earlier steps.
    """
    value, retained = _target_prices(prices), (1 - battery.leak_per_h) ** step_h
    low, high = battery.min_energy_mwh + LIMIT, battery.capacity_mwh - LIMIT
    for t in range(len(value) - 2, -1, -1):
        if low < stored[t + 1] < high:
            value[t] += retained * value[t + 1]
    return value


def _target_prices(prices: StepPrices) -> Array:
    """Return what a MWh more in the store is worth to the target at the end of a step, CNY."""
    rows = (np.nan_to_num(prices.row(name)) for name in ("target_least", "target_most"))
    return -np.asarray(sum(rows))


def _with_target(battery: Battery, text: StepText, values: Array, horizon: Horizon) -> StepText:
    """Return the message of each step with the part of a value that is for the next target."""
    points = sorted(target.point for target in battery.energy_targets)

    def with_target(t: int) -> Message:
        point = next((point for point in points if point > t), 0)
        part = Message(OF_TARGET, value=money(values[t]), when=time_text(point, horizon))
        return MessageList("; ", (text(t), part))

    return with_target


def _own_use_price(battery: Battery, prices: StepPrices, origin: str) -> Array:
    """Return the dual of the rule that its energy is used on the site, CNY."""
    if battery.discharge_to_grid:
        return prices.zero()
    first = next(iter(unsold_nodes(prices)))
    return np.nan_to_num(prices.rows(first, "own_use", (battery.node, origin)))


def _value_if_kept(battery: Battery, prices: StepPrices, last: float, step_h: float) -> Array:
    """Return the value of a MWh kept in the store after a step, CNY; shape (origins, steps)."""
    inside = np.array([prices.row("energy", o) for o in prices.origins])
    later = (1 - battery.leak_per_h) ** step_h * inside[:, 1:]
    least, most = battery.min_end_mwh, battery.max_end_mwh
    end, of_target = inside[:, -1:], _target_prices(prices)
    if isinstance(battery.ending, EndValue):
        end = np.full_like(end, battery.ending.value_cny_per_mwh) + of_target[-1]
    elif (least is None or last > least + LIMIT or least <= battery.min_energy_mwh) and (
        most is None or last < most - LIMIT
    ):  # what the end does not limit has no value there
        end = np.zeros_like(end) + of_target[-1]
    return np.concatenate([later + of_target[:-1], end], axis=1)


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
