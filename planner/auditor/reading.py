"""What the files of a plan folder mean: clock, origins, components and their columns.

A line of the ledger as it should be, and the one that pays a price for a flow in every step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import Array
from planner.auditor.plan_files import ALLOCATION, SCENARIO, SCHEDULE, SERIES, Files, as_times
from planner.errors import PlanError

TRACED, POOLED = ("renewable", "thermal", "grid"), ("pooled",)


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


class Part:
    """A component: its fields as the scenario resolves them, its columns of the schedule."""

    def __init__(self, name: str, data: Mapping[str, Any], source: Source) -> None:
        self.name = name
        self._data = data
        self._source = source
        self.columns: dict[str, Array] = {}
        self.kind = str(data.get("kind"))

    def __getitem__(self, field: str) -> Any:
        """Return a field as the scenario has it."""
        if field not in self._data:
            raise self._source.wrong(f"components.{self.name}.{field} is missing")
        return self._data[field]

    def number(self, field: str) -> float:
        """Return a field that is a number."""
        return self._source.number(self[field], f"components.{self.name}.{field}")

    def series(self, field: str) -> Array:
        """Return a field that changes over time; shape (steps,)."""
        return self._source.series(self[field], f"components.{self.name}.{field}")

    def under(self, *path: str) -> Part:
        """Return the mapping at a path below this one, to read its fields."""
        found: Any = self._data
        where = ".".join((self.name, *path))
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise self._source.wrong(f"components.{where} is missing, or no mapping")
        return Part(where, found, self._source)

    def rows(self, field: str) -> list[Part]:
        """Return a field that is a list of mappings."""
        where, items = f"{self.name}.{field}", self[field]
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self._source.wrong(f"components.{where} is no list of mappings")
        return [Part(f"{where}[{i}]", item, self._source) for i, item in enumerate(items)]

    @property
    def fields(self) -> list[str]:
        """The names of its fields."""
        return [str(key) for key in self._data]

    def by_origin(self, path: str, origin: str) -> Array | None:
        """Return a field that is a series, or one for each origin; None where it gives none."""
        given = self[path]
        if isinstance(given, Mapping) and "csv" not in given:
            given = given.get(origin)
            if given is None:
                return None
        return self._source.series(given, f"components.{self.name}.{path}")

    def column(self, quantity: str, *index: object) -> Array:
        """Return a column of the schedule: charge_mw, grid is battery.charge_mw[grid]."""
        return self.columns[column_of(quantity, *index)]

    def total(self, quantity: str) -> Array | float:
        """Return the sum of the columns of a quantity over its index; 0.0 where there is none."""
        parts = [self.columns[name] for name in self.columns if name.startswith(f"{quantity}[")]
        return np.sum(parts, axis=0) if parts else 0.0


def column_of(quantity: str, *index: object) -> str:
    """Return the name of a column after that of its component: nodes[small|2500]."""
    return f"{quantity}[{'|'.join(map(str, index))}]" if index else quantity


@dataclass(frozen=True)
class Source:
    """The scenario file and the series beside it."""

    folder: Path
    steps: int
    table: pd.DataFrame | None

    def wrong(self, message: str) -> PlanError:
        """Return the error that says what is wrong with the scenario."""
        return PlanError(f"{self.folder / SCENARIO}: {message}")

    def number(self, value: Any, where: str) -> float:
        """Return a value that must be a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(f"{where} is no number")
        return float(value)

    def series(self, value: Any, where: str) -> Array:
        """Return a series: a number, or a column of the file beside the scenario."""
        if not isinstance(value, Mapping):
            return np.full(self.steps, self.number(value, where))
        column = value.get("column")
        if value.get("csv") != SERIES or self.table is None or column not in self.table:
            raise self.wrong(f"{where} is neither a number nor a column of {SERIES}")
        return np.asarray(self.table[column], dtype=float)


@dataclass(frozen=True)
class Plan:
    """A plan as it lies in its folder, its components in the order of the scenario."""

    files: Files
    clock: Clock
    origins: tuple[str, ...]
    parts: dict[str, Part]

    @property
    def relaxed(self) -> bool:
        """Whether the plan is only that of the LP relaxation."""
        return self.files.summary.get("status") == "relaxed"

    def of_kind(self, *kinds: str) -> list[Part]:
        """Return the components of some kinds."""
        return [part for part in self.parts.values() if part.kind in kinds]

    @cached_property
    def allocation_steps(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The step of every row of the allocation, from 0 on, or -1 where it is none."""
        texts = pd.Index(self.files.allocation["time"])
        unique = texts.unique()
        steps = self.clock.index.get_indexer(as_times(unique, self.files.folder / ALLOCATION))
        rows: np.ndarray[Any, np.dtype[np.int64]] = np.asarray(steps)[unique.get_indexer(texts)]
        return rows

    def wrong(self, message: str) -> PlanError:
        """Return the error that says what is wrong with the scenario."""
        return PlanError(f"{self.files.folder / SCENARIO}: {message}")

    def origin(self, source: str) -> str:
        """Return the origin under which energy from a source is followed."""
        return source if self.origins == TRACED else POOLED[0]


def understand(files: Files) -> Plan:
    """Give the files their meaning: the clock, the origins, the components and their columns.

    Raises:
        PlanError: the scenario leaves out what an audit needs.
    """
    clock = _clock(files)
    series = files.series
    if series is not None:
        beside = files.folder / SERIES
        if not as_times(series["time"], beside).equals(clock.index):
            raise PlanError(f"{beside}: its times are not those of the horizon")
    source = Source(files.folder, clock.steps, series)
    components = files.scenario.get("components")
    if not isinstance(components, Mapping) or not components:
        raise source.wrong("components is missing")
    parts = {}
    for name, data in components.items():
        if not isinstance(data, Mapping):
            raise source.wrong(f"components.{name} is no mapping")
        parts[str(name)] = Part(str(name), data, source)
    schedule = files.schedule.drop(columns="time")
    for column, numbers in zip(schedule.columns, schedule.to_numpy(float).T, strict=True):
        name, _, quantity = str(column).partition(".")
        if name in parts:
            parts[name].columns[quantity] = np.ascontiguousarray(numbers)
    traced = files.scenario.get("trace")
    if not isinstance(traced, bool):
        raise source.wrong("trace is neither true nor false")
    return Plan(files, clock, TRACED if traced else POOLED, parts)


def schedule_times(plan: Plan) -> pd.DatetimeIndex:
    """Return the times of the schedule, in the offset of the horizon."""
    return as_times(plan.files.schedule["time"], plan.files.folder / SCHEDULE)


def _clock(files: Files) -> Clock:
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


ONCE = "horizon"


@dataclass(frozen=True)
class Line:
    """A line of the ledger as it should be; `price` is the largest, for the tolerance."""

    component: str
    name: str
    amounts: Array
    periods: Sequence[str]
    price: float = 0.0
    cash: bool = True


def by_step(
    plan: Plan, part: Part, name: str, price: Array | float, flow: Array, *, cash: bool = True
) -> Line:
    """Return a line that pays a price for a flow in every step; negative prices are costs."""
    rate = np.asarray(price, dtype=float) * plan.clock.step_h
    largest = float(np.abs(rate).max())
    return Line(part.name, name, rate * flow, plan.clock.stamps, largest, cash)
