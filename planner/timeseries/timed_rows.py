"""Rows that have times, of a file or of a table in memory: the order of the times, their gaps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from planner.fields import FieldError
from planner.local_time import AtRow
from planner.message import Message
from planner.timeseries.csv_layouts import clock_hint, may_change_clock
from planner.timeseries.row_steps import Minutes, gaps_min, most_frequent

YEARS = (1800, 2261)  # of the times of rows; pandas 2 counts nanoseconds, and ends in 2262


class TimedRows(ABC):
    """Rows with ascending times.

    local: their times have no offset.
    """

    stamped: ClassVar[bool] = True
    """Whether `stamp` may say which end of its interval a row names; else it is the start."""

    def __init__(self, name: str, times: pd.DatetimeIndex, *, local: bool) -> None:
        self.name = name
        self.times = times
        self.local = local
        self.step_min = most_frequent(self.gaps_min)

    @cached_property
    def gaps_min(self) -> Minutes:
        """The minutes between the rows."""
        return gaps_min(self.times)

    @abstractmethod
    def time_text(self, row: int) -> str:
        """Return the time of a row as its author wrote it."""

    @abstractmethod
    def at_row(self, row: int, message: Message) -> FieldError:
        """Return the error of a row, with its place."""

    def clock_change(self, row: int) -> str:
        """Return a hint where a gap after a row is an hour that a clock skips; empty elsewhere."""
        after = self.times[row] + pd.Timedelta(minutes=self.gaps_min[row])
        step = self.gaps_min[max(row - 1, 0)] if row else self.step_min or 60.0
        skipped = self.local and self.gaps_min[row] - step == 60
        return clock_hint() if skipped and is_likely_change(after - pd.Timedelta("1h")) else ""


def is_likely_change(time: pd.Timestamp) -> bool:
    """Return whether clocks are changed then somewhere."""
    return may_change_clock(time.year, time.month, time.day, time.hour)


def require_years(times: pd.DatetimeIndex, text: Callable[[int], str], at_row: AtRow) -> None:
    """Raise what `at_row` returns for the first time in a year that no plan reaches."""
    outside = (times.year < YEARS[0]) | (times.year > YEARS[1])
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise at_row(row, wrong_year(text(row)))


def wrong_year(text: str) -> Message:
    """Return what is wrong with a time in a year that no plan reaches."""
    first, last = YEARS
    return Message(
        "time must lie in the years {first} to {last}, is {text!r}",
        first=first, last=last, text=text,
    )  # fmt: skip


def require_one_way(
    times: pd.DatetimeIndex,
    text: Callable[[int], str],
    at_row: AtRow,
    why_twice: Callable[[int], str],
) -> bool:
    """Require that the times of rows all ascend or all descend; return whether they descend.

    Args:
        times: of the rows.
        text: returns the time of a row as it was written.
        at_row: returns the error of a row.
        why_twice: returns a hint on a row whose time appears twice.

    Raises:
        Exception: what `at_row` returns for a time that appears twice, or is out of order.
    """
    if times.has_duplicates:
        row = int(np.flatnonzero(times.duplicated())[0])
        message = Message("time {text} appears twice{hint}", text=text(row), hint=why_twice(row))
        raise at_row(row, message)
    if len(times) > 1 and times.is_monotonic_decreasing:
        return True
    if not times.is_monotonic_increasing:
        row = int(np.flatnonzero(np.diff(times.asi8) < 0)[0]) + 1
        raise at_row(row, Message("times must ascend, and {text} does not", text=text(row)))
    return False
