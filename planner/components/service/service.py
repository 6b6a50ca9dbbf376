"""What is sold: output tokens of a model, with their input, to one kind of customer.

Variables: answered_mtok_per_h[t]; interactive: unserved_mtok_per_h[t]; with a least share,
served_mtok[t] on points. The queue of batch work and the token market stand in `queue`.

    demand       interactive: answered[t] + unserved[t] = demand_mtok_per_h[t]
    served       served_mtok[t] = served_mtok[t-1] + Δ answered[t]   batch: accepted[t]
    least        served_mtok[T] >= min_served_share (wanted_so_far_mtok + Δ sum wanted[t])
                 wanted: demand, arrivals or the depth of the market

Money comes when work is answered, at the prices of that step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from planner.components.component import Complaint, Component, Site, Supply, Time, Values, later
from planner.components.late import pyo
from planner.components.reasons import Tokens
from planner.components.service.queue import (
    RULES,
    EndingValue,
    MarketStep,
    Queue,
    ServiceEnding,
    ServiceInitial,
    Waiting,
    declare_market,
    mean_price,
)
from planner.components.terms import Balance, Expression, Line, Target, Terms, TokenDemand
from planner.fields import AtLeastZero, Fraction, Hours, Positive
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, NonNegative, PerUnit, Series

SHORT_SHARE = 1e-6  # a share missed by less is a rounding


class Service(Component):
    """A token service: interactive (demand), batch (arrivals with a deadline) or a market."""

    kind: Literal["service"]
    rules: ClassVar[Mapping[str, str]] = RULES | {
        "least": "must be served min_served_share {min_served_share} of what is wanted",
    }
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "demand_mtok_per_h": ("demand_mtok_per_h",),
        "arrivals_mtok_per_h": ("arrivals_mtok_per_h",),
        "market_mtok_per_h": ("market.*.mtok_per_h",),
    }
    counters: ClassVar[tuple[str, ...]] = ("served_mtok", "taken_mtok")
    over_horizon: ClassVar[tuple[str, ...]] = ("min_served_share",)
    earns: ClassVar[Mapping[str, str]] = {"tokens": "compute", "input_tokens": "compute"}
    end_rows: ClassVar[frozenset[str]] = frozenset({"ending", "least"})
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "input_per_output", "cached_share"})
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
    """Least part of demand or market depth answered, or of arrivals accepted, over the horizon."""
    demand_mtok_per_h: NonNegative | None = None
    """Interactive: demand, answered in its step or lost."""
    headroom_share: AtLeastZero = 0.0
    """Interactive: decode capacity kept above the mean for bursts."""
    unserved_cost_cny_per_mtok: AtLeastZero = 0.0
    """Interactive: penalty for work not answered."""
    arrivals_mtok_per_h: NonNegative | None = None
    """Batch: work that comes in."""
    deadline_h: Hours | None = None
    """Batch: longest time from the end of the step of arrival."""
    refusal_cost_cny_per_mtok: AtLeastZero = 0.0
    """Batch: penalty for work refused."""
    initial: ServiceInitial = ServiceInitial()
    """State when the horizon begins."""
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
            "demand_mtok_per_h": {"deadline_h", "refusal_cost_cny_per_mtok", "ending"},
            "arrivals_mtok_per_h": {"headroom_share", "unserved_cost_cny_per_mtok"},
            "market": {"headroom_share", "unserved_cost_cny_per_mtok", "deadline_h",
                       "refusal_cost_cny_per_mtok", "ending", "price_cny_per_mtok"},
        }[given[0]]  # fmt: skip
        misplaced = [
            name
            for name in sorted(foreign & self.model_fields_set)
            if not _same_value(getattr(self, name), type(self).model_fields[name].default)
        ]
        if self.initial.waiting and given[0] != "arrivals_mtok_per_h":
            misplaced.append("initial.waiting")
        if misplaced:
            raise ValueError(f"{', '.join(misplaced)} cannot go with {given[0]}")
        if given[0] != "market" and self.price_cny_per_mtok is None:
            raise ValueError("price_cny_per_mtok is required")
        if given[0] == "arrivals_mtok_per_h":
            if (limit := self.deadline_h) is None:
                raise ValueError("deadline_h is required with arrivals_mtok_per_h")
            for age in (work.age_h for work in self.initial.waiting if work.age_h > limit):
                raise ValueError(
                    f"initial.waiting: age_h must not exceed deadline_h {limit:g}, is {age:g}"
                )
        return self

    @property
    def interruptible(self) -> bool:
        """Whether its work may pause when reserve is called: batch and market work may."""
        return self.demand_mtok_per_h is None

    @property
    def _served_column(self) -> str:
        """What counts toward `min_served_share`: answers, or batch work taken on."""
        return f"{'answered' if self.arrivals_mtok_per_h is None else 'accepted'}_mtok_per_h"

    def served(self, values: Values) -> float:
        """Return what counts toward `min_served_share` in some steps, Mtok/h summed."""
        return float(values[self._served_column].sum())

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
        best, limit = site.supply(("model", self.model)), self.max_inter_token_ms
        if limit is not None and best and min(best) > limit:
            yield (
                ("max_inter_token_ms",),
                f"no operating point of model {self.model!r} meets it: the fastest has"
                f" {min(best):g} ms, the limit is {limit:g} ms",
            )

    def warn(self, site: Site) -> Iterator[str]:
        services = {n: c for n, c in site.components.items() if isinstance(c, Service)}
        alike = {name: other for name, other in services.items() if other.model == self.model}
        most = sum(site.supply(("tokens", self.model)))
        wanted = np.asarray(sum(service.wanted() for service in alike.values()))
        if site.name == min(alike) and wanted.max() > most:
            yield (
                f"{' and '.join(sorted(alike))} want up to {wanted.max():g} Mtok/h of"
                f" {self.model!r}, above the {most:g} Mtok/h that all fleets could answer"
            )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time = site.clock
        b.answered_mtok_per_h = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        costs: dict[Line, Any] = {}
        prices = {"input_tokens": self.input_price(), "tokens": self.price_cny_per_mtok}
        for line, price in prices.items():
            if price is not None:
                rate = time.of(price * time.step_h)
                costs[Line(line, use="compute")] = {
                    t: -rate[t] * b.answered_mtok_per_h[t] for t in time.steps
                }
        if self.demand_mtok_per_h is not None:
            costs |= self._interactive(b, time, self.demand_mtok_per_h)
        elif self.market is not None:
            costs |= declare_market(b, time, self.market)
        elif (queue := self._queue()) is not None:
            costs |= queue.declare(b, time)
        if self.min_served_share:
            self._share(b, time)
        return Terms(
            flows={Balance("tokens", site.name): lambda t: -b.answered_mtok_per_h[t]}, costs=costs
        )

    def input_price(self) -> Array | None:
        """Return what the input of a Mtok of output earns, CNY; shape (T,), None where nothing."""
        cached = self.cached_share * self.price_cached_cny_per_mtok
        uncached = (1 - self.cached_share) * self.price_input_cny_per_mtok
        price = np.asarray(self.input_per_output * (cached + uncached))
        return price if price.any() else None

    def _share(self, b: pyo.Block, time: Time) -> None:
        served = b.component(self._served_column)
        step_h, start = time.step_h, self.initial
        wanted = start.wanted_so_far_mtok + step_h * sum(time.of(self.wanted()).values())
        b.served_mtok = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.served_mtok[time.first - 1].fix(start.served_so_far_mtok)

        def rises(b: pyo.Block, t: int) -> Expression:
            return b.served_mtok[t] == b.served_mtok[t - 1] + step_h * served[t]

        b.served = pyo.Constraint(time.steps, rule=rises)
        b.least = pyo.Constraint(expr=b.served_mtok[time.last] >= self.min_served_share * wanted)

    def _interactive(self, b: pyo.Block, time: Time, series: Array) -> dict[Line, Any]:
        demand = time.of(series)
        b.unserved_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, demand[t]))
        b.demand = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.answered_mtok_per_h[t] + b.unserved_mtok_per_h[t] == demand[t],
        )
        rate = self.unserved_cost_cny_per_mtok * time.step_h
        lost = {t: rate * b.unserved_mtok_per_h[t] for t in time.steps}
        return {Line("unserved", cash=False): lost} if rate else {}

    def _queue(self) -> Queue | None:
        arrivals, deadline_h = self.arrivals_mtok_per_h, self.deadline_h
        if arrivals is None or deadline_h is None:
            return None
        refusal = self.refusal_cost_cny_per_mtok
        return Queue(arrivals, deadline_h, refusal, self.initial, self.ending)

    def token_demand(self) -> TokenDemand:
        offers = self.market or ()
        prices = tuple(step.price_cny_per_mtok for step in offers)
        if self.price_cny_per_mtok is not None:
            prices = (self.price_cny_per_mtok,)
        waiting = self.initial.waiting_mtok
        return TokenDemand(self.wanted(), self.headroom_share, waiting, prices, bool(offers))

    def sells(self, values: Values, horizon: Horizon) -> Tokens:
        answered = values["answered_mtok_per_h"]
        beside = np.zeros(len(answered))
        if (earned := self.input_price()) is not None:
            beside = beside + earned
        if self.demand_mtok_per_h is not None:
            beside = beside + self.unserved_cost_cny_per_mtok
        if self.arrivals_mtok_per_h is not None:
            beside = beside + self.refusal_cost_cny_per_mtok
        if self.market is None:
            assert self.price_cny_per_mtok is not None
            return Tokens(answered, self.price_cny_per_mtok, beside)
        return Tokens(answered, mean_price(self.market, values), beside)

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        wanted = float(self.wanted().sum() * horizon.step_h)
        served = self.served(values) * horizon.step_h
        figures = {
            "wanted_mtok": wanted,
            "answered_mtok": float(values["answered_mtok_per_h"].sum() * horizon.step_h),
            "served_share": served / wanted if wanted else 1.0,
        }
        if "waiting_mtok" in values:
            figures["waiting_at_end_mtok"] = float(values["waiting_mtok"][-1])
            figures["refused_mtok"] = float(values["refused_mtok_per_h"].sum() * horizon.step_h)
        return figures

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        past, now = self.initial, figures["wanted_mtok"]
        wanted = past.wanted_so_far_mtok + now
        served = figures["served_share"] * now + past.served_so_far_mtok
        least, share = self.min_served_share or None, served / wanted if wanted else None
        kept = least is None or share is None or share >= least - SHORT_SHARE
        yield Target(
            "min_served_share", "served_share", "tokens", least, share, kept=kept,
            counts_more=past.wanted_so_far_mtok > 0,
        )  # fmt: skip

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        start, ending = self.initial, self.ending
        passed = self.wanted()[kept.first - 1 : kept.last]
        wanted = start.wanted_so_far_mtok + float(passed.sum() * horizon.step_h)
        served = start.served_so_far_mtok + self.served(values) * horizon.step_h
        least = self.min_served_share * wanted
        waiting: tuple[Waiting, ...] = ()
        if (queue := self._queue()) is not None:
            waiting, ending = queue.after(values, horizon.step_h)
        initial = ServiceInitial(
            waiting=waiting,
            wanted_so_far_mtok=wanted,
            # what the solver's tolerances left over or open is not carried on
            served_so_far_mtok=least if least - 1e-6 < served < least else min(wanted, served),
        )
        return self.model_copy(update={"initial": initial, "ending": ending})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        start = self.initial
        changes: dict[str, Any] = {}
        wanted = float(self.wanted()[window.last :].sum()) * horizon.step_h
        served = wanted
        if firm and values:
            served = self.served(later(values, window)) * horizon.step_h
        if self.min_served_share and (values or not firm):
            changes["initial"] = ServiceInitial(
                waiting=start.waiting,
                wanted_so_far_mtok=start.wanted_so_far_mtok + wanted,
                served_so_far_mtok=start.served_so_far_mtok + min(served, wanted),
            )
        if (arrivals := self.arrivals_mtok_per_h) is not None and (values or not firm):
            ending, value = self.ending, 0.0
            if isinstance(ending, EndingValue):
                most, value = ending.at_most_mtok, ending.value_cny_per_mtok
            else:
                most = start.waiting_mtok
            if firm:
                most = max(most, float(values["waiting_mtok"][window.last - 1]))
            else:
                arriving = float(arrivals[window.first - 1 : window.last].sum()) * horizon.step_h
                most = start.waiting_mtok + arriving
            changes["ending"] = EndingValue(value_cny_per_mtok=value, at_most_mtok=most)
        return self.model_copy(update=changes)


def _same_value(value: Any, default: Any) -> bool:
    """Whether a field still has its default, series included."""
    return bool(np.all(value == default)) if isinstance(value, np.ndarray) else value == default
