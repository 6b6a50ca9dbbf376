"""Why a battery does what it does in a step.

Codes of the decision `power`:

    charges, charges_at_limit         storing is worth more than the energy at the node
    discharges, discharges_at_limit   the energy at the node is worth more than the stored
    unavailable        nothing of its powers is available
    full, empty        would charge, or discharge, and cannot hold, or has, no more
    held_for_reserve   would discharge, and what it has is promised as reserve
    cycles_used        would discharge, and has used the cycles of its day
    idle               neither way pays

`stored value` is what a MWh delivered from the store costs: the dual of `energy` over the discharge
efficiency, and the wear. `worth of storing` is the dual times the charge efficiency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from planner.components.base import Values
from planner.components.priced import FLOW, LIMIT, NEAR, Reason, StepPrices, money, versus
from planner.components.stored import over_origins
from planner.series import Array

if TYPE_CHECKING:
    from planner.components.battery import Battery
    from planner.horizon import Horizon

DECISION = "power"


def reasons(
    battery: Battery, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the code and the figures of every step."""
    charge, discharge = over_origins("charge_mw", values), over_origins("discharge_mw", values)
    stored, reserve = over_origins("energy_mwh", values), _reserve(values, len(charge))
    price, into, out = _by_origin(battery, prices)
    steps = np.arange(len(charge))
    to_charge = np.argmax(_known(_chosen(values, "charge_mw", prices, into - price)), axis=0)
    to_discharge = np.argmax(_known(_chosen(values, "discharge_mw", prices, price - out)), axis=0)
    buying, worth = price[to_charge, steps], into[to_charge, steps]
    selling, cost = price[to_discharge, steps], out[to_discharge, steps]
    most_in = battery.charge_power_mw * battery.available
    most_out = battery.discharge_power_mw * battery.available
    power, energy = most_out - discharge + charge, stored - battery.min_energy_mwh
    promised = reserve > power - LIMIT
    promised |= horizon.step_h * reserve > battery.discharge_efficiency * energy - LIMIT
    cycling = _cycle_prices(prices, horizon)
    for t in steps.tolist():
        bought = f"price {money(buying[t])} {versus(buying[t], worth[t])} {money(worth[t])}"
        bought = f"{bought} worth of storing"
        sold = f"price {money(selling[t])} {versus(selling[t], cost[t])} {money(cost[t])}"
        sold = f"{sold} stored value"
        if charge[t] > FLOW or discharge[t] > FLOW:
            way, flow, most = "charges", charge[t], most_in[t]
            if discharge[t] > charge[t]:
                way, flow, most = "discharges", discharge[t], most_out[t]
            code = f"{way}_at_limit" if flow > most - LIMIT else way
            yield Reason(t + 1, DECISION, code, bought if way == "charges" else sold)
        elif most_in[t] <= FLOW and most_out[t] <= FLOW:
            yield Reason(t + 1, DECISION, "unavailable", "available is 0")
        elif versus(selling[t], cost[t]) == ">":
            if energy[t] <= LIMIT:
                yield Reason(t + 1, DECISION, "empty", sold)
            elif reserve[t] > FLOW and promised[t]:
                yield Reason(t + 1, DECISION, "held_for_reserve", sold)
            elif cycling[t] > NEAR:
                yield Reason(t + 1, DECISION, "cycles_used", sold)
            else:
                yield Reason(t + 1, DECISION, "idle", f"{sold}, and the plan does not need it")
        elif versus(buying[t], worth[t]) == "<" and stored[t] >= battery.capacity_mwh - LIMIT:
            yield Reason(t + 1, DECISION, "full", bought)
        else:
            yield Reason(t + 1, DECISION, "idle", f"{bought}, {versus(selling[t], cost[t])}"
                         f" {money(cost[t])} stored value")  # fmt: skip


def _by_origin(battery: Battery, prices: StepPrices) -> tuple[Array, Array, Array]:
    """Return the price at the node, the worth of a MWh put in and of one taken out, by origin."""
    price = np.array([prices.at(battery.node, o) for o in prices.origins])
    inside = np.array([prices.row("energy", o) for o in prices.origins])
    out = inside / battery.discharge_efficiency + battery.wear_cny_per_mwh
    return price, inside * battery.charge_efficiency, out


def _chosen(values: Values, flow: str, prices: StepPrices, margin: Array) -> Array:
    """Return how well each origin speaks for a step: the flow there is, else the best margin."""
    flows = np.array([values[f"{flow}[{o}]"] for o in prices.origins])
    return np.where(flows.max(axis=0) > FLOW, flows, margin)


def _known(figures: Array) -> Array:
    return np.where(np.isnan(figures), -np.inf, figures)


def _reserve(values: Values, steps: int) -> Array:
    held = [values[name] for name in values if name.startswith("reserve_mw[")]
    return np.asarray(np.sum(held, axis=0)) if held else np.zeros(steps)


def _cycle_prices(prices: StepPrices, horizon: Horizon) -> Array:
    """Return what another MWh of the day's cycles would earn, in every step of the day."""
    at_last, found = np.nan_to_num(prices.row("cycles")), np.zeros(horizon.steps)
    for day in horizon.days:
        found[day[0] - 1 : day[-1]] = at_last[day[-1] - 1]
    return found
