"""Pins part of a schedule in a program; the rest stays free.

A column of a variable is pinned by its bounds, one of an expression by a row of its own. A value
outside the bounds of its column is noted as a misfit, and the bounds give way to it, so that the
rest of the schedule can still be checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.solver.program import Indices, Program
from planner.timeseries.series import Array

VALUE_TOLERANCE = 1e-6  # relative: values that differ by less are equal


@dataclass(frozen=True)
class Misfit:
    """A pinned value outside the bounds of its column, `low` to `high`."""

    column: str
    step: int
    value: float
    low: float
    high: float

    @property
    def component(self) -> str:
        """The component of the column."""
        return self.column.partition(".")[0]

    @property
    def distance(self) -> float:
        """How far the value is outside the bounds."""
        return max(self.low - self.value, self.value - self.high)


@dataclass(frozen=True)
class Pinned:
    """A program with part of its schedule pinned.

    misfits: the pinned values that do not fit; the program has their values all the same.
    columns: the columns of the program that are pinned.
    """

    program: Program
    misfits: tuple[Misfit, ...] = ()
    columns: frozenset[int] = frozenset()


def pin(program: Program, schedule: pd.DataFrame, tolerance: float = 0.0) -> Pinned:
    """Pin every value of a schedule within a tolerance.

    Args:
        program: what is to be solved.
        schedule: columns of the schedule by the starts of steps; NaN is free, steps outside the
            program's window are left out.
        tolerance: how far a value may move, in its own unit.
    """
    step_places = program.times.get_indexer(pd.DatetimeIndex(schedule.index))
    table = schedule[step_places >= 0]
    step_places = step_places[step_places >= 0]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    misfits: list[Misfit] = []
    pinned: set[int] = set()
    integer = program.all_integer
    by_report: list[tuple[str, int, int, float]] = []
    for name in map(str, table.columns):
        values = table[name].to_numpy(dtype=float)
        for place, value in zip(step_places.tolist(), values.tolist(), strict=True):
            if value != value:
                continue
            step = place + program.window.first
            if name not in program.schedule:
                by_report.append((name, step, int(program.schedule_rows[name][place]), value))
                continue
            index, constant = program.schedule[name]
            column = int(index[place])
            low, high = (
                (lower[column], upper[column])
                if column >= 0
                else (constant[place], constant[place])
            )
            slack = tolerance + VALUE_TOLERANCE * max(1.0, abs(value))
            fits = low - slack <= value <= high + slack
            if column >= 0 and integer[column]:
                fits &= abs(value - round(value)) <= slack
                nearest, room = float(round(value)), 0.0
            else:
                nearest, room = float(min(max(value, low), high)) if fits else value, tolerance
            if not fits:
                misfits.append(Misfit(name, step, value, float(low), float(high)))
            if column >= 0:
                pinned.add(column)
                least, most = (low, high) if fits else (value, value)
                lower[column] = max(nearest - room, min(least, nearest))
                upper[column] = min(nearest + room, max(most, nearest))
    bounded = program.with_bounds(slice(None), lower, upper)
    rows, values = _rows(bounded, by_report, misfits, tolerance)
    if rows.size:
        rest = values - program.report_offset[rows]
        bounded = bounded.with_rows(program.reports[rows], rest - tolerance, rest + tolerance)
    return Pinned(bounded, tuple(misfits), frozenset(pinned))


def _rows(
    program: Program,
    by_report: list[tuple[str, int, int, float]],
    misfits: list[Misfit],
    tolerance: float,
) -> tuple[Indices, Array]:
    """Return the report rows to be pinned and their values; rows of fixed columns are compared."""
    free = program.column_upper - program.column_lower > 2 * tolerance + VALUE_TOLERANCE
    middle = np.zeros(len(free))
    middle[~free] = (program.column_lower[~free] + program.column_upper[~free]) / 2
    rows, values = [], []
    for name, step, row, value in by_report:
        part = slice(program.reports.indptr[row], program.reports.indptr[row + 1])
        columns = program.reports.indices[part]
        if free[columns].any():
            rows.append(row)
            values.append(value)
            continue
        weights = program.reports.data[part]
        reported = float(weights @ middle[columns] + program.report_offset[row])
        slack = tolerance * (1 + np.abs(weights).sum())
        slack += 10 * VALUE_TOLERANCE * max(1.0, abs(value))
        if abs(reported - value) > slack:
            misfits.append(Misfit(name, step, value, reported, reported))
    return np.array(rows, dtype=np.int64), np.array(values, dtype=float)
