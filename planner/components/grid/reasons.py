"""Why energy is bought and sold in a step, and why not.

Codes of the decision `import`:

    imports            energy on the site is worth its price
    import_at_limit    import_limit_mw is reached
    at_peak            the month's peak is reached, beyond which a MW costs the demand charge
    no_import          energy on the site is worth less than its price
    held               it would pay, and another rule or the other way of the connection holds it
    closed             import_limit_mw is 0

and of the decision `export`:

    exports, export_at_limit   a sale pays what the energy is worth on the site, or more
    better_on_site     there is energy to sell, and it is worth more on the site, now or stored
    held               a sale would pay, and another rule or import in this step holds it
    nothing_to_sell    no energy of an origin that may be sold is brought to the site
    closed             export_limit_mw is 0

`price` is that of the energy, and of its carbon. Where the two prices alone do not tell it, the
reason names what else has a say in this step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.components.component import Values
from planner.components.grid.grid import Grid
from planner.components.grid.tariff import peaks_by_month
from planner.components.reasons import (
    FLOW,
    LIMIT,
    NEAR,
    Reason,
    StepPrices,
    compared,
    first_that_holds,
    versus,
)
from planner.message import Message, MessageList, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

ON_SITE = template("price {first} {than} {second} on site")
ALSO = template("also {words}")
OTHERS = {
    "exchange_ramp": "ramp_mw_per_h", "highest": "max_swing_share", "swing": "max_swing_share",
    "over_band": "declaration", "under_band": "declaration", "response_room": "response",
    "spare_import": "reserve",
}  # fmt: skip


def reasons(grid: Grid, values: Values, prices: StepPrices, horizon: Horizon) -> Iterator[Reason]:
    """Yield the codes and the figures of every step."""
    yield from _imports(grid, values, prices, horizon)
    yield from _exports(grid, values, prices)


def _imports(grid: Grid, values: Values, prices: StepPrices, horizon: Horizon) -> Iterator[Reason]:
    flow, limit = values["import_mw"], grid.import_limit_mw
    price = _settled(grid, grid.import_price_cny_per_mwh)
    worth = prices.at(grid.node, "grid" if "grid" in prices.origins else prices.origins[0])
    price = price + grid.import_emission_tco2_per_mwh * sum(prices.tonne(imported=True))
    peaks, others = _peaks(grid, flow, horizon), _others(grid, prices, "import_limit")
    at_limit, signs = flow > limit - LIMIT, versus(price, worth)
    unexplained = np.where(
        at_limit, signs == ">", np.where(flow <= FLOW, signs == "<", signs != "=")
    )
    texts = _with_others(compared(ON_SITE, price, worth), unexplained, others)
    at_peak = [Message("{sentence}, at the peak of the month", sentence=text) for text in texts]
    yield from first_that_holds(
        "import",
        [
            (at_limit & (limit > LIMIT), "import_at_limit", texts),
            (flow > np.maximum(peaks - LIMIT, FLOW), "at_peak", at_peak),
            (flow > FLOW, "imports", texts),
            (limit <= LIMIT, "closed", Message("import_limit_mw is 0")),
            (signs == "<", "held", texts),
            (True, "no_import", texts),
        ],
    )


def _with_others(
    prices: Sequence[Message], unexplained: Array, others: Sequence[Message | None]
) -> list[Message]:
    """Return how prices compare and, where that does not explain the flow, what else acts."""
    rows = zip(prices, unexplained, others, strict=True)
    return [
        MessageList("; ", (price, other)) if other is not None and is_unexplained else price
        for price, is_unexplained, other in rows
    ]


def _settled(grid: Grid, price: Array) -> Array:
    """Return the price that one MWh more is settled at: in real time where the rest is declared."""
    real_time = grid.real_time_price_cny_per_mwh
    return price if real_time is None else real_time


def _sale_price(grid: Grid, origin: str, prices: StepPrices) -> Array:
    price = grid.sale_price(origin)
    return prices.none() if price is None else _settled(grid, price)


def _peaks(grid: Grid, flow: Array, horizon: Horizon) -> Array:
    """Return the peak of the month that each step pays for; infinite where no peak is paid for."""
    peaks = np.full(horizon.steps, np.inf)
    if not grid.demand_charge_cny_per_mw_month:
        return peaks
    before = peaks_by_month(grid.peak_so_far_mw, horizon)
    for month, steps in horizon.months.items():
        inside = slice(steps[0] - 1, steps[-1])
        highest = float(flow[inside].max())
        peaks[inside] = max(before.get(month, 0.0), grid.expected_peak_mw, highest)
    return peaks


def _exports(grid: Grid, values: Values, prices: StepPrices) -> Iterator[Reason]:
    sold = [o for o in prices.origins if f"export_mw[{o}]" in values]
    flows = np.array([values[f"export_mw[{o}]"] for o in sold])
    total, limit = flows.sum(axis=0), grid.export_limit_mw
    sale = np.array([_sale_price(grid, o, prices) for o in sold])
    worth = np.array([prices.at(grid.node, o) for o in sold])
    injected = np.array([prices.injected.get(o, np.zeros(len(limit))) for o in sold])
    margin = np.where((injected > FLOW) & ~np.isnan(worth), sale - worth, -np.inf)
    best = np.argmax(np.where(total > FLOW, flows, margin), axis=0)
    others = _others(grid, prices, "export_limit")
    steps = np.arange(len(limit))
    price, value = sale[best, steps], worth[best, steps]
    signs = versus(price, value)
    prices_on_site = compared(ON_SITE, price, value)
    if len(sold) > 1:
        prices_on_site = [
            Message("{origin} price {first} {than} {second} on site", origin=sold[i], **one.places)
            for i, one in zip(best, prices_on_site, strict=True)
        ]
    texts = _with_others(prices_on_site, signs == np.where(total <= FLOW, ">", "<"), others)
    yield from first_that_holds(
        "export",
        [
            (limit <= LIMIT, "closed", Message("export_limit_mw is 0")),
            (total > limit - LIMIT, "export_at_limit", texts),
            (total > FLOW, "exports", texts),
            (
                injected.max(axis=0) <= FLOW,
                "nothing_to_sell",
                Message("no energy that may be sold"),
            ),
            (signs == ">", "held", texts),
            (True, "better_on_site", texts),
        ],
    )


def _others(grid: Grid, prices: StepPrices, way: str) -> list[Message | None]:
    """Return by step what else has a price there: rules of the connection, else of the site."""

    def also(t: int) -> Message | None:
        rules = [rule for rule, price in acting.items() if price[t] > NEAR]
        return Message(ALSO, words=", ".join(rules or site)) if rules or site else None

    site = [n for n, part in prices.components.items() if part.affects_exchange]
    acting: dict[str, Array] = {}
    for row, rule in (OTHERS | {way: "one way at a time"}).items():
        every = [(i,) for i in range(len(grid.response))] if row == "response_room" else [()]
        price = np.zeros(len(prices.none()))
        for index in every:
            price = price + np.abs(np.nan_to_num(prices.row(row, *index)))
        if row == "exchange_ramp":  # a step takes part in the move to the next as well
            price = price + np.append(price[1:], 0.0)
        acting[rule] = acting.get(rule, 0.0) + price
    return [also(t) for t in range(len(prices.none()))]
