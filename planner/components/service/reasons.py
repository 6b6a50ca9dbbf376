"""Why a service answers work or drops it.

Codes of the decision `answer`, of batch work `accept`, of a market `sell`:

    all_answered, all_accepted, all_sold   nothing that was wanted is dropped
    no_capacity        some is dropped: every node of the fleets is busy with work that pays more
    price_below_cost   some is dropped: answering costs more than it earns though nodes are free
    earns_the_same     some is dropped: answering earns what it costs, so that any part may be
    held               some is dropped: answering would pay, and a rule of the fleets prevents it
    nothing_wanted     no work is asked for in this step

Cost and price are those of a Mtok. The break-even price is the marginal cost of an answer less what
it earns besides its price. Batch work is compared in the best step before its deadline. What is
answered at a loss is answered for `min_served_share`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.components.component import Values
from planner.components.reasons import (
    LIMIT,
    NEAR,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    also_others,
    first_that_holds,
    token_money,
)
from planner.components.service.queue import best_unsold_price
from planner.components.service.service import Service
from planner.message import Message, template
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

LIMITS = frozenset({"no_capacity"})
BREAK_EVEN = PricePair(
    template("price {first} {than} {second} break-even"),
    template("price {first} as the break-even: both earn the same"),
)


def reasons(
    service: Service, values: Values, prices: StepPrices, horizon: Horizon
) -> Iterator[Reason]:
    """Yield for every step whether all work is answered, and if not, why."""
    cost = prices.tokens.get(prices.name)
    if cost is None:
        return
    tokens = service.sells(values, horizon)
    price, break_even, busy = tokens.price, cost - tokens.beside, _all_nodes_busy(service, prices)
    wanted, decision, code = service.wanted_mtok_per_h(), "answer", "all_answered"
    dropped = values.get("unserved_mtok_per_h", np.zeros(len(cost)))
    if service.arrivals_mtok_per_h is not None:
        decision, code, dropped = "accept", "all_accepted", values["refused_mtok_per_h"]
        best = _best_step(price - break_even, horizon.steps_down(service.deadline_h or 0.0))
        price, break_even, busy = price[best], break_even[best], busy[best]
    if service.market is not None:
        decision, code, dropped = "sell", "all_sold", wanted - tokens.answered
        unsold = best_unsold_price(service.market, values)
        price = np.where(np.isfinite(unsold), unsold, price)
    comparison = PriceComparison(BREAK_EVEN, price, break_even, token_money)

    def all_busy(t: int) -> Message:
        return Message("{sentence}, every node is taken", sentence=comparison.message(t))

    def unpaid(t: int) -> Message:
        return Message("price {price} does not pay", price=token_money(price[t]))

    share = [["min_served_share"] if service.min_served_share else []] * len(cost)
    some = wanted - dropped > LIMIT  # without any, the break-even price is that of no answer
    at_a_loss = also_others(comparison.message, (comparison.signs == "<") & some, share)
    prevented = also_others(comparison.message, some, [_fleets(service, prices)] * len(cost))
    yield from first_that_holds(
        decision,
        [
            (wanted <= LIMIT, "nothing_wanted", Message("no work is asked for")),
            (dropped <= LIMIT, code, at_a_loss),
            (busy, "no_capacity", all_busy),
            (comparison.signs == "<", "price_below_cost", at_a_loss),
            ((comparison.signs == "=") & some, "earns_the_same", comparison.message),
            ((comparison.signs == ">") & some, "held", prevented),
            (True, "price_below_cost", unpaid),  # no nodes run, so a Mtok has no marginal cost
        ],
    )


def _best_step(margin: Array, wait: int) -> np.ndarray:
    """Return for each step the one, up to `wait` steps later, in which answering pays most."""
    steps = np.arange(len(margin))
    best = steps
    for later in range(1, min(wait, len(margin) - 1) + 1):
        other = np.minimum(steps + later, len(margin) - 1)
        best = np.where(margin[other] > margin[best], other, best)
    return best


def _all_nodes_busy(service: Service, prices: StepPrices) -> np.ndarray:
    """Return by step whether one more node of the fleets that serve the model would earn money."""
    duals = [prices.rows(name, "count", ()) for name in _fleets(service, prices)]
    return np.asarray((np.nan_to_num(duals) > NEAR).any(axis=0))


def _fleets(service: Service, prices: StepPrices) -> list[str]:
    """Return the fleets that serve the model."""
    key = ("model", service.model)
    return [name for name, part in prices.components.items() if key in part.supplies()]
