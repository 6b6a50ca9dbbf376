"""The step of a file where it changes, the ends of intervals, and days of 23 and 25 hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chinese import ZH
from tests.timeseries.test_csv_layouts import DAY, Table, prices, refused, written

# ---- days on which the clock changes

CLOCK = (
    "; this looks like the day on which the clock changes: give the times their offset, such as"
    " +02:00 and +01:00, or name the clock, such as `horizon.timezone: Europe/Berlin`"
)


@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize(
    ("date", "hour"),
    [("2026-03-29", 2), ("2026-03-08", 2), ("2026-10-04", 2), ("2026-03-29", 1)],
    ids=["Berlin", "New York", "Sydney", "London"],
)
def test_an_hour_that_a_clock_skips(date: str, hour: int, step_min: int, tmp_path: Path) -> None:
    minutes = [m for m in range(0, 1440, step_min) if m // 60 != hour]
    table = [[f"{date} {m // 60:02d}:{m % 60:02d}", "1"] for m in minutes]
    start = f"{date}T00:00:00+01:00"
    (message,) = refused(written(table, ","), tmp_path, start=start, hours=23, step_min=step_min)
    assert message.startswith(f"a.csv has no row for {date}T0{hour}:00:00+01:00")
    assert message.endswith(CLOCK)
    offsets = [[f"{time}+0{1 + (m // 60 > hour)}:00", "1"] for m, (time, _) in
               zip(minutes, table, strict=True)]  # fmt: skip
    values, _ = prices(written(offsets, ","), tmp_path, start=start, hours=23, step_min=step_min)
    assert values == [1] * len(minutes)


@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize(
    ("date", "hour"), [("2026-10-25", 2), ("2026-11-01", 1), ("2026-04-05", 2)],
    ids=["Berlin", "New York", "Sydney"],
)  # fmt: skip
def test_an_hour_that_a_clock_repeats(date: str, hour: int, step_min: int, tmp_path: Path) -> None:
    hours = sorted([*range(24), hour])
    table = [[f"{date} {h:02d}:{m:02d}", "1"] for h in hours for m in range(0, 60, step_min)]
    (message,) = refused(written(table, ","), tmp_path, start=f"{date}T00:00:00+01:00")
    line = 2 + (hour + 1) * (60 // step_min)
    assert message == f"a.csv:{line}: time {date} 0{hour}:00 appears twice{CLOCK}"


@pytest.mark.parametrize("missing", [[2], [2, 3], [14]])
def test_other_holes_are_no_change_of_the_clock(missing: list[int], tmp_path: Path) -> None:
    date = DAY if missing == [2] else "2026-03-29"
    table = [[f"{date} {h:02d}:00", "1"] for h in range(24) if h not in missing]
    (message,) = refused(written(table, ","), tmp_path, start=f"{date}T00:00:00+08:00")
    assert "has no row for" in message
    assert "clock" not in message


# ---- steps that change, and the ends of intervals


def stretch(day: str, step_min: int, *, end: bool = False) -> Table:
    """The rows of a day; each value is the hour in which its interval begins."""
    shift = step_min if end else 0
    times = range(shift, 1440 + shift, step_min)
    return [[f"{day} {m // 60:02d}:{m % 60:02d}", str((m - shift) // 60)] for m in times]


@pytest.mark.parametrize("end", [False, True], ids=["starts", "ends"])
@pytest.mark.parametrize(("coarse", "fine"), [(60, 15), (60, 30), (30, 15), (30, 5), (60, 10)])
@pytest.mark.parametrize("fine_first", [False, True])
def test_the_step_counts_where_the_horizon_is(
    coarse: int, fine: int, fine_first: bool, end: bool, tmp_path: Path
) -> None:
    steps = (fine, coarse) if fine_first else (coarse, fine)
    days = (DAY, "2026-07-16")
    content = written(
        [row for day, step in zip(days, steps, strict=True) for row in stretch(day, step, end=end)],
        ",",
    )
    stamp = {"stamp": "end"} if end else {}
    for day, step in zip(days, steps, strict=True):
        at = {"start": f"{day}T20:00:00+08:00", "hours": 4, "step_min": step}
        expected = [hour for hour in (20, 21, 22, 23) for _ in range(60 // step)]
        assert prices(content, tmp_path, **at, **stamp) == (expected, [])
    across = {"start": f"{DAY}T23:00:00+08:00", "hours": 2}
    (message,) = refused(content, tmp_path, step_min=coarse, **across, **stamp)
    assert message == (
        f"a.csv has a step of {fine} / {coarse} min, the horizon of {coarse} min;"
        " add `resample: mean` if that is meant"
    )
    per_hour = 60 // coarse
    values, notes = prices(content, tmp_path, step_min=coarse, resample="mean", **across, **stamp)
    assert values == [23.0] * per_hour + [0.0] * per_hour
    assert notes == []
    values, notes = prices(content, tmp_path, step_min=fine, resample="hold", **across, **stamp)
    assert values == [23.0] * (60 // fine) + [0.0] * (60 // fine)
    assert notes == [
        f"a.csv: each value of mw holds for {coarse} min, {coarse // fine} steps of the horizon, in"
        " which it does not vary"
    ]


@pytest.mark.parametrize("missing", range(1, 9))
def test_rows_that_lack_in_a_finer_stretch_are_not_held(missing: int, tmp_path: Path) -> None:
    """Three missing quarters leave a gap of an hour, as between the rows of the day before."""
    fine = stretch("2026-07-16", 15)
    content = written(stretch(DAY, 60) + fine[:8] + fine[8 + missing :], ",")
    at = {"start": "2026-07-16T00:00:00+08:00", "hours": 24, "step_min": 15}
    for resample in ({}, {"resample": "hold"}, {"resample": "mean"}):
        (message,) = refused(content, tmp_path, **at, **resample)
        assert message.startswith("a.csv has no row for 2026-07-16T02:00:00+08:00")


@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize("days", [1, 2, 7])
def test_rows_that_name_the_ends_are_recognised(step_min: int, days: int, tmp_path: Path) -> None:
    dates = [f"2026-07-{15 + day}" for day in range(days)]
    content = written([row for date in dates for row in stretch(date, step_min, end=True)], ",")
    first = f"{DAY} {step_min // 60:02d}:{step_min % 60:02d}"
    last = f"{dates[-1]} 24:00"
    whole = {"hours": 24 * days, "step_min": step_min}
    (message,) = refused(content, tmp_path, **whole)
    assert message.endswith(
        "; its rows seem to name the ends of their intervals: write `stamp: end`"
    )
    values, notes = prices(content, tmp_path, stamp="end", **whole)
    assert values == [hour for hour in range(24) for _ in range(60 // step_min)] * days
    assert notes == []
    inside = {"start": f"{DAY}T12:00:00+08:00", "hours": 1, "step_min": step_min}
    assert prices(content, tmp_path, **inside)[1] == [
        f"a.csv: its rows, {first} to {last}, seem to name the ends of their intervals, and are"
        " read as their starts; is `stamp: end` missing?"
    ]
    content = written([row for date in dates for row in stretch(date, step_min)], ",")
    (message,) = refused(content, tmp_path, stamp="end", **whole)
    assert message.endswith(
        "; its rows seem to name the starts of their intervals: leave out `stamp`"
    )


def test_an_offset_is_no_stamp(tmp_path: Path) -> None:
    """A day in UTC begins at 08:00 by the clock of the site: nothing to ask about."""
    times = [f"2026-07-14T{hour:02d}:00Z" for hour in range(1, 24)]
    content = written([[time, "1"] for time in [*times, f"{DAY}T00:00Z"]], ",")
    start = "2026-07-14T12:00:00+01:00"
    assert prices(content, tmp_path, start=start, hours=3)[1] == []


def test_a_horizon_outside_of_the_file_lacks_rows_not_steps(tmp_path: Path) -> None:
    content = written(stretch(DAY, 60) + stretch("2026-07-16", 15), ",")
    (message,) = refused(content, tmp_path, start="2026-08-01T00:00:00+08:00")
    assert message.startswith("a.csv has no row for 2026-08-01T00:00:00+08:00 and 23 later times")


def test_seconds_in_years_are_refused_before_they_take_the_memory(tmp_path: Path) -> None:
    seconds = [[f"{DAY} 00:00:{second:02d}", "1"] for second in range(5)]
    (message,) = refused(written(seconds, ","), tmp_path, hours=8784 * 3, resample="mean")
    assert message.startswith("a.csv: steps of 0.0166667 min are too fine for a horizon of 26352 h")


def test_a_column_may_tell_the_clocks_apart(tmp_path: Path) -> None:
    """An hour that occurs twice, in summer and in winter time, is no second area."""
    hours = [(0, "S"), (1, "S"), (2, "S"), (2, "W"), (3, "W"), (4, "W")]
    table = [[f"2026-10-25 {hour:02d}:00", clock, "1"] for hour, clock in hours]
    (message,) = refused(written(table, ",", "time,clock,mw"), tmp_path)
    assert message == f"a.csv:5: time 2026-10-25 02:00 appears twice{CLOCK}"


def test_seconds_are_averaged(tmp_path: Path) -> None:
    seconds = [[f"{DAY} 00:{s // 60:02d}:{s % 60:02d}", str(s)] for s in range(300)]
    content = written(seconds, ",")
    assert prices(content, tmp_path, hours=1 / 12, step_min=5, resample="mean") == ([149.5], [])


def test_parts_of_a_second_are_refused(tmp_path: Path) -> None:
    parts = [[f"{DAY} 00:00:00.{part}00", "1"] for part in range(5)]
    (message,) = refused(written(parts, ","), tmp_path, resample="mean")
    assert message.startswith("a.csv has")


def test_stored_notes_read_back_in_chinese(tmp_path: Path) -> None:
    content = written(stretch(DAY, 60, end=True), ",")
    inside = {"start": f"{DAY}T12:00:00+08:00", "hours": 1, "step_min": 15}
    notes = prices(content, tmp_path, resample="hold", **inside)[1]
    assert [ZH.sentence(note) for note in notes] == [
        "a.csv：mw 的每个值保持 60 min，即计划期的 4 个时段，其间不变",
        f"a.csv：{DAY} 01:00 至 {DAY} 24:00 的各行似乎标记时段终点，现按起点读取；是否漏写"
        " `stamp: end`？",
    ]
