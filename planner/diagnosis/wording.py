"""When steps are, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.timeseries.horizon import Horizon

SPANS = 4  # runs of steps that are told one by one


def spans(steps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of consecutive steps as (first, last)."""
    ordered = np.array(sorted(set(steps)), dtype=int)
    cuts = np.flatnonzero(np.diff(ordered) > 1) + 1
    for run in np.split(ordered, cuts):
        if run.size:
            yield int(run[0]), int(run[-1])


def time_span(horizon: Horizon, first: int, last: int) -> str:
    """Say when a run of steps begins and ends: 01:00-03:00, with dates where there are several."""
    begin = horizon.starts[first - 1]
    end = horizon.starts[last - 1] + np.timedelta64(horizon.step_min, "m")
    until = "24:00" if end.hour == end.minute == 0 else f"{end:%H:%M}"
    if len(horizon.days) == 1:
        return f"{begin:%H:%M}-{until}"
    day = horizon.starts[last - 1]  # the day that 24:00 belongs to
    if begin.date() == day.date():
        return f"{begin:%m-%d %H:%M}-{until}"
    return f"{begin:%m-%d %H:%M} to {day:%m-%d} {until}"


def time_spans(horizon: Horizon, steps: Sequence[int]) -> str:
    """Say when steps are: their runs, the first few of them one by one."""
    texts = [time_span(horizon, first, last) for first, last in spans(steps)]
    more = len(texts) - SPANS
    return ", ".join(texts[:SPANS]) + (f" and {more} times more" if more > 0 else "")
