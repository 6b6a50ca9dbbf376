"""Batch work, which may wait until its deadline, and the token market.

Batch work is answered first in, first out.

Variables: accepted_mtok_per_h[t], refused_mtok_per_h[t]; waiting_mtok[t], taken_mtok[t] on points.

    arrivals     accepted[t] + refused[t] = arrivals_mtok_per_h[t]
    waiting      waiting[t] = waiting[t-1] + Δ (accepted[t] - answered[t])
    taken        taken[t] = taken[t-1] + Δ accepted[t]
    deadline     waiting[t] <= taken[t] - taken[t-D]          D = floor(deadline_h / Δ)
    ending       waiting[T] <= waiting[0], or <= at_most_mtok

Only work accepted in the last D steps may still wait. Age counts from the end of the step of
arrival. The age of work that waits at the start is rounded up to whole steps, and work due before
the end of the first step is answered in it. All accepted work is answered in time.

Fleets that offer reserve may put batch work off when it is called (`pausing`). put_off[k,t] is the
work that a call at the start of step t puts off in its first k steps, k = 1..K; catch_up[t] is what
fleets could answer besides the plan, in Mtok/h.

Variable: room_mtok[t]: the most that may wait besides waiting[t] and still be answered in time.

    room          room[t] <= slack[t]               slack[t] = taken[t] - taken[t-D] - waiting[t]
    room_later    room[t] <= room[t+1] + Δ catch_up[t+1]
    put_off       put_off[k,t] <= slack[t+k-1]      k = 1..K, within the horizon
    put_off_late  put_off[K,t] <= room[t+K]         room[T] where t+K lies after the horizon

So a call at the start of step t, at its end or between misses no deadline within the horizon, if
nothing is caught up with before K steps have passed, and as much as fleets can from then on. Work
due after the horizon may be left for then. What is put off is counted as if its step lasted all
through the call.

The token market buys in price steps, each up to its depth.

Variable: sold_mtok_per_h[i,t] for price step i.

    market       answered[t] = sum_i sold[i,t]               sold[i,t] <= mtok_per_h_i[t]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Tag, model_validator

from planner.components.component import Site, Values
from planner.components.reasons import LIMIT
from planner.components.terms import Amounts, ByStep, Expression, Line, Meters, of, sum_of
from planner.components.time import Time
from planner.field_types import Listed
from planner.fields import (
    NOTHING,
    ROUNDING,
    AtLeastZero,
    Frozen,
    exceeds,
    form,
    too_large,
)
from planner.modelling import pyo
from planner.timeseries.series import Array, NonNegative, Series

_PUT_OFF = (
    "work that pauses for reserve must still be answered within deadline_h {deadline_h} h of its"
    " arrival"
)
RULES = {
    "deadline": "must be answered within deadline_h {deadline_h} h of its arrival",
    "ending": "may leave at most {max_waiting_at_end_mtok} Mtok waiting at the end, see ending",
    "put_off": _PUT_OFF,
    "put_off_late": _PUT_OFF,
}


class Waiting(Frozen):
    """Accepted work that was waiting when the horizon began."""

    age_h: AtLeastZero
    """Hours since the end of the step it came in."""
    mtok: AtLeastZero
    """Million output tokens."""


class ServiceInitial(Frozen):
    """A service when the horizon begins."""

    waiting: Listed[Waiting] = ()  # type: ignore[assignment]
    """Batch: work that waits, by age."""
    wanted_so_far_mtok: AtLeastZero = 0.0
    """Demand, arrivals or market depth since the period of `min_served_share` began."""
    served_so_far_mtok: AtLeastZero = 0.0
    """The part of it that was answered; batch: accepted."""

    @model_validator(mode="after")
    def _consistent(self) -> ServiceInitial:
        if exceeds(self.served_so_far_mtok, self.wanted_so_far_mtok, NOTHING):
            served, wanted = self.served_so_far_mtok, self.wanted_so_far_mtok
            raise too_large("served_so_far_mtok", served, "wanted_so_far_mtok", wanted)
        return self

    @property
    def waiting_mtok(self) -> float:
        """All work that waits."""
        return sum(work.mtok for work in self.waiting)


class EndingValue(Frozen):
    """A limit and a value for the work left waiting at the end."""

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
    """Batch work from its arrival to its answer."""

    arrivals_mtok_per_h: Array
    deadline_h: float
    refusal_cost_cny_per_mtok: float
    initial: ServiceInitial
    ending: ServiceEnding

    @property
    def end(self) -> EndingValue:
        """The limit and the value of the work left waiting at the end."""
        if isinstance(self.ending, EndingValue):
            return self.ending
        return EndingValue(value_cny_per_mtok=0.0, at_most_mtok=self.initial.waiting_mtok)

    def declare(self, b: pyo.Block, time: Time) -> dict[Line, Amounts]:
        """Declare variables and rows, given `answered_mtok_per_h` in `b`; return the costs."""
        step_h, before, start = time.step_h, time.first - 1, self.initial.waiting_mtok
        arrivals = time.of(self.arrivals_mtok_per_h)
        deadline = time.horizon.steps_down(self.deadline_h)
        b.accepted_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.refused_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.waiting_mtok = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.taken_mtok = pyo.Var(time.back(max(deadline, 1)), domain=pyo.NonNegativeReals)
        b.waiting_mtok[before].fix(start)
        for t, mtok in self._accepted_before(time).items():
            b.taken_mtok[t].fix(mtok)

        def waiting(b: pyo.Block, t: int) -> Expression:
            change = b.accepted_mtok_per_h[t] - b.answered_mtok_per_h[t]
            return b.waiting_mtok[t] == b.waiting_mtok[t - 1] + step_h * change

        b.arrivals = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.accepted_mtok_per_h[t] + b.refused_mtok_per_h[t] == arrivals[t],
        )
        b.waiting = pyo.Constraint(time.steps, rule=waiting)
        b.taken = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.taken_mtok[t] == b.taken_mtok[t - 1] + step_h * b.accepted_mtok_per_h[t]
            ),
        )
        b.deadline = pyo.Constraint(
            time.steps, rule=lambda b, t: b.waiting_mtok[t] <= self._recent(b, time, t)
        )
        b.ending = pyo.Constraint(expr=b.waiting_mtok[time.last] <= self.end.at_most_mtok)
        costs: dict[Line, Amounts] = {}
        if self.refusal_cost_cny_per_mtok:
            refused = time.cost(self.refusal_cost_cny_per_mtok, of(b.refused_mtok_per_h))
            costs[Line("refused", cash=False)] = refused
        if isinstance(self.ending, EndingValue):
            worked_off = start - b.waiting_mtok[time.last]
            value = self.ending.value_cny_per_mtok
            costs[Line("end_value", cash=False)] = {None: value * worked_off}
        return costs

    def _recent(self, b: pyo.Block, time: Time, t: int) -> Expression:
        """Return the accepted work that is not due by the end of a step."""
        deadline = time.horizon.steps_down(self.deadline_h)
        return b.taken_mtok[t] - b.taken_mtok[t - deadline] if deadline else 0.0

    def keep_deadlines(self, b: pyo.Block, site: Site, meters: Meters) -> None:
        """Declare the rows on work that fleets put off when reserve is called, if any may."""
        time, name = site.clock, site.name
        put_off: list[ByStep] = []
        while meters.by_component(quantity := f"put_off_mtok[{name}|{len(put_off) + 1}]"):
            put_off.append(meters.total(quantity))
        if not put_off:
            return

        def slack(t: int) -> Expression:
            return self._recent(b, time, t) - b.waiting_mtok[t]

        catch_up = meters.total(f"catch_up_mtok_per_h[{name}]")
        b.room_mtok = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        calls = [(k, t) for k, _ in enumerate(put_off) for t in time.steps if t + k <= time.last]
        b.room = pyo.Constraint(time.steps, rule=lambda b, t: b.room_mtok[t] <= slack(t))
        b.room_later = pyo.Constraint(
            time.steps[:-1],
            rule=lambda b, t: b.room_mtok[t] <= b.room_mtok[t + 1] + time.step_h * catch_up(t + 1),
        )
        b.put_off = pyo.Constraint(calls, rule=lambda _, k, t: put_off[k](t) <= slack(t + k))
        b.put_off_late = pyo.Constraint(
            time.steps,
            rule=lambda b, t: put_off[-1](t) <= b.room_mtok[min(t + len(put_off), time.last)],
        )

    def _accepted_before(self, time: Time) -> dict[int, float]:
        """Return the part of the work waiting at the start that had come in by each past point."""
        before, horizon = time.first - 1, time.horizon
        deadline = max(horizon.steps_down(self.deadline_h), 1)
        ages = [(horizon.steps_up(work.age_h), work.mtok) for work in self.initial.waiting]
        return {
            t: sum(mtok for age, mtok in ages if before - age <= t)
            for t in range(before - deadline + 1, before + 1)
        }

    def waiting_after(self, values: Values, step_h: float) -> tuple[Waiting, ...]:
        """Return the work that waits after the steps of a schedule, youngest first.

        First in, first out leaves the youngest.
        """
        accepted = values["accepted_mtok_per_h"] * step_h
        steps = len(accepted)
        ages = [((steps - 1 - i) * step_h, float(mtok)) for i, mtok in enumerate(accepted)]
        ages += [(work.age_h + steps * step_h, work.mtok) for work in self.initial.waiting]
        left, waiting = float(values["waiting_mtok"][-1]), []
        for age, mtok in sorted(ages):
            part = min(mtok, left)
            if part > ROUNDING and not exceeds(age, self.deadline_h):
                waiting.append(Waiting(age_h=min(age, self.deadline_h), mtok=part))
                left -= part
        return tuple(waiting)


class MarketStep(Frozen):
    """A price step of the token market."""

    mtok_per_h: NonNegative
    """Most that can be sold at this price."""
    price_cny_per_mtok: Series
    """Price per million output tokens."""


Market = Sequence[MarketStep]


def declare_market(b: pyo.Block, time: Time, market: Market) -> dict[Line, Amounts]:
    """Declare the sales, given `answered_mtok_per_h` in `b`; return the revenue as costs."""
    every = range(len(market))
    depth = [time.of(step.mtok_per_h) for step in market]
    price = [time.of(step.price_cny_per_mtok * time.step_h) for step in market]
    b.sold_mtok_per_h = pyo.Var(every, time.steps, bounds=lambda _, i, t: (0, depth[i][t]))
    sold = sum_of(b.sold_mtok_per_h, every)
    b.market = pyo.Constraint(time.steps, rule=lambda b, t: b.answered_mtok_per_h[t] == sold(t))

    def revenue(t: int) -> Expression:
        return -sum(price[i][t] * b.sold_mtok_per_h[i, t] for i in every)

    return {Line("tokens", use="compute"): revenue}


def mean_price(market: Market, values: Values) -> Array:
    """Return the mean price of the tokens sold, CNY/Mtok by step; where none are, the best one."""
    offers = np.array([step.price_cny_per_mtok for step in market])
    sold = np.array([values[f"sold_mtok_per_h[{i}]"] for i in range(len(market))])
    total = sold.sum(axis=0)
    mean = (offers * sold).sum(axis=0) / np.maximum(total, LIMIT)
    return np.asarray(np.where(total > LIMIT, mean, offers.max(axis=0)))


def best_unsold_price(market: Market, values: Values) -> Array:
    """Return the best price at which more could be sold, CNY/Mtok by step; -inf where none."""
    offers = np.array([step.price_cny_per_mtok for step in market])
    depth = np.array([step.mtok_per_h for step in market])
    sold = np.array([values[f"sold_mtok_per_h[{i}]"] for i in range(len(market))])
    return np.asarray(np.where(depth - sold > LIMIT, offers, -np.inf).max(axis=0))
