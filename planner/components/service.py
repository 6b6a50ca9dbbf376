"""What is sold: output tokens of a model, with their input, to one kind of customer.

Variables: answered_mtok_per_h[t]; interactive: unserved_mtok_per_h[t]; batch: accepted_mtok_per_h[t],
refused_mtok_per_h[t], and waiting_mtok[t], taken_mtok[t] on points; market: sold_mtok_per_h[i,t].

    demand       interactive: answered[t] + unserved[t] = demand_mtok_per_h[t]
    arrivals     batch: accepted[t] + refused[t] = arrivals_mtok_per_h[t]
    waiting      batch: waiting[t] = waiting[t-1] + Δ (accepted[t] - answered[t])
    taken        batch: taken[t] = taken[t-1] + Δ accepted[t]
    deadline     batch: waiting[t] <= taken[t] - taken[t-D]          D = floor(deadline_h / Δ)
    ending       batch: waiting[T] <= waiting[0], or <= at_most_mtok
    market       market: answered[t] = sum_i sold[i,t]               sold[i,t] <= mtok_per_h_i[t]
    least        Δ sum answered >= min_served_share Δ sum (demand, arrivals or market depth)

Batch work is answered first in, first out: what has come in during the last D steps is all that may
still wait. Age counts from the end of the step of arrival. Money comes when work is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, Tag, model_validator

from planner.components.base import (
    AtLeastZero,
    Balance,
    Complaint,
    Component,
    Fraction,
    Line,
    Positive,
    Site,
    Supply,
    Terms,
    Time,
    Values,
    form,
)
from planner.horizon import Frozen, Horizon, Window
from planner.series import Array, NonNegative, PerUnit, Series

if TYPE_CHECKING:
    import pyomo.environ as pyo


class MarketStep(Frozen):
    """A price step of the token market."""

    mtok_per_h: NonNegative
    """Most that can be sold at this price."""
    price_cny_per_mtok: Series
    """Price per million output tokens."""


class Waiting(Frozen):
    """Accepted work that was waiting when the horizon began."""

    age_h: AtLeastZero
    """Hours since the end of the step it came in."""
    mtok: AtLeastZero
    """Million output tokens."""


class ServiceInitial(Frozen):
    """The batch queue when the horizon begins."""

    waiting: Annotated[tuple[Waiting, ...], Field(strict=False)] = ()
    """Work that waits, by age."""


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


class Service(Component):
    """A token service: interactive (demand), batch (arrivals with a deadline) or a market."""

    kind: Literal["service"]
    model: str
    """Model it is answered with; a fleet must serve it."""
    max_inter_token_ms: Positive | None = None
    """Slowest inter-token latency the customer accepts."""
    price_cny_per_mtok: Series | None = None
    """Price per million output tokens."""
    input_per_output: NonNegative = 0.0  # type: ignore[assignment]  # validated into a series
    """Input tokens that come with one output token."""
    cached_share: PerUnit = 0.0  # type: ignore[assignment]  # validated into a series
    """Part of the input tokens found in the cache: no prefill, cached price."""
    price_input_cny_per_mtok: NonNegative = 0.0  # type: ignore[assignment]
    """Price per million input tokens not in the cache."""
    price_cached_cny_per_mtok: NonNegative = 0.0  # type: ignore[assignment]
    """Price per million input tokens in the cache."""
    min_served_share: Fraction = 0.0
    """Least part of the demand, arrivals or market depth answered over the horizon."""
    demand_mtok_per_h: NonNegative | None = None
    """Interactive: demand, answered in its step or lost."""
    headroom_share: AtLeastZero = 0.0
    """Interactive: decode capacity kept above the mean for bursts."""
    unserved_cost_cny_per_mtok: AtLeastZero = 0.0
    """Interactive: penalty for work not answered."""
    arrivals_mtok_per_h: NonNegative | None = None
    """Batch: work that comes in."""
    deadline_h: AtLeastZero | None = None
    """Batch: longest time from the end of the step of arrival."""
    refusal_cost_cny_per_mtok: AtLeastZero = 0.0
    """Batch: penalty for work refused."""
    initial: ServiceInitial = ServiceInitial()
    """Batch: the queue when the horizon begins."""
    ending: ServiceEnding = "same_as_start"
    """Batch: no more waiting than at the start, or a value for what waits."""
    market: Annotated[tuple[MarketStep, ...], Field(min_length=1, strict=False)] | None = None
    """Market: price steps, each with its depth."""

    @model_validator(mode="after")
    def _consistent(self) -> Service:
        forms = ("demand_mtok_per_h", "arrivals_mtok_per_h", "market")
        given = [name for name in forms if getattr(self, name) is not None]
        if len(given) != 1:
            had = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of {', '.join(forms)}; has {had}")
        foreign = {
            "demand_mtok_per_h": {"deadline_h", "refusal_cost_cny_per_mtok", "initial", "ending"},
            "arrivals_mtok_per_h": {"headroom_share", "unserved_cost_cny_per_mtok"},
            "market": {"headroom_share", "unserved_cost_cny_per_mtok", "deadline_h", "initial",
                       "refusal_cost_cny_per_mtok", "ending", "price_cny_per_mtok"},
        }[given[0]]  # fmt: skip
        misplaced = [
            name
            for name in sorted(foreign & self.model_fields_set)
            if not _same_value(getattr(self, name), type(self).model_fields[name].default)
        ]
        if misplaced:
            raise ValueError(f"{', '.join(misplaced)} cannot go with {given[0]}")
        if given[0] != "market" and self.price_cny_per_mtok is None:
            raise ValueError("price_cny_per_mtok is required")
        if given[0] == "arrivals_mtok_per_h":
            if self.deadline_h is None:
                raise ValueError("deadline_h is required with arrivals_mtok_per_h")
            late = [w.age_h for w in self.initial.waiting if w.age_h > self.deadline_h]
            if late:
                raise ValueError(
                    f"initial.waiting: age_h must not exceed deadline_h {self.deadline_h:g},"
                    f" is {late[0]:g}"
                )
        return self

    @property
    def interruptible(self) -> bool:
        """Whether its work may pause when reserve is called: batch and market work may."""
        return self.demand_mtok_per_h is None

    def within(self, limit: float | None) -> bool:
        """Whether the customer's latency limit is this one or a tighter one; None is no limit."""
        mine = self.max_inter_token_ms
        return limit is None or (mine is not None and mine <= limit)

    def wanted(self) -> Array:
        """Return the most that could be sold, Mtok/h; shape (T,)."""
        if self.market is not None:
            return np.asarray(sum(step.mtok_per_h for step in self.market))
        wanted = self.demand_mtok_per_h
        return np.asarray(wanted if wanted is not None else self.arrivals_mtok_per_h)

    def demands(self) -> dict[Supply, str]:
        return {("model", self.model): "model"}

    def check(self, site: Site) -> Iterator[Complaint]:
        best = site.supply(("model", self.model))
        limit = self.max_inter_token_ms
        if limit is not None and best and min(best) > limit:
            yield (
                ("max_inter_token_ms",),
                f"no operating point of model {self.model!r} meets it: the fastest has"
                f" {min(best):g} ms, the limit is {limit:g} ms",
            )

    def warn(self, site: Site) -> Iterator[str]:
        alike = {
            name: other
            for name, other in site.components.items()
            if isinstance(other, Service) and other.model == self.model
        }
        most = sum(site.supply(("tokens", self.model)))
        wanted = np.asarray(sum(service.wanted() for service in alike.values()))
        if site.name == min(alike) and wanted.max() > most:
            yield (
                f"{' and '.join(sorted(alike))} want up to {wanted.max():g} Mtok/h of"
                f" {self.model!r}, above the {most:g} Mtok/h that all fleets could answer"
            )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        import pyomo.environ as pyo

        time = site.clock
        b.answered_mtok_per_h = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        costs: dict[Line, Any] = {}
        uncached = self.input_per_output * (1 - self.cached_share)
        cached = self.input_per_output * self.cached_share
        per_output = (
            uncached * self.price_input_cny_per_mtok + cached * self.price_cached_cny_per_mtok
        )
        if per_output.any():
            rate = time.of(per_output * time.step_h)
            costs[Line("input_tokens", use="compute")] = {
                t: -rate[t] * b.answered_mtok_per_h[t] for t in time.steps
            }
        if self.price_cny_per_mtok is not None:
            price = time.of(self.price_cny_per_mtok * time.step_h)
            costs[Line("tokens", use="compute")] = {
                t: -price[t] * b.answered_mtok_per_h[t] for t in time.steps
            }
        if self.demand_mtok_per_h is not None:
            costs |= self._interactive(b, time, self.demand_mtok_per_h)
        elif self.market is not None:
            costs |= self._market(b, time, self.market)
        else:
            assert self.arrivals_mtok_per_h is not None
            costs |= self._batch(b, time, self.arrivals_mtok_per_h)
        if self.min_served_share:
            wanted = time.of(self.wanted())
            b.least = pyo.Constraint(
                expr=time.step_h * sum(b.answered_mtok_per_h[t] for t in time.steps)
                >= self.min_served_share * time.step_h * sum(wanted.values())
            )
        return Terms(
            flows={Balance("tokens", site.name): lambda t: -b.answered_mtok_per_h[t]}, costs=costs
        )

    def _interactive(self, b: pyo.Block, time: Time, series: Array) -> dict[Line, Any]:
        import pyomo.environ as pyo

        demand = time.of(series)
        b.unserved_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, demand[t]))
        b.demand = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.answered_mtok_per_h[t] + b.unserved_mtok_per_h[t] == demand[t],
        )
        if not self.unserved_cost_cny_per_mtok:
            return {}
        rate = self.unserved_cost_cny_per_mtok * time.step_h
        return {
            Line("unserved", cash=False): {t: rate * b.unserved_mtok_per_h[t] for t in time.steps}
        }

    def _market(self, b: pyo.Block, time: Time, market: tuple[MarketStep, ...]) -> dict[Line, Any]:
        import pyomo.environ as pyo

        every = range(len(market))
        depth = [time.of(step.mtok_per_h) for step in market]
        price = [time.of(step.price_cny_per_mtok * time.step_h) for step in market]
        b.sold_mtok_per_h = pyo.Var(every, time.steps, bounds=lambda _, i, t: (0, depth[i][t]))
        b.market = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.answered_mtok_per_h[t]
            == sum(b.sold_mtok_per_h[i, t] for i in every),
        )
        return {
            Line("tokens", use="compute"): {
                t: -sum(price[i][t] * b.sold_mtok_per_h[i, t] for i in every) for t in time.steps
            }
        }

    def _batch(self, b: pyo.Block, time: Time, series: Array) -> dict[Line, Any]:
        import pyomo.environ as pyo

        assert self.deadline_h is not None
        step_h, before = time.step_h, time.first - 1
        arrivals = time.of(series)
        deadline = time.horizon.steps_down(self.deadline_h)
        b.accepted_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.refused_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, arrivals[t]))
        b.waiting_mtok = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.taken_mtok = pyo.Var(time.back(max(deadline, 1)), domain=pyo.NonNegativeReals)
        waiting = [(time.horizon.steps_up(w.age_h), w.mtok) for w in self.initial.waiting]
        start = sum(mtok for _, mtok in waiting)
        b.waiting_mtok[before].fix(start)
        for t in range(before - max(deadline, 1) + 1, before + 1):
            b.taken_mtok[t].fix(sum(mtok for age, mtok in waiting if before - age <= t))
        b.arrivals = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.accepted_mtok_per_h[t] + b.refused_mtok_per_h[t] == arrivals[t],
        )
        b.waiting = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.waiting_mtok[t]
            == b.waiting_mtok[t - 1]
            + step_h * (b.accepted_mtok_per_h[t] - b.answered_mtok_per_h[t]),
        )
        b.taken = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.taken_mtok[t]
            == b.taken_mtok[t - 1] + step_h * b.accepted_mtok_per_h[t],
        )
        b.deadline = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.waiting_mtok[t] <= b.taken_mtok[t] - b.taken_mtok[t - deadline]
            if deadline
            else b.waiting_mtok[t] <= 0,
        )
        costs: dict[Line, Any] = {}
        if self.refusal_cost_cny_per_mtok:
            rate = self.refusal_cost_cny_per_mtok * step_h
            costs[Line("refused", cash=False)] = {
                t: rate * b.refused_mtok_per_h[t] for t in time.steps
            }
        if isinstance(self.ending, EndingValue):
            most = self.ending.at_most_mtok
            costs[Line("end_value", cash=False)] = {
                None: self.ending.value_cny_per_mtok * (start - b.waiting_mtok[time.last])
            }
        else:
            most = start
        b.ending = pyo.Constraint(expr=b.waiting_mtok[time.last] <= most)
        return costs

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        wanted = float(self.wanted().sum() * horizon.step_h)
        answered = float(values["answered_mtok_per_h"].sum() * horizon.step_h)
        queued = sum(work.mtok for work in self.initial.waiting)
        figures = {
            "wanted_mtok": wanted + queued,
            "answered_mtok": answered,
            "served_share": answered / (wanted + queued) if wanted + queued else 1.0,
        }
        if "waiting_mtok" in values:
            figures["waiting_at_end_mtok"] = float(values["waiting_mtok"][-1])
            figures["refused_mtok"] = float(values["refused_mtok_per_h"].sum() * horizon.step_h)
        return figures

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        if self.arrivals_mtok_per_h is None:
            return self
        left = float(values["waiting_mtok"][-1])
        accepted = values["accepted_mtok_per_h"] * horizon.step_h
        moved = len(kept) * horizon.step_h
        arrived = [((len(kept) - 1 - i) * horizon.step_h, float(a)) for i, a in enumerate(accepted)]
        arrived += [(w.age_h + moved, w.mtok) for w in self.initial.waiting]
        waiting = []
        for age, mtok in sorted(arrived):  # first in, first out: what waits is the youngest
            part = min(mtok, left)
            if part > 1e-9 and age <= (self.deadline_h or 0.0):
                waiting.append(Waiting(age_h=age, mtok=part))
                left -= part
        ending = self.ending
        if ending == "same_as_start":  # the start meant is the first one
            start = sum(w.mtok for w in self.initial.waiting)
            ending = EndingValue(value_cny_per_mtok=0.0, at_most_mtok=start)
        initial = ServiceInitial(waiting=tuple(waiting))
        return self.model_copy(update={"initial": initial, "ending": ending})


def _same_value(value: Any, default: Any) -> bool:
    """Whether a field still has its default, series included."""
    return bool(np.all(value == default)) if isinstance(value, np.ndarray) else value == default
