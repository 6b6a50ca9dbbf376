"""Energy that a battery must hold at given times, and what it can reach by charging all the time.

With stored[t] = sum_o energy_mwh[o,t], for every target at the end of step t:

    target_least      stored[t] >= at_least_mwh
    target_most       stored[t] <= at_most_mwh

A window that ends before a target must leave it within reach: at the end of the window it holds at
least what charging at full power until then makes enough, and at most what discharging does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

import pandas as pd
from pydantic import BeforeValidator, PrivateAttr, ValidationInfo, model_validator

from planner.components.battery.state import EndLimits
from planner.components.terms import ByStep
from planner.components.time import Time
from planner.errors import as_written
from planner.field_types import Given
from planner.fields import (
    NOTHING,
    AtLeastZero,
    FieldError,
    Frozen,
    HorizonNeededError,
    exceeds,
    too_large,
    too_small,
)
from planner.local_time import clock_text, localised
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

EnergyLimits = tuple[float | None, float | None]  # least and most MWh

OF_TARGET = (  # the least, and the most, is out of reach
    template(
        "must hold {least:g} MWh at {when} (energy_targets) and can reach {most:g} MWh, charging"
        " all the time"
    ),
    template(
        "must hold {most:g} MWh or less at {when} (energy_targets) and still holds {least:g} MWh,"
        " discharging all the time"
    ),
)
OF_END = (
    template("must end with {least:g} MWh and can reach {most:g} MWh, charging all the time"),
    template(
        "must end with {most:g} MWh or less and still holds {least:g} MWh, discharging all the time"
    ),
)
CONTRADICTION = template(
    "must hold {least:g} MWh or more and {most:g} MWh or less at {when} (energy_targets)"
)


def _read_time(value: Any) -> Any:
    try:
        text = value.isoformat() if isinstance(value, dt.date) else value
        return dt.datetime.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        message = Message(
            "must be a time such as 2026-07-15 18:00, is {text}", text=as_written(value)
        )
        raise FieldError(message) from None


class EnergyTarget(Frozen):
    """Limits on the stored energy at a time."""

    time: Annotated[Given[str, str | dt.datetime], BeforeValidator(_read_time)]
    """Start of a step or end of the horizon: local time, or with an offset."""
    at_least_mwh: AtLeastZero | None = None
    """Least energy stored then."""
    at_most_mwh: AtLeastZero | None = None
    """Most energy stored then."""
    _point: int = PrivateAttr(default=0)

    @model_validator(mode="after")
    def _find_point(self, info: ValidationInfo) -> Self:
        if self.at_least_mwh is None and self.at_most_mwh is None:
            raise FieldError(Message("must hold at_least_mwh, at_most_mwh or both"))
        if not isinstance(info.context, Context):
            raise HorizonNeededError(path="time")
        self._point = _point_at(self.time, info.context.horizon)
        return self

    @property
    def point(self) -> int:
        """The step that ends at its time; 0 for the start of the horizon."""
        return self._point

    @classmethod
    def at(
        cls, point: int, horizon: Horizon, at_least_mwh: float | None, at_most_mwh: float | None
    ) -> EnergyTarget:
        """Return a target at the end of a step of a horizon."""
        target = cls.unchecked(
            time=horizon.end_of(point).isoformat(),
            at_least_mwh=at_least_mwh,
            at_most_mwh=at_most_mwh,
        )
        target._point = point
        return target


def time_text(point: int, horizon: Horizon) -> str:
    """Return the local time at the end of a step as people write it."""
    return clock_text(horizon.end_of(point), "%m-%d %H:%M")


def _point_at(text: str, horizon: Horizon) -> int:
    moment, first = pd.Timestamp(text), horizon.starts[0]
    if moment.tz is None:
        (moment,) = localised(
            pd.DatetimeIndex([moment]), horizon.zone, lambda _, message: FieldError(message, "time")
        )
    steps = (moment - first) / pd.Timedelta(minutes=horizon.step_min)
    point = int(steps // 1)
    if 0 <= steps <= horizon.steps and point == steps:
        return point

    def written(point: int) -> str:
        return clock_text(horizon.end_of(point), "%Y-%m-%d %H:%M")

    if 0 <= steps <= horizon.steps:
        message = Message(
            "must be the start of a step: {first} or {last}, is {text}",
            first=written(point),
            last=written(point + 1),
            text=text,
        )
    else:
        message = Message(
            "must lie in the horizon, {first} to {last}, is {text}",
            first=written(0),
            last=written(horizon.steps),
            text=text,
        )
    raise FieldError(message, "time")


def wrong_limits(
    limits: EndLimits | EnergyTarget,
    path: str,
    min_mwh: float,
    capacity_mwh: float,
    start_mwh: float | None = None,
) -> Iterator[FieldError]:
    """Yield what of `at_least_mwh` and `at_most_mwh` a battery cannot hold.

    start_mwh: its energy where they are for the start of the horizon.
    """
    least, most = limits.at_least_mwh or 0.0, limits.at_most_mwh
    if exceeds(least, capacity_mwh):
        yield too_large(f"{path}.at_least_mwh", least, "capacity_mwh", capacity_mwh)
    if most is not None and exceeds(min_mwh, most):
        yield too_small(f"{path}.at_most_mwh", most, "min_energy_mwh", min_mwh)
    if start_mwh is not None and (
        exceeds(least, start_mwh) or (most is not None and exceeds(start_mwh, most))
    ):
        message = Message(
            "is for the start of the horizon, when the battery holds {start:g} MWh"
            " (initial.energy_mwh)",
            start=start_mwh,
        )
        yield FieldError(message, path)


def limits_at(targets: Sequence[EnergyTarget], point: int) -> EnergyLimits:
    """Return the least and the most energy of all targets at a point; None where there is none."""
    here = [target for target in targets if target.point == point]
    least = [target.at_least_mwh for target in here if target.at_least_mwh is not None]
    most = [target.at_most_mwh for target in here if target.at_most_mwh is not None]
    return max(least, default=None), min(most, default=None)


def hold_targets(b: pyo.Block, time: Time, targets: Sequence[EnergyTarget], stored: ByStep) -> None:
    """Declare the targets at the ends of steps of the window."""
    points = sorted({target.point for target in targets}.intersection(time.steps))
    limits = {point: limits_at(targets, point) for point in points}
    least = {point: low for point, (low, _) in limits.items() if low is not None}
    most = {point: high for point, (_, high) in limits.items() if high is not None}
    if least:
        b.target_least = pyo.Constraint(list(least), rule=lambda _, t: stored(t) >= least[t])
    if most:
        b.target_most = pyo.Constraint(list(most), rule=lambda _, t: stored(t) <= most[t])


@dataclass(frozen=True)
class Reach:
    """What a battery can reach at full power: `retained` is left of a MWh after a step.

    gained, given: most energy put in and taken out in each step, MWh, at the store.
    """

    min_mwh: float
    capacity_mwh: float
    retained: float
    gained: Array
    given: Array

    def impossible(
        self,
        start_mwh: float,
        targets: Sequence[EnergyTarget],
        horizon: Horizon,
        ending: EnergyLimits,
    ) -> Iterator[Message]:
        """Yield the first target or end that is out of reach, or contradicts itself."""
        low = high = start_mwh
        for point in range(len(self.gained) + 1):
            if point:
                step = point - 1
                high = min(self.retained * high + self.gained[step], self.capacity_mwh)
                low = max(self.retained * low - self.given[step], self.min_mwh)
            least, most = limits_at(targets, point)
            when = time_text(point, horizon)
            if least is not None and most is not None and least > most:
                yield Message(CONTRADICTION, least=least, most=most, when=when)
                return
            if message := _out_of_reach(OF_TARGET, low, high, (least, most), when=when):
                yield message
                return
            low, high = max(low, least or 0.0), high if most is None else min(high, most)
        if message := _out_of_reach(OF_END, low, high, ending):
            yield message

    def limits_before(
        self,
        point: int,
        targets: Sequence[EnergyTarget],
        most_at_end: float | None,
        firm_mwh: float | None,
    ) -> EnergyLimits:
        """Return the least and most energy at a point that leave what comes later in reach.

        firm_mwh: what a relaxation stores at the point, which counts as far as a later target is
        no less.
        """
        low, high = self.min_mwh, self.capacity_mwh
        if most_at_end is not None:
            high = min(high, most_at_end)
        for later in range(len(self.gained), point, -1):
            least, most = limits_at(targets, later)
            low, high = max(low, least or 0.0), high if most is None else min(high, most)
            low = max((low - self.gained[later - 1]) / self.retained, self.min_mwh)
            high = min((high + self.given[later - 1]) / self.retained, self.capacity_mwh)
        later_least = (target.at_least_mwh or 0.0 for target in targets if target.point > point)
        low = max(low, min(max(later_least, default=0.0), firm_mwh or 0.0))
        return (
            low if low > self.min_mwh + NOTHING else None,
            max(low, high) if high < self.capacity_mwh - NOTHING else None,
        )


def _out_of_reach(
    texts: tuple[str, str], low: float, high: float, limits: EnergyLimits, **place: str
) -> Message | None:
    """Return which limit lies outside what can be reached, `low` to `high` MWh, if one does."""
    least, most = limits
    if least is not None and high < least - NOTHING:
        return Message(texts[0], least=least, most=high, **place)
    if most is not None and low > most + NOTHING:
        return Message(texts[1], most=most, least=low, **place)
    return None
