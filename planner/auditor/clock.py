"""The steps of a plan: their length, their starts, their local days and months."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.plan_files import SCENARIO, Files
from planner.errors import PlanError


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
