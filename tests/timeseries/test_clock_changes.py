"""Horizons in zones whose clock changes: days, months and hours, checked by other arithmetic.

Berlin: on 2026-03-29 the clock goes from 02:00 to 03:00 (23 hours), on 2026-10-25 from 03:00 back
to 02:00 (25 hours).
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from planner.fields import FieldError
from planner.local_time import clock_texts, localised
from planner.studies import chain
from planner.timeseries.csv_table import read_times
from planner.timeseries.forms import Context, CsvSeries
from planner.timeseries.horizon import Calendar, Horizon, cut

ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "America/New_York",
    "America/St_Johns", "America/Havana", "America/Santiago", "Africa/Cairo", "Asia/Beirut",
    "Asia/Jerusalem", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe",
    "Pacific/Auckland", "Pacific/Chatham", "Atlantic/Azores", "America/Nuuk", "CET", "Etc/GMT-8",
)  # fmt: skip
LONGEST = {"Australia/Lord_Howe": 30, "Pacific/Chatham": 15}  # steps between which clocks change
BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN, SPRING = "2026-10-25", "2026-03-29"


def horizon(start: str, hours: float, step_min: int = 60, zone: str = "Europe/Berlin") -> Horizon:
    return Horizon.model_validate(
        {"start": start, "hours": hours, "step_min": step_min, "timezone": zone}
    )


def changes(name: str, year: int = 2026) -> list[dt.datetime]:
    """The moments of a year, to 30 minutes, at which the offset of a zone changes; in UTC."""
    zone, half_hour = ZoneInfo(name), dt.timedelta(minutes=30)
    moment = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    days = [moment + i * dt.timedelta(days=1) for i in range(366)]
    found = []
    for day, after in pairwise(days):
        if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            halves = [day + i * half_hour for i in range(49)]
            found += [
                b for a, b in pairwise(halves)
                if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()
            ]  # fmt: skip
    return found


def variants() -> list[tuple[str, str, int, float]]:
    """Zone, start, step and hours: windows over, at, before and after changes, also of a year."""
    made = []
    for number, name in enumerate(ZONES):
        rnd = random.Random(number)
        for change in changes(name) or [dt.datetime(2026, 7, 15, tzinfo=dt.UTC)]:
            for _ in range(3):
                step = rnd.choice(
                    [step for step in (5, 15, 30, 60) if step <= LONGEST.get(name, 60)]
                )
                begin = change - dt.timedelta(minutes=60 * rnd.randint(0, 40))
                start = begin.astimezone(ZoneInfo(name))
                start -= dt.timedelta(minutes=start.minute % step)
                hours = rnd.choice([1, 3, 24, 25, 49, 24 * 9])
                made.append((name, start.isoformat(), step, hours))
    starts = ("2026-01-01T00:00:00+01:00", "2028-02-28T21:00:00+01:00")
    return made + [("Europe/Berlin", start, 60, 8760) for start in starts]


@pytest.mark.parametrize(("zone", "start", "step", "hours"), variants())
def test_days_months_and_hours_are_those_of_the_calendar(
    zone: str, start: str, step: int, hours: float
) -> None:
    one = horizon(start, hours, step, zone)
    # Every start by the standard library, from UTC.
    first = dt.datetime.fromisoformat(start).astimezone(dt.UTC)
    moments = [
        (first + i * dt.timedelta(minutes=step)).astimezone(ZoneInfo(zone))
        for i in range(one.steps)
    ]
    assert [t.isoformat() for t in one.starts] == [m.isoformat() for m in moments]
    assert one.minute_of_day.tolist() == [60 * m.hour + m.minute for m in moments]
    after = (first + dt.timedelta(hours=hours)).astimezone(ZoneInfo(zone))
    assert one.end_of(one.steps).isoformat() == after.isoformat()
    # Days between the midnights that pandas counts by the calendar.
    day = pd.Timestamp(moments[0].date())
    naive = pd.date_range(day, periods=int(hours // 23) + 3, freq="D")
    midnights = naive.tz_localize(
        ZoneInfo(zone), ambiguous=np.ones(len(naive), bool), nonexistent="shift_forward"
    )
    place = np.searchsorted(midnights.asi8, one.starts.as_unit(midnights.unit).asi8, side="right")
    assert [len(steps) for steps in one.days] == list(Counter(place.tolist()).values())
    assert [t for steps in one.days for t in steps] == list(range(1, one.steps + 1))
    assert one.day_so_far_h == (one.starts[0] - midnights[0]) / pd.Timedelta(hours=1)
    for steps, number in zip(one.days[1:-1], sorted(set(place))[1:-1], strict=True):
        length = midnights[number] - midnights[number - 1]
        assert len(steps) * one.step_h == length / pd.Timedelta(hours=1)
    # Months.
    names = [f"{m:%Y-%m}" for m in moments]
    assert {name: len(steps) for name, steps in one.months.items()} == dict(Counter(names))
    # Windows of a day or more partition the steps, and begin at midnights within a month.
    for hours_of_window in (24, 72):
        windows = cut(one, hours_of_window)
        assert [t for window in windows for t in window] == list(range(1, one.steps + 1))
        begins = {steps[0] for steps in (*one.days, *one.months.values())}
        if len(one.days) > len(one.months) + 2:
            assert {window.first for window in windows[1:]} <= begins
    # Written and read back, with the offset and without it where that is possible.
    texts = [t.isoformat() for t in one.starts]
    assert read_times(texts, one.zone, raised).equals(one.starts.rename(None))


def raised(_: int, message: str) -> FieldError:
    return FieldError(message)  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", [z for z in ZONES if z != "Etc/GMT-8"])
def test_times_of_whole_days_need_no_offset(zone: str) -> None:
    """An hour that occurs twice is told apart by the order of its rows."""
    for change in changes(zone):
        day = pd.Timestamp(change.astimezone(ZoneInfo(zone)).date())
        begin, end = (
            (day + pd.Timedelta(days=n)).tz_localize(
                ZoneInfo(zone), ambiguous=True, nonexistent="shift_forward"
            )
            for n in (-1, 2)
        )
        index = pd.date_range(begin, end, freq="15min", inclusive="left")
        clock = index.tz_localize(None)
        assert localised(clock, ZoneInfo(zone), raised).equals(index)
        assert localised(clock[::-1], ZoneInfo(zone), raised).equals(index[::-1])


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([f"{AUTUMN} 01:00", f"{AUTUMN} 02:00", f"{AUTUMN} 03:00"],
         "2026-10-25 02:00 occurs twice in Europe/Berlin, where the clock is set back then; write"
         " the times with their offsets, this one as 2026-10-25T02:00+02:00 or"
         " 2026-10-25T02:00+01:00"),
        ([f"{AUTUMN} 02:30"], "2026-10-25 02:30 occurs twice"),
        ([f"{AUTUMN} 02:45", f"{AUTUMN} 02:00"], "2026-10-25 02:00 occurs twice"),
        ([f"{SPRING} 01:00", f"{SPRING} 02:00"],
         "2026-03-29 02:00 does not exist in Europe/Berlin, whose clock is set forward then, to"
         " 2026-03-29T03:00+02:00; times of a clock that does not change need their offset"),
        ([f"{SPRING} 02:59"], "2026-03-29 02:59 does not exist"),
    ],
)  # fmt: skip
def test_times_that_may_be_either_or_neither_are_named(texts: list[str], words: str) -> None:
    with pytest.raises(FieldError) as error:
        read_times(texts, BERLIN, raised)
    assert words in str(error.value.message)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"start": "2026-10-25T00:00:00+01:00"}, "start",
         "must be 2026-10-25T00:00:00+02:00 by the clock of Europe/Berlin, is"
         " 2026-10-25T00:00:00+01:00"),
        ({"start": "2026-07-15T00:00:00Z"}, "start", "must be 2026-07-15T00:00:00+02:00"),
        ({"start": "2026-03-29T02:00:00+01:00"}, "start", "must be 2026-03-29T03:00:00+02:00"),
        ({"start": "2026-10-25T02:00:00+03:00"}, "start", "must be 2026-10-25T02:00:00+02:00"),
        ({"timezone": "Berlin"}, "timezone", "is 'Berlin'; did you mean Europe/Berlin?"),
        ({"timezone": "Europe/Berlim"}, "timezone", "did you mean Europe/Berlin?"),
        ({"timezone": "New York"}, "timezone", "did you mean America/New_York?"),
        ({"timezone": "UTC+8"}, "timezone", "; Etc/GMT-8 is +08:00"),
        ({"timezone": "-03:00"}, "timezone", "; Etc/GMT+3 is -03:00"),
        ({"timezone": "../etc/passwd"}, "timezone", "must be a time zone such as Europe/Berlin"),
        ({"timezone": ""}, "timezone", "must be a time zone such as Europe/Berlin, is ''"),
        ({"timezone": "Australia/Lord_Howe", "start": "2026-04-05T00:00:00+11:00"}, "step_min",
         "steps of 60 min do not fit the clock of Australia/Lord_Howe, which changes before or in"
         " the step of 04-05 01:30+10:30"),
        ({"timezone": "America/St_Johns", "start": "2005-04-02T12:00:00-03:30"}, "step_min",
         "steps of 60 min do not fit"),  # from 00:01 to 01:01
    ],
)  # fmt: skip
def test_wrong_zones_and_starts_say_what_is_right(
    changed: dict[str, str], field: str, words: str
) -> None:
    data = {"start": "2026-10-25T00:00:00+02:00", "hours": 24, "timezone": "Europe/Berlin"}
    with pytest.raises(ValidationError) as error:
        Horizon.model_validate(data | changed)
    (one,) = error.value.errors()
    assert words in one["msg"]
    cause = one["ctx"]["error"]
    assert (cause.path or one["loc"][0]) == field


def test_a_zone_without_a_change_is_its_offset() -> None:
    zoned = horizon("2026-07-15T00:00:00+08:00", 48, zone="Etc/GMT-8")
    fixed = Horizon.model_validate({"start": "2026-07-15T00:00:00+08:00", "hours": 48})
    assert (zoned.days, zoned.months) == (fixed.days, fixed.months)
    assert zoned.starts.equals(fixed.starts.tz_convert(zoned.zone))
    assert "timezone" not in fixed.summary


def test_texts_have_an_offset_where_the_clock_shows_them_twice() -> None:
    one = horizon("2026-10-25T01:00:00+02:00", 4)
    assert [one.at(t) for t in range(1, 5)] == [
        "10-25 01:00", "10-25 02:00+02:00", "10-25 02:00+01:00", "10-25 03:00",
    ]  # fmt: skip
    assert clock_texts(one.starts, "%H:%M") == ["01:00", "02:00+02:00", "02:00+01:00", "03:00"]


def test_a_day_of_the_clock_has_its_hours() -> None:
    """24 h windows begin at the same time by the clock; other lengths are hours."""
    autumn = horizon("2026-10-24T06:00:00+02:00", 73)
    firsts = [c.executed.first for c in chain.cut(autumn, 48, 24)]
    assert [autumn.at(t) for t in firsts] == ["10-24 06:00", "10-25 06:00", "10-26 06:00"]
    assert [len(c.executed) for c in chain.cut(autumn, 48, 24)] == [25, 24, 24]
    assert [len(c.window) for c in chain.cut(autumn, 48, 24)] == [49, 48, 24]
    assert {len(c.executed) for c in chain.cut(autumn, 12, 12)} == {12, 1}
    spring = horizon("2026-03-28T00:00:00+01:00", 71)
    assert [len(c.executed) for c in chain.cut(spring, 24, 24)] == [24, 23, 24]
    assert (spring.days_h(1), spring.days_h(2), autumn.days_h(1)) == (24, 47, 25)


def test_a_month_has_its_hours() -> None:
    one = horizon("2026-03-01T00:00:00+01:00", 24)
    assert [one.month_h(month) for month in ("2026-03", "2026-10", "2026-07")] == [743, 745, 744]


def test_a_step_the_day_before_is_by_the_clock() -> None:
    one = horizon("2026-10-24T00:00:00+02:00", 73)
    steps = {str(start): t for t, start in enumerate(one.starts, 1)}
    for step, before in {
        "2026-10-25 02:00:00+02:00": "2026-10-24 02:00:00+02:00",
        "2026-10-25 02:00:00+01:00": "2026-10-24 02:00:00+02:00",
        "2026-10-26 02:00:00+01:00": "2026-10-25 02:00:00+02:00",
        "2026-10-26 03:00:00+01:00": "2026-10-25 03:00:00+01:00",
    }.items():
        assert str(one.day_before(steps[step] - 1)) == before


def test_profiles_and_calendars_are_by_the_clock() -> None:
    """The hour that occurs twice has its value twice; the hour that does not exist has none."""
    from planner.timeseries.forms import CalendarSeries, HoursSeries

    hours = HoursSeries.model_validate({"hours": list(range(24))})
    band = CalendarSeries.model_validate(
        {"calendar": [{"value": 0}, {"value": 100, "hours": ["2-3"]}]}
    )
    holidays = CalendarSeries.model_validate(
        {"calendar": [{"value": 0}, {"value": 1, "days": "holiday"}]}
    )
    for start, length, profile, times in (
        (f"{AUTUMN}T00:00:00+02:00", 25, [0, 1, 2, 2, *range(3, 24)], 2),
        (f"{SPRING}T00:00:00+01:00", 23, [0, 1, *range(3, 24)], 0),
    ):
        date = dt.date.fromisoformat(start[:10])
        one = horizon(start, length + 2)
        context = Context(one, Calendar((date,), ()), Path())
        assert hours.resolve(context).tolist() == [*profile, 0, 1]
        assert band.resolve(context).sum() == 100 * times
        assert holidays.resolve(context).tolist() == [1] * length + [0, 0]


# ---- values of whole days


@pytest.mark.parametrize("stamp", ["start", "end"])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%MZ"])
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_a_value_of_a_day_holds_for_a_day_of_the_clock(
    tmp_path: Path, zone: str, form: str, stamp: Literal["start", "end"]
) -> None:
    clock = ZoneInfo(zone)
    for change in changes(zone):
        days = [change.astimezone(clock).date() + dt.timedelta(days=n) for n in range(-2, 4)]
        midnights = [dt.datetime.combine(day, dt.time(), clock).astimezone(dt.UTC) for day in days]
        named = midnights[:-1] if stamp == "start" else midnights[1:]
        shown = [moment if form.endswith("Z") else moment.astimezone(clock) for moment in named]
        rows = [f"{moment:{form}},{n}" for n, moment in enumerate(shown)]
        (tmp_path / "gas.csv").write_text("time,price\n" + "\n".join(rows[::-1]))
        hours = (midnights[3] - midnights[1]) / dt.timedelta(hours=1)
        plan = horizon(midnights[1].astimezone(clock).isoformat(), hours, 30, zone)
        context = Context(plan, Calendar((), ()), tmp_path)
        values = CsvSeries(csv="gas.csv", column="price", stamp=stamp, resample="hold")
        wanted = [1.0 if time < midnights[2] else 2.0 for time in plan.starts]
        assert values.resolve(context).tolist() == wanted
