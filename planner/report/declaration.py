"""The declaration of a plan: what each grid exchanges in each interval, as markets take it in.

A row a step, `time` is the local END of the interval (2026-07-15T00:15 ... 2026-07-15T24:00), a
column `NAME.exchange_mw` per grid, import positive: what is declared where the grid declares, else
what is planned. It reads back as `{csv: ..., column: NAME.exchange_mw, stamp: end}`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.files.output_folder import replace_file

if TYPE_CHECKING:
    from planner.plan_tables.tables import PlanTables
    from planner.scenario.scenario import Scenario

STEPS_MIN = (15, 60)  # 96 or 24 points a day
SUFFIXES = (".csv", ".xlsx")


def check_declaration(scenario: Scenario, path: Path, folder: Path) -> None:
    """Judge, before a solve, whether the plan of a scenario can be declared in a file.

    Args:
        scenario: what will be solved.
        path: the file to write.
        folder: the plan folder, which is replaced whole and may not hold the file.

    Raises:
        ScenarioError: there is no grid, the step is not one of a market, or the file cannot be.
    """
    if problems := list(_problems(scenario, path, folder)):
        raise ScenarioError(problems)


def _problems(scenario: Scenario, path: Path, folder: Path) -> Iterator[Problem]:
    if not _grids(scenario):
        yield Problem("there is no grid whose exchange could be declared", path="--declare")
    step = scenario.horizon.step_min
    if step not in STEPS_MIN:
        said = f"must be 60 for the 24 points of a declaration or 15 for the 96, is {step}"
        yield Problem(said, path="horizon.step_min")
    if path.suffix.lower() not in SUFFIXES:
        said = f"must end in {' or '.join(SUFFIXES)}, is {str(path)!r}"
        yield Problem(said, path="--declare")
    try:
        wrong = unfit(path, folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead back to themselves
        wrong = f"cannot be written: {getattr(error, 'strerror', None) or error}"
    if wrong:
        yield Problem(wrong, path="--declare")


def unfit(path: Path, folder: Path) -> str | None:
    """Return why a file cannot be written; None where it can. The folder is that of a plan."""
    parent = path.absolute().parent
    if path.is_dir():
        return f"{path} is a folder, not a file"
    if not parent.is_dir():
        return f"there is no folder {parent}"
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"{parent} is read-only"
    if path.resolve().is_relative_to(folder.resolve()):
        return f"{path} may not lie in the plan folder, which a new plan replaces whole"
    return None


def write_declaration(plan: PlanTables, path: Path) -> Path:
    """Write the declaration of a plan, whole or not at all, as CSV or as a workbook.

    Raises:
        PlanError: the file cannot be written.
    """
    table = declaration(plan)
    if path.suffix.lower() == ".csv":
        replace_file(path, table.to_csv())
    else:
        buffer = io.BytesIO()
        with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
            table.to_excel(writer, sheet_name="declaration", freeze_panes=(1, 1))
        replace_file(path, buffer.getvalue())
    return path


def declaration(plan: PlanTables) -> pd.DataFrame:
    """Return MW by interval and grid, import positive; the index is the END of the interval."""
    schedule, horizon = plan.schedule, plan.scenario.horizon
    columns = {}
    for name in _grids(plan.scenario):
        into, out = schedule[f"{name}.import_mw"], 0.0 * schedule[f"{name}.import_mw"]
        for column in schedule.columns:
            if column.startswith(f"{name}.export_mw["):
                out = out + schedule[column]
        if f"{name}.declared_import_mw" in schedule:
            into, out = (schedule[f"{name}.declared_{way}_mw"] for way in ("import", "export"))
        columns[f"{name}.exchange_mw"] = ((into - out).round(9) + 0.0).to_numpy()
    return pd.DataFrame(columns, index=pd.Index(_ends(plan, horizon.step_min), name="time"))


def _ends(plan: PlanTables, step_min: int) -> list[str]:
    """Return the local ends of the steps; the last of a day is 24:00 of that day."""
    starts = pd.DatetimeIndex(plan.schedule.index).tz_localize(None)
    ends = [(start, start + pd.Timedelta(minutes=step_min)) for start in starts]
    return [
        f"{start:%Y-%m-%d}T24:00" if end.day != start.day else f"{end:%Y-%m-%dT%H:%M}"
        for start, end in ends
    ]


def _grids(scenario: Scenario) -> list[str]:
    return [name for name, part in scenario.components.items() if part.connection() is not None]
