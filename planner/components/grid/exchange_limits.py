"""Ramp and daily swing limits of the exchange with the public grid, and demand response.

With exchange[t] = import_mw[t] - sum_o export_mw[o,t], MW, and s = max_swing_share:

Variables: highest_mw[d] per local day d where the swing has a limit.

    exchange_ramp   |exchange[t] - exchange[t-1]| <= Δ ramp_mw_per_h
                    in the first step only where initial.exchange_mw is given
    highest         highest_mw[d] >= exchange[t]                    for t in day d
    swing           exchange[t] >= (1 - s) highest_mw[d]            for t in day d
    swing_so_far    initial.lowest_today_mw >= (1 - s) highest_mw[d]    on the first day

highest_mw >= 0 and >= initial.highest_today_mw. So (highest - lowest) / highest <= s, the
peak-valley rate of NDRC/NEA 650 (2025). The rate is a share of the highest import and s is at most
1: with it the site never exports. Both limits bind the schedule; a call of reserve is an emergency
and may violate them.

Demand response pays the site for importing less than the baseline in the hours of an event i.

Variables: responded_mw[i,t] <= max_mw of event i in its hours, 0 elsewhere; responding[i,t], binary
where an event holds and import_limit_mw > baseline_mw, 0 elsewhere.

    responded       responded_mw[i,t] <= max_mw responding[i,t]
    response_room   responded_mw[i,t] + import_mw[t]
                        <= baseline_mw[t] + (import_limit_mw[t] - baseline_mw[t]) (1 - responding[i,t])

Where import_limit_mw <= baseline_mw no binary is needed:

    response_room   responded_mw[i,t] + import_mw[t] <= baseline_mw[t]

Without the binary, responded_mw >= 0 would limit the import to the baseline. Events may not
overlap: no MW is sold twice.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from planner.components.component import Complaint, Site, Values, summed
from planner.components.local_day import steps_today
from planner.components.terms import Amounts, ByStep, Expression, Line
from planner.components.time import Time
from planner.field_types import Listed
from planner.fields import (
    NOTHING,
    AtLeastZero,
    Frozen,
    HorizonNeededError,
    Positive,
    exceeds,
)
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.forms import CalendarTimes, Context, HoursOfDay
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, NonNegative

EXCHANGE_REMEDIES = {
    "import_limit_mw": template("limits of both directions are positive; 0 forbids one"),
    "export_limit_mw": template("limits of both directions are positive; 0 forbids one"),
    "max_swing_share": template("it is part of the highest exchange: 0.4 for 40 %"),
}
EXCHANGE_RULES = {
    "exchange_ramp": "may move its exchange by ramp_mw_per_h {ramp_mw_per_h} MW/h at most",
    "swing": (
        "may import no less than 1 - max_swing_share ({max_swing_share}) of the day's highest"
        " import"
    ),
    "swing_so_far": (
        "may import only so much that initial.lowest_today_mw {initial.lowest_today_mw} MW is no"
        " less than 1 - max_swing_share ({max_swing_share}) of the day's highest import"
    ),
}
BOTH = template("imports {first} MW and exports {second} MW at once")


class GridInitial(Frozen):
    """The exchange (import less export) before the horizon; a value not given has no effect."""

    exchange_mw: float | None = None
    """In the step before the horizon, for the ramp of the first step."""
    highest_today_mw: float | None = None
    """Highest of the local day that has begun."""
    lowest_today_mw: float | None = None
    """Lowest of the local day that has begun."""
    interval_mwh: AtLeastZero = 0.0
    """Imported so far in the interval of the demand charge that has begun."""


def check_past(
    ramp: float | None, share: float | None, initial: GridInitial, site: Site
) -> Iterator[Complaint]:
    """Yield what is wrong with the past of the exchange."""
    if initial.exchange_mw is not None and ramp is None:
        yield ("initial", "exchange_mw"), Message("is only for ramp_mw_per_h, which is not given")
    low, high = initial.lowest_today_mw, initial.highest_today_mw
    for name, value, other in (
        ("highest_today_mw", high, low), ("lowest_today_mw", low, high)
    ):  # fmt: skip
        if value is None:
            continue
        path = ("initial", name)
        if share is None:
            yield path, Message("is only for max_swing_share, which is not given")
        elif site.horizon.day_so_far_h == 0:
            yield (
                path,
                Message("is of a day that has begun, and the horizon begins a new one at midnight"),
            )
        elif other is None:
            yield path, Message("needs the other of highest_today_mw and lowest_today_mw")
    if low is not None and high is not None and exceeds(low, high, NOTHING):
        message = Message("may not exceed highest_today_mw {most:g}", most=high)
        yield ("initial", "lowest_today_mw"), message


def limit_ramp(
    b: pyo.Block, time: Time, ramp: float | None, exchange: ByStep, before: float | None
) -> None:
    """Declare by how much the exchange may change from step to step, if that has a limit."""
    if ramp is None:
        return
    most = time.step_h * ramp
    steps = [t for t in time.steps if t > time.first or before is not None]
    b.exchange_ramp = pyo.Constraint(
        steps,
        rule=lambda _, t: (
            -most,
            exchange(t) - (exchange(t - 1) if t > time.first else before),
            most,
        ),
    )


def warn_of_swing(share: float | None, export_limit_mw: Array) -> Iterator[Message]:
    """Yield a warning where a limit of the daily swing leaves no room for the export allowed."""
    if share is not None and export_limit_mw.any():
        yield Message(
            "max_swing_share leaves no room for exporting on any day: export_limit_mw is idle"
        )


def limit_swing(
    b: pyo.Block, time: Time, share: float | None, exchange: ByStep, initial: GridInitial
) -> None:
    """Declare how far the exchange may fall within a local day, if that has a limit."""
    if share is None:
        return
    dates = time.horizon.starts[time.first - 1 : time.last].strftime("%Y-%m-%d").tolist()
    days, first, day_of = list(dict.fromkeys(dates)), dates[0], time.labels(dates)
    highest = max(0.0, initial.highest_today_mw or 0.0)
    b.highest_mw = pyo.Var(days, bounds=lambda _, d: (highest if d == first else 0.0, None))
    b.highest = pyo.Constraint(time.steps, rule=lambda b, t: b.highest_mw[day_of[t]] >= exchange(t))
    b.swing = pyo.Constraint(
        time.steps, rule=lambda b, t: exchange(t) >= (1 - share) * b.highest_mw[day_of[t]]
    )
    if initial.lowest_today_mw is not None:
        b.swing_so_far = pyo.Constraint(
            expr=(1 - share) * b.highest_mw[first] <= initial.lowest_today_mw
        )


def exchange_of(values: Values) -> Array:
    """Return import less export, MW by step, from schedule columns."""
    return values["import_mw"] - summed("export_mw", values)


def past_after(
    ramp: float | None,
    share: float | None,
    initial: GridInitial,
    values: Values,
    executed: Window,
    horizon: Horizon,
) -> GridInitial:
    """Return the past of the exchange at the end of the executed steps."""
    exchange = exchange_of(values)
    last = None if ramp is None else float(exchange[-1])
    steps, all_today = steps_today(executed, horizon)
    if share is None or not steps:
        return GridInitial(exchange_mw=last)
    today = exchange[-steps:]
    high, low = float(today.max()), float(today.min())
    if all_today:
        high = max(high, high if initial.highest_today_mw is None else initial.highest_today_mw)
        low = min(low, low if initial.lowest_today_mw is None else initial.lowest_today_mw)
    # A low that violates the limit already, by rounding or in operation, binds the day no further.
    low = max(low, (1 - share) * max(high, 0.0))
    return GridInitial(exchange_mw=last, highest_today_mw=high, lowest_today_mw=low)


class Response(CalendarTimes):
    """An event of demand response, and the hours in which it holds."""

    hours: Annotated[Listed[HoursOfDay], Field(min_length=1)]
    """Local hours, end exclusive: "18-20"."""
    baseline_mw: NonNegative
    """Import below which energy counts as saved."""
    reward_cny_per_mwh: Positive
    """Payment per MWh imported less than the baseline."""
    max_mw: AtLeastZero
    """Most that is paid for."""
    _steps: frozenset[int] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _find_steps(self, info: ValidationInfo) -> Self:
        if not isinstance(info.context, Context):
            raise HorizonNeededError(path="hours")
        steps = self.matches(info.context).nonzero()[0] + 1
        self._steps = frozenset(map(int, steps))
        return self

    @property
    def steps(self) -> frozenset[int]:
        """The steps of the horizon in which the event holds."""
        return self._steps


def check_events(events: Sequence[Response], horizon: Horizon) -> Iterator[Complaint]:
    """Yield the events that overlap earlier ones."""
    for i, event in enumerate(events):
        for j, other in enumerate(events[:i]):
            if both := event.steps & other.steps:
                message = Message(
                    "overlaps response[{n}] at {when}; only one may hold",
                    n=j,
                    when=horizon.at(min(both)),
                )
                yield ("response", i, "hours"), message


def warn_of_events(events: Sequence[Response], import_limit: Array) -> Iterator[Message]:
    """Warn if a baseline lies above the import limit."""
    for i, event in enumerate(events):
        steps = [t - 1 for t in sorted(event.steps)]
        over = (event.baseline_mw - import_limit)[steps]
        if event.max_mw and exceeds(over, 0.0).any():
            yield Message(
                "response[{n}].baseline_mw lies up to {mw:g} MW above import_limit_mw, which is"
                " paid for whatever the plan",
                n=i,
                mw=over.max(),
            )


def respond(
    b: pyo.Block, time: Time, events: Sequence[Response], import_limit: Mapping[int, float]
) -> dict[Line, Amounts]:
    """Declare the response to each event; return its cost, which is negative."""
    if not events:
        return {}
    every = range(len(events))
    base = [time.of(event.baseline_mw) for event in events]
    within = [time.among(event.steps) for event in events]
    active = [(i, t) for i in every for t in within[i]]
    chosen = [(i, t) for i, t in active if import_limit[t] > base[i][t]]

    def room(b: pyo.Block, i: int, t: int) -> Expression:
        above = max(import_limit[t] - base[i][t], 0.0)
        return base[i][t] + (above * (1 - b.responding[i, t]) if above else 0.0)

    b.responded_mw = pyo.Var(
        every,
        time.steps,
        bounds=lambda _, i, t: (0, events[i].max_mw if t in within[i] else 0),
    )
    b.responding = pyo.Var(every, time.steps, domain=pyo.Binary)
    b.responded = pyo.Constraint(
        chosen, rule=lambda b, i, t: b.responded_mw[i, t] <= events[i].max_mw * b.responding[i, t]
    )
    b.response_room = pyo.Constraint(
        active,
        rule=lambda b, i, t: b.responded_mw[i, t] + b.import_mw[t] <= room(b, i, t),
    )
    rate = [-event.reward_cny_per_mwh * time.step_h for event in events]
    return {Line("response"): {t: rate[i] * b.responded_mw[i, t] for i, t in active}}
