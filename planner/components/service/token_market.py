"""The token market: work sold into price steps, each up to its depth.

Variable: sold_mtok_per_h[i,t] for price step i.

    market       answered[t] = sum_i sold[i,t]               sold[i,t] <= mtok_per_h_i[t]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.components.component import Time
from planner.components.terms import Expression, Line
from planner.fields import Frozen
from planner.timeseries.series import NonNegative, Series

if TYPE_CHECKING:
    import pyomo.environ as pyo


class MarketStep(Frozen):
    """A price step of the token market."""

    mtok_per_h: NonNegative
    """Most that can be sold at this price."""
    price_cny_per_mtok: Series
    """Price per million output tokens."""


def declare_market(b: pyo.Block, time: Time, market: tuple[MarketStep, ...]) -> dict[Line, Any]:
    """Declare the sales around `answered_mtok_per_h`, which stands in `b`; return the revenue."""
    import pyomo.environ as pyo

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
