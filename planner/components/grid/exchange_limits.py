"""How fast and how far the exchange with the public grid may move, and what moving it down earns.

With exchange[t] = import_mw[t] - sum_o export_mw[o,t], MW, and s = max_swing_share:

Variables: highest_mw[d] per local day d where the swing has a limit.

    exchange_ramp   |exchange[t] - exchange[t-1]| <= Δ ramp_mw_per_h
                    in the first step only where initial.exchange_mw says what came before
    highest         highest_mw[d] >= exchange[t]                    for t in day d
    swing           exchange[t] >= (1 - s) highest_mw[d]            for t in day d
    swing_so_far    initial.lowest_today_mw >= (1 - s) highest_mw[d]    on the first day

highest_mw >= 0 and >= initial.highest_today_mw. So (highest - lowest) / highest <= s, the
peak-valley rate of NDRC/NEA 650 (2025). A rate is a share of the highest import and s is 1 at most:
with it the site exports on no day. Both limits bind the schedule; reserve that is called is an
emergency and may break them.

Demand response pays the site for importing less than a stated baseline in the hours of an event i.

Variables: responded_mw[i,t] <= max_mw of event i in its hours, 0 elsewhere; responding[i,t], binary
where an event holds and import_limit_mw > baseline_mw, 0 elsewhere.

    responded       responded_mw[i,t] <= max_mw responding[i,t]
    response_room   responded_mw[i,t] + import_mw[t]
                        <= baseline_mw[t] + (import_limit_mw[t] - baseline_mw[t]) (1 - responding[i,t])

Where the import can never exceed the baseline no binary is needed:

    response_room   responded_mw[i,t] + import_mw[t] <= baseline_mw[t]

Without the binary, responded_mw >= 0 would hold the import down to the baseline. Events may not
overlap: a MW is not sold twice.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from planner.components.component import Complaint, Site, Time, Values, summed
from planner.components.late import pyo
from planner.components.terms import Amounts, ByStep, Line
from planner.fields import AtLeastZero, Frozen, Positive
from planner.timeseries.forms import CalendarTimes, Context, read_hours
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, NonNegative

EXCHANGE_RULES = {
    "exchange_ramp": "may move its exchange by ramp_mw_per_h {ramp_mw_per_h} MW/h at most",
    "swing": (
        "may import no less than 1 - max_swing_share ({max_swing_share}) of the day's highest"
        " import"
    ),
    "swing_so_far": (
        "may import no more than lets initial.lowest_today_mw {initial.lowest_today_mw} MW be 1 -"
        " max_swing_share ({max_swing_share}) of the day's highest import"
    ),
}


class GridInitial(Frozen):
    """The exchange (import less export) before the horizon; what is not given binds nothing."""

    exchange_mw: float | None = None
    """In the step before the horizon; the ramp of the first step begins there."""
    highest_today_mw: float | None = None
    """Highest of the local day that has begun."""
    lowest_today_mw: float | None = None
    """Lowest of the local day that has begun."""


def check_past(
    ramp: float | None, share: float | None, initial: GridInitial, site: Site
) -> Iterator[Complaint]:
    """Yield what is wrong with the past of the exchange."""
    if initial.exchange_mw is not None and ramp is None:
        yield ("initial", "exchange_mw"), "is only for ramp_mw_per_h, which is not given"
    low, high = initial.lowest_today_mw, initial.highest_today_mw
    for name, value, other in (
        ("highest_today_mw", high, low), ("lowest_today_mw", low, high)
    ):  # fmt: skip
        if value is None:
            continue
        path = ("initial", name)
        if share is None:
            yield path, "is only for max_swing_share, which is not given"
        elif site.horizon.minute_of_day[0] == 0:
            yield path, "is of a day that has begun, and the horizon begins a new one at midnight"
        elif other is None:
            yield path, "needs the other of highest_today_mw and lowest_today_mw"
    if low is not None and high is not None and low > high:
        yield ("initial", "lowest_today_mw"), f"may not exceed highest_today_mw {high:g}"


def limit_exchange(
    b: pyo.Block,
    time: Time,
    ramp: float | None,
    share: float | None,
    exchange: ByStep,
    initial: GridInitial,
) -> None:
    """Declare how fast the exchange may move, and how far within a local day."""
    if ramp is not None:
        _limit_ramp(b, time, ramp, exchange, initial.exchange_mw)
    if share is not None:
        _limit_swing(b, time, share, exchange, initial)


def _limit_ramp(
    b: pyo.Block, time: Time, ramp: float, exchange: ByStep, before: float | None
) -> None:
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


def _limit_swing(
    b: pyo.Block, time: Time, share: float, exchange: ByStep, initial: GridInitial
) -> None:
    day_of = {t: f"{time.horizon.starts[t - 1]:%Y-%m-%d}" for t in time.steps}
    days, first = list(dict.fromkeys(day_of.values())), day_of[time.first]
    begun = max(0.0, initial.highest_today_mw or 0.0)
    b.highest_mw = pyo.Var(days, bounds=lambda _, d: (begun if d == first else 0.0, None))
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
    kept: Window,
    horizon: Horizon,
) -> GridInitial:
    """Return the past of the exchange at the end of the kept steps."""
    exchange = exchange_of(values)
    last = None if ramp is None else float(exchange[-1])
    clock = int(horizon.minute_of_day[kept.last - 1]) + horizon.step_min
    if share is None or clock == 24 * 60:  # the next step begins a new day
        return GridInitial(exchange_mw=last)
    today = next(day for day in horizon.days if kept.last in day)
    inside = exchange[max(today[0], kept.first) - kept.first :]
    highs, lows = [float(inside.max())], [float(inside.min())]
    if today[0] <= kept.first:  # the day began before the kept steps
        highs += [] if initial.highest_today_mw is None else [initial.highest_today_mw]
        lows += [] if initial.lowest_today_mw is None else [initial.lowest_today_mw]
    high = max(highs)
    # What lies too low already, by rounding or in operation, binds the rest of the day no further.
    low = max(min(lows), (1 - share) * max(high, 0.0))
    return GridInitial(exchange_mw=last, highest_today_mw=high, lowest_today_mw=low)


def warn_of_swing(share: float | None, export_limit: Array) -> Iterator[str]:
    """Yield what a careful colleague would ask about."""
    if share is not None and export_limit.any():
        yield "max_swing_share leaves no room for exporting on any day: export_limit_mw is idle"


class Response(CalendarTimes):
    """An event of demand response, and when it holds."""

    hours: Annotated[
        tuple[Annotated[str, BeforeValidator(read_hours)], ...], Field(min_length=1, strict=False)
    ]
    """Local hours, end exclusive: "18-20"."""
    baseline_mw: NonNegative
    """Import that counts as none saved."""
    reward_cny_per_mwh: Positive
    """Paid per MWh imported less than the baseline."""
    max_mw: AtLeastZero
    """Most that is paid for."""
    _steps: frozenset[int] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _find_steps(self, info: ValidationInfo) -> Self:
        if not isinstance(info.context, Context):
            raise ValueError("hours can only be read as part of a scenario")
        found = self.matches(info.context).nonzero()[0] + 1
        self._steps = frozenset(map(int, found))
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
                at = horizon.at(min(both))
                yield ("response", i, "hours"), f"overlaps response[{j}] at {at}; only one may hold"


def warn_of_events(events: Sequence[Response], import_limit: Array) -> Iterator[str]:
    """Yield what a careful colleague would ask about."""
    for i, event in enumerate(events):
        steps = [t - 1 for t in sorted(event.steps)]
        over = (event.baseline_mw - import_limit)[steps]
        if event.max_mw and (over > 1e-9).any():
            yield (
                f"response[{i}].baseline_mw lies up to {over.max():g} MW above import_limit_mw:"
                " so much is paid for whatever the plan"
            )


def respond(
    b: pyo.Block, time: Time, events: Sequence[Response], import_limit: Mapping[int, float]
) -> dict[Line, Amounts]:
    """Declare what each event is answered with; return what it costs, which is below zero."""
    if not events:
        return {}
    every = range(len(events))
    base = [time.of(event.baseline_mw) for event in events]
    held = [(i, t) for i in every for t in time.steps if t in events[i].steps]
    chosen = [(i, t) for i, t in held if import_limit[t] > base[i][t]]
    free = set(held) - set(chosen)
    b.responded_mw = pyo.Var(
        every,
        time.steps,
        bounds=lambda _, i, t: (0, events[i].max_mw if t in events[i].steps else 0),
    )
    b.responding = pyo.Var(every, time.steps, domain=pyo.Binary)
    b.responded = pyo.Constraint(
        chosen, rule=lambda b, i, t: b.responded_mw[i, t] <= events[i].max_mw * b.responding[i, t]
    )
    b.response_room = pyo.Constraint(
        held,
        rule=lambda b, i, t: (
            b.responded_mw[i, t] + b.import_mw[t]
            <= base[i][t]
            + (0.0 if (i, t) in free else (import_limit[t] - base[i][t]) * (1 - b.responding[i, t]))
        ),
    )
    rate = [-event.reward_cny_per_mwh * time.step_h for event in events]
    return {Line("response"): {t: rate[i] * b.responded_mw[i, t] for i, t in held}}
