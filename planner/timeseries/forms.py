"""Every form in which a scenario may write a series, and what each means on the horizon's steps.

Nothing is resampled, filled or clipped unless the scenario says `resample`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from planner.errors import as_written
from planner.field_types import Given, Listed, ListedOrNone
from planner.fields import FieldError, Frozen
from planner.message import Message
from planner.timeseries.csv_table import CsvTable, read_csv
from planner.timeseries.horizon import Calendar, Horizon
from planner.timeseries.matched_rows import MatchedRows, Method, values_by_step

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Context:
    """What reading a series needs to know: the horizon, the calendar and the scenario's folder."""

    horizon: Horizon
    calendar: Calendar
    folder: Path
    tables: dict[tuple[str, str], CsvTable] = field(default_factory=dict)
    columns: dict[tuple[str | None, ...], Array] = field(default_factory=dict)
    notes: dict[tuple[str | None, ...], list[Message]] = field(default_factory=dict)

    def table(self, name: str, encoding: str) -> CsvTable:
        """Read a CSV of the scenario's folder once. Raises FieldError as `read_csv`."""
        key = (name, encoding)
        if key not in self.tables:
            self.tables[key] = read_csv(self.folder, name, encoding, self.horizon.zone)
        return self.tables[key]


class CsvColumns(Frozen):
    """Columns of a CSV with a `time` column; rows are matched by time."""

    csv: str
    """File with a `time` column, relative to the scenario; it may not leave its folder."""
    stamp: Literal["start", "end"] = "start"
    """Which end of the interval a row names; Chinese market files name the end (00:15..24:00)."""
    scale: float = 1.0
    """Multiplies every value."""
    encoding: str = "utf-8"
    """Encoding of the file; gb18030 is common in China."""


class CsvSeries(CsvColumns):
    """A column of a CSV with a `time` column; rows are matched by time."""

    column: str
    """Name of the column."""
    resample: Method | None = None
    """What to do when the file's step differs: hold a coarser value, or average finer ones."""

    def resolve(self, context: Context) -> Array:
        """Return one value per step; shape (T,).

        Raises:
            FieldError: the file is wrong, its step is another, or it lacks a step of the horizon.
        """
        if self.key not in context.columns:  # variants of a scenario scale the same column
            context.columns[self.key] = self._picked(context)
        return np.asarray(context.columns[self.key] * self.scale)

    @property
    def key(self) -> tuple[str | None, ...]:
        """What its values follow from, but for their scale."""
        return self.csv, self.column, self.stamp, self.encoding, self.resample

    def _picked(self, context: Context) -> Array:
        table = context.table(self.csv, self.encoding)
        values = table.column(self.column)
        matched = MatchedRows(table, self.stamp, context.horizon)
        by_step = values_by_step(
            matched, values, self._refusal, partial(table.wrong_cells, self.column)
        )
        context.notes[self.key] = [*self._notes(matched)]
        return by_step

    def _notes(self, matched: MatchedRows) -> Iterator[Message]:
        """Yield what is allowed and probably not meant."""
        horizon_min = matched.horizon.step_min
        coarse = [step for step in matched.steps_inside_min if step > horizon_min]
        if coarse:
            yield Message(
                "{name}: each value of {text} holds for {minutes:g} min, {count:g} steps of the"
                " horizon, in which it does not vary",
                name=self.csv,
                text=self.column,
                minutes=coarse[-1],
                count=coarse[-1] / horizon_min,
            )
        span = {"text": matched.table.time_text(0), "other": matched.table.time_text(-1)}
        if (self.stamp, matched.likely_stamp()) == ("start", "end"):
            yield Message(
                "{name}: its rows, {text} to {other}, seem to name the ends of their intervals, and"
                " are read as their starts; is `stamp: end` missing?",
                name=self.csv,
                **span,
            )
        elif (self.stamp, matched.likely_stamp()) == ("end", "start"):
            yield Message(
                "{name}: its rows, {text} to {other}, seem to name the starts of their intervals,"
                " and are read as their ends; is `stamp: end` wrong?",
                name=self.csv,
                **span,
            )

    def _refusal(self, method: Method) -> Message | None:
        """Return what to write for rows whose step needs a method; None where it is written."""
        if self.resample is None or (self.resample == "hold" and method == "mean"):
            return Message("add `resample: {name}` if that is meant", name=method)
        return None


class HoursSeries(Frozen):
    """The same 24 values every day, by local hour."""

    hours: Annotated[Listed[float], Field(min_length=24, max_length=24)]
    """24 numbers: the value from 0:00, from 1:00, ..."""

    def resolve(self, context: Context) -> Array:
        """Return one value per step; shape (T,)."""
        by_hour: Array = np.array(self.hours, dtype=float)
        return np.take(by_hour, context.horizon.minute_of_day // 60)


def read_hours(value: Any) -> Any:
    """Check hours of the day such as 8-12. Raises FieldError where they are none."""
    _minutes(value)
    return value


HoursOfDay = Annotated[str, BeforeValidator(read_hours)]


def _minutes(text: Any) -> tuple[int, int]:
    clock = r"(\d{1,2})(?::([0-5]\d))?"
    match = re.fullmatch(rf"\s*{clock}\s*-\s*{clock}\s*", str(text))
    if match is None:
        raise FieldError(
            Message(
                "must be hours such as 8-12, 11:30-13 or 23-6, is {text}", text=as_written(text)
            )
        )
    first, last = (int(match[i]) * 60 + int(match[i + 1] or 0) for i in (1, 3))
    if max(first, last) > 24 * 60 or first == last:
        raise FieldError(
            Message("must lie between 0 and 24 and not be empty, is {text!r}", text=text)
        )
    return first, last


def in_hours(hours: Sequence[str], clock: np.ndarray) -> np.ndarray:
    """Return which minutes of the day lie within hours of the day, their ends exclusive."""
    matching = np.zeros(len(clock), dtype=bool)
    for first, last in map(_minutes, hours):
        begun, not_over = clock >= first, clock < last
        matching |= begun & not_over if first < last else begun | not_over
    return matching


def _read_dates(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, dt.date) else value
    _date_range(text)
    return text


def _date_range(text: Any) -> tuple[dt.date, dt.date, bool]:
    """Read one date or `from/to`; the flag says that the year does not matter."""
    message = Message(
        "must be a date such as 2026-10-01 or 07-15, or two joined by /, is {text}",
        text=as_written(text),
    )
    match = re.fullmatch(r"((?:\d{4}-)?)(\d\d-\d\d)(?:/((?:\d{4}-)?)(\d\d-\d\d))?", str(text))
    if match is None:
        raise FieldError(message)
    year, day, last_year, last_day = match.groups()
    if last_day is None:
        last_year, last_day = year, day
    if bool(year) != bool(last_year):
        raise FieldError(
            Message("must have a year in both dates or in none, is {text!r}", text=text)
        )
    try:
        first = dt.date.fromisoformat(f"{year or '2000-'}{day}")
        last = dt.date.fromisoformat(f"{last_year or '2000-'}{last_day}")
    except ValueError:
        raise FieldError(message) from None
    if year and last < first:
        raise FieldError(Message("must not end before it begins, is {text!r}", text=text))
    return first, last, not year


class CalendarTimes(Frozen):
    """When something holds; what is not named does not matter."""

    months: ListedOrNone[Annotated[int, Field(ge=1, le=12)]] = None  # type: ignore[assignment]
    """Months of the year, 1..12."""
    dates: Annotated[
        Given[
            tuple[Annotated[str, BeforeValidator(_read_dates)], ...] | None,
            Sequence[str | dt.date] | None,
        ],
        Field(min_length=1, strict=False),
    ] = None  # type: ignore[assignment]
    """Dates or ranges, with or without a year: "07-15/08-31", 2026-10-01. Both ends count."""
    days: Literal["workday", "weekend", "holiday"] | None = None
    """Kind of day, by the weekday and the scenario's `holidays` and `workdays`."""
    hours: ListedOrNone[HoursOfDay] = None  # type: ignore[assignment]
    """Local hours, end exclusive: "2-9", "11:30-13", "23-6" (after midnight: the new day)."""

    def matches(self, context: Context) -> np.ndarray:
        """Return which steps it holds for; shape (T,), boolean.

        Raises:
            FieldError: `hours` do not fall on the steps of the horizon.
        """
        horizon = context.horizon
        matching = np.ones(horizon.steps, dtype=bool)
        if self.months is not None:
            matching &= np.isin(horizon.starts.month, self.months)
        if self.dates is not None:
            matching &= self._on_dates(horizon)
        if self.days is not None:
            dates = horizon.starts.date
            of_day = {date: context.calendar.kind(date) == self.days for date in set(dates)}
            matching &= np.array([of_day[date] for date in dates])
        if self.hours is not None:
            matching &= self._in_hours(horizon)
        return matching

    def _on_dates(self, horizon: Horizon) -> np.ndarray:
        matching = np.zeros(horizon.steps, dtype=bool)
        dates = horizon.starts.date
        for text in self.dates or ():
            first, last, yearly = _date_range(text)
            days = np.array([date.replace(year=2000) for date in dates]) if yearly else dates
            begun, not_over = days >= first, days <= last
            matching |= begun & not_over if first <= last else begun | not_over
        return matching

    def _in_hours(self, horizon: Horizon) -> np.ndarray:
        for text in self.hours or ():
            first, last = _minutes(text)
            if first % horizon.step_min or last % horizon.step_min:
                message = Message(
                    "must fall on steps of {minutes} min, is {text!r}",
                    minutes=horizon.step_min,
                    text=text,
                )
                raise FieldError(message, "hours")
        return in_hours(self.hours or (), horizon.minute_of_day)


class CalendarEntry(CalendarTimes):
    """A value and when it holds; what is not named does not matter."""

    value: float
    """The value."""


class CalendarSeries(Frozen):
    """Values by month, date, kind of day and hour; the last entry that matches a step wins."""

    calendar: Annotated[Listed[CalendarEntry], Field(min_length=1)]
    """The entries, general ones first."""

    def resolve(self, context: Context) -> Array:
        """Return one value per step; shape (T,).

        Raises:
            FieldError: an entry is wrong, or no entry matches some step.
        """
        result = np.full(context.horizon.steps, np.nan)
        for i, entry in enumerate(self.calendar):
            try:
                result[entry.matches(context)] = entry.value
            except FieldError as error:
                raise FieldError(error.message, f"calendar[{i}].{error.path}") from None
        holes = np.flatnonzero(np.isnan(result))
        if holes.size:
            more = Message(" and {count} other steps", count=holes.size - 1)
            message = Message(
                "no entry matches {when}{more}",
                when=context.horizon.at(int(holes[0]) + 1),
                more=more if holes.size > 1 else "",
            )
            raise FieldError(message, "calendar")
        return result
