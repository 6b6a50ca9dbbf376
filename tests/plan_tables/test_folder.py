"""Plan folders that cannot be read, and notes of a simulation, in both languages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from planner.errors import PlanError
from planner.language.language import language
from planner.plan_tables.folder import fill_folder, read_tables
from planner.plan_tables.simulation import SimulationTable
from tests.support.build import grid, load, solve

ZH = language("zh")


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "chinese"),
    [
        ("schedule.csv", "time", "hour", "schedule.csv has no column 'time'", "缺少 'time' 列"),
        ("ledger.csv", "line", "item", "ledger.csv has no column 'line'", "缺少 'line' 列"),
        ("summary.json", "{", "[{", "cannot be read", "无法读取"),
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
    notes = SimulationTable(table, {"forecasts": []}, None, None, None).notes
    assert [ZH.sentence(str(note)) for note in notes] == [
        "场景没有 `forecast`：预测即为实际值",
        "grid_first、perfect：其利润来自违反约束的运行（见违反的约束数）",
    ]
