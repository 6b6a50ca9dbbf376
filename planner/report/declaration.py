"""The declaration of a plan: the exchange of each grid in each interval, as markets read it.

One row a step; `time` is the local END of the interval (2026-07-15T00:15 ... 2026-07-15T24:00),
with its offset where the clock changes within the horizon: days of 23 and 25 hours have 92 and 100
points of 15 min. One column `NAME.exchange_mw` a grid, import positive: the declared exchange where
the grid declares, else the planned one. The file can be read as `{csv: ..., column:
NAME.exchange_mw, stamp: end}`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from planner.errors import Problem, ScenarioError, cause
from planner.files.output_folder import replace_file
from planner.local_time import end_texts, occurs_twice
from planner.message import Message, MessageList

if TYPE_CHECKING:
    from planner.plan_tables.tables import PlanTables
    from planner.scenario.scenario import Scenario

STEPS_MIN = (15, 60)  # 96 or 24 points a day
SUFFIXES = (".csv", ".xlsx")


def check_declaration(scenario: Scenario, path: Path, folder: Path) -> None:
    """Check before a solve that its plan can be declared in a file.

    `folder` is the plan folder, which is replaced as a whole and may not hold the file.

    Raises:
        ScenarioError: there is no grid, no market has such steps, or the file cannot be written.
    """
    if problems := list(_problems(scenario, path, folder)):
        raise ScenarioError(problems)


def _problems(scenario: Scenario, path: Path, folder: Path) -> Iterator[Problem]:
    if not _grids(scenario):
        yield Problem(Message("there is no grid whose exchange could be declared"), "--declare")
    if (step := scenario.horizon.step_min) not in STEPS_MIN:
        message = Message(
            "must be 60 for the 24 points of a declaration or 15 for the 96, is {step}", step=step
        )
        yield Problem(message, "horizon.step_min")
    for message in unwritable(path, SUFFIXES, [folder]):
        yield Problem(message, "--declare")


def unwritable(path: Path, suffixes: Sequence[str], folders: Sequence[Path]) -> list[Message]:
    """Return the reasons why a file cannot be written; plan folders may not hold it."""
    messages = []
    if path.suffix.lower() not in suffixes:
        names = MessageList(" or ", suffixes)
        messages.append(Message("must end in {names}, is {path!r}", names=names, path=str(path)))
    try:
        messages.extend(_place_problems(path, folders))
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead back to themselves
        messages.append(Message("cannot be written: {text}", text=cause(error)))
    return messages


def _place_problems(path: Path, folders: Sequence[Path]) -> Iterator[Message]:
    """Yield the first reason why a file cannot lie where its path leads.

    A folder that is made with that of the plan need not exist yet.
    """
    parent = path.absolute().parent
    if path.is_dir():
        yield Message("{path} is a folder, not a file", path=path)
    elif path.exists() and not path.is_file():
        yield Message("{path} is a device or a pipe, not a file", path=path)
    elif any(path.resolve().is_relative_to(folder.resolve()) for folder in folders):
        yield Message(
            "{path} may not lie in the plan folder, which a new plan replaces whole", path=path
        )
    elif not parent.exists() and any(_is_above(parent, folder) for folder in folders):
        return
    elif not parent.is_dir():
        yield Message("there is no folder {path}", path=parent)
    elif not os.access(parent, os.W_OK | os.X_OK):
        yield Message("{path} is read-only", path=parent)


def _is_above(parent: Path, folder: Path) -> bool:
    return folder.resolve().parent.is_relative_to(parent.resolve())


def write_declaration(plan: PlanTables, path: Path) -> Path:
    """Write the declaration of a plan as CSV or as a workbook, in one piece.

    Raises:
        PlanError: the file cannot be written.
    """
    table = declaration(plan)
    replace_file(path, table.to_csv() if path.suffix.lower() == ".csv" else _workbook(table))
    return path


def _workbook(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="xlsxwriter") as writer:
        table.to_excel(writer, sheet_name="declaration", freeze_panes=(1, 1))
    return buffer.getvalue()


def declaration(plan: PlanTables) -> pd.DataFrame:
    """Return MW by interval and grid, import positive; the index is the END of each interval."""
    schedule = plan.schedule
    columns = {}
    for name in _grids(plan.scenario):
        if f"{name}.declared_import_mw" in schedule:
            into, out = (schedule[f"{name}.declared_{way}_mw"] for way in ("import", "export"))
        else:
            into = schedule[f"{name}.import_mw"]
            sold = [part for part in map(str, schedule) if part.startswith(f"{name}.export_mw[")]
            out = sum((schedule[part] for part in sold), 0.0 * into)
        columns[f"{name}.exchange_mw"] = ((into - out).round(9) + 0.0).to_numpy()
    return pd.DataFrame(columns, index=pd.Index(_ends(plan), name="time"))


def _ends(plan: PlanTables) -> list[str]:
    """Return the local ends of the steps; the last of a day is 24:00 of that day.

    Where the clock changes, or shows one of them twice, they have the offset of their step.
    """
    horizon = plan.scenario.horizon
    starts = pd.DatetimeIndex(plan.schedule.index)
    ends = end_texts(starts, horizon.step_min)
    twice = horizon.clock_changes or any(
        map(occurs_twice, (*starts, horizon.end_of(horizon.steps)))
    )
    return [
        f"{start:%Y-%m-%d}T{end}{start.isoformat()[-6:] if twice else ''}"
        for start, end in zip(starts, ends, strict=True)
    ]


def _grids(scenario: Scenario) -> list[str]:
    return [name for name, part in scenario.components.items() if part.connection() is not None]
