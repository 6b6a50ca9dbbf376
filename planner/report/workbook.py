"""The schedule as a workbook: one long sheet, and one sheet a day in the layout of declarations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from planner.units import label

if TYPE_CHECKING:
    from planner.language import Language
    from planner.plan import Plan


FORMULA = ("=", "+", "-", "@")


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without control characters."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) else shown


def write_workbook(plan: Plan, path: Path, words: Language) -> None:
    """Write `schedule` (a row a step) and a sheet a day (a row a quantity, a column an interval).

    Intervals of the day sheets are headed by their end, 00:15..24:00, as Chinese day-ahead
    curves are declared.
    """
    schedule = plan.schedule.set_axis([harmless(str(c)) for c in plan.schedule.columns], axis=1)
    local = pd.DatetimeIndex(schedule.index).tz_localize(None)
    step = pd.Timedelta(minutes=plan.scenario.horizon.step_min)
    schedule.index = pd.Index(local, name="time")
    with pd.ExcelWriter(path, engine="openpyxl", datetime_format="yyyy-mm-dd hh:mm") as writer:
        schedule.to_excel(writer, sheet_name="schedule", freeze_panes=(1, 1))
        for day, part in schedule.groupby(local.normalize()):
            ends = [
                "24:00" if end == moment.normalize() + pd.Timedelta(days=1) else f"{end:%H:%M}"
                for moment in part.index
                for end in (moment + step,)
            ]
            sheet = part.set_axis(ends, axis=0).T
            sheet.insert(
                0,
                "label",
                [harmless(words(label(str(column)))) for column in plan.schedule.columns],
            )
            sheet.index.name = "quantity"
            sheet.to_excel(writer, sheet_name=f"{pd.Timestamp(day):%Y-%m-%d}", freeze_panes=(1, 2))
