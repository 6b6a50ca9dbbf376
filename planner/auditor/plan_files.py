"""The files of a plan folder, read without the planner: plain YAML, JSON and CSV, as they are.

A file that cannot be read at all raises `PlanError` with its name; wrong content of a file that can
be read is a breach, which the other modules find.

The clock of a plan is read with them: its steps, their starts, their local days and months.
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from planner.auditor.findings import Array, Whole
from planner.errors import PlanError, as_written, cause
from planner.message import Message, MessageList

SCENARIO, SERIES, SUMMARY = "scenario.yaml", "series.csv", "summary.json"
SCHEDULE, ALLOCATION, LEDGER = "schedule.csv", "allocation.csv", "ledger.csv"
WHY, PRICES, END_VALUES = "why.csv", "prices.csv", "end_values.csv"
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
    end_values: pd.DataFrame | None = None
    green: pd.DataFrame | None = None

    @property
    def currency(self) -> str:
        """The label of its money, which names of fields and columns call cny."""
        return str(self.scenario.get("currency", "CNY"))


def read_files(folder: Path) -> Files:
    """Read every file of a plan folder.

    Raises:
        PlanError: one is missing or cannot be read.
    """
    if not (folder / SUMMARY).is_file():
        raise PlanError(
            Message("{path} is no plan folder: it has no {name}", path=folder, name=SUMMARY)
        )
    scenario = read_scenario(folder)
    traced = scenario.get("trace") is not False or (folder / GREEN).is_file()
    why = folder / WHY
    return Files(
        folder,
        scenario,
        summary=read_mapping(folder / SUMMARY, json.loads),
        series=read_numbers(folder / SERIES) if (folder / SERIES).is_file() else None,
        schedule=read_numbers(folder / SCHEDULE),
        allocation=read_table(folder / ALLOCATION, "time origin use", mwh=float),
        ledger=read_table(folder / LEDGER, "component line period", cash=bool, amount_cny=float),
        green=read_numbers(folder / GREEN) if traced else None,
        why=read_table(why, "time component decision code reason") if why.is_file() else None,
        prices=_read_values(folder / PRICES),
        end_values=_read_values(folder / END_VALUES),
    )


def _read_values(path: Path) -> pd.DataFrame | None:
    """Read a table of prices; None if there is no such file."""
    if not path.is_file():
        return None
    return read_table(path, "time component quantity index unit", value=float)


def read_scenario(folder: Path) -> Mapping[str, Any]:
    """Read the scenario of a folder; raise `PlanError` where it is missing or cannot be read."""
    return read_mapping(folder / SCENARIO, lambda text: yaml.load(text, Loader=_LOADER))


def columns_of(table: pd.DataFrame) -> dict[str, Array]:
    """Return the columns of a table of numbers by time."""
    numbers = table.drop(columns="time")
    values = np.ascontiguousarray(numbers.to_numpy(float).T)
    return dict(zip(map(str, numbers.columns), values, strict=True))


def as_times(texts: Iterable[Any], path: Path) -> pd.DatetimeIndex:
    """Return times as moments; raise `PlanError` with the name of the file where one is none."""
    written = ["" if text is None else str(text) for text in texts]
    moments = pd.to_datetime(written, format="ISO8601", utc=True, errors="coerce")
    for row in np.flatnonzero(moments.isna()):
        if written[row] not in ("", "nan"):
            text = as_written(written[row])
            raise PlanError(Message("{path}: a time cannot be read: {text}", path=path, text=text))
    return moments.as_unit("us")


def unreadable(path: Path, text: object) -> PlanError:
    """Return the error of a file, or folder, that cannot be read; `text` is why."""
    reason = cause(text) if isinstance(text, Exception) else text
    return PlanError(Message("{path} cannot be read: {text}", path=path, text=reason))


def read_mapping(path: Path, parse: Any) -> Mapping[str, Any]:
    """Read a mapping, of YAML or JSON; raise `PlanError` where it cannot be read."""
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise unreadable(path, error) from None
    if not isinstance(content, Mapping):
        raise unreadable(path, Message("it is not a mapping"))
    return content


def read_table(
    path: Path, texts: str, *, blank: Sequence[str] = (), **numbers: type
) -> pd.DataFrame:
    """Read a table with columns of texts and of numbers; further columns may follow."""
    types = dict.fromkeys(texts.split(), object) | numbers
    try:
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=list(blank))
    except (OSError, ValueError) as error:  # pandas raises ValueError for a text among numbers
        raise unreadable(path, error) from None
    for name in types:
        if name not in table:
            raise unreadable(path, Message("it has no column {name}", name=name))
    return table


def read_numbers(path: Path) -> pd.DataFrame:
    """Read a table of numbers by time; one that is missing is a breach of the audit."""
    table = read_table(path, "time", blank=[""])
    for column, kind in table.dtypes.items():
        if column != "time" and not pd.api.types.is_numeric_dtype(kind):
            message = Message(
                "{path}: column {name} holds something that is not a number", path=path, name=column
            )
            raise PlanError(message)
    return table


@dataclass(frozen=True)
class Source:
    """The scenario file and the series beside it."""

    folder: Path
    steps: int
    columns: Mapping[str, Array]

    def wrong(self, message: Message) -> PlanError:
        """Return the error of the scenario."""
        return PlanError(MessageList(": ", (str(self.folder / SCENARIO), message)))

    def number(self, value: Any, path: str) -> float:
        """Return a value that must be a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(Message("{path} is not a number", path=path))
        return float(value)

    def series(self, value: Any, path: str) -> Array:
        """Return a series: a number, or a column of the file beside the scenario."""
        if not isinstance(value, Mapping):
            return np.full(self.steps, self.number(value, path))
        column: Any = value.get("column")
        if value.get("csv") != SERIES or column not in self.columns:
            raise self.wrong(
                Message("{path} is neither a number nor a column of {name}", path=path, name=SERIES)
            )
        return self.columns[column]


@dataclass(frozen=True)
class Clock:
    """The steps of a plan: their length, and the start of each with its local day and month.

    times, stamps: the starts, to the minute for people and to the second as the ledger writes them.
    zone: of local time.
    """

    step_h: float
    step_min: int
    hours: float
    times: list[str]
    stamps: list[str]
    index: pd.DatetimeIndex
    days: Whole
    months: list[str]
    zone: dt.tzinfo

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.times)

    @property
    def day_times(self) -> list[str]:
        """The start of the first step of each local day."""
        return [self.times[i] for i in np.flatnonzero(np.diff(self.days, prepend=-1))]

    def up(self, hours: float) -> int:
        """Hours as steps, rounded up."""
        return int(np.ceil(hours / self.step_h - 1e-9))

    def down(self, hours: float) -> int:
        """Hours as steps, rounded down."""
        return int(np.floor(hours / self.step_h + 1e-9))


def clock_of(files: Files) -> Clock:
    """Read the clock from the horizon of the scenario. Raises PlanError where it cannot be read."""
    path = files.folder / SCENARIO
    try:
        horizon = files.scenario["horizon"]
        start = horizon["start"]
        first = start if isinstance(start, dt.datetime) else dt.datetime.fromisoformat(str(start))
        hours, step_min = float(horizon["hours"]), int(horizon["step_min"])
        offset = first.utcoffset()
        if offset is None or not (np.isfinite(hours) and step_min > 0):
            raise PlanError(
                Message("{path}: the horizon needs a start with an offset, hours and step_min",
                        path=path)
            )  # fmt: skip
        zone = _zone_of(horizon.get("timezone"), first)
        utc = first.astimezone(dt.UTC)
        length, count = dt.timedelta(minutes=step_min), round(hours * 60 / step_min)
        moments = [(utc + i * length).astimezone(zone) for i in range(count)]
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(
            Message("{path}: the horizon cannot be read: {text}", path=path, text=error)
        ) from None
    dates = [moment.toordinal() for moment in moments]
    return Clock(
        step_h=step_min / 60,
        step_min=step_min,
        hours=hours,
        times=[moment.isoformat(timespec="minutes") for moment in moments],
        stamps=[moment.isoformat() for moment in moments],
        index=pd.date_range(utc, periods=count, freq=f"{step_min}min").as_unit("us"),
        days=np.unique(dates, return_inverse=True)[1].astype(np.int64),
        months=[f"{moment:%Y-%m}" for moment in moments],
        zone=zone,
    )


def _zone_of(name: object, first: dt.datetime) -> dt.tzinfo:
    """Return the zone of local time: that of the name, else the offset of the first moment.

    Raises:
        ValueError: there is no such zone, or the first moment has another offset than its clock.
    """
    offset = first.utcoffset()
    assert offset is not None
    if name is None:
        return dt.timezone(offset)
    try:
        zone = zoneinfo.ZoneInfo(str(name))
    except (OSError, zoneinfo.ZoneInfoNotFoundError):
        message = f"there is no time zone {name}"
        raise ValueError(message) from None
    if first.astimezone(zone).utcoffset() != offset:
        message = f"{first.isoformat()} is no time of {name}"
        raise ValueError(message)
    return zone
