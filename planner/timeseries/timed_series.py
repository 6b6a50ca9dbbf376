"""A pandas Series as a form of a series: its rows are matched to the horizon as those of a CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from planner.errors import as_written
from planner.fields import FieldError
from planner.local_time import localised
from planner.message import Message, MessageList
from planner.timeseries.forms import Array, Context
from planner.timeseries.matched_rows import MatchedRows, Method, values_by_step
from planner.timeseries.timed_rows import TimedRows, require_one_way, require_years

NAME = Message("the Series")
BY_PANDAS = {
    "mean": "series.resample('{min}min').mean()",
    "hold": "series.resample('{min}min').ffill()",
}


class Frame(dict[str, Any]):
    """The columns of a pandas DataFrame, each a series, where a field takes series by name."""


class ArrayNumbers(list[Any]):
    """The numbers of a NumPy array."""


@dataclass(frozen=True, eq=False)
class TimedSeries:
    """A series with times, a copy of a pandas Series.

    values: NaN where a cell holds no finite number.
    texts: such cells by row, as they were written.
    scale: multiplies every value.
    """

    times: pd.DatetimeIndex
    values: Array
    texts: dict[int, str]
    scale: float = 1.0

    @classmethod
    def of(cls, series: pd.Series[Any]) -> TimedSeries:
        """Return a copy of a pandas Series. Raises FieldError where its index holds no times."""
        if not isinstance(series.index, pd.DatetimeIndex):
            raise FieldError(_no_times(series.index))
        if series.index.is_monotonic_decreasing:
            series = series[::-1]
        times = pd.DatetimeIndex(series.index)
        if times.hasnans:
            row = int(np.flatnonzero(times.isna())[0])
            raise FieldError(Message("{name} has no time in row {row}", name=NAME, row=row + 1))
        if series.dtype.kind in "fiu" and isinstance(series.dtype, np.dtype):
            cells: Any = None
            values = series.to_numpy(float, copy=True)
        else:
            cells = series.to_list()
            values = np.array([_number(cell) for cell in cells], dtype=float)
        bad = np.flatnonzero(~np.isfinite(values)).tolist()
        texts = {row: as_written(values[row] if cells is None else cells[row]) for row in bad}
        values[bad] = np.nan
        return cls(times.copy(), values, texts)

    def scaled(self, factor: float) -> TimedSeries:
        """Return the series with every value multiplied."""
        return TimedSeries(self.times, self.values, self.texts, self.scale * factor)

    def resolve(self, context: Context) -> Array:
        """Return one value per step; shape (T,).

        Raises:
            FieldError: the times are wrong or irregular, have another step than the horizon, lack
                a step of it, or a value in it is no finite number.
        """
        horizon = context.horizon
        rows = _SeriesRows(self, horizon.zone)

        def refusal(method: Method) -> Message:
            text = BY_PANDAS[method].format(min=horizon.step_min)
            return Message("if that is meant, give {text}", text=text)

        matched = MatchedRows(rows, "start", horizon)
        return values_by_step(matched, self.values, refusal, rows.wrong_cells) * self.scale

    def __str__(self) -> str:
        return Message("a Series of {count} rows", count=len(self.times))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TimedSeries)
            and self.times.equals(other.times)
            and np.array_equal(self.values, other.values, equal_nan=True)
            and self.scale == other.scale
        )

    __hash__ = None  # type: ignore[assignment]  # it holds arrays


class _SeriesRows(TimedRows):
    """The rows of a series in the zone of a horizon. Raises FieldError for wrong times."""

    stamped: ClassVar[bool] = False

    def __init__(self, series: TimedSeries, zone: dt.tzinfo) -> None:
        self.series, written = series, series.times
        if not len(written):
            raise FieldError(Message("{name} has no rows", name=NAME))
        require_years(written, self.time_text, self.at_row)
        local = written.tz is None
        times = localised(written, zone, self.at_row) if local else written.tz_convert(zone)
        require_one_way(times, self.time_text, self.at_row, lambda _: "")
        super().__init__(NAME, times, local=local)

    def time_text(self, row: int) -> str:
        """Return the time of a row as its author wrote it."""
        return self.series.times[row].isoformat(sep=" ")

    def at_row(self, row: int, message: Message) -> FieldError:
        """Return the error of a row, with its time."""
        place = Message("{name} at {time}", name=NAME, time=self.time_text(row))
        return FieldError(MessageList(": ", (place, message)))

    def wrong_cells(self, rows: Sequence[int], rule: Message) -> FieldError:
        """Return the error of rows whose values break a rule: the first, and how many more."""
        more = Message("; further such rows: {count}", count=len(rows) - 1)
        message = Message(
            "{sentence}, is {text}{more}",
            sentence=rule,
            text=self.series.texts[rows[0]],
            more=more if len(rows) > 1 else "",
        )
        return self.at_row(rows[0], message)


def _number(cell: object) -> float:
    """Return a cell as a number; NaN where it is none, as texts and true are not."""
    is_number = isinstance(cell, int | float | np.number | Decimal) and not isinstance(cell, bool)
    try:
        return float(cell) if is_number else np.nan  # type: ignore[arg-type]
    except (OverflowError, TypeError):
        return np.nan


def _no_times(index: pd.Index[Any]) -> Message:
    if isinstance(index, pd.PeriodIndex):
        remedy = Message("write {text}", text="series.to_timestamp()")
    else:
        remedy = Message(
            "set a DatetimeIndex of the starts of its rows, or give series.to_numpy() where it has"
            " one value per step"
        )
    return Message(
        "{name} must have times as its index, has {text}; {remedy}",
        name=NAME, text=type(index).__name__, remedy=remedy,
    )  # fmt: skip
