"""Every form of a series against values one can read off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.scenario.scenario import Scenario
from tests.support.chinese import english_words

MIDNIGHT = "2026-07-15T00:00:00+08:00"  # a Wednesday


def read(
    spec: Any,
    folder: Path | str = ".",
    *,
    start: str = MIDNIGHT,
    hours: float = 4,
    step_min: int = 60,
    **top: Any,
) -> list[float]:
    """Read a series as the demand of a load; the values by step."""
    data = {
        "name": "x",
        "horizon": {"start": start, "hours": hours, "step_min": step_min},
        "components": {
            "town": {"kind": "load", "demand_mw": spec},
            "grid": {
                "kind": "grid", "import_limit_mw": 1, "export_limit_mw": 1,
                "import_price_cny_per_mwh": 1, "export_price_cny_per_mwh": 1,
            },
        },
    }  # fmt: skip
    demand = Scenario.from_mapping(data | top, folder).components["town"].demand_mw
    assert not demand.flags.writeable
    return [float(value) for value in demand]


def error_of(spec: Any, folder: Path | str = ".", **more: Any) -> str:
    """Read a series that is wrong; return its error, which has Chinese, with the path below it."""
    with pytest.raises(planner.ScenarioError) as caught:
        read(spec, folder, **more)
    (problem,) = caught.value.problems
    assert not english_words(problem.message)
    text = f"{problem.path}: {problem.message}"
    return text.removeprefix("components.town.demand_mw").removeprefix(": ")


def test_a_number_holds_all_the_time() -> None:
    assert read(3) == [3, 3, 3, 3]


def test_a_list_has_a_value_per_step() -> None:
    assert read([1, 2.5, 3, 4]) == [1, 2.5, 3, 4]
    assert error_of([1, 2, 3]) == "needs one value per step, 4, and has 3"
    assert error_of([1, 2, 3, 4, 5]) == "needs one value per step, 4, and has 5"
    assert error_of([]) == "needs one value per step, 4, and has 0"


def test_python_may_give_an_array() -> None:
    assert read(np.array([1.0, 2, 3, 4])) == [1, 2, 3, 4]
    assert error_of(np.zeros((4, 1))) == (
        "needs one value per step, 4, and has 4; an array of one dimension is meant: give"
        " array.ravel()"
    )
    assert error_of(np.array([1.0, np.nan, 3, 4])).startswith("must be finite")


def test_hours_follow_the_local_clock() -> None:
    by_hour = {"hours": list(range(24))}
    assert read(by_hour, start="2026-07-15T22:00:00+08:00") == [22, 23, 0, 1]
    assert read(by_hour, hours=1, step_min=15, start="2026-07-15T05:30:00-03:00") == [5, 5, 6, 6]


# ---- calendars


def calendar(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"calendar": [{"value": 0}, *entries]}


def test_the_last_entry_that_matches_wins() -> None:
    spec = calendar({"value": 1, "hours": ["1-3"]}, {"value": 2, "hours": ["2-4"]})
    assert read(spec) == [0, 1, 2, 2]
    assert read({"calendar": spec["calendar"][::-1]}) == [0, 0, 0, 0]


def test_every_key_of_an_entry_must_match() -> None:
    july = {"value": 1, "months": [7], "hours": ["0-2"], "days": "workday"}
    assert read(calendar(july)) == [1, 1, 0, 0]
    assert read(calendar(july), start="2026-08-14T00:00:00+08:00") == [0, 0, 0, 0]
    assert read(calendar(july), start="2026-07-18T00:00:00+08:00") == [0, 0, 0, 0]  # Saturday


def test_hours_end_exclusive_and_may_wrap_midnight() -> None:
    night = calendar({"value": 1, "hours": ["23-6"]})
    day = read(night, hours=24)
    assert [hour for hour, value in enumerate(day) if value] == [0, 1, 2, 3, 4, 5, 23]
    assert read(calendar({"value": 1, "hours": ["0-24"]})) == [1, 1, 1, 1]
    assert read(calendar({"value": 1, "hours": ["2-3", "0-1"]})) == [1, 0, 1, 0]


def test_after_midnight_the_hours_belong_to_the_new_day() -> None:
    # Friday 23:00 is a workday; after midnight it is Saturday, whatever "23-6" began with
    entry = {"value": 1, "hours": ["23-6"], "days": "workday"}
    assert read(calendar(entry), start="2026-07-17T22:00:00+08:00") == [0, 1, 0, 0]


def test_half_hours_fall_on_steps_or_are_refused() -> None:
    lunch = calendar({"value": 1, "hours": ["11:30-13"]})
    start = "2026-07-15T11:00:00+08:00"
    assert read(lunch, start=start, hours=2.5, step_min=30) == [0, 1, 1, 1, 0]
    assert read(lunch, start=start, hours=1, step_min=15) == [0, 0, 1, 1]
    assert error_of(lunch) == ".calendar[1].hours: must fall on steps of 60 min, is '11:30-13'"
    assert "steps of 20 min" in error_of(lunch, step_min=20)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("07-15", {"2026-07-15", "2027-07-15"}),
        ("2026-07-15", {"2026-07-15"}),
        ("07-14/07-15", {"2026-07-15", "2027-07-15"}),
        ("2026-07-15/2026-08-31", {"2026-07-15", "2026-08-31"}),
        ("12-20/02-10", {"2026-12-31", "2027-01-01"}),  # wraps the year
        ("2026-12-31/2027-01-01", {"2026-12-31", "2027-01-01"}),
        ("02-29/03-01", {"2028-02-29"}),
    ],
)
def test_dates_with_and_without_a_year(text: str, days: set[str]) -> None:
    every = ("2026-07-15", "2026-08-31", "2026-12-31", "2027-01-01", "2027-07-15", "2028-02-29")
    spec = calendar({"value": 1, "dates": [text]})
    found = {day for day in every if read(spec, start=f"{day}T00:00:00+08:00", hours=1) == [1]}
    assert found == days


def test_workdays_weekends_holidays_and_make_up_days() -> None:
    spec = {
        "calendar": [
            {"value": 1, "days": "workday"},
            {"value": 2, "days": "weekend"},
            {"value": 3, "days": "holiday"},
        ]
    }
    lists = {"holidays": ["2026-10-01", "2026-10-03"], "workdays": ["2026-10-10"]}
    kinds = {
        "2026-09-30": 1,  # Wednesday
        "2026-10-01": 3,  # Thursday, holiday
        "2026-10-03": 3,  # Saturday, holiday
        "2026-10-04": 2,  # Sunday
        "2026-10-10": 1,  # Saturday, worked
        "2026-10-11": 2,  # Sunday
    }
    for day, kind in kinds.items():
        assert read(spec, start=f"{day}T00:00:00+08:00", hours=1, **lists) == [kind]


def test_holes_are_errors() -> None:
    hole = {"calendar": [{"value": 1, "hours": ["0-1", "2-3"]}]}
    assert error_of(hole) == ".calendar: no entry matches 07-15 01:00 and 1 other steps"


# ---- CSV files


def csv(folder: Path, *rows: str, header: str = "time,mw", encoding: str = "utf-8") -> Path:
    (folder / "a.csv").write_bytes("\n".join((header, *rows, "")).encode(encoding))
    return folder


def hourly(*values: float, day: str = "2026-07-15", first: int = 0) -> list[str]:
    return [f"{day} {first + i:02d}:00,{value}" for i, value in enumerate(values)]


def among(row: str) -> list[str]:
    """The rows of four hours with another one for the second."""
    return [*hourly(0), row, *hourly(2, 3, first=2)]


FILE = {"csv": "a.csv", "column": "mw"}


def test_rows_are_matched_by_time(tmp_path: Path) -> None:
    csv(tmp_path, *hourly(0, 1, 2, 3, 4, 5, 6, 7))
    assert read(FILE, tmp_path) == [0, 1, 2, 3]
    assert read(FILE, tmp_path, start="2026-07-15T03:00:00+08:00") == [3, 4, 5, 6]
    assert read(FILE | {"scale": 10}, tmp_path) == [0, 10, 20, 30]


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-07-15 {:02d}:00", "2026-07-15 {:02d}:00:00", "2026-07-15T{:02d}:00",
        "2026-07-15T{:02d}:00+08:00", "2026-07-15T{:02d}:00:00+0800", "2026-07-15T{:02d}:00+08",
    ],
)  # fmt: skip
def test_stamps_may_name_the_end_with_24_for_midnight(stamp: str, tmp_path: Path) -> None:
    csv(tmp_path, *[f"{stamp.format(hour)},{hour}" for hour in range(1, 25)])
    ends = FILE | {"stamp": "end"}
    assert read(ends, tmp_path, hours=24) == list(range(1, 25))
    assert read(ends, tmp_path, start="2026-07-15T21:00:00+08:00", hours=3) == [22, 23, 24]
    # read as starts, 24:00 is the first hour of the next day
    assert read(FILE, tmp_path, start="2026-07-15T23:00:00+08:00", hours=2) == [23, 24]
    assert "has no row for 2026-07-15T00:00:00+08:00" in error_of(FILE, tmp_path)


def test_96_points_of_a_market_file(tmp_path: Path) -> None:
    points = [f"{m // 60:02d}:{m % 60:02d}" for m in range(15, 24 * 60 + 1, 15)]
    csv(tmp_path, *[f"2026-07-15 {point},{i}" for i, point in enumerate(points)])
    ends = FILE | {"stamp": "end"}
    assert read(ends, tmp_path, hours=24, step_min=15) == list(range(96))
    mean = read(ends | {"resample": "mean"}, tmp_path, hours=24)
    assert mean == [4 * hour + 1.5 for hour in range(24)]


def test_offsets_are_followed(tmp_path: Path) -> None:
    # 16:00 UTC is midnight at +08:00
    csv(tmp_path, *[f"2026-07-14T{h}:00Z,{h}" for h in range(16, 22)])
    assert read(FILE, tmp_path) == [16, 17, 18, 19]
    assert "no row for 2026-07-15T00:00:00+00:00" in error_of(
        FILE, tmp_path, start="2026-07-15T00:00:00Z"
    )
    times = ["2026-07-15T00:00+8", "2026-07-15 01:00+8:00", "2026-07-15T02+08", "2026-07-14T19:00Z"]
    csv(tmp_path, *[f"{time},{i}" for i, time in enumerate(times)])
    assert read(FILE, tmp_path) == [0, 1, 2, 3]
    naive = csv(tmp_path, *hourly(7, 8, 9, 10))
    assert read(FILE, naive, start="2026-07-15T00:00:00-05:00") == [7, 8, 9, 10]


def test_coarser_files_hold_and_finer_ones_average_only_on_request(tmp_path: Path) -> None:
    csv(tmp_path, *hourly(1, 2))
    assert error_of(FILE, tmp_path, hours=2, step_min=30) == (
        "a.csv has a step of 60 min, the horizon of 30 min; add `resample: hold` if that is meant"
    )
    hold = FILE | {"resample": "hold"}
    assert read(hold, tmp_path, hours=2, step_min=30) == [1, 1, 2, 2]
    mean = FILE | {"resample": "mean"}
    assert read(mean, tmp_path, hours=2, step_min=30) == [1, 1, 2, 2]
    half = "2026-07-15T00:30:00+08:00"  # begins within a row
    assert read(hold, tmp_path, hours=1, step_min=30, start=half) == [1, 2]

    csv(tmp_path, "2026-07-15 00:00,1", "2026-07-15 00:30,2", "2026-07-15 01:00,3",
        "2026-07-15 01:30,5")  # fmt: skip
    assert read(mean, tmp_path, hours=2) == [1.5, 4]
    assert "add `resample: mean`" in error_of(FILE, tmp_path, hours=2)
    assert "add `resample: mean`" in error_of(hold, tmp_path, hours=2)


def test_steps_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    rows = [f"2026-07-15 {m // 60:02d}:{m % 60:02d},1" for m in range(0, 600, 45)]
    csv(tmp_path, *rows)
    for how in ("hold", "mean"):
        assert error_of(FILE | {"resample": how}, tmp_path) == (
            "a.csv has a step of 45 min, the horizon of 60 min; one must be a multiple of the other"
        )


def test_rows_between_the_steps_are_refused(tmp_path: Path) -> None:
    csv(tmp_path, *[f"2026-07-{14 + h // 24} {h % 24:02d}:07,{h}" for h in range(48)])
    assert "its rows begin at 00:07:00, which falls on no 60 min step" in error_of(FILE, tmp_path)


def test_a_finer_stretch_is_not_read_as_hours(tmp_path: Path) -> None:
    # most of the file is hourly; 01:00 to 02:00 is given in halves: 1 is not the hour's value
    rows = hourly(0, 1, 2, 3, 4, 5, 6, 7)
    csv(tmp_path, *rows[:2], "2026-07-15 01:30,100", *rows[2:])
    assert error_of(FILE, tmp_path) == (
        "a.csv:4: lies between two rows that are 60 min apart, the step of the file"
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (hourly(0, 1) + hourly(3, first=3), "has no row for 2026-07-15T02:00:00+08:00; it covers"),
        (hourly(0, 1, 2), "has no row for 2026-07-15T03:00:00+08:00; it covers 2026-07-15T00:00"),
        (hourly(0, 1, 2, 3)[1:], "has no row for 2026-07-15T00:00:00+08:00"),
        (hourly(0, 1) + hourly(1, 2, first=1), "a.csv:4: time 2026-07-15 01:00 appears twice"),
        ([*hourly(1, first=1), *hourly(0), *hourly(2, first=2)], "a.csv:3: times must ascend"),
        ([*hourly(0), "2026-07-15 1 o'clock,1"], "a.csv:3: time must be ISO 8601 such as"),
        ([*hourly(0), "2026-07-15 25:00,1"], "a.csv:3: time must be ISO 8601"),
        ([*hourly(0), "2026-07-15 24:30,1"], "a.csv:3: time must be ISO 8601"),
        ([*hourly(0), ",1"], "a.csv:3: time must be ISO 8601"),
        ([*hourly(0), "2026-07-15T01:00+08:00,1"], "a.csv:3: times with and without offset"),
        (["2026-07-15T00:00+8,1", *hourly(0, first=1)], "a.csv:3: times with and without offset"),
        ([*hourly(0), "2301-07-15 01:00,1"], "a.csv:3: time must lie in the years 1800 to 2261"),
        (["46218.5,1", "46219,1"], "is '46218.5'; this is Excel's day number"),
        (["15/7/2026 0:00,1", "15/7/2026 1:00,1"], "day or month first is ambiguous"),
        (among("2026-07-15 01:00,"), "a.csv:3: column mw must hold"),
        (among("2026-07-15 01:00,nan"), "is 'nan'"),
        (among("2026-07-15 01:00,inf"), "is 'inf'"),
        (among("2026-07-15 01:00,3%"), "is '3%'"),
        (among("2026-07-15 01:00,1_0"), "is '1_0'"),
        (among("2026-07-15 01:00,true"), "is 'true'"),
        ([*among('2026-07-15 01:00,"0,5"'), *hourly(0.1, first=4)], "is '0,5'; write 0.5"),
        (among('2026-07-15 01:00,"1,000"'), "is '1,000'; it may be 1000 or 1: write one of them"),
        ([*hourly(0), "2026-07-15 01:00,0,5"], "a.csv:3: the number of cells is 3, in"),
        ([*hourly(0), "2026-07-15 01:00"], "a.csv:3: the number of cells is 1, in the header 2"),
        ([*hourly(0), '2026-07-15 01:00,"1'], "a.csv:3: is not valid CSV: unexpected end of data"),
        (among("2026-07-15 01:00,1e13"), "within 1e+12 in size"),
        (hourly(0, -1, 2, 3), "must be 0 or more, is -1 at 07-15 01:00"),
        ([], "a.csv has a header but no rows"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    rows: list[str], words: str, tmp_path: Path
) -> None:
    assert words in error_of(FILE, csv(tmp_path, *rows))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("time,power", "a.csv has no column 'mw' (it has time, power)"),
        ("time,mw1", "a.csv has no column 'mw'; did you mean mw1? (it has time, mw1)"),
        ("Time,mw", "no column 'time'; did you mean Time? (it has Time, mw); column 'Time' has"),
        ("time,mw,mw", "a.csv has column 'mw' more than once"),
        ("time,time,mw", "a.csv has column 'time' more than once"),
        ("time;mw1", "a.csv has no column 'mw'; did you mean mw1? (it has time, mw1)"),
    ],
)
def test_what_is_wrong_in_a_header_is_told(header: str, words: str, tmp_path: Path) -> None:
    count = header.count(",")
    rows = [row + ",0" * (count - 1) if count else row.replace(",", ";") for row in hourly(0, 1)]
    assert words in error_of(FILE, csv(tmp_path, *rows, header=header))


def test_cells_outside_the_horizon_and_empty_rows_do_not_matter(tmp_path: Path) -> None:
    rows = hourly(0, 1, 2, 3)
    csv(tmp_path, *rows[:2], "", *rows[2:], "2026-07-15 04:00,n/a", ",", "", header=" time , mw ")
    assert read(FILE, tmp_path) == [0, 1, 2, 3]


def test_a_quoted_cell_over_two_lines_keeps_the_line_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"no\nte",time,mw\nx,2026-07-15 00:00,bad\n')
    assert error_of(FILE, tmp_path, hours=1).startswith("a.csv:3: column mw")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_byte_order_marks(encoding: str, tmp_path: Path) -> None:
    named = {"csv": "a.csv", "column": "负荷", "encoding": encoding.removesuffix("-sig")}
    csv(tmp_path, *hourly(0, 1, 2, 3), header="time,负荷", encoding=encoding)
    assert read(named, tmp_path) == [0, 1, 2, 3]


def test_the_wrong_encoding_is_told(tmp_path: Path) -> None:
    csv(tmp_path, *hourly(0, 1, 2, 3), header="time,负荷", encoding="gb18030")
    assert error_of(FILE, tmp_path) == "a.csv is not utf-8 text; is it `encoding: gb18030`?"
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 4)
    assert "a.csv is not utf-8 text" in error_of(FILE, tmp_path)
    (tmp_path / "a.csv").write_bytes(b"")
    assert error_of(FILE, tmp_path) == "a.csv is empty"


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, 123456789.123456789, 5e-324]
    csv(tmp_path, *hourly(*values))
    assert read(FILE, tmp_path) == values
