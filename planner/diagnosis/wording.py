"""Times of steps as texts: what the places {when} of messages hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from planner.local_time import clock_text
from planner.message import Message, MessageList
from planner.timeseries.horizon import Horizon

MAX_SPANS = 4  # runs of steps that a text lists


def spans(steps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of consecutive steps as (first, last)."""
    ordered = np.unique(np.array(steps, dtype=int))
    for run in np.split(ordered, np.flatnonzero(np.diff(ordered) > 1) + 1):
        if run.size:
            yield int(run[0]), int(run[-1])


def time_span(horizon: Horizon, first: int, last: int) -> str:
    """Return the begin and end of a run of steps: 01:00-03:00, with dates on a longer horizon."""
    begin = horizon.starts[first - 1]
    end = horizon.end_of(last)
    day = horizon.starts[last - 1]  # the day that 24:00 belongs to
    until = "24:00" if end.date() != day.date() else clock_text(end, "%H:%M")
    if len(horizon.days) == 1:
        return f"{clock_text(begin, '%H:%M')}-{until}"
    if begin.date() == day.date():
        return f"{horizon.at(first)}-{until}"
    return f"{horizon.at(first)} to {day:%m-%d} {until}"


def time_spans(horizon: Horizon, steps: Sequence[int]) -> str:
    """Return the times of steps: their first runs, and how many more there are."""
    texts = [time_span(horizon, first, last) for first, last in spans(steps)]
    more = len(texts) - MAX_SPANS
    return ", ".join(texts[:MAX_SPANS]) + (f" and {more} more" if more > 0 else "")


def at_times(message: Message, when: str) -> Message:
    """Return a message with its times, where it has any."""
    return Message("{sentence}, at {when}", sentence=message, when=when) if when else message


def listed(messages: Iterable[Message]) -> list[Message]:
    """Return messages as the lines of a list."""
    return [MessageList("", ("  - ", message)) for message in messages]
