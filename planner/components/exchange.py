"""How fast and how far the exchange with the public grid may move.

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
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.components.base import ByStep, Complaint, Site, Time, Values
from planner.horizon import Frozen, Horizon, Window
from planner.series import Array

if TYPE_CHECKING:
    import pyomo.environ as pyo

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
    import pyomo.environ as pyo

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
    import pyomo.environ as pyo

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
    exported = [values[name] for name in values if name.startswith("export_mw[")]
    total: Array = values["import_mw"] - sum(exported)
    return total


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
