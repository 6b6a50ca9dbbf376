"""The horizon of a plan: its steps, local clock, calendar and windows.

Steps are numbered 1..T over the whole horizon. Flows live on steps; states live on points: point t
is the end of step t, point 0 is the past.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from planner.errors import as_written
from planner.field_types import Given
from planner.fields import FieldError, Frozen
from planner.local_time import check_start, check_zone, clock_text, moment_at, offsets_min
from planner.message import Message

DAY_H = 24
LEAST_WINDOW = 0.4  # of the length of a window: a shorter rest joins the window before


def _read_start(value: Any) -> Any:
    moment = value
    try:
        if isinstance(value, str):
            moment = dt.datetime.fromisoformat(value)
        offset = moment.utcoffset()
    except (ValueError, AttributeError):
        offset = None
    if offset is None:
        raise FieldError(
            Message(
                "must be a time with an offset such as 2026-07-15T00:00:00+08:00, is {text}",
                text=as_written(value),
            )
        )
    if offset % dt.timedelta(minutes=1):
        raise FieldError(Message("must have an offset of whole minutes, is {text!r}", text=value))
    if not 1900 <= moment.year < 2200:
        raise FieldError(Message("must lie in the years 1900 to 2199, is {text!r}", text=value))
    return moment


class Horizon(Frozen):
    """When the plan begins, how long it lasts and how finely it is cut."""

    start: Annotated[Given[dt.datetime, dt.datetime | str], BeforeValidator(_read_start)]
    """First moment of the plan, with an offset: 2026-07-15T00:00:00+08:00. Local time is this
    offset, unless there is a `timezone`."""
    hours: Annotated[float, Field(gt=0, le=8784 * 3)]
    """Length in hours, a whole number of steps."""
    step_min: Literal[5, 10, 15, 20, 30, 60] = 60
    """Length of a step in minutes."""
    timezone: Annotated[str, AfterValidator(check_zone)] | None = None
    """Time zone whose clock is local time, with its changes: Europe/Berlin. Without one the clock
    keeps the offset of `start`."""

    @model_validator(mode="after")
    def _fits(self) -> Horizon:
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        if (self.start - midnight) % dt.timedelta(minutes=self.step_min):
            message = Message(
                "must fall on a {minutes} min step of the day, is {time}",
                minutes=self.step_min,
                time=f"{self.start:%H:%M:%S}",
            )
            raise FieldError(message, "start")
        steps = self.hours * 60 / self.step_min
        if abs(steps - round(steps)) > 1e-9 or round(steps) < 1:
            message = Message(
                "must be a whole number of {minutes} min steps, is {hours:g}",
                minutes=self.step_min,
                hours=self.hours,
            )
            raise FieldError(message, "hours")
        if isinstance(self.zone, ZoneInfo):
            try:
                check_start(self.start, self.zone)
            except FieldError as error:
                raise FieldError(error.message, "start") from None
            self._check_changes()
        return self

    def _check_changes(self) -> None:
        """Check that the clock changes between steps, and that steps fall on its days."""
        just_before_end = self.starts + pd.Timedelta(minutes=self.step_min, seconds=-1)
        dates = self.starts.tz_localize(None).normalize()
        wrong = (offsets_min(just_before_end) != self._offsets_min) | (
            self.minute_of_day % self.step_min > 0
        )
        wrong[1:] |= dates[1:] < dates[:-1]
        if wrong.any():
            message = Message(
                "steps of {minutes} min do not fit the clock of {zone}, which changes before or in"
                " the step of {when}: it must change between two steps, by whole ones; take shorter"
                " steps",
                minutes=self.step_min,
                zone=self.timezone,
                when=self.at(int(np.flatnonzero(wrong)[0]) + 1),
            )
            raise FieldError(message, "step_min")

    @cached_property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return self.step_min / 60

    @cached_property
    def steps(self) -> int:
        """The number of steps, T."""
        return round(self.hours * 60 / self.step_min)

    @cached_property
    def zone(self) -> dt.tzinfo:
        """The zone of local times: that named, or the fixed offset of `start`."""
        if self.timezone is not None:
            return ZoneInfo(self.timezone)
        offset = self.start.utcoffset()
        assert offset is not None
        return dt.timezone(offset)

    @cached_property
    def starts(self) -> pd.DatetimeIndex:
        """The start of every step, with offset; length T."""
        first = pd.Timestamp(self.start).tz_convert(self.zone)
        return pd.date_range(first, periods=self.steps, freq=f"{self.step_min}min", name="time")

    @cached_property
    def _offsets_min(self) -> np.ndarray:
        """The offset of local time from UTC at the start of every step, minutes; shape (T,)."""
        return offsets_min(self.starts)

    @cached_property
    def _clock_min(self) -> np.ndarray:
        """Minutes from the first start to every one by the clock; shape (T,)."""
        shifts = self._offsets_min - self._offsets_min[0]
        return np.asarray(np.arange(self.steps) * self.step_min + shifts)

    @property
    def clock_changes(self) -> bool:
        """Whether the clock changes within the horizon."""
        return bool(np.ptp(self._offsets_min))

    def clock_keeps(self, minutes: int) -> bool:
        """Return whether the clock changes by multiples of some minutes only, if at all."""
        return not (np.diff(self._offsets_min) % minutes).any()

    @cached_property
    def minute_of_day(self) -> np.ndarray:
        """Local minutes since midnight at the start of every step; shape (T,)."""
        return np.asarray(self.starts.hour * 60 + self.starts.minute)

    @cached_property
    def day_so_far_h(self) -> float:
        """Hours of the local day that are over when the horizon begins."""
        midnight = dt.datetime.combine(self.starts[0].date(), dt.time(), self.zone)
        return (self.start - midnight.astimezone(dt.UTC)) / dt.timedelta(hours=1)

    @cached_property
    def days(self) -> list[list[int]]:
        """The steps of each local day, in order."""
        return self._grouped("D")

    @cached_property
    def months(self) -> dict[str, list[int]]:
        """The steps of each local month, keyed such as 2026-07."""
        groups = self._grouped("M")
        return {self.starts[g[0] - 1].strftime("%Y-%m"): g for g in groups}

    def month_h(self, month: str) -> float:
        """Return the hours of a local month such as 2026-07."""
        period = pd.Period(month, "M")
        first, after = (
            dt.datetime(p.year, p.month, 1, tzinfo=self.zone).astimezone(dt.UTC)
            for p in (period, period + 1)
        )
        return (after - first) / dt.timedelta(hours=1)

    def _grouped(self, period: str) -> list[list[int]]:
        labels = self.starts.tz_localize(None).to_period(period).astype("int64")
        cuts = np.flatnonzero(np.diff(labels)) + 1
        return [list(map(int, part)) for part in np.split(np.arange(1, self.steps + 1), cuts)]

    def steps_up(self, hours: float) -> int:
        """Hours as steps, rounded up, as for minimum times and pasts."""
        return math.ceil(hours / self.step_h - 1e-9)

    def steps_down(self, hours: float) -> int:
        """Hours as steps, rounded down, as for deadlines."""
        return math.floor(hours / self.step_h + 1e-9)

    def at(self, step: int) -> str:
        """The local start of a step as people write it: 07-15 14:00."""
        return clock_text(self.starts[step - 1], "%m-%d %H:%M")

    def end_of(self, step: int) -> pd.Timestamp:
        """The local time at the end of a step; at point 0 the horizon begins."""
        return self.starts[0] + pd.Timedelta(minutes=step * self.step_min)

    def day_before(self, step: int) -> pd.Timestamp:
        """Return the moment a day before the end of a step by the clock, or after it if skipped."""
        return self._by_clock(self.end_of(step), -1)

    def days_h(self, days: int) -> float:
        """Return the hours of some days from the start, which are days of the clock."""
        return (self._by_clock(self.starts[0], days) - self.starts[0]) / pd.Timedelta(hours=1)

    def _by_clock(self, moment: pd.Timestamp, days: int) -> pd.Timestamp:
        """Return the moment when the clock shows the same time some days later."""
        return moment_at(moment.tz_localize(None) + pd.Timedelta(days=days), self.zone)

    def until(self, step: int) -> str:
        """The local end of a step as people write it, dated if there are several days."""
        end = self.end_of(step)
        dated = end.date() != self.start.date() or len(self.days) > 1
        return clock_text(end, "%m-%d %H:%M" if dated else "%H:%M")

    def steps_after(self, first: int, hours: float) -> int:
        """Return the number of steps from a step on that hours are, at most to the end.

        Whole days are days of the clock: they have an hour more or less where it changes.
        """
        steps = round(hours / self.step_h)
        if hours % DAY_H == 0 and self.clock_changes:
            since = self._clock_min[first - 1 :] - self._clock_min[first - 1]
            steps = int((np.maximum.accumulate(since) < hours * 60).sum())
        return min(steps, self.steps - first + 1)

    @property
    def summary(self) -> dict[str, Any]:
        """The horizon in the summary of a plan; `timezone` only where there is one."""
        zone = {} if self.timezone is None else {"timezone": self.timezone}
        start, hours = self.starts[0].isoformat(), float(self.hours)
        return {"start": start, "hours": hours, "step_min": self.step_min, **zone}

    @property
    def window(self) -> Window:
        """The whole horizon as a window."""
        return Window(1, self.steps)


@dataclass(frozen=True)
class Window:
    """A range of steps of a horizon, both ends included; steps keep their absolute numbers."""

    first: int
    last: int

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __len__(self) -> int:
        return self.last - self.first + 1


def cut(horizon: Horizon, window_h: float) -> list[Window]:
    """Cut a horizon into windows of about a length, at midnights and within months.

    Where a month is shorter than a day or two windows, at any step.
    """
    windows: list[Window] = []
    for steps in horizon.months.values():
        first, last = steps[0], steps[-1]
        count = max(1, round((last - first + 1) * horizon.step_h / window_h))
        midnights = np.array([day[0] for day in horizon.days if first < day[0] <= last], dtype=int)
        wanted = first + (last - first + 1) * np.arange(1, count) / count
        if midnights.size:
            wanted = midnights[np.abs(midnights[:, None] - wanted).argmin(axis=0)]
        starts = np.unique(np.append(first, wanted.astype(int)))
        windows += map(Window, starts.tolist(), [*(starts[1:] - 1).tolist(), last])
    least = LEAST_WINDOW * window_h / horizon.step_h
    merged: list[Window] = []
    for window in windows:
        if merged and min(len(window), len(merged[-1])) < least:
            window = Window(merged.pop().first, window.last)
        merged.append(window)
    return merged


def _read_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return dt.datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            message = Message("must be a date such as 2026-10-01, is {text!r}", text=value)
            raise FieldError(message) from None
    return value


Dates = Annotated[
    Given[tuple[Annotated[dt.date, BeforeValidator(_read_date)], ...], Sequence[dt.date | str]],
    Field(strict=False),
]


class Calendar:
    """Which dates are working days, weekends and holidays, by the scenario's own lists."""

    def __init__(self, holidays: tuple[dt.date, ...], workdays: tuple[dt.date, ...]) -> None:
        self.holidays = frozenset(holidays)
        self.workdays = frozenset(workdays)

    def kind(self, date: dt.date) -> str:
        """Return "holiday", "workday" or "weekend"; make-up working days win over weekends."""
        if date in self.holidays:
            return "holiday"
        if date in self.workdays or date.weekday() < 5:
            return "workday"
        return "weekend"
