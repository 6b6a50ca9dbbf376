"""Reading the files of a plan folder without the planner: plain YAML, JSON and CSV, as they are.

What cannot be read at all raises `PlanError` with the name of the file; what can be read but says
something that may not be is a breach, and found by the other modules.

The clock of a plan is read with them: its steps, their starts, their local days and months.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from planner.errors import PlanError

SCENARIO, SERIES, SUMMARY = "scenario.yaml", "series.csv", "summary.json"
SCHEDULE, ALLOCATION, LEDGER = "schedule.csv", "allocation.csv", "ledger.csv"
WHY, PRICES = "why.csv", "prices.csv"
GREEN = "green.csv"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Files:
    """The content of a plan folder."""

    folder: Path
    scenario: Mapping[str, Any]
    series: pd.DataFrame | None
    schedule: pd.DataFrame
    allocation: pd.DataFrame
    ledger: pd.DataFrame
    summary: Mapping[str, Any]
    why: pd.DataFrame | None = None
    prices: pd.DataFrame | None = None
    green: pd.DataFrame | None = None


def read_files(folder: Path) -> Files:
    """Read every file of a plan folder.

    Raises:
        PlanError: one is missing or cannot be read.
    """
    if not (folder / SUMMARY).is_file():
        raise PlanError(f"{folder} is no plan folder: it has no {SUMMARY}")
    scenario = read_scenario(folder)
    summary = _mapping(folder / SUMMARY, json.loads)
    series = _table(folder / SERIES, {"time": object}) if (folder / SERIES).is_file() else None
    schedule = _table(folder / SCHEDULE, {"time": object})
    words: dict[str, type] = dict.fromkeys(("time", "origin", "use"), object)
    allocation = _table(folder / ALLOCATION, words | {"mwh": float})
    words = dict.fromkeys(("component", "line", "period"), object)
    ledger = _table(folder / LEDGER, words | {"cash": bool, "amount_cny": float})
    traced = scenario.get("trace") is not False or (folder / GREEN).is_file()
    green = _table(folder / GREEN, {"time": object}) if traced else None
    for path, numbers in (
        (folder / SERIES, series),
        (folder / SCHEDULE, schedule),
        (folder / GREEN, green),
    ):
        if numbers is not None:
            _require_numbers(numbers, path)
    words = dict.fromkeys(("time", "component", "decision", "code", "reason"), object)
    why = _table(folder / WHY, words) if (folder / WHY).is_file() else None
    words = dict.fromkeys(("time", "component", "quantity", "index", "unit"), object)
    words |= {"value": float}
    prices = _table(folder / PRICES, words) if (folder / PRICES).is_file() else None
    return Files(
        folder, scenario, series, schedule, allocation, ledger, summary, why, prices, green
    )


def read_scenario(folder: Path) -> Mapping[str, Any]:
    """Read the scenario of a folder; raise `PlanError` where it is missing or cannot be read."""
    return _mapping(folder / SCENARIO, lambda text: yaml.load(text, Loader=_LOADER))


def groups(table: pd.DataFrame, first: str, second: str) -> dict[tuple[str, str], Any]:
    """Return the row numbers of every pair of values of two columns, in order of appearance."""
    if table.empty:
        return {}
    (a, a_values), (b, b_values) = (pd.factorize(table[column]) for column in (first, second))
    pair = a * len(b_values) + b
    rows = np.argsort(pair, kind="stable")
    parts = np.split(rows, np.flatnonzero(np.diff(pair[rows])) + 1)
    parts.sort(key=lambda part: int(part[0]))
    return {(a_values[a[part[0]]], b_values[b[part[0]]]): part for part in parts}


def sums(table: pd.DataFrame, first: str, second: str, of: str) -> dict[tuple[str, str], float]:
    """Return the sum of a column for every pair of values of two others."""
    amounts = table[of].to_numpy(float)
    return {pair: float(amounts[rows].sum()) for pair, rows in groups(table, first, second).items()}


def as_times(texts: Any, path: Path) -> pd.DatetimeIndex:
    """Return times as moments; raise `PlanError` with the name of the file where one is none."""
    try:
        return pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", utc=True)).as_unit("us")
    except (ValueError, TypeError) as error:
        raise PlanError(f"{path}: a time cannot be read: {error}") from None


def _mapping(path: Path, parse: Any) -> Mapping[str, Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, Mapping):
        raise PlanError(f"{path} cannot be read: it is no mapping")
    return found


def _table(path: Path, needed: Mapping[str, type]) -> pd.DataFrame:
    try:
        empty = [""] if len(needed) == 1 else []  # a number that is missing is for the audit to say
        table = pd.read_csv(path, dtype=dict(needed), keep_default_na=False, na_values=empty)
    except (OSError, ValueError) as error:  # pandas raises ValueError for a text among numbers
        raise PlanError(f"{path} cannot be read: {error}") from None
    missing = [name for name in needed if name not in table]
    if missing:
        raise PlanError(f"{path} cannot be read: it has no column {missing[0]}")
    return table


def _require_numbers(table: pd.DataFrame, path: Path) -> None:
    for column, kind in table.dtypes.drop("time").items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise PlanError(f"{path}: column {column} holds something that is no number")


@dataclass(frozen=True)
class Clock:
    """The steps of a plan: their length, and the start of each with its local day and month.

    times, stamps: the starts, to the minute for people and to the second as the ledger writes them.
    """

    step_h: float
    step_min: int
    hours: float
    times: list[str]
    stamps: list[str]
    index: pd.DatetimeIndex
    days: np.ndarray[Any, np.dtype[np.int64]]
    months: list[str]

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.times)

    def up(self, hours: float) -> int:
        """Hours as steps, rounded up."""
        return int(np.ceil(hours / self.step_h - 1e-9))

    def down(self, hours: float) -> int:
        """Hours as steps, rounded down."""
        return int(np.floor(hours / self.step_h + 1e-9))


def clock_of(files: Files) -> Clock:
    """Read the clock off the horizon of the scenario; raise `PlanError` where it cannot be."""
    where = files.folder / SCENARIO
    try:
        horizon = files.scenario["horizon"]
        start = horizon["start"]
        first = start if isinstance(start, dt.datetime) else dt.datetime.fromisoformat(str(start))
        hours, step_min = float(horizon["hours"]), int(horizon["step_min"])
        offset = first.utcoffset()
        if offset is None or not (np.isfinite(hours) and step_min > 0):
            raise ValueError("a start with an offset, hours and step_min are needed")
        steps = round(hours * 60 / step_min)
        index = pd.date_range(
            pd.Timestamp(first).tz_convert(dt.timezone(offset)),
            periods=steps,
            freq=f"{step_min}min",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"{where}: the horizon cannot be read: {error}") from None
    local = index.tz_localize(None)
    return Clock(
        step_h=step_min / 60,
        step_min=step_min,
        hours=hours,
        times=[moment.isoformat(timespec="minutes") for moment in index],
        stamps=[moment.isoformat() for moment in index],
        index=pd.DatetimeIndex(index.tz_convert("UTC")).as_unit("us"),
        days=np.asarray(local.normalize().factorize()[0], dtype=np.int64),
        months=[f"{moment:%Y-%m}" for moment in local],
    )
