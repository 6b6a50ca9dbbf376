"""The token market: work sold into price steps, each up to its depth.

Variable: sold_mtok_per_h[i,t] for price step i.

    market       answered[t] = sum_i sold[i,t]               sold[i,t] <= mtok_per_h_i[t]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from planner.components.component import Time, Values
from planner.components.late import pyo
from planner.components.reasons import LIMIT
from planner.components.terms import Expression, Line
from planner.fields import Frozen
from planner.timeseries.series import Array, NonNegative, Series


class MarketStep(Frozen):
    """A price step of the token market."""

    mtok_per_h: NonNegative
    """Most that can be sold at this price."""
    price_cny_per_mtok: Series
    """Price per million output tokens."""


Market = Sequence[MarketStep]


def declare_market(b: pyo.Block, time: Time, market: Market) -> dict[Line, Any]:
    """Declare the sales around `answered_mtok_per_h`, which stands in `b`; return the revenue."""
    every = range(len(market))
    depth = [time.of(step.mtok_per_h) for step in market]
    price = [time.of(step.price_cny_per_mtok * time.step_h) for step in market]
    b.sold_mtok_per_h = pyo.Var(every, time.steps, bounds=lambda _, i, t: (0, depth[i][t]))

    def sold(b: pyo.Block, t: int) -> Expression:
        return b.answered_mtok_per_h[t] == sum(b.sold_mtok_per_h[i, t] for i in every)

    b.market = pyo.Constraint(time.steps, rule=sold)
    return {
        Line("tokens", use="compute"): {
            t: -sum(price[i][t] * b.sold_mtok_per_h[i, t] for i in every) for t in time.steps
        }
    }


def mean_price(market: Market, values: Values) -> Array:
    """Return the mean price of what is sold, CNY/Mtok by step; the best one where nothing is."""
    offers = np.array([step.price_cny_per_mtok for step in market])
    sold = np.array([values[f"sold_mtok_per_h[{i}]"] for i in range(len(market))])
    total = sold.sum(axis=0)
    mean = (offers * sold).sum(axis=0) / np.maximum(total, LIMIT)
    return np.asarray(np.where(total > LIMIT, mean, offers.max(axis=0)))


def best_unsold_price(market: Market, values: Values) -> Array:
    """Return the best price of which more could be sold, CNY/Mtok by step; -inf where none."""
    unsold = [
        np.where(
            step.mtok_per_h - values[f"sold_mtok_per_h[{i}]"] > LIMIT,
            step.price_cny_per_mtok,
            -np.inf,
        )
        for i, step in enumerate(market)
    ]
    return np.asarray(np.max(unsold, axis=0))
