"""A token service: output tokens of a model, with their input, sold to one kind of customer.

Variables: answered_mtok_per_h[t]; interactive: unserved_mtok_per_h[t]; with min_served_share,
served_mtok[t] on points. `queue` declares the rows of batch work and of the token market.

    demand       interactive: answered[t] + unserved[t] = demand_mtok_per_h[t]
    served       served_mtok[t] = served_mtok[t-1] + Δ answered[t]   batch: accepted[t]
    least        served_mtok[T] >= min_served_share (wanted_so_far_mtok + Δ sum wanted[t])
                 wanted: demand, arrivals or the depth of the market

Work is paid when it is answered, at the prices of that step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from planner.components.component import Complaint, Latencies, Site, Supply, Values
from planner.components.reasons import Tokens
from planner.components.service.fields import ServiceFields
from planner.components.service.queue import (
    RULES,
    EndingValue,
    Queue,
    ServiceInitial,
    Waiting,
    declare_market,
    mean_price,
)
from planner.components.terms import (
    Amounts,
    AtEnd,
    Balance,
    Line,
    Meters,
    Target,
    Terms,
    TokenDemand,
    of,
)
from planner.components.time import Time
from planner.fields import NOTHING, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import later
from planner.timeseries.series import Array

LIMITS = "max_inter_token_ms", "max_first_token_ms"


class Service(ServiceFields):
    """A token service: interactive (demand), batch (arrivals with a deadline) or a market."""

    rules: ClassVar[Mapping[str, str]] = RULES | {
        "least": "must be served min_served_share {min_served_share} of what is wanted",
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("refused_mtok",)
    row_units: ClassVar[Mapping[str, str]] = {"put_off": "Mtok", "put_off_late": "Mtok"}
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "demand_mtok_per_h": ("demand_mtok_per_h",),
        "arrivals_mtok_per_h": ("arrivals_mtok_per_h",),
        "market_mtok_per_h": ("market.*.mtok_per_h",),
    }
    counters: ClassVar[tuple[str, ...]] = ("served_mtok", "taken_mtok", "room_mtok")
    over_horizon: ClassVar[tuple[str, ...]] = ("min_served_share",)
    earns: ClassVar[Mapping[str, str]] = {"tokens": "compute", "input_tokens": "compute"}
    end_rows: ClassVar[Mapping[str, str]] = {
        "ending": "state at the end", "least": "share of demand served"
    }  # fmt: skip
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "input_per_output", "cached_share"})
    carries: ClassVar[Mapping[str, str]] = {"waiting_mtok": "ending.value_cny_per_mtok"}

    @property
    def interruptible(self) -> bool:
        """Whether its work may pause when reserve is called: batch and market work may."""
        return self.demand_mtok_per_h is None

    @property
    def _served_column(self) -> str:
        """The column that `min_served_share` counts: work answered, of batch work accepted."""
        return f"{'answered' if self.arrivals_mtok_per_h is None else 'accepted'}_mtok_per_h"

    def _served_mtok(self, values: Values, horizon: Horizon) -> float:
        """Return the work that counts as served in the steps of a schedule."""
        return float(values[self._served_column].sum()) * horizon.step_h

    @property
    def limits(self) -> Latencies:
        """The longest latencies its customers accept, ms: between tokens, and to the first."""
        return self.max_inter_token_ms, self.max_first_token_ms

    def wanted_mtok_per_h(self) -> Array:
        """Return the most that could be sold: demand, arrivals or market depth; shape (T,)."""
        if self.market is not None:
            return np.asarray(sum(step.mtok_per_h for step in self.market))
        demand = self.demand_mtok_per_h
        return np.asarray(demand if demand is not None else self.arrivals_mtok_per_h)

    def _wanted_mtok(self, first: int, last: int, horizon: Horizon) -> float:
        return float(self.wanted_mtok_per_h()[first - 1 : last].sum()) * horizon.step_h

    def demands(self) -> dict[Supply, str]:
        return {("model", self.model): "model"}

    def check(self, site: Site) -> Iterator[Complaint]:
        parts = site.components.values()
        points = [times for part in parts for times in part.latencies(self.model)]
        slow = {field: _too_slow(points, self.limits, i) for i, field in enumerate(LIMITS)}
        inter_ms = self.max_inter_token_ms
        if inter_ms is not None and not any(slow.values()):
            fast = [times for times in points if not exceeds(times[0] or np.inf, inter_ms)]
            if reason := _too_slow(fast, self.limits, 1):
                slow[LIMITS[1]] = Message(
                    "within max_inter_token_ms {limit:g} {reason}", limit=inter_ms, reason=reason
                )
        for field, reason in slow.items():
            if reason:
                message = Message(
                    "no operating point of model {name!r} meets it: {reason}",
                    name=self.model,
                    reason=reason,
                )
                yield (field,), message

    def warn(self, site: Site) -> Iterator[Message]:
        services = {n: c for n, c in site.components.items() if isinstance(c, Service)}
        alike = {n: c.wanted_mtok_per_h() for n, c in services.items() if c.model == self.model}
        most, wanted = sum(site.supply(("tokens", self.model))), np.asarray(sum(alike.values()))
        if site.name == min(alike) and exceeds(wanted.max(), most):
            yield Message(
                "{names} want up to {wanted:g} Mtok/h of {name!r}, above the {most:g} Mtok/h that"
                " all fleets could answer",
                names=" and ".join(sorted(alike)),
                wanted=wanted.max(),
                name=self.model,
                most=most,
            )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time = site.clock
        b.answered_mtok_per_h = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        costs, answered = dict[Line, Amounts](), of(b.answered_mtok_per_h)
        if (input_price := self._input_price()).any():
            costs[Line("input_tokens", use="compute")] = time.cost(-input_price, answered)
        if self.price_cny_per_mtok is not None:
            costs[Line("tokens", use="compute")] = time.cost(-self.price_cny_per_mtok, answered)
        if self.demand_mtok_per_h is not None:
            costs |= self._declare_demand(b, time, self.demand_mtok_per_h)
        elif self.market is not None:
            costs |= declare_market(b, time, self.market)
        elif (queue := self._queue()) is not None:
            costs |= queue.declare(b, time)
        if self.min_served_share:
            self._declare_share(b, time)
        return Terms(
            flows={Balance("tokens", site.name): lambda t: -b.answered_mtok_per_h[t]}, costs=costs
        )

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        if (queue := self._queue()) is not None:
            queue.keep_deadlines(b, site, meters)
        return Terms()

    def _input_price(self) -> Array:
        """Return the revenue of the input of a Mtok of output, CNY; shape (T,) or ()."""
        cached = self.cached_share * self.price_cached_cny_per_mtok
        uncached = (1 - self.cached_share) * self.price_input_cny_per_mtok
        return np.asarray(self.input_per_output * (cached + uncached))

    def _declare_share(self, b: pyo.Block, time: Time) -> None:
        column, step_h, start = b.component(self._served_column), time.step_h, self.initial
        in_window = self._wanted_mtok(time.first, time.last, time.horizon)
        least = self.min_served_share * (start.wanted_so_far_mtok + in_window)
        b.served_mtok = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        b.served_mtok[time.first - 1].fix(start.served_so_far_mtok)
        b.served = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.served_mtok[t] == b.served_mtok[t - 1] + step_h * column[t],
        )
        b.least = pyo.Constraint(expr=b.served_mtok[time.last] >= least)

    def _declare_demand(self, b: pyo.Block, time: Time, series: Array) -> dict[Line, Amounts]:
        demand = time.of(series)
        b.unserved_mtok_per_h = pyo.Var(time.steps, bounds=lambda _, t: (0, demand[t]))
        b.demand = pyo.Constraint(
            time.steps,
            rule=lambda b, t: b.answered_mtok_per_h[t] + b.unserved_mtok_per_h[t] == demand[t],
        )
        penalty = self.unserved_cost_cny_per_mtok
        line = Line("unserved", cash=False)
        return {line: time.cost(penalty, of(b.unserved_mtok_per_h))} if penalty else {}

    def _queue(self) -> Queue | None:
        arrivals, deadline_h = self.arrivals_mtok_per_h, self.deadline_h
        if arrivals is None or deadline_h is None:
            return None
        refusal = self.refusal_cost_cny_per_mtok
        return Queue(arrivals, deadline_h, refusal, self.initial, self.ending)

    @property
    def max_waiting_at_end_mtok(self) -> float:
        """The most batch work that `ending` lets wait at the end."""
        queue = self._queue()
        return 0.0 if queue is None else queue.end.at_most_mtok

    def token_demand(self) -> TokenDemand:
        prices = tuple(step.price_cny_per_mtok for step in self.market or ())
        if self.price_cny_per_mtok is not None:
            prices = (self.price_cny_per_mtok,)
        return TokenDemand(
            self.wanted_mtok_per_h(),
            self.headroom_share,
            self.initial.waiting_mtok,
            prices,
            self.market is not None,
        )

    def sells(self, values: Values, horizon: Horizon) -> Tokens:
        answered, price = values["answered_mtok_per_h"], self.price_cny_per_mtok
        if price is None:
            price = mean_price(self.market or (), values)
        # a service has one of these penalties at most
        penalty = self.unserved_cost_cny_per_mtok + self.refusal_cost_cny_per_mtok
        return Tokens(answered, price, np.zeros(len(answered)) + self._input_price() + penalty)

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        wanted = self._wanted_mtok(1, horizon.steps, horizon)
        served = self._served_mtok(values, horizon)
        figures = {
            "wanted_mtok": wanted,
            "answered_mtok": float(values["answered_mtok_per_h"].sum() * horizon.step_h),
            "served_share": served / wanted if wanted else 1.0,
        }
        if "waiting_mtok" in values:  # answered + at end = wanted + at start - refused
            figures["waiting_at_start_mtok"] = self.initial.waiting_mtok
            figures["waiting_at_end_mtok"] = float(values["waiting_mtok"][-1])
            figures["refused_mtok"] = float(values["refused_mtok_per_h"].sum() * horizon.step_h)
        return figures

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        past, now = self.initial, figures["wanted_mtok"]
        wanted = past.wanted_so_far_mtok + now
        served = figures["served_share"] * now + past.served_so_far_mtok
        least, share = self.min_served_share or None, served / wanted if wanted else None
        met = least is None or share is None or share >= least - NOTHING
        yield Target(
            "min_served_share", "served_share", "tokens", least, share, met=met,
            counts_more=past.wanted_so_far_mtok > 0,
        )  # fmt: skip

    def resolved_ending(self) -> EndingValue | None:
        queue = self._queue()
        return None if queue is None else queue.end

    def with_end_values(self, at_end: Mapping[str, AtEnd], horizon: Horizon) -> Self:
        (waiting,) = at_end.values()
        most = max(self.max_waiting_at_end_mtok, waiting.amount)
        ending = EndingValue(value_cny_per_mtok=waiting.worth_cny, at_most_mtok=most)
        return self.revised({"ending": ending})

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        start, ending = self.initial, self.ending
        wanted = start.wanted_so_far_mtok
        wanted += self._wanted_mtok(executed.first, executed.last, horizon)
        served = start.served_so_far_mtok + self._served_mtok(values, horizon)
        least = self.min_served_share * wanted
        waiting: tuple[Waiting, ...] = ()
        if (queue := self._queue()) is not None:
            waiting, ending = queue.waiting_after(values, horizon.step_h), queue.end
        initial = ServiceInitial(
            waiting=waiting,
            wanted_so_far_mtok=wanted,
            # what the solver's tolerances leave missing or in excess is not carried over
            served_so_far_mtok=least if least - NOTHING < served < least else min(wanted, served),
        )
        return self.revised({"initial": initial, "ending": ending})

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        if firm and not values:
            return self
        start, changes = self.initial, dict[str, Any]()
        if self.min_served_share:
            served = wanted = self._wanted_mtok(window.last + 1, horizon.steps, horizon)
            if firm:
                served = self._served_mtok(later(values, window), horizon)
            changes["initial"] = ServiceInitial(
                waiting=start.waiting,
                wanted_so_far_mtok=start.wanted_so_far_mtok + wanted,
                served_so_far_mtok=start.served_so_far_mtok + min(served, wanted),
            )
        if (queue := self._queue()) is not None:
            if firm:
                most = max(queue.end.at_most_mtok, float(values["waiting_mtok"][window.last - 1]))
            else:
                most = start.waiting_mtok + self._wanted_mtok(window.first, window.last, horizon)
            changes["ending"] = queue.end.revised({"at_most_mtok": most})
        return self.revised(changes)


def _too_slow(points: Sequence[Latencies], limits: Latencies, i: int) -> Message | None:
    """Return why no point meets a limit of time, the one between tokens or that to the first."""
    limit, known = limits[i], [ms for times in points if (ms := times[i]) is not None]
    if limit is None or not points or (known and not exceeds(min(known), limit)):
        return None
    if not known:
        return Message("its points have no {field}", field=LIMITS[i].removeprefix("max_"))
    return Message(
        "the fastest has {fastest:g} ms, the limit is {limit:g} ms",
        fastest=min(known),
        limit=limit,
    )
