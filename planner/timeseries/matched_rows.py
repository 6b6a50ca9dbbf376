"""The rows of a file that a horizon needs, matched by time.

The step of a file may change; what counts is its step where the horizon lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from planner.fields import FieldError
from planner.message import Message
from planner.timeseries.horizon import Horizon
from planner.timeseries.row_steps import LEAST_GAPS, moved, row_steps
from planner.timeseries.timed_rows import TimedRows

MOST_PARTS = 10_000_000  # of a horizon: more cannot be in a file
MOST_STRAY = 0.5  # of the gaps of a file: with more that are no steps its times are irregular
MOST_GAPS = 4  # that a message lists

Indices = np.ndarray[Any, np.dtype[np.int_]]
Values = np.ndarray[Any, np.dtype[np.float64]]
Method = Literal["hold", "mean"]
"""What to do where rows have another step: hold a coarser value, or average finer ones."""


@dataclass(frozen=True)
class MatchedRows:
    """The rows of a file on a horizon.

    stamp: which end of its interval a row names.
    """

    table: TimedRows
    stamp: Literal["start", "end"]
    horizon: Horizon

    @cached_property
    def steps_min(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The length of the interval of each row; that of the horizon where there is one row."""
        if len(self.table.times) == 1:
            return np.array([float(self.horizon.step_min)])
        return row_steps(self.table.gaps_min, self.stamp)

    @cached_property
    def begins(self) -> pd.DatetimeIndex:
        """The start of the interval of each row."""
        times = self.table.times
        return times if self.stamp == "start" else moved(times, -self.steps_min)

    @cached_property
    def ends(self) -> pd.DatetimeIndex:
        """The end of the interval of each row."""
        return self.table.times if self.stamp == "end" else moved(self.table.times, self.steps_min)

    @cached_property
    def _lengths(self) -> pd.TimedeltaIndex:
        return _seconds(self.steps_min)

    @cached_property
    def inside(self) -> Indices:
        """The rows that hold in the horizon, at least in part."""
        rows = np.flatnonzero((self.ends > self._first) & (self.begins < self._last))
        begun = np.append(self.begins[rows] <= self._first, False)
        return rows[max(int(begun.argmin()) - 1, 0) :]  # of those begun before, the last one

    @cached_property
    def steps_inside_min(self) -> list[float]:
        """The different steps of the file in the horizon, ascending."""
        return [float(step) for step in np.unique(self.steps_min[self.inside])]

    @property
    def _first(self) -> pd.Timestamp:
        return self.horizon.starts[0]

    @property
    def _last(self) -> pd.Timestamp:
        return self._first + pd.Timedelta(hours=self.horizon.hours)

    def check_regular(self) -> None:
        """Raise FieldError where the times in the horizon follow no step."""
        rows = self.inside if self.inside.size > 1 else np.arange(len(self.steps_min))
        between = slice(rows[0], rows[-1])
        gaps, own = self.table.gaps_min[between], int(self.stamp == "end")
        stray = gaps % np.maximum(self.steps_min[own:][between], 1 / 60) != 0
        share = stray.mean() if gaps.size >= LEAST_GAPS else 0
        if share <= MOST_STRAY and not (share and any(map(self.misfit, self.steps_inside_min))):
            return
        message = Message(
            "is the first of rows at irregular times, {gaps} min apart: give every step of"
            " {minutes} min a row",
            gaps=", ".join(f"{gap:.4g}" for gap in gaps[:MOST_GAPS]),
            minutes=self.horizon.step_min,
        )
        raise self.table.at_row(int(rows[0]), message)

    def misfit(self, step_min: float) -> bool:
        """Return whether neither a step of the file nor that of the horizon divides the other."""
        steps_s = round(60 * step_min), 60 * self.horizon.step_min
        return min(steps_s) == 0 or max(steps_s) % min(steps_s) != 0

    def by_cell(self) -> Indices:
        """Return the row of each part of the horizon, in equal parts of which each step is made.

        Raises:
            FieldError: rows fall on no steps of the horizon, one is missing, or one is stray.
        """
        table, steps, inside = self.table, self.steps_min, self.inside
        overlapping = np.flatnonzero(self.begins[inside[1:]] < self.ends[inside[:-1]])
        if overlapping.size:
            row = int(inside[overlapping[0] + 1])
            message = Message(
                "lies between two rows that are {minutes:g} min apart, the step of the file",
                minutes=steps[row - 1],
            )
            raise table.at_row(row, message)
        parts = np.minimum(steps, self.horizon.step_min)
        since = (self.begins[inside] - self._first) % _seconds(parts[inside])
        aside = np.asarray(since != pd.Timedelta(0))
        if aside.any():
            late = inside[aside & (self.begins[inside] >= self._first)]
            row = int(late[0]) if late.size else int(inside[0])
            message = Message(
                "{file}: its rows begin at {time}, which falls on no {minutes:g} min step of"
                " the horizon{hint}",
                file=table.name,
                time=f"{self.begins[row]:%H:%M:%S}",
                minutes=parts[row],
                hint=Message("; mind `stamp`") if table.stamped else "",
            )
            raise FieldError(message)
        seconds = [
            self.horizon.step_min * 60,
            *(round(60 * step) for step in self.steps_inside_min),
        ]
        part = pd.Timedelta(seconds=math.gcd(*seconds))
        if (self._last - self._first) / part > MOST_PARTS:
            message = Message(
                "{file}: steps of {minutes:g} min are too fine for a horizon of {hours:g} h:"
                " average them in the file",
                file=table.name,
                minutes=self.steps_inside_min[0],
                hours=self.horizon.hours,
            )
            raise FieldError(message)
        times = pd.date_range(self._first, self._last, freq=part, inclusive="left")
        if not inside.size:
            raise FieldError(self._missing(times))
        at = self.begins[inside].searchsorted(times, side="right") - 1  # they ascend: none overlap
        rows = inside[np.maximum(at, 0)]
        missing = times[(at < 0) | (self.ends[rows] <= times)]
        if missing.size:
            raise FieldError(self._missing(missing))
        return np.asarray(rows)

    def _missing(self, missing: pd.DatetimeIndex) -> Message:
        later = missing.size - 1
        return Message(
            "{file} has no row for {time}{more}; it covers {first} to {last}{hint}",
            file=self.table.name,
            time=missing[0].isoformat(),
            more=Message(" and {count} later times", count=later) if later else "",
            first=self.begins[0].isoformat(),
            last=self.ends[-1].isoformat(),
            hint=self._why_missing(missing),
        )

    def _why_missing(self, missing: pd.DatetimeIndex) -> str:
        row = int(self.begins.searchsorted(missing[0], side="right")) - 1
        if 0 <= row < len(self.begins) - 1:
            return self.table.clock_change(row)
        before = (
            missing.min() >= self.begins[0] - self._lengths[0] and missing.max() < self.begins[0]
        )
        after = missing.min() >= self.ends[-1] and missing.max() < self.ends[-1] + self._lengths[-1]
        right = self.likely_stamp()
        if right == "end" and before and not self.table.stamped:
            return Message(
                "; its rows seem to name the ends of their intervals: subtract {text} from its"
                " index",
                text=f"pd.Timedelta(minutes={self.steps_min[0]:g})",
            )
        if right == "end" and before:
            return Message(
                "; its rows seem to name the ends of their intervals: write `stamp: end`"
            )
        if right == "start" and after and self.table.stamped:
            return Message(
                "; its rows seem to name the starts of their intervals: leave out `stamp`"
            )
        return ""

    def likely_stamp(self) -> Literal["start", "end"]:
        """Return which end of their intervals rows name that fill whole days, or the horizon."""
        times = self.table.times
        shown = f"{times[0]:%H:%M}".lstrip("0")
        if shown not in self.table.time_text(0):  # its clock is another one
            return self.stamp
        span = times[0], times[-1]
        steps = self._lengths[0], self._lengths[-1]
        horizon = self._first, self._last
        as_starts, as_ends = (span[0], span[1] + steps[1]), (span[0] - steps[0], span[1])
        if as_starts == horizon or _is_midnight(*as_starts):
            return "start"
        return "end" if as_ends == horizon or _is_midnight(*as_ends) else self.stamp


def _seconds(minutes: np.ndarray[Any, np.dtype[np.float64]]) -> pd.TimedeltaIndex:
    """Return lengths as whole seconds, which times are read to."""
    return pd.to_timedelta(np.round(60 * minutes), unit="s")


def _is_midnight(*times: pd.Timestamp) -> bool:
    return all(time == time.normalize() for time in times)


def values_by_step(
    matched: MatchedRows,
    values: Values,
    refusal: Callable[[Method], Message | None],
    wrong_cells: Callable[[list[int], Message], FieldError],
) -> Values:
    """Return the values of rows by step; shape (T,).

    Args:
        matched: the rows.
        values: one a row, NaN where it is no finite number.
        refusal: returns what to do about a step that is not that of the horizon, where finer
            rows would have their mean taken, or coarser ones hold; None where that is meant.
        wrong_cells: returns the error of rows whose values break a rule.

    Raises:
        FieldError: rows are irregular, have another step, are missing, or hold no number.
    """
    matched.check_regular()
    steps, horizon = matched.steps_inside_min, matched.horizon
    if steps not in ([], [horizon.step_min]):
        remedy = refusal("mean" if steps[0] < horizon.step_min else "hold")
        if any(map(matched.misfit, steps)):
            remedy = Message("one must be a multiple of the other")
        if remedy is not None:
            raise FieldError(unequal_steps(matched.table.name, steps, horizon, remedy))
    rows = matched.by_cell()
    bad = matched.inside[np.isnan(values[matched.inside])]
    if bad.size:
        raise wrong_cells(bad.tolist(), Message("must hold a finite number such as 0.5"))
    return np.asarray(values[rows].reshape(horizon.steps, -1).mean(axis=1))


def unequal_steps(file: str, steps_min: list[float], horizon: Horizon, remedy: Message) -> Message:
    """Return the message of a file whose step is not that of the horizon, and what to do."""
    return Message(
        "{file} has a step of {minutes} min, the horizon of {horizon} min; {sentence}",
        file=file,
        minutes=" / ".join(f"{step:g}" for step in steps_min),
        horizon=horizon.step_min,
        sentence=remedy,
    )
