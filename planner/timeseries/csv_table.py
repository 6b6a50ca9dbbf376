"""CSV files of time series: read once, checked at the edge, matched by time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import as_written, wrong
from planner.fields import FieldError, raise_all
from planner.local_time import localised
from planner.message import Message
from planner.timeseries.csv_layouts import clock_hint, no_column, several, time_hint
from planner.timeseries.csv_numbers import has_decimal_comma, in_ascii, number_hint, numbers_of
from planner.timeseries.csv_text import CsvText, at_line, listed, read_inside, split_csv
from planner.timeseries.row_steps import gaps_min, most_frequent
from planner.timeseries.timed_rows import (
    YEARS,
    TimedRows,
    is_likely_change,
    require_one_way,
    require_years,
    wrong_year,
)

TIME = "time"
MOST_LOOKED_AT = 1000  # rows

_OFFSET = r"(?:Z|[+-]\d\d?(?::?\d\d)?)"


class CsvTable(TimedRows):
    """One CSV file: its times, the line of each row, and its columns as numbers."""

    def __init__(self, name: str, text: CsvText, times: pd.DatetimeIndex, *, local: bool) -> None:
        super().__init__(name, times, local=local)
        self.lines = [line for line, _ in text.rows]
        self.header = text.header
        self._text = text
        self._numbers: dict[str, np.ndarray[Any, Any]] = {}

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column as floats; cells that are no finite numbers become NaN.

        Raises:
            FieldError: the file has no such column, or two.
        """
        if name not in self._numbers:
            position = _position(self.name, self.header, name)
            texts = [cells[position] for _, cells in self._text.rows]
            separator = ";" if self._has_decimal_commas else self._text.separator
            self._numbers[name] = numbers_of(texts, separator)
        return self._numbers[name]

    @cached_property
    def _has_decimal_commas(self) -> bool:
        """Whether quoted cells between commas show that a point is no decimal one for certain."""
        rows = self._text.rows[:MOST_LOOKED_AT] if self._text.separator == "," else []
        return any(has_decimal_comma(cell) for _, cells in rows for cell in cells)

    def cell(self, name: str, row: int) -> str:
        """Return the text of a cell."""
        return self._text.rows[row][1][self.header.index(name)]

    def time_text(self, row: int) -> str:
        """Return the text of the time of a row."""
        return self.cell(TIME, row)

    def wrong_cells(self, name: str, rows: Sequence[int], rule: Message) -> FieldError:
        """Return the error of cells that break a rule: the first as written, the lines of more."""
        text = self.cell(name, rows[0])
        lines = listed(self.lines[row] for row in rows[1:])
        others = Message("; further such lines: {lines}", lines=lines)
        message = Message(
            "column {name} {sentence}, is {text}{hint}{more}",
            name=name,
            sentence=rule,
            text=as_written(text),
            hint=number_hint(text) if np.isnan(self._numbers[name][rows[0]]) else "",
            more=others if len(rows) > 1 else "",
        )
        return self.at_row(rows[0], message)

    def at_row(self, row: int, message: Message) -> FieldError:
        """Return the error of a row, with its line."""
        return at_line(self.name, self.lines[row], message)


def read_csv(folder: Path, name: str, encoding: str | None, zone: dt.tzinfo) -> CsvTable:
    """Read `name` below `folder`; its `time` column is ISO 8601, naive times are in `zone`.

    The encoding is None where nothing can name another than UTF-8.

    Raises:
        FieldError: the file is missing, outside the folder, unreadable, or its times are wrong.
    """
    text = split_csv(read_inside(folder, name, encoding), name, TIME)
    position = _position(name, text.header, TIME)
    if not text.rows:
        raise_all(text.faults)
        raise FieldError(Message("{file} has a header but no rows", file=name))
    texts = [in_ascii(cells[position]) for _, cells in text.rows]

    def at_row(row: int, message: Message) -> FieldError:
        return at_line(name, text.rows[row][0], message)

    try:
        times = read_times(texts, zone, at_row)
    except FieldError as error:
        raise_all([*text.faults, error])
    raise_all(text.faults)
    if require_one_way(
        times, texts.__getitem__, at_row, lambda row: _twice(text, times, texts, row)
    ):
        text = CsvText(text.header, text.rows[::-1], text.separator)
        times, texts = times[::-1], texts[::-1]
    return CsvTable(name, text, times, local=not _has_offset(texts[0]))


def _has_offset(time: str) -> bool:
    return re.search(rf"[T ].*{_OFFSET}$", time) is not None


def _twice(text: CsvText, times: pd.DatetimeIndex, texts: Sequence[str], row: int) -> str:
    """Return why a time may appear twice, and what to write; empty where nothing is known."""
    same_day = times[times.duplicated()].normalize() == times[row].normalize()
    an_hour = int(same_day.sum()) * (most_frequent(gaps_min(times)) or 0) == 60
    if an_hour and not _has_offset(texts[row]) and is_likely_change(times[row]):
        return clock_hint()
    alike = [text.rows[i][1] for i in np.flatnonzero(times == times[row])]
    if areas := several(text.header, alike):
        return areas
    if ":" not in texts[row]:
        return Message("; it is a day: write the time of the day too, such as 2026-07-15 14:00")
    return ""


def _position(name: str, header: list[str], column: str) -> int:
    if column not in header:
        raise FieldError(no_column(name, header, column))
    if header.count(column) > 1:
        raise FieldError(
            Message("{file} has column {name!r} more than once", file=name, name=column)
        )
    return header.index(column)


def read_times(
    texts: list[str], zone: dt.tzinfo, at_row: Callable[[int, Message], Exception]
) -> pd.DatetimeIndex:
    """Read ISO 8601 times, with an offset or in `zone`; 24:00 is midnight after.

    Raises:
        Exception: what `at_row` returns for the first text that is no time, or none of `zone`.
    """
    column = pd.Series(texts, dtype="str")
    midnight = column.str.contains(rf"[T ]24:00(?::00)?{_OFFSET}?$", regex=True)
    if midnight.any():
        as_zero = column.str.replace(r"([T ])24:00", r"\g<1>00:00", regex=True)
        column = column.where(~midnight, as_zero)
    aware = column.str.contains(rf"[T ].*{_OFFSET}$", regex=True)
    if aware.any() and not aware.all():
        row = int(np.flatnonzero(~aware if aware.iloc[0] else aware)[0])
        raise at_row(row, Message("times with and without offset are mixed"))
    stamps = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=bool(aware.any()))
    wrong = stamps.isna() | ~column.str.match(r"[0-9]{4}")  # else "now" and "today" are times
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        if _has_wrong_year(texts[row]):
            raise at_row(row, wrong_year(texts[row]))
        others = Message("; further such times: {count}", count=int(wrong.sum()) - 1)
        message = Message(
            "time must be ISO 8601 such as 2026-07-15T14:00+08:00 or 2026-07-15 14:00,"
            " is {text}{hint}{more}",
            text=as_written(texts[row]),
            hint=time_hint(texts[row]),
            more=others if wrong.sum() > 1 else "",
        )
        raise at_row(row, message)
    require_years(pd.DatetimeIndex(stamps), texts.__getitem__, at_row)
    index = pd.DatetimeIndex(stamps + pd.to_timedelta(midnight.astype(int), unit="D"))
    return localised(index, zone, at_row) if index.tz is None else index.tz_convert(zone)


def _has_wrong_year(text: str) -> bool:
    """Return whether a text begins with a day out of the years that can be read."""
    day = re.match(r"(\d{4})-\d\d-\d\d", text)
    return day is not None and not YEARS[0] <= int(day[1]) <= YEARS[1]


def step_start(
    starts: Sequence[pd.Timestamp], when: str | dt.datetime, zone: dt.tzinfo, field: str
) -> pd.Timestamp:
    """Read a time as CSV files have it, with an offset or in `zone`: one of the starts of steps.

    Raises:
        ScenarioError: of the field, where it is no time or none of the starts.
    """
    (moment,) = read_times([str(when)], zone, lambda _, message: wrong(field, message))
    if moment not in starts:
        message = Message(
            "must be the start of a step, {first} to {last}, is {when}",
            first=starts[0].isoformat(), last=starts[-1].isoformat(), when=str(when),
        )  # fmt: skip
        raise wrong(field, message)
    return moment
