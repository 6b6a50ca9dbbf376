"""What the tokens of a service earn, and why work is answered or dropped.

Codes of the decision `answer`, of batch work `accept`, of a market `sell`:

    all_answered, all_accepted, all_sold   nothing that was wanted is dropped
    no_capacity        some is dropped: at that price, or above, every node of the fleets is taken
    price_below_cost   some is dropped: answering costs more than it earns though nodes are free
    nothing_wanted     no work is asked for in this step

Cost and price are those of a Mtok: the break-even is what answering one more costs less what it
earns beside its price. Batch work is judged in the best step before its deadline.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.component import Values
from planner.components.reasons import (
    LIMIT,
    NEAR,
    Reason,
    StepPrices,
    compared,
    first_that_holds,
    token_money,
    versus,
)
from planner.components.service.queue import best_unsold_price
from planner.components.service.service import Service
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

BREAK_EVEN = template("price {first} {than} {second} break-even")


def reasons(
    service: Service, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield for every step whether all work was taken on, and why not."""
    cost = prices.tokens.get(prices.name)
    if cost is None:
        return
    tokens = service.sells(values, horizon)
    even, price, taken = cost - tokens.beside, tokens.price, _nodes_taken(service, prices)
    wanted, decision, code = service.wanted(), "answer", "all_answered"
    dropped = values.get("unserved_mtok_per_h", np.zeros(len(even)))
    if service.arrivals_mtok_per_h is not None:
        decision, code, dropped = "accept", "all_accepted", values["refused_mtok_per_h"]
        best = _best_step(price - even, horizon.steps_down(service.deadline_h or 0.0))
        even, price, taken = even[best], price[best], taken[best]
    if service.market is not None:
        decision, code, dropped = "sell", "all_sold", wanted - tokens.answered
        unsold = best_unsold_price(service.market, values)
        price = np.where(np.isfinite(unsold), unsold, price)  # the best price that is not served
    figures = compared(BREAK_EVEN, price, even, token_money)
    full = [Message("{sentence}, every node is taken", sentence=text) for text in figures]
    unpaid = [Message("price {price} does not pay", price=token_money(p)) for p in price]
    yield from first_that_holds(
        decision,
        [
            (wanted <= LIMIT, "nothing_wanted", Message("no work is asked for")),
            (dropped <= LIMIT, code, figures),
            (taken, "no_capacity", full),
            (versus(price, even) == "<", "price_below_cost", figures),
            # nothing runs that would tell what a Mtok costs
            (True, "price_below_cost", unpaid),
        ],
    )


def _best_step(margin: Array, wait: int) -> np.ndarray:
    """Return for each step the one, up to `wait` steps later, where answering pays most."""
    best, steps = np.arange(len(margin)), np.arange(len(margin))
    for later in range(1, min(wait, len(margin) - 1) + 1):
        other = np.minimum(steps + later, len(margin) - 1)
        best = np.where(margin[other] > margin[best], other, best)
    return best


def _nodes_taken(service: Service, prices: StepPrices) -> np.ndarray:
    """Return the steps in which one more node of the fleets that serve the model would earn."""
    taken = np.zeros(len(prices.none()), dtype=bool)
    for name, component in prices.components.items():
        if ("model", service.model) in component.supplies():
            worth = np.nan_to_num(prices.rows(name, "count", ()))
            taken |= worth > NEAR
    return taken
