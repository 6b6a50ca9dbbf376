"""Local time where clocks change: zones by name, hours that occur twice, hours that do not exist.

An offset such as +08:00 is a zone whose clock never changes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from planner.errors import as_written, did_you_mean
from planner.fields import FieldError
from planner.message import Message

AtRow = Callable[[int, Message], Exception]
"""Returns the error of a row, counted from 0."""


def check_zone(name: str) -> str:
    """Check the name of a time zone. Raises FieldError where there is none of that name."""
    if name not in _zones():
        message = Message(
            "must be a time zone such as Europe/Berlin, is {text}{hint}",
            text=as_written(name),
            hint=_hint(name),
        )
        raise FieldError(message)
    return name


def zone_named(name: object) -> ZoneInfo | None:
    """Return the time zone of a name; None where there is none."""
    return ZoneInfo(name) if isinstance(name, str) and name in _zones() else None


def _hint(name: str) -> str:
    """Return a hint with the zone that may be meant: by its place, its offset or its spelling."""
    by_place = {zone.rpartition("/")[2].lower(): zone for zone in sorted(_zones())}
    zone = by_place.get(name.rpartition("/")[2].strip().replace(" ", "_").lower())
    if zone is not None:
        return Message("; did you mean {name}?", name=zone)
    offset = re.fullmatch(r"(?:UTC|GMT)? ?([+-])0?(\d\d?)(?::?00)?", name.strip())
    if offset and f"Etc/GMT+{offset[2]}" in _zones():  # whose sign is the other one
        zone = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return Message("; {name} is {offset}", name=zone, offset=f"{offset[1]}{offset[2]:0>2}:00")
    return did_you_mean(name, _zones())


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def check_start(start: dt.datetime, zone: ZoneInfo) -> None:
    """Check that a time has the offset that a zone has then.

    Raises:
        FieldError: with the time that is right.
    """
    by_clock = start.astimezone(zone)
    if by_clock.utcoffset() != start.utcoffset():
        meant = start.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
        message = Message(
            "must be {time} by the clock of {zone}, is {text}",
            time=meant.isoformat(),
            zone=zone.key,
            text=start.isoformat(),
        )
        raise FieldError(message)


def localised(times: pd.DatetimeIndex, zone: dt.tzinfo, at_row: AtRow) -> pd.DatetimeIndex:
    """Return times without an offset as moments of a zone.

    Where the clock is set back, an hour occurs twice. Its times are told apart by their order where
    a run of rows holds both.

    Raises:
        Exception: what `at_row` returns for the first time that does not exist or may be either of
            two.
    """
    if len(times) > 1 and times[-1] < times[0]:  # rows descend
        last = len(times) - 1
        return localised(times[::-1], zone, lambda row, text: at_row(last - row, text))[::-1]
    every = np.ones(len(times), dtype=bool)
    first = times.tz_localize(zone, ambiguous=every, nonexistent="NaT")
    if first.hasnans:
        row = int(np.flatnonzero(first.isna())[0])
        after = times[row : row + 1].tz_localize(zone, nonexistent="shift_forward")[0]
        message = Message(
            "{time} does not exist in {zone}, whose clock is set forward then, to {after}; times of"
            " a clock that does not change need their offset",
            time=_minutes(times[row]),
            zone=zone,
            after=after.isoformat(timespec="minutes"),
        )
        raise at_row(row, message)
    second = times.tz_localize(zone, ambiguous=~every, nonexistent="NaT")
    if first.equals(second):
        return first
    later = np.zeros(len(times), dtype=bool)
    for rows in _runs(np.flatnonzero(first != second)):
        clock = times[rows]
        again = np.flatnonzero(clock[1:] <= clock[:-1]) + 1
        if not again.size or not clock[: again[0]].isin(clock[again[0] :]).any():
            message = Message(
                "{time} occurs twice in {zone}, where the clock is set back then; write the times"
                " with their offsets, this one as {first} or {second}",
                time=_minutes(clock[0]),
                zone=zone,
                first=first[rows[0]].isoformat(timespec="minutes"),
                second=second[rows[0]].isoformat(timespec="minutes"),
            )
            raise at_row(int(rows[0]), message)
        later[rows[again[0] :]] = True
    return times.tz_localize(zone, ambiguous=~later)


def _runs(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the runs of consecutive rows."""
    yield from np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)


def _minutes(time: pd.Timestamp) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def moment_at(clock: pd.Timestamp, zone: dt.tzinfo) -> pd.Timestamp:
    """Return when a clock shows a time: the first of two, the moment after one that it skips."""
    return clock.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")


def occurs_twice(moment: dt.datetime) -> bool:
    """Return whether the clock shows the time of a moment once more, before or after it."""
    other = moment.replace(fold=1 - moment.fold)
    return other.utcoffset() != moment.utcoffset()


def clock_text(moment: dt.datetime, form: str) -> str:
    """Return a local time in a format, with its offset where the clock shows it twice."""
    text = moment.strftime(form)
    return text + moment.isoformat()[-6:] if occurs_twice(moment) else text


def clock_texts(moments: pd.DatetimeIndex, form: str) -> list[str]:
    """Return local times in a format, as `clock_text`."""
    texts = moments.strftime(form).tolist()
    for at in np.flatnonzero(_shown_twice(moments)).tolist():
        texts[at] += moments[at].isoformat()[-6:]
    return texts


def end_texts(starts: pd.DatetimeIndex, step_min: int) -> list[str]:
    """Return the ends of steps by the clock of their starts: 00:15 ... 24:00."""
    clock = starts.tz_localize(None)
    ends = clock + pd.Timedelta(minutes=step_min)
    return [
        "24:00" if end.day != start.day else f"{end:%H:%M}"
        for start, end in zip(clock, ends, strict=True)
    ]


def _shown_twice(moments: pd.DatetimeIndex) -> np.ndarray:
    """Return for each moment whether the clock shows its time twice."""
    if not isinstance(moments.tz, ZoneInfo):
        return np.zeros(len(moments), dtype=bool)
    clock, first = moments.tz_localize(None), np.ones(len(moments), dtype=bool)
    return np.asarray(
        clock.tz_localize(moments.tz, ambiguous=first)
        != clock.tz_localize(moments.tz, ambiguous=~first)
    )


def offsets_min(moments: pd.DatetimeIndex) -> np.ndarray:
    """Return the offset of the clock from UTC at each moment, minutes."""
    utc = moments.tz_convert("UTC").tz_localize(None)
    return np.asarray((moments.tz_localize(None) - utc) / pd.Timedelta(minutes=1))
