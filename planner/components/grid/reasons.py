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

from collections.abc import Iterator

import numpy as np

from planner.components.component import Values
from planner.components.grid.grid import Grid
from planner.components.grid.tariff import peaks_by_month
from planner.components.terms import FLOW, LIMIT, NEAR, Reason, StepPrices, money, versus
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

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
    for t in range(horizon.steps):
        than = versus(price[t], worth[t])
        said = f"price {money(price[t])} {than} {money(worth[t])} on site"
        odd = ">" if flow[t] > limit[t] - LIMIT else "<" if flow[t] <= FLOW else "<>"
        if than in odd:
            said += others[t]
        if flow[t] > limit[t] - LIMIT and limit[t] > LIMIT:
            yield Reason(t + 1, "import", "import_at_limit", said)
        elif flow[t] > max(peaks[t] - LIMIT, FLOW):
            yield Reason(t + 1, "import", "at_peak", f"{said}, at the peak of the month")
        elif flow[t] > FLOW:
            yield Reason(t + 1, "import", "imports", said)
        elif limit[t] <= LIMIT:
            yield Reason(t + 1, "import", "closed", "import_limit_mw is 0")
        else:
            yield Reason(t + 1, "import", "held" if than == "<" else "no_import", said)


def _settled(grid: Grid, price: Array) -> Array:
    """Return the price that one MWh more is settled at: in real time where the rest is declared."""
    real_time = grid.real_time_price_cny_per_mwh
    return price if real_time is None else real_time


def _sale_price(grid: Grid, origin: str, prices: StepPrices) -> Array:
    price = grid.sale_price(origin)
    return prices.none() if price is None else _settled(grid, price)


def _peaks(grid: Grid, flow: Array, horizon: Horizon) -> Array:
    """Return the peak of the month that each step pays for; infinite where no peak is paid for."""
    found = np.full(horizon.steps, np.inf)
    if not grid.demand_charge_cny_per_mw_month:
        return found
    before = peaks_by_month(grid.peak_so_far_mw, horizon)
    for month, steps in horizon.months.items():
        mine = slice(steps[0] - 1, steps[-1])
        found[mine] = max(before.get(month, 0.0), grid.expected_peak_mw, float(flow[mine].max()))
    return found


def _exports(grid: Grid, values: Values, prices: StepPrices) -> Iterator[Reason]:
    sold = [o for o in prices.origins if f"export_mw[{o}]" in values]
    flows = np.array([values[f"export_mw[{o}]"] for o in sold])
    total, limit = flows.sum(axis=0), grid.export_limit_mw
    sale = np.array([_sale_price(grid, o, prices) for o in sold])
    worth = np.array([prices.at(grid.node, o) for o in sold])
    there = np.array([prices.injected.get(o, np.zeros(len(limit))) for o in sold])
    margin = np.where((there > FLOW) & ~np.isnan(worth), sale - worth, -np.inf)
    best = np.argmax(np.where(total > FLOW, flows, margin), axis=0)
    others = _others(grid, prices, "export_limit")
    for t in range(len(limit)):
        price, value = sale[best[t], t], worth[best[t], t]
        of = f"{sold[best[t]]} " if len(sold) > 1 else ""
        than = versus(price, value)
        said = f"{of}price {money(price)} {than} {money(value)} on site"
        if than == (">" if total[t] <= FLOW else "<"):
            said += others[t]
        if limit[t] <= LIMIT:
            yield Reason(t + 1, "export", "closed", "export_limit_mw is 0")
        elif total[t] > limit[t] - LIMIT:
            yield Reason(t + 1, "export", "export_at_limit", said)
        elif total[t] > FLOW:
            yield Reason(t + 1, "export", "exports", said)
        elif there[:, t].max() <= FLOW:
            yield Reason(t + 1, "export", "nothing_to_sell", "no energy that may be sold")
        else:
            yield Reason(t + 1, "export", "held" if than == ">" else "better_on_site", said)


def _others(grid: Grid, prices: StepPrices, way: str) -> list[str]:
    """Return by step what else has a price there: rules of the connection, else of the site."""

    def also(t: int) -> str:
        mine = [said for said, price in acting.items() if price[t] > NEAR]
        return f"; also {', '.join(mine or site)}" if mine or site else ""

    site = [n for n, part in prices.components.items() if part.also_acts]
    acting: dict[str, Array] = {}
    for row, said in (OTHERS | {way: "one way at a time"}).items():
        every = [(i,) for i in range(len(grid.response))] if row == "response_room" else [()]
        found = np.zeros(len(prices.none()))
        for index in every:
            found = found + np.abs(np.nan_to_num(prices.row(row, *index)))
        if row == "exchange_ramp":  # a step takes part in the move to the next as well
            found = found + np.append(found[1:], 0.0)
        acting[said] = acting.get(said, 0.0) + found
    return [also(t) for t in range(len(prices.none()))]
