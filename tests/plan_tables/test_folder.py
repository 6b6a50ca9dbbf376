"""Plan folders that cannot be read, and notes of a simulation, in both languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.errors import PlanError
from planner.language.language import language
from planner.plan_tables.files import write_csv
from planner.plan_tables.folder import fill_folder, read_tables
from planner.plan_tables.simulation import SimulationTable
from tests.support.build import grid, load, solve

ZH = language("zh")


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "chinese"),
    [
        ("schedule.csv", "time", "hour", "schedule.csv has no column 'time'", "缺少 'time' 列"),
        ("ledger.csv", "line", "item", "ledger.csv has no column 'line'", "缺少 'line' 列"),
        ("summary.json", "}", "", "cannot be read", "无法读取"),
        (
            "summary.json",
            "{",
            "[{",
            "its summary.json is not one of the planner",
            "不是 planner 写入的",
        ),
        ("schedule.csv", "T00:00", "T00:30", "not one row for each step", "不是一一对应"),
    ],
)
def test_a_broken_file_is_named(
    tmp_path: Path, file: str, old: str, new: str, message: str, chinese: str
) -> None:
    fill_folder(solve({"grid": grid(), "city": load(1)}), tmp_path, ("csv",))
    path = tmp_path / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(PlanError, match=message) as caught:
        read_tables(tmp_path)
    assert chinese in ZH.sentence(caught.value.message)


def test_notes_of_a_simulation_are_read_back_from_their_english_text() -> None:
    table = pd.DataFrame({"policy": ["grid_first", "perfect"], "breaches": [1, 2]})
    notes = SimulationTable(table, {"forecasts": []}, None, None, None, {}, None).notes
    assert [ZH.sentence(str(note)) for note in notes] == [
        "场景没有 `forecast`：预测即为实际值",
        "grid_first、perfect：其利润来自违反约束的运行（见违反的约束数）",
    ]


@pytest.mark.parametrize("index", [None, "time"])
@pytest.mark.parametrize("rows", [0, 1, 6])
def test_a_table_has_the_bytes_that_pandas_writes(
    tmp_path: Path, index: str | None, rows: int
) -> None:
    times = pd.date_range("2026-02-28T23:55:00+05:30", periods=6, freq="5min", name=index)
    table = pd.DataFrame(
        {
            "moment": pd.Series(times[::-1]).where(np.arange(6) != 2).to_numpy(object),
            "number": [0.0, -0.0, 1e-9, 1e16, np.nan, 0.1 + 0.2],
            "large": [np.inf, -1e22, 123456789.123456789, 5e-324, 1.0, 1e15],
            "count": range(6),
            "truth": [True, False] * 3,
            'te,x"t': ["a,b", 'say "x"', "two\nlines", "", " 电池 ", "O'Neill"],
            "missing": pd.Series(["a", None, "", "NaN", "b", "c"], dtype="str"),
        }
    ).set_index(times)
    table["moment"] = pd.DatetimeIndex(table["moment"])
    table = table.iloc[:rows]
    write_csv(table, tmp_path / "ours.csv")
    date_format = "%Y-%m-%dT%H:%M:%S%z"
    table.to_csv(tmp_path / "pandas.csv", index=index is not None, date_format=date_format)
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "pandas.csv").read_bytes()
