"""Schedules that are given: a plan's own, recorded operation, a rule of thumb.

A schedule is a table with a row a step, its `time` the start, and any of the columns of a plan's
schedule.csv. An empty cell is not given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, as_written, did_you_mean
from planner.fields import LARGEST
from planner.timeseries.csv_table import CsvTable, read_csv
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

SCHEDULE = "schedule.csv"
VALUE_DECIMALS = 9  # of a plan's schedule: MW, MWh, Mtok, nodes
MOST_TOLD = 5


def read_schedule(path: str | Path, horizon: Horizon) -> pd.DataFrame:
    """Read a schedule from a CSV file, or from the plan folder that holds one.

    Returns:
        The steps of the horizon that the file names, by their starts; every column as floats, NaN
        where a cell is empty. Rows outside the horizon are left out.

    Raises:
        ScenarioError: the file cannot be read, no row lies in the horizon, or a cell is no number.
    """
    path = Path(path)
    path = path / SCHEDULE if path.is_dir() else path
    try:
        table = read_csv(path.parent, path.name, "utf-8", horizon.zone)
        names = [name for name in table.header if name != "time"]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{path.name} has column {twice[0]!r} more than once")
        frame = pd.DataFrame({name: _numbers(table, name) for name in names}, index=table.times)
    except ValueError as error:
        raise ScenarioError([Problem(str(error), path=str(path.parent))]) from None
    return _in_horizon(frame, horizon, str(path))


def checked_schedule(frame: pd.DataFrame, horizon: Horizon, source: str) -> pd.DataFrame:
    """Return a table as `read_schedule` returns a file; times without an offset are local ones.

    Raises:
        ScenarioError: its index holds no times or one twice, no row lies in the horizon, a column
            is there twice, or a cell is no number.
    """
    times, columns, message = frame.index, frame.columns, ""
    if not isinstance(times, pd.DatetimeIndex) or times.hasnans:
        message = "must be indexed by the starts of steps, such as horizon.starts"
        raise ScenarioError([Problem(message, file=source)])
    if not times.is_unique:
        message = f"has {times[times.duplicated()][0].isoformat()} more than once"
    elif not columns.is_unique:
        message = f"has column {str(columns[columns.duplicated()][0])!r} more than once"
    if message:
        raise ScenarioError([Problem(message, file=source)])
    zone = horizon.zone
    local = times.tz_localize(zone) if times.tz is None else times.tz_convert(zone)
    cells = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in frame}
    for name, values in cells.items():
        wrong = np.flatnonzero((np.isnan(values) & frame[name].notna()) | (abs(values) > LARGEST))
        if wrong.size:
            is_, at = as_written(frame[name].iloc[wrong[0]]), local[wrong[0]].isoformat()
            message = f"must be a number within {LARGEST:g} in size or empty, is {is_} at {at}"
            raise ScenarioError([Problem(message, str(name), source)])
    return _in_horizon(pd.DataFrame(cells, index=local), horizon, source)


def _in_horizon(frame: pd.DataFrame, horizon: Horizon, source: str) -> pd.DataFrame:
    """Return the rows of the horizon. Raises ScenarioError: there are none, or one is no step."""
    inside = frame.index.isin(horizon.starts)
    first, last = horizon.starts[0], horizon.starts[-1]
    strange = (frame.index >= first) & (frame.index <= last) & ~inside
    if strange.any():
        at = int(np.flatnonzero(strange)[0])
        message = f"is no start of a {horizon.step_min} min step of the scenario"
        problem = Problem(f"{frame.index[at].isoformat()} {message}", file=source)
        raise ScenarioError([problem])
    if not inside.any():
        message = f"no row lies in the horizon, {first.isoformat()} to {last.isoformat()}"
        raise ScenarioError([Problem(message, file=source)])
    rows = frame[inside]
    rows.index = pd.DatetimeIndex(rows.index, name="time").as_unit(horizon.starts.unit)
    return rows


def _numbers(table: CsvTable, name: str) -> Array:
    values = table.column(name)
    for row in np.flatnonzero(np.isnan(values) | (abs(values) > LARGEST)).tolist():
        if table.cell(name, row):
            message = f"{name} must be a number or empty, is {table.given(name, row)}"
            raise ValueError(f"{table.name}:{table.lines[row]}: {message}")
    return values


def require_columns(frame: pd.DataFrame, known: Collection[str], source: str) -> None:
    """Raise unless every column of a schedule is one of those known.

    Raises:
        ScenarioError: with every column that is not.
    """
    strange = [str(name) for name in frame.columns if name not in known]
    problems = [
        Problem(
            f"is no column of this scenario's schedule{did_you_mean(name, known)}", name, source
        )
        for name in strange[:MOST_TOLD]
    ]
    if len(strange) > MOST_TOLD:
        problems.append(Problem(f"{len(strange)} columns are not of this scenario", file=source))
    if problems:
        raise ScenarioError(problems)


def columns_of(table: pd.DataFrame, name: str) -> dict[str, Array]:
    """Return the columns of one component, without its name."""
    start = f"{name}."
    return {
        str(column).removeprefix(start): table[column].to_numpy()
        for column in table.columns
        if str(column).startswith(start)
    }


def without_counters(table: pd.DataFrame, components: Mapping[str, Any]) -> pd.DataFrame:
    """Return a schedule of several windows as it can be settled: without what each counts anew."""
    counters = {f"{name}.{column}" for name in components for column in components[name].counters}
    return table.drop(columns=[column for column in table.columns if column in counters])
