"""Pins part of a schedule in a program; the rest stays free.

A value of a variable is pinned by the bounds of its column; one of an expression or of a sum (a
meter total, a quantity without its index) by a row of its own. A value outside the bounds of its
column is noted as a misfit, and the bounds give way to it, so that the rest of the schedule can
still be checked.

Values that contradict each other or a rule by their rounding are moved, before money counts, by the
least sum

    moved = sum of weight |moved value - given value|        each within the tolerance

The weight makes it a sum in MW: `MW_OF` a unit, so a MWh counts as the power that it is over a step,
a node as 10 kW, a Mtok/h as 1 kW. Switches and counts of an integer are never moved.
"""  # noqa: E501

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from planner.solver.elastic import least_miss
from planner.solver.meter_totals import Sum, sums_of
from planner.solver.program import Flags, Indices, Program
from planner.solver.rounds import InfeasibleProgramError, optimise
from planner.solver.solution import Solution
from planner.timeseries.series import Array
from planner.units import unit

VALUE_TOLERANCE = 1e-6  # relative: values that differ by less are equal
MIN_MOVE = 1e-9  # a smaller move is the solver's rounding
MOVE_PRECISION = 1e-9  # of the sum of moves, MW
MW_OF = {  # what a unit counts as in the sum of moves; energy as its power over a step
    "MW": 1.0, "kW": 1e-3, "MWh": 1.0, None: 1e-2, "Mtok/h": 1e-3, "Mtok": 1e-3, "GJ/h": 0.1,
    "tCO2": 1.0,
}  # fmt: skip
OVER_A_STEP = {"MWh", "Mtok", "tCO2"}
OTHER_UNIT_MW = 1e-3


@dataclass(frozen=True)
class Misfit:
    """A pinned value that its column or row cannot take: it may be `low` to `high`.

    columns: the columns of the program that it is a value of.
    """

    column: str
    step: int
    value: float
    low: float
    high: float
    columns: frozenset[int] = frozenset()

    @property
    def component(self) -> str:
        """The component of the column."""
        return self.column.partition(".")[0]

    @property
    def distance(self) -> float:
        """How far the value is outside the bounds."""
        return max(self.low - self.value, self.value - self.high)


class PinnedValues(NamedTuple):
    """Pinned values.

    names, steps: the schedule column and the step of each.
    columns: the column of the program that it is a value of; -1 where it is a sum.
    weights: of a move of each, MW per unit.
    movable: whether it may move: no integer and no misfit.
    """

    names: np.ndarray[Any, Any]
    steps: Indices
    columns: Indices
    values: Array
    weights: Array
    movable: Flags

    def where(self, which: Flags) -> PinnedValues:
        """Return some of the values."""
        return PinnedValues._make(part[which] for part in self)


def _joined(parts: list[PinnedValues]) -> PinnedValues:
    types = object, np.int64, np.int64, float, float, bool
    none = [np.zeros(0, dtype) for dtype in types]
    return PinnedValues._make(map(np.concatenate, zip(none, *parts, strict=True)))


@dataclass(frozen=True, eq=False)
class Pinned:
    """A program with part of its schedule pinned.

    free: the program without the schedule.
    misfits: the pinned values that do not fit; the program has their values all the same.
    at: the pinned values.
    rows: each of them as a row over the columns of the program.
    """

    free: Program
    misfits: tuple[Misfit, ...]
    at: PinnedValues
    rows: sparse.csr_array

    @property
    def program(self) -> Program:
        """The program with every value pinned exactly."""
        return self._program(self.at.columns >= 0)

    def by_rows(self) -> tuple[Program, Indices, PinnedValues]:
        """Return the program with every movable value pinned by a row; the rows and their values.

        The values of other columns are pinned by bounds.
        """
        program, first = self._program(~self.at.movable), self.free.matrix.shape[0]
        return program, np.arange(first, program.matrix.shape[0]), self.at.where(self.at.movable)

    def _program(self, bounded: Flags) -> Program:
        """Return the program with some values pinned by bounds of columns, the others by rows."""
        by_bounds, by_row = self.at.where(bounded), self.at.where(~bounded)
        program = self.free.with_bounds(by_bounds.columns, by_bounds.values, by_bounds.values)
        if bounded.all():
            return program
        return program.with_rows(self.rows[~bounded], by_row.values, by_row.values, by_row.steps)

    def moved(self, by: Array) -> Pinned:
        """Return the schedule with every value of `by_rows` moved."""
        values = self.at.values.copy()
        values[self.at.movable] += by
        return replace(self, at=self.at._replace(values=values))


def pin(program: Program, schedule: pd.DataFrame, tolerance: float = 0.0) -> Pinned:
    """Pin every value of a schedule; one outside its bounds by a tolerance at most on the bound.

    Args:
        program: what is to be solved.
        schedule: columns of the schedule, or sums of them, by the starts of steps; NaN is free,
            steps outside the program's window are left out.
        tolerance: how far a value may move, in its own unit.
    """
    places = program.times.get_indexer(pd.DatetimeIndex(schedule.index))
    table, places = schedule[places >= 0], places[places >= 0]
    lower, upper, integer = program.column_lower, program.column_upper, program.all_integer
    misfits, parts = list[Misfit](), list[PinnedValues]()
    by_row: list[tuple[str, Indices, Array]] = []
    for name in map(str, table.columns):
        values = table[name].to_numpy(dtype=float)
        given = ~np.isnan(values)
        values, where = values[given], places[given]
        if name not in program.schedule:
            by_row.append((name, where, values))
            continue
        index, constant = program.schedule[name]
        column = index[where]
        is_column = column >= 0
        low = np.where(is_column, lower[column], constant[where])
        high = np.where(is_column, upper[column], constant[where])
        whole = is_column & integer[column]
        nearest = np.where(whole, np.round(values), np.clip(values, low, high))
        slack = tolerance + VALUE_TOLERANCE * np.maximum(1.0, np.abs(values))
        fits = (low - slack <= values) & (values <= high + slack)
        fits &= ~whole | (np.abs(values - nearest) <= slack)
        misfits += [
            Misfit(name, int(where[i]) + program.window.first, float(values[i]), float(low[i]),
                   float(high[i]), frozenset({int(column[i])} if is_column[i] else ()))
            for i in np.flatnonzero(~fits)
        ]  # fmt: skip
        pinned = np.where(fits | whole, nearest, values)
        part = _values(program, name, where, pinned, column, fits & ~whole)
        parts.append(part.where(is_column))
    at = _joined(parts)
    rows = sparse.eye_array(len(lower), format="csr")[at.columns]
    by_column = Pinned(program, tuple(misfits), at, rows)
    return _with_sums(by_column, by_row, tolerance) if by_row else by_column


def _values(
    program: Program, name: str, places: Indices, values: Array, columns: Indices | int,
    movable: Flags | bool,
) -> PinnedValues:  # fmt: skip
    measured = unit(name)
    step_h = program.scenario.horizon.step_h if measured in OVER_A_STEP else 1.0
    weight = MW_OF.get(measured, OTHER_UNIT_MW) / step_h
    names, columns, weights, movable = (
        np.full(len(places), value) for value in (np.array(name, object), columns, weight, movable)
    )
    steps = places + program.window.first
    return PinnedValues(names, steps, columns, values, weights, movable)


def _with_sums(
    pinned: Pinned, by_row: list[tuple[str, Indices, Array]], tolerance: float
) -> Pinned:
    """Pin values of expressions and sums; rows of pinned columns are compared instead."""
    program = pinned.free
    known = program.column_lower == program.column_upper
    at = np.where(known, program.column_lower, 0.0)
    known[pinned.at.columns], at[pinned.at.columns] = True, pinned.at.values
    sums = sums_of(program)
    matrices, parts, misfits = [pinned.rows], [pinned.at], list(pinned.misfits)
    for name, places, given in by_row:
        rows, offset = sums.get(name, Sum({name: 1.0})).rows(program, places)
        values, reported, room = given - offset, rows @ at, abs(rows).sum(axis=1)
        difference = np.abs(reported - values)
        equal = difference <= 10 * VALUE_TOLERANCE * np.maximum(1.0, np.abs(values))
        free = abs(rows) @ (~known).astype(float) > 0
        differs = ~free & ~equal & (difference > tolerance * (1 + room))
        for i in np.flatnonzero(differs).tolist():
            only, columns = float(reported[i] + offset[i]), frozenset(rows[[i]].indices.tolist())
            step = int(places[i]) + program.window.first
            misfits.append(Misfit(name, step, float(given[i]), only, only, columns))
        needed = free | (~equal & ~differs)
        matrices.append(rows[needed])
        parts.append(_values(program, name, places, values, -1, True).where(needed))
    matrix = sparse.csr_array(sparse.vstack(matrices))
    return replace(pinned, misfits=tuple(misfits), at=_joined(parts), rows=matrix)


def moves(below: Array, above: Array) -> Array:
    """Return how far values move by the slacks of their rows, but for the solver's rounding."""
    by = above - below
    return np.where(np.abs(by) > MIN_MOVE, by, 0.0)


def least_moved(pinned: Pinned, tolerance: float, time_limit_s: float) -> Program | None:
    """Return the program with the values moved least so that every rule can be kept.

    None where the tolerance is too small for that, or the time limit strikes first.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    program, rows, given = pinned.by_rows()
    if not tolerance or not len(rows):
        return None
    point = least_miss(program, rows, given.weights, time_limit_s, tolerance, MOVE_PRECISION)
    if point is None:
        return None
    x, below, above = point
    return pinned.moved(moves(below, above)).program.covering(x)


def best_kept(pinned: Pinned, tolerance: float) -> tuple[Program, Solution] | None:
    """Return the best solution that keeps a schedule, exactly or moved least, and its program.

    None where there is none. Raises as `optimise`.
    """
    if pinned.misfits:
        return None
    settings = pinned.free.scenario.solver
    with suppress(InfeasibleProgramError):
        return pinned.program, optimise(pinned.program, settings)
    with suppress(InfeasibleProgramError):
        if (moved := least_moved(pinned, tolerance, settings.time_limit_s)) is not None:
            return moved, optimise(moved, settings)
    return None
