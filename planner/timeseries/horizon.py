"""The horizon of a plan: its steps, local clock, calendar and windows.

Steps are numbered 1..T over the whole horizon. Flows live on steps; states live on points: point t
is the end of step t, point 0 is the past.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from planner.errors import as_written
from planner.fields import FieldError, Frozen
from planner.message import Message

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

    start: Annotated[dt.datetime, BeforeValidator(_read_start)]
    """First moment of the plan, with an offset: 2026-07-15T00:00:00+08:00. Local time is this
    offset."""
    hours: Annotated[float, Field(gt=0, le=8784 * 3)]
    """Length in hours, a whole number of steps."""
    step_min: Literal[5, 10, 15, 20, 30, 60] = 60
    """Length of a step in minutes."""

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
        return self

    @cached_property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return self.step_min / 60

    @cached_property
    def steps(self) -> int:
        """The number of steps, T."""
        return round(self.hours * 60 / self.step_min)

    @cached_property
    def zone(self) -> dt.timezone:
        """The fixed offset that local times are given in."""
        offset = self.start.utcoffset()
        assert offset is not None
        return dt.timezone(offset)

    @cached_property
    def starts(self) -> pd.DatetimeIndex:
        """The start of every step, with offset; length T."""
        first = pd.Timestamp(self.start).tz_convert(self.zone)
        return pd.date_range(first, periods=self.steps, freq=f"{self.step_min}min", name="time")

    @cached_property
    def minute_of_day(self) -> np.ndarray:
        """Local minutes since midnight at the start of every step; shape (T,)."""
        return np.asarray(self.starts.hour * 60 + self.starts.minute)

    @cached_property
    def days(self) -> list[list[int]]:
        """The steps of each local day, in order."""
        return self._grouped("D")

    @cached_property
    def months(self) -> dict[str, list[int]]:
        """The steps of each local month, keyed such as 2026-07."""
        groups = self._grouped("M")
        return {self.starts[g[0] - 1].strftime("%Y-%m"): g for g in groups}

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
        return f"{self.starts[step - 1]:%m-%d %H:%M}"

    def end_of(self, step: int) -> dt.datetime:
        """The local time at the end of a step; at point 0 the horizon begins."""
        return self.start + dt.timedelta(minutes=step * self.step_min)

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


Dates = Annotated[tuple[Annotated[dt.date, BeforeValidator(_read_date)], ...], Field(strict=False)]


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
