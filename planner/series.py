"""Quantities that change over time, in every form a scenario may write them.

Each form resolves to a read-only array of one float per step of the horizon. Nothing is resampled,
filled or clipped unless the scenario says `resample`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from planner.horizon import Calendar, Frozen, Horizon
from planner.table import CsvTable, read_csv

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Context:
    """What reading a series needs to know: the horizon, the calendar and the scenario's folder."""

    horizon: Horizon
    calendar: Calendar
    folder: Path
    tables: dict[tuple[str, str], CsvTable] = field(default_factory=dict)

    def table(self, name: str, encoding: str) -> CsvTable:
        """Read a CSV of the scenario's folder once. Raises ValueError in the user's words."""
        key = (name, encoding)
        if key not in self.tables:
            self.tables[key] = read_csv(self.folder, name, encoding, self.horizon.zone)
        return self.tables[key]


class CsvSeries(Frozen):
    """A column of a CSV with a `time` column; rows are matched by time."""

    csv: str
    """File, relative to the scenario; it may not leave the scenario's folder."""
    column: str
    """Name of the column."""
    stamp: Literal["start", "end"] = "start"
    """Which end of the interval a row names; Chinese market files name the end (00:15..24:00)."""
    scale: float = 1.0
    """Multiplies every value."""
    encoding: str = "utf-8"
    """Encoding of the file; gb18030 is common in China."""
    resample: Literal["hold", "mean"] | None = None
    """What to do when the file's step differs: hold a coarser value, or average finer ones."""

    def resolve(self, context: Context) -> Array:
        horizon = context.horizon
        table = context.table(self.csv, self.encoding)
        values = table.column(self.column)
        step = table.step_min
        if step is None:  # a single row says nothing about its step: take it as ours
            step = horizon.step_min
        if step != horizon.step_min:
            finer = step < horizon.step_min
            if self.resample is None or (finer and self.resample == "hold"):
                how = "mean" if finer else "hold"
                raise ValueError(
                    f"{self.csv} has a step of {step:g} min, the horizon of {horizon.step_min} min;"
                    f" add `resample: {how}` if that is meant"
                )
        interval = pd.Timedelta(minutes=step)
        begins = table.times - interval if self.stamp == "end" else table.times
        cell = pd.Timedelta(minutes=min(step, horizon.step_min))
        wanted = horizon.starts
        if step < horizon.step_min:
            wanted = pd.date_range(
                wanted[0], periods=round(horizon.hours * 60 / step), freq=cell, name="time"
            )
        anchor = begins[0] if len(begins) else wanted[0]
        rows = begins.get_indexer(anchor + ((wanted - anchor) // interval) * interval)
        if (rows < 0).any():
            missing = wanted[rows < 0]
            raise ValueError(
                f"{self.csv} has no row for {missing[0].isoformat()}"
                + (f" and {len(missing) - 1} later times" if len(missing) > 1 else "")
                + (f"; it covers {begins.min().isoformat()} to {(begins.max() + interval).isoformat()}"
                   if len(begins) else "")
            )  # fmt: skip
        picked = values[rows]
        bad = np.flatnonzero(~np.isfinite(picked))
        if bad.size:
            line = table.lines[rows[bad[0]]]
            raise ValueError(
                f"{self.csv}:{line}: column {self.column} must hold a finite number,"
                f" is {table.text(self.column, rows[bad[0]])!r}"
            )
        if step < horizon.step_min:
            picked = picked.reshape(horizon.steps, -1).mean(axis=1)
        return np.asarray(picked * self.scale)


class HoursSeries(Frozen):
    """The same 24 values every day, by local hour."""

    hours: Annotated[tuple[float, ...], Field(min_length=24, max_length=24, strict=False)]
    """24 numbers: the value from 0:00, from 1:00, ..."""

    def resolve(self, context: Context) -> Array:
        return np.asarray(self.hours, dtype=float)[context.horizon.minute_of_day // 60]


def _read_hours(text: str) -> str:
    _minutes(text)
    return text


def _minutes(text: str) -> tuple[int, int]:
    clock = r"(\d{1,2})(?::([0-5]\d))?"
    match = re.fullmatch(rf"\s*{clock}\s*-\s*{clock}\s*", text)
    if match is None:
        raise ValueError(f"must be hours such as 8-12, 11:30-13 or 23-6, is {text!r}")
    first, last = (int(match[i]) * 60 + int(match[i + 1] or 0) for i in (1, 3))
    if max(first, last) > 24 * 60 or first == last:
        raise ValueError(f"must lie between 0 and 24 and not be empty, is {text!r}")
    return first, last


def _read_dates(text: str) -> str:
    _date_range(text)
    return text


def _date_range(text: str) -> tuple[dt.date, dt.date, bool]:
    """Read one date or `from/to`; the flag says that the year does not matter."""
    first, _, last = text.partition("/")
    try:
        if re.fullmatch(r"\d\d-\d\d", first):
            both = [dt.date.fromisoformat(f"2000-{part}") for part in (first, last or first)]
            return both[0], both[1], True
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last or first), False
    except ValueError:
        message = "must be a date such as 2026-10-01 or 07-15, or two joined by /"
        raise ValueError(f"{message}, is {text!r}") from None


class CalendarEntry(Frozen):
    """A value and when it holds; what is not named does not matter."""

    value: float
    """The value."""
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...] | None, Field(strict=False)] = None
    """Months of the year, 1..12."""
    dates: Annotated[
        tuple[Annotated[str, AfterValidator(_read_dates)], ...] | None, Field(strict=False)
    ] = None
    """Dates or ranges, with or without a year: "07-15/08-31", 2026-10-01. Both ends count."""
    days: Literal["workday", "weekend", "holiday"] | None = None
    """Kind of day, by the weekday and the scenario's `holidays` and `workdays`."""
    hours: Annotated[
        tuple[Annotated[str, AfterValidator(_read_hours)], ...] | None, Field(strict=False)
    ] = None
    """Local hours, end exclusive: "2-9", "11:30-13", "23-6" (after midnight: the new day)."""

    def matches(self, context: Context) -> np.ndarray:
        """Return which steps the entry holds for; shape (T,), boolean."""
        horizon = context.horizon
        found = np.ones(horizon.steps, dtype=bool)
        if self.months is not None:
            found &= np.isin(horizon.starts.month, self.months)
        if self.dates is not None:
            found &= self._on_dates(horizon)
        if self.days is not None:
            dates = horizon.starts.date
            of_day = {date: context.calendar.kind(date) == self.days for date in set(dates)}
            found &= np.array([of_day[date] for date in dates])
        if self.hours is not None:
            found &= self._in_hours(horizon)
        return found

    def _on_dates(self, horizon: Horizon) -> np.ndarray:
        found = np.zeros(horizon.steps, dtype=bool)
        dates = horizon.starts.date
        for text in self.dates or ():
            first, last, yearly = _date_range(text)
            for date in set(dates):
                day = date.replace(year=2000) if yearly else date
                wraps = yearly and last < first
                inside = day >= first or day <= last if wraps else first <= day <= last
                if inside:
                    found |= dates == date
        return found

    def _in_hours(self, horizon: Horizon) -> np.ndarray:
        clock = horizon.minute_of_day
        found = np.zeros(horizon.steps, dtype=bool)
        for text in self.hours or ():
            first, last = _minutes(text)
            if first % horizon.step_min or last % horizon.step_min:
                raise ValueError(f"hours {text!r} do not fall on steps of {horizon.step_min} min")
            if first < last:
                found |= (clock >= first) & (clock < last)
            else:
                found |= (clock >= first) | (clock < last)
        return found


class CalendarSeries(Frozen):
    """Values by month, date, kind of day and hour; the last entry that matches a step wins."""

    calendar: Annotated[tuple[CalendarEntry, ...], Field(min_length=1, strict=False)]
    """The entries, general ones first."""

    def resolve(self, context: Context) -> Array:
        result = np.full(context.horizon.steps, np.nan)
        for entry in self.calendar:
            result[entry.matches(context)] = entry.value
        holes = np.flatnonzero(np.isnan(result))
        if holes.size:
            raise ValueError(
                f"no calendar entry matches {context.horizon.at(int(holes[0]) + 1)}"
                + (f" and {holes.size - 1} other steps" if holes.size > 1 else "")
            )
        return result


def _form(value: Any) -> str:
    """Name the form a series is written in; tags begin with = so that paths can leave them out."""
    if isinstance(value, np.ndarray):
        return "=array"
    if isinstance(value, list | tuple):
        return "=list"
    if isinstance(value, dict):
        for key in ("csv", "hours", "calendar"):
            if key in value:
                return f"={key}"
        return "=csv"
    return "=number"


SeriesSpec = Annotated[
    Annotated[float, Tag("=number")]
    | Annotated[tuple[float, ...], Field(strict=False), Tag("=list")]
    | Annotated[CsvSeries, Tag("=csv")]
    | Annotated[HoursSeries, Tag("=hours")]
    | Annotated[CalendarSeries, Tag("=calendar")]
    | Annotated[np.ndarray, Tag("=array")],
    Discriminator(_form),
]


@dataclass(frozen=True)
class Bounds:
    """Marks an array field as a series and says which values it may take."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(
            self._resolve, handler.generate_schema(SeriesSpec)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"minimum": self.ge, "exclusiveMinimum": self.gt, "maximum": self.le}
        return {SERIES_MARK: {name: limit for name, limit in limits.items() if limit is not None}}

    def _resolve(self, spec: Any, info: ValidationInfo) -> Array:
        context = info.context
        if not isinstance(context, Context):
            raise ValueError("series can only be read as part of a scenario")
        steps = context.horizon.steps
        if isinstance(spec, int | float):
            values = np.full(steps, float(spec))
        elif isinstance(spec, tuple | np.ndarray):
            values = np.array(spec, dtype=float)
            if values.shape != (steps,):
                raise ValueError(f"needs one value per step, {steps}, and has {values.size}")
        else:
            values = spec.resolve(context)
        self._check(values, context.horizon)
        values.flags.writeable = False
        return values

    def _check(self, values: Array, horizon: Horizon) -> None:
        for wrong, words in (
            (~np.isfinite(values), "must be finite"),
            (values < self.ge if self.ge is not None else None, f"must be {self.ge} or more"),
            (values <= self.gt if self.gt is not None else None, f"must be above {self.gt}"),
            (values > self.le if self.le is not None else None, f"must be {self.le} or less"),
        ):
            if wrong is not None and wrong.any():
                step = int(np.flatnonzero(wrong)[0])
                constant = (values == values[step]).all()
                when = "" if constant else f" at {horizon.at(step + 1)}"
                raise ValueError(f"{words}, is {values[step]:g}{when}")


Series = Annotated[np.ndarray, Bounds()]
NonNegative = Annotated[np.ndarray, Bounds(ge=0.0)]
PerUnit = Annotated[np.ndarray, Bounds(ge=0.0, le=1.0)]


SERIES_MARK = "x-series"  # stands for a series in a component's JSON Schema until it is assembled


def series_json_schema() -> dict[str, Any]:
    """The JSON Schema of every form a series may take, with its own definitions inside."""
    from pydantic import TypeAdapter

    form = float | list[float] | CsvSeries | HoursSeries | CalendarSeries
    schema: dict[str, Any] = TypeAdapter(form).json_schema(ref_template="#/$defs/{model}")
    return schema
