"""Reasons why energy is imported and exported in a step, and why not.

Codes of the decision `import`:

    imports            energy on the site is worth its price
    import_at_limit    import_limit_mw is reached
    at_peak            in an interval at the peak of the month, above which a MW costs the demand
                       charge
    no_import          energy on the site is worth less than its price
    held               importing would pay, and another rule or export in this step prevents it
    closed             import_limit_mw is 0

and of the decision `export`:

    exports, export_at_limit   a sale pays the value of the energy on the site, or more
    better_on_site     there is energy to sell, and its value on the site, now or stored, is higher
    held               a sale would pay, and another rule or import in this step prevents it
    nothing_to_sell    no energy of an origin that may be sold is brought to the site
    closed             export_limit_mw is 0

`price` is that of the energy and its carbon. Where the two prices do not explain the flow, the
reason names the other rules that have a price in this step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.component import Values
from planner.components.grid.grid import Grid
from planner.components.reasons import (
    FLOW,
    LIMIT,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    acting_rules,
    also_others,
    first_that_holds,
    has_price,
)
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

LIMITS = frozenset({"import_at_limit", "export_at_limit"})
ON_SITE = PricePair(
    template("price {first} {than} {second} on site"),
    template("price {first} as on site: both earn the same"),
)
OF_ORIGIN = PricePair(
    template("{origin} price {first} {than} {second} on site"),
    template("{origin} price {first} as on site: both earn the same"),
)
OTHERS = {
    "exchange_ramp": "ramp_mw_per_h", "highest": "max_swing_share", "swing": "max_swing_share",
    "over_band": "declaration", "under_band": "declaration", "response_room": "response",
    "spare_import": "reserve",
}  # fmt: skip


def reasons(grid: Grid, values: Values, prices: StepPrices, horizon: Horizon) -> Iterator[Reason]:
    """Yield the reasons for import and export in every step."""
    yield from _imports(grid, values, prices, horizon)
    yield from _exports(grid, values, prices)


def _imports(grid: Grid, values: Values, prices: StepPrices, horizon: Horizon) -> Iterator[Reason]:
    flow, limit = values["import_mw"], grid.import_limit_mw
    price = _marginal_price(grid, grid.import_price_cny_per_mwh)
    worth = prices.at(grid.node, "grid" if "grid" in prices.origins else prices.origins[0])
    price = price + grid.import_emission_tco2_per_mwh * sum(prices.tonne(imported=True))
    is_peak = grid.demand_charge.at_peak(flow, horizon, LIMIT)
    others = _other_rules(grid, prices, "import_limit")
    on_site = PriceComparison(ON_SITE, price, worth)
    at_limit, signs = flow > limit - LIMIT, on_site.signs
    unexplained = np.where(
        at_limit, signs == ">", np.where(flow <= FLOW, signs == "<", signs != "=")
    )
    text = also_others(on_site.message, unexplained, others)

    def at_peak(t: int) -> Message:
        return Message("{sentence}, at the peak of the month", sentence=text(t))

    yield from first_that_holds(
        "import",
        [
            (at_limit & (limit > LIMIT), "import_at_limit", text),
            (is_peak & (flow > FLOW), "at_peak", at_peak),
            (flow > FLOW, "imports", text),
            (limit <= LIMIT, "closed", Message("import_limit_mw is 0")),
            (signs == "<", "held", text),
            (True, "no_import", text),
        ],
    )


def _marginal_price(grid: Grid, price: Array) -> Array:
    """Return the price of one MWh more: in real time where the exchange is declared."""
    real_time = grid.real_time_price_cny_per_mwh
    return price if real_time is None else real_time


def _sale_price(grid: Grid, origin: str, prices: StepPrices) -> Array:
    price = grid.sale_price(origin)
    return prices.none() if price is None else _marginal_price(grid, price)


def _exports(grid: Grid, values: Values, prices: StepPrices) -> Iterator[Reason]:
    sold = [o for o in prices.origins if f"export_mw[{o}]" in values]
    flows = np.array([values[f"export_mw[{o}]"] for o in sold])
    total, limit = flows.sum(axis=0), grid.export_limit_mw
    sale = np.array([_sale_price(grid, o, prices) for o in sold])
    worth = np.array([prices.at(grid.node, o) for o in sold])
    injected = np.array([prices.injected.get(o, np.zeros(len(limit))) for o in sold])
    margin = np.where((injected > FLOW) & ~np.isnan(worth), sale - worth, -np.inf)
    best = np.argmax(np.where(total > FLOW, flows, margin), axis=0)
    others = _other_rules(grid, prices, "export_limit")
    steps = np.arange(len(limit))
    price, value = sale[best, steps], worth[best, steps]
    on_site = PriceComparison(ON_SITE, price, value)
    if len(sold) > 1:
        on_site = PriceComparison(OF_ORIGIN, price, value, origin=[sold[i] for i in best])
    signs = on_site.signs
    nothing = injected.max(axis=0) <= FLOW
    text = also_others(on_site.message, signs == np.where(total <= FLOW, ">", "<"), others)
    yield from first_that_holds(
        "export",
        [
            (limit <= LIMIT, "closed", Message("export_limit_mw is 0")),
            (total > limit - LIMIT, "export_at_limit", text),
            (total > FLOW, "exports", text),
            (nothing, "nothing_to_sell", Message("no energy that may be sold")),
            (signs == ">", "held", text),
            (True, "better_on_site", text),
        ],
    )


def _other_rules(grid: Grid, prices: StepPrices, limit: str) -> list[list[str]]:
    """Return by step which other rules have a price: of the connection, else of the site."""
    acting: dict[str, Array] = {}
    for row, rule in (OTHERS | {limit: "one way at a time"}).items():
        indices = [(i,) for i in range(len(grid.response))] if row == "response_room" else [()]
        # the move to the next step takes part in this one too
        rows = (has_price(prices, row, *i, lasting=row == "exchange_ramp") for i in indices)
        acting[rule] = np.any([acting.get(rule, prices.zero() > 0), *rows], axis=0)
    return acting_rules(acting, prices)
