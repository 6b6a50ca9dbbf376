"""Schedules that are read: a plan's own, recorded operation, a rule of thumb.

A schedule is a table with a row a step, its `time` the start, and any of the columns of a plan's
schedule.csv, or sums of them as meters show. An empty cell fixes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, as_written, did_you_mean, wrong
from planner.fields import LARGEST, FieldError
from planner.local_time import localised
from planner.message import Message
from planner.timeseries.csv_table import CsvTable, read_csv
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

SCHEDULE = "schedule.csv"
VALUE_DECIMALS = 9  # of a plan's schedule: MW, MWh, Mtok, nodes
MAX_UNKNOWN = 5  # columns that one message lists
NUMBER_OR_EMPTY = Message("must be a number within {most:g} in size or empty", most=LARGEST)


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
        table = read_csv(path.parent, path.name, None, horizon.zone)
        cells = {name: _numbers(table, name) for name in table.header if name != "time"}
        frame = pd.DataFrame(cells, index=table.times)
    except FieldError as error:
        folder = "" if path.parent == Path() else str(path.parent)
        problems = [Problem(one.message, folder) for one in (error, *error.others)]
        raise ScenarioError(problems) from None
    return _in_horizon(frame, horizon, str(path))


def checked_schedule(frame: pd.DataFrame, horizon: Horizon, source: str) -> pd.DataFrame:
    """Return a table as `read_schedule` returns a file; times without an offset are local ones.

    Raises:
        ScenarioError: its index holds no times or one twice, no row lies in the horizon, a column
            is there twice, or a cell is no number.
    """
    times, columns = frame.index, frame.columns
    if not isinstance(times, pd.DatetimeIndex) or times.hasnans:
        message = Message("must be indexed by the starts of steps, such as horizon.starts")
        raise wrong("", message, file=source)
    if not columns.is_unique:
        twice = str(columns[columns.duplicated()][0])
        raise wrong("", Message("has column {name!r} more than once", name=twice), file=source)
    zone = horizon.zone

    def at_row(_: int, message: Message) -> ScenarioError:
        return wrong("", message, file=source)

    local = localised(times, zone, at_row) if times.tz is None else times.tz_convert(zone)
    if not local.is_unique:
        time = local[local.duplicated()][0].isoformat()
        raise wrong("", Message("has {time} more than once", time=time), file=source)
    cells = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in frame}
    for name, values in cells.items():
        bad = np.flatnonzero((np.isnan(values) & frame[name].notna()) | (abs(values) > LARGEST))
        if bad.size:
            message = Message(
                "{sentence}, is {text} at {when}",
                sentence=NUMBER_OR_EMPTY,
                text=as_written(frame[name].iloc[bad[0]]),
                when=local[bad[0]].isoformat(),
            )
            raise wrong(str(name), message, file=source)
    return _in_horizon(pd.DataFrame(cells, index=local), horizon, source)


def _in_horizon(frame: pd.DataFrame, horizon: Horizon, source: str) -> pd.DataFrame:
    """Return the rows in the horizon. Raises ScenarioError where none is, or one is no step."""
    inside = frame.index.isin(horizon.starts)
    first, last = horizon.starts[0], horizon.starts[-1]
    if len(frame) and (frame.index[0], frame.index[-1]) == (
        horizon.end_of(1),
        horizon.end_of(horizon.steps),
    ):
        message = Message(
            "its rows, {first} to {last}, seem to name the ends of the steps; a schedule names"
            " their starts, {start} to {end}. If they are starts, leave out the last, which lies"
            " after the horizon",
            first=frame.index[0].isoformat(),
            last=frame.index[-1].isoformat(),
            start=first.isoformat(),
            end=last.isoformat(),
        )
        raise wrong("", message, file=source)
    between = (frame.index >= first) & (frame.index <= last) & ~inside
    if between.any():
        message = Message(
            "{time} is not the start of a {minutes} min step of the scenario",
            time=frame.index[int(np.flatnonzero(between)[0])].isoformat(),
            minutes=horizon.step_min,
        )
        raise wrong("", message, file=source)
    if not inside.any():
        message = Message(
            "no row lies in the horizon, {first} to {last}",
            first=first.isoformat(),
            last=last.isoformat(),
        )
        raise wrong("", message, file=source)
    rows = frame[inside]
    rows.index = pd.DatetimeIndex(rows.index, name="time").as_unit(horizon.starts.unit)
    return rows


def _numbers(table: CsvTable, name: str) -> Array:
    values = table.column(name)
    wrong = np.flatnonzero(np.isnan(values) | (abs(values) > LARGEST)).tolist()
    if rows := [row for row in wrong if table.cell(name, row)]:
        raise table.wrong_cells(name, rows, NUMBER_OR_EMPTY)
    return values


def require_columns(
    frame: pd.DataFrame, known: Collection[str], sums: Collection[str], source: str
) -> None:
    """Raise unless every column of a schedule is one of those known or a sum of them.

    Raises:
        ScenarioError: with the first columns that are not.
    """
    accepted = [*known, *sums]
    unknown = [str(name) for name in frame.columns if name not in accepted]
    totals = [name for name in sums if not any(k.startswith(f"{name}[") for k in known)]
    problems = []
    for name in unknown[:MAX_UNKNOWN]:
        hint = did_you_mean(name, accepted)
        message = Message("is not a column of this scenario's schedule{hint}", hint=hint)
        if name == max(unknown[:MAX_UNKNOWN]):  # the last that is listed
            message = Message(
                "is not a column of this scenario's schedule; accepted are those of schedule.csv,"
                " the same without [...] as the sum over it, and {names}{hint}",
                names=", ".join(totals) or Message("none"),
                hint=hint,
            )
        problems.append(Problem(message, name, source))
    if len(unknown) > MAX_UNKNOWN:
        message = Message("{count} columns are not of this scenario", count=len(unknown))
        problems.append(Problem(message, file=source))
    if problems:
        raise ScenarioError(problems)


def columns_of(table: pd.DataFrame, name: str) -> dict[str, Array]:
    """Return the schedule columns of one component, without its name."""
    return columns_by_component(table).get(name, {})


def columns_by_component(table: pd.DataFrame) -> dict[str, dict[str, Array]]:
    """Return the schedule columns of every component, without its name."""
    columns: dict[str, dict[str, Array]] = {}
    for column, values in zip(table.columns, table.to_numpy().T, strict=True):
        name, _, quantity = str(column).partition(".")
        columns.setdefault(name, {})[quantity] = values
    return columns


def without_counters(table: pd.DataFrame, components: Mapping[str, Any]) -> pd.DataFrame:
    """Return a schedule of several windows without the columns that every window starts anew."""
    counters = {f"{name}.{column}" for name in components for column in components[name].counters}
    return table.drop(columns=[column for column in table.columns if column in counters])


def later(values: Mapping[str, Array], window: Window) -> dict[str, Array]:
    """Return the part of a component's schedule columns after a window."""
    return {name: column[window.last :] for name, column in values.items()}
