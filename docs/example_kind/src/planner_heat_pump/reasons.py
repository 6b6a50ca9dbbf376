"""Reasons why a heat pump runs or rests in a step.

Codes of the decision `heating`:

    heats, heats_at_limit   its heat costs no more than heat is worth; or it draws all it can
    heats_at_least          it draws the least it may where it is on
    full                    heat is worth more than it costs, and the tank is full
    not_started             heat is worth more than it costs, but for the least power or a start
    rests                   heat costs more than it is worth, or as much

The cost of a MWh of heat is the price of power over `cop`; its worth is the dual of `tank`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.kind import (
    LIMIT,
    NOTHING,
    Array,
    Horizon,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    Values,
    first_that_holds,
    summed,
    template,
)
from planner_heat_pump.heat_pump import HeatPump

LIMITS = frozenset({"heats_at_limit", "full"})
HEATING = PricePair(
    template("a MWh of heat costs {first} {than} {second} worth"),
    template("a MWh of heat costs {first} as its worth: both earn the same"),
)


def reasons(
    pump: HeatPump, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield the reason of every step."""
    drawn = summed("draw_mw", values)
    purchase = PriceComparison(HEATING, _power_price(pump, prices) / pump.cop, prices.row("tank"))
    on, would_heat = values["on"] > 0.5, purchase.signs == "<"
    full = values["tank_mwh"] >= pump.capacity_mwh - LIMIT
    yield from first_that_holds(
        "heating",
        [
            (on & (drawn >= pump.power_mw - LIMIT), "heats_at_limit", purchase.message),
            (on & (drawn <= pump.min_power_mw + LIMIT), "heats_at_least", purchase.message),
            (on & (drawn > NOTHING), "heats", purchase.message),
            (would_heat & full, "full", purchase.message),
            (would_heat, "not_started", purchase.message),
            (True, "rests", purchase.message),
        ],
    )


def _power_price(pump: HeatPump, prices: StepPrices) -> Array:
    """Return the price of the cheapest power on site; where there is none, that of the dearest."""
    price = np.array([prices.at(pump.node, origin) for origin in prices.origins])
    none = prices.zero()
    on_site = np.array([prices.injected.get(origin, none) for origin in prices.origins]) > NOTHING
    cheapest = np.where(on_site, price, np.inf).min(axis=0)
    return np.asarray(np.where(on_site.any(axis=0), cheapest, price.max(axis=0)))
