"""Work that is not asked for by the step: batch work that waits, and what the market takes.

Batch work may wait, first in, first out, until its deadline.

Variables: accepted_mtok_per_h[t], refused_mtok_per_h[t]; waiting_mtok[t], taken_mtok[t] on points.

    arrivals     accepted[t] + refused[t] = arrivals_mtok_per_h[t]
    waiting      waiting[t] = waiting[t-1] + Δ (accepted[t] - answered[t])
    taken        taken[t] = taken[t-1] + Δ accepted[t]
    deadline     waiting[t] <= taken[t] - taken[t-D]          D = floor(deadline_h / Δ)
    ending       waiting[T] <= waiting[0], or <= at_most_mtok

What has come in during the last D steps is all that may still wait. Age counts from the end of the
step of arrival; for work that waits at the start it is rounded up to whole steps, and what falls
due before the end of the first step is answered in it. What is accepted is answered in time.

The token market takes work in price steps, each up to its depth.

Variable: sold_mtok_per_h[i,t] for price step i.

    market       answered[t] = sum_i sold[i,t]               sold[i,t] <= mtok_per_h_i[t]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.components.component import Time, Values
from planner.components.late import pyo
from planner.components.reasons import LIMIT
from planner.components.terms import Expression, Line
from planner.fields import AtLeastZero, Frozen, form
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, NonNegative, Series

DUST_MTOK = 1e-9  # values of a plan are rounded to it

RULES = {
    "deadline": "must be answered within deadline_h {deadline_h} h of its arrival",
    "ending": "may leave only as much waiting at the end as `ending` says: {ending}",
}


class Waiting(Frozen):
    """Accepted work that was waiting when the horizon began."""

    age_h: AtLeastZero
    """Hours since the end of the step it came in."""
    mtok: AtLeastZero
    """Million output tokens."""


class ServiceInitial(Frozen):
    """A service when the horizon begins."""

    waiting: Annotated[tuple[Waiting, ...], Field(strict=False)] = ()
    """Batch: work that waits, by age."""
    wanted_so_far_mtok: AtLeastZero = 0.0
    """Work asked for since the period of `min_served_share` began."""
    served_so_far_mtok: AtLeastZero = 0.0
    """How much of it was answered; batch: accepted."""

    @model_validator(mode="after")
    def _consistent(self) -> ServiceInitial:
        if self.served_so_far_mtok > self.wanted_so_far_mtok:
            raise ValueError(
                f"served_so_far_mtok may not exceed wanted_so_far_mtok {self.wanted_so_far_mtok:g},"
                f" is {self.served_so_far_mtok:g}"
            )
        return self

    @property
    def waiting_mtok(self) -> float:
        """Work that waits, of any age."""
        return sum(work.mtok for work in self.waiting)


class EndingValue(Frozen):
    """Work left waiting at the end is worth so much, up to a limit."""

    value_cny_per_mtok: float
    """Value of a Mtok still to be answered."""
    at_most_mtok: AtLeastZero
    """Most that may be left waiting."""


ServiceEnding = Annotated[
    Annotated[EndingValue, Tag("=value")] | Annotated[Literal["same_as_start"], Tag("=same")],
    form(value="value_cny_per_mtok at_most_mtok", same=""),
]


@dataclass(frozen=True)
class Queue:
    """Batch work between its arrival and its answer."""

    arrivals_mtok_per_h: Array
    deadline_h: float
    refusal_cost_cny_per_mtok: float
    initial: ServiceInitial
    ending: ServiceEnding

    def declare(self, b: pyo.Block, time: Time) -> dict[Line, Any]:
        """Declare the rows around `answered_mtok_per_h`, which stands in `b`; return the costs."""
        step_h, before, start = time.step_h, time.first - 1, self.initial.waiting_mtok
        arrivals, deadline = time.of(self.arrivals_mtok_per_h), self._steps(time.horizon)
        b.accepted_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.refused_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.waiting_mtok = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.taken_mtok = pyo.Var(time.back(max(deadline, 1)), domain=pyo.NonNegativeReals)
        b.waiting_mtok[before].fix(start)
        for t, mtok in self._taken_before(time).items():
            b.taken_mtok[t].fix(mtok)

        def waiting(b: pyo.Block, t: int) -> Expression:
            change = b.accepted_mtok_per_h[t] - b.answered_mtok_per_h[t]
            return b.waiting_mtok[t] == b.waiting_mtok[t - 1] + step_h * change

        def taken(b: pyo.Block, t: int) -> Expression:
            return b.taken_mtok[t] == b.taken_mtok[t - 1] + step_h * b.accepted_mtok_per_h[t]

        def in_time(b: pyo.Block, t: int) -> Expression:
            young = b.taken_mtok[t] - b.taken_mtok[t - deadline] if deadline else 0.0
            return b.waiting_mtok[t] <= young

        b.arrivals = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.accepted_mtok_per_h[t] + b.refused_mtok_per_h[t] == arrivals[t],
        )
        b.waiting = pyo.Constraint(time.steps, rule=waiting)
        b.taken = pyo.Constraint(time.steps, rule=taken)
        b.deadline = pyo.Constraint(time.steps, rule=in_time)
        most = self.ending.at_most_mtok if isinstance(self.ending, EndingValue) else start
        b.ending = pyo.Constraint(expr=b.waiting_mtok[time.last] <= most)
        costs: dict[Line, Any] = {}
        if self.refusal_cost_cny_per_mtok:
            rate = self.refusal_cost_cny_per_mtok * step_h
            costs[Line("refused", cash=False)] = {
                t: rate * b.refused_mtok_per_h[t] for t in time.steps
            }
        if isinstance(self.ending, EndingValue):
            gone = start - b.waiting_mtok[time.last]
            costs[Line("end_value", cash=False)] = {None: self.ending.value_cny_per_mtok * gone}
        return costs

    def _steps(self, horizon: Horizon) -> int:
        return horizon.steps_down(self.deadline_h)

    def _taken_before(self, time: Time) -> dict[int, float]:
        """Return what of the work that waits at the start had come in by each earlier point."""
        before, horizon = time.first - 1, time.horizon
        queue = [(horizon.steps_up(work.age_h), work.mtok) for work in self.initial.waiting]
        return {
            t: sum(mtok for age, mtok in queue if before - age <= t)
            for t in range(before - max(self._steps(horizon), 1) + 1, before + 1)
        }

    def after(self, values: Values, step_h: float) -> tuple[tuple[Waiting, ...], ServiceEnding]:
        """Return what waits after some steps, youngest first, and the ending that remains.

        First in, first out leaves the youngest. `values` holds the schedule of these steps.
        """
        accepted = values["accepted_mtok_per_h"] * step_h
        steps = len(accepted)
        arrived = [((steps - 1 - i) * step_h, float(mtok)) for i, mtok in enumerate(accepted)]
        arrived += [(work.age_h + steps * step_h, work.mtok) for work in self.initial.waiting]
        left, waiting = float(values["waiting_mtok"][-1]), []
        for age, mtok in sorted(arrived):
            part = min(mtok, left)
            if part > DUST_MTOK and age <= self.deadline_h + 1e-9:
                waiting.append(Waiting(age_h=min(age, self.deadline_h), mtok=part))
                left -= part
        ending = self.ending
        if ending == "same_as_start":  # the start meant is the first one
            ending = EndingValue(value_cny_per_mtok=0.0, at_most_mtok=self.initial.waiting_mtok)
        return tuple(waiting), ending


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
