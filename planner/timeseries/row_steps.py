"""The step of every row of a file, whose step may change: hourly, then every quarter of an hour.

A stretch of equal gaps between rows is a step of the file where it lasts a day, or up to an end of
the file, and so are the parts of it that a hole cuts off; where there is no such stretch, the most
frequent gap is the step. Any other gap is a hole or a stray row.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import numpy as np
import pandas as pd

Minutes = np.ndarray[Any, np.dtype[np.float64]]

LEAST_GAPS = 3  # of a stretch
LEAST_CUT_OFF = 2  # gaps, of a part of a stretch
DAY_MIN = 24 * 60


def gaps_min(times: pd.DatetimeIndex) -> Minutes:
    """Return the minutes between the rows of a file; one less than there are rows.

    Whole days are days of the clock: 1440 minutes, though it may change in them.
    """
    passed, by_clock = (
        np.diff(index.as_unit("s").asi8) / 60 for index in (times, times.tz_localize(None))
    )
    return np.where((by_clock % DAY_MIN == 0) & (by_clock > 0), by_clock, passed)


def moved(times: pd.DatetimeIndex, minutes: Minutes) -> pd.DatetimeIndex:
    """Return times some minutes later, or earlier; whole days by the clock, as in `gaps_min`."""
    lengths = pd.to_timedelta(np.round(60 * minutes), unit="s")  # times are read to seconds
    days = minutes % DAY_MIN == 0
    if not days.any():
        return times + lengths
    by_clock = (times.tz_localize(None) + lengths).tz_localize(
        times.tz, ambiguous=np.ones(len(times), dtype=bool), nonexistent="shift_forward"
    )
    return pd.DatetimeIndex((times + lengths).where(~days, by_clock))


def most_frequent(gaps: Minutes) -> float | None:
    """Return the most frequent gap, the shortest of several; None where there is none."""
    values, counts = np.unique(gaps, return_counts=True)
    return float(values[counts.argmax()]) if values.size else None


def row_steps(gaps: Minutes, stamp: Literal["start", "end"]) -> Minutes:
    """Return the length of the interval that each row names by its start or its end, in minutes.

    Next to a gap that is no step, a row has the step of the rows on its other side.
    """
    steps = pd.Series(np.where(_are_steps(gaps), gaps, np.nan))
    if stamp == "start":  # the gap after a row is its own, else that before
        return np.asarray(pd.concat([steps, pd.Series([np.nan])]).ffill().bfill(), dtype=float)
    return np.asarray(pd.concat([pd.Series([np.nan]), steps]).bfill().ffill(), dtype=float)


def _are_steps(gaps: Minutes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which gaps are steps of the file."""
    stretches = [(gap, len(list(equal))) for gap, equal in itertools.groupby(gaps.tolist())]
    last = len(stretches) - 1
    are_steps = [
        count >= LEAST_GAPS and (i in (0, last) or count * gap >= DAY_MIN)
        for i, (gap, count) in enumerate(stretches)
    ]
    if not any(are_steps):
        return np.asarray(gaps == most_frequent(gaps))
    longest_first = sorted(range(len(stretches)), key=lambda i: -stretches[i][1])
    for i in longest_first:  # parts of a stretch that a hole has cut off
        before = next((j for j in range(i - 1, -1, -1) if are_steps[j]), i)
        after = next((j for j in range(i + 1, last + 1) if are_steps[j]), i)
        gap, count = stretches[i]
        beside = {stretches[j][0] for j in (before, after) if j != i}
        are_steps[i] = are_steps[i] or (count >= LEAST_CUT_OFF and gap in beside)
    return np.repeat(are_steps, [count for _, count in stretches])
